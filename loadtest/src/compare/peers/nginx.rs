//! nginx: one worker, kept upstream connections, no access log.

use std::fs;

use crate::{
    compare::{
        Peer, PeerError, Site,
        peer::{self, Daemon, Launched, Target},
    },
    scenario::{MOCK_BODY, Scenario, github},
};

pub(super) const PEER: Peer = Peer {
    name: "nginx",
    about: "nginx, one worker, proxy_pass with keepalive, access_log off",
    install: "apt-get install nginx",
    fits: |_| true,
    launch,
};

fn launch(site: &Site<'_>) -> Result<Launched, PeerError> {
    let program = peer::find_program("nginx").ok_or(PeerError::NotInstalled)?;
    let address = peer::free_address()?;
    let dir = site.dir.display();
    let locations = locations(site.scenario);
    let upstream = site.upstream;
    // keepalive_requests of a billion: a connection never ends within a run, on either side.
    let text = format!(
        "daemon off;\nworker_processes 1;\npid {dir}/pid;\nerror_log stderr;\n\
         events {{ worker_connections 10000; }}\n\
         http {{\n  access_log off;\n  default_type application/json;\n  keepalive_requests 1000000000;\n\
         client_body_temp_path {dir}/t1;\n  proxy_temp_path {dir}/t2;\n  fastcgi_temp_path {dir}/t3;\n  \
         uwsgi_temp_path {dir}/t4;\n  scgi_temp_path {dir}/t5;\n  \
         upstream up {{ server {upstream}; keepalive 512; keepalive_requests 1000000000; }}\n  \
         proxy_http_version 1.1;\n  proxy_set_header Connection \"\";\n  \
         server {{\n    listen {address};\n{locations}  }}\n}}\n"
    );
    let config = site.dir.join("nginx.conf");
    fs::write(&config, text)?;
    let args = ["-p".as_ref(), site.dir.as_os_str(), "-c".as_ref(), config.as_os_str()];
    let daemon = Daemon::spawn(&program, args, site.dir, site.cpu_proxy)?;
    let version = peer::version(&program, "-v");
    Ok(Launched { daemon, pids: Vec::new(), target: Target::plain(address), version })
}

fn locations(scenario: Scenario) -> String {
    match scenario {
        Scenario::Proxy | Scenario::Function => {
            "    location / { proxy_pass http://up; }\n".to_owned()
        }
        Scenario::Mock => format!("    location / {{ return 200 '{MOCK_BODY}'; }}\n"),
        Scenario::Routes => github::routes()
            .iter()
            .map(|route| match route.template.contains('{') {
                true => {
                    format!("    location ~ \"{}\" {{ proxy_pass http://up; }}\n", route.regex())
                }
                false => format!("    location = {} {{ proxy_pass http://up; }}\n", route.template),
            })
            .collect(),
    }
}
