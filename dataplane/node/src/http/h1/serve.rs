//! A caller's HTTP/1.1 connection: reads requests, hands them to the exchange, writes answers.

use std::cell::{Cell, OnceCell};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tidegate_engine::head::{Head, Method, Version};
use tidegate_engine::{CallError, Listener};

use super::body::{self, Incoming};
use super::chunked::{self, LAST_CHUNK};
use super::write::{self, Connection};
use super::{Framing, Limits, RequestError, RequestInfo, request};
use crate::drive::{self, AnswerHead, Asking, Ended, RequestBody, Responder};
use crate::rt::{Deadline, Expiry, Stream};
use crate::worker::Worker;
use crate::worker::exchange::Exchange;

/// What becomes of a connection when it has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It waits for another request.
    Idle,
    /// It is closed.
    Close,
}

/// Serves what a connection has sent, `first` and what comes behind it, until nothing of a next request is there.
pub async fn active(
    worker: &Rc<Worker>,
    stream: &Stream,
    deadline: &Deadline,
    peer: SocketAddr,
    facts: &Listener,
    first: &[u8],
) -> Next {
    let mut ex = worker.lend();
    ex.request.buf.extend_from_slice(first);
    let next = requests(worker, stream, deadline, peer, facts, &mut ex).await;
    worker.give_back(ex);
    next
}

async fn requests(
    worker: &Rc<Worker>,
    stream: &Stream,
    deadline: &Deadline,
    peer: SocketAddr,
    facts: &Listener,
    ex: &mut Exchange,
) -> Next {
    loop {
        let info = match read_head(worker, stream, deadline, ex).await {
            Ok(info) => info,
            Err(Stop::Gone) => return Next::Close,
            Err(Stop::Late) => {
                refuse(stream, ex, 408, deadline, worker).await;
                return Next::Close;
            }
            Err(Stop::Bad(error)) => {
                tracing::debug!(%error, %peer, "request refused");
                refuse(stream, ex, error.status(), deadline, worker).await;
                linger(stream, deadline).await;
                return Next::Close;
            }
        };
        let asking = Asking { peer: peer.ip(), listener: facts, began: Instant::now() };
        let keep = info.keep_alive && !worker.is_draining();
        let stall = worker.settings.limits.stall;
        let reading = Reading { worker, deadline: OnceCell::new(), stopped: Cell::new(false) };
        let mut body = CallerBody {
            stream,
            reading: &reading,
            stall,
            incoming: Incoming::new(info.framing),
            framing: info.framing,
            limit: facts.max_body,
            wants_continue: info.expect_continue,
            behind: Vec::new(),
            refused: false,
        };
        let mut caller = Caller {
            stream,
            deadline,
            reading: &reading,
            stall,
            version: ex.request.version,
            is_head: ex.request.method == Method::Head,
            // What the exchange finds out, too late for the head, ends the connection all the same.
            connection: connection(keep, ex.request.version),
            out: std::mem::take(&mut ex.out),
            framing: Framing::Empty,
        };
        let ended = drive::exchange(worker, asking, ex, &mut body, &mut caller).await;
        deadline.disarm();
        let closes = caller.connection == Connection::Close;
        ex.out = caller.out;
        match ended {
            Ended::Cleanly if !closes && worker.is_draining() => return Next::Close,
            Ended::Cleanly if !closes => {
                let CallerBody { behind, .. } = body;
                let len = ex.request.len;
                ex.request.consume(len);
                ex.request.buf.extend_from_slice(&behind);
                if ex.request.buf.is_empty() {
                    return Next::Idle;
                }
            }
            Ended::Cleanly | Ended::Early => {
                // Closing with unread bytes resets the connection, and the caller may lose the answer.
                stream.shutdown_write();
                linger(stream, deadline).await;
                return Next::Close;
            }
            Ended::Broken => {
                stream.set_linger_zero();
                return Next::Close;
            }
        }
    }
}

fn connection(keep: bool, version: Version) -> Connection {
    match (keep, version) {
        (false, _) => Connection::Close,
        (true, Version::Http10) => Connection::KeepAlive,
        (true, _) => Connection::Implied,
    }
}

enum Stop {
    /// The caller has left.
    Gone,
    /// A head began and did not end in time.
    Late,
    /// What came is no request.
    Bad(RequestError),
}

/// Reads one request head, of which some bytes are there.
async fn read_head(
    worker: &Worker,
    stream: &Stream,
    deadline: &Deadline,
    ex: &mut Exchange,
) -> Result<RequestInfo, Stop> {
    let mut armed = false;
    loop {
        match request::parse(&mut ex.request, &Limits::REQUEST) {
            Ok(Some(info)) => {
                if armed {
                    deadline.disarm();
                }
                return Ok(info);
            }
            Ok(None) => {}
            Err(error) => return Err(Stop::Bad(error)),
        }
        if !armed {
            // One limit for the whole head: a byte now and then does not extend it.
            deadline.arm(worker.settings.limits.head, Expiry::ShutdownRead(stream.fd()));
            armed = true;
        }
        let mut buf = std::mem::take(&mut ex.request.buf);
        if buf.capacity() - buf.len() < 1024 {
            buf.reserve(8 * 1024);
        }
        let (read, buf) = stream.read(buf).await;
        ex.request.buf = buf;
        match read {
            Ok(0) if deadline.has_fired() => return Err(Stop::Late),
            Ok(0) | Err(_) => return Err(Stop::Gone),
            Ok(_) => {}
        }
    }
}

/// Answers what is no request the engine could see.
async fn refuse(
    stream: &Stream,
    ex: &mut Exchange,
    status: u16,
    deadline: &Deadline,
    worker: &Worker,
) {
    let (_, date) = worker.now();
    let message = write::reason(status);
    let body = format!("{{\"message\":\"{message}\"}}");
    let mut out = std::mem::take(&mut ex.out);
    out.clear();
    write::write_status_line(&mut out, status);
    date_line(&mut out, &date);
    let fields = b"Content-Type: application/json\r\nx-amzn-ErrorType: BadRequestException\r\n";
    write::finish_response(
        &mut out,
        fields,
        status,
        Framing::Length(body.len() as u64),
        Connection::Close,
    );
    out.extend_from_slice(body.as_bytes());
    deadline.arm(worker.settings.limits.stall, Expiry::Shutdown(stream.fd()));
    let (_, out) = stream.write_all(out).await;
    ex.out = out;
    stream.shutdown_write();
    worker.metrics.borrow_mut().count_refused(status);
}

/// Reads and drops what a caller still sends, for a second or 64 KiB, so that it sees the answer before the connection ends.
pub(crate) async fn linger(stream: &Stream, deadline: &Deadline) {
    deadline.arm(DISCARD_LIMIT, Expiry::Shutdown(stream.fd()));
    let mut buf = Vec::with_capacity(16 * 1024);
    let mut dropped = 0;
    while dropped < MAX_DISCARD {
        buf.clear();
        let (read, back) = stream.read(buf).await;
        buf = back;
        match read {
            Ok(bytes @ 1..) => dropped += bytes as u64,
            Ok(0) | Err(_) => break,
        }
    }
    deadline.disarm();
}

fn date_line(out: &mut Vec<u8>, date: &[u8; 29]) {
    out.extend_from_slice(b"Date: ");
    out.extend_from_slice(date);
    out.extend_from_slice(b"\r\n");
}

/// Reading a body, apart from writing the answer: both may be under way at once, each with its own time limit.
struct Reading<'a> {
    worker: &'a Worker,
    /// Taken with the first wait: most bodies arrive with their heads.
    deadline: OnceCell<Deadline>,
    /// Whether nobody wants more of the body.
    stopped: Cell<bool>,
}

impl Reading<'_> {
    fn deadline(&self) -> &Deadline {
        self.deadline.get_or_init(|| self.worker.deadlines.deadline())
    }

    /// Waits for something to read; false when the limit has passed or the body is wanted no more. Readiness is waited for rather
    /// than bytes, because such a wait ends without shutting the socket down, which must still be drained.
    async fn ready(&self, stream: &Stream, limit: Duration) -> bool {
        let deadline = self.deadline();
        let mut readable = pin!(stream.readable());
        let mut armed = false;
        let ready = poll_fn(|cx| {
            if self.stopped.get() {
                return Poll::Ready(false);
            }
            if let Poll::Ready(done) = readable.as_mut().poll(cx) {
                return Poll::Ready(done.is_ok());
            }
            if !armed {
                armed = true;
                deadline.arm_wake(limit, cx.waker().clone());
            }
            if deadline.has_fired() { Poll::Ready(false) } else { Poll::Pending }
        })
        .await;
        deadline.disarm();
        ready
    }
}

/// The body of a caller's request.
struct CallerBody<'a> {
    stream: &'a Stream,
    reading: &'a Reading<'a>,
    stall: Duration,
    incoming: Incoming,
    framing: Framing,
    /// Most payload bytes it may have.
    limit: u64,
    wants_continue: bool,
    /// Bytes of the next request that came with the last of this one.
    behind: Vec<u8>,
    /// Whether it was refused: then it has no end, and nothing behind it is a request.
    refused: bool,
}

impl CallerBody<'_> {
    /// Gives the body up: where it ends will not be known.
    fn refuse(&mut self) -> CallError {
        self.refused = true;
        CallError::BadRequestBody
    }

    /// Takes what was received behind the request's head and gives it to `put`, with whether it is all.
    fn received_with(
        &mut self,
        request: &mut Head,
        put: impl FnOnce(&[u8], bool),
    ) -> Result<(), CallError> {
        let from = request.len;
        if self.is_done() || request.buf.len() == from {
            return Ok(());
        }
        let (end, next) = self.take(&mut request.buf, from)?;
        put(&request.buf[from..end], self.is_done());
        self.wants_continue = false;
        // What is left in the buffer is the next request's, or nothing.
        request.buf.drain(from..next);
        Ok(())
    }

    /// Takes what was received into `buf` from `from` on; see [`Incoming::take`].
    fn take(&mut self, buf: &mut [u8], from: usize) -> Result<(usize, usize), CallError> {
        let taken = match self.incoming.take(buf, from) {
            Ok(_) if self.incoming.received() > self.limit => Err(CallError::RequestTooLarge),
            Ok(found) => Ok(found),
            Err(_) => Err(CallError::BadRequestBody),
        };
        self.refused |= taken.is_err();
        taken
    }
}

impl RequestBody for CallerBody<'_> {
    fn framing(&self) -> Framing {
        self.framing
    }

    fn is_done(&self) -> bool {
        self.incoming.is_done() && !self.refused
    }

    fn received(&self) -> u64 {
        self.incoming.received()
    }

    fn arrived(&mut self, request: &mut Head, out: &mut Vec<u8>) -> Result<(), CallError> {
        self.received_with(request, |payload, _| out.extend_from_slice(payload))
    }

    fn buffered(&mut self, request: &mut Head, out: &mut Vec<u8>) -> Result<(), CallError> {
        if self.framing != Framing::Chunked {
            return self.arrived(request, out);
        }
        self.received_with(request, |payload, is_done| {
            if !payload.is_empty() {
                chunked::encode(payload, out);
            }
            if is_done {
                out.extend_from_slice(LAST_CHUNK);
            }
        })
    }

    async fn next(&mut self, mut buf: Vec<u8>) -> Result<Vec<u8>, CallError> {
        if self.wants_continue {
            self.wants_continue = false;
            let deadline = self.reading.deadline();
            deadline.arm(self.stall, Expiry::Shutdown(self.stream.fd()));
            let (written, _) = self.stream.write_all(write::CONTINUE.to_vec()).await;
            deadline.disarm();
            written.map_err(|_| self.refuse())?;
        }
        while !self.is_done() && buf.len() == body::ROOM {
            if !self.reading.ready(self.stream, self.stall).await {
                return Err(self.refuse());
            }
            let (read, back) = self.stream.read(buf).await;
            buf = back;
            if !matches!(read, Ok(1..)) {
                return Err(self.refuse());
            }
            let (end, next) = self.take(&mut buf, body::ROOM)?;
            self.behind.extend_from_slice(&buf[next..]);
            buf.truncate(end);
        }
        Ok(buf)
    }

    fn is_short(&self) -> bool {
        // Who waits for `100 Continue` may never send it.
        let most = MAX_DISCARD.min(self.limit.saturating_sub(self.received()));
        let short = self.incoming.left().is_some_and(|left| left <= most);
        short && !self.wants_continue && !self.refused
    }

    async fn discard(&mut self) {
        let began = Instant::now();
        self.stall = self.stall.min(DISCARD_LIMIT);
        let mut buf = Vec::with_capacity(16 * 1024);
        while !self.is_done() && began.elapsed() < DISCARD_LIMIT {
            buf.clear();
            buf.resize(body::ROOM, 0);
            match self.next(buf).await {
                Ok(back) => buf = back,
                Err(_) => return,
            }
        }
    }
}

/// The most of a body that is read and dropped behind an answer that did not need it, and the longest that may take.
const MAX_DISCARD: u64 = 64 * 1024;
const DISCARD_LIMIT: Duration = Duration::from_secs(1);

/// Where answers go.
struct Caller<'a> {
    stream: &'a Stream,
    deadline: &'a Deadline,
    reading: &'a Reading<'a>,
    stall: Duration,
    version: Version,
    is_head: bool,
    connection: Connection,
    out: Vec<u8>,
    /// How the answer's body is framed.
    framing: Framing,
}

impl Responder for Caller<'_> {
    async fn head(&mut self, head: AnswerHead<'_>, first: &[u8]) -> io::Result<()> {
        self.framing = match head.framing {
            // A caller that knows no chunks reads until the connection ends.
            Framing::Chunked | Framing::UntilClose if self.version == Version::Http10 => {
                Framing::UntilClose
            }
            Framing::UntilClose => Framing::Chunked,
            other => other,
        };
        if head.last || (self.framing == Framing::UntilClose && !self.is_head) {
            self.connection = Connection::Close;
        }
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        write::write_status_line(&mut out, head.status);
        date_line(&mut out, head.date);
        write::finish_response(&mut out, head.fields, head.status, self.framing, self.connection);
        if !self.is_head && !first.is_empty() {
            if self.framing == Framing::Chunked {
                chunked::encode(first, &mut out);
            } else {
                out.extend_from_slice(first);
            }
        }
        self.deadline.arm(self.stall, Expiry::Shutdown(self.stream.fd()));
        let (written, out) = self.stream.write_all(out).await;
        self.out = out;
        written
    }

    async fn data(&mut self, mut buf: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
        let start =
            if self.framing == Framing::Chunked { body::frame(&mut buf) } else { body::ROOM };
        let end = buf.len();
        self.deadline.arm(self.stall, Expiry::Shutdown(self.stream.fd()));
        self.stream.write_range(buf, start, end).await
    }

    async fn end(&mut self) -> io::Result<()> {
        if self.framing == Framing::Chunked && !self.is_head {
            let (written, _) = self.stream.write_all(LAST_CHUNK.to_vec()).await;
            return written;
        }
        Ok(())
    }

    fn is_gone(&self) -> bool {
        self.stream.is_gone()
    }

    fn stop_reading(&self) {
        self.reading.stopped.set(true);
    }
}
