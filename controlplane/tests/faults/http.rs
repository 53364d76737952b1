//! A client of few words: requests one after another on a connection, signed for the admin API.

use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::macros::format_description;

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
        let (date, authorization) = sign(method, target, &host, &body);
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

/// The time and the header of a signature. Targets here are escaped where they must be, and have sorted queries.
/// Source: IAM User Guide, "Create a signed AWS API request".
fn sign(method: &str, target: &str, host: &str, body: &str) -> (String, String) {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let date = time::OffsetDateTime::now_utc().format(format).unwrap();
    let day = &date[..8];
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // Paths are escaped once more in what is signed.
    let path = path.replace('%', "%25");
    let payload = hex::encode(Sha256::digest(body));
    let canonical = format!(
        "{method}\n{path}\n{query}\nhost:{host}\nx-amz-date:{date}\n\nhost;x-amz-date\n{payload}"
    );
    let scope = format!("{day}/us-east-1/apigateway/aws4_request");
    let digest = hex::encode(Sha256::digest(canonical));
    let keyed = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes()
    };
    let mut key = keyed(format!("AWS4{SECRET}").as_bytes(), day);
    for part in ["us-east-1", "apigateway", "aws4_request"] {
        key = keyed(&key, part);
    }
    let signature =
        hex::encode(keyed(&key, &format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}")));
    let header = format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    );
    (date, header)
}

/// The key the control planes of these tests know.
pub const KEY: &str = "FAULTS";
pub const SECRET: &str = "only-for-tests";
