//! What functions print, line by line, on the host's standard error: bounded in length and rate, so that a function that floods
//! costs itself its lines and nobody else anything.

use std::io::Write as _;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Where lines go. Clones write to the same place.
#[derive(Debug, Clone)]
pub struct Log {
    lines: SyncSender<String>,
}

impl Log {
    /// A log on standard error, written by a thread of its own: a terminal that stands still stops no function.
    pub fn to_stderr() -> Self {
        let (lines, written) = sync_channel::<String>(WAITING_LINES);
        std::thread::spawn(move || {
            for line in written {
                // Without a standard error there is nobody to tell.
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
        });
        Self { lines }
    }

    /// Says whether there was room for the line.
    fn write(&self, line: String) -> bool {
        !matches!(self.lines.try_send(line), Err(TrySendError::Full(_)))
    }
}

/// Whose output it is, and for which request.
#[derive(Debug)]
pub(crate) struct Voice {
    function: String,
    log: Log,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The request being served, or the last one; empty before the first.
    request: Arc<str>,
    /// The end of what was printed for it.
    tail: Vec<u8>,
    allowance: Option<Allowance>,
    dropped: u64,
}

/// A bucket of lines.
#[derive(Debug)]
struct Allowance {
    lines: f64,
    at: Instant,
}

impl Voice {
    pub(crate) fn new(function: &str, log: Log) -> Self {
        Self { function: function.to_owned(), log, state: Mutex::default() }
    }

    pub(crate) fn function(&self) -> &str {
        &self.function
    }

    /// What is printed from now on belongs to this request.
    pub(crate) fn begin(&self, request: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.request = request.into();
        state.tail.clear();
    }

    /// The last 4 KiB of what was printed for the request. Source: Lambda API Reference, `Invoke`, `X-Amz-Log-Result`.
    pub(crate) fn tail(&self) -> Vec<u8> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).tail.clone()
    }

    fn say(&self, line: &str, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tail.extend_from_slice(line.as_bytes());
        state.tail.push(b'\n');
        let over = state.tail.len().saturating_sub(TAIL);
        state.tail.drain(..over);
        if !state.admits(now) {
            state.dropped += 1;
            return;
        }
        let dropped = std::mem::take(&mut state.dropped);
        let request = state.request.clone();
        drop(state);
        let prefix = match &*request {
            "" => self.function.clone(),
            request => format!("{} {request}", self.function),
        };
        let note = match dropped {
            0 => String::new(),
            lines => format!(
                "{prefix} | ... {lines} lines left out: more than {LINES_A_SECOND} a second\n"
            ),
        };
        if !self.log.write(format!("{note}{prefix} | {line}\n")) {
            self.state.lock().unwrap_or_else(PoisonError::into_inner).dropped += dropped + 1;
        }
    }

    /// Says line by line what comes out of the pipe, until it ends. Reads on whatever becomes of the lines: a full pipe would
    /// stop the function.
    pub(crate) async fn follow(self: Arc<Self>, mut pipe: impl AsyncRead + Unpin) {
        let mut bytes = vec![0; READ];
        let mut line: Vec<u8> = Vec::new();
        while let Ok(read @ 1..) = pipe.read(&mut bytes).await {
            for part in bytes[..read].split_inclusive(|b| matches!(b, b'\n' | b'\r')) {
                let (text, ended) = match part.split_last() {
                    Some((b'\n' | b'\r', text)) => (text, true),
                    _ => (part, false),
                };
                let room = (LINE + 1).saturating_sub(line.len());
                line.extend_from_slice(&text[..text.len().min(room)]);
                if ended {
                    self.end_line(&mut line);
                }
            }
        }
        self.end_line(&mut line);
    }

    fn end_line(&self, line: &mut Vec<u8>) {
        if line.is_empty() {
            return;
        }
        let cut = if line.len() > LINE { " ... (cut)" } else { "" };
        let text = String::from_utf8_lossy(&line[..line.len().min(LINE)]);
        self.say(&format!("{text}{cut}"), Instant::now());
        line.clear();
    }
}

impl State {
    fn admits(&mut self, now: Instant) -> bool {
        let bucket = self.allowance.get_or_insert(Allowance { lines: BURST, at: now });
        let refill = now.saturating_duration_since(bucket.at).as_secs_f64() * LINES_A_SECOND;
        bucket.lines = (bucket.lines + refill).min(BURST);
        bucket.at = now;
        let admits = bucket.lines >= 1.0;
        if admits {
            bucket.lines -= 1.0;
        }
        admits
    }
}

/// Lines that wait for the terminal.
const WAITING_LINES: usize = 4096;

/// Longest line in bytes; what is longer is cut. 8 KiB holds a stack trace that was put into one line.
const LINE: usize = 8 * 1024;

/// Lines that one process may print at once, and each second after that.
const BURST: f64 = 1000.0;
const LINES_A_SECOND: f64 = 200.0;

/// Bytes of a tail.
const TAIL: usize = 4096;

/// Bytes read at a time.
const READ: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn voice() -> (Voice, std::sync::mpsc::Receiver<String>) {
        let (lines, written) = sync_channel(10_000);
        (Voice::new("hello", Log { lines }), written)
    }

    #[tokio::test]
    async fn lines_have_names_and_limits() {
        let (voice, written) = voice();
        let voice = Arc::new(voice);
        voice.clone().follow(&b"starting\n"[..]).await;
        voice.begin("r1");
        let long = "x".repeat(LINE + 5);
        voice.clone().follow(format!("one\r\ntwo\n{long}\nlast").as_bytes()).await;
        let lines: Vec<String> = written.try_iter().collect();
        assert_eq!(lines[0], "hello | starting\n");
        assert_eq!(lines[1], "hello r1 | one\n");
        assert!(lines[3].ends_with("x ... (cut)\n"), "{}", lines[3].len());
        assert_eq!(lines[4], "hello r1 | last\n");
        let tail = voice.tail();
        assert!(tail.len() == TAIL && tail.ends_with(b"last\n"));
    }

    #[test]
    fn floods_are_cut_and_counted() {
        let (voice, written) = voice();
        let now = Instant::now();
        for _ in 0..5000 {
            voice.say("x", now);
        }
        assert_eq!(written.try_iter().count(), 1000);
        voice.say("y", now + Duration::from_secs(1));
        let next = written.try_iter().next().unwrap();
        assert_eq!(next, "hello | ... 4000 lines left out: more than 200 a second\nhello | y\n");
    }
}
