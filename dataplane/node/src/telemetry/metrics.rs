//! Counters and latencies of one worker, and their Prometheus text.
//!
//! Each worker counts alone, without atomics; a scrape asks every worker for a copy and adds them up.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::BuildHasher;

use hashbrown::hash_table::{Entry, HashTable};
use tidegate_engine::Record;
use tidegate_engine::head::Method;

use crate::worker::Worker;

/// Most series a worker keeps; what does not fit is counted as overflow.
const MAX_SERIES: usize = 10_000;

/// Upper bounds of the latency buckets, microseconds. OpenTelemetry's advice for HTTP, with finer steps below 5 ms.
const BOUNDS_US: [u64; 17] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000,
    1_000_000, 2_500_000, 5_000_000, 7_500_000, 10_000_000,
];

/// What one worker counted.
#[derive(Default)]
pub struct Metrics {
    series: HashTable<Series>,
    overflow: u64,
    refused: HashMap<u16, u64>,
}

/// Names one series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    api: Box<str>,
    stage: Box<str>,
    method: &'static str,
    status: u16,
    error: Option<&'static str>,
}

#[derive(Clone)]
struct Series {
    key: Key,
    values: Values,
}

#[derive(Clone, Default)]
struct Values {
    request: Histogram,
    integration: Histogram,
    received: u64,
    sent: u64,
    aborted: u64,
    mismatches: u64,
}

#[derive(Clone, Default)]
struct Histogram {
    buckets: [u64; BOUNDS_US.len() + 1],
    sum_us: u64,
}

impl Histogram {
    fn add(&mut self, us: u64) {
        // Most requests are in the first buckets.
        let bucket = BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(BOUNDS_US.len());
        self.buckets[bucket] += 1;
        self.sum_us += us;
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets) {
            *mine += theirs;
        }
        self.sum_us += other.sum_us;
    }

    fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

fn hash(api: &str, stage: &str, method: &str, status: u16) -> u64 {
    rustc_hash::FxBuildHasher.hash_one((api, stage, method, status))
}

impl Metrics {
    /// Counts an exchange. Allocates when a series is met for the first time.
    pub fn count(&mut self, record: &Record<'_>, method: Method) {
        let method = method.as_str();
        let hash_of = hash(record.api, record.stage, method, record.status);
        let is_it = |s: &Series| {
            let k = &s.key;
            k.status == record.status
                && k.method == method
                && k.error == record.error
                && *k.api == *record.api
                && *k.stage == *record.stage
        };
        let rehash = |s: &Series| hash(&s.key.api, &s.key.stage, s.key.method, s.key.status);
        let room = self.series.len() < MAX_SERIES;
        let series = match self.series.entry(hash_of, is_it, rehash) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(_) if !room => {
                self.overflow += 1;
                return;
            }
            Entry::Vacant(slot) => {
                let key = Key {
                    api: record.api.into(),
                    stage: record.stage.into(),
                    method,
                    status: record.status,
                    error: record.error,
                };
                slot.insert(Series { key, values: Values::default() }).into_mut()
            }
        };
        let (values, counts) = (&mut series.values, &record.counts);
        values.request.add(counts.latency_us);
        if let Some(us) = counts.integration_us {
            values.integration.add(us);
        }
        values.received += counts.received;
        values.sent += counts.sent;
        values.aborted += u64::from(counts.aborted);
        values.mismatches += u64::from(record.mismatch);
    }

    /// Counts a request the engine never saw.
    pub fn count_refused(&mut self, status: u16) {
        *self.refused.entry(status).or_default() += 1;
    }

    /// A copy for a scrape.
    pub fn scrape(&self, worker: &Worker) -> Scrape {
        Scrape {
            series: self.series.iter().cloned().collect(),
            overflow: self.overflow,
            refused: self.refused.clone(),
            resting: worker.upstreams.resting(),
            opened: worker.upstreams.opened(),
        }
    }
}

/// What a worker handed over.
pub struct Scrape {
    series: Vec<Series>,
    overflow: u64,
    refused: HashMap<u16, u64>,
    resting: usize,
    opened: u64,
}

/// Adds up what the workers counted and writes it as Prometheus text.
pub fn render(scrapes: &[Scrape], connections: usize, out: &mut String) {
    let mut series: std::collections::BTreeMap<&Key, Values> = std::collections::BTreeMap::new();
    let mut refused: std::collections::BTreeMap<u16, u64> = std::collections::BTreeMap::new();
    for scrape in scrapes {
        for one in &scrape.series {
            let sum = series.entry(&one.key).or_default();
            sum.request.merge(&one.values.request);
            sum.integration.merge(&one.values.integration);
            sum.received += one.values.received;
            sum.sent += one.values.sent;
            sum.aborted += one.values.aborted;
            sum.mismatches += one.values.mismatches;
        }
        for (status, count) in &scrape.refused {
            *refused.entry(*status).or_default() += count;
        }
    }
    let labels: Vec<String> = series.keys().map(|k| k.labels()).collect();

    histogram(
        out,
        "http_server_request_duration_seconds",
        "Time from a request's head to its answer's last byte.",
        &labels,
        series.values().map(|v| &v.request),
    );
    histogram(
        out,
        "http_client_request_duration_seconds",
        "Time from sending to an upstream to its answer's head.",
        &labels,
        series.values().map(|v| &v.integration),
    );
    for (name, help, value) in [
        (
            "http_server_request_body_size_bytes_total",
            "Body bytes received.",
            (|v: &Values| v.received) as fn(&Values) -> u64,
        ),
        ("http_server_response_body_size_bytes_total", "Body bytes sent.", |v| v.sent),
        (
            "gateway_requests_aborted_total",
            "Exchanges whose answer was not sent to its end.",
            |v| v.aborted,
        ),
    ] {
        header(out, name, help, "counter");
        for (labels, values) in labels.iter().zip(series.values()) {
            line(out, name, labels, value(values));
        }
    }
    let name = "gateway_response_mismatches_total";
    header(out, name, "Answers that did not fit their response model.", "counter");
    for (labels, values) in labels.iter().zip(series.values()).filter(|(_, v)| v.mismatches > 0) {
        line(out, name, labels, values.mismatches);
    }
    header(
        out,
        "gateway_requests_refused_total",
        "Requests refused before any API was known.",
        "counter",
    );
    for (status, count) in refused {
        line(
            out,
            "gateway_requests_refused_total",
            &format!("http_response_status_code=\"{status}\""),
            count,
        );
    }
    for (name, help, kind, value) in [
        ("http_server_open_connections", "Connections of callers.", "gauge", connections as u64),
        (
            "gateway_upstream_connections",
            "Connections to upstreams that rest between requests.",
            "gauge",
            scrapes.iter().map(|s| s.resting as u64).sum(),
        ),
        (
            "gateway_upstream_connections_opened_total",
            "Connections opened to upstreams.",
            "counter",
            scrapes.iter().map(|s| s.opened).sum(),
        ),
        (
            "gateway_metrics_overflow_total",
            "Exchanges not counted because there were too many series.",
            "counter",
            scrapes.iter().map(|s| s.overflow).sum(),
        ),
    ] {
        header(out, name, help, kind);
        line(out, name, "", value);
    }
}

impl Key {
    fn labels(&self) -> String {
        let mut text = format!(
            "api=\"{}\",stage=\"{}\",http_request_method=\"{}\",http_response_status_code=\"{}\"",
            self.api, self.stage, self.method, self.status
        );
        if let Some(error) = self.error {
            let _ = write!(text, ",error_type=\"{error}\"");
        }
        text
    }
}

fn header(out: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: u64) {
    let _ = if labels.is_empty() {
        writeln!(out, "{name} {value}")
    } else {
        writeln!(out, "{name}{{{labels}}} {value}")
    };
}

fn histogram<'h>(
    out: &mut String,
    name: &str,
    help: &str,
    labels: &[String],
    histograms: impl Iterator<Item = &'h Histogram>,
) {
    header(out, name, help, "histogram");
    for (labels, histogram) in labels.iter().zip(histograms) {
        let count = histogram.count();
        if count == 0 {
            continue;
        }
        let mut sum = 0;
        for (bound, bucket) in BOUNDS_US.iter().zip(histogram.buckets) {
            sum += bucket;
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{}\"}} {sum}", *bound as f64 / 1e6);
        }
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}", histogram.sum_us as f64 / 1e6);
        let _ = writeln!(out, "{name}_count{{{labels}}} {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_engine::Counts;

    #[test]
    fn counts_of_workers_are_added_up() {
        let record = Record {
            api: "abc",
            stage: "prod",
            route: "/pets",
            deployment: "d",
            canary: false,
            status: 200,
            error: None,
            mismatch: true,
            counts: Counts {
                sent: 117,
                latency_us: 700,
                integration_us: Some(400),
                ..Default::default()
            },
        };
        let scrapes: Vec<Scrape> = (0..2)
            .map(|_| {
                let mut metrics = Metrics::default();
                metrics.count(&record, Method::Get);
                metrics.count_refused(400);
                Scrape {
                    series: metrics.series.iter().cloned().collect(),
                    overflow: 0,
                    refused: metrics.refused.clone(),
                    resting: 1,
                    opened: 2,
                }
            })
            .collect();
        let mut text = String::new();
        render(&scrapes, 3, &mut text);
        let labels = "api=\"abc\",stage=\"prod\",http_request_method=\"GET\",http_response_status_code=\"200\"";
        for want in [
            format!("http_server_request_duration_seconds_bucket{{{labels},le=\"0.0005\"}} 0"),
            format!("http_server_request_duration_seconds_bucket{{{labels},le=\"0.001\"}} 2"),
            format!("http_server_request_duration_seconds_count{{{labels}}} 2"),
            format!("http_client_request_duration_seconds_sum{{{labels}}} 0.0008"),
            format!("http_server_response_body_size_bytes_total{{{labels}}} 234"),
            format!("gateway_response_mismatches_total{{{labels}}} 2"),
            "gateway_requests_refused_total{http_response_status_code=\"400\"} 2".to_owned(),
            "http_server_open_connections 3".to_owned(),
            "gateway_upstream_connections 2".to_owned(),
        ] {
            assert!(text.lines().any(|l| l == want), "{want} is not in\n{text}");
        }
    }
}
