//! `tidegate-load idle`

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use super::run::{json, write};
use crate::{
    host::{facts::Facts, stop},
    idle::{self, Idle, Outcome},
    run::Plan,
};

/// Measure the memory that idle keep-alive connections cost a proxy.
///
/// Opens the connections, sends one request on each, keeps them open and compares the process's anonymous memory
/// (RssAnon) before and after.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// http://HOST:PORT/path
    #[arg(long)]
    url: String,
    /// Host header, when it differs from the URL's
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    connections: usize,
    /// Process to watch; may be repeated (for nginx give the worker's)
    #[arg(long = "pid", value_name = "PID", required = true)]
    pids: Vec<u32>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report<'a> {
    facts: &'a Facts,
    url: &'a str,
    outcome: &'a Outcome,
}

pub fn main(args: &Args) -> anyhow::Result<()> {
    let plan = Plan::get(&args.url, args.host.as_deref())?;
    let (connections, pids, timeout) =
        (args.connections, args.pids.clone(), Duration::from_secs(10));
    let outcome = idle::execute(&Idle { plan, connections, pids, timeout }, &*stop::flag()?)?;
    let facts = Facts::collect();
    println!("{}\n\n{}", facts.text(), outcome.text().trim_end());
    if let Some(path) = &args.json {
        write(path, &json(&Report { facts: &facts, url: &args.url, outcome: &outcome })?)?;
    }
    Ok(())
}
