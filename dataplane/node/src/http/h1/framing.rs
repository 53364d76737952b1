//! How long a body is and what becomes of the connection behind it: the fields in which request smuggling lives.

use tidegate_engine::head::{BodySize, Known, Version, names_fields};

use crate::http::syntax;

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body, or one of no bytes.
    Empty,
    /// Exactly so many bytes; never 0 from a parser.
    Length(u64),
    /// Chunks, read by [`Decoder`](super::chunked::Decoder).
    Chunked,
    /// Whatever comes until the peer closes. Responses only.
    UntilClose,
}

impl Framing {
    /// As the engine sees it.
    pub fn body_size(self) -> BodySize {
        match self {
            Self::Empty => BodySize::Empty,
            Self::Length(bytes) => BodySize::Known(bytes),
            Self::Chunked | Self::UntilClose => BodySize::Unknown,
        }
    }
}

/// Why a message's framing cannot be trusted. The connection must be closed behind each of these.
///
/// Source: RFC 9112 sections 6.1 and 6.3, and stricter: where it lets a recipient repair, we refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// Both ways to say where the body ends.
    #[error("both Content-Length and Transfer-Encoding")]
    LengthAndCoding,
    /// More than one `Content-Length`, equal or not.
    #[error("more than one Content-Length")]
    DuplicateLength,
    /// A `Content-Length` that is not digits alone.
    #[error("Content-Length is not a number")]
    BadLength,
    /// A `Content-Length` past 2^63-1, which some peer would read as negative.
    #[error("Content-Length is too large")]
    LengthOverflow,
    /// More than one `Transfer-Encoding`.
    #[error("more than one Transfer-Encoding")]
    DuplicateCoding,
    /// A `Transfer-Encoding` that is neither `chunked` nor any one coding's name.
    #[error("Transfer-Encoding is malformed or a list")]
    BadCoding,
    /// A transfer coding other than `chunked`.
    #[error("Transfer-Encoding is not chunked")]
    UnknownCoding,
    /// `Transfer-Encoding` in an HTTP/1.0 message.
    #[error("Transfer-Encoding in HTTP/1.0")]
    CodingInHttp10,
    /// A `Connection` that is not a list of tokens.
    #[error("Connection is malformed")]
    BadConnection,
}

/// What the fields of one head said so far about framing and the connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Declared {
    pub(super) length: Option<u64>,
    pub(super) chunked: bool,
    close: bool,
    keep_alive: bool,
    /// See [`Head::nominates`](tidegate_engine::head::Head::nominates).
    pub(super) nominates: bool,
}

impl Declared {
    /// Takes note of one field.
    pub(super) fn note(&mut self, known: Known, value: &[u8]) -> Result<(), FramingError> {
        match known {
            Known::ContentLength if self.length.is_some() => Err(FramingError::DuplicateLength),
            Known::ContentLength => {
                self.length = Some(length(value)?);
                Ok(())
            }
            Known::TransferEncoding if self.chunked => Err(FramingError::DuplicateCoding),
            Known::TransferEncoding if value.eq_ignore_ascii_case(b"chunked") => {
                self.chunked = true;
                Ok(())
            }
            Known::TransferEncoding if syntax::is_token(value) => Err(FramingError::UnknownCoding),
            Known::TransferEncoding => Err(FramingError::BadCoding),
            Known::Connection => self.connection(value),
            _ => Ok(()),
        }
    }

    /// Whether what was declared is consistent, for a message of this version.
    pub(super) fn check(&self, version: Version) -> Result<(), FramingError> {
        if self.chunked && self.length.is_some() {
            return Err(FramingError::LengthAndCoding);
        }
        if self.chunked && version == Version::Http10 {
            return Err(FramingError::CodingInHttp10);
        }
        Ok(())
    }

    /// Whether the connection may carry another message behind this one. Source: RFC 9112 section 9.3.
    pub(super) fn persists(&self, version: Version) -> bool {
        !self.close && (version != Version::Http10 || self.keep_alive)
    }

    /// Source: RFC 9110 sections 5.6.1 (empty list members are ignored) and 7.6.1.
    fn connection(&mut self, value: &[u8]) -> Result<(), FramingError> {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if !option.is_empty() {
                if !syntax::is_token(option) {
                    return Err(FramingError::BadConnection);
                }
                self.nominates = true;
            }
        }
        debug_assert!(self.nominates || !names_fields(value));
        Ok(())
    }
}

/// Reads a length: digits only, at most 19 of them. Source: RFC 9110 section 8.6.
fn length(value: &[u8]) -> Result<u64, FramingError> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(FramingError::BadLength);
    }
    if value.len() > 19 {
        return Err(FramingError::LengthOverflow);
    }
    // 19 nines fit into 64 bits.
    let length = value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0'));
    if length > i64::MAX as u64 { Err(FramingError::LengthOverflow) } else { Ok(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (text, want) in [
            ("0", Ok(0)),
            ("10", Ok(10)),
            ("0000000000000000005", Ok(5)),
            ("9223372036854775807", Ok(i64::MAX as u64)),
            ("9223372036854775808", Err(FramingError::LengthOverflow)),
            ("9999999999999999999", Err(FramingError::LengthOverflow)),
            ("00000000000000000001", Err(FramingError::LengthOverflow)),
            ("18446744073709551621", Err(FramingError::LengthOverflow)),
            ("", Err(FramingError::BadLength)),
            ("+1", Err(FramingError::BadLength)),
            ("-1", Err(FramingError::BadLength)),
            ("1 ", Err(FramingError::BadLength)),
            ("1 1", Err(FramingError::BadLength)),
            ("1,1", Err(FramingError::BadLength)),
            ("0x1", Err(FramingError::BadLength)),
            ("1.0", Err(FramingError::BadLength)),
            ("1_0", Err(FramingError::BadLength)),
            ("\u{661}", Err(FramingError::BadLength)),
        ] {
            assert_eq!(length(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn connection_options() {
        for (value, version, persists, nominates) in [
            ("", Version::Http11, true, false),
            ("", Version::Http10, false, false),
            ("close", Version::Http11, false, false),
            ("CLOSE", Version::Http11, false, false),
            ("keep-alive", Version::Http10, true, false),
            ("keep-alive, close", Version::Http10, false, false),
            (",, ,keep-alive ,", Version::Http10, true, false),
            ("x-a", Version::Http11, true, true),
            ("x-a, close", Version::Http11, false, true),
            ("closed", Version::Http11, true, true),
        ] {
            let mut declared = Declared::default();
            assert_eq!(declared.note(Known::Connection, value.as_bytes()), Ok(()), "{value}");
            assert_eq!(
                (declared.persists(version), declared.nominates),
                (persists, nominates),
                "{value}"
            );
        }
        for value in ["a b", "\"close\"", "close;x", "close:", "clo\u{e9}"] {
            let got = Declared::default().note(Known::Connection, value.as_bytes());
            assert_eq!(got, Err(FramingError::BadConnection), "{value}");
        }
    }
}
