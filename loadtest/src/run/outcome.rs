//! The numbers of one finished run, and how they read.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{
    Arrival, Load,
    schedule::Window,
    stats::{Errors, Stats},
};
use crate::{
    host::process::{Memory, Usage},
    report::text,
};

/// Percentiles that are printed, as (name, quantile).
pub const PERCENTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)];

/// Above this share of one core the generator itself may be what is measured.
const BUSY: f64 = 0.9;

/// The result of a run. Serialises to the JSON report.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub arrival: String,
    pub connections: usize,
    pub threads: usize,
    pub measured_seconds: f64,
    /// Complete answers inside the window.
    pub completed: u64,
    pub requests_per_second: f64,
    pub latency_us: Latency,
    pub statuses: BTreeMap<u16, u64>,
    pub errors: Errors,
    /// Answers with status 400 and above.
    pub refused: u64,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    /// Open loop: requests that found no free connection when they were due.
    pub waited: u64,
    /// Share of a core the busiest generator thread used, 0 to 1.
    pub generator_cpu: f64,
    pub proxy: Option<Proxy>,
    #[serde(skip)]
    pub histogram: Histogram<u64>,
}

/// Microseconds from intended send to complete answer.
#[derive(Debug, Clone, Serialize)]
pub struct Latency {
    pub mean: f64,
    pub percentiles: BTreeMap<&'static str, f64>,
    pub max: f64,
}

/// What the watched processes used.
#[derive(Debug, Clone, Serialize)]
pub struct Proxy {
    pub pids: Vec<u32>,
    pub cpu_us_per_request: f64,
    pub user_us_per_request: f64,
    pub system_us_per_request: f64,
    pub switches_per_request: f64,
    /// Share of one core over the window; above 1 with several threads.
    pub cpu: f64,
    pub memory: Memory,
}

impl Outcome {
    pub(super) fn new(
        load: &Load,
        window: Window,
        stats: Stats,
        usage: Usage,
        memory: Memory,
    ) -> Self {
        let measured = window.measured().as_secs_f64().max(1e-9);
        let statuses: BTreeMap<u16, u64> = (0..600)
            .map(|at| (at as u16, stats.statuses[at]))
            .filter(|(_, count)| *count > 0)
            .collect();
        let us = |ns: u64| ns as f64 / 1e3;
        let percentiles = PERCENTILES
            .map(|(name, q)| (name, us(stats.latency.value_at_quantile(q))))
            .into_iter()
            .collect();
        let per_request = |time: Duration| time.as_secs_f64() * 1e6 / stats.completed.max(1) as f64;
        let switches = usage.voluntary_switches + usage.involuntary_switches;
        let proxy = (!load.pids.is_empty()).then(|| Proxy {
            pids: load.pids.clone(),
            cpu_us_per_request: per_request(usage.cpu()),
            user_us_per_request: per_request(usage.user),
            system_us_per_request: per_request(usage.system),
            switches_per_request: switches as f64 / stats.completed.max(1) as f64,
            cpu: usage.cpu().as_secs_f64() / measured,
            memory,
        });
        Self {
            arrival: match load.arrival {
                Arrival::Open { per_second } => format!("open loop, {per_second} requests/s"),
                Arrival::Closed => "closed loop".to_owned(),
            },
            connections: load.connections,
            threads: load.threads,
            measured_seconds: measured,
            completed: stats.completed,
            requests_per_second: stats.completed as f64 / measured,
            latency_us: Latency {
                mean: stats.latency.mean() / 1e3,
                percentiles,
                max: us(stats.latency.max()),
            },
            refused: statuses.range(400..).map(|(_, count)| count).sum(),
            statuses,
            errors: stats.errors,
            received_bytes: stats.received_bytes,
            sent_bytes: stats.sent_bytes,
            waited: stats.waited,
            generator_cpu: stats.busiest_cpu.as_secs_f64() / measured,
            proxy,
            histogram: stats.latency,
        }
    }

    pub fn percentile_us(&self, quantile: f64) -> f64 {
        self.histogram.value_at_quantile(quantile) as f64 / 1e3
    }

    /// Every request got an answer below 400.
    pub fn clean(&self) -> bool {
        self.errors.total() == 0 && self.refused == 0
    }

    /// The table for people.
    pub fn text(&self) -> String {
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        row(
            "load",
            format!("{}, {} connections, {} threads", self.arrival, self.connections, self.threads),
        );
        let (count, seconds) = (self.completed, self.measured_seconds);
        row(
            "requests/s",
            format!("{:.0}  ({count} answers in {seconds:.2} s)", self.requests_per_second),
        );
        let latency = &self.latency_us;
        for (name, _) in PERCENTILES {
            row(name, text::micros(latency.percentiles[name]));
        }
        row("max", text::micros(latency.max));
        let statuses: Vec<_> =
            self.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        row("statuses", if statuses.is_empty() { "none".to_owned() } else { statuses.join(", ") });
        let errors: Vec<_> =
            self.errors.named().into_iter().filter(|(_, count)| *count > 0).collect();
        let errors: Vec<_> =
            errors.iter().map(|(name, count)| format!("{name}: {count}")).collect();
        row("errors", if errors.is_empty() { "none".to_owned() } else { errors.join(", ") });
        let (received, sent) = (text::bytes(self.received_bytes), text::bytes(self.sent_bytes));
        let each = self.received_bytes as f64 / self.completed.max(1) as f64;
        row("bytes", format!("received {received} ({each:.0} an answer), sent {sent}"));
        row("generator", format!("{:.0}% of a core", self.generator_cpu * 100.0));
        if let Some(proxy) = &self.proxy {
            let Proxy {
                cpu_us_per_request: all,
                user_us_per_request: user,
                system_us_per_request: system,
                ..
            } = proxy;
            row("proxy CPU", format!("{all:.2} us a request ({user:.2} user, {system:.2} system)"));
            let (share, switches) = (proxy.cpu * 100.0, proxy.switches_per_request);
            row(
                "proxy load",
                format!("{share:.0}% of a core, {switches:.3} context switches a request"),
            );
            let (anonymous, resident) =
                (text::bytes(proxy.memory.anonymous), text::bytes(proxy.memory.resident));
            row("proxy memory", format!("{anonymous} anonymous, {resident} resident"));
        }
        let mut out = text::pairs(&rows);
        if self.waited > 0 && self.arrival.starts_with("open") {
            let share = self.waited as f64 * 100.0 / self.histogram.len().max(1) as f64;
            let _ = writeln!(
                out,
                "note: {share:.2}% of the requests went out late; their wait is in the latencies"
            );
        }
        if self.generator_cpu > BUSY && self.arrival.starts_with("open") {
            out.push_str("note: the generator was busy; use more --threads or a lower --rate\n");
        }
        out
    }
}
