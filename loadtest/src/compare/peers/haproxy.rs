//! HAProxy in `mode http` with upstream connections reused always.

use std::fs;

use crate::{
    compare::{
        Peer, PeerError, Site,
        peer::{self, Daemon, Launched, Target},
    },
    host::limits,
    scenario::{MOCK_BODY, Scenario, github},
};

pub(super) const PEER: Peer = Peer {
    name: "haproxy",
    about: "HAProxy, mode http, one thread, http-reuse always",
    install: "apt-get install haproxy",
    fits: |_| true,
    launch: |site| launch(site, Mode::Http),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Tcp,
    Http,
}

pub(super) fn launch(site: &Site<'_>, mode: Mode) -> Result<Launched, PeerError> {
    let program = peer::find_program("haproxy").ok_or(PeerError::NotInstalled)?;
    let address = peer::free_address()?;
    let config = site.dir.join("haproxy.cfg");
    let (name, reuse) = match mode {
        Mode::Tcp => ("tcp", ""),
        Mode::Http => ("http", "  http-reuse always\n"),
    };
    // A relay reads no request, so it has no rules.
    let rules = if mode == Mode::Tcp { String::new() } else { rules(site)? };
    let upstream = site.upstream;
    // It refuses to start when two descriptors per connection exceed the limit of open files.
    let most = (limits::raise_open_files()?.saturating_sub(200) / 2).min(10_000);
    let text = format!(
        "global\n  nbthread 1\n  maxconn {most}\n\
         defaults\n  mode {name}\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
         frontend in\n  bind {address}\n{rules}  default_backend out\n\
         backend out\n{reuse}  server upstream {upstream}\n"
    );
    fs::write(&config, text)?;
    let daemon = Daemon::spawn(
        &program,
        ["-db".as_ref(), "-f".as_ref(), config.as_os_str()],
        site.dir,
        site.cpu_proxy,
    )?;
    let version = peer::version(&program, "-v");
    Ok(Launched { daemon, pids: Vec::new(), target: Target::plain(address), version })
}

/// Frontend rules: none for plain proxying; the constant answer; the route table as a list of regular expressions.
fn rules(site: &Site<'_>) -> Result<String, PeerError> {
    Ok(match site.scenario {
        Scenario::Proxy | Scenario::Function => String::new(),
        Scenario::Mock => {
            let body = site.dir.join("body.json");
            fs::write(&body, MOCK_BODY)?;
            format!(
                "  http-request return status 200 content-type application/json file {}\n",
                body.display()
            )
        }
        Scenario::Routes => {
            let list = site.dir.join("routes");
            let lines: Vec<String> = github::routes().iter().map(github::Route::regex).collect();
            fs::write(&list, lines.join("\n"))?;
            format!(
                "  http-request deny deny_status 404 unless {{ path_reg -f {} }}\n",
                list.display()
            )
        }
    })
}
