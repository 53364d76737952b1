//! An API as one value, what an operation wants changed of it, and the copies kept between operations.

mod draft;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

use super::AppError;
use crate::model::{
    ApiId, Authorizer, AuthorizerId, DeploymentId, DeploymentRecord, GatewayResponse, Model,
    RequestValidator, RequestValidatorId, Resource, ResourceId, ResponseType, RestApi, Snapshot,
    StageName, StageRecord,
};
use crate::store::keys::{self, Part};
use crate::store::{Rev, Row, Store, StoreError};

pub use draft::{Draft, Item};

/// Everything one API consists of at one version.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Revision of the last operation on the API.
    pub version: Rev,
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

    fn empty(version: Rev, rest_api: RestApi) -> Self {
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
        }
    }

    async fn load(store: &dyn Store, id: &ApiId, version: Rev) -> Result<Option<Self>, AppError> {
        // The version was read before the rows: whatever changes in between makes a commit on it fail.
        let Some(row) = store.get(&keys::api(id.as_str())).await? else { return Ok(None) };
        let mut workspace = Self::empty(version, decode(&row)?);
        for row in store.scan(&keys::parts(id), None, usize::MAX).await? {
            let damaged = || StoreError::Damaged(row.key.clone());
            let (part, _) = keys::split_part(id, &row.key).ok_or_else(damaged)?;
            workspace.put(match part {
                Part::Authorizer => Item::Authorizer(decode(&row)?),
                Part::Deployment => Item::Deployment(decode(&row)?),
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
        1 + self.resources.len() + self.models.len() + self.deployments.len() + self.stages.len()
    }
}

/// The value of a row.
pub(super) fn decode<T: DeserializeOwned>(row: &Row) -> Result<T, AppError> {
    serde_json::from_slice(&row.value).map_err(|cause| {
        tracing::error!(key = row.key, %cause, "row cannot be read");
        AppError::Store(StoreError::Damaged(row.key.clone()))
    })
}

/// The workspaces of APIs that were lately worked on, and the turn-taking of their writers.
///
/// A copy is used only while the store still has its version, so several control planes may share a store. Copies are
/// dropped at random once there are too many rows in them.
#[derive(Default)]
pub(super) struct Workspaces {
    slots: Mutex<HashMap<ApiId, Arc<Slot>>>,
}

#[derive(Default)]
struct Slot {
    /// Held from read to commit, so that writers of one API within this process queue instead of conflicting.
    turn: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<Option<Arc<Workspace>>>,
}

impl Slot {
    fn state(&self) -> std::sync::MutexGuard<'_, Option<Arc<Workspace>>> {
        // A copy whose update panicked half way must not be used: it is dropped with the poison.
        self.state.lock().unwrap_or_else(|poison: PoisonError<_>| {
            self.state.clear_poison();
            let mut guard = poison.into_inner();
            *guard = None;
            guard
        })
    }
}

impl Workspaces {
    /// The API as the store has it now; `None` when there is no such API.
    pub(super) async fn current(
        &self,
        store: &dyn Store,
        id: &ApiId,
    ) -> Result<Option<Arc<Workspace>>, AppError> {
        let slot = self.slot(id);
        let Some(version) = store.get(&keys::version(id.as_str())).await? else {
            self.forget(id);
            return Ok(None);
        };
        if let Some(kept) = slot.state().as_ref().filter(|kept| kept.version == version.rev) {
            return Ok(Some(kept.clone()));
        }
        let Some(loaded) = Workspace::load(store, id, version.rev).await? else { return Ok(None) };
        let loaded = Arc::new(loaded);
        let mut state = slot.state();
        if state.as_ref().is_none_or(|kept| kept.version < loaded.version) {
            *state = Some(loaded.clone());
        }
        Ok(Some(loaded))
    }

    /// The API with the right to change it; waits for other writers of this process.
    pub(super) async fn edit(
        &self,
        store: &dyn Store,
        id: &ApiId,
    ) -> Result<Option<Edit>, AppError> {
        let slot = self.slot(id);
        let turn = slot.turn.clone().lock_owned().await;
        let workspace = self.current(store, id).await?;
        Ok(workspace.map(|workspace| Edit { slot, workspace, _turn: turn }))
    }

    fn slot(&self, id: &ApiId) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(id) {
            return slot.clone();
        }
        let mut rows: usize =
            slots.values().map(|slot| slot.state().as_ref().map_or(1, |kept| kept.rows())).sum();
        if rows > KEPT_ROWS || slots.len() >= KEPT_APIS {
            slots.retain(|_, slot| {
                // A slot someone works on must stay: its turn is what makes writers queue.
                let keep = Arc::strong_count(slot) > 1 || rows < KEPT_ROWS / 2 && rand::random();
                if !keep {
                    rows -= slot.state().as_ref().map_or(1, |kept| kept.rows());
                }
                keep
            });
        }
        slots.entry(id.clone()).or_default().clone()
    }

    fn forget(&self, id: &ApiId) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(id) {
            *slot.state() = None;
            // Ours and the map's: nobody else waits for a turn.
            if Arc::strong_count(slot) <= 2 {
                slots.remove(id);
            }
        }
    }
}

/// An API with the right to change it.
pub(super) struct Edit {
    slot: Arc<Slot>,
    workspace: Arc<Workspace>,
    _turn: tokio::sync::OwnedMutexGuard<()>,
}

impl Edit {
    pub(super) fn workspace(&self) -> &Arc<Workspace> {
        &self.workspace
    }

    /// Makes the draft durable; false when another writer of the store was faster. An empty draft does nothing.
    pub(super) async fn commit(self, store: &dyn Store, draft: Draft) -> Result<bool, AppError> {
        if draft.is_empty() {
            return Ok(true);
        }
        let version = self.workspace.version;
        let operation = draft.operation(&self.workspace);
        let answer = store.commit(vec![operation]).await?;
        let Some(Ok(rev)) = answer.into_iter().next() else {
            *self.slot.state() = None;
            return Ok(false);
        };
        // Ours goes first, so that the kept copy is changed in place.
        drop(self.workspace);
        let mut state = self.slot.state();
        match state.take() {
            Some(mut kept) if kept.version == version && !draft.deletes_api() => {
                let workspace = Arc::make_mut(&mut kept);
                draft.apply_to(workspace);
                workspace.version = rev;
                *state = Some(kept);
            }
            newer @ Some(_) if !draft.deletes_api() => *state = newer,
            _ => {}
        }
        Ok(true)
    }
}

/// Rows in kept workspaces, some 1 to 2 KB each.
const KEPT_ROWS: usize = 200_000;

/// Kept workspaces; finding room looks at each of them.
const KEPT_APIS: usize = 4_096;
