//! Chunked bodies: a decoder that points into the received bytes, and the encoder's few bytes around each payload.

use std::num::NonZeroU64;
use std::ops::Range;

use crate::http::syntax;

/// The chunk that ends a body, without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What follows each chunk's payload.
pub const CHUNK_END: &[u8] = b"\r\n";

/// Room for the longest chunk header: 16 digits and a line end.
pub const MAX_HEADER_BYTES: usize = 18;

/// Bytes of chunk extensions that one body may carry. They are dropped; nobody uses them but to waste our time
/// (CVE-2023-39326).
pub const MAX_EXTENSION_BYTES: u32 = 256;

/// Bytes of trailer fields that one body may carry, line ends included.
pub const MAX_TRAILER_BYTES: u32 = 4_096;

/// Trailer fields that one body may carry.
pub const MAX_TRAILERS: u32 = 32;

/// Why a chunked body is refused. The connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// A chunk size that is not 1 to 16 hexadecimal digits directly followed by `;` or the line end.
    #[error("byte {byte:#04x} in a chunk size")]
    SizeByte {
        /// The first wrong byte.
        byte: u8,
    },
    /// A chunk size past 2^63-1 or of more than 16 digits.
    #[error("chunk size is too large")]
    SizeOverflow,
    /// A control byte in a chunk extension.
    #[error("byte {byte:#04x} in a chunk extension")]
    ExtensionByte {
        /// The first such byte.
        byte: u8,
    },
    /// More extension bytes than a body may have.
    #[error("chunk extensions exceed {MAX_EXTENSION_BYTES} bytes")]
    ExtensionsTooLarge,
    /// A line end, or the end of a payload, that is not exactly CR LF.
    #[error("byte {byte:#04x} where a chunk's line end belongs")]
    LineEnd {
        /// The byte found instead.
        byte: u8,
    },
    /// A byte that may not stand in the name of a trailer field, or white space around that name.
    #[error("byte {byte:#04x} in a trailer name")]
    TrailerName {
        /// The first such byte.
        byte: u8,
    },
    /// A control byte in the value of a trailer field.
    #[error("byte {byte:#04x} in a trailer value")]
    TrailerValue {
        /// The first such byte.
        byte: u8,
    },
    /// More trailer bytes or fields than a body may have.
    #[error("trailers exceed {MAX_TRAILER_BYTES} bytes or {MAX_TRAILERS} fields")]
    TrailersTooLarge,
}

/// What one call of [`Decoder::decode`] found in its input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// How many bytes of the input are done with.
    pub consumed: usize,
    /// Which of them are payload; may be empty.
    pub payload: Range<usize>,
    /// Whether the body has ended. What was not consumed belongs to the next message.
    pub done: bool,
}

/// Reads one chunked body from slices of any length. Extensions and trailers are checked and dropped.
///
/// Trailers are dropped because whatever is in them was not there when the head was authorized (RFC 9110 section 6.5.1
/// lets a recipient do so). Source: RFC 9112 section 7.1, without its leave to allow white space around extensions' `;`.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    /// Size read so far, or payload bytes left.
    size: u64,
    digits: u8,
    extension_bytes: u32,
    trailer_bytes: u32,
    trailers: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    Extension,
    SizeLf,
    Payload,
    PayloadCr,
    PayloadLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    Done,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder in front of the first chunk.
    pub fn new() -> Self {
        Self {
            state: State::Size,
            size: 0,
            digits: 0,
            extension_bytes: 0,
            trailer_bytes: 0,
            trailers: 0,
        }
    }

    /// Whether the body has been read to its end.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads up to and including one run of payload, or to the end of the body or of the input.
    ///
    /// Call again with what was not consumed; when everything was consumed and the body is not done, more has to be
    /// received. Once done, consumes nothing. Behind an error the decoder is of no more use.
    pub fn decode(&mut self, input: &[u8]) -> Result<Decoded, ChunkError> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            if self.state == State::Payload {
                let left = usize::try_from(self.size).unwrap_or(usize::MAX);
                let end = at + left.min(input.len() - at);
                self.size -= (end - at) as u64;
                if self.size == 0 {
                    self.state = State::PayloadCr;
                }
                return Ok(Decoded { consumed: end, payload: at..end, done: false });
            }
            self.state = self.step(input[at])?;
            at += 1;
        }
        Ok(Decoded { consumed: at, payload: at..at, done: self.is_done() })
    }

    /// The state behind one byte that is not payload.
    fn step(&mut self, byte: u8) -> Result<State, ChunkError> {
        match (self.state, byte) {
            (State::Size, b'\r') if self.digits > 0 => Ok(State::SizeLf),
            (State::Size, b';') if self.digits > 0 => self.extension(),
            (State::Size, _) => self.digit(byte),
            (State::Extension, b'\r') => Ok(State::SizeLf),
            (State::Extension, _) if syntax::is_value_byte(byte) => self.extension(),
            (State::Extension, _) => Err(ChunkError::ExtensionByte { byte }),
            (State::SizeLf, b'\n') if self.size == 0 => Ok(State::TrailerStart),
            (State::SizeLf, b'\n') => Ok(State::Payload),
            (State::PayloadCr, b'\r') => Ok(State::PayloadLf),
            (State::PayloadLf, b'\n') => {
                self.digits = 0;
                Ok(State::Size)
            }
            (State::TrailerStart, b'\r') => Ok(State::EndLf),
            (State::TrailerStart, _) if syntax::is_token_byte(byte) => {
                self.trailers += 1;
                self.trailer(State::TrailerName)
            }
            (State::TrailerName, b':') => self.trailer(State::TrailerValue),
            (State::TrailerName, _) if syntax::is_token_byte(byte) => {
                self.trailer(State::TrailerName)
            }
            (State::TrailerStart | State::TrailerName, _) => Err(ChunkError::TrailerName { byte }),
            (State::TrailerValue, b'\r') => self.trailer(State::TrailerLf),
            (State::TrailerValue, _) if syntax::is_value_byte(byte) => {
                self.trailer(State::TrailerValue)
            }
            (State::TrailerValue, _) => Err(ChunkError::TrailerValue { byte }),
            (State::TrailerLf, b'\n') => self.trailer(State::TrailerStart),
            (State::EndLf, b'\n') => Ok(State::Done),
            (
                State::SizeLf
                | State::PayloadCr
                | State::PayloadLf
                | State::TrailerLf
                | State::EndLf,
                _,
            ) => Err(ChunkError::LineEnd { byte }),
            // The caller of `step` handles these two.
            (State::Payload | State::Done, _) => Ok(self.state),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<State, ChunkError> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return Err(ChunkError::SizeByte { byte }),
        };
        if self.digits == 16 {
            return Err(ChunkError::SizeOverflow);
        }
        // Behind a chunk, `size` is 0 again: all its payload was read.
        let size = self.size << 4 | u64::from(digit);
        if size > i64::MAX as u64 {
            return Err(ChunkError::SizeOverflow);
        }
        self.size = size;
        self.digits += 1;
        Ok(State::Size)
    }

    fn extension(&mut self) -> Result<State, ChunkError> {
        self.extension_bytes += 1;
        if self.extension_bytes > MAX_EXTENSION_BYTES {
            return Err(ChunkError::ExtensionsTooLarge);
        }
        Ok(State::Extension)
    }

    fn trailer(&mut self, next: State) -> Result<State, ChunkError> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > MAX_TRAILER_BYTES || self.trailers > MAX_TRAILERS {
            return Err(ChunkError::TrailersTooLarge);
        }
        Ok(next)
    }
}

/// Writes the header of a chunk of `len` bytes and returns the part of `out` it fills. [`CHUNK_END`] belongs behind the
/// payload. A chunk of no bytes would end the body, hence the type.
pub fn encode_header(len: NonZeroU64, out: &mut [u8; MAX_HEADER_BYTES]) -> &[u8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut at = out.len() - 2;
    out[at..].copy_from_slice(b"\r\n");
    let mut left = len.get();
    while left > 0 {
        at -= 1;
        out[at] = DIGITS[(left & 0xf) as usize];
        left >>= 4;
    }
    &out[at..]
}

/// Appends one whole chunk; nothing when there is no payload.
pub fn encode(payload: &[u8], out: &mut Vec<u8>) {
    if let Some(len) = NonZeroU64::new(payload.len() as u64) {
        out.extend_from_slice(encode_header(len, &mut [0; MAX_HEADER_BYTES]));
        out.extend_from_slice(payload);
        out.extend_from_slice(CHUNK_END);
    }
}

#[cfg(test)]
mod tests;
