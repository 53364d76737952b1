//! Connections of the admin API: limits, time-outs and drain.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Peer, Rest, RestError};

/// What a connection may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once; more wait in the listener's backlog.
    pub connections: usize,
    /// Time for a request's head, from its first byte or from the end of the one before.
    pub head: Duration,
    /// Time for a whole body.
    pub body: Duration,
    /// Time between two pieces of a body.
    pub pause: Duration,
    /// Bytes of a body. Above the importer's own 6 MB, so that it can say so itself.
    pub body_bytes: u64,
    /// Time for open connections to finish when we stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            head: Duration::from_secs(30),
            body: Duration::from_secs(60),
            pause: Duration::from_secs(10),
            body_bytes: 10 << 20,
            drain: Duration::from_secs(10),
        }
    }
}

/// A bound admin listener.
pub struct Server {
    listener: TcpListener,
    rest: Arc<Rest>,
    limits: Limits,
}

impl Server {
    /// Binds; port 0 picks a free one.
    pub async fn bind(
        address: SocketAddr,
        rest: Arc<Rest>,
        limits: Limits,
    ) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, rest, limits })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is true, then lets open requests finish.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(self.limits.connections));
        let mut connections = JoinSet::new();
        loop {
            let slot = tokio::select! {
                () = stopped(&mut stop) => break,
                slot = slots.clone().acquire_owned() => slot,
            };
            let accepted = tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let serving = serve(
                        stream,
                        Peer(peer.ip()),
                        self.rest.clone(),
                        self.limits.clone(),
                        stop.clone(),
                    );
                    connections.spawn(async move {
                        Box::pin(serving).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    // Out of descriptors, mostly: give the others time to end.
                    tracing::warn!(%error, "admin connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
        drop(self.listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if timeout(self.limits.drain, drained).await.is_err() {
            tracing::warn!("admin connections cut off at the end of the drain");
        }
    }
}

async fn serve(
    stream: TcpStream,
    peer: Peer,
    rest: Arc<Rest>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small and wanted at once; failing to say so costs only time.
    let _ = stream.set_nodelay(true);
    let head = limits.head;
    let service = service_fn(move |request| {
        let (rest, limits) = (rest.clone(), limits.clone());
        async move {
            Ok::<_, Infallible>(match read(request, &limits).await {
                Ok(mut request) => {
                    request.extensions_mut().insert(peer);
                    rest.answer(request).await
                }
                Err(error) => {
                    let mut response = rest.refuse(error);
                    // The rest of the body is still on its way.
                    response
                        .headers_mut()
                        .insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
                    response
                }
            })
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "admin connection ended");
    }
}

/// Returns when `stop` is true, or when nobody is left to say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The request with its whole body.
async fn read(request: Request<Incoming>, limits: &Limits) -> Result<Request<Bytes>, RestError> {
    let (head, mut body) = request.into_parts();
    let announced = hyper::body::Body::size_hint(&body).lower();
    if announced > limits.body_bytes {
        return Err(RestError::TooLarge(limits.body_bytes));
    }
    let mut bytes = BytesMut::new();
    let deadline = Instant::now() + limits.body;
    loop {
        let pause = (Instant::now() + limits.pause).min(deadline);
        let frame = timeout_at(pause, body.frame()).await.map_err(|_| RestError::TooSlow)?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| {
            RestError::Serialization("The request body could not be read".to_owned())
        })?;
        if let Some(data) = frame.data_ref() {
            if (bytes.len() + data.len()) as u64 > limits.body_bytes {
                return Err(RestError::TooLarge(limits.body_bytes));
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(Request::from_parts(head, bytes.freeze()))
}
