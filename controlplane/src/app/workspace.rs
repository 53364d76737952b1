//! An API as one value, what an operation wants changed of it, and the copies kept between operations.

mod draft;
mod kept;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::AppError;
use crate::model::{
    ApiId, Authorizer, AuthorizerId, DeploymentId, DeploymentRecord, DocumentationPart,
    DocumentationPartId, DocumentationVersionRecord, GatewayResponse, Model, RequestValidator,
    RequestValidatorId, Resource, ResourceId, ResponseType, RestApi, Snapshot, StageName,
    StageRecord,
};
use crate::store::keys::{self, Part};
use crate::store::{Row, Store, StoreError};

pub use draft::{Draft, Item};
pub(super) use kept::Workspaces;

/// Everything one API consists of at one version.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Raised by every operation on the API; see [`keys`].
    pub version: u64,
    /// The API itself.
    pub rest_api: Arc<RestApi>,
    /// All resources.
    pub resources: BTreeMap<ResourceId, Arc<Resource>>,
    /// Parent to path part to child; kept in step with `resources`, so that siblings need no scan.
    pub children: HashMap<ResourceId, BTreeMap<String, ResourceId>>,
    /// By name.
    pub models: BTreeMap<String, Arc<Model>>,
    /// All validators.
    pub request_validators: BTreeMap<RequestValidatorId, Arc<RequestValidator>>,
    /// All authorizers.
    pub authorizers: BTreeMap<AuthorizerId, Arc<Authorizer>>,
    /// Those that were changed.
    pub gateway_responses: BTreeMap<ResponseType, Arc<GatewayResponse>>,
    /// All deployments, without their snapshots.
    pub deployments: BTreeMap<DeploymentId, Arc<DeploymentRecord>>,
    /// All stages.
    pub stages: BTreeMap<StageName, Arc<StageRecord>>,
    /// All parts of the documentation; no deployment freezes them.
    pub documentation_parts: BTreeMap<DocumentationPartId, Arc<DocumentationPart>>,
    /// All versions of the documentation by name, without their parts.
    pub documentation_versions: BTreeMap<String, Arc<DocumentationVersionRecord>>,
}

impl Workspace {
    /// What a deployment freezes.
    pub fn snapshot(&self) -> Snapshot {
        fn all<K, T: Clone>(map: &BTreeMap<K, Arc<T>>) -> Vec<T> {
            map.values().map(|item| T::clone(item)).collect()
        }
        Snapshot {
            rest_api: RestApi::clone(&self.rest_api),
            resources: all(&self.resources),
            models: all(&self.models),
            request_validators: all(&self.request_validators),
            authorizers: all(&self.authorizers),
            gateway_responses: all(&self.gateway_responses),
        }
    }

    /// The resource with this id.
    pub fn resource(&self, id: &str) -> Result<&Arc<Resource>, AppError> {
        self.resources.get(id).ok_or(AppError::InvalidResource)
    }

    /// The stage with this name.
    pub fn stage(&self, name: &str) -> Result<&Arc<StageRecord>, AppError> {
        self.stages.get(name).ok_or(AppError::InvalidStage)
    }

    /// A new API that is not stored yet.
    pub(super) fn new(rest_api: RestApi, root: Resource) -> Self {
        let mut workspace = Self::empty(0, rest_api);
        workspace.put(Item::Resource(root));
        workspace
    }

    fn empty(version: u64, rest_api: RestApi) -> Self {
        Self {
            version,
            rest_api: Arc::new(rest_api),
            resources: BTreeMap::new(),
            children: HashMap::new(),
            models: BTreeMap::new(),
            request_validators: BTreeMap::new(),
            authorizers: BTreeMap::new(),
            gateway_responses: BTreeMap::new(),
            deployments: BTreeMap::new(),
            stages: BTreeMap::new(),
            documentation_parts: BTreeMap::new(),
            documentation_versions: BTreeMap::new(),
        }
    }

    async fn load(store: &dyn Store, id: &ApiId, version: u64) -> Result<Option<Self>, AppError> {
        // The version was read before the rows: whatever changes in between makes a commit on it fail.
        let Some(row) = store.get(&keys::api(id.as_str())).await? else { return Ok(None) };
        let mut workspace = Self::empty(version, decode(&row)?);
        for row in store.scan(&keys::parts(id), None, usize::MAX).await? {
            let damaged = || StoreError::Damaged(row.key.clone());
            let (part, _) = keys::split_part(id, &row.key).ok_or_else(damaged)?;
            workspace.put(match part {
                Part::Authorizer => Item::Authorizer(decode(&row)?),
                Part::Deployment => Item::Deployment(decode(&row)?),
                Part::DocumentationPart => Item::DocumentationPart(decode(&row)?),
                Part::DocumentationVersion => Item::DocumentationVersion(decode(&row)?),
                Part::GatewayResponse => Item::GatewayResponse(decode(&row)?),
                Part::Model => Item::Model(decode(&row)?),
                Part::RequestValidator => Item::RequestValidator(decode(&row)?),
                Part::Resource => Item::Resource(decode(&row)?),
                Part::Stage => Item::Stage(decode(&row)?),
            });
        }
        Ok(Some(workspace))
    }

    fn put(&mut self, item: Item) {
        match item {
            Item::RestApi(item) => self.rest_api = Arc::new(item),
            Item::Resource(item) => {
                self.unlink(item.id.as_str());
                if let (Some(parent), Some(part)) = (&item.parent_id, &item.path_part) {
                    self.children
                        .entry(parent.clone())
                        .or_default()
                        .insert(part.clone(), item.id.clone());
                }
                self.resources.insert(item.id.clone(), Arc::new(item));
            }
            Item::Model(item) => drop(self.models.insert(item.name.clone(), Arc::new(item))),
            Item::RequestValidator(item) => {
                drop(self.request_validators.insert(item.id.clone(), Arc::new(item)));
            }
            Item::Authorizer(item) => {
                drop(self.authorizers.insert(item.id.clone(), Arc::new(item)));
            }
            Item::GatewayResponse(item) => {
                drop(self.gateway_responses.insert(item.response_type, Arc::new(item)));
            }
            Item::Deployment(item) => {
                drop(self.deployments.insert(item.deployment.id.clone(), Arc::new(item)));
            }
            Item::Stage(item) => {
                drop(self.stages.insert(item.stage.stage_name.clone(), Arc::new(item)));
            }
            Item::DocumentationPart(item) => {
                drop(self.documentation_parts.insert(item.id.clone(), Arc::new(item)));
            }
            Item::DocumentationVersion(item) => {
                let name = item.version.version.clone();
                drop(self.documentation_versions.insert(name, Arc::new(item)));
            }
        }
    }

    fn remove(&mut self, part: Part, name: &str) {
        match part {
            Part::Authorizer => drop(self.authorizers.remove(name)),
            Part::Deployment => drop(self.deployments.remove(name)),
            Part::GatewayResponse => {
                self.gateway_responses.retain(|kind, _| kind.to_string() != name);
            }
            Part::Model => drop(self.models.remove(name)),
            Part::RequestValidator => drop(self.request_validators.remove(name)),
            Part::Resource => {
                self.unlink(name);
                self.resources.remove(name);
                self.children.remove(name);
            }
            Part::Stage => drop(self.stages.remove(name)),
            Part::DocumentationPart => drop(self.documentation_parts.remove(name)),
            Part::DocumentationVersion => drop(self.documentation_versions.remove(name)),
        }
    }

    /// Takes a resource out of its parent's children.
    fn unlink(&mut self, id: &str) {
        let Some(old) = self.resources.get(id) else { return };
        if let (Some(parent), Some(part)) = (&old.parent_id, &old.path_part)
            && let Some(siblings) = self.children.get_mut(parent)
            && siblings.get(part).is_some_and(|at| at.as_str() == id)
        {
            siblings.remove(part);
        }
    }

    fn rows(&self) -> usize {
        let frozen = self.deployments.len() + self.stages.len() + self.documentation_versions.len();
        1 + self.resources.len() + self.models.len() + self.documentation_parts.len() + frozen
    }
}

/// The value of a row.
pub(super) fn decode<T: DeserializeOwned>(row: &Row) -> Result<T, AppError> {
    serde_json::from_slice(&row.value).map_err(|cause| {
        tracing::error!(key = row.key, %cause, "row cannot be read");
        AppError::Store(StoreError::Damaged(row.key.clone()))
    })
}

/// The version in its row.
fn version(row: &Row) -> Result<u64, AppError> {
    let bytes =
        <[u8; 8]>::try_from(&row.value[..]).map_err(|_| StoreError::Damaged(row.key.clone()))?;
    Ok(u64::from_be_bytes(bytes))
}
