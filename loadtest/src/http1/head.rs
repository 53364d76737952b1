//! The part that requests and responses have in common: where a head ends and what its lines say.

use super::body::Body;

/// A head longer than this is refused, so that a peer cannot grow our buffers.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Why bytes are not HTTP/1.1 as we read it. Strict on purpose: a proxy that forwards these has a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    #[error("the first line is not HTTP/1.x")]
    FirstLine,
    #[error("a header line is malformed")]
    HeaderLine,
    #[error("the head is longer than 64 KiB")]
    HeadTooLong,
    #[error("Content-Length is not one decimal number")]
    ContentLength,
    #[error("both Content-Length and Transfer-Encoding are present")]
    TwoFramings,
    #[error("Transfer-Encoding is not exactly `chunked`")]
    TransferEncoding,
    #[error("a chunk is malformed")]
    Chunk,
}

/// Length of the head including its empty line, or `None` while it is incomplete.
pub fn end(input: &[u8]) -> Result<Option<usize>, HttpError> {
    match memchr::memmem::find(input, b"\r\n\r\n") {
        Some(at) => Ok(Some(at + 4)),
        None if input.len() > MAX_HEAD_BYTES => Err(HttpError::HeadTooLong),
        None => Ok(None),
    }
}

/// Splits a complete head into its first line and the header lines after it.
pub fn first_line(head: &[u8]) -> Result<(&[u8], Headers<'_>), HttpError> {
    let mut lines = Headers { rest: head };
    let line = lines.line()?.ok_or(HttpError::FirstLine)?;
    Ok((line, lines))
}

/// A header's name and its trimmed value.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// Header lines in order.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    rest: &'a [u8],
}

impl<'a> Headers<'a> {
    fn line(&mut self) -> Result<Option<&'a [u8]>, HttpError> {
        let Some(at) = memchr::memchr(b'\n', self.rest) else { return Ok(None) };
        let line = self.rest[..at].strip_suffix(b"\r").ok_or(HttpError::HeaderLine)?;
        self.rest = &self.rest[at + 1..];
        Ok(if line.is_empty() { None } else { Some(line) })
    }

    /// The next header, or `None` at the empty line that ends the head.
    pub fn next_header(&mut self) -> Result<Option<Header<'a>>, HttpError> {
        let Some(line) = self.line()? else { return Ok(None) };
        let colon = memchr::memchr(b':', line).ok_or(HttpError::HeaderLine)?;
        let name = &line[..colon];
        if name.is_empty() || name.iter().any(|b| b.is_ascii_whitespace()) {
            return Err(HttpError::HeaderLine);
        }
        Ok(Some((name, line[colon + 1..].trim_ascii())))
    }
}

/// What the headers say about framing and the connection's future.
#[derive(Debug, Default)]
pub struct Framing {
    pub length: Option<u64>,
    pub chunked: bool,
    pub close: bool,
    pub keep_alive: bool,
    pub expects_continue: bool,
}

impl Framing {
    pub fn read(mut headers: Headers<'_>) -> Result<Self, HttpError> {
        let mut framing = Self::default();
        while let Some((name, value)) = headers.next_header()? {
            // Most headers of a response end here: one byte decides.
            match name[0] | 0x20 {
                b'c' if name.eq_ignore_ascii_case(b"content-length") => {
                    let length = decimal(value).ok_or(HttpError::ContentLength)?;
                    if framing.length.is_some_and(|seen| seen != length) {
                        return Err(HttpError::ContentLength);
                    }
                    framing.length = Some(length);
                }
                b'c' if name.eq_ignore_ascii_case(b"connection") => {
                    for token in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                        framing.close |= token.eq_ignore_ascii_case(b"close");
                        framing.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                b't' if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                    if framing.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                        return Err(HttpError::TransferEncoding);
                    }
                    framing.chunked = true;
                }
                b'e' if name.eq_ignore_ascii_case(b"expect") => {
                    framing.expects_continue = value.eq_ignore_ascii_case(b"100-continue");
                }
                _ => {}
            }
        }
        if framing.chunked && framing.length.is_some() {
            return Err(HttpError::TwoFramings);
        }
        Ok(framing)
    }

    /// The body these headers announce; `otherwise` when they announce none.
    pub fn body(&self, otherwise: Body) -> Body {
        match (self.chunked, self.length) {
            (true, _) => Body::chunked(),
            (false, Some(length)) => Body::Length(length),
            (false, None) => otherwise,
        }
    }
}

fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 18 {
        return None;
    }
    value.iter().try_fold(0u64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + u64::from(b - b'0')))
}
