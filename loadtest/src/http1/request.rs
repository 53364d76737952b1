//! A request head as the origin reads it.

use super::{
    body::Body,
    head::{self, Framing, Headers, HttpError},
};

/// One parsed request head, borrowing the bytes it came in.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Path without the query.
    pub path: &'a str,
    /// Query without `?`; empty when there is none.
    pub query: &'a str,
    pub headers: Headers<'a>,
    pub body: Body,
    pub keep_alive: bool,
    pub expects_continue: bool,
    /// Length of the head in bytes.
    pub head_bytes: usize,
}

/// Parses a head, or answers `None` while it is incomplete.
pub fn parse(input: &[u8]) -> Result<Option<Request<'_>>, HttpError> {
    let Some(head_bytes) = head::end(input)? else { return Ok(None) };
    let (line, headers) = head::first_line(&input[..head_bytes])?;
    let line = std::str::from_utf8(line).map_err(|_| HttpError::FirstLine)?;
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(HttpError::FirstLine);
    };
    let http_1_0 = match version {
        "HTTP/1.1" => false,
        "HTTP/1.0" => true,
        _ => return Err(HttpError::FirstLine),
    };
    if method.is_empty() || target.is_empty() {
        return Err(HttpError::FirstLine);
    }
    let framing = Framing::read(headers)?;
    let (path, query) = match memchr::memchr(b'?', target.as_bytes()) {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, ""),
    };
    Ok(Some(Request {
        method,
        path,
        query,
        headers,
        body: framing.body(Body::EMPTY),
        keep_alive: !framing.close && (!http_1_0 || framing.keep_alive),
        expects_continue: framing.expects_continue && !http_1_0,
        head_bytes,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let request =
            parse(b"POST /a/b?c=d HTTP/1.1\r\nHost: x\r\ncontent-LENGTH:  12 \r\n\r\nrest")
                .unwrap()
                .unwrap();
        assert_eq!((request.method, request.path, request.query), ("POST", "/a/b", "c=d"));
        assert_eq!((request.body, request.keep_alive), (Body::Length(12), true));
        assert!(parse(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap().is_none());
        assert!(!parse(b"GET / HTTP/1.0\r\n\r\n").unwrap().unwrap().keep_alive);
        assert!(
            !parse(b"GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n").unwrap().unwrap().keep_alive
        );
    }

    #[test]
    fn refused_heads() {
        for (input, want) in [
            ("GET /\r\n\r\n", HttpError::FirstLine),
            ("GET / HTTP/2.0\r\n\r\n", HttpError::FirstLine),
            ("GET / HTTP/1.1\r\nA : b\r\n\r\n", HttpError::HeaderLine),
            ("GET / HTTP/1.1\r\n folded\r\n\r\n", HttpError::HeaderLine),
            ("GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", HttpError::ContentLength),
            (
                "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                HttpError::ContentLength,
            ),
            (
                "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                HttpError::TwoFramings,
            ),
            (
                "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                HttpError::TransferEncoding,
            ),
        ] {
            assert_eq!(parse(input.as_bytes()).err(), Some(want), "{input:?}");
        }
    }
}
