//! A small blocking HTTP/1.1 client for the few requests that are not load.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use socket2::{Domain, Socket, Type};

use crate::http1::{Outcome, ResponseReader};

/// One kept connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    head: bool,
}

/// An answer with its body.
#[derive(Debug)]
pub struct Answer {
    pub outcome: Outcome,
    pub body: Vec<u8>,
}

impl Client {
    /// Connects, from the given source address if one is given. `timeout` holds for each step.
    pub fn connect(
        to: SocketAddr,
        from: Option<SocketAddr>,
        timeout: Duration,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(from) = from {
            socket.bind(&from.into())?;
        }
        socket.connect_timeout(&to.into(), timeout)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self { stream, head: false })
    }

    /// Sends a whole request and reads the whole answer.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request)?;
        self.head = request.starts_with(b"HEAD ");
        let (mut reader, mut kept, mut body) =
            (ResponseReader::new(self.head), Vec::new(), Vec::new());
        let mut buffer = [0; 16 * 1024];
        loop {
            let count = self.stream.read(&mut buffer)?;
            if count == 0 {
                let outcome = reader.close().ok_or(io::ErrorKind::UnexpectedEof)?;
                return Ok(Answer { outcome, body });
            }
            kept.extend_from_slice(&buffer[..count]);
            let fed = reader
                .feed_into(&kept, |data| body.extend_from_slice(data))
                .map_err(io::Error::other)?;
            kept.drain(..fed.consumed);
            if let Some(outcome) = fed.done {
                return Ok(Answer { outcome, body });
            }
        }
    }
}
