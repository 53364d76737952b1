//! A caller's HTTP/2 connection: accepts streams, hands each to the exchange in a task of its own, watches over their number.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tidegate_engine::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::stream::{Body, Caller};
use super::{RequestInfo, read_head};
use crate::drive::{self, Asking, Ended};
use crate::http::h1::Framing;
use crate::http::h1::serve::linger;
use crate::rt::deadline::now_ms;
use crate::rt::{self, Expiry, PollStream, Stream};
use crate::worker::Worker;
use crate::worker::accept::{ListenerSettings, Open};
use crate::worker::exchange::Exchange;

/// Streams of a connection that are served at once, whether the caller has given them up or not: a slot is free when its work
/// ends, so that resets buy nothing (CVE-2023-44487, CVE-2025-8671).
const STREAMS: u32 = 128;

/// Streams a caller may reset within [`RESET_WINDOW_MS`] before the connection ends.
const RESETS: u32 = 100;
const RESET_WINDOW_MS: u64 = 10_000;

/// How often a connection looks whether it is idle or to be drained.
const TICK: Duration = Duration::from_secs(1);

/// Serves a connection whose first bytes are those of an HTTP/2 preface.
pub(crate) async fn connection(
    open: Open,
    stream: Stream,
    peer: SocketAddr,
    settings: Rc<ListenerSettings>,
    first: Vec<u8>,
) {
    let worker = open.0.clone();
    let deadline = worker.deadlines.deadline();
    let io = Replayed { first, at: 0, inner: stream.clone().into_poll() };
    deadline.arm(worker.settings.limits.head, Expiry::Shutdown(stream.fd()));
    let Ok(connection) = builder().handshake::<_, Bytes>(io).await else { return };
    deadline.disarm();
    let mut served = Served {
        connection,
        peer,
        settings,
        count: Rc::default(),
        active: now_ms(),
        draining: false,
    };
    // Ends by itself, by a protocol error or by the caller's leave; there is nobody to tell.
    let _ = poll_fn(|cx| served.poll(&worker, &deadline, cx)).await;
    drop(served);
    // Why it ended is lost to the caller if bytes of its own reset the connection.
    stream.shutdown_write();
    linger(&stream, &deadline).await;
}

/// Every limit there is.
fn builder() -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    builder
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(32 * 1024)
        .header_table_size(4096)
        .max_frame_size(16 * 1024)
        .initial_window_size(64 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .max_send_buffer_size(64 * 1024)
        .max_concurrent_reset_streams(20)
        .reset_stream_duration(Duration::from_secs(10))
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(Some(64))
        .data_frame_budget(256 * 1024);
    builder
}

/// What a connection's streams have in common.
#[derive(Default)]
struct Count {
    active: Cell<u32>,
    resets: Cell<u32>,
    /// Start of the window resets are counted in, milliseconds.
    window: Cell<u64>,
    /// The connection, when it waits for a stream to end.
    waker: RefCell<Option<Waker>>,
}

impl Count {
    /// Notes that the caller gave a stream up.
    fn reset(&self) {
        let now = now_ms();
        if now.saturating_sub(self.window.get()) > RESET_WINDOW_MS {
            self.window.set(now);
            self.resets.set(0);
        }
        self.resets.set(self.resets.get() + 1);
    }
}

/// A stream's place in the count, for as long as its work goes on.
struct Slot(Rc<Count>);

impl Slot {
    fn take(count: &Rc<Count>) -> Self {
        count.active.set(count.active.get() + 1);
        Self(count.clone())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get() - 1);
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }
}

struct Served {
    connection: Connection<Replayed, Bytes>,
    peer: SocketAddr,
    settings: Rc<ListenerSettings>,
    count: Rc<Count>,
    /// When a stream was last under way.
    active: u64,
    draining: bool,
}

impl Served {
    fn poll(
        &mut self,
        worker: &Rc<Worker>,
        deadline: &rt::Deadline,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), h2::Error>> {
        deadline.arm_wake(TICK.min(worker.settings.limits.idle), cx.waker().clone());
        *self.count.waker.borrow_mut() = Some(cx.waker().clone());
        if worker.is_draining() && !self.draining {
            self.draining = true;
            // Two GOAWAYs: streams that are on their way are still served.
            self.connection.graceful_shutdown();
        }
        if self.count.resets.get() > RESETS {
            self.connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        }
        loop {
            if self.count.active.get() >= STREAMS {
                // No new work; frames of the streams under way still come and go.
                return self.connection.poll_closed(cx);
            }
            match self.connection.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => self.start(worker, request, respond),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => break,
            }
        }
        let now = now_ms();
        if self.count.active.get() > 0 {
            self.active = now;
        } else if now.saturating_sub(self.active) >= worker.settings.limits.idle.as_millis() as u64
        {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    fn start(
        &mut self,
        worker: &Rc<Worker>,
        request: Request<RecvStream>,
        respond: SendResponse<Bytes>,
    ) {
        self.active = now_ms();
        let slot = Slot::take(&self.count);
        let (worker, settings, peer) = (worker.clone(), self.settings.clone(), self.peer);
        rt::spawn(async move {
            let mut ex = worker.lend();
            let facts = &settings.facts;
            Box::pin(exchange(&worker, facts, peer, request, respond, &slot, &mut ex)).await;
            worker.give_back(ex);
        });
    }
}

/// Serves one stream.
async fn exchange(
    worker: &Rc<Worker>,
    facts: &Listener,
    peer: SocketAddr,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    slot: &Slot,
    ex: &mut Exchange,
) {
    let (parts, incoming) = request.into_parts();
    let info = match read_head(&parts, incoming.is_end_stream(), &mut ex.request) {
        Ok(info) => info,
        Err(error) => {
            tracing::debug!(%error, %peer, "request refused");
            refuse(&mut respond, error.status());
            worker.metrics.borrow_mut().count_refused(error.status());
            return;
        }
    };
    drop(parts);
    let RequestInfo { framing, expect_continue } = info;
    if expect_continue {
        // A caller that has gone meanwhile is noticed with the next operation.
        let mut interim = Response::new(());
        *interim.status_mut() = http::StatusCode::CONTINUE;
        let _ = respond.send_informational(interim);
    }
    let asking = Asking { peer: peer.ip(), listener: facts, began: Instant::now() };
    let stall = worker.settings.limits.stall;
    let stopped = Cell::new(false);
    let mut body = Body::new(
        (framing != Framing::Empty).then_some(incoming),
        framing,
        facts.max_body,
        stall,
        worker.deadlines.deadline(),
        &stopped,
    );
    let is_head = ex.request.method == tidegate_engine::head::Method::Head;
    let mut caller = Caller::new(respond, is_head, stall, worker.deadlines.deadline(), &stopped);
    let ended = drive::exchange(worker, asking, ex, &mut body, &mut caller).await;
    if ended == Ended::Broken && caller.give_up() {
        slot.0.reset();
    }
    // A body that was not read to its end is given up with `body`: the crate resets its stream with NO_ERROR once the answer is out.
}

/// Answers what is no request the engine could see.
fn refuse(respond: &mut SendResponse<Bytes>, status: u16) {
    let message = crate::http::h1::write::reason(status);
    let body = format!("{{\"message\":\"{message}\"}}");
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .header("x-amzn-errortype", "BadRequestException")
        .body(());
    let Ok(response) = response else { return };
    if let Ok(mut stream) = respond.send_response(response, false) {
        let _ = stream.send_data(body.into(), true);
    }
}

/// A socket some of whose bytes were read before anyone knew what they are.
struct Replayed {
    first: Vec<u8>,
    at: usize,
    inner: PollStream,
}

impl AsyncRead for Replayed {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.at < this.first.len() {
            let bytes = buf.remaining().min(this.first.len() - this.at);
            buf.put_slice(&this.first[this.at..this.at + bytes]);
            this.at += bytes;
            if this.at == this.first.len() {
                (this.first, this.at) = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Replayed {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
