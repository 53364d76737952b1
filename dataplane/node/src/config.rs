//! Start-up settings: flags, each of which also reads an environment variable. All that concerns APIs comes as objects instead.

mod aws;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use ipnet::IpNet;

use crate::agent::{ControlPlane, TlsFiles};
use crate::node::Listen;
use crate::rt::DriverChoice;
use crate::upstream::AddressPolicy;
pub use aws::Aws;

/// An edge node of Tidegate: serves what its control plane publishes.
#[derive(Debug, Parser)]
#[command(name = "tidegate-node", version)]
pub struct Config {
    /// Control plane to take objects from, for example http://127.0.0.1:4701
    #[arg(long, env = "TIDEGATE_CONTROL", value_name = "URL", conflicts_with = "objects")]
    pub control: Option<String>,

    /// Certificates (PEM) that sign the control plane's, for an https address
    #[arg(long, env = "TIDEGATE_CONTROL_CA", value_name = "FILE", requires = "control")]
    pub control_ca: Option<PathBuf>,

    /// This node's certificate (PEM), for mutual TLS
    #[arg(long, env = "TIDEGATE_CONTROL_CERT", value_name = "FILE", requires_all = ["control_ca", "control_key"])]
    pub control_cert: Option<PathBuf>,

    /// The key of --control-cert (PEM)
    #[arg(long, env = "TIDEGATE_CONTROL_KEY", value_name = "FILE", requires = "control_cert")]
    pub control_key: Option<PathBuf>,

    /// The name in the control plane's certificate, where it is not the host of --control
    #[arg(long, env = "TIDEGATE_CONTROL_NAME", value_name = "NAME", requires = "control_ca")]
    pub control_name: Option<String>,

    /// Serve the objects of this file instead, without any control plane
    #[arg(long, env = "TIDEGATE_OBJECTS", value_name = "FILE")]
    pub objects: Option<PathBuf>,

    /// Where the last good copy of the objects is kept, so that the node starts without its control plane
    #[arg(
        long,
        env = "TIDEGATE_NODE_DATA_DIR",
        value_name = "DIR",
        default_value = "./tidegate-data/node"
    )]
    pub data_dir: PathBuf,

    /// Where callers come in; may be given several times. Port 0 picks a free port
    #[arg(
        long,
        env = "TIDEGATE_HTTP",
        value_name = "ADDR",
        default_value = "127.0.0.1:4780",
        value_delimiter = ','
    )]
    pub http: Vec<SocketAddr>,

    /// Health and metrics
    #[arg(
        long,
        env = "TIDEGATE_NODE_ADMIN",
        value_name = "ADDR",
        default_value = "127.0.0.1:4790"
    )]
    pub node_admin: SocketAddr,

    /// Worker threads; 0 means one per core
    #[arg(long, env = "TIDEGATE_WORKERS", value_name = "N", default_value_t = 0)]
    pub workers: usize,

    /// Bind each worker to a core
    #[arg(long, env = "TIDEGATE_PIN")]
    pub pin: bool,

    /// auto, io_uring or epoll
    #[arg(long, env = "TIDEGATE_DRIVER", value_name = "DRIVER", default_value = "auto")]
    pub driver: DriverChoice,

    /// A label KEY=VALUE by which the control plane places APIs; may be given several times
    #[arg(long = "label", env = "TIDEGATE_LABELS", value_name = "KEY=VALUE", value_parser = label, value_delimiter = ',')]
    pub labels: Vec<(String, String)>,

    /// A network upstreams may be in although it is denied by default (loopback, link-local, metadata, unique local,
    /// carrier-grade NAT); may be given several times
    #[arg(long, env = "TIDEGATE_ALLOW_UPSTREAM", value_name = "CIDR", value_delimiter = ',')]
    pub allow_upstream: Vec<IpNet>,

    /// Certificates (PEM) to trust besides those that browsers trust, for upstreams by https
    #[arg(long, env = "TIDEGATE_UPSTREAM_CA", value_name = "FILE")]
    pub upstream_ca: Option<PathBuf>,

    #[command(flatten)]
    pub aws: Aws,

    /// Allow upstreams on this machine
    #[arg(long, env = "TIDEGATE_ALLOW_LOOPBACK")]
    pub allow_loopback: bool,

    /// Understand /_aws/execute-api/{api}/{stage}/... and /restapis/{api}/{stage}/_user_request_/... where Host names no API
    #[arg(long, env = "TIDEGATE_PATH_FORMS")]
    pub path_forms: bool,

    /// Understand HTTP/2 with prior knowledge on --http listeners, beside HTTP/1.1
    #[arg(long, env = "TIDEGATE_H2C")]
    pub h2c: bool,

    /// Print one helpful line on standard error for each answer the gateway makes itself
    #[arg(long, env = "TIDEGATE_HINTS")]
    pub hints: bool,

    /// Write an access log, one JSON object a line; `-` is standard output
    #[arg(long, env = "TIDEGATE_ACCESS_LOG", value_name = "PATH")]
    pub access_log: Option<PathBuf>,

    /// Largest request body in bytes
    #[arg(long, env = "TIDEGATE_MAX_BODY", value_name = "BYTES", default_value_t = 10_485_760)]
    pub max_body: u64,

    /// Seconds exchanges may go on after SIGTERM
    #[arg(long, env = "TIDEGATE_DRAIN_SECONDS", value_name = "SECONDS", default_value_t = 30)]
    pub drain_seconds: u64,

    /// Callers' connections per worker
    #[arg(long, env = "TIDEGATE_MAX_CONNECTIONS", value_name = "N", default_value_t = 10_000)]
    pub max_connections: usize,
}

impl Config {
    /// Workers to start.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }

    /// How to reach the control plane, if there is one.
    pub fn control_plane(&self) -> Option<ControlPlane> {
        let tls = self.control_ca.clone().map(|ca| TlsFiles {
            ca,
            identity: self.control_cert.clone().zip(self.control_key.clone()),
            server_name: self.control_name.clone(),
        });
        self.control.clone().map(|url| ControlPlane { url, tls })
    }

    /// Where callers come in.
    pub fn listen(&self) -> Vec<Listen> {
        let listen = |address: &SocketAddr| Listen {
            address: *address,
            path_forms: self.path_forms,
            max_body: self.max_body,
            h2c: self.h2c,
        };
        self.http.iter().map(listen).collect()
    }

    /// Whom the node may call.
    pub fn policy(&self) -> AddressPolicy {
        let policy = AddressPolicy { allow: self.allow_upstream.clone() };
        if self.allow_loopback { policy.with_loopback() } else { policy }
    }

    /// Time limits and bounds towards callers.
    pub fn limits(&self) -> crate::worker::Limits {
        crate::worker::Limits {
            drain: Duration::from_secs(self.drain_seconds),
            connections: self.max_connections,
            ..Default::default()
        }
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("'{text}' is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read() {
        use clap::CommandFactory;
        Config::command().debug_assert();
        let config = Config::parse_from([
            "tidegate-node",
            "--control=http://127.0.0.1:1",
            "--label=zone=a",
            "--label=tier=edge",
            "--allow-upstream=10.0.0.0/8",
            "--driver=epoll",
            "--http=127.0.0.1:0,127.0.0.1:1",
        ]);
        assert_eq!(config.labels, [("zone".into(), "a".into()), ("tier".into(), "edge".into())]);
        assert_eq!((config.http.len(), config.driver), (2, DriverChoice::Epoll));
        assert!(Config::try_parse_from(["tidegate-node", "--label=zone"]).is_err());
        assert!(Config::try_parse_from(["tidegate-node", "--driver=kqueue"]).is_err());
    }
}
