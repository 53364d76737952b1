//! What the engine tells its driver to do next.
//!
//! [`Relay`] and [`Answer`] are plain values: no box, no body, no clock. Whatever must wait is a [`Wait`]: an effect paired with
//! the only continuation that accepts its result, so that a driver cannot resume a request with the wrong thing.
//!
//! # How to drive it
//! ```text
//! let mut step = begin(cx, head);
//! loop {
//!     step = match step {
//!         Step::Wait(Wait::Body(limit, next)) => next.give(cx, head, /* the request's whole body, at most `limit` bytes */),
//!         Step::Wait(Wait::Call(call, next)) => next.give(cx, head, /* the whole answer to `call` */),
//!         Step::Wait(Wait::Open(call, next)) => next.give(cx, head, /* the beginning of the answer to `call` */),
//!         Step::Wait(Wait::Elsewhere(next)) => next.give(cx, head, Ok(())), // on another thread, with patience
//!         Step::Relay(relay) => /* stream both ways; then `relay.reply`, which gives the answer's head */,
//!         Step::Answer(answer) => /* send it; then `answer.finish` */,
//!     }
//! }
//! ```
//! Each `Wait` occurs any number of times, in any order. `cx` may be made anew for each call, but world, time, entropy and the
//! scratch buffer with all that is in it must stay the same from `begin` to `finish`: [`Fields`] are ranges of that buffer. `head`
//! is the request's, unchanged. [`Call::purpose`] says what a call is for; drivers treat all alike but for logs and counts.
//! Dropping a `Next` gives the request up and frees what it held.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::exchange::{Ctx, Ids};
use crate::head::{Head, Method};
use crate::integration::lambda::Streamed;
use crate::pipeline;
use crate::respond::{Failure, Tail};
use crate::route::Routed;
use crate::snapshot::{Place, Upstream, World};
use crate::validate::Mismatch;

/// The engine's decision.
#[derive(Debug)]
pub enum Step {
    /// Call the upstream and stream its answer: plain proxying.
    Relay(Relay),
    /// Answer now.
    Answer(Answer),
    /// Do something first, then come back.
    Wait(Wait),
}

// A step travels by value through every request; a larger one would cost copies.
const _: () = assert!(size_of::<Step>() <= 512);

/// A head the engine wrote into the scratch buffer: `name: value\r\n` lines that need no further checks.
///
/// Framing (`Content-Length`, `Transfer-Encoding`), `Connection` and `Date` are not among them: they belong to the driver's codec.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub(crate) Range<u32>);

impl Fields {
    /// Everything from the beginning of some lines to the end of others that were written behind them.
    pub(crate) fn spanning(first: &Self, last: &Self) -> Self {
        Self(first.0.start..last.0.end)
    }

    /// Where in the scratch buffer they are.
    pub(crate) fn range(&self) -> Range<usize> {
        self.0.start as usize..self.0.end as usize
    }

    /// The lines.
    pub fn of<'s>(&self, scratch: &'s [u8]) -> &'s [u8] {
        &scratch[self.range()]
    }
}

/// A request to an upstream: where it goes and what its head is.
#[derive(Debug)]
pub struct Outgoing {
    /// The method to send; [`Method::Other`] never occurs.
    pub method: Method,
    /// Path and query, in the scratch buffer.
    pub target: Fields,
    /// The head's lines, `Host` among them.
    pub fields: Fields,
    /// Milliseconds from the start of the call until the answer's head must be there.
    pub timeout_ms: u32,
}

impl Outgoing {
    /// The limit as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(u64::from(self.timeout_ms))
    }
}

/// Stream the request's body to an upstream and its answer back.
#[derive(Debug)]
pub struct Relay {
    /// What to send.
    pub request: Outgoing,
    /// Largest body of the request, bytes; a longer one is [`CallError::RequestTooLarge`]. Not above the listener's own bound.
    pub max_body: u64,
    /// Whether the API has headers of its own for answers.
    pub(crate) cors: bool,
    pub(crate) routed: Routed,
    pub(crate) ids: Ids,
}

impl Relay {
    /// Where to send it, in the world that [`crate::begin`] was given.
    pub fn upstream<'w>(&self, world: &'w World) -> &'w Arc<Upstream> {
        world.upstream(self.routed.place)
    }

    /// Decides the answer once the upstream's head is there, or the call has failed. `head` is the request's head.
    pub fn reply(self, cx: &mut Ctx<'_>, head: &Head, got: Result<&Head, CallError>) -> Answer {
        pipeline::reply(self, cx, head, got)
    }
}

/// Answer the caller.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The head's lines.
    pub fields: Fields,
    /// What follows the head.
    pub body: Body,
    pub(crate) tail: Tail,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// None.
    Empty,
    /// The upstream's body, streamed by the driver.
    Upstream,
    /// Bytes in the scratch buffer.
    Scratch(Fields),
    /// Bytes of the world that were made at link time.
    Constant(Place),
    /// These bytes.
    Whole(Vec<u8>),
    /// What this makes of the upstream's answer, as the driver goes on reading that. The caller's connection is cut when it is
    /// [`Broken`](crate::Broken).
    Streamed(Box<Streamed>),
}

impl Answer {
    /// The body's bytes, unless it is the upstream's.
    pub fn bytes<'a>(&'a self, cx: &'a Ctx<'_>) -> &'a [u8] {
        match &self.body {
            Body::Empty | Body::Upstream | Body::Streamed(_) => &[],
            Body::Scratch(range) => range.of(cx.scratch),
            Body::Constant(place) => cx.world.constant(*place, &self.tail),
            Body::Whole(bytes) => bytes,
        }
    }

    /// `$context.requestId` of the exchange.
    pub fn request_id(&self) -> &str {
        self.tail.ids.request()
    }

    /// `$context.extendedRequestId` of the exchange.
    pub fn extended_request_id(&self) -> &str {
        self.tail.ids.extended()
    }

    /// Why the gateway made this answer itself, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        self.tail.failure.as_ref()
    }

    /// In what the integration's answer did not fit its response model, if that was checked and it did not. The answer is that one
    /// all the same, unless the model is enforced.
    pub fn mismatch(&self) -> Option<&Mismatch> {
        self.tail.mismatch.as_deref()
    }

    /// Ends the exchange: what to log and count. Also called when the caller left early.
    pub fn finish<'w>(&self, cx: &Ctx<'w>, head: &Head, sent: Counts) -> Record<'w> {
        pipeline::finish(self, cx, head, sent)
    }
}

/// What the driver measured of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Body bytes received from the caller.
    pub received: u64,
    /// Body bytes sent to the caller.
    pub sent: u64,
    /// From the request's head to the last byte of the answer, microseconds.
    pub latency_us: u64,
    /// From sending to the upstream to its answer's head, microseconds; `None` when nothing was called.
    pub integration_us: Option<u64>,
    /// Whether the caller left before the answer was complete.
    pub aborted: bool,
}

/// One line of the access log and one count of the metrics.
#[derive(Clone, Copy, Debug)]
pub struct Record<'w> {
    /// API id; empty when none was found.
    pub api: &'w str,
    /// Stage name; empty when none was found.
    pub stage: &'w str,
    /// Resource path of the matched method; empty when none was found.
    pub route: &'w str,
    /// Id of the deployment that served.
    pub deployment: &'w str,
    /// Whether the canary served.
    pub canary: bool,
    /// Status sent.
    pub status: u16,
    /// The gateway response type, when the gateway made the answer itself.
    pub error: Option<&'static str>,
    /// Whether the integration's answer did not fit its response model.
    pub mismatch: bool,
    /// What the driver measured.
    pub counts: Counts,
}

/// Something to do before the request can go on.
#[derive(Debug)]
pub enum Wait {
    /// Collect the request's whole body, of at most so many bytes.
    Body(u64, Next<Result<Vec<u8>, BodyError>>),
    /// Call a service and collect its answer.
    Call(Call, Next<Result<Reply, CallError>>),
    /// Call a service and collect its answer until [`Streamed::is_open`]. The rest of it belongs to [`Body::Streamed`] of the answer
    /// that follows.
    Open(Call, Next<Result<Opened, CallError>>),
    /// Go on where nobody else waits, with [`Ctx::UNHURRIED`]. A template takes more steps than [`Ctx::patience`] lets it here, and may go
    /// on for a quarter of a second; what it did so far is forgotten, it begins anew. Or a body is so long that reading, checking or
    /// compressing it would take as much.
    Elsewhere(Next<Result<(), Abandoned>>),
}

/// Nobody waits for a request any more, so that it need not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody waits for the answer")]
pub struct Abandoned;

/// Why a request's body cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than it may be.
    #[error("the request body is too large")]
    TooLarge,
    /// It broke off or was malformed.
    #[error("the request body is malformed")]
    Broken,
}

/// A call whose whole answer the engine needs.
#[derive(Debug)]
pub struct Call {
    /// What for.
    pub purpose: Purpose,
    /// Where to.
    pub upstream: Arc<Upstream>,
    /// What to send.
    pub request: Outgoing,
    /// The body to send behind it.
    pub body: Vec<u8>,
    /// Largest body to collect, bytes.
    pub max_reply: usize,
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Asking who may pass.
    Authorize,
    /// The method's integration.
    Integrate,
}

/// Largest answer of an integration that is collected, bytes. Source: developer guide, quotas: payload size.
pub(crate) const MAX_REPLY: usize = 10_485_760;

/// The answer to a [`Call`].
#[derive(Debug)]
pub struct Reply {
    /// Its head.
    pub head: Head,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without header fields, for drivers that make calls up.
    pub fn of(status: u16, body: Vec<u8>) -> Self {
        Self { head: Head { status, ..Head::default() }, body }
    }
}

/// The beginning of an answer to a [`Call`] that is passed on while it comes.
#[derive(Debug)]
pub struct Opened {
    /// What has been read of its body, begun with [`Streamed::new`] from its head.
    pub body: Streamed,
}

/// Why a call gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The connection failed, broke, or what came was not HTTP.
    #[error("network error communicating with the endpoint")]
    Network,
    /// Nothing came in time.
    #[error("the endpoint did not answer in time")]
    Timeout,
    /// The name has no address.
    #[error("the endpoint's name cannot be resolved")]
    Unresolved,
    /// The address is one the node must not call.
    #[error("the endpoint's address is not allowed")]
    Denied,
    /// The answer is longer than [`Call::max_reply`].
    #[error("the endpoint's answer is too large")]
    ReplyTooLarge,
    /// The caller sent more than it may; nothing of it counts.
    #[error("the request body is too large")]
    RequestTooLarge,
    /// The caller's body broke off or was malformed.
    #[error("the request body is malformed")]
    BadRequestBody,
}

/// The continuation that accepts a `T`, and nothing else.
///
/// It is used up by the answer it waited for, so that no request goes on twice:
///
/// ```compile_fail,E0382
/// use tidegate_engine::{CallError, Ctx, Next, Reply, Step, head::Head};
///
/// fn twice(next: Next<Result<Reply, CallError>>, cx: &mut Ctx<'_>, head: &Head) -> Step {
///     next.give(cx, head, Err(CallError::Timeout));
///     next.give(cx, head, Err(CallError::Timeout))
/// }
/// ```
#[derive(Debug)]
pub struct Next<T: Answers>(Box<T::Parked>);

impl<T: Answers> Next<T> {
    pub(crate) fn new(parked: T::Parked) -> Self {
        Self(Box::new(parked))
    }

    /// Goes on with what was waited for. `head` is the request's head, unchanged since [`crate::begin`].
    pub fn give(self, cx: &mut Ctx<'_>, head: &Head, got: T) -> Step {
        T::resume(*self.0, cx, head, got)
    }
}

/// What can be waited for: the result of a call, or a body.
pub trait Answers: Sized {
    /// A request that waits for it.
    #[doc(hidden)]
    type Parked: std::fmt::Debug;

    /// Goes on with the request.
    #[doc(hidden)]
    fn resume(parked: Self::Parked, cx: &mut Ctx<'_>, head: &Head, got: Self) -> Step;
}

impl Answers for Result<Reply, CallError> {
    type Parked = pipeline::Calling;

    fn resume(parked: Self::Parked, cx: &mut Ctx<'_>, head: &Head, got: Self) -> Step {
        pipeline::replied(parked, cx, head, got)
    }
}

impl Answers for Result<Opened, CallError> {
    type Parked = pipeline::Calling;

    fn resume(parked: Self::Parked, cx: &mut Ctx<'_>, head: &Head, got: Self) -> Step {
        pipeline::opened(parked, cx, head, got)
    }
}

impl Answers for Result<(), Abandoned> {
    type Parked = pipeline::Postponed;

    fn resume(parked: Self::Parked, cx: &mut Ctx<'_>, head: &Head, got: Self) -> Step {
        pipeline::go_on(parked, cx, head, got)
    }
}

impl Answers for Result<Vec<u8>, BodyError> {
    type Parked = pipeline::Receiving;

    fn resume(parked: Self::Parked, cx: &mut Ctx<'_>, head: &Head, got: Self) -> Step {
        pipeline::received(parked, cx, head, got)
    }
}
