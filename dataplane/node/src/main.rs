//! The node's process: settings, then objects, then workers, then a wait for the signal to drain.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use tidegate_node::builder::ObjectSet;
use tidegate_node::config::Config;
use tidegate_node::node::{Listen, Node};
use tidegate_node::publication::Publication;
use tidegate_node::rt::driver;
use tidegate_node::telemetry::{AccessLog, Hints};
use tidegate_node::upstream::AddressPolicy;
use tidegate_node::worker::{NameLookup, Settings};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match run(&Config::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidegate-node: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Config) -> anyhow::Result<()> {
    let publication = Arc::new(Publication::new());
    let (driver, passed_over) = driver::choose(config.driver).context("io_uring does not work here; try --driver auto")?;
    if let Some(why) = passed_over {
        eprintln!("tidegate-node: {why}");
    }
    let objects = config.objects.as_ref().context("--control or --objects is needed")?;
    ObjectSet::read(objects)?.publish(&publication);
    let mut policy = AddressPolicy { allow: config.allow_upstream.clone() };
    if config.allow_loopback {
        policy = policy.with_loopback();
    }
    let settings = Settings {
        driver,
        policy,
        limits: config.limits(),
        access_log: config.access_log.as_deref().map(AccessLog::open).transpose()?,
        hints: config.hints.then(|| Hints::start(Arc::new(|line| eprintln!("hint: {line}")))).transpose()?,
        pin: config.pin,
    };
    let listen: Vec<Listen> = config
        .http
        .iter()
        .map(|address| Listen { address: *address, path_forms: config.path_forms, max_body: config.max_body })
        .collect();
    let lookup: NameLookup = Arc::new(|_, done| done(None));
    let node = Node::start(&listen, config.worker_count(), &settings, &publication, &lookup)?;
    println!("ready http=http://{}", node.addresses[0]);
    loop {
        std::thread::park();
    }
}
