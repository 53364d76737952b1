//! Request heads: request line, target, host, and what the fields say about the body.

mod target;

use tidegate_engine::head::{Head, Known, Method, Span, Version};

use super::framing::Declared;
use super::{Framing, FramingError, HeadError, Limits, lines};
use crate::http::syntax;

/// What the driver needs to know of a request, besides what is in the [`Head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// Where the body ends; never [`Framing::UntilClose`].
    pub framing: Framing,
    /// Whether the caller allows another request on this connection.
    pub keep_alive: bool,
    /// Whether the caller waits for `100 Continue` before it sends the body. Only set when there is a body to wait for.
    pub expect_continue: bool,
}

/// Why a request head is refused. The connection must be closed behind the answer: where the next request would start is
/// not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Its lines.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Its body.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// The first byte cannot start a request: not HTTP, TLS on a plain listener, or too many empty lines.
    #[error("byte {byte:#04x} where a request should start")]
    NotARequest {
        /// That byte.
        byte: u8,
    },
    /// A byte that may not stand in a method.
    #[error("byte {byte:#04x} in the method")]
    MethodByte {
        /// The first such byte.
        byte: u8,
    },
    /// A method of more bytes than any has.
    #[error("method exceeds {MAX_METHOD_BYTES} bytes")]
    MethodTooLong,
    /// `CONNECT`: this is no proxy.
    #[error("CONNECT is not implemented")]
    Connect,
    /// A byte that may not stand in a target.
    #[error("byte {byte:#04x} in the request target")]
    TargetByte {
        /// The first such byte.
        byte: u8,
    },
    /// A target that is not a path, an http or https URL, or the `*` of `OPTIONS`.
    #[error("request target has no form we serve")]
    TargetForm,
    /// A target past the limit, or a request line that fills the whole head.
    #[error("request target exceeds {limit} bytes")]
    TargetTooLong {
        /// The limit.
        limit: usize,
    },
    /// Anything but `HTTP/` digit `.` digit at the end of the request line.
    #[error("request line does not end in a version")]
    BadVersion,
    /// A version other than 1.0 and 1.1.
    #[error("HTTP version is not supported")]
    UnknownVersion,
    /// HTTP/1.1 without `Host`.
    #[error("no Host")]
    NoHost,
    /// More than one `Host`, equal or not.
    #[error("more than one Host")]
    DuplicateHost,
    /// A `Host`, or the authority of an absolute target, that is no host with an optional port.
    #[error("Host is malformed")]
    BadHost,
    /// An absolute target for another host than `Host` says.
    #[error("Host and request target disagree")]
    HostMismatch,
    /// An expectation other than `100-continue`.
    #[error("expectation is not known")]
    Expectation,
}

impl RequestError {
    /// The status that answers this error. The only place where the causes become statuses.
    pub fn status(&self) -> u16 {
        match self {
            Self::Head(
                HeadError::TooLarge { .. }
                | HeadError::FieldsTooLarge { .. }
                | HeadError::TooManyFields { .. },
            ) => 431,
            Self::TargetTooLong { .. } => 414,
            Self::Expectation => 417,
            // RFC 9110 section 9.1 for methods; RFC 9112 section 6.1 for codings.
            Self::Framing(FramingError::UnknownCoding) | Self::Connect | Self::MethodTooLong => 501,
            Self::UnknownVersion => 505,
            Self::Head(_)
            | Self::Framing(_)
            | Self::NotARequest { .. }
            | Self::MethodByte { .. }
            | Self::TargetByte { .. }
            | Self::TargetForm
            | Self::BadVersion
            | Self::NoHost
            | Self::DuplicateHost
            | Self::BadHost
            | Self::HostMismatch => 400,
        }
    }
}

/// Reads a request head from the bytes received so far; `None` asks for more.
///
/// On success `head` is filled and [`Head::rest`] is what followed. The answer does not depend on how the bytes were split
/// over calls; between calls for the same request, append to `head.buf` and leave the rest of `head` alone. Behind an error
/// the head's fields mean nothing. Allocates nothing while the request has no more fields than `head` ever had.
///
/// An absolute target's authority becomes the head's; `Host` must be valid and equal to it all the same (RFC 9112 section
/// 3.2.2 would have it ignored, but an upstream might not).
/// Source: RFC 9112 sections 2 to 7.
pub fn parse(head: &mut Head, limits: &Limits) -> Result<Option<RequestInfo>, RequestError> {
    let Some(start) = skip_empty_lines(&head.buf)? else { return Ok(None) };
    let end = match lines::find_end(&head.buf, start, &mut head.scanned, limits) {
        Ok(Some(end)) => end,
        Ok(None) => return Ok(None),
        // Not even the request line has ended.
        Err(HeadError::TooLarge { limit })
            if memchr::memchr(b'\n', head.buf.get(start..limit).unwrap_or_default()).is_none() =>
        {
            return Err(RequestError::TargetTooLong { limit: limits.target_bytes });
        }
        Err(error) => return Err(error.into()),
    };
    let buf = &head.buf[..end];
    let line = request_line(buf, start, limits)?;

    let mut declared = Declared::default();
    let mut host = None;
    let mut expects_continue = false;
    lines::fields(buf, line.end, &mut head.fields, limits, |field, value| {
        match field.known {
            Known::Host if host.is_some() => return Err(RequestError::DuplicateHost),
            Known::Host if !syntax::is_authority(value) => return Err(RequestError::BadHost),
            Known::Host => host = Some(field.value),
            Known::Expect if !value.eq_ignore_ascii_case(b"100-continue") => {
                return Err(RequestError::Expectation);
            }
            Known::Expect => expects_continue = true,
            known => declared.note(known, value)?,
        }
        Ok(())
    })?;
    declared.check(line.version)?;
    let authority = authority(buf, line.target.authority, host, line.version)?;

    let framing = match declared.length {
        _ if declared.chunked => Framing::Chunked,
        None | Some(0) => Framing::Empty,
        Some(bytes) => Framing::Length(bytes),
    };
    head.len = end;
    head.version = line.version;
    head.method = Method::from_bytes(line.method.of(buf));
    head.method_text = line.method;
    head.path = line.target.path;
    head.query = line.target.query;
    head.authority = authority;
    head.status = 0;
    head.body = framing.body_size();
    head.nominates = declared.nominates;
    Ok(Some(RequestInfo {
        framing,
        keep_alive: declared.persists(line.version),
        // HTTP/1.0 has no interim responses: RFC 9110 section 10.1.1.
        expect_continue: expects_continue
            && line.version == Version::Http11
            && framing != Framing::Empty,
    }))
}

struct RequestLine {
    method: Span,
    target: target::Target,
    version: Version,
    /// Where the fields start.
    end: usize,
}

/// Where the request line starts: at most two empty lines are skipped, as RFC 9112 section 2.2 asks of servers. `None`
/// when that cannot be told yet.
fn skip_empty_lines(buf: &[u8]) -> Result<Option<usize>, RequestError> {
    let mut start = 0;
    while start < 4 && buf[start..].starts_with(b"\r\n") {
        start += 2;
    }
    match buf.get(start) {
        None => Ok(None),
        Some(byte) if syntax::is_token_byte(*byte) => Ok(Some(start)),
        Some(b'\r') if start < 4 => match buf.get(start + 1) {
            None => Ok(None),
            Some(_) => Err(HeadError::BareCarriageReturn.into()),
        },
        Some(b'\n') => Err(HeadError::BareLineFeed.into()),
        Some(byte) => Err(RequestError::NotARequest { byte: *byte }),
    }
}

/// Reads the request line at `start` of a whole head. Source: RFC 9112 section 3.
fn request_line(buf: &[u8], start: usize, limits: &Limits) -> Result<RequestLine, RequestError> {
    let method_end = start + syntax::token_len(&buf[start..]);
    if buf[method_end] != b' ' {
        return Err(RequestError::MethodByte { byte: buf[method_end] });
    }
    let method = Span::new(start, method_end);
    if method.len() > MAX_METHOD_BYTES {
        return Err(RequestError::MethodTooLong);
    }
    if method.of(buf) == b"CONNECT" {
        return Err(RequestError::Connect);
    }
    let (target, target_end) = target::read(buf, method_end + 1, method.of(buf))?;
    if target_end - (method_end + 1) > limits.target_bytes {
        return Err(RequestError::TargetTooLong { limit: limits.target_bytes });
    }
    let (version, end) = version(&buf[target_end..])?;
    Ok(RequestLine { method, target, version, end: target_end + end })
}

/// Reads ` HTTP/1.1` and the line end; returns how long they are.
fn version(rest: &[u8]) -> Result<(Version, usize), RequestError> {
    const LEN: usize = b" HTTP/1.1\r\n".len();
    let Some(text) = rest.first_chunk::<LEN>() else { return Err(RequestError::BadVersion) };
    match text {
        b" HTTP/1.1\r\n" => Ok((Version::Http11, LEN)),
        b" HTTP/1.0\r\n" => Ok((Version::Http10, LEN)),
        [b' ', b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b'\r', b'\n']
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(RequestError::UnknownVersion)
        }
        _ => Err(RequestError::BadVersion),
    }
}

/// Whom the request is for. Source: RFC 9112 sections 3.2 and 3.3.
fn authority(
    buf: &[u8],
    in_target: Option<Span>,
    host: Option<Span>,
    version: Version,
) -> Result<Span, RequestError> {
    match (in_target, host) {
        (Some(target), Some(host)) if !target.of(buf).eq_ignore_ascii_case(host.of(buf)) => {
            Err(RequestError::HostMismatch)
        }
        (_, None) if version == Version::Http11 => Err(RequestError::NoHost),
        (Some(authority), _) | (None, Some(authority)) => Ok(authority),
        (None, None) => Ok(Span::default()),
    }
}

/// Twice the longest registered method (`UPDATEREDIRECTREF`).
const MAX_METHOD_BYTES: usize = 32;

#[cfg(test)]
mod tests;
