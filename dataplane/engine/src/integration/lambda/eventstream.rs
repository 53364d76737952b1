//! AWS's event-stream framing, as Lambda answers streaming invocations with it: bytes in, payload out.
//!
//! A message is its length and that of its headers with a checksum, the headers, a payload, and a checksum of all. Payload is handed
//! on as it comes, before its message is complete, so that nothing is held but headers; a checksum that is wrong ends the stream.
//!
//! Sources: Smithy, "Amazon Event Stream specification"; Lambda API Reference, `InvokeWithResponseStream`.

/// Bytes of a message's two lengths and their checksum.
const PRELUDE: usize = 12;

/// Bytes of a message's own checksum.
const CHECKSUM: usize = 4;

/// Most bytes of a message's headers, and of its payload. Source: the specification.
const MAX_HEADERS: usize = 128 * 1024;
const MAX_PAYLOAD: usize = 24 * 1024 * 1024;

/// Bytes that are kept of a message that is no payload: the words of an error.
const MAX_NOTE: usize = 16 * 1024;

/// How a stream came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The function is done.
    Complete,
    /// The function failed: the code and the details that Lambda gives.
    Failed {
        /// For example `Unhandled`.
        code: String,
        /// For people.
        details: String,
    },
    /// Lambda itself failed: the name of its exception.
    Exception(String),
}

/// What comes is no event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no well-formed event stream")]
pub struct Malformed;

/// Reads a stream, in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// The prelude, the headers or the checksum so far.
    held: Vec<u8>,
    checksum: crc32fast::Hasher,
    headers: usize,
    payload: usize,
    kind: Kind,
    /// The payload of a message that is not the function's.
    note: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Prelude,
    Headers,
    Payload,
    Checksum,
}

/// What a message is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Kind {
    /// A stretch of what the function says.
    Chunk,
    /// The end of it.
    Complete,
    Exception(String),
    /// Of no concern.
    #[default]
    Other,
}

impl Decoder {
    /// Reads the next bytes and appends the payload among them to `out`. Gives the end of the stream when that is there; what follows
    /// is not read.
    ///
    /// # Errors
    /// [`Malformed`] when lengths, headers or checksums are wrong.
    pub fn read(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<Option<End>, Malformed> {
        loop {
            match self.state {
                State::Prelude => {
                    let Some(prelude) = self.hold(&mut bytes, PRELUDE) else { return Ok(None) };
                    self.begin(&prelude)?;
                }
                State::Headers => {
                    let Some(headers) = self.hold(&mut bytes, self.headers) else {
                        return Ok(None);
                    };
                    self.checksum.update(&headers);
                    self.kind = kind(&headers).ok_or(Malformed)?;
                    self.state = State::Payload;
                }
                State::Payload => {
                    let (now, rest) = bytes.split_at(bytes.len().min(self.payload));
                    self.checksum.update(now);
                    match self.kind {
                        Kind::Chunk => out.extend_from_slice(now),
                        Kind::Other => {}
                        Kind::Complete | Kind::Exception(_) => {
                            let room = MAX_NOTE.saturating_sub(self.note.len()).min(now.len());
                            self.note.extend_from_slice(&now[..room]);
                        }
                    }
                    self.payload -= now.len();
                    bytes = rest;
                    if self.payload > 0 {
                        return Ok(None);
                    }
                    self.state = State::Checksum;
                }
                State::Checksum => {
                    let Some(sum) = self.hold(&mut bytes, CHECKSUM) else { return Ok(None) };
                    let found = std::mem::take(&mut self.checksum).finalize();
                    if sum != found.to_be_bytes() {
                        return Err(Malformed);
                    }
                    self.state = State::Prelude;
                    if let Some(end) = self.end() {
                        return Ok(Some(end));
                    }
                }
            }
        }
    }

    /// Takes bytes until so many are held, and gives them out then.
    fn hold(&mut self, bytes: &mut &[u8], wanted: usize) -> Option<Vec<u8>> {
        let (now, rest) = bytes.split_at(bytes.len().min(wanted - self.held.len()));
        self.held.extend_from_slice(now);
        *bytes = rest;
        (self.held.len() == wanted).then(|| std::mem::take(&mut self.held))
    }

    /// Begins a message.
    fn begin(&mut self, prelude: &[u8]) -> Result<(), Malformed> {
        let number = |at: usize| {
            prelude.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
        };
        let (total, headers) = (number(0) as usize, number(4) as usize);
        if crc32fast::hash(&prelude[..8]) != number(8) || headers > MAX_HEADERS {
            return Err(Malformed);
        }
        let payload = total.checked_sub(PRELUDE + headers + CHECKSUM).ok_or(Malformed)?;
        if payload > MAX_PAYLOAD {
            return Err(Malformed);
        }
        (self.headers, self.payload) = (headers, payload);
        self.checksum.update(prelude);
        self.state = State::Headers;
        Ok(())
    }

    /// The end of the stream, if the message that is complete is that.
    fn end(&mut self) -> Option<End> {
        let note = std::mem::take(&mut self.note);
        match std::mem::take(&mut self.kind) {
            Kind::Chunk | Kind::Other => None,
            Kind::Exception(name) => Some(End::Exception(name)),
            Kind::Complete => {
                let said: serde_json::Value = serde_json::from_slice(&note).unwrap_or_default();
                let member = |name: &str| {
                    said[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
                };
                Some(match member("ErrorCode") {
                    None => End::Complete,
                    Some(code) => {
                        End::Failed { code, details: member("ErrorDetails").unwrap_or_default() }
                    }
                })
            }
        }
    }
}

/// What the headers of a message say that it is; `None` when they are malformed.
fn kind(headers: &[u8]) -> Option<Kind> {
    let (mut message, mut event, mut exception) = (&b"event"[..], &b""[..], &b""[..]);
    let mut rest = headers;
    while let Some((length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        let (kind, after) = after.split_first()?;
        let length = match kind {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            9 => 16,
            // Bytes and text say how long they are.
            6 | 7 => 2 + usize::from(u16::from_be_bytes(*after.first_chunk()?)),
            _ => return None,
        };
        let (value, after) = after.split_at_checked(length)?;
        if *kind == 7 {
            let text = &value[2..];
            match name {
                b":message-type" => message = text,
                b":event-type" => event = text,
                b":exception-type" | b":error-code" => exception = text,
                _ => {}
            }
        }
        rest = after;
    }
    Some(match (message, event) {
        (b"event", b"PayloadChunk") => Kind::Chunk,
        (b"event", b"InvokeComplete") => Kind::Complete,
        (b"event", _) => Kind::Other,
        _ => Kind::Exception(String::from_utf8_lossy(exception).into_owned()),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A message as Lambda frames it.
    pub(crate) fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
        let mut lines = Vec::new();
        for (name, value) in headers {
            lines.push(name.len() as u8);
            lines.extend_from_slice(name.as_bytes());
            lines.push(7);
            lines.extend_from_slice(&(value.len() as u16).to_be_bytes());
            lines.extend_from_slice(value.as_bytes());
        }
        let total = (PRELUDE + lines.len() + payload.len() + CHECKSUM) as u32;
        let mut out = total.to_be_bytes().to_vec();
        out.extend_from_slice(&(lines.len() as u32).to_be_bytes());
        out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
        out.extend_from_slice(&lines);
        out.extend_from_slice(payload);
        out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
        out
    }

    fn event(kind: &str, payload: &[u8]) -> Vec<u8> {
        message(&[(":message-type", "event"), (":event-type", kind)], payload)
    }

    fn read(bytes: &[u8], piece: usize) -> Result<(Vec<u8>, Option<End>), Malformed> {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for piece in bytes.chunks(piece) {
            if let Some(end) = decoder.read(piece, &mut out)? {
                return Ok((out, Some(end)));
            }
        }
        Ok((out, None))
    }

    #[test]
    fn a_stream_reads_the_same_in_any_pieces() {
        let failed = br#"{"ErrorCode":"Unhandled","ErrorDetails":"boom","LogResult":""}"#;
        let exception = [(":message-type", "exception"), (":exception-type", "ServiceException")];
        let other = event("SomethingNew", b"ignored");
        for (last, end) in [
            (event("InvokeComplete", b"{}"), End::Complete),
            (event("InvokeComplete", b""), End::Complete),
            (event("InvokeComplete", br#"{"ErrorCode":null}"#), End::Complete),
            (
                event("InvokeComplete", failed),
                End::Failed { code: "Unhandled".into(), details: "boom".into() },
            ),
            (message(&exception, b"{}"), End::Exception("ServiceException".into())),
        ] {
            let chunks = [
                event("PayloadChunk", b"one "),
                event("PayloadChunk", b""),
                event("PayloadChunk", b"two"),
            ];
            let all = [&chunks.concat()[..], &other, &last].concat();
            for piece in 1..=all.len() {
                let want = (b"one two".to_vec(), Some(end.clone()));
                assert_eq!(read(&all, piece), Ok(want), "in pieces of {piece}");
            }
            // Split once, at every byte.
            for at in 0..all.len() {
                let (mut decoder, mut out) = (Decoder::default(), Vec::new());
                assert_eq!(decoder.read(&all[..at], &mut out), Ok(None), "{at}");
                assert_eq!(decoder.read(&all[at..], &mut out), Ok(Some(end.clone())), "{at}");
                assert_eq!(out, b"one two");
            }
        }
    }

    #[test]
    fn each_changed_byte_is_seen() {
        let whole = [event("PayloadChunk", b"payload"), event("InvokeComplete", b"{}")].concat();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            let got = read(&bytes, 5);
            assert!(!matches!(got, Ok((_, Some(_)))), "byte {at}: {got:?}");
        }
    }

    #[test]
    fn lengths_and_headers_are_bounded() {
        let prelude = |total: u32, headers: u32| {
            let mut out = [total.to_be_bytes(), headers.to_be_bytes()].concat();
            out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
            out
        };
        for bytes in [
            prelude(15, 0),
            prelude(0, 0),
            prelude(u32::MAX, 0),
            prelude(u32::MAX, u32::MAX),
            prelude(200_000, 131_073),
            prelude(40, 100),
        ] {
            assert_eq!(read(&bytes, 100), Err(Malformed));
        }
        // A header that runs over the others' end.
        let mut long = prelude(12 + 3 + 4, 3);
        long.extend_from_slice(&[200, b'a', 7]);
        assert_eq!(read(&long, 100), Err(Malformed));
    }
}
