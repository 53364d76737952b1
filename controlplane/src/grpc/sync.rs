//! The two streams of a node: objects, and questions to it. Thin: [`Session`] decides, this reads and writes.

use std::sync::Arc;
use std::time::Duration;

use tidegate_proto::v1::{self, control_message::Kind as Down, node_message::Kind as Up};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::model::ContentHash;
use crate::publish::{Catalog, Publisher, Seat, Session, Violation};
use crate::store::StoreError;

/// The service of [`v1::sync_server::Sync`].
pub struct SyncService {
    publisher: Arc<Publisher>,
    stopped: watch::Receiver<bool>,
    room: Arc<Semaphore>,
}

type Messages = mpsc::Sender<Result<v1::ControlMessage, Status>>;

impl SyncService {
    /// Streams of this publisher, until `stopped` turns true.
    pub fn new(publisher: Arc<Publisher>, stopped: watch::Receiver<bool>) -> Self {
        Self { publisher, stopped, room: Arc::new(Semaphore::new(MAX_STREAMS)) }
    }

    fn admit(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.room
            .clone()
            .try_acquire_owned()
            .map_err(|_| Status::resource_exhausted("too many nodes; try another control plane"))
    }
}

#[tonic::async_trait]
impl v1::sync_server::Sync for SyncService {
    type ObjectsStream = ReceiverStream<Result<v1::ControlMessage, Status>>;

    async fn objects(
        &self,
        request: Request<Streaming<v1::NodeMessage>>,
    ) -> Result<Response<Self::ObjectsStream>, Status> {
        let permit = self.admit()?;
        let (out, messages) = mpsc::channel(OUT);
        let (publisher, mut stopped) = (self.publisher.clone(), self.stopped.clone());
        tokio::spawn(async move {
            let stream =
                Objects { publisher: &publisher, inbound: request.into_inner(), out: &out };
            let ended = tokio::select! {
                ended = stream.run() => ended,
                _ = stopped.wait_for(|stop| *stop) => Err(stopping()),
                () = out.closed() => Ok(()),
            };
            if let Err(status) = ended {
                tracing::debug!(%status, "object stream ended");
                // A node that does not read learns it from the end of the stream.
                let _ = out.try_send(Err(status));
            }
            drop(permit);
        });
        Ok(Response::new(ReceiverStream::new(messages)))
    }

    type PeerStream = ReceiverStream<Result<v1::PeerRequest, Status>>;

    async fn peer(
        &self,
        request: Request<Streaming<v1::PeerReply>>,
    ) -> Result<Response<Self::PeerStream>, Status> {
        let permit = self.admit()?;
        let (out, messages) = mpsc::channel(OUT);
        let (publisher, mut stopped) = (self.publisher.clone(), self.stopped.clone());
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = peer(&publisher, request.into_inner(), &out) => ended,
                _ = stopped.wait_for(|stop| *stop) => Err(stopping()),
                () = out.closed() => Ok(()),
            };
            if let Err(status) = ended {
                tracing::debug!(%status, "peer stream ended");
                let _ = out.try_send(Err(status));
            }
            drop(permit);
        });
        Ok(Response::new(ReceiverStream::new(messages)))
    }
}

async fn peer(
    publisher: &Publisher,
    mut inbound: Streaming<v1::PeerReply>,
    out: &mpsc::Sender<Result<v1::PeerRequest, Status>>,
) -> Result<(), Status> {
    let first = tokio::time::timeout(GREETING, inbound.message()).await.map_err(|_| late())??;
    let Some(v1::PeerReply { kind: Some(v1::peer_reply::Kind::Hello(hello)), .. }) = first else {
        return Err(refuse(&Violation::Hello));
    };
    let (seat, mut requests) = publisher.peers.connect(&hello.node_id);
    loop {
        tokio::select! {
            reply = inbound.message() => match reply? {
                Some(reply) => seat.receive(reply),
                None => return Ok(()),
            },
            request = requests.recv() => match request {
                Some(request) => send(out, request).await?,
                None => return Err(Status::aborted("another connection of this node took its place")),
            },
        }
    }
}

/// One node's stream of objects.
struct Objects<'s> {
    publisher: &'s Publisher,
    inbound: Streaming<v1::NodeMessage>,
    out: &'s Messages,
}

impl Objects<'_> {
    async fn run(mut self) -> Result<(), Status> {
        let first =
            tokio::time::timeout(GREETING, self.inbound.message()).await.map_err(|_| late())??;
        let Some(v1::NodeMessage { kind: Some(Up::Hello(hello)) }) = first else {
            return Err(refuse(&Violation::Hello));
        };
        let mut catalogs = self.publisher.watch();
        let catalog = catalogs.borrow_and_update().clone();
        let begun = Session::begin(&hello, &catalog, &self.publisher.log());
        let mut session = begun.map_err(|violation| {
            tracing::warn!(node = hello.node_id, %violation, "node turned away");
            refuse(&violation)
        })?;
        let mut seat = self.publisher.nodes.connect(&hello);
        let kicked = seat.kicked();
        tokio::pin!(kicked);
        self.send(Down::Welcome(Session::welcome(&catalog))).await?;
        let mut idle = false;
        loop {
            let catalog = catalogs.borrow_and_update().clone();
            loop {
                let message = session.next(&catalog, &self.publisher.log(), idle);
                match message {
                    Some(message) => self.send(message).await?,
                    None => break,
                }
            }
            idle = false;
            tokio::select! {
                message = self.inbound.message() => match message? {
                    Some(message) => self.receive(message, &mut session, &seat, &catalog).await?,
                    None => return Ok(()),
                },
                changed = catalogs.changed() => changed.map_err(|_| stopping())?,
                () = tokio::time::sleep(IDLE), if session.is_behind(&catalog) => idle = true,
                () = &mut kicked => return Err(Status::aborted("another connection of this node took its place")),
            }
        }
    }

    async fn receive(
        &self,
        message: v1::NodeMessage,
        session: &mut Session,
        seat: &Seat,
        catalog: &Arc<Catalog>,
    ) -> Result<(), Status> {
        match message.kind {
            Some(Up::Ack(ack)) => {
                session.acknowledge().map_err(|violation| refuse(&violation))?;
                seat.acknowledged(ack);
            }
            Some(Up::Digests(digests)) => {
                seat.seen();
                session.digests(&digests, catalog).map_err(|violation| refuse(&violation))?;
            }
            Some(Up::Fetch(fetch)) => {
                seat.seen();
                self.fetch(&fetch, session, catalog).await?;
            }
            Some(Up::Hello(_)) => return Err(refuse(&Violation::Hello)),
            // Something newer than this control plane.
            None => seat.seen(),
        }
        Ok(())
    }

    /// Sends the bundles a node asks for, of APIs it may have. The bytes are shared by all streams.
    async fn fetch(
        &self,
        fetch: &v1::Fetch,
        session: &Session,
        catalog: &Catalog,
    ) -> Result<(), Status> {
        let mut missing = Vec::new();
        for id in &fetch.bundles {
            let bundle = match <[u8; 32]>::try_from(id.as_slice()) {
                Ok(hash) => {
                    self.publisher.bundles.get(ContentHash(hash)).await.map_err(unavailable)?
                }
                Err(_) => None,
            };
            let Some(bundle) = bundle.filter(|bundle| session.may_have(&bundle.api_id, catalog))
            else {
                missing.push(id.clone());
                continue;
            };
            let total = bundle.bytes.len();
            for offset in (0..total).step_by(CHUNK) {
                let data = bundle.bytes.slice(offset..total.min(offset + CHUNK));
                let chunk = v1::Chunk {
                    bundle: id.clone(),
                    offset: offset as u64,
                    total: total as u64,
                    data,
                };
                self.send(Down::Chunk(chunk)).await?;
            }
        }
        if !missing.is_empty() {
            self.send(Down::Missing(v1::Missing { bundles: missing })).await?;
        }
        Ok(())
    }

    async fn send(&self, kind: Down) -> Result<(), Status> {
        send(self.out, v1::ControlMessage { kind: Some(kind) }).await
    }
}

async fn send<T>(out: &mpsc::Sender<Result<T, Status>>, message: T) -> Result<(), Status> {
    let sent = out.send_timeout(Ok(message), PATIENCE).await;
    sent.map_err(|_| Status::deadline_exceeded("the node does not read"))
}

fn refuse(violation: &Violation) -> Status {
    match violation {
        Violation::Ahead { .. } | Violation::Dialect => {
            Status::failed_precondition(violation.to_string())
        }
        _ => Status::invalid_argument(violation.to_string()),
    }
}

fn unavailable(error: StoreError) -> Status {
    tracing::error!(%error, "a bundle cannot be read");
    Status::unavailable("the store cannot be read now")
}

fn stopping() -> Status {
    Status::unavailable("the control plane is stopping")
}

fn late() -> Status {
    Status::deadline_exceeded("the node did not greet")
}

/// Streams at once: two per node.
const MAX_STREAMS: usize = 20_000;

/// Messages that wait in a stream. With chunks of 1 MiB this is what a slow node costs.
const OUT: usize = 4;

/// Bytes of a chunk.
const CHUNK: usize = 1 << 20;

/// How long a node may take to greet.
const GREETING: Duration = Duration::from_secs(10);

/// How long a node may leave a message unread.
const PATIENCE: Duration = Duration::from_secs(30);

/// After this a node is told of revisions that change nothing for it: drafts, and APIs placed elsewhere.
const IDLE: Duration = Duration::from_millis(500);
