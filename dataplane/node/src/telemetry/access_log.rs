//! The access log: one JSON object a line, written by a thread of its own. A full queue drops lines and counts them; it never
//! holds up a request.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use serde::Serialize;
use tidegate_engine::head::{Head, Known};
use tidegate_engine::{Answer, Now, Record};

use crate::drive::Asking;

/// Where lines go. Clones write to the same place.
#[derive(Clone)]
pub struct AccessLog {
    lines: SyncSender<Vec<u8>>,
    dropped: Arc<AtomicU64>,
}

/// Lines that wait for the writer.
const QUEUE: usize = 8 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    time: u64,
    request_id: &'a str,
    extended_request_id: &'a str,
    ip: std::net::IpAddr,
    http_method: &'a str,
    path: &'a str,
    protocol: &'a str,
    host: &'a str,
    user_agent: &'a str,
    api_id: &'a str,
    stage: &'a str,
    deployment_id: &'a str,
    canary: bool,
    resource_path: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'a str>,
    request_length: u64,
    response_length: u64,
    response_latency_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    integration_latency_us: Option<u64>,
    aborted: bool,
}

impl AccessLog {
    /// Opens the log: a file to append to, or `-` for standard output.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let to: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else {
            Box::new(OpenOptions::new().create(true).append(true).open(path)?)
        };
        let (lines, queue) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_all(&queue, to))?;
        Ok(Self { lines, dropped })
    }

    /// Lines that found the queue full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Logs an exchange.
    pub fn write(
        &self,
        record: &Record<'_>,
        request: &Head,
        answer: &Answer,
        asking: &Asking<'_>,
        now: Now,
    ) {
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or("");
        let line = Line {
            time: now.unix_ms,
            request_id: answer.request_id(),
            extended_request_id: answer.extended_request_id(),
            ip: asking.peer,
            http_method: text(request.bytes(request.method_text)),
            path: text(request.path()),
            protocol: request.version.as_str(),
            host: text(request.authority()),
            user_agent: text(request.last(Known::UserAgent).unwrap_or_default()),
            api_id: record.api,
            stage: record.stage,
            deployment_id: record.deployment,
            canary: record.canary,
            resource_path: record.route,
            status: record.status,
            error_type: record.error,
            request_length: record.counts.received,
            response_length: record.counts.sent,
            response_latency_us: record.counts.latency_us,
            integration_latency_us: record.counts.integration_us,
            aborted: record.counts.aborted,
        };
        let mut bytes = Vec::with_capacity(512);
        // Writing JSON of text and numbers to memory cannot fail.
        if serde_json::to_writer(&mut bytes, &line).is_ok() {
            bytes.push(b'\n');
            if self.lines.try_send(bytes).is_err() {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Writes until every sender has gone. Lines are flushed when none has come for a while.
fn write_all(queue: &Receiver<Vec<u8>>, to: Box<dyn Write + Send>) {
    let mut to = BufWriter::with_capacity(64 * 1024, to);
    loop {
        let written = match queue.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => to.write_all(&line),
            Err(RecvTimeoutError::Timeout) => to.flush(),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if let Err(error) = written {
            tracing::error!(%error, "access log cannot be written");
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    let _ = to.flush();
}
