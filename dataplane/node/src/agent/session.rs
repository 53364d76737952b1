//! One connection to the control plane: greets, applies deltas in order, fetches bundles, acknowledges.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tidegate_engine::snapshot::{BundleId, ShardDigest};
use tidegate_proto::v1::{self, control_message::Kind as Down, node_message::Kind as Up};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;

use super::fetch::{BadChunk, Fetch};
use super::{Shared, peer};
use crate::builder::thread::{Build, Stuck};
use crate::builder::{Backwards, BadShard, Batch, Outcome, wire};

/// Why a session ended. None of these stops the node.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("cannot connect")]
    Connect(#[source] tonic::transport::Error),
    #[error("the control plane refused or broke off: {}", .0.message())]
    Status(#[source] Box<tonic::Status>),
    #[error("the control plane closed the stream")]
    Closed,
    #[error("the control plane did not greet within {0:?}")]
    Silent(Duration),
    #[error("the control plane sent {0}")]
    Chunk(#[from] BadChunk),
    #[error("the control plane sent what makes no sense: {0}")]
    Nonsense(&'static str),
    #[error(transparent)]
    Shard(#[from] BadShard),
    #[error(transparent)]
    Backwards(#[from] Backwards),
    #[error(transparent)]
    Stuck(#[from] Stuck),
    #[error("the build thread is gone")]
    BuildGone,
    #[error("the control plane does not read what this node sends")]
    Unread,
}

impl From<tonic::Status> for Ended {
    fn from(status: tonic::Status) -> Self {
        Self::Status(Box::new(status))
    }
}

/// Runs one session until it ends. Counts the deltas applied in `applied`.
pub(super) async fn run(
    shared: &Arc<Shared>,
    build: &Build,
    endpoint: &Endpoint,
    applied: &mut u64,
) -> Ended {
    let channel = match endpoint.connect().await {
        Ok(channel) => channel,
        Err(cause) => return Ended::Connect(cause),
    };
    let client = v1::sync_client::SyncClient::new(channel).max_decoding_message_size(MAX_MESSAGE);
    let (out, messages) = mpsc::channel(OUT);
    let mut session = Session {
        shared,
        build,
        out,
        queue: VecDeque::new(),
        fetch: None,
        missing: BTreeSet::new(),
        building: None,
        digesting: None,
        applied,
    };
    let hello = hello(shared, build);
    let objects = session.objects(client.clone(), hello.clone(), messages);
    // The second stream is a convenience: when it ends the objects go on.
    tokio::select! {
        ended = objects => ended,
        never = peer::run(shared, client, hello) => match never {},
    }
}

fn hello(shared: &Shared, build: &Build) -> v1::Hello {
    let state = build.state();
    let have = state.revision.map(|held| {
        let held = wire(held);
        v1::Revision { sequence: if state.repair { 0 } else { held.sequence }, ..held }
    });
    let labels = shared.config.labels.iter().cloned().collect::<std::collections::BTreeMap<_, _>>();
    v1::Hello {
        node_id: shared.node_id.clone(),
        labels: labels.into_iter().map(|(name, value)| v1::Pair { name, value }).collect(),
        have,
        dialects: vec![tidegate_proto::DIALECT],
        version: env!("CARGO_PKG_VERSION").to_owned(),
        listeners: shared.config.listeners.clone(),
    }
}

struct Session<'s> {
    shared: &'s Arc<Shared>,
    build: &'s Build,
    out: mpsc::Sender<v1::NodeMessage>,
    /// Deltas that wait for the one before.
    queue: VecDeque<v1::Delta>,
    /// Bundles the first of the queue waits for.
    fetch: Option<Fetch>,
    /// Bundles the control plane said it does not have.
    missing: BTreeSet<BundleId>,
    /// The batch with the build thread; kept to be tried again should a bundle turn out to be lost.
    building: Option<(Batch, oneshot::Receiver<Result<Outcome, Backwards>>)>,
    digesting: Option<oneshot::Receiver<Vec<ShardDigest>>>,
    applied: &'s mut u64,
}

impl Session<'_> {
    async fn objects(
        &mut self,
        mut client: v1::sync_client::SyncClient<tonic::transport::Channel>,
        hello: v1::Hello,
        messages: mpsc::Receiver<v1::NodeMessage>,
    ) -> Ended {
        match self.talk(&mut client, hello, messages).await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn talk(
        &mut self,
        client: &mut v1::sync_client::SyncClient<tonic::transport::Channel>,
        hello: v1::Hello,
        messages: mpsc::Receiver<v1::NodeMessage>,
    ) -> Result<std::convert::Infallible, Ended> {
        self.send(Up::Hello(hello))?;
        let greeting = async {
            let mut inbound = client.objects(ReceiverStream::new(messages)).await?.into_inner();
            match inbound.message().await?.and_then(|message| message.kind) {
                Some(Down::Welcome(welcome)) => Ok((inbound, welcome)),
                Some(_) => Err(Ended::Nonsense("something before its greeting")),
                None => Err(Ended::Closed),
            }
        };
        let greeted = tokio::time::timeout(GREETING, greeting).await;
        let (mut inbound, welcome) = greeted.map_err(|_| Ended::Silent(GREETING))??;
        self.shared.link.connected();
        tracing::info!(version = %welcome.version, "control plane connected");
        loop {
            tokio::select! {
                message = inbound.message() => match message? {
                    Some(message) => self.receive(message.kind)?,
                    None => return Err(Ended::Closed),
                },
                outcome = answer(self.building.as_mut().map(|(_, answer)| answer)) => {
                    self.built(outcome.map_err(|_| Ended::BuildGone)?)?;
                }
                digests = answer(self.digesting.as_mut()) => {
                    self.digesting = None;
                    let shards = digests.map_err(|_| Ended::BuildGone)?;
                    let shards = shards.iter().map(|digest| digest.to_vec()).collect();
                    self.send(Up::Digests(v1::Digests { shards }))?;
                }
            }
        }
    }

    fn receive(&mut self, message: Option<Down>) -> Result<(), Ended> {
        match message {
            Some(Down::Delta(delta)) => {
                if self.queue.len() >= QUEUE {
                    return Err(Ended::Nonsense(
                        "more deltas than it may before they are acknowledged",
                    ));
                }
                self.queue.push_back(delta);
                self.advance()
            }
            Some(Down::Chunk(chunk)) => {
                let fetch = self.fetch.as_mut().ok_or(BadChunk::Unasked)?;
                if let Some((id, bytes)) = fetch.chunk(&chunk)? {
                    self.shared.bundles.put(id, bytes);
                }
                self.fetched()
            }
            Some(Down::Missing(missing)) => {
                let ids = missing.bundles.iter().filter_map(|id| BundleId::from_slice(id));
                self.missing.extend(ids);
                if let Some(fetch) = &mut self.fetch {
                    fetch.missing(&missing);
                }
                self.fetched()
            }
            Some(Down::AskDigests(_)) => {
                if self.digesting.is_none() {
                    self.digesting = Some(self.build.digests()?);
                }
                Ok(())
            }
            Some(Down::Welcome(_)) => Err(Ended::Nonsense("a second greeting")),
            // Something newer than this node: it goes on with what it knows.
            None => Ok(()),
        }
    }

    fn fetched(&mut self) -> Result<(), Ended> {
        if self.fetch.as_ref().is_some_and(Fetch::is_done) {
            self.fetch = None;
        }
        self.advance()
    }

    /// Does the next thing for the first delta of the queue: fetch what it lacks, or build it.
    fn advance(&mut self) -> Result<(), Ended> {
        if self.fetch.is_some() || self.building.is_some() {
            return Ok(());
        }
        let Some(delta) = self.queue.front() else { return Ok(()) };
        let lacking: Vec<BundleId> = bundles(&delta.upserts)
            .into_iter()
            .filter(|id| !self.missing.contains(id) && !self.shared.bundles.has(*id))
            .take(FETCH)
            .collect();
        if !lacking.is_empty() {
            return self.ask_for(lacking);
        }
        let Some(delta) = self.queue.pop_front() else { return Ok(()) };
        self.give(Batch::try_from(delta)?)
    }

    fn ask_for(&mut self, ids: Vec<BundleId>) -> Result<(), Ended> {
        self.send(Up::Fetch(v1::Fetch { bundles: ids.iter().map(|id| id.0.to_vec()).collect() }))?;
        self.fetch = Some(Fetch::new(ids));
        Ok(())
    }

    fn give(&mut self, batch: Batch) -> Result<(), Ended> {
        let answer = self.build.apply(batch.clone())?;
        self.building = Some((batch, answer));
        Ok(())
    }

    fn built(&mut self, outcome: Result<Outcome, Backwards>) -> Result<(), Ended> {
        let Some((batch, _)) = self.building.take() else { return Ok(()) };
        let outcome = outcome.inspect_err(|cause| {
            tracing::error!(%cause, "this control plane is behind what the node serves; was its store restored without a new epoch?");
        })?;
        *self.applied += 1;
        // A bundle that was thought to be on disk was not: the same delta once more, after fetching it.
        if outcome.lacking.iter().any(|id| !self.missing.contains(id)) && !batch.upserts.is_empty()
        {
            let ids: Vec<_> = outcome
                .lacking
                .iter()
                .copied()
                .filter(|id| !self.missing.contains(id))
                .take(FETCH)
                .collect();
            self.queue.push_front(v1::Delta {
                to: Some(wire(batch.to)),
                upserts: batch.upserts,
                more: batch.more,
                ..v1::Delta::default()
            });
            return self.ask_for(ids);
        }
        self.missing.clear();
        let refusals = outcome
            .refusals
            .into_iter()
            .map(|held| v1::Refusal { key: held.key, reason: held.reason });
        self.send(Up::Ack(v1::Ack {
            revision: Some(wire(outcome.revision)),
            refusals: refusals.collect(),
        }))?;
        self.advance()
    }

    /// Never waits: a control plane that reads has room for what one session may owe.
    fn send(&self, kind: Up) -> Result<(), Ended> {
        self.out.try_send(v1::NodeMessage { kind: Some(kind) }).map_err(|_| Ended::Unread)
    }
}

/// The bundles that bindings among the objects name.
fn bundles(objects: &[v1::Object]) -> BTreeSet<BundleId> {
    let bindings = objects.iter().filter_map(|object| match &object.kind {
        Some(v1::object::Kind::Binding(binding)) => Some(binding),
        _ => None,
    });
    bindings
        .flat_map(|binding| {
            std::iter::once(&binding.bundle).chain(binding.canary.as_ref().map(|c| &c.bundle))
        })
        .filter_map(|id| BundleId::from_slice(id))
        .collect()
}

/// Waits for an answer if one is awaited, else for ever.
async fn answer<T>(
    awaited: Option<&mut oneshot::Receiver<T>>,
) -> Result<T, oneshot::error::RecvError> {
    match awaited {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}

/// Bytes of the largest message: a delta with one crowded shard.
const MAX_MESSAGE: usize = 32 << 20;

/// Messages to the control plane that may wait.
const OUT: usize = 64;

/// Deltas that may wait; the control plane has fewer under way.
const QUEUE: usize = 64;

/// Bundles asked for at a time.
const FETCH: usize = 256;

/// How long a control plane may take to greet.
const GREETING: Duration = Duration::from_secs(10);
