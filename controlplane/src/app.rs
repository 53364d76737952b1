//! The operations: each checks, changes and logs. The only place with business rules.
//!
//! An operation reads an API as one value, a [`Workspace`], decides on it without I/O, and hands the store a [`Draft`]
//! that expects the API's version it was decided on. A faster writer makes it decide again; after a few rounds the
//! caller is told so. Nothing here knows HTTP; [`AppError`] has AWS's texts and the faults a protocol maps to statuses.

pub mod access_associations;
pub mod access_keys;
pub mod account;
pub mod api_keys;
pub mod apply;
mod arn;
pub mod authorizers;
pub mod base_path_mappings;
pub mod client_certificates;
pub mod deployments;
pub mod diff;
pub mod documentation_parts;
pub mod documentation_versions;
pub mod domain_names;
mod error;
pub mod exports;
pub mod gateway_responses;
pub mod history;
pub mod imports;
pub mod integration_responses;
pub mod integrations;
mod mapping;
pub mod method_responses;
pub mod methods;
pub mod models;
mod paging;
mod patch;
mod references;
pub mod request_validators;
pub mod resources;
pub mod rest_apis;
pub mod sdks;
pub mod secret_key;
pub mod settings;
pub mod stages;
pub mod tags;
mod transaction;
pub mod usage;
pub mod usage_plan_keys;
pub mod usage_plans;
mod uses;
pub mod vpc_links;
mod workspace;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

pub use error::{AppError, Fault};
pub use paging::{Page, Paging};
pub use patch::{PatchOp, PatchOperation};
pub use workspace::{Draft, Item, Workspace};

use tidegate_engine::integration::credentials::AwsSettings;
use tidegate_engine::integration::guard::AddressPolicy;

use crate::model::{ApiId, ApiSettings, ContentHash, RestApi, Snapshot, Timestamp};
use crate::store::{Store, keys};
use crate::vault::Vault;
use workspace::Workspaces;

/// What an installation says of itself.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Twelve digits; part of ARNs and messages.
    pub account_id: String,
    /// Part of ARNs.
    pub region: String,
    /// How much there may be of a thing.
    pub limits: Limits,
    /// Whom test calls may reach.
    pub test_calls: AddressPolicy,
    /// How test calls reach AWS services.
    pub aws: Arc<AwsSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account_id: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            limits: Limits::default(),
            test_calls: AddressPolicy::default(),
            aws: Arc::default(),
        }
    }
}

/// How much there may be of a thing. AWS's numbers are quotas it raises on request (300 resources and 10 stages per
/// API, 20 VPC links, 60 client certificates), so these are the operator's, with room for generated APIs.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Resources per API.
    pub resources_per_api: usize,
    /// Stages per API.
    pub stages_per_api: usize,
    /// VPC links of the account.
    pub vpc_links: usize,
    /// Client certificates of the account.
    pub client_certificates: usize,
    /// Models per API; the same goes for request validators and for authorizers.
    pub parts_per_api: usize,
    /// API keys of the account; 10,000 on AWS.
    pub api_keys: usize,
    /// API keys of one import, which is one transaction.
    pub api_keys_per_import: usize,
    /// Usage plans of the account; 300 on AWS.
    pub usage_plans: usize,
    /// Usage plans an API key is in.
    pub usage_plans_per_key: usize,
    /// Method-level throttles per stage of a usage plan; 20 on AWS.
    pub throttles_per_api_stage: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            resources_per_api: 20_000,
            stages_per_api: 100,
            parts_per_api: 1_000,
            vpc_links: 1_000,
            client_certificates: 1_000,
            api_keys: 1_000_000,
            api_keys_per_import: 10_000,
            usage_plans: 10_000,
            usage_plans_per_key: 10,
            throttles_per_api_stage: 1_000,
        }
    }
}

/// Turns a frozen configuration into what nodes serve. Pure: the same snapshot gives the same bundle.
pub trait Compiler: Send + Sync {
    /// The bundle, or everything that is wrong with the snapshot.
    fn compile(&self, snapshot: &Snapshot) -> Result<CompiledBundle, Vec<Diagnostic>>;

    /// What of an API's settings nodes would refuse.
    fn check_settings(&self, settings: &ApiSettings) -> Result<(), String>;
}

/// A compiled deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledBundle {
    /// Its identity: SHA-256 over dialect, API id and canonical form.
    pub id: ContentHash,
    /// Its encoding in the stream.
    pub bytes: Vec<u8>,
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// Path of the resource it is about.
    pub resource: Option<String>,
    /// Verb of the method it is about.
    pub method: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.method, &self.resource) {
            (Some(method), Some(resource)) => write!(f, "{method} {resource}: {}", self.message),
            (None, Some(resource)) => write!(f, "{resource}: {}", self.message),
            _ => f.write_str(&self.message),
        }
    }
}

/// The operations. Cheap to share: one per process, behind an `Arc`.
pub struct App {
    store: Arc<dyn Store>,
    compiler: Arc<dyn Compiler>,
    vault: Arc<Vault>,
    settings: Settings,
    workspaces: Workspaces,
    access_keys: Arc<access_keys::Ring>,
}

impl App {
    /// Operations on `store`, whose secrets `vault` seals.
    pub fn new(
        store: Arc<dyn Store>,
        compiler: Arc<dyn Compiler>,
        vault: Arc<Vault>,
        settings: Settings,
    ) -> Self {
        Self {
            store,
            compiler,
            vault,
            settings,
            workspaces: Workspaces::default(),
            access_keys: Arc::default(),
        }
    }

    /// What the installation says of itself.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store below, for what publishes its changes.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Everything an API consists of now, deployed or not.
    pub async fn workspace(&self, api: &str) -> Result<Arc<Workspace>, AppError> {
        self.workspace_or(api, self.unknown_api(api)).await
    }

    /// The API, where an unknown one is told `missing`: AWS's text differs between families.
    async fn workspace_or(&self, api: &str, missing: AppError) -> Result<Arc<Workspace>, AppError> {
        let Ok(id) = ApiId::parse(api) else { return Err(missing) };
        self.workspaces.current(&*self.store, &id).await?.ok_or(missing)
    }

    /// Decides on the current state of an API and commits, again if another writer was faster.
    ///
    /// `missing` is what an unknown API is told: AWS's text differs between families. A draft without rows commits
    /// nothing.
    async fn change<T>(
        &self,
        api: &str,
        missing: impl Fn() -> AppError,
        decide: impl Fn(&Workspace, &mut Draft) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let id = ApiId::parse(api).map_err(|_| missing())?;
        for _ in 0..ATTEMPTS {
            let edit = self.workspaces.edit(&*self.store, &id).await?.ok_or_else(&missing)?;
            let mut draft = Draft::default();
            let answer = decide(edit.workspace(), &mut draft)?;
            if edit.commit(&*self.store, draft).await? {
                return Ok(answer);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    async fn rest_api_row(&self, api: &str) -> Result<RestApi, AppError> {
        let id = ApiId::parse(api).map_err(|_| self.unknown_api(api))?;
        let row =
            self.store.get(&keys::api(id.as_str())).await?.ok_or_else(|| self.unknown_api(api))?;
        workspace::decode(&row)
    }

    /// What most families say of an unknown API.
    fn unknown_api(&self, api: &str) -> AppError {
        AppError::InvalidApi { account: self.settings.account_id.clone(), api: api.to_owned() }
    }
}

fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// Rounds before a caller is told that others are faster.
const ATTEMPTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SqliteStore;

    /// Compiles anything, to nothing.
    struct Lenient;

    impl Compiler for Lenient {
        fn compile(&self, snapshot: &Snapshot) -> Result<CompiledBundle, Vec<Diagnostic>> {
            let bytes = snapshot.to_canonical_json();
            Ok(CompiledBundle { id: ContentHash::of(&bytes), bytes })
        }

        fn check_settings(&self, _: &ApiSettings) -> Result<(), String> {
            Ok(())
        }
    }

    /// Operations on a store in a directory that goes with the returned guard.
    pub(super) fn app(settings: Settings) -> (App, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(directory.path()).unwrap());
        (App::new(store, Arc::new(Lenient), Arc::new(Vault::ephemeral()), settings), directory)
    }
}
