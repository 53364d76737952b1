//! Written heads, and that our own parsers read them back.

use super::*;

fn request(method: Method, framing: Framing, connection: Connection) -> String {
    let mut out = Vec::new();
    write_request_line(&mut out, method.as_str().as_bytes(), b"/p", Some(b"q=1"));
    finish_request(&mut out, b"Host: a\r\n", method, framing, connection);
    String::from_utf8(out).unwrap()
}

fn response(status: u16, framing: Framing, connection: Connection) -> String {
    let mut out = Vec::new();
    write_status_line(&mut out, status);
    finish_response(&mut out, b"", status, framing, connection);
    String::from_utf8(out).unwrap()
}

#[test]
fn requests() {
    for (method, framing, connection, want) in [
        (Method::Get, Framing::Empty, Connection::Implied, ""),
        (Method::Get, Framing::Length(3), Connection::Implied, "content-length: 3\r\n"),
        (Method::Post, Framing::Empty, Connection::Implied, "content-length: 0\r\n"),
        (Method::Delete, Framing::Empty, Connection::Close, "connection: close\r\n"),
        (
            Method::Put,
            Framing::Chunked,
            Connection::KeepAlive,
            "transfer-encoding: chunked\r\nconnection: keep-alive\r\n",
        ),
    ] {
        let line = format!("{} /p?q=1 HTTP/1.1\r\nHost: a\r\n", method.as_str());
        assert_eq!(request(method, framing, connection), format!("{line}{want}\r\n"));
    }
    let mut out = Vec::new();
    write_request_line(&mut out, b"OPTIONS", b"*", None);
    assert_eq!(out, b"OPTIONS * HTTP/1.1\r\n");
}

#[test]
fn responses() {
    for (status, framing, connection, want) in [
        (200, Framing::Empty, Connection::Implied, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        (
            200,
            Framing::Length(3),
            Connection::Implied,
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
        ),
        (
            299,
            Framing::Chunked,
            Connection::Implied,
            "HTTP/1.1 299 \r\ntransfer-encoding: chunked\r\n\r\n",
        ),
        (
            200,
            Framing::UntilClose,
            Connection::KeepAlive,
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
        ),
        (204, Framing::Chunked, Connection::Implied, "HTTP/1.1 204 No Content\r\n\r\n"),
        (
            204,
            Framing::Empty,
            Connection::Close,
            "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        ),
        (103, Framing::Empty, Connection::Implied, "HTTP/1.1 103 Early Hints\r\n\r\n"),
        (304, Framing::Empty, Connection::Implied, "HTTP/1.1 304 Not Modified\r\n\r\n"),
        (
            304,
            Framing::Length(9),
            Connection::Implied,
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
        ),
    ] {
        assert_eq!(response(status, framing, connection), want);
    }
}

#[test]
fn reasons_are_plain_text() {
    assert_eq!(reason(299), "");
    for status in 0..=999 {
        assert!(
            reason(status)
                .bytes()
                .all(|byte| byte == b' ' || byte == b'-' || byte.is_ascii_alphabetic())
        );
    }
}
