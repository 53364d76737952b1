//! Responses as the generator reads them: status and framing, any split, nothing kept.

use super::{
    body::Body,
    head::{self, Framing, HttpError},
};

/// Reads one response after another from a connection's bytes.
#[derive(Debug)]
pub struct ResponseReader {
    state: State,
    /// Answers to HEAD carry no body whatever their headers say.
    to_head: bool,
    status: u16,
    keep_alive: bool,
    body_bytes: u64,
}

#[derive(Debug)]
enum State {
    Head,
    Body(Body),
}

/// A complete response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    pub status: u16,
    /// The connection takes another request.
    pub keep_alive: bool,
    pub body_bytes: u64,
}

/// What [`ResponseReader::feed`] made of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fed {
    /// Bytes used up; the caller keeps the rest and feeds it again with what comes next.
    pub consumed: usize,
    pub done: Option<Outcome>,
}

impl ResponseReader {
    pub fn new(to_head: bool) -> Self {
        Self { state: State::Head, to_head, status: 0, keep_alive: true, body_bytes: 0 }
    }

    /// Reads up to the end of one response. `sink` sees each run of body bytes.
    pub fn feed_into(
        &mut self,
        input: &[u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Result<Fed, HttpError> {
        let mut consumed = 0;
        loop {
            let rest = &input[consumed..];
            match &mut self.state {
                State::Head => {
                    let Some(end) = head::end(rest)? else {
                        return Ok(Fed { consumed, done: None });
                    };
                    self.read_head(&rest[..end])?;
                    consumed += end;
                }
                State::Body(body) => {
                    let step = body.read(rest)?;
                    self.body_bytes += step.data.len() as u64;
                    sink(&rest[step.data]);
                    consumed += step.consumed;
                    if step.done {
                        return Ok(Fed { consumed, done: Some(self.finish()) });
                    }
                    if consumed == input.len() {
                        return Ok(Fed { consumed, done: None });
                    }
                }
            }
        }
    }

    pub fn feed(&mut self, input: &[u8]) -> Result<Fed, HttpError> {
        self.feed_into(input, |_| {})
    }

    /// The peer closed: completes a body that only the close delimits; else the response is short.
    pub fn close(&mut self) -> Option<Outcome> {
        matches!(self.state, State::Body(Body::UntilClose)).then(|| self.finish())
    }

    /// Whether a response has begun, once its head is complete.
    pub fn started(&self) -> bool {
        matches!(self.state, State::Body(_))
    }

    fn finish(&mut self) -> Outcome {
        let done = Outcome {
            status: self.status,
            keep_alive: self.keep_alive,
            body_bytes: self.body_bytes,
        };
        *self = Self::new(self.to_head);
        done
    }

    fn read_head(&mut self, head: &[u8]) -> Result<(), HttpError> {
        let (line, headers) = head::first_line(head)?;
        let digits = match line {
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', b' ', digits @ ..] => digits,
            _ => return Err(HttpError::FirstLine),
        };
        let [a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] = digits else {
            return Err(HttpError::FirstLine);
        };
        self.status = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
        // An interim response (100, 103) is followed by the real one.
        if self.status < 200 {
            return Ok(());
        }
        let framing = Framing::read(headers)?;
        let http_1_0 = line[7] == b'0';
        let body = if self.to_head || matches!(self.status, 204 | 304) {
            Body::EMPTY
        } else {
            framing.body(Body::UntilClose)
        };
        self.keep_alive =
            body != Body::UntilClose && !framing.close && (!http_1_0 || framing.keep_alive);
        self.state = State::Body(body);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello\
        HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
        HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 503 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

    /// Feeds the stream as a connection would: unused bytes are kept and joined with what comes next.
    fn read_all(parts: &[&[u8]]) -> Vec<Outcome> {
        let (mut reader, mut kept, mut out) = (ResponseReader::new(false), Vec::new(), Vec::new());
        for part in parts {
            kept.extend_from_slice(part);
            loop {
                let fed = reader.feed(&kept).unwrap();
                kept.drain(..fed.consumed);
                match fed.done {
                    Some(done) => out.push(done),
                    None => break,
                }
            }
        }
        assert!(kept.is_empty());
        out
    }

    fn expected() -> Vec<Outcome> {
        [(200, true, 5), (404, true, 3), (204, true, 0), (503, false, 0)]
            .map(|(status, keep_alive, body_bytes)| Outcome { status, keep_alive, body_bytes })
            .to_vec()
    }

    #[test]
    fn every_single_split() {
        for at in 0..=STREAM.len() {
            let (a, b) = STREAM.as_bytes().split_at(at);
            assert_eq!(read_all(&[a, b]), expected(), "split at {at}");
        }
    }

    proptest! {
        #[test]
        fn any_split(cuts in proptest::collection::vec(0..STREAM.len(), 0..20)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let parts: Vec<&[u8]> = cuts.windows(2).map(|w| &STREAM.as_bytes()[w[0]..w[1]]).collect();
            prop_assert_eq!(read_all(&parts), expected());
        }
    }

    #[test]
    fn body_until_close() {
        let mut reader = ResponseReader::new(false);
        assert_eq!(reader.feed(b"HTTP/1.1 200 OK\r\n\r\nabc").unwrap().done, None);
        assert_eq!(reader.close(), Some(Outcome { status: 200, keep_alive: false, body_bytes: 3 }));
        reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").unwrap();
        assert_eq!(reader.close(), None, "a short body is no response");
    }

    #[test]
    fn answer_to_head() {
        let fed = ResponseReader::new(true)
            .feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
            .unwrap();
        assert_eq!(fed.done.map(|done| done.body_bytes), Some(0));
    }
}
