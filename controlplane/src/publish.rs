//! From the store's log of changes to the objects every node has: follows the log, keeps the catalog, knows the nodes.
//!
//! A [`Publisher`] reads the log (hints are only hints), reads what changed, and replaces the [`Catalog`]: an immutable value in
//! 256 shards of which a change copies one. Each connected node is a [`Session`]: a cursor into the log and at most a window of
//! unacknowledged deltas, whatever the node's pace. A cursor inside the log gets the latest of each key that changed since; any
//! other node has its digests compared and gets the shards that differ; everything goes only to a node that has nothing.

mod bundles;
mod catalog;
mod log;
mod nodes;
mod objects;
mod peers;
mod session;
mod view;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_engine::snapshot::Revision;
use tidegate_proto::v1;
use tokio::sync::watch;
use tokio::time::Instant;

pub use bundles::Bundles;
pub use catalog::Catalog;
pub use log::Log;
pub use nodes::{Nodes, Seat};
pub use objects::PLACEMENT_TAG;
pub use peers::{PeerError, PeerSeat, Peers};
pub use session::{Session, Violation};
pub use view::{api_objects, domain_object, vpc_link_objects};

use crate::app::Settings;
use crate::model::{ApiId, HostName};
use crate::store::{ChangeKind, Logged, Rev, Store, StoreError, keys};

/// What all streams share.
pub struct Publisher {
    store: Arc<dyn Store>,
    catalog: watch::Sender<Arc<Catalog>>,
    log: Mutex<Log>,
    /// Whether the catalog has a revision that sessions were not woken for.
    unsaid: AtomicBool,
    /// Nodes that are connected or were.
    pub nodes: Arc<Nodes>,
    /// The second stream of each node.
    pub peers: Arc<Peers>,
    /// Bundles on their way to nodes.
    pub bundles: Bundles,
}

impl Publisher {
    /// Reads the catalog from the store.
    pub async fn open(store: Arc<dyn Store>, settings: &Settings) -> Result<Arc<Self>, StoreError> {
        let account = v1::Account {
            id: settings.account_id.clone(),
            region: settings.region.clone(),
            ..v1::Account::default()
        };
        // The rows may be newer than this; what is read twice is the same.
        let head = store.head().await?;
        let mut edit = Catalog::new(account).edit();
        for id in objects::api_ids(&*store).await? {
            if let Some(api) = objects::read(&*store, &id).await? {
                edit.set(id.as_str(), Some(api));
            }
        }
        for (key, domain) in objects::domains(&*store).await? {
            edit.set_shared(&key, Some(domain));
        }
        for (key, link) in objects::vpc_links(&*store).await? {
            edit.set_shared(&key, Some(link));
        }
        let epoch = store.epoch();
        let catalog = edit.finish(Revision { epoch, sequence: head });
        let log = recent(&*store, head).await?;
        tracing::info!(epoch, sequence = head, apis = catalog.apis(), "catalog read");
        Ok(Arc::new(Self {
            bundles: Bundles::new(store.clone()),
            store,
            catalog: watch::Sender::new(Arc::new(catalog)),
            log: Mutex::new(log),
            unsaid: AtomicBool::new(false),
            nodes: Arc::new(Nodes::default()),
            peers: Arc::new(Peers::default()),
        }))
    }

    /// The newest catalog.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.borrow().clone()
    }

    /// Wakes when there is a newer catalog.
    pub fn watch(&self) -> watch::Receiver<Arc<Catalog>> {
        self.catalog.subscribe()
    }

    /// What changed lately.
    pub fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the store until `stop` is true. A store that fails is asked again; nodes serve on.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut hints = self.store.watch();
        let mut failing = false;
        loop {
            let began = Instant::now();
            match self.catch_up().await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::error!(%error, "the log of changes cannot be read; nodes serve what they have");
                    }
                }
            }
            // The first change of a burst goes out at once, the rest of it together.
            let spacing = tokio::time::sleep_until(began + if failing { POLL } else { SPACING });
            tokio::select! {
                () = spacing => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            tokio::select! {
                hint = tokio::time::timeout(POLL, hints.changed()) => match hint {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return,
                    // Nothing happens: a good moment to say what was not worth waking everyone for.
                    Err(_) => self.say(),
                },
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Tells sessions of revisions they were not woken for.
    fn say(&self) {
        self.catalog.send_if_modified(|_| self.unsaid.swap(false, Ordering::Relaxed));
    }

    /// Takes in what the log has beyond the catalog.
    async fn catch_up(&self) -> Result<(), StoreError> {
        loop {
            let catalog = self.catalog();
            let from = catalog.revision().sequence;
            let changes = self.store.changes(from, PAGE).await?;
            let Some(last) = changes.last().map(|logged| logged.rev) else { return Ok(()) };
            let touched: BTreeSet<Touched> = changes.iter().filter_map(Touched::by).collect();
            let mut edit = catalog.edit();
            for touched in &touched {
                match touched {
                    Touched::Api(id) => {
                        let api = objects::read(&*self.store, id).await?;
                        edit.set(id.as_str(), api);
                    }
                    Touched::Domain(name) => {
                        let domain = objects::domain(&*self.store, name).await?;
                        edit.set_shared(&keys::domain(name.as_str()), domain);
                    }
                    Touched::VpcLink(key) => {
                        let link = objects::vpc_link(&*self.store, key).await?;
                        edit.set_shared(key, link);
                    }
                }
            }
            let keys = edit.take_changed();
            let catalog = edit.finish(Revision { epoch: self.store.epoch(), sequence: last });
            // Thousands of sessions need not wake for each step of somebody's draft.
            let wake = !keys.is_empty();
            self.unsaid.store(!wake, Ordering::Relaxed);
            // First the log: a session that sees the catalog must find in it what led there.
            self.log().extend(last, keys);
            self.catalog.send_if_modified(|held| {
                *held = Arc::new(catalog);
                wake
            });
        }
    }
}

/// Whose objects a change may have changed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    Api(ApiId),
    /// A public domain.
    Domain(HostName),
    /// A VPC link, by its key.
    VpcLink(String),
}

impl Touched {
    fn by(logged: &Logged) -> Option<Self> {
        let key = &logged.change.key;
        match logged.change.kind {
            ChangeKind::Api | ChangeKind::Stage => {
                let id = key.strip_prefix("api/")?.split('/').next()?;
                ApiId::parse(id).ok().map(Self::Api)
            }
            ChangeKind::Domain => {
                HostName::parse(key.strip_prefix(keys::DOMAINS)?).ok().map(Self::Domain)
            }
            ChangeKind::VpcLink => Some(Self::VpcLink(key.clone())),
            _ => None,
        }
    }
}

/// The part of the store's log that sessions may resume in.
async fn recent(store: &dyn Store, head: Rev) -> Result<Log, StoreError> {
    let floor = head.saturating_sub(RESUME);
    let mut log = Log::new(floor);
    let mut from = floor;
    while from < head {
        let changes = store.changes(from, PAGE).await?;
        let Some(last) = changes.last().map(|logged| logged.rev) else { break };
        for logged in changes.iter().filter(|logged| logged.rev <= head) {
            let key = match Touched::by(logged) {
                // The API's key stands for all of it; which binding came or went is not worth telling apart here.
                Some(Touched::Api(id)) => match logged.change.key.split('/').nth(3) {
                    Some(stage) => format!("binding/{id}/{stage}"),
                    None => format!("api/{id}"),
                },
                Some(Touched::Domain(name)) => keys::domain(name.as_str()),
                Some(Touched::VpcLink(key)) => key,
                None => continue,
            };
            log.extend(logged.rev, [key]);
        }
        from = last;
    }
    Ok(log)
}

/// Least time between two catalogs: what a change may wait for others to go with it.
const SPACING: Duration = Duration::from_millis(5);

/// How long a lost hint may delay a change.
const POLL: Duration = Duration::from_millis(250);

/// Changes read at a time.
const PAGE: usize = 4_096;

/// How far back sessions may resume after a restart. A node that missed more has its digests compared, which costs 4 KB.
const RESUME: u64 = 20_000;

#[cfg(test)]
mod tests;
