//! What one thread counts, and how threads add up.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Latencies above this are recorded as this.
const LONGEST: Duration = Duration::from_secs(600);

/// Requests that got no whole answer, by what went wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Errors {
    /// A connection could not be made.
    pub connect: u64,
    /// The peer reset the connection while a request was open.
    pub reset: u64,
    /// The peer closed before the first byte of an answer.
    pub closed: u64,
    /// The peer closed in the middle of an answer.
    pub short_body: u64,
    pub timeout: u64,
    /// The answer was not HTTP/1.1.
    pub malformed: u64,
    /// Due, but no connection became free before the run ended.
    pub unsent: u64,
}

impl Errors {
    pub fn total(&self) -> u64 {
        self.named().iter().map(|(_, count)| count).sum()
    }

    pub fn named(&self) -> [(&'static str, u64); 7] {
        [
            ("connect", self.connect),
            ("reset", self.reset),
            ("closed", self.closed),
            ("short body", self.short_body),
            ("timeout", self.timeout),
            ("malformed", self.malformed),
            ("unsent", self.unsent),
        ]
    }

    fn add(&mut self, other: &Self) {
        self.connect += other.connect;
        self.reset += other.reset;
        self.closed += other.closed;
        self.short_body += other.short_body;
        self.timeout += other.timeout;
        self.malformed += other.malformed;
        self.unsent += other.unsent;
    }
}

/// Counters of one thread.
#[derive(Debug, Clone)]
pub struct Stats {
    /// Nanoseconds from intended send to complete answer, of requests intended inside the window.
    pub latency: Histogram<u64>,
    /// Answers that completed inside the window: what throughput and CPU per request divide by.
    pub completed: u64,
    /// Answers per status, of requests intended inside the window.
    pub statuses: Box<[u64; 600]>,
    pub errors: Errors,
    /// Bytes of answers (head and body) and of requests inside the window.
    pub received_bytes: u64,
    pub sent_bytes: u64,
    /// Requests that were due while no connection was free (open loop).
    pub waited: u64,
    /// CPU this thread used during the window.
    pub own_cpu: Duration,
    /// The largest share of the window that any one thread used.
    pub busiest_cpu: Duration,
}

/// An empty histogram of nanoseconds up to [`LONGEST`], with three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST.as_nanos() as u64, 3)
        .expect("1 ns to 600 s with 3 digits is valid")
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            latency: histogram(),
            completed: 0,
            statuses: Box::new([0; 600]),
            errors: Errors::default(),
            received_bytes: 0,
            sent_bytes: 0,
            waited: 0,
            own_cpu: Duration::ZERO,
            busiest_cpu: Duration::ZERO,
        }
    }
}

impl Stats {
    pub fn record(&mut self, latency: Duration, status: u16) {
        self.latency.saturating_record(latency.as_nanos().max(1) as u64);
        self.statuses[usize::from(status)] += 1;
    }

    pub fn merge(&mut self, other: Self) {
        self.latency.add(&other.latency).expect("both have the same bounds");
        self.completed += other.completed;
        self.statuses
            .iter_mut()
            .zip(other.statuses.iter())
            .for_each(|(mine, theirs)| *mine += theirs);
        self.errors.add(&other.errors);
        self.received_bytes += other.received_bytes;
        self.sent_bytes += other.sent_bytes;
        self.waited += other.waited;
        self.own_cpu += other.own_cpu;
        self.busiest_cpu = self.busiest_cpu.max(other.own_cpu);
    }
}
