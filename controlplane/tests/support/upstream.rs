//! An upstream on loopback that answers as its path says, well or badly.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Starts an upstream; it serves until the process ends.
///
/// | path | answer |
/// |---|---|
/// | `/echo...` | 200, JSON of what was asked |
/// | `/teapot` | 418, text, a header twice |
/// | `/silent` | none |
/// | `/stalled` | a head, and nothing of its body |
/// | `/huge` | a head that announces 10 MB and one byte |
/// | `/endless` | a chunked body without end |
/// | `/half` | less than its head announces |
/// | `/malformed` | no HTTP |
/// | `/interim` | 101 |
pub fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Peers that give up are part of the test.
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    address
}

/// The same behind TLS, with a certificate that nobody trusts.
pub fn start_tls() -> SocketAddr {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = ServerConnection::new(config.clone()).unwrap();
            std::thread::spawn(move || drop(serve(StreamOwned::new(session, stream))));
        }
    });
    address
}

/// An address that nobody listens at.
pub fn dead() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn serve(stream: impl Read + Write) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut headers, mut length) = (serde_json::Map::new(), 0);
    loop {
        let mut field = String::new();
        reader.read_line(&mut field)?;
        let Some((name, value)) = field.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        headers.insert(name.to_ascii_lowercase(), value.trim().into());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut stream = reader.into_inner();
    let forever = || loop {
        std::thread::park();
    };
    match target.split('?').next().unwrap_or_default() {
        "/teapot" => stream.write_all(
            b"HTTP/1.1 418 I'm a teapot\r\ncontent-type: text/plain\r\nx-twice: 1\r\nx-twice: 2\r\n\
              connection: close\r\ncontent-length: 5\r\n\r\nshort",
        ),
        "/silent" => forever(),
        "/stalled" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")?;
            forever()
        }
        "/huge" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10485761\r\n\r\n")?;
            forever()
        }
        "/endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk)?;
            }
        }
        "/half" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
        "/malformed" => stream.write_all(b"220 mail.test ESMTP\r\n\r\n"),
        "/interim" => stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        _ => {
            let told = serde_json::json!({
                "line": line.trim_end(),
                "headers": headers,
                "body": String::from_utf8_lossy(&body),
            });
            let told = told.to_string();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{told}",
                told.len()
            )
        }
    }
}
