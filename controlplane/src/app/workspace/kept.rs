//! The workspaces kept between operations, and the turn-taking of their writers.
//!
//! Writers of one API decide in turn, each on what the one before will have made of the API, and queue their operation
//! before they give up the turn; so many of them share one flush of the store. Every operation expects the version it
//! was decided on: should one fail, all that build on it fail too and decide again. Nobody is answered before his own
//! operation is durable. The same expectation keeps several processes on one store from losing changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Draft, Workspace, version};
use crate::app::AppError;
use crate::model::ApiId;
use crate::store::{Store, keys};

/// The workspaces of APIs that were lately worked on; dropped at random once there are too many rows in them.
#[derive(Default)]
pub(in crate::app) struct Workspaces {
    slots: Mutex<HashMap<ApiId, Arc<Slot>>>,
}

#[derive(Default)]
struct Slot {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The API as the last queued operation will leave it.
    newest: Mutex<Option<Arc<Workspace>>>,
    /// Operations that are queued and not answered. Changed with `newest` locked.
    queued: AtomicUsize,
}

impl Slot {
    fn newest(&self) -> MutexGuard<'_, Option<Arc<Workspace>>> {
        // A copy whose update panicked half way must not be used: it is dropped with the poison.
        self.newest.lock().unwrap_or_else(|poison: PoisonError<_>| {
            self.newest.clear_poison();
            let mut guard = poison.into_inner();
            *guard = None;
            guard
        })
    }
}

impl Workspaces {
    /// The API as the store has it now; `None` when there is no such API.
    pub(in crate::app) async fn current(
        &self,
        store: &dyn Store,
        id: &ApiId,
    ) -> Result<Option<Arc<Workspace>>, AppError> {
        let slot = self.slot(id);
        let Some(row) = store.get(&keys::version(id.as_str())).await? else {
            self.forget(id);
            return Ok(None);
        };
        let version = version(&row)?;
        if let Some(kept) = slot.newest().as_ref().filter(|kept| kept.version == version) {
            return Ok(Some(kept.clone()));
        }
        let Some(loaded) = Workspace::load(store, id, version).await? else { return Ok(None) };
        let loaded = Arc::new(loaded);
        let mut newest = slot.newest();
        if slot.queued.load(Ordering::Relaxed) == 0 {
            *newest = Some(loaded.clone());
        }
        Ok(Some(loaded))
    }

    /// The API as the operations queued so far will leave it, with the right to queue the next.
    pub(in crate::app) async fn edit(
        &self,
        store: &dyn Store,
        id: &ApiId,
    ) -> Result<Option<Edit>, AppError> {
        let slot = self.slot(id);
        let turn = slot.turn.clone().lock_owned().await;
        let ahead = {
            let newest = slot.newest();
            newest.clone().filter(|_| slot.queued.load(Ordering::Relaxed) > 0)
        };
        let is_ahead = ahead.is_some();
        let workspace = match ahead {
            Some(ahead) => Some(ahead),
            None => self.current(store, id).await?,
        };
        Ok(workspace.map(|workspace| Edit { slot, workspace, is_ahead, turn }))
    }

    fn slot(&self, id: &ApiId) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(id) {
            return slot.clone();
        }
        let mut rows: usize =
            slots.values().map(|slot| slot.newest().as_ref().map_or(1, |kept| kept.rows())).sum();
        if rows > KEPT_ROWS || slots.len() >= KEPT_APIS {
            slots.retain(|_, slot| {
                // A slot someone works on must stay: its turn is what makes writers queue.
                let keep = Arc::strong_count(slot) > 1 || rows < KEPT_ROWS / 2 && rand::random();
                if !keep {
                    rows -= slot.newest().as_ref().map_or(1, |kept| kept.rows());
                }
                keep
            });
        }
        slots.entry(id.clone()).or_default().clone()
    }

    fn forget(&self, id: &ApiId) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(id) {
            *slot.newest() = None;
            // The caller's and the map's: nobody else waits for a turn.
            if Arc::strong_count(slot) <= 2 {
                slots.remove(id);
            }
        }
    }
}

/// An API with the right to queue an operation on it.
pub(in crate::app) struct Edit {
    slot: Arc<Slot>,
    workspace: Arc<Workspace>,
    /// Whether operations that led to the workspace are not answered yet.
    is_ahead: bool,
    turn: tokio::sync::OwnedMutexGuard<()>,
}

impl Edit {
    pub(in crate::app) fn workspace(&self) -> &Arc<Workspace> {
        &self.workspace
    }

    /// Makes the draft durable; false when another writer of the store was faster, or one this builds on failed.
    ///
    /// An empty draft changes nothing, but waits until what it was decided on is durable.
    pub(in crate::app) async fn commit(
        self,
        store: &dyn Store,
        draft: Draft,
    ) -> Result<bool, AppError> {
        if draft.is_empty() && !self.is_ahead {
            return Ok(true);
        }
        let next = rand::random();
        let mut commit = store.commit(vec![draft.operation(&self.workspace, next)]);
        let queued = Queued::new(self.slot, self.workspace, draft, next);
        // The first poll puts the operation in the store's queue; from then on the next writer may build on it.
        let first =
            std::future::poll_fn(|context| std::task::Poll::Ready(commit.as_mut().poll(context)))
                .await;
        drop(self.turn);
        let answer = match first {
            std::task::Poll::Ready(answer) => answer,
            std::task::Poll::Pending => commit.await,
        };
        if !matches!(answer.as_deref(), Ok([Ok(_)])) {
            *queued.slot.newest() = None;
        }
        Ok(answer?.into_iter().all(|answer| answer.is_ok()))
    }
}

/// An operation that is queued and not answered, also when its caller left.
struct Queued {
    slot: Arc<Slot>,
}

impl Queued {
    fn new(slot: Arc<Slot>, mut workspace: Arc<Workspace>, draft: Draft, next: u64) -> Self {
        let mut newest = slot.newest();
        // Ours is the only copy then, unless someone reads it, and is changed in place.
        *newest = None;
        if !draft.deletes_api() {
            if !draft.is_empty() {
                draft.apply_to(Arc::make_mut(&mut workspace), next);
            }
            *newest = Some(workspace);
        }
        slot.queued.fetch_add(1, Ordering::Relaxed);
        drop(newest);
        Self { slot }
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        let _newest = self.slot.newest();
        self.slot.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Rows in kept workspaces, some 1 to 2 KB each.
const KEPT_ROWS: usize = 200_000;

/// Kept workspaces; finding room looks at each of them.
const KEPT_APIS: usize = 4_096;
