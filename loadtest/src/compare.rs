//! Peers side by side: same upstream, same generator, same minute, one core each side.

pub mod peer;
mod peers;
pub mod result;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

pub use peer::{Peer, PeerError, Running, Site};
pub(crate) use peers::tidegate::{Up, control, target, up};
pub use peers::{ALL, by_name};
pub use result::{Comparison, Missing, Round, Series};

use crate::{
    host::{cores::Sample, process, stop},
    run::{self, Arrival, Load, Outcome, Plan},
    scenario::Scenario,
    upstream::{self, Upstream},
};

/// Requests before each measurement, so that caches and branch predictors belong to the peer that is measured.
const WARMUP: Duration = Duration::from_millis(500);

/// What to compare and how.
#[derive(Debug)]
pub struct Options {
    pub scenario: Scenario,
    /// In this order; the order rotates from round to round.
    pub peers: Vec<&'static Peer>,
    /// Rounds: each measures every peer once, which makes pairs.
    pub pairs: usize,
    pub seconds: f64,
    pub connections: usize,
    pub cpu_proxy: usize,
    pub cpu_load: usize,
    /// Keep configurations and logs here instead of in a temporary directory.
    pub dir: Option<PathBuf>,
    /// The peer that the others are compared with; the first one that runs when this one is missing.
    pub base: String,
    /// How to find and reach Tidegate.
    pub tidegate: peer::TidegateOptions,
}

/// Why a comparison could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error("cannot prepare the comparison")]
    Prepare(#[source] io::Error),
    #[error("none of the peers could be started:\n{0}")]
    NoPeer(String),
    #[error("interrupted before a first round was complete")]
    Interrupted,
    #[error("{peer} stopped answering in round {round}")]
    Run {
        peer: &'static str,
        round: usize,
        #[source]
        cause: run::RunError,
    },
}

/// Starts everything, measures in rounds and stops everything.
pub fn execute(
    options: &Options,
    interrupted: &AtomicBool,
    log: impl Fn(&str),
) -> Result<Comparison, CompareError> {
    let upstream = Upstream::start(&upstream::Options {
        cpu: Some(options.cpu_load),
        ..upstream::Options::default()
    })
    .map_err(CompareError::Prepare)?;
    let scratch = tempfile::tempdir().map_err(CompareError::Prepare)?;
    let dir = options.dir.clone().unwrap_or_else(|| scratch.path().to_owned());
    let (mut series, missing) = start(options, &dir, upstream.address(), &log)?;
    for round in 0..options.pairs {
        let count = series.len();
        for turn in 0..count {
            if stop::requested(interrupted) {
                break;
            }
            let one = &mut series[(round + turn) % count];
            let load = load(options, &one.running);
            let before = others(options, &load.pids);
            let cause = |cause| CompareError::Run { peer: one.peer.name, round: round + 1, cause };
            let outcome = run::execute(&load, interrupted).map_err(cause)?;
            if !stop::requested(interrupted) {
                log(&format!("round {} {:12} {}", round + 1, one.peer.name, brief(&outcome)));
                let others = before.share(&others(options, &load.pids));
                one.rounds.push(Round { others, ..Round::from(&outcome) });
            }
        }
    }
    let complete = series.iter().map(|one| one.rounds.len()).min().unwrap_or(0);
    if complete == 0 {
        return Err(CompareError::Interrupted);
    }
    let series = series.into_iter().map(|mut one| {
        one.rounds.truncate(complete);
        Series::new(one.peer, one.running.version(), one.rounds)
    });
    Ok(Comparison::new(options, series.collect(), missing))
}

/// A peer that runs, and what was measured of it so far.
struct Started {
    peer: &'static Peer,
    running: Running,
    rounds: Vec<Round>,
}

/// Both cores at one moment.
struct Cores {
    at: Instant,
    proxy: Option<Sample>,
    load: Option<Sample>,
}

/// Reads the proxy's core and the load's. What cannot be read counts as unused by others.
fn others(options: &Options, pids: &[u32]) -> Cores {
    let here = [std::process::id()];
    let both = [pids, &here[..]].concat();
    let shared = options.cpu_proxy == options.cpu_load;
    let (proxy, load) = if shared { (&both[..], &both[..]) } else { (pids, &here[..]) };
    let proxy = Sample::take(options.cpu_proxy, proxy).ok();
    Cores { at: Instant::now(), proxy, load: Sample::take(options.cpu_load, load).ok() }
}

impl Cores {
    /// Share of the proxy's core and of the load's that others had until `later`.
    fn share(&self, later: &Self) -> [f64; 2] {
        let elapsed = later.at - self.at;
        let one = |from: Option<Sample>, to: Option<Sample>| {
            to.zip(from).map_or(0.0, |(to, from)| to.others_since(from, elapsed))
        };
        [one(self.proxy, later.proxy), one(self.load, later.load)]
    }
}

/// Starts the peers that can be started, and says why the others cannot.
fn start(
    options: &Options,
    dir: &Path,
    upstream: SocketAddr,
    log: &impl Fn(&str),
) -> Result<(Vec<Started>, Vec<Missing>), CompareError> {
    let (mut started, mut missing) = (Vec::new(), Vec::new());
    for peer in &options.peers {
        let home = dir.join(peer.name);
        fs::create_dir_all(&home).map_err(CompareError::Prepare)?;
        let site = Site {
            dir: &home,
            scenario: options.scenario,
            upstream,
            cpu_proxy: options.cpu_proxy,
            cpu_load: options.cpu_load,
            tidegate: &options.tidegate,
        };
        match peer.start(&site) {
            Ok(running) => {
                log(&format!("started {:12} {}", peer.name, running.version()));
                started.push(Started { peer, running, rounds: Vec::new() });
            }
            Err(error) => {
                log(&format!("without {:12} {error}", peer.name));
                let install = matches!(error, PeerError::NotInstalled).then_some(peer.install);
                missing.push(Missing { name: peer.name, reason: error.to_string(), install });
            }
        }
    }
    if started.is_empty() {
        let reasons: Vec<String> = missing.iter().map(Missing::text).collect();
        return Err(CompareError::NoPeer(reasons.join("\n")));
    }
    Ok((started, missing))
}

fn load(options: &Options, running: &Running) -> Load {
    Load {
        plan: Arc::clone(&running.plan),
        arrival: Arrival::Closed,
        connections: options.connections,
        threads: 1,
        cpu: Some(options.cpu_load),
        warmup: WARMUP,
        duration: Duration::from_secs_f64(options.seconds),
        timeout: Duration::from_secs(10),
        pids: running.pids.iter().flat_map(|pid| process::tree(*pid)).collect(),
    }
}

fn brief(outcome: &Outcome) -> String {
    let cpu = outcome.proxy.as_ref().map_or(0.0, |proxy| proxy.cpu_us_per_request);
    let wrong = outcome.errors.total() + outcome.refused;
    let errors = if wrong > 0 { format!("  {wrong} errors") } else { String::new() };
    format!("{:7.0} requests/s  {cpu:6.2} us CPU{errors}", outcome.requests_per_second)
}

/// The requests of a scenario to one peer.
pub(crate) fn plan(scenario: Scenario, target: &peer::Target) -> Result<Plan, PeerError> {
    let url = run::plan::Url { authority: target.address.to_string(), path: "/".to_owned() };
    let paths = target.paths.clone().unwrap_or_else(|| scenario.paths());
    let paths: Vec<String> = paths.iter().map(|path| format!("{}{path}", target.prefix)).collect();
    let host = target.host.as_deref();
    let parts =
        run::plan::RequestParts { method: "GET", host, paths: &paths, ..Default::default() };
    Plan::new(&url, &parts).map_err(|error| PeerError::Start(error.to_string()))
}
