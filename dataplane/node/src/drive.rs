//! Carries out the engine's decisions for one exchange: calls, streams, answers. The same for every protocol callers speak.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tidegate_engine::head::{Head, Method};
use tidegate_engine::snapshot::Upstream;
use tidegate_engine::{
    Answer, Call, CallError, Counts, Ctx, Listener, Now, Outgoing, Relay, Reply, Step, Wait, begin,
};

use crate::http::h1::body::{self, Incoming};
use crate::http::h1::chunked::LAST_CHUNK;
use crate::http::h1::{Framing, Limits, ResponseInfo, response, write};
use crate::rt::Expiry;
use crate::upstream::{Connection, Want};
use crate::worker::exchange::{Exchange, STRETCH_BYTES};
use crate::worker::{Pinned, Worker};

/// The side of a caller that a request body comes from.
pub trait RequestBody {
    /// How an upstream is told where it ends.
    fn framing(&self) -> Framing;

    /// Whether it has been received to its end.
    fn is_done(&self) -> bool;

    /// Payload bytes received so far.
    fn received(&self) -> u64;

    /// Appends what has arrived already, framed by `framing`, to a head that is about to be sent.
    ///
    /// # Errors
    /// If the body is malformed or too large.
    fn buffered(&mut self, request: &mut Head, out: &mut Vec<u8>) -> Result<(), CallError>;

    /// Receives the next stretch of payload behind [`body::ROOM`] bytes of `buf`; empty at the end of the body.
    ///
    /// # Errors
    /// If the body is malformed or too large, or the caller has gone.
    fn next(&mut self, buf: Vec<u8>) -> impl Future<Output = Result<Vec<u8>, CallError>>;
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
    };
    ex.scratch.clear();
    let mut step = begin(&mut it.ctx(&mut ex.scratch), &ex.request);
    loop {
        match step {
            Step::Answer(answer) => return it.answer(ex, &answer, body, to).await,
            Step::Relay(relay) => return it.relay(ex, relay, body, to).await,
            Step::Wait(Wait::Call(call, next)) => {
                let got = it.call(ex, call).await;
                step = next.give(&mut it.ctx(&mut ex.scratch), &ex.request, got);
            }
        }
    }
}

impl Exchanging<'_> {
    /// Answers that the call came to nothing.
    async fn fail(
        &self,
        ex: &mut Exchange,
        relay: Relay,
        error: CallError,
        body: &impl RequestBody,
        to: &mut impl Responder,
    ) -> Ended {
        let answer = relay.reply(&mut self.ctx(&mut ex.scratch), Err(error));
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
        let upstream = relay.upstream(&self.ctx(&mut ex.scratch)).clone();
        let called = Instant::now();
        let limit = relay.request.timeout();
        let method = relay.request.method;
        let began = Cell::new(called);
        let repeatable = is_idempotent(method) && body.is_done();
        let mut want = if repeatable { Want::Any } else { Want::Checked };
        let (connection, info) = loop {
            let left = limit.saturating_sub(called.elapsed());
            let connection = match self.worker.upstreams.acquire(&upstream, want, left).await {
                Ok(connection) => connection,
                Err(error) => return self.fail(ex, relay, error, body, to).await,
            };
            let left = limit.saturating_sub(called.elapsed());
            let got = match send(ex, &relay.request, &connection, left, body).await {
                Ok(()) if !body.is_done() => {
                    return self.duplex(ex, relay, &upstream, connection, called, body, to).await;
                }
                Ok(()) => receive(&mut ex.reply, method, &connection, limit, &began, &*to).await,
                Err(error) => Err(error),
            };
            match got {
                Ok(info) => break (connection, info),
                // A connection that rested may have been closed by the other side just now. What got no byte of an answer and
                // may be repeated is sent again, once, on a new one.
                Err(CallError::Network)
                    if connection.reused
                        && repeatable
                        && ex.reply.buf.is_empty()
                        && !to.is_gone() =>
                {
                    want = Want::New;
                }
                Err(error) => return self.fail(ex, relay, error, body, to).await,
            }
        };
        let waited = called.elapsed();
        let sent = self.respond(ex, relay, info, &connection, to).await;
        self.conclude(ex, sent, waited, body, &upstream, connection)
    }

    /// Both directions at once: the caller still sends, and the upstream may answer before it is done.
    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of one exchange, each borrowed on its own"
    )]
    async fn duplex(
        &self,
        ex: &mut Exchange,
        relay: Relay,
        upstream: &Upstream,
        connection: Connection,
        called: Instant,
        body: &mut impl RequestBody,
        to: &mut impl Responder,
    ) -> Ended {
        let limit = relay.request.timeout();
        let method = relay.request.method;
        let mut refused = None;
        let outcome = {
            let link = &connection;
            let progress = Cell::new(Instant::now());
            let mut pumping = pin!(pump(body, link, std::mem::take(&mut ex.stretch), &progress));
            let mut pumped = false;
            let outcome = {
                let mut answering = pin!(async {
                    match receive(&mut ex.reply, method, link, limit, &progress, &*to).await {
                        Ok(info) => {
                            let waited = called.elapsed();
                            Ok((self.respond(ex, relay, info, link, to).await, waited))
                        }
                        Err(error) => Err((relay, error)),
                    }
                });
                poll_fn(|cx| {
                    if !pumped && let Poll::Ready(done) = pumping.as_mut().poll(cx) {
                        pumped = true;
                        if let Err(error) = done {
                            // The upstream must not take what it has for the whole: it sees the connection break.
                            refused = Some(error);
                            link.transport.stream().shutdown();
                        }
                    }
                    answering.as_mut().poll(cx)
                })
                .await
            };
            if !pumped {
                // Nothing more is wanted of the caller. Reads in flight must end, not be dropped.
                to.stop_reading();
                link.transport.stream().shutdown();
                let _ = pumping.await;
            }
            outcome
        };
        match outcome {
            Ok((sent, waited)) => self.conclude(ex, sent, waited, body, upstream, connection),
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
        let answer = relay.reply(&mut self.ctx(&mut ex.scratch), Ok(&ex.reply));
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

    /// The end of a relayed exchange: count it, and keep the connection if it is at a message boundary.
    fn conclude(
        &self,
        ex: &mut Exchange,
        sent: Sent,
        waited: Duration,
        body: &impl RequestBody,
        upstream: &Upstream,
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
            self.worker.upstreams.release(upstream, connection);
        }
        ended(&sent.result, body)
    }

    /// Sends an answer the gateway made itself.
    async fn answer(
        &self,
        ex: &mut Exchange,
        answer: &Answer,
        body: &impl RequestBody,
        to: &mut impl Responder,
    ) -> Ended {
        let mut scratch = std::mem::take(&mut ex.scratch);
        let cx = self.ctx(&mut scratch);
        let bytes = answer.bytes(&cx);
        let framing = Framing::Length(bytes.len() as u64);
        let head = AnswerHead {
            status: answer.status,
            fields: answer.fields.of(cx.scratch),
            framing,
            date: &self.date,
        };
        let result = to.head(head, bytes).await;
        let counts = Counts {
            received: body.received(),
            sent: bytes.len() as u64,
            latency_us: micros(self.asking.began.elapsed()),
            integration_us: None,
            aborted: result.is_err(),
        };
        ex.scratch = scratch;
        self.record(ex, answer, counts);
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
        if let (Some(hints), Some(failure)) = (&self.worker.settings.hints, answer.failure()) {
            hints.say(&self.world, &record, &ex.request, *failure);
        }
    }

    /// Makes a call whose whole answer the engine needs.
    async fn call(&self, ex: &mut Exchange, call: Call) -> Result<Reply, CallError> {
        let limit = call.request.timeout();
        let connection =
            self.worker.upstreams.acquire(&call.upstream, Want::Checked, limit).await?;
        let mut nothing = NoBody;
        send(ex, &call.request, &connection, limit, &mut nothing).await?;
        let began = Cell::new(Instant::now());
        let info =
            receive(&mut ex.reply, call.request.method, &connection, limit, &began, &NobodyWaits)
                .await?;
        let status = ex.reply.status;
        let mut incoming = Incoming::new(info.framing);
        let mut buf = std::mem::take(&mut ex.reply.buf);
        buf.drain(..ex.reply.len);
        ex.reply.reset();
        let (mut end, mut next) = incoming.take(&mut buf, 0).map_err(|_| CallError::Network)?;
        connection.deadline.arm(limit, Expiry::Shutdown(connection.transport.stream().fd()));
        while !incoming.is_done() {
            if end > call.max_reply {
                return Err(CallError::Network);
            }
            buf.truncate(end);
            buf.reserve(4096);
            let (read, back) = connection.transport.read(buf).await;
            buf = back;
            match read {
                Ok(0) if incoming.ends_with_stream() => break,
                Ok(0) | Err(_) => return Err(failed(&connection)),
                Ok(_) => {
                    (end, next) = incoming.take(&mut buf, end).map_err(|_| CallError::Network)?
                }
            }
        }
        let clean = next == buf.len() && info.reusable;
        buf.truncate(end);
        let reply = Reply { status, body: buf };
        if clean && incoming.is_done() {
            self.worker.upstreams.release(&call.upstream, connection);
        }
        Ok(reply)
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

/// Sends a request's head and as much of its body as has arrived.
async fn send(
    ex: &mut Exchange,
    request: &Outgoing,
    connection: &Connection,
    limit: Duration,
    body: &mut impl RequestBody,
) -> Result<(), CallError> {
    ex.reply.buf.clear();
    ex.reply.reset();
    let mut out = std::mem::take(&mut ex.forward);
    out.clear();
    let target = request.target.of(&ex.scratch);
    write::write_request_line(&mut out, request.method.as_str().as_bytes(), target, None);
    write::finish_request(
        &mut out,
        request.fields.of(&ex.scratch),
        request.method,
        body.framing(),
        write::Connection::Implied,
    );
    body.buffered(&mut ex.request, &mut out)?;
    connection.deadline.arm(limit, Expiry::Shutdown(connection.transport.stream().fd()));
    let (written, out) = connection.transport.write_all(out).await;
    ex.forward = out;
    written.map_err(|_| failed(connection))
}

/// Waits for the head of the answer; skips interim ones.
///
/// # Errors
/// [`CallError::Timeout`] when the limit passes, [`CallError::Network`] when the connection breaks, what comes is no HTTP, or the
/// caller has gone.
async fn receive(
    reply: &mut Head,
    method: Method,
    connection: &Connection,
    limit: Duration,
    since: &Cell<Instant>,
    caller: &impl Responder,
) -> Result<ResponseInfo, CallError> {
    loop {
        if !reply.buf.is_empty() {
            match response::parse(reply, method, &Limits::RESPONSE) {
                Ok(Some(info)) if info.interim => {
                    let len = reply.len;
                    reply.consume(len);
                    continue;
                }
                Ok(Some(info)) => {
                    connection.deadline.disarm();
                    return Ok(info);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "upstream's answer is malformed");
                    return Err(CallError::Network);
                }
            }
        }
        let mut buf = std::mem::take(&mut reply.buf);
        if buf.capacity() - buf.len() < 1024 {
            buf.reserve(8 * 1024);
        }
        let (read, buf) =
            watch(connection.transport.read(buf), connection, limit, since, caller).await;
        reply.buf = buf;
        match read {
            Ok(0) | Err(_) if since.get().elapsed() >= limit => return Err(CallError::Timeout),
            Ok(0) | Err(_) => return Err(CallError::Network),
            Ok(_) => {}
        }
    }
}

/// Waits for a read from an upstream, and looks now and then whether anyone still waits for it: a caller that has gone ends the
/// call within 100 ms, without an operation of its own per request.
async fn watch<T>(
    reading: impl Future<Output = T>,
    connection: &Connection,
    limit: Duration,
    since: &Cell<Instant>,
    caller: &impl Responder,
) -> T {
    const LOOK: Duration = Duration::from_millis(100);
    let mut reading = pin!(reading);
    let mut armed = false;
    poll_fn(|cx| {
        if let Poll::Ready(done) = reading.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if armed && !connection.deadline.has_fired() {
            return Poll::Pending;
        }
        let left = limit.saturating_sub(since.get().elapsed());
        if armed && (left.is_zero() || caller.is_gone()) {
            // The read ends by itself, with what has arrived.
            connection.transport.stream().shutdown();
            return Poll::Pending;
        }
        armed = true;
        connection.deadline.arm_wake(left.min(LOOK), cx.waker().clone());
        Poll::Pending
    })
    .await
}

/// Sends the body of a request that is still arriving.
async fn pump(
    body: &mut impl RequestBody,
    connection: &Connection,
    mut buf: Vec<u8>,
    progress: &Cell<Instant>,
) -> Result<(), CallError> {
    let chunked = body.framing() == Framing::Chunked;
    loop {
        buf.clear();
        buf.resize(body::ROOM, 0);
        buf.reserve(STRETCH_BYTES);
        buf = body.next(buf).await?;
        if buf.len() == body::ROOM {
            if chunked {
                let (written, _) = connection.transport.write_all(LAST_CHUNK.to_vec()).await;
                written.map_err(|_| CallError::Network)?;
            }
            return Ok(());
        }
        let start = if chunked { body::frame(&mut buf) } else { body::ROOM };
        let end = buf.len();
        let (written, back) = connection.transport.write_range(buf, start, end).await;
        written.map_err(|_| CallError::Network)?;
        buf = back;
        // The upstream's time runs from the last it got.
        progress.set(Instant::now());
    }
}

/// Sends the head and streams the body of an upstream's answer. Returns whether the upstream sent more than it should have.
#[allow(clippy::too_many_arguments, reason = "the parts of one exchange, each borrowed on its own")]
async fn stream(
    reply: &mut Head,
    stretch: &mut Vec<u8>,
    head: AnswerHead<'_>,
    incoming: &mut Incoming,
    connection: &Connection,
    stall: Duration,
    to: &mut impl Responder,
    bytes: &mut u64,
) -> io::Result<bool> {
    let from = reply.len;
    let (end, next) = incoming.take(&mut reply.buf, from).map_err(io::Error::other)?;
    let mut unasked = next < reply.buf.len();
    *bytes = (end - from) as u64;
    to.head(head, &reply.buf[from..end]).await?;
    if incoming.is_done() {
        to.end().await?;
        return Ok(unasked);
    }
    let mut buf = std::mem::take(stretch);
    loop {
        buf.clear();
        buf.resize(body::ROOM, 0);
        buf.reserve(STRETCH_BYTES);
        connection.deadline.arm(stall, Expiry::Shutdown(connection.transport.stream().fd()));
        let (read, back) = connection.transport.read(buf).await;
        buf = back;
        if read? == 0 {
            if incoming.ends_with_stream() && !connection.deadline.has_fired() {
                break;
            }
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (end, next) = incoming.take(&mut buf, body::ROOM).map_err(io::Error::other)?;
        unasked = next < buf.len();
        buf.truncate(end);
        if end > body::ROOM {
            *bytes += (end - body::ROOM) as u64;
            let (sent, back) = to.data(buf).await;
            buf = back;
            sent?;
        }
        if incoming.is_done() {
            break;
        }
    }
    *stretch = buf;
    to.end().await?;
    Ok(unasked)
}

/// Why a connection failed: its deadline passed, or the network.
fn failed(connection: &Connection) -> CallError {
    if connection.deadline.has_fired() { CallError::Timeout } else { CallError::Network }
}

/// Methods that may be sent twice. Source: RFC 9110 section 9.2.2.
fn is_idempotent(method: Method) -> bool {
    matches!(method, Method::Get | Method::Head | Method::Options | Method::Put | Method::Delete)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The body of a call the engine makes.
struct NoBody;

impl RequestBody for NoBody {
    fn framing(&self) -> Framing {
        Framing::Empty
    }

    fn is_done(&self) -> bool {
        true
    }

    fn received(&self) -> u64 {
        0
    }

    fn buffered(&mut self, _: &mut Head, _: &mut Vec<u8>) -> Result<(), CallError> {
        Ok(())
    }

    async fn next(&mut self, buf: Vec<u8>) -> Result<Vec<u8>, CallError> {
        Ok(buf)
    }
}

/// The caller of a call the engine makes: the exchange itself, which does not go away.
struct NobodyWaits;

impl Responder for NobodyWaits {
    async fn head(&mut self, _: AnswerHead<'_>, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    async fn data(&mut self, buf: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
        (Ok(()), buf)
    }

    async fn end(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn is_gone(&self) -> bool {
        false
    }

    fn stop_reading(&self) {}
}
