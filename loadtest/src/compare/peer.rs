//! A peer: how to configure, start, reach and stop one proxy.

use std::{
    ffi::OsStr,
    fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    client::Client,
    host::{pin, process},
    run::Plan,
    scenario::Scenario,
};

/// How long a peer may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(15);

/// One proxy that can be compared. Each has a file in `peers/`.
#[derive(Debug)]
pub struct Peer {
    pub name: &'static str,
    /// What it does here, for the report.
    pub about: &'static str,
    /// The command that installs it.
    pub install: &'static str,
    /// Whether it takes part in a scenario.
    pub fits: fn(Scenario) -> bool,
    /// Writes the configuration and starts the processes.
    pub launch: fn(&Site<'_>) -> Result<Launched, PeerError>,
}

/// Where a peer is started.
#[derive(Debug)]
pub struct Site<'a> {
    /// For configuration and logs of this peer alone.
    pub dir: &'a Path,
    pub scenario: Scenario,
    pub upstream: SocketAddr,
    pub cpu_proxy: usize,
    pub cpu_load: usize,
    pub tidegate: &'a TidegateOptions,
}

/// How to find and reach Tidegate.
#[derive(Debug, Clone, Default)]
pub struct TidegateOptions {
    /// The `tidegate` binary; beside this one or in PATH when absent.
    pub program: Option<PathBuf>,
    /// Id of the imported API; asked from the admin API when absent.
    pub api_id: Option<String>,
}

/// Processes that were started, and where they will answer.
#[derive(Debug)]
pub struct Launched {
    pub daemon: Daemon,
    /// Roots of the process trees whose CPU time counts; the daemon itself when empty.
    pub pids: Vec<u32>,
    pub target: Target,
    pub version: String,
}

/// Where and how requests are sent.
#[derive(Debug, Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub host: Option<String>,
    /// Goes before each path.
    pub prefix: String,
    /// Instead of the scenario's own.
    pub paths: Option<Vec<String>>,
}

/// A peer that answers. Dropping it stops its processes.
#[derive(Debug)]
pub struct Running {
    pub plan: Arc<Plan>,
    pub pids: Vec<u32>,
    version: String,
    _daemon: Daemon,
}

/// Why a peer takes no part.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error("not installed")]
    NotInstalled,
    #[error("has no counterpart to this scenario")]
    Unfit,
    #[error("cannot start: {0}")]
    Start(String),
    #[error("cannot start: {0}")]
    Io(#[from] io::Error),
}

impl Peer {
    /// Starts the peer and waits until it answers 200.
    pub fn start(&self, site: &Site<'_>) -> Result<Running, PeerError> {
        if !(self.fits)(site.scenario) {
            return Err(PeerError::Unfit);
        }
        let Launched { mut daemon, pids, target, version } = (self.launch)(site)?;
        let plan = super::plan(site.scenario, &target)?;
        daemon.wait_for("an answer", || answers(&plan))?;
        let pids = if pids.is_empty() { vec![daemon.pid()] } else { pids };
        Ok(Running { plan: Arc::new(plan), pids, version, _daemon: daemon })
    }
}

impl Running {
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl Target {
    /// The address itself, with the scenario's own paths.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, host: None, prefix: String::new(), paths: None }
    }
}

/// A child process with its output in a file. Dropping it ends it: SIGTERM, then SIGKILL after three seconds.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a program pinned to a core, with standard output and error in `dir/log`.
    pub fn spawn<A: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = A>,
        dir: &Path,
        cpu: usize,
    ) -> Result<Self, PeerError> {
        let mut command = Command::new(program);
        command.args(args);
        Self::start(command, dir, cpu)
    }

    /// The same for a command that is more than a program and its arguments.
    pub fn start(mut command: Command, dir: &Path, cpu: usize) -> Result<Self, PeerError> {
        let log = dir.join("log");
        let output = fs::File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // In a group of its own: Ctrl-C is for us, and we stop the peers after the last report.
        command.process_group(0);
        let child = pin::born_on(cpu, || command.spawn())??;
        Ok(Self { child, log })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has printed so far.
    pub fn output(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Asks again until there is an answer, and says what the process printed if none comes.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        mut ask: impl FnMut() -> Option<T>,
    ) -> Result<T, PeerError> {
        let until = Instant::now() + START_LIMIT;
        loop {
            if let Some(answer) = ask() {
                return Ok(answer);
            }
            let ended = self.child.try_wait()?;
            if ended.is_none() && Instant::now() < until {
                thread::sleep(Duration::from_millis(20));
                continue;
            }
            let reason = match ended {
                Some(status) => format!("ended with {status}"),
                None => format!("gave no {what} within {START_LIMIT:?}"),
            };
            let output = self.output();
            let tail: Vec<&str> = output.lines().rev().take(5).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            return Err(PeerError::Start(format!("{reason}; it printed: {}", tail.join(" / "))));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Read now: a worker whose parent has died is nobody's child.
        let tree = process::tree(self.child.id());
        signal(self.child.id(), Signal::TERM);
        let until = Instant::now() + Duration::from_secs(3);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > until {
                tree.into_iter().for_each(|pid| signal(pid, Signal::KILL));
                // Killed: there is nothing more to do about a failure.
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Sends a signal; the process may have ended by itself, and then there is nothing to end.
fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

/// Finds a program in PATH, and in the places where distributions put servers.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// What a program says about its version: the first line that has a digit, up to 160 characters.
pub fn version(program: &Path, flag: &str) -> String {
    let Ok(output) = Command::new(program).arg(flag).output() else { return String::new() };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let line =
        text.lines().find(|line| line.contains(|c: char| c.is_ascii_digit())).unwrap_or_default();
    line.trim().chars().take(160).collect()
}

fn answers(plan: &Plan) -> Option<()> {
    let mut client = Client::connect(plan.address, None, Duration::from_secs(1)).ok()?;
    let answer = client.exchange(&plan.requests[0]).ok()?;
    (answer.outcome.status == 200).then_some(())
}
