//! One connection of the origin without its socket: bytes in, bytes out, `now` passed in.

use std::time::Instant;

use sha2::{Digest, Sha256};

use super::routes::{self, ECHO_BYTES, PATTERN, Received, Route, Site};
use crate::http1::{Body, HttpError, request};

/// Above this many unsent bytes no further request is read.
const OUT_LIMIT: usize = 256 * 1024;

/// State of one connection.
#[derive(Debug, Default)]
pub struct Session {
    phase: Phase,
    /// Received and not yet used.
    input: Vec<u8>,
    /// To be sent, from `sent` on.
    out: Vec<u8>,
    sent: usize,
    /// The current request asked for HEAD, and the connection continues after it.
    head_only: bool,
    keep_alive: bool,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Head,
    Body {
        route: Route,
        body: Body,
        received: Received,
    },
    Delay(Instant),
    Stream {
        left: u64,
        position: u64,
        chunked: bool,
    },
    Hang,
    /// Send what is left, then close.
    Closing,
    Reset,
}

/// What the socket's owner does after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Continue,
    /// Close once everything is sent.
    Close,
    /// Close with RST, at once.
    Reset,
}

impl Session {
    /// Takes what arrived and goes as far as it can.
    pub fn receive(&mut self, bytes: &[u8], now: Instant, site: &Site) -> Next {
        if self.input.is_empty() {
            let used = self.advance(bytes, now, site);
            self.input.extend_from_slice(&bytes[used..]);
        } else {
            self.input.extend_from_slice(bytes);
            self.resume(now, site);
        }
        self.next()
    }

    /// Continues after output was sent or time has passed.
    pub fn poll(&mut self, now: Instant, site: &Site) -> Next {
        self.resume(now, site);
        self.next()
    }

    /// Bytes to send now.
    pub fn output(&self) -> &[u8] {
        &self.out[self.sent..]
    }

    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
            // A large answer must not keep its buffer while the connection idles.
            self.out.shrink_to(4096);
        }
    }

    /// Whether more input would be used; otherwise it stays in the socket.
    pub fn wants_input(&self) -> bool {
        matches!(self.phase, Phase::Head | Phase::Body { .. }) && self.output().len() < OUT_LIMIT
    }

    /// When [`Session::poll`] has something to do although nothing arrives.
    pub fn deadline(&self) -> Option<Instant> {
        if let Phase::Delay(until) = self.phase { Some(until) } else { None }
    }

    /// Whether a body is being produced and needs a call to [`Session::poll`] after each send.
    pub fn streaming(&self) -> bool {
        matches!(self.phase, Phase::Stream { .. })
    }

    /// Whether received bytes wait for output to drain.
    pub fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    fn next(&self) -> Next {
        match self.phase {
            Phase::Closing => Next::Close,
            Phase::Reset => Next::Reset,
            _ => Next::Continue,
        }
    }

    fn resume(&mut self, now: Instant, site: &Site) {
        let input = std::mem::take(&mut self.input);
        let used = self.advance(&input, now, site);
        self.input = input;
        self.input.drain(..used);
    }

    /// Runs the state machine over `input` and answers how much of it is used up.
    fn advance(&mut self, input: &[u8], now: Instant, site: &Site) -> usize {
        let mut used = 0;
        loop {
            if self.output().len() >= OUT_LIMIT {
                return used;
            }
            match &mut self.phase {
                Phase::Head => match self.read_head(&input[used..], site) {
                    Ok(0) => return used,
                    Ok(bytes) => used += bytes,
                    Err(error) => self.refuse(error),
                },
                Phase::Body { body, received, route } => match body.read(&input[used..]) {
                    Ok(step) => {
                        let data = &input[used..][step.data];
                        received.bytes += data.len() as u64;
                        if let Some(sum) = &mut received.sha256 {
                            sum.update(data);
                        }
                        if matches!(route, Route::Echo(_)) {
                            let room = ECHO_BYTES - received.text.len();
                            received.text.extend_from_slice(&data[..room.min(data.len())]);
                        }
                        used += step.consumed;
                        if step.done {
                            let (route, received) =
                                (std::mem::replace(route, Route::Plain), std::mem::take(received));
                            self.answer(route, received, now, site);
                        } else if used == input.len() {
                            return used;
                        }
                    }
                    Err(error) => self.refuse(error),
                },
                Phase::Delay(until) if *until <= now => {
                    self.answer(Route::Plain, Received::default(), now, site);
                }
                Phase::Stream { .. } => self.stream(),
                Phase::Delay(_) | Phase::Hang | Phase::Closing | Phase::Reset => return used,
            }
        }
    }

    /// Reads one head, and answers at once when no body follows and the path is a plain one.
    fn read_head(&mut self, input: &[u8], site: &Site) -> Result<usize, HttpError> {
        let Some(request) = request::parse(input)? else { return Ok(0) };
        let used = request.head_bytes;
        let route = routes::find(&request);
        self.head_only = request.method == "HEAD";
        self.keep_alive = request.keep_alive;
        if route == Route::Plain && request.body == Body::EMPTY && self.keep_alive {
            site.write_plain(&mut self.out, self.head_only);
            return Ok(used);
        }
        if request.expects_continue && request.body != Body::EMPTY {
            self.out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        let sha256 = (route == Route::Upload).then(Sha256::new);
        self.phase = Phase::Body {
            route,
            body: request.body,
            received: Received { sha256, ..Received::default() },
        };
        Ok(used)
    }

    fn answer(&mut self, route: Route, received: Received, now: Instant, site: &Site) {
        let (status, body) = match route {
            Route::Plain => (200, site.plain_body().to_vec()),
            Route::Function => (200, site.function().to_vec()),
            Route::Echo(head) => (200, routes::finish_echo(&head, &received).into_bytes()),
            Route::Upload => (200, routes::finish_upload(received).into_bytes()),
            Route::Status(code) => (code, routes::status_body(code).into_bytes()),
            Route::Json(code, text) => (code, text.into_bytes()),
            Route::Close => {
                self.keep_alive = false;
                (200, site.plain_body().to_vec())
            }
            Route::Delay(delay) => {
                self.phase = Phase::Delay(now + delay);
                return;
            }
            Route::Bytes { count, chunked } => {
                routes::write_stream_head(&mut self.out, count, chunked, self.keep_alive);
                self.phase = Phase::Stream {
                    left: if self.head_only { 0 } else { count },
                    position: 0,
                    chunked,
                };
                return;
            }
            Route::Hang => {
                self.phase = Phase::Hang;
                return;
            }
            Route::Reset => {
                self.phase = Phase::Reset;
                return;
            }
        };
        routes::write_json(&mut self.out, status, &body, self.keep_alive, self.head_only);
        self.finish();
    }

    fn finish(&mut self) {
        self.phase = if self.keep_alive { Phase::Head } else { Phase::Closing };
    }

    /// Adds one piece of a generated body.
    fn stream(&mut self) {
        const PIECE: u64 = 16 * 1024;
        let Phase::Stream { left, position, chunked } = &mut self.phase else { return };
        let piece = (*left).min(PIECE);
        if *chunked && piece > 0 {
            self.out.extend_from_slice(format!("{piece:x}\r\n").as_bytes());
        }
        self.out.extend((*position..*position + piece).map(|at| PATTERN[(at % 64) as usize]));
        if *chunked && piece > 0 {
            self.out.extend_from_slice(b"\r\n");
        }
        *left -= piece;
        *position += piece;
        if *left == 0 {
            if *chunked && !self.head_only {
                self.out.extend_from_slice(b"0\r\n\r\n");
            }
            self.finish();
        }
    }

    fn refuse(&mut self, error: HttpError) {
        let status = if error == HttpError::HeadTooLong { 431 } else { 400 };
        let body = format!("{{\"error\": \"{error}\"}}\n");
        routes::write_json(&mut self.out, status, body.as_bytes(), false, false);
        self.phase = Phase::Closing;
    }
}

#[cfg(test)]
mod tests;
