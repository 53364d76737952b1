//! The two sides of one HTTP/2 stream, as the exchange sees them: the request's body, and where the answer goes.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use tidegate_engine::CallError;
use tidegate_engine::head::Head;

use crate::drive::{AnswerHead, RequestBody, Responder};
use crate::http::h1::Framing;
use crate::http::h1::body::ROOM;
use crate::rt::Deadline;

/// The body of a stream's request.
pub(super) struct Body<'a> {
    /// `None` once it has been received to its end.
    incoming: Option<RecvStream>,
    framing: Framing,
    received: u64,
    limit: u64,
    stall: Duration,
    deadline: Deadline,
    stopped: &'a Cell<bool>,
    /// Bytes handed on and not yet given back to flow control: that happens when they have been written upstream.
    held: usize,
}

impl<'a> Body<'a> {
    pub(super) fn new(
        incoming: Option<RecvStream>,
        framing: Framing,
        limit: u64,
        stall: Duration,
        deadline: Deadline,
        stopped: &'a Cell<bool>,
    ) -> Self {
        Self { incoming, framing, received: 0, limit, stall, deadline, stopped, held: 0 }
    }
}

impl RequestBody for Body<'_> {
    fn framing(&self) -> Framing {
        self.framing
    }

    fn is_done(&self) -> bool {
        self.incoming.is_none()
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn arrived(&mut self, _: &mut Head, _: &mut Vec<u8>) -> Result<(), CallError> {
        Ok(())
    }

    fn buffered(&mut self, _: &mut Head, _: &mut Vec<u8>) -> Result<(), CallError> {
        Ok(())
    }

    async fn next(&mut self, mut buf: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let Some(incoming) = &mut self.incoming else { return Ok(buf) };
        if self.held > 0 {
            let held = std::mem::take(&mut self.held);
            incoming
                .flow_control()
                .release_capacity(held)
                .map_err(|_| CallError::BadRequestBody)?;
        }
        let mut armed = false;
        let (deadline, stall, stopped) = (&self.deadline, self.stall, self.stopped);
        let got = poll_fn(|cx| {
            if stopped.get() {
                return Poll::Ready(Err(CallError::BadRequestBody));
            }
            loop {
                match incoming.poll_data(cx) {
                    // Empty frames are the crate's to limit.
                    Poll::Ready(Some(Ok(data))) if data.is_empty() && !incoming.is_end_stream() => {
                    }
                    Poll::Ready(Some(Ok(data))) => return Poll::Ready(Ok(Some(data))),
                    Poll::Ready(Some(Err(_))) => {
                        return Poll::Ready(Err(CallError::BadRequestBody));
                    }
                    Poll::Ready(None) => return Poll::Ready(Ok(None)),
                    Poll::Pending => break,
                }
            }
            if !armed {
                armed = true;
                deadline.arm_wake(stall, cx.waker().clone());
            }
            if deadline.has_fired() {
                return Poll::Ready(Err(CallError::BadRequestBody));
            }
            Poll::Pending
        })
        .await;
        self.deadline.disarm();
        match got? {
            Some(data) => {
                self.held = data.len();
                self.received += data.len() as u64;
                if self.received > self.limit {
                    return Err(CallError::RequestTooLarge);
                }
                buf.extend_from_slice(&data);
                if data.is_empty() {
                    self.incoming = None;
                }
            }
            None => self.incoming = None,
        }
        Ok(buf)
    }

    fn is_short(&self) -> bool {
        // The stream ends with its answer; nothing behind it waits for the rest.
        false
    }

    async fn discard(&mut self) {}
}

/// Where a stream's answer goes.
pub(super) struct Caller<'a> {
    respond: RefCell<SendResponse<Bytes>>,
    stream: RefCell<Option<SendStream<Bytes>>>,
    is_head: bool,
    stall: Duration,
    deadline: Deadline,
    stopped: &'a Cell<bool>,
    /// Payload bytes still to send, where that is known.
    left: Option<u64>,
    ended: bool,
}

impl<'a> Caller<'a> {
    pub(super) fn new(
        respond: SendResponse<Bytes>,
        is_head: bool,
        stall: Duration,
        deadline: Deadline,
        stopped: &'a Cell<bool>,
    ) -> Self {
        let (respond, stream) = (RefCell::new(respond), RefCell::default());
        Self { respond, stream, is_head, stall, deadline, stopped, left: None, ended: false }
    }

    /// Ends an answer that cannot be completed, visibly. Returns whether the caller had given it up before.
    pub(super) fn give_up(&mut self) -> bool {
        let gone = self.is_gone();
        if !self.ended {
            self.respond.get_mut().send_reset(Reason::INTERNAL_ERROR);
        }
        gone
    }

    /// Sends bytes as fast as the caller's window opens.
    async fn send(&mut self, mut bytes: Bytes) -> io::Result<()> {
        let Some(stream) = self.stream.get_mut() else { return Ok(()) };
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(bytes.len() as u64);
        }
        let last = self.left == Some(0);
        while !bytes.is_empty() {
            stream.reserve_capacity(bytes.len());
            let mut armed = false;
            let (deadline, stall) = (&self.deadline, self.stall);
            let room = poll_fn(|cx| {
                match stream.poll_capacity(cx) {
                    Poll::Ready(Some(Ok(0))) | Poll::Pending => {}
                    Poll::Ready(Some(found)) => {
                        return Poll::Ready(found.map_err(io::Error::other));
                    }
                    Poll::Ready(None) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                }
                if !armed {
                    armed = true;
                    deadline.arm_wake(stall, cx.waker().clone());
                }
                if deadline.has_fired() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                Poll::Pending
            })
            .await;
            self.deadline.disarm();
            let piece = bytes.split_to(room?.min(bytes.len()));
            let end = last && bytes.is_empty();
            stream.send_data(piece, end).map_err(io::Error::other)?;
            self.ended |= end;
        }
        Ok(())
    }
}

impl Responder for Caller<'_> {
    async fn head(&mut self, head: AnswerHead<'_>, first: &[u8]) -> io::Result<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(head.status).map_err(io::Error::other)?;
        let fields = response.headers_mut();
        fields.insert(header::DATE, HeaderValue::from_bytes(head.date).map_err(io::Error::other)?);
        for (name, value) in lines(head.fields) {
            let name = HeaderName::from_bytes(name).map_err(io::Error::other)?;
            // Fields of one hop have no place here (RFC 9113 section 8.2.2).
            if !is_of_the_hop(&name) {
                fields.append(name, HeaderValue::from_bytes(value).map_err(io::Error::other)?);
            }
        }
        let bodiless = head.status < 200 || matches!(head.status, 204 | 304);
        self.left = match head.framing {
            Framing::Length(bytes) => Some(bytes),
            Framing::Empty => Some(0),
            Framing::Chunked | Framing::UntilClose => None,
        };
        if let Some(bytes) = self.left
            && (!bodiless || (head.status == 304 && bytes > 0))
        {
            fields.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
        }
        let end = bodiless || self.is_head || self.left == Some(0);
        let sent = self.respond.get_mut().send_response(response, end);
        let stream = sent.map_err(io::Error::other)?;
        self.ended = end;
        if end {
            return Ok(());
        }
        *self.stream.get_mut() = Some(stream);
        self.send(Bytes::copy_from_slice(first)).await
    }

    async fn data(&mut self, buf: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
        (self.send(Bytes::copy_from_slice(&buf[ROOM..])).await, buf)
    }

    async fn end(&mut self) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        self.ended = true;
        let Some(stream) = self.stream.get_mut() else { return Ok(()) };
        stream.send_data(Bytes::new(), true).map_err(io::Error::other)
    }

    fn is_gone(&self) -> bool {
        // Asked while nothing else waits on the stream, so the waker it leaves behind is nobody's loss.
        let cx = &mut Context::from_waker(Waker::noop());
        if self.ended {
            return false;
        }
        match &mut *self.stream.borrow_mut() {
            Some(stream) => stream.poll_reset(cx).is_ready(),
            None => self.respond.borrow_mut().poll_reset(cx).is_ready(),
        }
    }

    fn stop_reading(&self) {
        self.stopped.set(true);
    }
}

/// The lines the engine made, taken apart.
fn lines(fields: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    fields.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r")?;
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

fn is_of_the_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "transfer-encoding"
            | "upgrade"
            | "te"
            | "content-length"
            | "date"
    )
}
