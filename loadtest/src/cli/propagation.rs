//! `tidegate-load propagation`

use std::path::PathBuf;

use super::{
    place::PlaceArgs,
    run::{json, write},
};
use crate::{
    host::{facts::Facts, stop},
    propagation,
    report::percentiles::{self, Series},
};

/// Measure how long a deployment takes to reach traffic.
///
/// Counts from the admin API's answer to sending the first request that the new revision answers, and watches that
/// no older revision answers after it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, default_value_t = 200, value_name = "N")]
    changes: usize,
    #[command(flatten)]
    place: PlaceArgs,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the percentile curve as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

pub fn main(args: &Args) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let place = args.place.open(&scratch)?;
    let facts = Facts::collect();
    let report = propagation::execute(&place, args.changes, &*stop::flag()?)?;
    println!("{}\n{}\n\n{}", facts.text(), place.version, report.text().trim_end());
    if let Some(path) = &args.json {
        write(path, &json(&serde_json::json!({ "facts": facts, "report": report }))?)?;
    }
    if let Some(path) = &args.plot {
        let series = Series { name: "propagation", histogram: &report.histogram };
        write(
            path,
            &percentiles::plot("From admin answer to the first request that shows it", &[series]),
        )?;
    }
    Ok(())
}
