//! The load generator: constant arrival rate (open loop) or as fast as answers come (closed loop).

pub mod connection;
pub mod outcome;
pub mod plan;
pub mod schedule;
pub mod stats;
mod worker;

use std::{
    io,
    sync::{
        Arc, Barrier, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub use outcome::Outcome;
pub use plan::Plan;
use schedule::Window;
use stats::Stats;

use crate::host::{limits, process};

/// How requests arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrival {
    /// This many a second, whatever the answers do.
    Open { per_second: f64 },
    /// Each connection asks again as soon as it is answered.
    Closed,
}

/// One run of the generator.
#[derive(Debug, Clone)]
pub struct Load {
    pub plan: Arc<Plan>,
    pub arrival: Arrival,
    pub connections: usize,
    pub threads: usize,
    /// First core to pin to; thread n goes to core `cpu + n`.
    pub cpu: Option<usize>,
    pub warmup: Duration,
    pub duration: Duration,
    /// A request without a complete answer after this long counts as a timeout and loses its connection.
    pub timeout: Duration,
    /// Processes whose CPU time is read over the measured window.
    pub pids: Vec<u32>,
}

/// Why a run gave no numbers.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("no connection to {address} could be made ({cause}): is the server listening there?")]
    Connect { address: std::net::SocketAddr, cause: String },
    #[error("cannot read the usage of the given --pid")]
    Process(#[source] io::Error),
    #[error("cannot prepare the generator")]
    Prepare(#[source] io::Error),
    #[error("--connections must be at least --threads, and both at least 1")]
    Connections,
    #[error("--rate must be above 0")]
    Rate,
    #[error("a generator thread panicked")]
    Panicked,
}

/// What the threads of one run share.
pub(crate) struct Shared<'a> {
    pub load: &'a Load,
    pub stop: &'a AtomicBool,
    pub connected: AtomicUsize,
    pub last_error: std::sync::Mutex<String>,
    /// Workers meet here twice: when they have connected, and when the window is known.
    pub gate: Barrier,
    pub window: OnceLock<Option<Window>>,
}

/// Runs a load to its end. `stop` ends it early; what was measured until then is answered.
pub fn execute(load: &Load, stop: &AtomicBool) -> Result<Outcome, RunError> {
    if load.threads == 0 || load.connections < load.threads {
        return Err(RunError::Connections);
    }
    if matches!(load.arrival, Arrival::Open { per_second } if per_second.is_nan() || per_second <= 0.0)
    {
        return Err(RunError::Rate);
    }
    limits::need_open_files(load.connections as u64).map_err(RunError::Prepare)?;
    let shared = Shared {
        load,
        stop,
        connected: AtomicUsize::new(0),
        last_error: std::sync::Mutex::default(),
        gate: Barrier::new(load.threads + 1),
        window: OnceLock::new(),
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..load.threads)
            .map(|index| {
                let shared = &shared;
                scope.spawn(move || worker::run(index, shared))
            })
            .collect();
        let measured = coordinate(&shared);
        let mut stats = Stats::default();
        for worker in workers {
            stats.merge(worker.join().map_err(|_| RunError::Panicked)?.map_err(RunError::Prepare)?);
        }
        let (window, usage) = measured?;
        let memory = process::Memory::of_all(&load.pids).map_err(RunError::Process)?;
        Ok(Outcome::new(load, window, stats, usage, memory))
    })
}

/// Opens the window once all have connected, and reads the processes at both of its ends.
fn coordinate(shared: &Shared<'_>) -> Result<(Window, process::Usage), RunError> {
    shared.gate.wait();
    let load = shared.load;
    let window = (shared.connected.load(Ordering::Relaxed) > 0).then(|| {
        // Every thread sees the window before it opens.
        let start = Instant::now() + Duration::from_millis(5);
        Window { start, from: start + load.warmup, to: start + load.warmup + load.duration }
    });
    shared.window.get_or_init(|| window);
    shared.gate.wait();
    let Some(mut window) = window else {
        let cause = shared.last_error.lock().map(|text| text.clone()).unwrap_or_default();
        return Err(RunError::Connect { address: load.plan.address, cause });
    };
    let read = || process::Usage::of_all(&load.pids);
    sleep_until(window.from, shared.stop);
    let before = read();
    sleep_until(window.to, shared.stop);
    let after = read();
    if before.is_err() || after.is_err() {
        shared.stop.store(true, Ordering::Relaxed);
    }
    if shared.stop.load(Ordering::Relaxed) {
        window.to = window.to.min(Instant::now()).max(window.from);
    }
    let (before, after) = (before.map_err(RunError::Process)?, after.map_err(RunError::Process)?);
    Ok((window, after.since(before)))
}

fn sleep_until(at: Instant, stop: &AtomicBool) {
    const STEP: Duration = Duration::from_millis(20);
    while !stop.load(Ordering::Relaxed) {
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(STEP));
    }
}
