//! How fast the admin API is: changes a second, pages of a large API, and what many APIs in a store cost single calls.
//!
//! Every call is signed and answered over a kept connection, as AWS's tools make them; a change is answered when it is durable.

mod large;
mod many;
mod mix;

use std::{
    net::SocketAddr,
    path::Path,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    admin::AdminError,
    compare::{self, PeerError, peer::Daemon},
    host::stop,
    report::text,
    run::stats::histogram,
};

pub use large::Large;
pub use many::Point;
pub use mix::Mix;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// Callers at once, a measurement each with APIs of their own and with one for all.
    pub callers: Vec<usize>,
    /// Length of each of these measurements.
    pub duration: Duration,
    /// Methods of the large API.
    pub methods: usize,
    /// Single calls of each kind.
    pub samples: usize,
    /// APIs in the store at the end; 0 leaves this part out.
    pub apis: usize,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    pub mix: Vec<Mix>,
    pub large: Option<Large>,
    /// With no APIs but a few, with half of them, and with all.
    pub many: Vec<Point>,
}

/// A control plane alone. Dropping it stops it.
#[derive(Debug)]
pub struct Control {
    pub admin: SocketAddr,
    pub version: String,
    _daemon: Daemon,
}

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub enum OperationsError {
    #[error(
        "cannot start tidegate-control: build it with `cargo build --release`, or give --control, or --admin"
    )]
    Start(#[from] PeerError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error("a page of {wanted} resources had {found}")]
    ShortPage { wanted: usize, found: usize },
}

impl Control {
    /// Starts `tidegate-control` with an empty data directory in `dir`, on one core.
    pub fn start(dir: &Path, program: Option<&Path>, cpu: usize) -> Result<Self, OperationsError> {
        let (daemon, admin, version) = compare::control(program, dir, cpu)?;
        Ok(Self { admin, version, _daemon: daemon })
    }
}

/// Measures what the options say; ends early, with what there is, when `stop` is set.
pub fn execute(
    admin: SocketAddr,
    options: &Options,
    stop: &AtomicBool,
    mut progress: impl FnMut(&str),
) -> Result<Report, OperationsError> {
    let mut report = Report { mix: Vec::new(), large: None, many: Vec::new() };
    for callers in &options.callers {
        for shared in [false, true] {
            if stop::requested(stop) {
                return Ok(report);
            }
            let measured = mix::measure(admin, *callers, shared, options.duration, stop)?;
            progress(&format!("{} callers: {:.0} changes/s", callers, measured.per_second));
            report.mix.push(measured);
        }
    }
    if options.methods > 0 && !stop::requested(stop) {
        progress(&format!("building an API of {} methods", options.methods));
        report.large = Some(large::measure(admin, options.methods, options.samples)?);
    }
    if options.apis > 0 && !stop::requested(stop) {
        report.many = many::measure(admin, options.apis, options.samples, stop, &mut progress)?;
    }
    Ok(report)
}

/// How long calls of one kind took.
#[derive(Debug, Clone, Serialize)]
pub struct Latency {
    pub p50_us: f64,
    pub p99_us: f64,
    pub max_us: f64,
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let us = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self { p50_us: us(0.5), p99_us: us(0.99), max_us: histogram.max() as f64 / 1e3 }
    }

    /// Makes a call so many times, each with its number.
    fn sample(
        samples: usize,
        mut call: impl FnMut(usize) -> Result<(), AdminError>,
    ) -> Result<Self, AdminError> {
        let mut times = histogram();
        for number in 0..samples {
            let began = Instant::now();
            call(number)?;
            times.saturating_record(began.elapsed().as_nanos() as u64);
        }
        Ok(Self::of(&times))
    }

    fn text(&self) -> String {
        format!("p50 {}, p99 {}", text::micros(self.p50_us), text::micros(self.p99_us))
    }
}

impl Report {
    pub fn text(&self) -> String {
        let parts = [
            mix::text(&self.mix),
            self.large.as_ref().map(Large::text).unwrap_or_default(),
            many::text(&self.many),
        ];
        let parts: Vec<&str> =
            parts.iter().map(|part| part.trim_end()).filter(|part| !part.is_empty()).collect();
        parts.join("\n\n") + "\n"
    }
}
