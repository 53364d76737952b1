//! The node's process: settings, listeners, objects, workers, and a wait for the signal to drain.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use nix::sys::signal::{SigSet, Signal};
use tidegate_node::agent::{self, AgentConfig};
use tidegate_node::config::Config;
use tidegate_node::node::{Bound, Node};
use tidegate_node::publication::Publication;
use tidegate_node::rt::driver;
use tidegate_node::telemetry::{AccessLog, Hints, Mismatches};
use tidegate_node::worker::{NameLookup, Settings};
use tidegate_trust::Trust;
use tracing_subscriber::EnvFilter;

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
    anyhow::ensure!(
        config.control.is_some() || config.objects.is_some(),
        "nothing to serve: name a control plane with --control URL, or a file with --objects FILE"
    );
    // Every thread inherits the mask, so that no worker is ever interrupted: this thread alone waits for the signals.
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGINT);
    signals.thread_block().context("signals cannot be blocked")?;
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("TIDEGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .with_writer(std::io::stderr)
        // Escapes are for people; a log file has none.
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();

    raise_descriptor_limit();
    let (driver, passed_over) = driver::choose(config.driver)
        .context("io_uring does not work here; --driver auto falls back to epoll")?;
    if let Some(why) = passed_over {
        tracing::warn!("{why}");
    }
    let bound = Bound::open(&config.listen(), config.worker_count())?;
    let publication = Arc::new(Publication::new());
    let access_log =
        config.access_log.as_deref().map(AccessLog::open).transpose().context("--access-log")?;
    let running: Arc<OnceLock<Node>> = Arc::default();
    let agent = agent::start(
        agent_config(config, &bound, driver)?,
        publication.clone(),
        vec![renderer(&running, &access_log)],
    )?;

    let settings = Settings {
        driver,
        policy: config.policy(),
        credentials: Arc::new(config.aws.settings()?.credentials),
        trust: Trust::new(config.upstream_ca.as_deref()).context("--upstream-ca")?,
        limits: config.limits(),
        access_log,
        hints: config
            .hints
            .then(|| Hints::start(Arc::new(|line| eprintln!("hint: {line}"))))
            .transpose()?,
        mismatches: Some(Mismatches::start(Arc::new(|line| tracing::warn!("{line}")))?),
        pin: config.pin,
    };
    let resolver = agent.resolver();
    let lookup: NameLookup = Arc::new(move |name, done| {
        resolver.resolve(name, Box::new(move |found| done(found.ok())));
    });
    let started = bound.start(&settings, &publication, &lookup)?;
    let node = running.get_or_init(|| started);
    announce(node, &agent, publication);

    let signal = signals.wait().context("cannot wait for signals")?;
    tracing::info!(%signal, "draining");
    agent.drain();
    node.drain();
    // A second signal ends it at once, by its default action.
    let _ = signals.thread_unblock();
    while !node.has_ended() {
        std::thread::sleep(Duration::from_millis(10));
    }
    agent.shutdown();
    Ok(())
}

/// Every connection is a descriptor. The soft limit is low for programs that select(2), which nothing here does.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

fn agent_config(
    config: &Config,
    bound: &Bound,
    driver: driver::Driver,
) -> anyhow::Result<AgentConfig> {
    Ok(AgentConfig {
        control: config.control_plane(),
        data_dir: config.objects.is_none().then(|| config.data_dir.clone()),
        objects: config.objects.clone(),
        admin: Some(config.node_admin),
        labels: config.labels.clone(),
        listeners: bound.addresses.iter().map(|a| format!("http://{a}")).collect(),
        driver: driver.as_str().into(),
        endpoints: config.aws.settings()?.endpoints,
        ..Default::default()
    })
}

/// The workers' part of the metrics page; empty until they run.
fn renderer(running: &Arc<OnceLock<Node>>, log: &Option<AccessLog>) -> agent::Renderer {
    let (running, log) = (running.clone(), log.clone());
    Arc::new(move |out| {
        if let Some(node) = running.get() {
            node.render_metrics(out);
        }
        if let Some(log) = &log {
            use std::fmt::Write;
            let name = "gateway_access_log_dropped_total";
            let _ = writeln!(
                out,
                "# HELP {name} Lines that found the queue full.\n# TYPE {name} counter\n{name} {}",
                log.dropped()
            );
        }
    })
}

/// Says where the node is, as soon as it has something to serve.
fn announce(node: &Node, agent: &agent::AgentHandle, publication: Arc<Publication>) {
    let admin = agent.admin_addr().map(|a| format!(" node-admin=http://{a}")).unwrap_or_default();
    let line = format!("ready http=http://{}{admin}", node.addresses[0]);
    std::thread::spawn(move || {
        while !publication.wait(1, Duration::from_secs(10)) {
            tracing::info!("waiting for the first objects");
        }
        println!("{line}");
    });
}
