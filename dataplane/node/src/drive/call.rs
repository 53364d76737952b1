//! One call to an upstream: the request goes out, the answer's head comes in, bodies stream.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tidegate_engine::head::{Head, Method};
use tidegate_engine::snapshot::World;
use tidegate_engine::{BodyError, Call, CallError, Opened, Outgoing, Relay, Reply, Streamed};

use super::{AnswerHead, RequestBody, Responder};
use crate::http::h1::body::{self, Incoming, ROOM};
use crate::http::h1::chunked::LAST_CHUNK;
use crate::http::h1::{Framing, Limits, ResponseInfo, response, write};
use crate::rt::Expiry;
use crate::upstream::{Connection, Want};
use crate::worker::Worker;
use crate::worker::exchange::{Exchange, STRETCH_BYTES};

/// Writes a request's head into `ex.forward`, and behind it what of the body has arrived.
///
/// # Errors
/// If the body is malformed or too large.
pub(super) fn prepare(
    ex: &mut Exchange,
    relay: &Relay,
    body: &mut impl RequestBody,
) -> Result<(), CallError> {
    let (out, request) = (&mut ex.forward, &relay.request);
    out.clear();
    let (target, fields) = (request.target.of(&ex.scratch), request.fields.of(&ex.scratch));
    write::write_request_line(out, request.method.as_str().as_bytes(), target, None);
    write::finish_request(out, fields, request.method, body.framing(), write::Connection::Implied);
    body.buffered(&mut ex.request, out)?;
    within(relay.max_body, body)
}

/// Whether what has come of a body is no more than it may be.
fn within(max_body: u64, body: &impl RequestBody) -> Result<(), CallError> {
    if body.received() > max_body { Err(CallError::RequestTooLarge) } else { Ok(()) }
}

/// Sends a prepared request that is complete, and waits for the head of the answer.
///
/// # Errors
/// As [`receive`].
pub(super) async fn call(
    ex: &mut Exchange,
    method: Method,
    connection: &Connection,
) -> Result<ResponseInfo, CallError> {
    ex.reply.buf.clear();
    ex.reply.reset();
    let (written, out) = connection.transport.write_all(std::mem::take(&mut ex.forward)).await;
    ex.forward = out;
    written.map_err(|_| CallError::Network)?;
    receive(&mut ex.reply, method, connection).await
}

/// Waits for the head of the answer; skips interim ones.
///
/// # Errors
/// [`CallError::Network`] when the connection breaks or what comes is no HTTP.
pub(super) async fn receive(
    reply: &mut Head,
    method: Method,
    connection: &Connection,
) -> Result<ResponseInfo, CallError> {
    let mut interim = 0;
    loop {
        if !reply.buf.is_empty() {
            match response::parse(reply, method, &Limits::RESPONSE) {
                Ok(Some(info)) if info.interim => {
                    interim += 1;
                    if interim > MAX_INTERIM {
                        return Err(CallError::Network);
                    }
                    let len = reply.len;
                    reply.consume(len);
                    continue;
                }
                Ok(Some(info)) => return Ok(info),
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
        let (read, buf) = connection.transport.read(buf).await;
        reply.buf = buf;
        if !matches!(read, Ok(1..)) {
            return Err(CallError::Network);
        }
    }
}

/// Waits for a call, and looks now and then whether its time has passed and whether anyone still waits for it: a caller that has
/// gone ends the call within 100 ms, without an operation of its own per request.
///
/// `since` is when the upstream's time began; it may be moved on meanwhile.
///
/// # Errors
/// [`CallError::Timeout`] when the limit passes, else the call's own.
pub(super) async fn watch(
    calling: impl Future<Output = Result<ResponseInfo, CallError>>,
    connection: &Connection,
    limit: Duration,
    since: &Cell<Instant>,
    caller: &impl Responder,
) -> Result<ResponseInfo, CallError> {
    const LOOK: Duration = Duration::from_millis(100);
    let mut calling = pin!(calling);
    let mut armed = false;
    let mut late = false;
    let got = poll_fn(|cx| {
        if let Poll::Ready(done) = calling.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if !armed {
            armed = true;
            connection.deadline.arm_wake(limit.min(LOOK), cx.waker().clone());
        } else if connection.deadline.has_fired() {
            let left = limit.saturating_sub(since.get().elapsed());
            late = left.is_zero();
            if late || caller.is_gone() {
                // What is under way ends by itself, with what has arrived.
                connection.transport.stream().shutdown();
                connection.deadline.disarm();
            } else {
                connection.deadline.arm_wake(left.min(LOOK), cx.waker().clone());
            }
        }
        Poll::Pending
    })
    .await;
    connection.deadline.disarm();
    got.map_err(|error| if late { CallError::Timeout } else { error })
}

/// Sends a prepared head, and behind it the rest of a body that is still arriving.
///
/// # Errors
/// If the body is malformed or too large, or either side has gone.
pub(super) async fn pump(
    body: &mut impl RequestBody,
    max_body: u64,
    connection: &Connection,
    head: Vec<u8>,
    mut buf: Vec<u8>,
    progress: &Cell<Instant>,
) -> Result<(), CallError> {
    let (written, _) = connection.transport.write_all(head).await;
    written.map_err(|_| CallError::Network)?;
    let chunked = body.framing() == Framing::Chunked;
    loop {
        buf.clear();
        buf.resize(body::ROOM, 0);
        buf.reserve(STRETCH_BYTES);
        buf = body.next(buf).await?;
        within(max_body, body)?;
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
pub(super) async fn stream(
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

/// Collects the whole body of a request.
///
/// # Errors
/// If the body is malformed or longer than `limit`, or the caller has gone.
pub(super) async fn gather(
    ex: &mut Exchange,
    body: &mut impl RequestBody,
    limit: u64,
) -> Result<Vec<u8>, BodyError> {
    let refused = |error| match error {
        CallError::RequestTooLarge => BodyError::TooLarge,
        _ => BodyError::Broken,
    };
    let mut whole = Vec::new();
    body.arrived(&mut ex.request, &mut whole).map_err(refused)?;
    let mut buf = std::mem::take(&mut ex.stretch);
    while !body.is_done() {
        buf.clear();
        buf.resize(body::ROOM, 0);
        buf.reserve(STRETCH_BYTES);
        buf = body.next(buf).await.map_err(refused)?;
        whole.extend_from_slice(&buf[body::ROOM..]);
        if whole.len() as u64 > limit {
            return Err(BodyError::TooLarge);
        }
    }
    ex.stretch = buf;
    Ok(whole)
}

/// Makes a call whose whole body is there, and waits for the head of its answer in `ex.reply`.
///
/// # Errors
/// As [`watch`].
async fn ask(
    worker: &Worker,
    world: &World,
    ex: &mut Exchange,
    wanted: Call,
    began: &Cell<Instant>,
    caller: &impl Responder,
) -> Result<(Connection, ResponseInfo), CallError> {
    let (limit, method) = (wanted.request.timeout(), wanted.request.method);
    let later = write_whole(ex, &wanted.request, wanted.body);
    let targets = world.targets(&wanted.upstream);
    let connection =
        worker.upstreams.acquire(&wanted.upstream, targets, Want::Checked, limit).await?;
    let calling = async {
        ex.reply.buf.clear();
        ex.reply.reset();
        let (written, out) = connection.transport.write_all(std::mem::take(&mut ex.forward)).await;
        ex.forward = out;
        written.map_err(|_| CallError::Network)?;
        if !later.is_empty() {
            let (written, _) = connection.transport.write_all(later).await;
            written.map_err(|_| CallError::Network)?;
        }
        receive(&mut ex.reply, method, &connection).await
    };
    let info = watch(calling, &connection, limit, began, caller).await?;
    Ok((connection, info))
}

/// An answer that is read while it is passed on.
pub(super) struct Open {
    pub(super) connection: Connection,
    incoming: Incoming,
    reusable: bool,
}

impl Open {
    /// Reads the next bytes of the answer, without its framing; none at its end.
    ///
    /// # Errors
    /// If the connection broke, or what comes is no HTTP.
    async fn next(&mut self, mut buf: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        loop {
            buf.clear();
            if self.incoming.is_done() {
                return (Ok(0), buf);
            }
            buf.reserve(STRETCH_BYTES);
            let (read, back) = self.connection.transport.read(buf).await;
            buf = back;
            match read {
                Ok(1..) => {}
                // A deadline shuts the socket down, which looks like an end.
                Ok(_) if self.connection.deadline.has_fired() => {
                    return (Err(io::ErrorKind::TimedOut.into()), buf);
                }
                Ok(_) if self.incoming.ends_with_stream() => return (Ok(0), buf),
                Ok(_) => return (Err(io::ErrorKind::UnexpectedEof.into()), buf),
                Err(error) => return (Err(error), buf),
            }
            let (end, next) = match self.incoming.take(&mut buf, 0) {
                Ok(taken) => taken,
                Err(error) => return (Err(io::Error::other(error)), buf),
            };
            self.reusable &= next == buf.len();
            buf.truncate(end);
            // What was framing alone is no end.
            if end > 0 {
                return (Ok(end), buf);
            }
        }
    }

    /// Whether the connection stands at a message boundary.
    pub(super) fn is_reusable(&self) -> bool {
        self.reusable && self.incoming.is_done()
    }
}

/// Makes a call and reads its answer until it is known what the caller's begins with, all within the call's time.
///
/// # Errors
/// As [`watch`].
pub(super) async fn open(
    worker: &Worker,
    world: &World,
    ex: &mut Exchange,
    wanted: Call,
    caller: &impl Responder,
) -> Result<(Opened, Box<Open>), CallError> {
    let limit = wanted.request.timeout();
    let began = Cell::new(Instant::now());
    let (connection, info) = ask(worker, world, ex, wanted, &began, caller).await?;
    let (reusable, incoming) = (info.reusable, Incoming::new(info.framing));
    let mut open = Box::new(Open { connection, incoming, reusable });
    let mut body = Streamed::new(&ex.reply);
    let from = ex.reply.len;
    let taken = open.incoming.take(&mut ex.reply.buf, from);
    let (end, next) = taken.map_err(|_| CallError::Network)?;
    open.reusable &= next == ex.reply.buf.len();
    body.read(&ex.reply.buf[from..end]);
    let left = limit.saturating_sub(began.get().elapsed());
    let fd = open.connection.transport.stream().fd();
    open.connection.deadline.arm(left, Expiry::Shutdown(fd));
    while !body.is_open() {
        let (read, buf) = open.next(std::mem::take(&mut ex.stretch)).await;
        match read {
            Ok(0) => body.finish(),
            Ok(_) => body.read(&buf),
            Err(_) if open.connection.deadline.has_fired() => return Err(CallError::Timeout),
            Err(_) => return Err(CallError::Network),
        }
        ex.stretch = buf;
    }
    open.connection.deadline.disarm();
    Ok((Opened { body }, open))
}

/// Sends the head of a streamed answer and passes its body on as it comes: the next stretch is read when the caller has taken the
/// one before.
pub(super) async fn pass(
    stretch: &mut Vec<u8>,
    head: AnswerHead<'_>,
    body: &mut Streamed,
    open: &mut Open,
    stall: Duration,
    to: &mut impl Responder,
    bytes: &mut u64,
) -> io::Result<()> {
    let mut out = Vec::new();
    body.drain(&mut out);
    *bytes = out.len() as u64;
    to.head(head, &out).await?;
    let mut buf = std::mem::take(stretch);
    loop {
        if let Some(outcome) = body.outcome() {
            outcome.map_err(io::Error::other)?;
            *stretch = buf;
            return to.end().await;
        }
        let fd = open.connection.transport.stream().fd();
        open.connection.deadline.arm(stall, Expiry::Shutdown(fd));
        let (read, back) = open.next(buf).await;
        buf = back;
        match read? {
            0 => body.finish(),
            _ => body.read(&buf),
        }
        out.clear();
        out.resize(ROOM, 0);
        body.drain(&mut out);
        if out.len() > ROOM {
            *bytes += (out.len() - ROOM) as u64;
            let (sent, back) = to.data(out).await;
            out = back;
            sent?;
        }
    }
}

/// Makes a call whose whole answer the engine needs.
///
/// # Errors
/// As [`watch`]; [`CallError::ReplyTooLarge`] when the answer is longer than it may be.
pub(super) async fn collect(
    worker: &Worker,
    world: &World,
    ex: &mut Exchange,
    wanted: Call,
    caller: &impl Responder,
) -> Result<Reply, CallError> {
    let (limit, max_reply) = (wanted.request.timeout(), wanted.max_reply);
    let began = Cell::new(Instant::now());
    let (connection, info) = ask(worker, world, ex, wanted, &began, caller).await?;
    if info.length.is_some_and(|length| length > max_reply as u64) {
        return Err(CallError::ReplyTooLarge);
    }
    let mut head = std::mem::take(&mut ex.reply);
    let mut incoming = Incoming::new(info.framing);
    let mut buf = head.buf.split_off(head.len);
    let (mut end, mut next) = incoming.take(&mut buf, 0).map_err(|_| CallError::Network)?;
    let left = limit.saturating_sub(began.get().elapsed());
    connection.deadline.arm(left, Expiry::Shutdown(connection.transport.stream().fd()));
    while !incoming.is_done() {
        if end > max_reply {
            return Err(CallError::ReplyTooLarge);
        }
        buf.truncate(end);
        buf.reserve(4096);
        let (read, back) = connection.transport.read(buf).await;
        buf = back;
        match read {
            Ok(0) if incoming.ends_with_stream() && !connection.deadline.has_fired() => break,
            Ok(0) | Err(_) if connection.deadline.has_fired() => return Err(CallError::Timeout),
            Ok(0) | Err(_) => return Err(CallError::Network),
            Ok(_) => (end, next) = incoming.take(&mut buf, end).map_err(|_| CallError::Network)?,
        }
    }
    if end > max_reply {
        return Err(CallError::ReplyTooLarge);
    }
    let clean = next == buf.len() && info.reusable && incoming.is_done();
    buf.truncate(end);
    if clean {
        worker.upstreams.release(connection);
    }
    Ok(Reply { head, body: buf })
}

/// Writes a request whose body is there into `ex.forward`, and returns what is to follow it: a long body is not copied.
fn write_whole(ex: &mut Exchange, request: &Outgoing, body: Vec<u8>) -> Vec<u8> {
    const LONG: usize = 16 * 1024;
    let out = &mut ex.forward;
    out.clear();
    let (target, fields) = (request.target.of(&ex.scratch), request.fields.of(&ex.scratch));
    write::write_request_line(out, request.method.as_str().as_bytes(), target, None);
    let framing = if body.is_empty() { Framing::Empty } else { Framing::Length(body.len() as u64) };
    write::finish_request(out, fields, request.method, framing, write::Connection::Implied);
    if body.len() > LONG {
        return body;
    }
    out.extend_from_slice(&body);
    Vec::new()
}

/// Interim answers to one request. Nobody sends more than a few; an endless row of them would keep a worker busy.
const MAX_INTERIM: u32 = 32;
