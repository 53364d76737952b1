//! Questions to one node, over its second stream.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_proto::v1::{self, peer_reply, peer_request};
use tokio::sync::{mpsc, oneshot};

/// The nodes that can be asked.
#[derive(Default)]
pub struct Peers {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    seats: BTreeMap<String, (u64, mpsc::Sender<v1::PeerRequest>)>,
    asked: HashMap<u64, Asked>,
    next: u64,
}

struct Asked {
    seat: u64,
    answer: oneshot::Sender<peer_reply::Kind>,
}

/// Why a node gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// Not connected, or not with its second stream.
    #[error("node '{0}' is not connected")]
    NotConnected(String),
    /// It has more questions than it answers.
    #[error("node '{0}' is busy")]
    Busy(String),
    /// Nothing came in time.
    #[error("node '{0}' did not answer in time")]
    Timeout(String),
    /// It can't; says why.
    #[error("node refused: {0}")]
    Refused(String),
}

impl Peers {
    /// Seats a node's second stream; a newer one takes the place of an older.
    pub fn connect(self: &Arc<Self>, node: &str) -> (PeerSeat, mpsc::Receiver<v1::PeerRequest>) {
        let (sender, requests) = mpsc::channel(QUEUE);
        let mut inner = self.lock();
        inner.next += 1;
        let seat = inner.next;
        inner.seats.insert(node.to_owned(), (seat, sender.clone()));
        (PeerSeat { peers: self.clone(), node: node.to_owned(), seat, sender }, requests)
    }

    /// Has a node explain a request with the objects it holds.
    pub async fn explain(
        &self,
        node: &str,
        request: v1::HttpRequest,
    ) -> Result<v1::Explained, PeerError> {
        let ask = peer_request::Kind::Explain(v1::ExplainOnNode { request: Some(request) });
        match self.ask(node, ask).await? {
            peer_reply::Kind::Explained(explained) => Ok(explained),
            peer_reply::Kind::Refused(reason) => Err(PeerError::Refused(reason)),
            _ => Err(PeerError::Refused("it answered something else".to_owned())),
        }
    }

    async fn ask(
        &self,
        node: &str,
        kind: peer_request::Kind,
    ) -> Result<peer_reply::Kind, PeerError> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut inner = self.lock();
            inner.next += 1;
            let id = inner.next;
            let held =
                inner.seats.get(node).ok_or_else(|| PeerError::NotConnected(node.to_owned()))?;
            let (seat, sender) = (held.0, held.1.clone());
            sender
                .try_send(v1::PeerRequest { id, kind: Some(kind) })
                .map_err(|_| PeerError::Busy(node.to_owned()))?;
            inner.asked.insert(id, Asked { seat, answer });
            id
        };
        let got = tokio::time::timeout(PATIENCE, answered).await;
        self.lock().asked.remove(&id);
        match got {
            Ok(Ok(kind)) => Ok(kind),
            // Its stream ended.
            Ok(Err(_)) => Err(PeerError::NotConnected(node.to_owned())),
            Err(_) => Err(PeerError::Timeout(node.to_owned())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A node's second stream. Dropping it fails the questions that are open.
pub struct PeerSeat {
    peers: Arc<Peers>,
    node: String,
    seat: u64,
    sender: mpsc::Sender<v1::PeerRequest>,
}

impl PeerSeat {
    /// Takes what the node says.
    pub fn receive(&self, reply: v1::PeerReply) {
        match reply.kind {
            Some(peer_reply::Kind::Lease(ask)) => {
                // Strict quotas are not shared yet: nothing is granted, and a node decides as its plan says.
                let none = v1::LeaseGrant {
                    plan_id: ask.plan_id,
                    key_hash: ask.key_hash,
                    units: 0,
                    ttl_ms: 0,
                };
                let refused =
                    v1::PeerRequest { id: reply.id, kind: Some(peer_request::Kind::Lease(none)) };
                // A node that does not read asks again.
                let _ = self.sender.try_send(refused);
            }
            Some(kind) => {
                let mut inner = self.peers.lock();
                // Only the node that was asked may answer.
                if inner.asked.get(&reply.id).is_some_and(|asked| asked.seat == self.seat)
                    && let Some(asked) = inner.asked.remove(&reply.id)
                {
                    let _ = asked.answer.send(kind);
                }
            }
            None => {}
        }
    }
}

impl Drop for PeerSeat {
    fn drop(&mut self) {
        let mut inner = self.peers.lock();
        if inner.seats.get(&self.node).is_some_and(|(seat, _)| *seat == self.seat) {
            inner.seats.remove(&self.node);
        }
        inner.asked.retain(|_, asked| asked.seat != self.seat);
    }
}

/// Questions to one node that may wait.
const QUEUE: usize = 16;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
