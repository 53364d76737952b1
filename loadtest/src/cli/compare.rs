//! `tidegate-load compare`

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;

use super::run::{json, write};
use crate::{
    compare::{self, Comparison, Options, Peer, peer::TidegateOptions},
    host::{facts::Facts, stop},
    scenario::Scenario,
};

/// Measure proxies side by side: requests a second, CPU per request, latency.
///
/// Starts an origin and every peer with a generated configuration on free ports of 127.0.0.1, one worker each on
/// one core, and measures them in turn for several rounds, so that drift of the machine falls on all of them.
/// Peers that are not installed are listed with the command that installs them.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, default_value = "proxy")]
    scenario: Scenario,
    /// Of: tidegate, tidegate-609, tidegate-1 (routes only), relay, nginx, haproxy, envoy [default: all that fit]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    peers: Vec<String>,
    /// Rounds; an interval needs at least 6
    #[arg(long, default_value_t = 7, value_name = "N")]
    pairs: usize,
    /// Length of each measurement
    #[arg(long, default_value_t = 4.0, value_name = "S")]
    seconds: f64,
    #[arg(long, default_value_t = 64, value_name = "N")]
    connections: usize,
    /// Core of the proxies
    #[arg(long, default_value_t = 0, value_name = "CORE")]
    cpu_proxy: usize,
    /// Core of the generator and the upstream
    #[arg(long, default_value_t = 1, value_name = "CORE")]
    cpu_load: usize,
    /// The peer that ratios are about
    #[arg(long, default_value = "tidegate", value_name = "NAME")]
    base: String,
    /// Keep generated configurations and logs here
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    tidegate: TidegateArgs,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write CPU per request as an SVG bar chart
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

/// How to find Tidegate.
#[derive(Debug, clap::Args)]
pub struct TidegateArgs {
    /// The `tidegate` binary [default: beside this one, then PATH]
    #[arg(long = "tidegate", value_name = "FILE", env = "TIDEGATE_BIN")]
    program: Option<PathBuf>,
    /// Id of the imported API [default: asked from the admin API]
    #[arg(long = "tidegate-api-id", value_name = "ID")]
    api_id: Option<String>,
}

impl TidegateArgs {
    pub fn options(&self) -> TidegateOptions {
        TidegateOptions { program: self.program.clone(), api_id: self.api_id.clone() }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    facts: &'a Facts,
    comparison: &'a Comparison,
}

pub fn main(args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(args.pairs > 0 && args.seconds > 0.0, "--pairs and --seconds must be above 0");
    let options = Options {
        scenario: args.scenario,
        peers: peers(args)?,
        pairs: args.pairs,
        seconds: args.seconds,
        connections: args.connections,
        cpu_proxy: args.cpu_proxy,
        cpu_load: args.cpu_load,
        dir: args.dir.clone(),
        base: args.base.clone(),
        tidegate: args.tidegate.options(),
    };
    let facts = Facts::collect();
    let comparison = compare::execute(&options, &*stop::flag()?, |line| eprintln!("{line}"))?;
    println!("{}\n\n{}", facts.text(), comparison.text().trim_end());
    if let Some(path) = &args.json {
        write(path, &json(&Report { facts: &facts, comparison: &comparison })?)?;
    }
    if let Some(path) = &args.markdown {
        write(path, &comparison.markdown(&facts.text()))?;
    }
    if let Some(path) = &args.plot {
        write(path, &comparison.plot())?;
    }
    Ok(())
}

fn peers(args: &Args) -> anyhow::Result<Vec<&'static Peer>> {
    if args.peers.is_empty() {
        return Ok(compare::ALL.into_iter().filter(|peer| (peer.fits)(args.scenario)).collect());
    }
    let known = || compare::ALL.map(|peer| peer.name).join(", ");
    let find = |name: &String| {
        compare::by_name(name).with_context(|| format!("no peer {name:?}: use {}", known()))
    };
    args.peers.iter().map(find).collect()
}
