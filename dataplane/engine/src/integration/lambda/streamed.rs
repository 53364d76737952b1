//! The answer of a function that streams it: a JSON object of status and headers, eight NUL bytes, and the body behind them.
//!
//! Source: developer guide, "Set up a Lambda proxy integration with payload response streaming in API Gateway".

use super::eventstream::{Decoder, End, Malformed};
use super::reply::{Said, metadata};
use crate::head::{Head, Known};
use crate::respond::Failure;

/// What stands between the metadata and the body.
const DELIMITER: &[u8] = &[0; 8];

/// Where it has to begin. Source: as above.
const MAX_METADATA: usize = 16 * 1024;

/// What a function says before the body that it means to stream, where all of that came at once; `None` when it is malformed.
pub(super) fn begun(payload: &[u8]) -> Option<Said> {
    let end = payload.len().min(MAX_METADATA + DELIMITER.len());
    let at = memchr::memmem::find(&payload[..end], DELIMITER)?;
    metadata(&payload[..at])
}

/// Reads an invocation's answer while it comes.
#[derive(Debug, Default)]
pub struct Streamed {
    decoder: Decoder,
    /// Payload that nobody has taken: up to the delimiter the metadata, then the body.
    payload: Vec<u8>,
    state: State,
    end: Option<Result<End, Malformed>>,
    /// Whether Lambda's answer is no stream, so that its body is of no concern.
    refused: Option<Failure>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Metadata,
    /// The caller's head can be written.
    Body(Box<Said>),
}

/// The answer broke off, and what the caller has is not the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the function's answer broke off")]
pub struct Broken;

impl Streamed {
    /// Begins with the head of Lambda's answer.
    pub fn new(head: &Head) -> Self {
        let refused = match head.status {
            200..300 if is_event_stream(head) => None,
            200..300 => Some(Failure::LambdaStreamMalformed),
            403 | 429 | 500.. => Some(Failure::LambdaRefused),
            _ => Some(Failure::LambdaInvalid),
        };
        Self { refused, ..Self::default() }
    }

    /// Takes the next bytes of Lambda's answer. At most as many are held as were taken since [`Self::drain`], and the metadata.
    pub fn read(&mut self, bytes: &[u8]) {
        if self.end.is_some() || self.refused.is_some() {
            return;
        }
        // The delimiter may have begun in what was there.
        let from = self.payload.len().saturating_sub(DELIMITER.len() - 1);
        match self.decoder.read(bytes, &mut self.payload) {
            Ok(None) => {}
            Ok(Some(end)) => self.end = Some(Ok(end)),
            Err(malformed) => self.end = Some(Err(malformed)),
        }
        if matches!(self.state, State::Metadata) {
            self.look(from);
        }
    }

    /// Lambda's answer has ended, or broken off. That is well only behind the message that says so.
    pub fn finish(&mut self) {
        self.end.get_or_insert(Err(Malformed));
    }

    /// Looks for the delimiter.
    fn look(&mut self, from: usize) {
        let Some(at) = memchr::memmem::find(&self.payload[from..], DELIMITER) else {
            if self.payload.len() >= MAX_METADATA + DELIMITER.len() {
                self.refused = Some(Failure::LambdaStreamMalformed);
            }
            return;
        };
        let at = from + at;
        let said = (at <= MAX_METADATA).then(|| metadata(&self.payload[..at])).flatten();
        match said {
            Some(said) => {
                self.payload.drain(..at + DELIMITER.len());
                self.state = State::Body(Box::new(said));
            }
            None => self.refused = Some(Failure::LambdaStreamMalformed),
        }
    }

    /// Whether enough is there to decide on the caller's head.
    pub fn is_open(&self) -> bool {
        self.refused.is_some() || self.end.is_some() || matches!(self.state, State::Body(_))
    }

    /// What the function said before its body, or why there is nothing to pass on.
    pub(super) fn said(&self) -> Result<&Said, Failure> {
        if let Some(failure) = self.refused {
            return Err(failure);
        }
        match (&self.state, &self.end) {
            (State::Body(said), _) => Ok(said),
            (State::Metadata, Some(Ok(End::Failed { .. }))) => Err(Failure::LambdaFailed),
            (State::Metadata, Some(Ok(End::Exception(_)))) => Err(Failure::LambdaRefused),
            (State::Metadata, _) => Err(Failure::LambdaStreamMalformed),
        }
    }

    /// Moves the part of the body that is there behind what `out` holds.
    pub fn drain(&mut self, out: &mut Vec<u8>) {
        if matches!(self.state, State::Body(_)) {
            out.append(&mut self.payload);
        }
    }

    /// Whether the body is complete; `None` while more may come. What is refused has none that could be.
    pub fn outcome(&self) -> Option<Result<(), Broken>> {
        if self.refused.is_some() {
            return Some(Err(Broken));
        }
        self.end.as_ref().map(|end| match end {
            Ok(End::Complete) => Ok(()),
            Ok(End::Failed { .. } | End::Exception(_)) | Err(Malformed) => Err(Broken),
        })
    }

    /// What the function said of its failure, for the log.
    pub fn failure(&self) -> Option<(&str, &str)> {
        match self.end.as_ref()? {
            Ok(End::Failed { code, details }) => Some((code, details)),
            Ok(End::Exception(name)) => Some((name, "")),
            _ => None,
        }
    }
}

fn is_event_stream(head: &Head) -> bool {
    let media = crate::mapping::media::first(head, Known::ContentType);
    media.eq_ignore_ascii_case(b"application/vnd.amazon.eventstream")
}

#[cfg(test)]
mod tests {
    use super::super::eventstream::tests::message;
    use super::*;

    fn head(status: u16, media: &str) -> Head {
        let mut head = Head { status, ..Head::with_capacity(256) };
        head.push_field(b"Content-Type", media.as_bytes());
        head
    }

    fn event(kind: &str, payload: &[u8]) -> Vec<u8> {
        message(&[(":message-type", "event"), (":event-type", kind)], payload)
    }

    /// What comes of a payload: status, headers, body, and whether it was complete.
    fn run(payload: &[&[u8]], last: &[u8], piece: usize) -> Result<(u16, String, bool), Failure> {
        let mut bytes: Vec<u8> = payload.iter().flat_map(|p| event("PayloadChunk", p)).collect();
        bytes.extend_from_slice(last);
        let mut streamed = Streamed::new(&head(200, "application/vnd.amazon.eventstream"));
        let mut body = Vec::new();
        for piece in bytes.chunks(piece) {
            streamed.read(piece);
            streamed.drain(&mut body);
        }
        streamed.finish();
        let said = streamed.said()?;
        let complete = streamed.outcome() == Some(Ok(()));
        Ok((said.status, String::from_utf8(body).unwrap(), complete))
    }

    #[test]
    fn metadata_and_body_are_told_apart_in_any_pieces() {
        let complete = event("InvokeComplete", b"{}");
        for payload in [
            &[&b"{\"statusCode\":201}\0\0\0\0\0\0\0\0hello"[..]][..],
            &[b"{\"statusCode\":201}", b"\0\0\0\0\0\0\0\0", b"hel", b"lo"],
            &[b"{\"statusCode\":201}\0\0\0", b"\0\0\0\0\0hello"],
        ] {
            for piece in 1..200 {
                assert_eq!(
                    run(payload, &complete, piece),
                    Ok((201, "hello".into(), true)),
                    "{piece}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_streamed_answer_fails_before_the_head_and_cuts_behind_it() {
        let complete = event("InvokeComplete", b"{}");
        let failed = event("InvokeComplete", br#"{"ErrorCode":"Unhandled","ErrorDetails":"x"}"#);
        let long = [&vec![b' '; MAX_METADATA + 1][..], b"{}\0\0\0\0\0\0\0\0"].concat();
        let malformed = Err(Failure::LambdaStreamMalformed);
        for (payload, last, want) in [
            (&b"{}\0\0\0\0\0\0\0\0a"[..], &complete, Ok((200, "a".into(), true))),
            (b"{}\0\0\0\0\0\0\0\0a", &failed, Ok((200, "a".into(), false))),
            (b"{}\0\0\0\0\0\0\0\0a", &Vec::new(), Ok((200, "a".into(), false))),
            (b"{}", &failed, Err(Failure::LambdaFailed)),
            (b"{}", &complete, malformed.clone()),
            (b"", &complete, malformed.clone()),
            (b"{}", &Vec::new(), malformed.clone()),
            (b"{\"body\":\"\"}\0\0\0\0\0\0\0\0", &complete, malformed.clone()),
            (b"nonsense\0\0\0\0\0\0\0\0", &complete, malformed.clone()),
            (&long, &complete, malformed),
        ] {
            for piece in [1, 7, 100_000] {
                assert_eq!(run(&[payload], last, piece), want, "{}", payload.len());
            }
        }
    }

    #[test]
    fn an_answer_of_lambda_that_is_no_stream_decides_at_once() {
        for (status, media, want) in [
            (200, "application/json", Failure::LambdaStreamMalformed),
            (403, "application/json", Failure::LambdaRefused),
            (429, "application/json", Failure::LambdaRefused),
            (404, "application/json", Failure::LambdaInvalid),
        ] {
            let streamed = Streamed::new(&head(status, media));
            assert!(streamed.is_open());
            assert_eq!(streamed.said().unwrap_err(), want, "{status}");
        }
    }
}
