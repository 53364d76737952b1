//! `tidegate-load changes`

use std::{path::PathBuf, time::Duration};

use super::{
    duration,
    place::PlaceArgs,
    run::{json, write},
};
use crate::{
    changes::{self, Options},
    host::{facts::Facts, stop},
    report::percentiles::{self, Series},
    upstream::{self, Upstream},
};

/// Measure what deployments cost the traffic beside them.
///
/// Runs the same open-loop load in pairs: once while the API under load is changed and deployed over and over, once
/// while an API that no node serves gets the same admin work. Reports failed requests and the ratio of p99.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Changes in each run, spread evenly over it
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    changes: usize,
    #[arg(long, default_value_t = 5, value_name = "N")]
    pairs: usize,
    /// Length of each run
    #[arg(long, default_value = "20s", value_parser = duration::parse)]
    duration: Duration,
    #[arg(long, default_value_t = 64, value_name = "N")]
    connections: usize,
    /// Share of the saturated rate to offer
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    load: f64,
    #[command(flatten)]
    place: PlaceArgs,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the last pair's latency percentile curves as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

pub fn main(args: &Args) -> anyhow::Result<()> {
    let cpu = Some(args.place.cpu_load);
    let upstream = Upstream::start(&upstream::Options { cpu, ..upstream::Options::default() })?;
    let scratch = tempfile::tempdir()?;
    let place = args.place.open(&scratch)?;
    let options = Options {
        changes: args.changes,
        pairs: args.pairs,
        duration: args.duration,
        connections: args.connections,
        load: args.load,
        cpu_load: cpu,
    };
    let facts = Facts::collect();
    let report = changes::execute(&place, upstream.address(), &options, &*stop::flag()?, |line| {
        eprintln!("{line}");
    })?;
    println!("{}\n{}\n\n{}", facts.text(), place.version, report.text().trim_end());
    if let Some(path) = &args.json {
        write(path, &json(&serde_json::json!({ "facts": facts, "report": report }))?)?;
    }
    if let (Some(path), Some(pair)) = (&args.plot, report.pairs.last()) {
        let served = Series { name: "served API", histogram: &pair.served.outcome.histogram };
        let other = Series { name: "another API", histogram: &pair.other.outcome.histogram };
        write(path, &percentiles::plot("Latency under changes", &[served, other]))?;
    }
    Ok(())
}
