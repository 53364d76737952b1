//! `tidegate-load run`

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use serde::Serialize;

use super::duration;
use crate::{
    host::{facts::Facts, stop},
    report::percentiles::{self, Series},
    run::{
        self, Arrival, Load, Outcome, Plan,
        plan::{RequestParts, Url},
    },
};

/// Send requests at a fixed rate, or as fast as answers come, and report latencies and costs.
///
/// With --rate each request has an intended send time, and its latency counts from there: a server that stalls
/// also delays the requests that were due meanwhile, and the report shows it. With --closed each connection asks
/// again as soon as it is answered: that finds saturation, but its latencies flatter a stalling server.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("arrival").required(true))]
pub struct Args {
    /// http://HOST:PORT/path
    #[arg(long)]
    url: String,
    /// Host header, when it differs from the URL's
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Further header, 'name: value'; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    #[arg(long, default_value = "GET")]
    method: String,
    /// File whose content is each request's body
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// File of paths, one a line, to cycle through instead of the URL's path
    #[arg(long, value_name = "FILE")]
    urls: Option<PathBuf>,
    #[arg(long, default_value_t = 64, value_name = "N")]
    connections: usize,
    /// Open loop: this many requests a second
    #[arg(long, value_name = "PER_SECOND", group = "arrival")]
    rate: Option<f64>,
    /// Closed loop: ask again as soon as answered
    #[arg(long, group = "arrival")]
    closed: bool,
    /// Measured time
    #[arg(long, default_value = "10s", value_parser = duration::parse)]
    duration: Duration,
    /// Time under load before measuring
    #[arg(long, default_value = "2s", value_parser = duration::parse)]
    warmup: Duration,
    /// A request without an answer after this long is counted as a timeout
    #[arg(long, default_value = "10s", value_parser = duration::parse)]
    timeout: Duration,
    #[arg(long, default_value_t = 1, value_name = "N")]
    threads: usize,
    /// Pin the first thread to this core, the next to the one after
    #[arg(long, value_name = "CORE")]
    cpu: Option<usize>,
    /// Process whose CPU time and memory to report; may be repeated (children are not included)
    #[arg(long = "pid", value_name = "PID")]
    pids: Vec<u32>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the latency percentile curve as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report<'a> {
    facts: &'a Facts,
    url: &'a str,
    outcome: &'a Outcome,
}

pub fn main(args: &Args) -> anyhow::Result<()> {
    let load = Load {
        plan: Arc::new(plan(args)?),
        arrival: args.rate.map_or(Arrival::Closed, |per_second| Arrival::Open { per_second }),
        connections: args.connections,
        threads: args.threads,
        cpu: args.cpu,
        warmup: args.warmup,
        duration: args.duration,
        timeout: args.timeout,
        pids: args.pids.clone(),
    };
    let facts = Facts::collect();
    let outcome = run::execute(&load, &*stop::flag()?)?;
    println!("{}\n\n{}", facts.text(), outcome.text().trim_end());
    if let Some(path) = &args.json {
        write(path, &json(&Report { facts: &facts, url: &args.url, outcome: &outcome })?)?;
    }
    if let Some(path) = &args.plot {
        let title =
            format!("{} - {}, {} connections", args.url, outcome.arrival, outcome.connections);
        write(
            path,
            &percentiles::plot(
                &title,
                &[Series { name: "latency", histogram: &outcome.histogram }],
            ),
        )?;
    }
    anyhow::ensure!(outcome.completed > 0, "no request was answered inside the measured time");
    Ok(())
}

pub(super) fn json(report: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

pub(super) fn write(path: &PathBuf, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn plan(args: &Args) -> anyhow::Result<Plan> {
    let read =
        |path: &PathBuf| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let body = args.body.as_ref().map(read).transpose()?.unwrap_or_default();
    let list = args.urls.as_ref().map(read).transpose()?.map(String::from_utf8).transpose()?;
    let paths: Vec<String> =
        list.iter().flat_map(|list| list.lines()).map(|line| line.trim().to_owned()).collect();
    let paths: Vec<String> = paths.into_iter().filter(|line| !line.is_empty()).collect();
    anyhow::ensure!(
        args.urls.is_none() || !paths.is_empty(),
        "the file given with --urls holds no path"
    );
    let parts = RequestParts {
        method: &args.method,
        host: args.host.as_deref(),
        headers: &args.headers,
        body: &body,
        paths: &paths,
    };
    Ok(Plan::new(&Url::parse(&args.url)?, &parts)?)
}
