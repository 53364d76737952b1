//! The Lambda Runtime API, as one process of a function sees it. Each process has a listener of its own, so that it meets its own
//! invocations only.
//!
//! Sources: Lambda developer guide, "Using the Lambda runtime API for custom runtimes"; AWS's runtime interface emulator for the
//! answers to what runtimes do wrong.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request as HttpRequest, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::FunctionError;
use crate::invocation::{BodyError, Request, collect, forget};
use crate::listener;
use crate::log::Voice;

/// What a process is doing, as its calls tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It has not asked for anything yet.
    Starting,
    /// It said that it cannot start.
    Failed(FunctionError),
    /// It waits for an invocation.
    Waiting,
    /// It has one, or has not come back for the next.
    Busy,
}

/// An invocation on its way to the process.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) request: Arc<Request>,
    pub(crate) timeout: Duration,
    /// Told when the process has it.
    pub(crate) taken: oneshot::Sender<()>,
    pub(crate) reply: mpsc::Sender<Reply>,
}

/// What a process says to an invocation. If nothing more can come, the sender is gone.
#[derive(Debug)]
pub(crate) enum Reply {
    Chunk(Bytes),
    End(Result<(), FunctionError>),
}

/// The host's side of a process's calls.
#[derive(Debug)]
pub(crate) struct Session {
    invocations: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    current: Mutex<Option<Current>>,
    phase: watch::Sender<Phase>,
    voice: Arc<Voice>,
}

/// The invocation that the process has not answered yet.
#[derive(Debug)]
struct Current {
    id: String,
    reply: mpsc::Sender<Reply>,
}

impl Session {
    /// A session, and where it takes invocations from.
    pub(crate) fn new(voice: Arc<Voice>) -> (Arc<Self>, mpsc::Sender<Invocation>) {
        // A process has one invocation at a time.
        let (send, invocations) = mpsc::channel(1);
        let session = Self {
            invocations: tokio::sync::Mutex::new(invocations),
            current: Mutex::default(),
            phase: watch::Sender::new(Phase::Starting),
            voice,
        };
        (Arc::new(session), send)
    }

    pub(crate) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Listens on loopback until the task is aborted.
    pub(crate) async fn serve(
        self: Arc<Self>,
    ) -> std::io::Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(self);
        Ok((address, tokio::spawn(async { match listener::serve(listener, router).await {} })))
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the invocation of this id out: it can be answered once.
    fn answer(&self, id: &str) -> Option<mpsc::Sender<Reply>> {
        let mut current = self.current();
        match &*current {
            Some(held) if held.id == id => current.take().map(|held| held.reply),
            _ => {
                drop(current);
                tracing::warn!(
                    "function {}: an answer to '{}' is ignored: no such invocation is open",
                    self.voice.function(),
                    printable(id)
                );
                None
            }
        }
    }
}

/// While it lives the process waits.
struct Waiting<'a>(&'a watch::Sender<Phase>);

impl<'a> Waiting<'a> {
    fn new(phase: &'a watch::Sender<Phase>) -> Self {
        phase.send_replace(Phase::Waiting);
        Self(phase)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_replace(Phase::Busy);
    }
}

async fn next(State(session): State<Arc<Session>>) -> Response<Body> {
    if session.current().is_some() {
        return refuse(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "State transition is not allowed",
        );
    }
    let mut invocations = session.invocations.lock().await;
    let waiting = Waiting::new(&session.phase);
    let Some(invocation) = invocations.recv().await else {
        return refuse(
            StatusCode::GONE,
            "Runtime.Shutdown",
            "The function host is done with this process",
        );
    };
    let Invocation { request, timeout, taken, reply } = invocation;
    session.voice.begin(&request.id);
    *session.current() = Some(Current { id: request.id.clone(), reply });
    drop(waiting);
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + timeout;
    let mut response = Response::new(Body::from(request.event.clone()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    if let Ok(id) = HeaderValue::from_str(&request.id) {
        headers.insert("lambda-runtime-aws-request-id", id);
    }
    headers.insert("lambda-runtime-deadline-ms", HeaderValue::from(deadline.as_millis() as u64));
    headers.insert("lambda-runtime-invoked-function-arn", request.arn.clone());
    headers.insert("lambda-runtime-trace-id", request.trace.clone());
    if let Some(context) = &request.client_context {
        headers.insert("lambda-runtime-client-context", context.clone());
    }
    // Nobody listens if the time is over already.
    let _ = taken.send(());
    response
}

async fn response(
    State(session): State<Arc<Session>>,
    Path(id): Path<String>,
    request: HttpRequest<Body>,
) -> Response<Body> {
    let streaming = match request.headers().get("lambda-runtime-function-response-mode") {
        None => false,
        Some(mode) if mode == "streaming" => true,
        Some(_) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                "InvalidFunctionResponseMode",
                "Invalid function response mode",
            );
        }
    };
    let Some(reply) = session.answer(&id) else {
        forget(request.into_body()).await;
        return invalid_id();
    };
    if streaming {
        return stream(request.into_body(), reply).await;
    }
    match collect(request.into_body(), RESPONSE_LIMIT).await {
        Ok(body) => {
            // Whoever asked may be gone.
            let _ = reply.send(Reply::Chunk(body)).await;
            let _ = reply.send(Reply::End(Ok(()))).await;
            accepted()
        }
        Err(BodyError::TooLarge(size)) => {
            let _ = reply.send(Reply::End(Err(response_too_large(size)))).await;
            let text = format!("Exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).");
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &text)
        }
        // The reply is dropped: the process may be dying.
        Err(BodyError::Broken) => truncated(),
    }
}

/// Passes a streamed answer on as it comes. An error after its beginning is in the trailers.
async fn stream(mut body: Body, reply: mpsc::Sender<Reply>) -> Response<Body> {
    let mut error = None;
    let mut size = 0_u64;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return truncated() };
        match frame.into_data() {
            Ok(data) => {
                size += data.len() as u64;
                if size > STREAM_LIMIT {
                    let _ = reply.send(Reply::End(Err(response_too_large(size)))).await;
                    return refuse(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "RequestEntityTooLarge",
                        "Exceeded maximum allowed payload size.",
                    );
                }
                // Reading on when nobody listens: the function is not to notice that its caller left.
                let _ = reply.send(Reply::Chunk(data)).await;
            }
            Err(frame) => {
                error = frame.into_trailers().ok().and_then(|trailers| trailing_error(&trailers));
            }
        }
    }
    let _ = reply.send(Reply::End(error.map_or(Ok(()), Err))).await;
    accepted()
}

fn trailing_error(trailers: &HeaderMap) -> Option<FunctionError> {
    let kind = trailers.get("lambda-runtime-function-error-type")?;
    let body = trailers.get("lambda-runtime-function-error-body").map(HeaderValue::as_bytes);
    let body = BASE64_STANDARD.decode(body.unwrap_or_default()).unwrap_or_default();
    Some(FunctionError::reported(&String::from_utf8_lossy(kind.as_bytes()), body.into()))
}

async fn error(
    State(session): State<Arc<Session>>,
    Path(id): Path<String>,
    request: HttpRequest<Body>,
) -> Response<Body> {
    let Some(reply) = session.answer(&id) else {
        forget(request.into_body()).await;
        return invalid_id();
    };
    match reported(request).await {
        Ok(error) => {
            let _ = reply.send(Reply::End(Err(error))).await;
            accepted()
        }
        Err(response) => response,
    }
}

async fn init_error(
    State(session): State<Arc<Session>>,
    request: HttpRequest<Body>,
) -> Response<Body> {
    if *session.phase.borrow() != Phase::Starting {
        return refuse(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "State transition is not allowed",
        );
    }
    match reported(request).await {
        Ok(error) => {
            session.phase.send_replace(Phase::Failed(error));
            accepted()
        }
        Err(response) => response,
    }
}

async fn reported(request: HttpRequest<Body>) -> Result<FunctionError, Response<Body>> {
    let kind = request.headers().get("lambda-runtime-function-error-type").cloned();
    let kind = kind.as_ref().map(|kind| String::from_utf8_lossy(kind.as_bytes()));
    match collect(request.into_body(), RESPONSE_LIMIT).await {
        Ok(body) => Ok(FunctionError::reported(&kind.unwrap_or_default(), body)),
        Err(BodyError::TooLarge(size)) => Ok(response_too_large(size)),
        Err(BodyError::Broken) => Err(truncated()),
    }
}

pub(crate) fn response_too_large(size: u64) -> FunctionError {
    let text = format!(
        "Response payload size ({size} bytes) exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
    );
    FunctionError::new("Function.ResponseSizeTooLarge", &text)
}

fn accepted() -> Response<Body> {
    say(StatusCode::ACCEPTED, "{\"status\":\"OK\"}".to_owned())
}

fn invalid_id() -> Response<Body> {
    refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

fn truncated() -> Response<Body> {
    refuse(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", "HTTP request detected as truncated")
}

fn refuse(status: StatusCode, kind: &str, message: &str) -> Response<Body> {
    say(status, serde_json::json!({ "errorMessage": message, "errorType": kind }).to_string())
}

fn say(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// A peer's text as it may stand in a log.
pub(crate) fn printable(text: &str) -> String {
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(PRINTED + 1).collect();
    if line.chars().count() > PRINTED {
        line.pop();
        line.push_str("...");
    }
    line
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Characters of a peer's text in the log.
const PRINTED: usize = 300;

/// Most bytes of an answer. Source: AWS's runtime interface emulator, `MaxPayloadSize`: 6 MiB and 100 bytes.
pub(crate) const RESPONSE_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// Most bytes of a streamed answer. Source: Lambda developer guide, "Lambda quotas".
const STREAM_LIMIT: u64 = 200 << 20;
