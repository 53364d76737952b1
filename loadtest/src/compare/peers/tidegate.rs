//! Tidegate itself: the real binaries, started as an operator starts them, the node pinned to the proxy's core.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use crate::{
    admin::Admin,
    compare::{
        Peer, PeerError, Site,
        peer::{self, Daemon, Launched, Target},
    },
    host::{pin, process},
    scenario::{Scenario, github},
};

pub(super) const PEER: Peer = Peer {
    name: "tidegate",
    about: "Tidegate, one worker; in routes every path in turn",
    install: INSTALL,
    fits: |_| true,
    launch: |site| launch(site, &site.scenario.document(site.upstream), None),
};

/// All routes imported, one asked: with [`ONE_ROUTE`] it shows what looking a route up costs.
pub(super) const SAME_PATH: Peer = Peer {
    name: "tidegate-609",
    about: "Tidegate, 609 routes, one path asked",
    install: INSTALL,
    fits: |scenario| scenario == Scenario::Routes,
    launch: |site| launch(site, &site.scenario.document(site.upstream), Some(one_path())),
};

pub(super) const ONE_ROUTE: Peer = Peer {
    name: "tidegate-1",
    about: "Tidegate, one route, that path asked",
    install: INSTALL,
    fits: |scenario| scenario == Scenario::Routes,
    launch: |site| {
        let route = github::Route { template: github::ONE.to_owned() };
        launch(site, &github::document(&[route], site.upstream), Some(one_path()))
    },
};

/// What a function costs beyond this.
pub(super) const NO_FUNCTION: Peer = Peer {
    name: "tidegate-http",
    about: "Tidegate, the same answer from an HTTP upstream",
    install: INSTALL,
    fits: |scenario| scenario == Scenario::Function,
    launch: |site| launch(site, &Scenario::Proxy.document(site.upstream), None),
};

const INSTALL: &str = "cargo build --release -p tidegate-control -p tidegate-node";
const STAGE: &str = "prod";
/// Any keys: functions are called signed, as AWS wants it.
const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];

/// A started `tidegate up` and what its ready line says.
#[derive(Debug)]
pub(crate) struct Up {
    pub daemon: Daemon,
    pub admin: SocketAddr,
    pub gateway: SocketAddr,
    /// The node's process: what serves traffic.
    pub node: u32,
    pub version: String,
}

/// Starts `tidegate up`, importing `document` into the stage `prod` if one is given.
///
/// The control plane is born on the load's core; the node is moved to the proxy's core with all its threads.
pub(crate) fn up(site: &Site<'_>, document: Option<&str>) -> Result<Up, PeerError> {
    let program =
        program(site.tidegate.program.as_deref(), "tidegate").ok_or(PeerError::NotInstalled)?;
    let data = site.dir.join("data");
    let mut args: Vec<String> = vec!["up".into(), "--data-dir".into(), data.display().to_string()];
    for flag in ["--admin", "--grpc", "--http", "--node-admin"] {
        args.extend([flag.to_owned(), "127.0.0.1:0".to_owned()]);
    }
    args.extend(["--workers".to_owned(), "1".to_owned()]);
    if let Some(document) = document {
        let file = site.dir.join("api.json");
        fs::write(&file, document)?;
        args.extend([
            "--import".to_owned(),
            file.display().to_string(),
            "--stage".to_owned(),
            STAGE.to_owned(),
        ]);
    }
    let mut command = Command::new(&program);
    command.args(&args).envs(KEYS);
    let mut daemon = Daemon::start(command, site.dir, site.cpu_load)?;
    let line = ready_line(&mut daemon, site.dir)?;
    let admin = address(&line, "admin")?;
    let gateway = address(&line, "gateway")?;
    let node = daemon_node(&daemon)?;
    pin::process(node, site.cpu_proxy)?;
    Ok(Up { daemon, admin, gateway, node, version: peer::version(&program, "--version") })
}

/// Starts the control plane alone: its process, its admin address and its version.
pub(crate) fn control(
    given: Option<&Path>,
    dir: &Path,
    cpu: usize,
) -> Result<(Daemon, SocketAddr, String), PeerError> {
    let program = program(given, "tidegate-control").ok_or(PeerError::NotInstalled)?;
    let data = dir.join("data").display().to_string();
    let any = "127.0.0.1:0";
    let args = ["--data-dir", &data, "--admin", any, "--grpc", any];
    let mut daemon = Daemon::spawn(&program, args, dir, cpu)?;
    let admin = address(&ready_line(&mut daemon, dir)?, "admin")?;
    Ok((daemon, admin, peer::version(&program, "--version")))
}

/// Waits for the line that says where everything listens.
fn ready_line(daemon: &mut Daemon, dir: &Path) -> Result<String, PeerError> {
    let log = dir.join("log");
    let ready = move || {
        let output = fs::read_to_string(&log).ok()?;
        // Only a whole line: the newline may not be written yet.
        output
            .split_inclusive('\n')
            .find(|line| line.starts_with("ready ") && line.ends_with('\n'))
            .map(str::to_owned)
    };
    daemon.wait_for("ready line", ready)
}

fn launch(
    site: &Site<'_>,
    document: &str,
    paths: Option<Vec<String>>,
) -> Result<Launched, PeerError> {
    let up = up(site, Some(document))?;
    let id = match &site.tidegate.api_id {
        Some(id) => id.clone(),
        None => only_api(up.admin)?,
    };
    let target = Target { paths, ..target(up.gateway, &id) };
    Ok(Launched { pids: vec![up.node], daemon: up.daemon, target, version: up.version })
}

/// How the stage of an API is reached.
pub(crate) fn target(gateway: SocketAddr, api: &str) -> Target {
    let host = format!("{api}.execute-api.localhost");
    Target { address: gateway, host: Some(host), prefix: format!("/{STAGE}"), paths: None }
}

fn one_path() -> Vec<String> {
    vec![github::Route { template: github::ONE.to_owned() }.example()]
}

/// The one that was given, else the one beside this program or in PATH.
fn program(given: Option<&Path>, name: &str) -> Option<PathBuf> {
    if let Some(given) = given {
        return given.is_file().then(|| given.to_owned());
    }
    let beside = std::env::current_exe().ok().map(|exe| exe.with_file_name(name));
    beside.filter(|file| file.is_file()).or_else(|| peer::find_program(name))
}

/// One address of the ready line: `ready admin=http://… gateway=http://… grpc=…`.
fn address(line: &str, key: &str) -> Result<SocketAddr, PeerError> {
    let words = line.split_whitespace().filter_map(|word| word.split_once('='));
    let value = words.filter(|(name, _)| *name == key).map(|(_, value)| value).next();
    let address = value
        .map(|value| value.strip_prefix("http://").unwrap_or(value))
        .and_then(|value| value.parse().ok());
    address.ok_or_else(|| PeerError::Start(format!("its ready line names no {key}: {line}")))
}

/// The child process that serves traffic, by the name of its executable.
fn daemon_node(daemon: &Daemon) -> Result<u32, PeerError> {
    for _ in 0..50 {
        let found = process::tree(daemon.pid()).into_iter().find(|pid| is_node(*pid));
        if let Some(pid) = found {
            return Ok(pid);
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(PeerError::Start("no child process named tidegate-node was found".to_owned()))
}

fn is_node(pid: u32) -> bool {
    // The kernel keeps 15 characters, and `tidegate-node` has 13; a renamed main thread still has its executable.
    process::name(pid).is_some_and(|name| name == "tidegate-node")
        || fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.ends_with("tidegate-node"))
}

/// The id of the one API that was imported.
fn only_api(admin: SocketAddr) -> Result<String, PeerError> {
    let mut apis = Admin::new(admin).apis().map_err(|error| PeerError::Start(error.to_string()))?;
    match (apis.pop(), apis.is_empty()) {
        (Some(id), true) => Ok(id),
        _ => Err(PeerError::Start(
            "the admin API lists no or several APIs; give --tidegate-api-id".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_lines() {
        let line =
            "ready admin=http://127.0.0.1:4700 gateway=http://127.0.0.1:4780 grpc=127.0.0.1:4701\n";
        assert_eq!(address(line, "admin").unwrap().port(), 4700);
        assert_eq!(address(line, "grpc").unwrap().port(), 4701);
        assert!(address(line, "https").is_err());
    }
}
