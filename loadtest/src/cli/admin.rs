//! `tidegate-load admin`

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::{
    duration,
    run::{json, write},
};
use crate::{
    host::{facts::Facts, pin, stop},
    operations::{self, Control, Options},
};

/// Measure the admin API: durable changes a second, a large API, and single calls in a store of many APIs.
///
/// Starts a control plane alone, with an empty store; a change counts when its answer is there.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Callers at once, a measurement for each number
    #[arg(long, value_delimiter = ',', default_value = "1,16,64", value_name = "N,...")]
    callers: Vec<usize>,
    /// Length of each of these measurements
    #[arg(long, default_value = "5s", value_parser = duration::parse)]
    duration: Duration,
    /// Methods of the large API; 0 leaves it out
    #[arg(long, default_value_t = 500, value_name = "N")]
    methods: usize,
    /// Single calls of each kind
    #[arg(long, default_value_t = 200, value_name = "N")]
    samples: usize,
    /// APIs in the store at the end, 100000 for a whole report; 0 leaves this part out
    #[arg(long, default_value_t = 0, value_name = "N")]
    apis: usize,
    /// Admin API of a control plane that runs already, instead of starting one; APIs are left in it
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// The `tidegate-control` binary [default: beside this one, then PATH]
    #[arg(long, value_name = "FILE", env = "TIDEGATE_CONTROL_BIN")]
    control: Option<PathBuf>,
    /// Keep data directory and log here
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Core of the control plane
    #[arg(long, default_value_t = 0, value_name = "CORE")]
    cpu_control: usize,
    /// Core of the callers
    #[arg(long, default_value_t = 1, value_name = "CORE")]
    cpu_load: usize,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub fn main(args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(args.samples > 0, "--samples must be above 0");
    anyhow::ensure!(args.callers.iter().all(|count| *count > 0), "--callers must be above 0");
    let facts = Facts::collect();
    let scratch = tempfile::tempdir()?;
    let (control, admin) = match args.admin {
        Some(admin) => (None, admin),
        None => {
            let dir = args.dir.clone().unwrap_or_else(|| scratch.path().to_owned());
            std::fs::create_dir_all(&dir)?;
            let control = Control::start(&dir, args.control.as_deref(), args.cpu_control)?;
            let admin = control.admin;
            (Some(control), admin)
        }
    };
    // Callers are threads of this one.
    pin::current_thread(args.cpu_load)?;
    let options = Options {
        callers: args.callers.clone(),
        duration: args.duration,
        methods: args.methods,
        samples: args.samples,
        apis: args.apis,
    };
    let report = operations::execute(admin, &options, &*stop::flag()?, |line| eprintln!("{line}"))?;
    let version = control.as_ref().map_or("running already", |control| &control.version);
    println!("{}\n{version}\n\n{}", facts.text(), report.text().trim_end());
    if let Some(path) = &args.json {
        write(path, &json(&serde_json::json!({ "facts": facts, "report": report }))?)?;
    }
    Ok(())
}
