//! Runs the engine in the control plane: for explanations, what a node would do with a request, phase by phase, where nothing
//! is sent; and for test calls, where it is.
//!
//! The world is built as a node builds it, from the objects of the stream and by the same code, but with only the API that
//! the request names.

mod call;
mod describe;
mod invoke;
mod world;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{SystemTime, UNIX_EPOCH};

use tidegate_engine::explain::{Phase, Trace};
use tidegate_engine::head::Head;
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::snapshot::{RefuseApi, RefuseBundle, Upstream, World};
use tidegate_engine::{
    Answer, Call, Ctx, Fields, Listener, Now, Outgoing, Purpose, Reply, Step, Wait, begin,
};
use tidegate_proto::v1;

use crate::app::{App, AppError};
use crate::store::StoreError;

pub use invoke::{TestInvocation, TestInvokeMethod, test_invoke};

/// Why a request cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The URL cannot be called.
    #[error(
        "{0:?} is no absolute http or https URL; write for example http://{{api}}.execute-api.localhost/{{stage}}/path"
    )]
    Url(String),
    /// The method is no token.
    #[error("{0:?} is no HTTP method")]
    Method(String),
    /// A header's name is no token or its value holds control characters.
    #[error("header {0:?} cannot be sent")]
    Header(String),
    /// What the store has cannot be read.
    #[error(transparent)]
    App(#[from] AppError),
    /// A node would refuse the deployment.
    #[error("stage {stage}: a node would refuse this deployment")]
    Bundle {
        /// Which stage.
        stage: String,
        /// Why.
        #[source]
        cause: RefuseBundle,
    },
    /// A node would refuse the API.
    #[error("a node would refuse this API")]
    Api(#[from] RefuseApi),
    /// The deployment's bundle is not in the store.
    #[error("stage {0}: its deployment's bundle is missing")]
    NoBundle(String),
    /// The engine stopped half way; a bug.
    #[error("the engine failed on this request")]
    Failed,
}

impl From<StoreError> for ExplainError {
    fn from(error: StoreError) -> Self {
        Self::App(AppError::Store(error))
    }
}

/// Asks the engine what it would do with a request, with what is deployed now.
pub async fn explain(app: &App, request: &v1::HttpRequest) -> Result<v1::Explained, ExplainError> {
    let described = describe::read(request)?;
    let domain = world::domain(app.store(), &described).await?;
    let objects = match world::named(&described, domain.as_ref()) {
        Some(id) => world::load(app.store(), &id).await?,
        None => None,
    };
    let settings = app.settings().clone();
    let body = request.body.clone();
    // Linking a large API takes long: off the threads that answer other callers.
    let run = tokio::task::spawn_blocking(move || {
        let world = world::with_domain(world::build(&settings, objects)?, domain.as_ref());
        let credentials = &settings.aws.credentials;
        Ok(decide(&world, credentials, &described.listener, &described.head, &body))
    });
    run.await.map_err(|cause| {
        tracing::error!(%cause, "explanation failed");
        ExplainError::Failed
    })?
}

/// Runs one request through the engine, and on as if every service it asks admitted it.
fn decide(
    world: &World,
    credentials: &Credentials,
    listener: &Listener,
    head: &Head,
    body: &[u8],
) -> v1::Explained {
    let mut trace = Trace { values: true, ..Trace::default() };
    let mut scratch = Vec::new();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut cx = Ctx {
        world,
        listener,
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        now: Now { unix_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) },
        entropy: rand::random(),
        credentials,
        patience: Ctx::UNHURRIED,
        scratch: &mut scratch,
        trace: Some(&mut trace),
    };
    let mut step = begin(&mut cx, head);
    let mut explained = v1::Explained::default();
    loop {
        step = match step {
            Step::Wait(Wait::Body(limit, next)) => {
                note(&mut cx, |_| would_collect(limit, body));
                next.give(&mut cx, head, Ok(body.to_vec()))
            }
            Step::Wait(Wait::Elsewhere(next)) => next.give(&mut cx, head, Ok(())),
            Step::Wait(Wait::Call(call, next)) if call.purpose == Purpose::Authorize => {
                note(&mut cx, |scratch| would_call(&call, scratch));
                next.give(&mut cx, head, Ok(Reply::of(200, Vec::new())))
            }
            Step::Wait(Wait::Call(call, _) | Wait::Open(call, _)) => {
                let request = outgoing(&call.request, &call.upstream, &call.body, cx.scratch);
                note(&mut cx, |_| would_answer("mapped from ", &call.request));
                explained.upstream = Some(request);
                break;
            }
            Step::Relay(relay) => {
                let upstream = relay.upstream(world).clone();
                let request = outgoing(&relay.request, &upstream, body, cx.scratch);
                note(&mut cx, |_| would_answer("", &relay.request));
                explained.upstream = Some(request);
                break;
            }
            Step::Answer(answer) => {
                // The engine has said itself why it answers a failure.
                if answer.failure().is_none() {
                    note(&mut cx, |_| by_itself(&answer));
                }
                explained.answer = Some(v1::HttpAnswer {
                    status: u32::from(answer.status),
                    headers: lines(&answer.fields, cx.scratch),
                    body: answer.bytes(&cx).to_vec(),
                });
                break;
            }
        };
    }
    let phases = trace.phases.into_iter();
    explained.phases = phases
        .map(|phase| v1::Phase {
            name: phase.name.to_owned(),
            decision: phase.decision,
            details: phase.details,
        })
        .collect();
    explained
}

fn note(cx: &mut Ctx<'_>, phase: impl FnOnce(&[u8]) -> Phase) {
    let phase = phase(cx.scratch);
    if let Some(trace) = &mut cx.trace {
        trace.phases.push(phase);
    }
}

/// What a call that must come first would be, and what is assumed of it.
fn would_call(call: &Call, scratch: &[u8]) -> Phase {
    let request = outgoing(&call.request, &call.upstream, &[], scratch);
    let headers = request.headers.iter().map(|header| format!("{}: {}", header.name, header.value));
    Phase {
        name: "authorize",
        decision: format!(
            "would call {} {} first; what follows holds if it answers 2xx",
            request.method, request.url
        ),
        details: headers.collect(),
    }
}

/// Why a request's body must be there as a whole.
fn would_collect(limit: u64, body: &[u8]) -> Phase {
    let decision = format!(
        "the whole body is needed before anything is sent: {} bytes of at most {limit}",
        body.len()
    );
    Phase { name: "mapping", decision, details: Vec::new() }
}

/// What a caller would get of an upstream.
fn would_answer(how: &str, request: &Outgoing) -> Phase {
    let limit = request.timeout();
    let decision = format!("{how}the upstream's answer, which must begin within {limit:?}");
    Phase { name: "respond", decision, details: Vec::new() }
}

fn by_itself(answer: &Answer) -> Phase {
    let decision = match answer.failure() {
        Some(failure) => {
            format!("{} {}: {}", answer.status, failure.response_type().name(), failure.words())
        }
        None => format!("{}, made by the gateway itself", answer.status),
    };
    Phase { name: "respond", decision, details: Vec::new() }
}

/// The exact request, without the framing lines that belong to the connection. A session token is a secret: it is not shown.
fn outgoing(request: &Outgoing, to: &Upstream, body: &[u8], scratch: &[u8]) -> v1::HttpRequest {
    let target = String::from_utf8_lossy(request.target.of(scratch));
    let mut headers = lines(&request.fields, scratch);
    for header in &mut headers {
        if header.name.eq_ignore_ascii_case("X-Amz-Security-Token") {
            header.value = "…".to_owned();
        }
    }
    v1::HttpRequest {
        method: request.method.as_str().to_owned(),
        url: format!("{}://{}{target}", to.scheme.as_str(), to.authority),
        headers,
        body: body.to_vec(),
    }
}

/// `name: value\r\n` lines as pairs.
fn lines(fields: &Fields, scratch: &[u8]) -> Vec<v1::Pair> {
    let text = String::from_utf8_lossy(fields.of(scratch));
    let pairs = text.split("\r\n").filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| v1::Pair { name: name.to_owned(), value: value.to_owned() }).collect()
}

#[cfg(test)]
mod tests;
