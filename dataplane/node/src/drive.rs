//! Carries out the engine's decisions for one exchange: calls, streams, answers. The same for every protocol callers speak.

mod call;

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tidegate_engine::head::{Head, Method};
use tidegate_engine::{
    Abandoned, Answer, Body, CallError, Counts, Ctx, Listener, Next, Now, Purpose, Relay, Step,
    Wait, begin,
};

use crate::aside::PATIENCE;
use crate::http::h1::body::Incoming;
use crate::http::h1::{Framing, ResponseInfo};
use crate::upstream::{Connection, Want};
use crate::worker::exchange::Exchange;
use crate::worker::{Pinned, Worker};
use call::{Open, call, collect, gather, pass, prepare, pump, receive, stream, watch};

/// The side of a caller that a request body comes from.
pub trait RequestBody {
    /// How an upstream is told where it ends.
    fn framing(&self) -> Framing;

    /// Whether it has been received to its end.
    fn is_done(&self) -> bool;

    /// Payload bytes received so far.
    fn received(&self) -> u64;

    /// Appends the payload that has arrived already, without any framing.
    ///
    /// # Errors
    /// If the body is malformed or too large.
    fn arrived(&mut self, request: &mut Head, out: &mut Vec<u8>) -> Result<(), CallError>;

    /// Appends what has arrived already, framed by `framing`, to a head that is about to be sent.
    ///
    /// # Errors
    /// If the body is malformed or too large.
    fn buffered(&mut self, request: &mut Head, out: &mut Vec<u8>) -> Result<(), CallError>;

    /// Receives the next stretch of payload behind [`ROOM`](crate::http::h1::body::ROOM) bytes of `buf`; empty at the end of the body.
    ///
    /// # Errors
    /// If the body is malformed or too large, or the caller has gone.
    fn next(&mut self, buf: Vec<u8>) -> impl Future<Output = Result<Vec<u8>, CallError>>;

    /// Whether what is left of it is so little, and so surely on its way, that it is better dropped than the connection ended.
    fn is_short(&self) -> bool;

    /// Receives and drops what is left, unless it takes too long.
    fn discard(&mut self) -> impl Future<Output = ()>;
}

/// The side of a caller that an answer goes to.
pub trait Responder {
    /// Sends the head, and the first bytes of the body with it.
    fn head(&mut self, head: AnswerHead<'_>, first: &[u8]) -> impl Future<Output = io::Result<()>>;

    /// Sends `buf[ROOM..]` and gives the buffer back. The room in front is for a chunk's header.
    fn data(&mut self, buf: Vec<u8>) -> impl Future<Output = (io::Result<()>, Vec<u8>)>;

    /// Ends the body.
    fn end(&mut self) -> impl Future<Output = io::Result<()>>;

    /// Whether the caller has gone. Costs a system call.
    fn is_gone(&self) -> bool;

    /// Makes a read of the request's body that is under way come back.
    fn stop_reading(&self);
}

/// An answer's head, as a responder needs it.
#[derive(Clone, Copy)]
pub struct AnswerHead<'a> {
    /// Status code.
    pub status: u16,
    /// Lines the engine made.
    pub fields: &'a [u8],
    /// How long the body is.
    pub framing: Framing,
    /// The value of `Date`.
    pub date: &'a [u8; 29],
    /// Whether no other request can follow on the connection, because this one is not read to its end.
    pub last: bool,
}

/// Who asks, and when.
pub struct Asking<'a> {
    /// The caller's address.
    pub peer: IpAddr,
    /// The listener it came in by.
    pub listener: &'a Listener,
    /// When the head was complete.
    pub began: Instant,
}

/// Whether the exchange came to its end: only then may the connection serve another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The whole answer was sent and the whole request received.
    Cleanly,
    /// Part of the request may still arrive.
    Early,
    /// The answer was not sent to its end; the caller must see that.
    Broken,
}

/// One exchange on its way.
struct Exchanging<'a> {
    worker: &'a Worker,
    world: Pinned,
    asking: &'a Asking<'a>,
    now: Now,
    date: [u8; 29],
    entropy: [u8; 16],
    /// When the upstream's time began: with the request, or with the last answer it had to wait for.
    called: Cell<Instant>,
    /// How long an integration took whose whole answer was collected.
    waited: Cell<Option<Duration>>,
}

impl Exchanging<'_> {
    /// The engine's view for one call.
    fn ctx<'s>(&'s self, scratch: &'s mut Vec<u8>) -> Ctx<'s> {
        Ctx {
            world: &self.world,
            listener: self.asking.listener,
            peer: self.asking.peer,
            now: self.now,
            entropy: self.entropy,
            credentials: &self.worker.settings.credentials,
            patience: PATIENCE,
            scratch,
            trace: None,
        }
    }
}

/// Serves one request whose head is in `ex.request`.
pub async fn exchange(
    worker: &Rc<Worker>,
    asking: Asking<'_>,
    ex: &mut Exchange,
    body: &mut impl RequestBody,
    to: &mut impl Responder,
) -> Ended {
    let (now, date) = worker.now();
    let it = Exchanging {
        worker,
        world: worker.world(),
        asking: &asking,
        now,
        date,
        entropy: worker.entropy(),
        called: Cell::new(asking.began),
        waited: Cell::new(None),
    };
    ex.scratch.clear();
    let mut open: Option<Box<Open>> = None;
    let mut step = begin(&mut it.ctx(&mut ex.scratch), &ex.request);
    loop {
        match step {
            Step::Answer(answer) => {
                return match open {
                    Some(open) if matches!(answer.body, Body::Streamed(_)) => {
                        Box::pin(it.pass(ex, answer, *open, body, to)).await
                    }
                    _ => it.answer(ex, &answer, body, to).await,
                };
            }
            Step::Relay(relay) => return it.relay(ex, relay, body, to).await,
            // Boxed: the many requests that wait for nothing should not carry their state.
            Step::Wait(Wait::Body(limit, next)) => {
                let got = Box::pin(gather(ex, body, limit)).await;
                it.called.set(Instant::now());
                step = next.give(&mut it.ctx(&mut ex.scratch), &ex.request, got);
            }
            Step::Wait(Wait::Elsewhere(next)) => match Box::pin(it.aside(ex, next, to)).await {
                Some(went_on) => step = went_on,
                None => return Ended::Broken,
            },
            Step::Wait(Wait::Open(call, next)) => {
                let began = Instant::now();
                let got = Box::pin(call::open(worker, &it.world, ex, call, to)).await;
                it.called.set(Instant::now());
                it.waited.set(Some(began.elapsed()));
                let got = got.map(|(opened, rest)| {
                    open = Some(rest);
                    opened
                });
                step = next.give(&mut it.ctx(&mut ex.scratch), &ex.request, got);
            }
            Step::Wait(Wait::Call(call, next)) => {
                let (began, purpose) = (Instant::now(), call.purpose);
                let got = Box::pin(collect(worker, &it.world, ex, call, to)).await;
                it.called.set(Instant::now());
                if purpose == Purpose::Integrate {
                    it.waited.set(Some(began.elapsed()));
                }
                step = next.give(&mut it.ctx(&mut ex.scratch), &ex.request, got);
            }
        }
    }
}

impl Exchanging<'_> {
    /// Goes on on another thread, with all that the engine looks at. `None` if it panics there.
    async fn aside(
        &self,
        ex: &mut Exchange,
        next: Next<Result<(), Abandoned>>,
        to: &impl Responder,
    ) -> Option<Step> {
        let (world, credentials) = (self.world.share(), self.worker.settings.credentials.clone());
        let (peer, listener) = (self.asking.peer, self.asking.listener.clone());
        let (now, entropy) = (self.now, self.entropy);
        let (head, mut scratch) =
            (std::mem::take(&mut ex.request), std::mem::take(&mut ex.scratch));
        let work = move |wanted: Result<(), Abandoned>| {
            let mut cx = Ctx {
                world: &world,
                listener: &listener,
                peer,
                now,
                entropy,
                credentials: &credentials,
                patience: Ctx::UNHURRIED,
                scratch: &mut scratch,
                trace: None,
            };
            let step = next.give(&mut cx, &head, wanted);
            (step, head, scratch)
        };
        let asked = self.worker.aside.ask(&self.worker.deadlines, || to.is_gone(), work).await;
        let (step, head, scratch) = asked?;
        self.called.set(Instant::now());
        (ex.request, ex.scratch) = (head, scratch);
        Some(step)
    }

    /// Answers that the call came to nothing.
    async fn fail(
        &self,
        ex: &mut Exchange,
        relay: Relay,
        error: CallError,
        body: &mut impl RequestBody,
        to: &mut impl Responder,
    ) -> Ended {
        let answer = relay.reply(&mut self.ctx(&mut ex.scratch), &ex.request, Err(error));
        self.answer(ex, &answer, body, to).await
    }

    /// Streams a request to its upstream and the answer back.
    async fn relay(
        &self,
        ex: &mut Exchange,
        relay: Relay,
        body: &mut impl RequestBody,
        to: &mut impl Responder,
    ) -> Ended {
        let upstream = relay.upstream(&self.world);
        let targets = self.world.targets(upstream);
        let limit = relay.request.timeout();
        let method = relay.request.method;
        let repeatable = is_idempotent(method) && body.is_done();
        let mut want = if repeatable { Want::Any } else { Want::Checked };
        if let Err(error) = prepare(ex, &relay, body) {
            return self.fail(ex, relay, error, body, to).await;
        }
        let mut repeats = if targets.is_some() { 2 } else { 1 };
        let mut left = limit;
        let (connection, info) = loop {
            let acquiring = self.worker.upstreams.acquire(upstream, targets, want, left);
            let connection = match acquiring.await {
                Ok(connection) => connection,
                Err(error) => return self.fail(ex, relay, error, body, to).await,
            };
            if !body.is_done() {
                // Boxed: the many requests without a body still to come should not carry its state.
                return Box::pin(self.duplex(ex, relay, connection, body, to)).await;
            }
            let calling = call(ex, method, &connection);
            let got = watch(calling, &connection, limit, &self.called, &*to).await;
            match got {
                Ok(info) => break (connection, info),
                // What got no byte of an answer and may be repeated is sent again on a new connection: once, and behind a VPC link
                // once more, since the new one may be to the target that is going down.
                Err(CallError::Network)
                    if repeatable
                        && repeats > 0
                        && ex.reply.buf.is_empty()
                        && connection.broke()
                        && !to.is_gone() =>
                {
                    repeats -= 1;
                    want = Want::New;
                    left = limit.saturating_sub(self.called.get().elapsed());
                }
                Err(error) => return self.fail(ex, relay, error, body, to).await,
            }
        };
        let waited = self.called.get().elapsed();
        let sent = self.respond(ex, relay, info, &connection, to).await;
        self.conclude(ex, sent, waited, body, connection)
    }

    /// Both directions at once: the caller still sends, and the upstream may answer before it is done.
    async fn duplex(
        &self,
        ex: &mut Exchange,
        relay: Relay,
        connection: Connection,
        body: &mut impl RequestBody,
        to: &mut impl Responder,
    ) -> Ended {
        let limit = relay.request.timeout();
        let method = relay.request.method;
        ex.reply.buf.clear();
        ex.reply.reset();
        let mut refused = None;
        let outcome = {
            let link = &connection;
            let progress = Cell::new(Instant::now());
            let stretch = std::mem::take(&mut ex.stretch);
            let head = std::mem::take(&mut ex.forward);
            let mut pumping = pin!(pump(body, relay.max_body, link, head, stretch, &progress));
            let mut pumped = None;
            let outcome = {
                let mut answering = pin!(async {
                    let receiving = receive(&mut ex.reply, method, link);
                    match watch(receiving, link, limit, &progress, &*to).await {
                        Ok(info) => {
                            let waited = self.called.get().elapsed();
                            Ok((self.respond(ex, relay, info, link, to).await, waited))
                        }
                        Err(error) => Err((relay, error)),
                    }
                });
                poll_fn(|cx| {
                    if pumped.is_none()
                        && let Poll::Ready(done) = pumping.as_mut().poll(cx)
                    {
                        pumped = Some(done.is_ok());
                        // An upstream that takes no more may have answered why. But when the caller fails, it must not take
                        // what it has for the whole: it sees the connection break.
                        if let Err(error) = done
                            && error != CallError::Network
                        {
                            refused = Some(error);
                            link.transport.stream().shutdown();
                        }
                    }
                    answering.as_mut().poll(cx)
                })
                .await
            };
            if pumped.is_none() {
                // Nothing more is wanted of the caller. Reads in flight must end, not be dropped.
                to.stop_reading();
                link.transport.stream().shutdown();
                let _ = pumping.await;
            }
            outcome.map(|(mut sent, waited)| {
                // The whole request has to be over there, too.
                sent.reusable &= pumped == Some(true);
                (sent, waited)
            })
        };
        match outcome {
            Ok((sent, waited)) => self.conclude(ex, sent, waited, body, connection),
            Err((relay, error)) => self.fail(ex, relay, refused.unwrap_or(error), body, to).await,
        }
    }

    /// Sends the upstream's answer on.
    async fn respond(
        &self,
        ex: &mut Exchange,
        relay: Relay,
        info: ResponseInfo,
        connection: &Connection,
        to: &mut impl Responder,
    ) -> Sent {
        let asked_for_head = relay.request.method == Method::Head;
        let answer = relay.reply(&mut self.ctx(&mut ex.scratch), &ex.request, Ok(&ex.reply));
        // What has no body still says how long it would have been.
        let framing = match (info.framing, info.length) {
            (Framing::Empty, Some(length)) => Framing::Length(length),
            (Framing::Empty, None) if asked_for_head => Framing::Chunked,
            (framing, _) => framing,
        };
        let head = AnswerHead {
            status: answer.status,
            fields: answer.fields.of(&ex.scratch),
            framing,
            date: &self.date,
            last: false,
        };
        let mut incoming = Incoming::new(info.framing);
        let stall = self.worker.settings.limits.stall;
        let mut bytes = 0;
        let streamed = stream(
            &mut ex.reply,
            &mut ex.stretch,
            head,
            &mut incoming,
            connection,
            stall,
            to,
            &mut bytes,
        )
        .await;
        let unasked = *streamed.as_ref().unwrap_or(&true);
        let reusable = info.reusable && incoming.is_done() && !unasked;
        Sent { answer, bytes, result: streamed.map(drop), reusable }
    }

    /// Sends an answer on that is made of an upstream's while that comes.
    async fn pass(
        &self,
        ex: &mut Exchange,
        mut answer: Answer,
        mut open: Open,
        body: &impl RequestBody,
        to: &mut impl Responder,
    ) -> Ended {
        let head = AnswerHead {
            status: answer.status,
            fields: answer.fields.of(&ex.scratch),
            framing: Framing::Chunked,
            date: &self.date,
            last: false,
        };
        let stall = self.worker.settings.limits.stall;
        let mut bytes = 0;
        let Body::Streamed(streamed) = &mut answer.body else { return Ended::Broken };
        let passing = pass(&mut ex.stretch, head, streamed, &mut open, stall, to, &mut bytes);
        let result = passing.await;
        if let Some((code, details)) = streamed.failure() {
            tracing::debug!(code, details, "a function failed while its answer was passed on");
        }
        let reusable = open.is_reusable();
        let waited = self.waited.get().unwrap_or_default();
        self.conclude(ex, Sent { answer, bytes, result, reusable }, waited, body, open.connection)
    }

    /// The end of a relayed exchange: count it, and keep the connection if it is at a message boundary.
    fn conclude(
        &self,
        ex: &mut Exchange,
        sent: Sent,
        waited: Duration,
        body: &impl RequestBody,
        connection: Connection,
    ) -> Ended {
        let counts = Counts {
            received: body.received(),
            sent: sent.bytes,
            latency_us: micros(self.asking.began.elapsed()),
            integration_us: Some(micros(waited)),
            aborted: sent.result.is_err(),
        };
        self.record(ex, &sent.answer, counts);
        if sent.reusable && body.is_done() {
            self.worker.upstreams.release(connection);
        }
        ended(&sent.result, body)
    }

    /// Sends an answer the gateway made itself.
    async fn answer(
        &self,
        ex: &mut Exchange,
        answer: &Answer,
        body: &mut impl RequestBody,
        to: &mut impl Responder,
    ) -> Ended {
        if !body.is_done() {
            // What has come with the head is dropped. A malformed body is not done afterwards either.
            ex.forward.clear();
            let _ = body.buffered(&mut ex.request, &mut ex.forward);
        }
        let keeps = body.is_done() || body.is_short();
        let mut scratch = std::mem::take(&mut ex.scratch);
        let cx = self.ctx(&mut scratch);
        let bytes = answer.bytes(&cx);
        let framing = Framing::Length(bytes.len() as u64);
        let head = AnswerHead {
            status: answer.status,
            fields: answer.fields.of(cx.scratch),
            framing,
            date: &self.date,
            last: !keeps,
        };
        let result = to.head(head, bytes).await;
        let counts = Counts {
            received: body.received(),
            sent: bytes.len() as u64,
            latency_us: micros(self.asking.began.elapsed()),
            integration_us: self.waited.get().map(micros),
            aborted: result.is_err(),
        };
        ex.scratch = scratch;
        self.record(ex, answer, counts);
        if keeps && result.is_ok() && !body.is_done() {
            body.discard().await;
        }
        ended(&result, body)
    }

    /// Logs and counts an exchange.
    fn record(&self, ex: &mut Exchange, answer: &Answer, counts: Counts) {
        let cx = self.ctx(&mut ex.scratch);
        let record = answer.finish(&cx, &ex.request, counts);
        self.worker.metrics.borrow_mut().count(&record, ex.request.method);
        if let Some(log) = &self.worker.settings.access_log {
            log.write(&record, &ex.request, answer, self.asking, self.now);
        }
        if let (Some(mismatches), Some(mismatch)) =
            (&self.worker.settings.mismatches, answer.mismatch())
        {
            mismatches.say(&record, ex.request.method, mismatch);
        }
        if let (Some(hints), Some(failure)) = (&self.worker.settings.hints, answer.failure()) {
            hints.say(&self.world, &record, &ex.request, *failure);
        }
    }
}

/// What became of an answer on its way to the caller.
struct Sent {
    answer: Answer,
    /// Body bytes.
    bytes: u64,
    result: io::Result<()>,
    /// Whether the upstream connection stands at a message boundary.
    reusable: bool,
}

fn ended(result: &io::Result<()>, body: &impl RequestBody) -> Ended {
    match result {
        Err(_) => Ended::Broken,
        Ok(()) if body.is_done() => Ended::Cleanly,
        Ok(()) => Ended::Early,
    }
}

/// Methods that may be sent twice. Source: RFC 9110 section 9.2.2.
fn is_idempotent(method: Method) -> bool {
    matches!(method, Method::Get | Method::Head | Method::Options | Method::Put | Method::Delete)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
