//! Settings of `up`: flags, environment and a TOML file, in this order of precedence; and what of them goes to which child.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::error::CliError;

/// Arguments of `tidegate up`.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Settings file (TOML) with the names of these flags; flags and environment win over it
    #[arg(long, env = "TIDEGATE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept [default: ./tidegate-data]
    #[arg(long, env = "TIDEGATE_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address of the admin API; port 0 picks a free one, here and below [default: 127.0.0.1:4700]
    #[arg(long, env = "TIDEGATE_ADMIN", value_name = "ADDR")]
    admin: Option<SocketAddr>,
    /// Address of the gRPC services [default: 127.0.0.1:4701]
    #[arg(long, env = "TIDEGATE_GRPC", value_name = "ADDR")]
    grpc: Option<SocketAddr>,
    /// Address of the gateway [default: 127.0.0.1:4780]
    #[arg(long, env = "TIDEGATE_HTTP", value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Address of the gateway for TLS; not served by this release
    #[arg(long, env = "TIDEGATE_HTTPS", value_name = "ADDR")]
    https: Option<SocketAddr>,
    /// Address of the node's health and metrics [default: 127.0.0.1:4790]
    #[arg(long, env = "TIDEGATE_NODE_ADMIN", value_name = "ADDR")]
    node_admin: Option<SocketAddr>,
    /// Worker threads of the node; 0 is one per core [default: 0]
    #[arg(long, env = "TIDEGATE_WORKERS", value_name = "N")]
    workers: Option<usize>,
    /// Account id in ARNs, messages and events, twelve digits [default: 000000000000]
    #[arg(long, env = "TIDEGATE_ACCOUNT_ID", value_name = "ID")]
    account_id: Option<String>,
    /// Region in ARNs, messages and events [default: us-east-1]
    #[arg(long, env = "TIDEGATE_REGION", value_name = "REGION")]
    region: Option<String>,
    /// OpenAPI document to import; the API of its title is brought up to date if it is there already
    #[arg(long, env = "TIDEGATE_IMPORT", value_name = "FILE")]
    import: Option<PathBuf>,
    /// Stage to deploy what was imported to
    #[arg(long, env = "TIDEGATE_STAGE", value_name = "STAGE")]
    stage: Option<String>,
    /// How the node talks to the kernel: auto, io_uring or epoll [default: auto]
    #[arg(long, env = "TIDEGATE_DRIVER", value_name = "DRIVER")]
    driver: Option<String>,
    /// Access log of the node, one JSON object a line
    #[arg(long, env = "TIDEGATE_ACCESS_LOG", value_name = "PATH")]
    access_log: Option<PathBuf>,
    /// Network that upstreams may be in although it is denied by default; may be given several times. This machine is always
    /// allowed
    #[arg(long, env = "TIDEGATE_ALLOW_UPSTREAM", value_name = "CIDR", value_delimiter = ',')]
    allow_upstream: Vec<String>,
    /// TOML file of Lambda functions to run on this machine; integrations with Lambda go there
    #[arg(long, env = "TIDEGATE_FUNCTIONS", value_name = "FILE")]
    functions: Option<PathBuf>,
    /// Address of their Lambda Invoke API [default: 127.0.0.1:4702]
    #[arg(long, env = "TIDEGATE_FUNCTIONS_LISTEN", value_name = "ADDR")]
    functions_listen: Option<SocketAddr>,
}

/// The same in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct File {
    data_dir: Option<PathBuf>,
    admin: Option<SocketAddr>,
    grpc: Option<SocketAddr>,
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    node_admin: Option<SocketAddr>,
    workers: Option<usize>,
    account_id: Option<String>,
    region: Option<String>,
    import: Option<PathBuf>,
    stage: Option<String>,
    driver: Option<String>,
    access_log: Option<PathBuf>,
    allow_upstream: Vec<String>,
    functions: Option<PathBuf>,
    functions_listen: Option<SocketAddr>,
}

/// What `up` does.
#[derive(Debug)]
pub(super) struct Settings {
    data_dir: PathBuf,
    admin: SocketAddr,
    grpc: SocketAddr,
    http: SocketAddr,
    node_admin: SocketAddr,
    workers: usize,
    account_id: String,
    region: String,
    /// Document to import.
    pub(super) import: Option<PathBuf>,
    /// Stage to deploy it to.
    pub(super) stage: Option<String>,
    driver: String,
    access_log: Option<PathBuf>,
    allow_upstream: Vec<String>,
    /// File of the functions to run.
    pub(super) functions: Option<PathBuf>,
    functions_listen: SocketAddr,
}

impl Settings {
    /// The settings of this process.
    pub(super) fn load(flags: Arguments) -> Result<Self, CliError> {
        let file = match &flags.config {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|cause| CliError::File { path: path.clone(), cause })?;
                toml::from_str(&text).map_err(|cause| {
                    CliError::Usage(format!("settings file {}: {cause}", path.display()))
                })?
            }
            None => File::default(),
        };
        if let Some(https) = flags.https.or(file.https) {
            return Err(CliError::Usage(format!(
                "--https {https}: this release has no TLS listener yet; leave it out, and put a TLS proxy in front of the gateway"
            )));
        }
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let several = if flags.allow_upstream.is_empty() {
            file.allow_upstream
        } else {
            flags.allow_upstream
        };
        let defaults = crate::app::Settings::default();
        let settings = Self {
            data_dir: flags.data_dir.or(file.data_dir).unwrap_or_else(|| "tidegate-data".into()),
            admin: flags.admin.or(file.admin).unwrap_or(local(4700)),
            grpc: flags.grpc.or(file.grpc).unwrap_or(local(4701)),
            http: flags.http.or(file.http).unwrap_or(local(4780)),
            node_admin: flags.node_admin.or(file.node_admin).unwrap_or(local(4790)),
            workers: flags.workers.or(file.workers).unwrap_or(0),
            account_id: flags.account_id.or(file.account_id).unwrap_or(defaults.account_id),
            region: flags.region.or(file.region).unwrap_or(defaults.region),
            import: flags.import.or(file.import),
            stage: flags.stage.or(file.stage),
            driver: flags.driver.or(file.driver).unwrap_or_else(|| "auto".to_owned()),
            access_log: flags.access_log.or(file.access_log),
            allow_upstream: several,
            functions: flags.functions.or(file.functions),
            functions_listen: flags
                .functions_listen
                .or(file.functions_listen)
                .unwrap_or(local(4702)),
        };
        if settings.stage.is_some() && settings.import.is_none() {
            return Err(CliError::Usage(
                "--stage says where to deploy what --import brings in; give --import FILE too"
                    .to_owned(),
            ));
        }
        Ok(settings)
    }

    /// Whether the admin API listens to this machine only.
    pub(super) fn is_loopback(&self) -> bool {
        self.admin.ip().is_loopback()
    }

    /// For `tidegate-control`.
    pub(super) fn control_arguments(&self) -> Vec<OsString> {
        let mut flags = Flags::default();
        flags.add("--data-dir", &self.data_dir);
        flags.add("--admin", self.admin.to_string());
        flags.add("--grpc", self.grpc.to_string());
        flags.add("--account-id", &self.account_id);
        flags.add("--region", &self.region);
        for network in &self.allow_upstream {
            flags.add("--allow-upstream", network);
        }
        flags.0
    }

    /// For `tidegate-functions`, given the file of the functions.
    pub(super) fn functions_arguments(&self, file: &Path) -> Vec<OsString> {
        let mut flags = Flags::default();
        flags.add("--listen", self.functions_listen.to_string());
        flags.add("--account-id", &self.account_id);
        flags.add("--region", &self.region);
        flags.0.extend(["--".into(), file.into()]);
        flags.0
    }

    /// For `tidegate-node`, given the control plane's address.
    pub(super) fn node_arguments(&self, control: &str) -> Vec<OsString> {
        let mut flags = Flags::default();
        flags.add("--control", control);
        flags.add("--data-dir", self.data_dir.join("node"));
        flags.add("--http", self.http.to_string());
        flags.add("--node-admin", self.node_admin.to_string());
        flags.add("--workers", self.workers.to_string());
        flags.add("--driver", &self.driver);
        if let Some(path) = &self.access_log {
            flags.add("--access-log", path);
        }
        for network in &self.allow_upstream {
            flags.add("--allow-upstream", network);
        }
        for switch in ["--allow-loopback", "--path-forms", "--hints"] {
            flags.0.push(switch.into());
        }
        flags.0
    }
}

#[derive(Default)]
struct Flags(Vec<OsString>);

impl Flags {
    /// `name=value` in one word, so that no value is taken for a flag.
    fn add(&mut self, name: &str, value: impl Into<OsString>) {
        let mut word = OsString::from(name);
        word.push("=");
        word.push(value.into());
        self.0.push(word);
    }
}

/// Variables that children must not read again: `up` has read them, and passes on what is theirs as flags.
pub(super) const VARIABLES: &[&str] = &[
    "TIDEGATE_CONFIG",
    "TIDEGATE_CONTROL",
    "TIDEGATE_CONTROL_CA",
    "TIDEGATE_CONTROL_CERT",
    "TIDEGATE_CONTROL_KEY",
    "TIDEGATE_OBJECTS",
    "TIDEGATE_HTTP",
    "TIDEGATE_ALLOW_UPSTREAM",
    "TIDEGATE_ACCESS_LOG",
    "TIDEGATE_DATA_DIR",
    "TIDEGATE_FUNCTIONS",
    "TIDEGATE_FUNCTIONS_LISTEN",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_reach_the_children() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("up.toml");
        std::fs::write(&path, "region = \"eu-central-1\"\nadmin = \"127.0.0.1:1\"\nallow-upstream = [\"10.0.0.0/8\"]\n").unwrap();
        let flags = Arguments {
            config: Some(path),
            admin: Some("127.0.0.1:2".parse().unwrap()),
            data_dir: Some("d".into()),
            ..Arguments::default()
        };
        let settings = Settings::load(flags).unwrap();
        assert_eq!(
            settings.control_arguments(),
            [
                "--data-dir=d",
                "--admin=127.0.0.1:2",
                "--grpc=127.0.0.1:4701",
                "--account-id=000000000000",
                "--region=eu-central-1",
                "--allow-upstream=10.0.0.0/8"
            ]
        );
        let node = settings.node_arguments("http://127.0.0.1:9");
        for flag in [
            "--control=http://127.0.0.1:9",
            "--data-dir=d/node",
            "--allow-upstream=10.0.0.0/8",
            "--hints",
        ] {
            assert!(node.contains(&flag.into()), "{flag} in {node:?}");
        }
        assert!(settings.is_loopback());
    }

    #[test]
    fn mistakes_are_told() {
        let error = |flags| Settings::load(flags).unwrap_err().to_string();
        let stage = Arguments { stage: Some("prod".to_owned()), ..Arguments::default() };
        assert!(error(stage).contains("--import"));
        let https =
            Arguments { https: Some("127.0.0.1:1".parse().unwrap()), ..Arguments::default() };
        assert!(error(https).contains("no TLS listener"));
        let config = Arguments { config: Some("/nowhere.toml".into()), ..Arguments::default() };
        assert!(error(config).contains("/nowhere.toml"));
    }
}
