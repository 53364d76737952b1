//! HTTP/2: a stream's head becomes a [`Head`] by the rules that HTTP/1.1 heads keep. Frames, HPACK and flow control are the `h2`
//! crate's.
//!
//! The crate refuses by itself what breaks the protocol: upper-case names, connection-specific fields, control bytes in values,
//! pseudo fields out of place, a body that is not as long as `content-length` says. What two parsers could still read in two ways
//! once it is written as HTTP/1.1 is refused here.

pub mod serve;
mod stream;

use http::header::{self, HeaderMap};
use http::request::Parts;
use tidegate_engine::head::{Head, Method, Version};

use super::h1::{Framing, Limits};
use super::syntax;

/// What the driver needs to know of a request, besides what is in the [`Head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// Where the body ends, as an upstream is told.
    pub framing: Framing,
    /// Whether the caller waits for `100` before it sends the body.
    pub expect_continue: bool,
}

/// Why a stream's head is refused. Only the stream ends by it: where the next one begins is never in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// `CONNECT`: this is no proxy.
    #[error("CONNECT is not implemented")]
    Connect,
    /// Neither a path nor the `*` of `OPTIONS`, or a byte in it that may not stand there.
    #[error(":path is malformed")]
    BadTarget,
    /// A `:path` past the limit.
    #[error(":path exceeds {limit} bytes")]
    TargetTooLong {
        /// The limit.
        limit: usize,
    },
    /// No `:authority` and no `Host`, one that is no host with an optional port, or two that differ.
    #[error(":authority or Host is missing, malformed or doubtful")]
    BadAuthority,
    /// A value that could not stand in an HTTP/1.1 head.
    #[error("a field value holds control bytes")]
    BadValue,
    /// More fields, or more bytes in them, than a head may have; every crumb of a cookie counts.
    #[error("too many fields")]
    TooManyFields,
    /// A `content-length` that is not one number.
    #[error("content-length is not one number")]
    BadLength,
    /// An expectation other than `100-continue`.
    #[error("expectation is not known")]
    Expectation,
}

impl HeadError {
    /// The status that answers this error.
    pub fn status(self) -> u16 {
        match self {
            Self::Connect => 501,
            Self::TargetTooLong { .. } => 414,
            Self::TooManyFields => 431,
            Self::Expectation => 417,
            Self::BadTarget | Self::BadAuthority | Self::BadValue | Self::BadLength => 400,
        }
    }
}

/// Reads a stream's head into an empty [`Head`]. `ended` says that no body follows.
///
/// # Errors
/// As [`HeadError`]; the head is then of no use.
pub fn read_head(parts: &Parts, ended: bool, head: &mut Head) -> Result<RequestInfo, HeadError> {
    let limits = Limits::REQUEST;
    let method = parts.method.as_str().as_bytes();
    if method == b"CONNECT" {
        return Err(HeadError::Connect);
    }
    let path = parts.uri.path().as_bytes();
    let query = parts.uri.query().map(str::as_bytes);
    let asterisk = path == b"*" && method == b"OPTIONS" && query.is_none();
    let in_target = |bytes: &[u8]| bytes.iter().all(|b| syntax::is_target_byte(*b));
    if !(path.starts_with(b"/") || asterisk)
        || !in_target(path)
        || !in_target(query.unwrap_or_default())
    {
        return Err(HeadError::BadTarget);
    }
    if path.len() + query.map_or(0, |q| q.len() + 1) > limits.target_bytes {
        return Err(HeadError::TargetTooLong { limit: limits.target_bytes });
    }
    let authority = authority(parts)?;
    let framing = framing(&parts.headers, ended)?;
    let expect_continue = expects(&parts.headers)?;

    head.version = Version::Http2;
    head.method = Method::from_bytes(method);
    head.method_text = head.push_bytes(method);
    head.path = head.push_bytes(path);
    head.query = query.map(|query| head.push_bytes(query));
    head.body = framing.body_size();
    head.push_field(b"Host", authority);
    head.authority = head.fields[0].value;
    fields(&parts.headers, head, &limits)?;
    Ok(RequestInfo { framing, expect_continue: expect_continue && framing != Framing::Empty })
}

/// Whom the request is for. `:authority` and `Host` must not disagree (RFC 9113 section 8.3.1).
fn authority(parts: &Parts) -> Result<&[u8], HeadError> {
    let pseudo = parts.uri.authority().map(|a| a.as_str().as_bytes());
    let mut hosts = parts.headers.get_all(header::HOST).iter().map(|value| value.as_bytes());
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(HeadError::BadAuthority);
    }
    let found = match (pseudo, host) {
        (Some(pseudo), Some(host)) if !pseudo.eq_ignore_ascii_case(host) => None,
        (found, other) => found.or(other),
    };
    found.filter(|text| syntax::is_authority(text)).ok_or(HeadError::BadAuthority)
}

/// Where the body ends. The `h2` crate holds DATA to the length; here it only must be one number.
fn framing(fields: &HeaderMap, ended: bool) -> Result<Framing, HeadError> {
    let mut lengths = fields.get_all(header::CONTENT_LENGTH).iter();
    let (first, second) = (lengths.next(), lengths.next());
    let length = match (first.map(|value| value.as_bytes()), second) {
        (_, Some(_)) => return Err(HeadError::BadLength),
        (None, None) => None,
        (Some(digits), None) => {
            let is_number =
                (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
            let number =
                digits.iter().fold(0, |n, digit| n * 10 + u64::from(digit.wrapping_sub(b'0')));
            Some(is_number.then_some(number).ok_or(HeadError::BadLength)?)
        }
    };
    Ok(match length {
        Some(1..) if ended => return Err(HeadError::BadLength),
        _ if ended => Framing::Empty,
        Some(0) => Framing::Empty,
        Some(bytes) => Framing::Length(bytes),
        None => Framing::Chunked,
    })
}

fn expects(fields: &HeaderMap) -> Result<bool, HeadError> {
    let mut any = false;
    for value in fields.get_all(header::EXPECT) {
        if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") {
            return Err(HeadError::Expectation);
        }
        any = true;
    }
    Ok(any)
}

/// Appends the fields. A cookie may come in crumbs (RFC 9113 section 8.2.3), which HTTP/1.1 knows as one field.
fn fields(from: &HeaderMap, head: &mut Head, limits: &Limits) -> Result<(), HeadError> {
    let mut bytes = 0;
    let mut cookie = Vec::new();
    for (count, (name, value)) in from.iter().enumerate() {
        let (name, value) = (name.as_str().as_bytes(), value.as_bytes().trim_ascii());
        bytes += name.len() + value.len() + b": \r\n".len();
        if count >= limits.fields || bytes > limits.fields_bytes {
            return Err(HeadError::TooManyFields);
        }
        if !syntax::is_value(value) || !syntax::is_token(name) {
            return Err(HeadError::BadValue);
        }
        if name == b"cookie" {
            if !cookie.is_empty() {
                cookie.extend_from_slice(b"; ");
            }
            cookie.extend_from_slice(value);
        } else if name != b"host" {
            head.push_field(name, value);
        }
    }
    if !cookie.is_empty() {
        head.push_field(b"cookie", &cookie);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
