//! The nodes that are connected or were: what each is, has acknowledged and refuses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tidegate_proto::v1;
use tokio::sync::{oneshot, watch};

/// The registry of nodes.
pub struct Nodes {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    nodes: BTreeMap<String, Known>,
    /// Numbers sessions, so that a late goodbye of an old one does not end a new one.
    sessions: u64,
}

struct Known {
    node: v1::Node,
    /// The connected session and how to end it.
    session: Option<(u64, oneshot::Sender<()>)>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self { inner: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Nodes {
    /// Seats a node. An older session of the same node is ended: it is a connection that died unnoticed, or a copied disk.
    pub fn connect(self: &Arc<Self>, hello: &v1::Hello) -> Seat {
        let (kick, kicked) = oneshot::channel();
        let mut inner = self.lock();
        inner.sessions += 1;
        let session = inner.sessions;
        let known = inner.nodes.remove(&hello.node_id);
        let refusals = known.as_ref().map(|known| known.node.refusals.clone()).unwrap_or_default();
        if known.is_some_and(|known| known.session.is_some()) {
            tracing::warn!(
                node = hello.node_id,
                "node connected again; its older connection is closed"
            );
        }
        let node = v1::Node {
            id: hello.node_id.clone(),
            labels: hello.labels.clone(),
            version: hello.version.clone(),
            revision: hello.have,
            connected: true,
            last_seen_ms: unix_ms(),
            refusals,
            listeners: hello.listeners.clone(),
        };
        if inner.nodes.len() >= MAX_KNOWN {
            inner.forget_one();
        }
        inner.nodes.insert(hello.node_id.clone(), Known { node, session: Some((session, kick)) });
        drop(inner);
        self.tell();
        tracing::info!(node = hello.node_id, version = hello.version, "node connected");
        Seat { nodes: self.clone(), id: hello.node_id.clone(), session, kicked: Some(kicked) }
    }

    /// All nodes, sorted by id.
    pub fn list(&self) -> Vec<v1::Node> {
        self.lock().nodes.values().map(|known| known.node.clone()).collect()
    }

    /// One node.
    pub fn node(&self, id: &str) -> Option<v1::Node> {
        self.lock().nodes.get(id).map(|known| known.node.clone())
    }

    /// How many nodes are connected.
    pub fn connected(&self) -> usize {
        self.lock().nodes.values().filter(|known| known.session.is_some()).count()
    }

    /// Wakes when a node came, went or acknowledged.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn update(&self, id: &str, session: u64, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.lock().nodes.get_mut(id)
            && known.session.as_ref().is_some_and(|(held, _)| *held == session)
        {
            known.node.last_seen_ms = unix_ms();
            change(known);
        }
        self.tell();
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Forgets the node that has been away longest.
    fn forget_one(&mut self) {
        let away = self.nodes.iter().filter(|(_, known)| known.session.is_none());
        if let Some(id) =
            away.min_by_key(|(_, known)| known.node.last_seen_ms).map(|(id, _)| id.clone())
        {
            self.nodes.remove(&id);
        }
    }
}

/// A connected node's place in the registry. Dropping it marks the node as gone.
pub struct Seat {
    nodes: Arc<Nodes>,
    id: String,
    session: u64,
    kicked: Option<oneshot::Receiver<()>>,
}

impl Seat {
    /// Notes what a node says it serves and refuses.
    pub fn acknowledged(&self, ack: v1::Ack) {
        for refusal in &ack.refusals {
            tracing::warn!(
                node = self.id,
                object = refusal.key,
                reason = refusal.reason,
                "node refuses an object"
            );
        }
        self.nodes.update(&self.id, self.session, |known| {
            known.node.revision = ack.revision;
            known.node.refusals = ack.refusals;
        });
    }

    /// Notes that a node said something.
    pub fn seen(&self) {
        self.nodes.update(&self.id, self.session, |_| {});
    }

    /// Resolves when a newer connection of the same node takes the place. To be taken once.
    pub fn kicked(&mut self) -> impl Future<Output = ()> + Send + use<> {
        let kicked = self.kicked.take();
        async move {
            if let Some(kicked) = kicked {
                let _ = kicked.await;
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.nodes.update(&self.id, self.session, |known| {
            known.node.connected = false;
            known.session = None;
            tracing::info!(node = known.node.id, "node disconnected");
        });
    }
}

fn unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Nodes remembered, connected or not.
const MAX_KNOWN: usize = 20_000;
