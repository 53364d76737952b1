//! The programs as children of this test: on free ports, with what they say, and never left behind.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::http::Connection;

/// A running program; dropping it kills it.
pub struct Process {
    child: std::process::Child,
    lines: Receiver<String>,
    ready: HashMap<String, SocketAddr>,
    stderr: Arc<Mutex<String>>,
}

impl Process {
    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (tell, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line)));
        });
        let stderr = Arc::new(Mutex::new(String::new()));
        let (err, kept) = (BufReader::new(child.stderr.take().unwrap()), stderr.clone());
        std::thread::spawn(move || {
            for line in err.lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Self { child, lines, ready: HashMap::new(), stderr }
    }

    /// Waits for the ready line; an error is what it said when it ended instead.
    fn ready(mut self) -> Result<Self, String> {
        let line = match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("not ready in time: {}", self.stderr()),
            Err(RecvTimeoutError::Disconnected) => {
                let _ = self.child.wait();
                std::thread::sleep(Duration::from_millis(50));
                return Err(self.stderr());
            }
        };
        let pairs = line.strip_prefix("ready ").expect("the ready line").split(' ');
        let address = |url: &str| url.trim_start_matches("http://").parse().unwrap();
        self.ready = pairs
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, url)| (name.to_owned(), address(url)))
            .collect();
        Ok(self)
    }

    /// Where something listens.
    pub fn address(&self, name: &str) -> SocketAddr {
        self.ready[name]
    }

    /// What it said on standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().cast_signed()).unwrap(), signal).unwrap();
    }

    /// Sends a signal, waits for the end, and checks that nothing had gone wrong before.
    pub fn end(mut self, signal: Signal) {
        assert!(self.child.try_wait().unwrap().is_none(), "it had ended: {}", self.stderr());
        self.signal(signal);
        let mut status = None;
        wait_for("its end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let said = self.stderr();
        assert!(signal == Signal::KILL || status.unwrap().success(), "{status:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("ERROR"), "{said}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program beside the control plane's, with none of this process's settings.
fn program(name: &str) -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_tidegate-control")).with_file_name(name);
    let missing = format!("{} is missing: run cargo build --workspace --bins", path.display());
    assert!(path.is_file(), "{missing}");
    let mut command = Command::new(path);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TIDEGATE_")) {
        command.env_remove(name);
    }
    command
}

/// Starts a control plane on a store. `grpc` is where nodes know it, port 0 the first time.
pub fn control(directory: &Path, grpc: SocketAddr) -> Process {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut command = program("tidegate-control");
        command.arg("--data-dir").arg(directory).args(["--admin", "127.0.0.1:0"]);
        command.arg("--grpc").arg(grpc.to_string()).env("TIDEGATE_LOG", "warn");
        command.env("TIDEGATE_ACCESS_KEY_ID", crate::http::KEY);
        command.env("TIDEGATE_SECRET_ACCESS_KEY", crate::http::SECRET);
        match Process::spawn(command).ready() {
            Ok(process) => return process,
            // Somebody's outgoing connection may have the port for a moment.
            Err(said) if said.contains("in use") && Instant::now() < until => {}
            Err(said) => panic!("the control plane ended: {said}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Starts a node and waits until it serves.
pub fn node(directory: &Path, control: SocketAddr) -> Process {
    let mut command = node_command(directory, control);
    command.args(["--http", "127.0.0.1:0", "--node-admin", "127.0.0.1:0"]);
    Process::spawn(command).ready().unwrap_or_else(|said| panic!("the node ended: {said}"))
}

/// Starts a node that may have nothing to serve, and so may never say that it is ready; waits until it says how it is.
pub fn bare_node(directory: &Path, control: SocketAddr) -> Process {
    let holders = [TcpListener::bind(ANY).unwrap(), TcpListener::bind(ANY).unwrap()];
    let free = holders.map(|holder| holder.local_addr().unwrap());
    let mut command = node_command(directory, control);
    let addresses = ["http", "node-admin"].into_iter().zip(free);
    for (name, address) in addresses.clone() {
        command.arg(format!("--{name}={address}"));
    }
    let mut process = Process::spawn(command);
    process.ready = addresses.map(|(name, address)| (name.to_owned(), address)).collect();
    wait_for("the node's health page", || !health(process.address("node-admin")).is_null());
    process
}

fn node_command(directory: &Path, control: SocketAddr) -> Command {
    let mut command = program("tidegate-node");
    command.arg("--data-dir").arg(directory).arg("--control").arg(format!("http://{control}"));
    command.args(["--workers", "2", "--drain-seconds", "1"]).env("TIDEGATE_LOG", "warn");
    command
}

/// What a control plane says of itself: epoch and sequence.
pub fn head(control: &Process) -> (u64, u64) {
    let told = health(control.address("admin"));
    (told["epoch"].as_u64().unwrap(), told["revision"].as_u64().unwrap())
}

/// The revision a node serves: epoch and sequence.
pub fn revision(node: &Process) -> Option<(u64, u64)> {
    let told = health(node.address("node-admin"));
    let revision = &told["revision"];
    Some((revision["epoch"].as_u64()?, revision["sequence"].as_u64()?))
}

/// Whether a node says that its control plane is there.
pub fn is_connected(node: &Process) -> bool {
    health(node.address("node-admin"))["control_plane"]["state"] == "connected"
}

/// Waits until a node serves what the control plane has.
pub fn converge(node: &Process, control: &Process) {
    let head = head(control);
    let what = format!("the node reaches {head:?}: {}", node.stderr());
    // A node that lost a bundle keeps its revision and refuses what needs it until it is had again.
    let whole = || health(node.address("node-admin"))["refusals"] == serde_json::json!([]);
    wait_for(&what, || revision(node) == Some(head) && whole());
}

/// The health page; `null` while nobody listens.
pub fn health(address: SocketAddr) -> Value {
    let Ok(mut connection) = Connection::open(address) else { return Value::Null };
    connection.get("localhost", "/_tidegate/health").map_or(Value::Null, |answer| answer.json())
}

/// Waits for a condition.
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Nobody listens here.
pub const NOBODY: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// Any free port of this machine.
pub const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
