//! A client of few words: requests one after another on a connection, signed for the admin API.

use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::sign::sign;

/// A connection that stays open.
pub struct Connection {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

/// What came back, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// The body as JSON, `null` when empty.
    pub fn json(&self) -> Value {
        match self.body.as_str() {
            "" => Value::Null,
            body => serde_json::from_str(body).expect(body),
        }
    }
}

impl Connection {
    pub fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream: BufReader::new(stream), address })
    }

    /// A plain request.
    pub fn get(&mut self, host: &str, path: &str) -> std::io::Result<Answer> {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n"))
    }

    /// A signed request to the admin API. An error means that nobody can say whether it was carried out.
    pub fn admin(&mut self, method: &str, target: &str, body: &Value) -> std::io::Result<Answer> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let host = self.address.to_string();
        let (date, authorization) = sign((KEY, SECRET), method, target, &host, &body);
        let length = body.len();
        self.exchange(&format!(
            "{method} {target} HTTP/1.1\r\nhost: {host}\r\nx-amz-date: {date}\r\n\
             authorization: {authorization}\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }

    fn exchange(&mut self, request: &str) -> std::io::Result<Answer> {
        self.stream.get_mut().write_all(request.as_bytes())?;
        let cut = || Error::from(ErrorKind::UnexpectedEof);
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(cut)?;
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(cut());
            }
            let head = line.trim_end().to_ascii_lowercase();
            assert!(!head.starts_with("transfer-encoding"), "answers here are short");
            match head.split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, body: String::from_utf8(body).unwrap() })
    }
}

/// The key the control planes of these tests know.
pub const KEY: &str = "FAULTS";
pub const SECRET: &str = "only-for-tests";
