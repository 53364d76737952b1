//! A message body as it arrives: by length, in chunks, or until the connection closes.

use std::ops::Range;

use super::HttpError;

/// What is still to come of one body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// This many bytes are left.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
}

/// What one call to [`Body::read`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are used up.
    pub consumed: usize,
    /// The part of the input that is payload.
    pub data: Range<usize>,
    /// The body is complete.
    pub done: bool,
}

impl Body {
    pub const EMPTY: Self = Self::Length(0);

    pub fn chunked() -> Self {
        Self::Chunked(Chunked { at: At::SizeStart, left: 0 })
    }

    /// Reads at most one run of payload. Call again with the rest until it is done or consumes nothing.
    pub fn read(&mut self, input: &[u8]) -> Result<Step, HttpError> {
        match self {
            Self::Length(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= take as u64;
                Ok(Step { consumed: take, data: 0..take, done: *left == 0 })
            }
            Self::Chunked(chunked) => chunked.read(input),
            Self::UntilClose => {
                Ok(Step { consumed: input.len(), data: 0..input.len(), done: false })
            }
        }
    }
}

/// Decoder of the chunked transfer coding (RFC 9112, section 7.1). Extensions and trailers are skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunked {
    at: At,
    left: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    SizeStart,
    Size(u8),
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    Done,
}

impl Chunked {
    fn read(&mut self, input: &[u8]) -> Result<Step, HttpError> {
        let mut pos = 0;
        while pos < input.len() && self.at != At::Done {
            if self.at == At::Data {
                let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len() - pos);
                self.left -= take as u64;
                if self.left == 0 {
                    self.at = At::DataCr;
                }
                return Ok(Step { consumed: pos + take, data: pos..pos + take, done: false });
            }
            self.at = self.next(input[pos])?;
            pos += 1;
        }
        Ok(Step { consumed: pos, data: pos..pos, done: self.at == At::Done })
    }

    fn next(&mut self, byte: u8) -> Result<At, HttpError> {
        Ok(match (self.at, byte) {
            (At::SizeStart, b) if b.is_ascii_hexdigit() => {
                self.left = u64::from(hex_value(b));
                At::Size(1)
            }
            // 15 hexadecimal digits cannot overflow, and no sane chunk needs more.
            (At::Size(digits), b) if b.is_ascii_hexdigit() && digits < 15 => {
                self.left = self.left * 16 + u64::from(hex_value(b));
                At::Size(digits + 1)
            }
            (At::Size(_) | At::Extension, b'\r') => At::SizeEnd,
            (At::Size(_), b';' | b' ' | b'\t') => At::Extension,
            (At::Extension, b) if b != b'\n' => At::Extension,
            (At::SizeEnd, b'\n') if self.left == 0 => At::TrailerStart,
            (At::SizeEnd, b'\n') => At::Data,
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::SizeStart,
            (At::TrailerStart, b'\r') => At::EndLf,
            (At::Trailer, b'\r') => At::TrailerLf,
            (At::TrailerStart | At::Trailer, b) if b != b'\n' => At::Trailer,
            (At::TrailerLf, b'\n') => At::TrailerStart,
            (At::EndLf, b'\n') => At::Done,
            _ => return Err(HttpError::Chunk),
        })
    }
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(input: &[u8], split: usize) -> Result<(Vec<u8>, usize, bool), HttpError> {
        let (mut body, mut data, mut used) = (Body::chunked(), Vec::new(), 0);
        for part in input.chunks(split) {
            let mut part = part;
            loop {
                let step = body.read(part)?;
                data.extend_from_slice(&part[step.data]);
                used += step.consumed;
                part = &part[step.consumed..];
                if step.done {
                    return Ok((data, used, true));
                }
                if part.is_empty() {
                    break;
                }
            }
        }
        Ok((data, used, false))
    }

    #[test]
    fn chunks_in_any_split() {
        for (input, want, rest, done) in [
            ("5\r\nhello\r\n0\r\n\r\n", "hello", 0, true),
            ("5;name=value\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\nNEXT", "hello!", 4, true),
            ("A\r\n0123456789\r\n", "0123456789", 0, false),
            ("0\r\n\r\n", "", 0, true),
        ] {
            for split in 1..=input.len() {
                let (data, used, ended) = decode(input.as_bytes(), split).unwrap();
                assert_eq!(
                    (data.as_slice(), ended),
                    (want.as_bytes(), done),
                    "{input:?} split {split}"
                );
                assert_eq!(input.len() - used, rest);
            }
        }
    }

    #[test]
    fn malformed_chunks() {
        for input in [
            "\r\n",
            "g\r\n",
            "5\nhello",
            "5\r\nhelloX",
            "1\r\na\rb",
            "1111111111111111\r\n",
            "0\r\n\n",
        ] {
            assert_eq!(decode(input.as_bytes(), 3), Err(HttpError::Chunk), "{input:?}");
        }
    }
}
