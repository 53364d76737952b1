//! Bodies on their way through: which received bytes are payload, and payload framed for sending on.

use std::num::NonZeroU64;

use super::Framing;
use super::chunked::{CHUNK_END, ChunkError, Decoder, MAX_HEADER_BYTES, encode_header};

/// What is still to come of a body.
#[derive(Clone, Debug)]
pub struct Incoming {
    left: Left,
    received: u64,
}

#[derive(Clone, Debug)]
enum Left {
    Length(u64),
    Chunked(Decoder),
    UntilClose,
    Nothing,
}

impl Incoming {
    /// A body none of which has been received.
    pub fn new(framing: Framing) -> Self {
        let left = match framing {
            Framing::Empty | Framing::Length(0) => Left::Nothing,
            Framing::Length(bytes) => Left::Length(bytes),
            Framing::Chunked => Left::Chunked(Decoder::new()),
            Framing::UntilClose => Left::UntilClose,
        };
        Self { left, received: 0 }
    }

    /// Whether it has been received to its end.
    pub fn is_done(&self) -> bool {
        matches!(self.left, Left::Nothing)
    }

    /// Whether the end of the stream is its end.
    pub fn ends_with_stream(&self) -> bool {
        matches!(self.left, Left::UntilClose)
    }

    /// Payload bytes still to come, where that is known.
    pub fn left(&self) -> Option<u64> {
        match self.left {
            Left::Length(bytes) => Some(bytes),
            Left::Nothing => Some(0),
            Left::Chunked(_) | Left::UntilClose => None,
        }
    }

    /// Payload bytes received so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Takes what was received into `buf` from `from` on: moves the payload together, so that it is `buf[from..end]`, and
    /// returns `end` and where bytes begin that belong to the next message (`buf.len()` when there are none).
    ///
    /// Payload of a body with a length stays where it is; chunks are moved over the framing between them.
    ///
    /// # Errors
    /// If the chunks are malformed.
    pub fn take(&mut self, buf: &mut [u8], from: usize) -> Result<(usize, usize), ChunkError> {
        let (end, next) = match &mut self.left {
            Left::Nothing => (from, from),
            Left::UntilClose => (buf.len(), buf.len()),
            Left::Length(left) => {
                let here = (buf.len() - from).min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= here as u64;
                (from + here, from + here)
            }
            Left::Chunked(decoder) => {
                let (mut end, mut at) = (from, from);
                while at < buf.len() && !decoder.is_done() {
                    let found = decoder.decode(&buf[at..])?;
                    let payload = at + found.payload.start..at + found.payload.end;
                    let len = payload.len();
                    buf.copy_within(payload, end);
                    end += len;
                    at += found.consumed;
                }
                (end, at)
            }
        };
        self.received += (end - from) as u64;
        let done = match &self.left {
            Left::Length(left) => *left == 0,
            Left::Chunked(decoder) => decoder.is_done(),
            Left::UntilClose | Left::Nothing => false,
        };
        if done {
            self.left = Left::Nothing;
        }
        Ok((end, next))
    }
}

/// Room kept in front of a stretch of payload, so that a chunk's header can be written there without moving it.
pub const ROOM: usize = MAX_HEADER_BYTES;

/// Frames `buf[ROOM..]` as one chunk in place and returns where it begins. There must be payload.
pub fn frame(buf: &mut Vec<u8>) -> usize {
    let Some(len) = NonZeroU64::new((buf.len() - ROOM) as u64) else { return buf.len() };
    let mut header = [0; MAX_HEADER_BYTES];
    let header = encode_header(len, &mut header);
    let start = ROOM - header.len();
    buf[start..ROOM].copy_from_slice(header);
    buf.extend_from_slice(CHUNK_END);
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_is_found_whatever_frames_it() {
        for (framing, input, want, behind) in [
            (Framing::Length(3), "abcGET", "abc", "GET"),
            (Framing::Chunked, "2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\nGET", "abc", "GET"),
            (Framing::UntilClose, "abc", "abc", ""),
            (Framing::Empty, "GET", "", "GET"),
        ] {
            let mut buf = b"..".to_vec();
            buf.extend_from_slice(input.as_bytes());
            let mut body = Incoming::new(framing);
            let (end, next) = body.take(&mut buf, 2).unwrap();
            assert_eq!(
                (&buf[2..end], &buf[next..]),
                (want.as_bytes(), behind.as_bytes()),
                "{framing:?}"
            );
            assert_eq!(body.is_done(), framing != Framing::UntilClose);
            assert_eq!(body.received(), want.len() as u64);
        }
    }

    #[test]
    fn a_stretch_is_framed_in_place() {
        let mut buf = vec![0; ROOM];
        buf.extend_from_slice(&[b'x'; 300]);
        let start = frame(&mut buf);
        assert!(buf[start..].starts_with(b"12c\r\nxxx") && buf.ends_with(b"x\r\n"));
    }
}
