//! One connection of the generator: at most one open request, nothing allocated per request.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::http1::{HttpError, Outcome, ResponseReader};

/// A connected (or connecting) socket with its open request.
#[derive(Debug)]
pub struct Connection {
    pub stream: TcpStream,
    reader: ResponseReader,
    /// Received and not yet read: only a split head gets here.
    kept: Vec<u8>,
    /// Which request is being sent, and how much of it is.
    request: usize,
    written: usize,
    /// When the open request was meant to be sent; `None` while idle.
    pub open: Option<Open>,
}

/// The request that waits for its answer.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    pub intended: Instant,
    pub sent: Instant,
}

/// Why a request got no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    Reset,
    Closed,
    ShortBody,
    Malformed,
    /// Closed while idle: no request is lost.
    IdleClose,
}

/// What reading found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    Nothing,
    Answer(Outcome),
}

impl Connection {
    /// Connects and waits for it, at most `timeout`. `from` is the source address, if it matters.
    pub fn connect(
        to: SocketAddr,
        from: Option<SocketAddr>,
        timeout: Duration,
        head: bool,
    ) -> io::Result<Self> {
        let socket = socket(to, from)?;
        socket.connect_timeout(&to.into(), timeout)?;
        socket.set_nonblocking(true)?;
        Ok(Self::over(socket.into(), head))
    }

    /// Starts to connect; the socket becomes writable when it has.
    pub fn begin(to: SocketAddr, head: bool) -> io::Result<Self> {
        let socket = socket(to, None)?;
        socket.set_nonblocking(true)?;
        match socket.connect(&to.into()) {
            Ok(()) => {}
            Err(error)
                if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            Err(error) => return Err(error),
        }
        Ok(Self::over(socket.into(), head))
    }

    fn over(stream: TcpStream, head: bool) -> Self {
        let (kept, open) = (Vec::new(), None);
        Self { stream, reader: ResponseReader::new(head), kept, request: 0, written: 0, open }
    }

    /// Begins a request. Answers whether all of it was written; else call [`Connection::flush`] when writable.
    pub fn send(
        &mut self,
        requests: &[Box<[u8]>],
        index: usize,
        open: Open,
    ) -> Result<bool, Failure> {
        debug_assert!(self.open.is_none());
        (self.request, self.written, self.open) = (index, 0, Some(open));
        self.flush(requests)
    }

    pub fn flush(&mut self, requests: &[Box<[u8]>]) -> Result<bool, Failure> {
        let bytes = &requests[self.request];
        while self.open.is_some() && self.written < bytes.len() {
            match self.stream.write(&bytes[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Failure::Reset),
            }
        }
        Ok(true)
    }

    /// Reads what is there through `buffer`. Adds the bytes read to `bytes`.
    pub fn receive(&mut self, buffer: &mut [u8], bytes: &mut u64) -> Result<Received, Failure> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return self.closed(),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(Received::Nothing);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) if self.open.is_none() => return Err(Failure::IdleClose),
                Err(_) => return Err(Failure::Reset),
            };
            *bytes += count as u64;
            if self.open.is_none() {
                return Err(Failure::Malformed);
            }
            match self.take(&buffer[..count]) {
                Ok(Some(answer)) => return Ok(Received::Answer(answer)),
                // A full buffer means that more waits in the socket; else wait to be told.
                Ok(None) if count == buffer.len() => {}
                Ok(None) => return Ok(Received::Nothing),
                Err(_) => return Err(Failure::Malformed),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Option<Outcome>, HttpError> {
        let fed = if self.kept.is_empty() {
            let fed = self.reader.feed(bytes)?;
            self.kept.extend_from_slice(&bytes[fed.consumed..]);
            fed
        } else {
            self.kept.extend_from_slice(bytes);
            let fed = self.reader.feed(&self.kept)?;
            self.kept.drain(..fed.consumed);
            fed
        };
        match fed.done {
            // Bytes after an answer that nobody asked for.
            Some(_) if !self.kept.is_empty() => Err(HttpError::FirstLine),
            done => Ok(done),
        }
    }

    fn closed(&mut self) -> Result<Received, Failure> {
        match (self.open, self.reader.close()) {
            (None, _) => Err(Failure::IdleClose),
            (Some(_), Some(answer)) => Ok(Received::Answer(answer)),
            (Some(_), None) if self.reader.started() || !self.kept.is_empty() => {
                Err(Failure::ShortBody)
            }
            (Some(_), None) => Err(Failure::Closed),
        }
    }
}

fn socket(to: SocketAddr, from: Option<SocketAddr>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(from) = from {
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(from))?;
    }
    Ok(socket)
}
