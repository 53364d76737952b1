//! The Lambda Invoke API, as API Gateway and AWS's SDKs call it.
//!
//! Source: Lambda API Reference, `Invoke`, `InvokeWithResponseStream`. Signatures are not looked at: whoever reaches the listener may
//! invoke.

mod answer;
mod describe;
mod name;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request as HttpRequest, State};
use axum::middleware::Next;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::error::CallError;
use crate::function::Function;
use crate::host::Host;
use crate::invocation::{BodyError, Request, collect, forget};
use crate::listener;
use crate::queue::Queue;
use name::Name;

/// A listener for callers.
#[derive(Debug)]
pub struct InvokeApi {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    host: Arc<Host>,
    queue: Arc<Queue>,
    /// What all events that are being read or served may hold, in KiB.
    memory: Arc<Semaphore>,
    /// Whether the listener is for this machine only.
    local: bool,
}

impl InvokeApi {
    /// Listens at the address; port 0 picks a free one.
    ///
    /// # Errors
    /// If the address cannot be listened at.
    pub async fn bind(host: Arc<Host>, address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Shared {
            host,
            queue: Arc::default(),
            memory: Arc::new(Semaphore::new(MEMORY_KIB)),
            local: address.ip().is_loopback(),
        };
        Ok(Self { listener, address, shared: Arc::new(shared) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The events that wait.
    pub fn queue(&self) -> Arc<Queue> {
        self.shared.queue.clone()
    }

    /// Serves for ever.
    pub async fn serve(self) -> Infallible {
        let router = Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .route("/2021-11-15/functions/{name}/response-streaming-invocations", post(stream))
            .route("/2015-03-31/functions", get(describe::list))
            .route("/2015-03-31/functions/", get(describe::list))
            .route("/2015-03-31/functions/{name}", get(describe::function))
            .route("/2015-03-31/functions/{name}/configuration", get(describe::configuration))
            .route("/_tidegate/health", get(describe::health))
            .fallback(async || answer::refuse(&new_id(), &CallError::NoOperation))
            .layer(axum::middleware::from_fn_with_state(self.shared.clone(), guard))
            .with_state(self.shared);
        listener::serve(self.listener, router).await
    }
}

/// Keeps web pages away: a page can make a browser send requests to loopback, directly or by pointing its own host name there (DNS
/// rebinding). No caller of the Lambda API is a page.
async fn guard(
    State(shared): State<Arc<Shared>>,
    request: HttpRequest,
    next: Next,
) -> Response<Body> {
    let headers = request.headers();
    let page = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if page || (shared.local && !is_local(host)) {
        return answer::refuse(&new_id(), &CallError::Foreign);
    }
    next.run(request).await
}

/// Whether the host name is an address, or a name that the DNS cannot give to somebody else.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let lower = bare.to_ascii_lowercase();
    bare.parse::<std::net::IpAddr>().is_ok()
        || lower == "localhost"
        || lower.ends_with(".localhost")
}

async fn invoke(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    request: HttpRequest,
) -> Response<Body> {
    let id = new_id();
    let answered = async {
        let Call { kind, tail, function, name, request } =
            Call::of(&shared, &name, query.as_deref(), request).await?;
        let limit = if kind == Kind::Event { EVENT_LIMIT } else { REQUEST_LIMIT };
        let (request, _memory) = read(&shared, &id, &name, request, kind.name(), limit).await?;
        match kind {
            Kind::DryRun => Ok(answer::empty(&id, 204)),
            Kind::Event => {
                shared.queue.push(&shared.host, &function, request)?;
                Ok(answer::empty(&id, 202))
            }
            Kind::RequestResponse => {
                let pieces = function.invoke(request).await?;
                Ok(answer::whole(&id, function.declaration(), pieces, tail).await)
            }
        }
    };
    answered.await.unwrap_or_else(|error| answer::refuse(&id, &error))
}

async fn stream(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    request: HttpRequest,
) -> Response<Body> {
    let id = new_id();
    let answered = async {
        let Call { kind, tail, function, name, request } =
            Call::of(&shared, &name, query.as_deref(), request).await?;
        if kind == Kind::Event {
            let rule = "Member must satisfy enum value set: [RequestResponse, DryRun]";
            return Err(CallError::Invalid {
                name: "invocationType",
                value: "Event".to_owned(),
                rule,
            });
        }
        let (request, memory) =
            read(&shared, &id, &name, request, kind.name(), REQUEST_LIMIT).await?;
        if kind == Kind::DryRun {
            return Ok(answer::empty(&id, 204));
        }
        let pieces = function.invoke(request).await?;
        Ok(answer::streamed(&id, pieces, tail, memory))
    };
    answered.await.unwrap_or_else(|error| answer::refuse(&id, &error))
}

/// A call whose head was read; its event was not.
struct Call {
    kind: Kind,
    tail: bool,
    function: Arc<Function>,
    name: Name,
    request: HttpRequest,
}

impl Call {
    async fn of(
        shared: &Shared,
        name: &str,
        query: Option<&str>,
        request: HttpRequest,
    ) -> Result<Self, CallError> {
        let kind = Kind::of(request.headers())?;
        let tail = wants_tail(request.headers())?;
        match find(shared, name, query) {
            Ok((function, name)) => Ok(Self { kind, tail, function, name, request }),
            Err(error) => {
                forget(request.into_body()).await;
                Err(error)
            }
        }
    }
}

/// `X-Amz-Invocation-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    RequestResponse,
    Event,
    DryRun,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Self, CallError> {
        let Some(value) = headers.get("x-amz-invocation-type") else {
            return Ok(Self::RequestResponse);
        };
        match value.as_bytes() {
            b"RequestResponse" => Ok(Self::RequestResponse),
            b"Event" => Ok(Self::Event),
            b"DryRun" => Ok(Self::DryRun),
            other => Err(CallError::Invalid {
                name: "invocationType",
                value: String::from_utf8_lossy(other).into_owned(),
                rule: "Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
            }),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::RequestResponse => "RequestResponse",
            Self::Event => "Event",
            Self::DryRun => "DryRun",
        }
    }
}

/// `X-Amz-Log-Type`.
fn wants_tail(headers: &HeaderMap) -> Result<bool, CallError> {
    match headers.get("x-amz-log-type").map(HeaderValue::as_bytes) {
        None | Some(b"None") => Ok(false),
        Some(b"Tail") => Ok(true),
        Some(other) => Err(CallError::Invalid {
            name: "logType",
            value: String::from_utf8_lossy(other).into_owned(),
            rule: "Member must satisfy enum value set: [None, Tail]",
        }),
    }
}

/// The function that a call names, and how it names it.
fn find(
    shared: &Shared,
    name: &str,
    query: Option<&str>,
) -> Result<(Arc<Function>, Name), CallError> {
    let surroundings = shared.host.surroundings();
    let name = Name::parse(name, query, &surroundings.region, &surroundings.account)?;
    let function = shared.host.function(&name.function);
    let function = function.ok_or_else(|| CallError::NotFound(name.arn.clone()))?;
    Ok((function, name))
}

/// Reads a call's event once there is room for it, and what else the function gets to see.
async fn read(
    shared: &Shared,
    id: &str,
    name: &Name,
    request: HttpRequest,
    kind: &'static str,
    limit: usize,
) -> Result<(Request, OwnedSemaphorePermit), CallError> {
    let (head, body) = request.into_parts();
    let announced = axum::body::HttpBody::size_hint(&body).upper().unwrap_or(limit as u64);
    let kib = u32::try_from(1 + announced.min(limit as u64) / 1024).unwrap_or(u32::MAX);
    let memory = shared.memory.clone().acquire_many_owned(kib).await;
    let memory = memory.map_err(|_| CallError::Busy)?;
    let event = collect(body, limit).await.map_err(|error| match error {
        BodyError::TooLarge(size) => CallError::TooLarge { size, kind, limit },
        BodyError::Broken => CallError::Unreadable,
    })?;
    // What no event is to AWS.
    let event = if event.is_empty() { Bytes::from_static(b"{}") } else { event };
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&event) {
        return Err(CallError::NotJson(error.to_string()));
    }
    let client_context =
        head.headers.get("x-amz-client-context").map(client_context).transpose()?;
    let trace = head.headers.get("x-amzn-trace-id").cloned().unwrap_or_else(|| new_trace(id));
    let arn =
        HeaderValue::from_str(&name.arn).map_err(|_| CallError::NotFound(name.arn.clone()))?;
    Ok((Request { id: id.to_owned(), event, arn, trace, client_context }, memory))
}

fn client_context(value: &HeaderValue) -> Result<HeaderValue, CallError> {
    let json = BASE64_STANDARD.decode(value.as_bytes()).map_err(|_| CallError::ClientContext)?;
    let value: serde_json::Value =
        serde_json::from_slice(&json).map_err(|_| CallError::ClientContext)?;
    // Written anew, on one line.
    HeaderValue::from_str(&value.to_string()).map_err(|_| CallError::ClientContext)
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

/// A trace that nobody samples, as unique as the request's id. Source: X-Ray developer guide, "Tracing header".
fn new_trace(id: &str) -> HeaderValue {
    let unique: String = id.chars().filter(|c| *c != '-').take(24).collect();
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let text = format!("Root=1-{now:08x}-{unique};Sampled=0");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Sampled=0"))
}

/// Most bytes of an event. Source: Lambda developer guide, "Lambda quotas": 6 MB, and 1 MB for later.
const REQUEST_LIMIT: usize = 6 * 1024 * 1024;
const EVENT_LIMIT: usize = 1024 * 1024;

/// Memory for events: those that find none are read later.
const MEMORY_KIB: usize = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for (host, local) in [
            ("127.0.0.1:4702", true),
            ("localhost", true),
            ("lambda.localhost:1", true),
            ("[::1]:4702", true),
            ("rebound.example:4702", false),
            ("localhost.example", false),
            ("", false),
        ] {
            assert_eq!(is_local(host), local, "{host}");
        }
    }

    #[test]
    fn a_client_context_is_json_in_base64() {
        let read = |text: &str| client_context(&HeaderValue::from_str(text).unwrap());
        assert_eq!(read(&BASE64_STANDARD.encode("{\n\"a\": 1}")).unwrap(), "{\"a\":1}");
        assert_eq!(read("{}"), Err(CallError::ClientContext));
        assert_eq!(read(&BASE64_STANDARD.encode("x")), Err(CallError::ClientContext));
    }
}
