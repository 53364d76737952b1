//! Response heads of upstreams: status line, and what the fields say about the body.

use tidegate_engine::head::{Head, Method, Span, Version};

use super::framing::Declared;
use super::{Framing, FramingError, HeadError, Limits, lines};
use crate::http::syntax;

/// What the driver needs to know of a response, besides what is in the [`Head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseInfo {
    /// Where the body ends.
    pub framing: Framing,
    /// Whether this is a 1xx response: another head follows, and this one is to be skipped.
    pub interim: bool,
    /// Whether the connection may serve another request once the body has been read.
    pub reusable: bool,
    /// `Content-Length` as declared, also where no body follows (`HEAD`, 304), so that it can be passed on.
    pub length: Option<u64>,
}

/// Why a response head is refused. The connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Its lines.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Its body.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// Anything but `HTTP/1.0` or `HTTP/1.1` and a space at the start.
    #[error("status line does not start with HTTP/1.0 or HTTP/1.1")]
    BadVersion,
    /// A status that is not three digits from 100 to 599.
    #[error("status is malformed")]
    BadStatus,
    /// A byte that may not stand in a reason phrase.
    #[error("byte {byte:#04x} in the reason phrase")]
    ReasonByte {
        /// The first such byte.
        byte: u8,
    },
    /// 101, though nothing asked to switch.
    #[error("unasked 101 Switching Protocols")]
    SwitchingProtocols,
    /// A 1xx response that declares a body.
    #[error("interim response with a body")]
    InterimBody,
}

/// Reads a response head from the bytes received so far; `None` asks for more.
///
/// `request_method` is the method of the request it answers: a response to `HEAD` has no body whatever it declares.
/// On success `head` is filled and [`Head::rest`] is what followed. The answer does not depend on how the bytes were split
/// over calls. No empty line is skipped before the status line; the reason phrase is checked and dropped.
/// Source: RFC 9112 sections 4 and 6.3.
pub fn parse(
    head: &mut Head,
    request_method: Method,
    limits: &Limits,
) -> Result<Option<ResponseInfo>, ResponseError> {
    check_start(&head.buf)?;
    let Some(end) = lines::find_end(&head.buf, 0, &mut head.scanned, limits)? else {
        return Ok(None);
    };
    let buf = &head.buf[..end];
    let (version, status, fields_start) = status_line(buf)?;
    let mut declared = Declared::default();
    lines::fields(buf, fields_start, &mut head.fields, limits, |field, value| {
        declared.note(field.known, value).map_err(ResponseError::from)
    })?;
    declared.check(version)?;
    let info = info(declared, version, status, request_method)?;
    head.len = end;
    head.version = version;
    head.method = Method::Other;
    head.method_text = Span::default();
    head.path = Span::default();
    head.query = None;
    head.authority = Span::default();
    head.status = status;
    head.body = info.framing.body_size();
    head.nominates = declared.nominates;
    Ok(Some(info))
}

/// Refuses what is not HTTP at its first wrong byte, rather than when a head of it was collected.
fn check_start(buf: &[u8]) -> Result<(), ResponseError> {
    const START: &[u8] = b"HTTP/1.";
    let seen = buf.len().min(START.len());
    if buf[..seen] == START[..seen] { Ok(()) } else { Err(ResponseError::BadVersion) }
}

/// Reads the status line of a whole head: version, status, and where the fields start. The space behind the status may be
/// missing with the reason, as many servers leave it out.
fn status_line(buf: &[u8]) -> Result<(Version, u16, usize), ResponseError> {
    let version = match buf.first_chunk::<9>() {
        Some(b"HTTP/1.1 ") => Version::Http11,
        Some(b"HTTP/1.0 ") => Version::Http10,
        _ => return Err(ResponseError::BadVersion),
    };
    let status = match buf[9..].first_chunk::<3>() {
        Some([hundreds @ b'1'..=b'5', tens @ b'0'..=b'9', ones @ b'0'..=b'9']) => {
            let digit = |byte: &u8| u16::from(byte - b'0');
            digit(hundreds) * 100 + digit(tens) * 10 + digit(ones)
        }
        _ => return Err(ResponseError::BadStatus),
    };
    let reason = &buf[12..];
    if reason[0] != b' ' && reason[0] != b'\r' {
        return Err(ResponseError::BadStatus);
    }
    let length = syntax::value_len(reason);
    match &reason[length..] {
        [b'\r', b'\n', ..] => Ok((version, status, 12 + length + 2)),
        [b'\r', ..] => Err(HeadError::BareCarriageReturn.into()),
        rest => Err(ResponseError::ReasonByte { byte: rest.first().copied().unwrap_or_default() }),
    }
}

/// Decides where the body ends. Source: RFC 9112 section 6.3.
fn info(
    declared: Declared,
    version: Version,
    status: u16,
    request_method: Method,
) -> Result<ResponseInfo, ResponseError> {
    let declares_body = declared.chunked || declared.length.is_some_and(|length| length > 0);
    let interim = (100..200).contains(&status);
    if status == 101 {
        return Err(ResponseError::SwitchingProtocols);
    }
    if interim && declares_body {
        return Err(ResponseError::InterimBody);
    }
    let framing = match declared.length {
        _ if interim || status == 204 || status == 304 || request_method == Method::Head => {
            Framing::Empty
        }
        _ if declared.chunked => Framing::Chunked,
        Some(0) => Framing::Empty,
        Some(bytes) => Framing::Length(bytes),
        None => Framing::UntilClose,
    };
    // A 204 that declares a body may be followed by one, which must not be read as the next response.
    let clean_end = framing != Framing::UntilClose && !(status == 204 && declares_body);
    Ok(ResponseInfo {
        framing,
        interim,
        reusable: clean_end && declared.persists(version),
        length: declared.length,
    })
}

#[cfg(test)]
mod tests;
