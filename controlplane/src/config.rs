//! Start-up settings: command line, environment and a TOML file, in this order of precedence.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use ipnet::IpNet;
use serde::Deserialize;
use tidegate_engine::integration::credentials::{AwsSettings, BadAwsSettings};
use tidegate_engine::integration::guard::AddressPolicy;

use crate::app::Settings;
use crate::auth::AccessKey;
use crate::auth::keys::BootstrapError;
use crate::grpc::{GrpcConfig, GrpcTls};

/// What the process is told when it starts. Everything else is in the store.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the store is. Made if need be, and locked.
    pub data_dir: PathBuf,
    /// Where the admin API listens; port 0 picks a free one.
    pub admin: SocketAddr,
    /// Where and how the gRPC services listen.
    pub grpc: GrpcConfig,
    /// Names in certificates whose owners may call Management; none: everybody who is let in at the port.
    pub grpc_operators: Vec<String>,
    /// Twelve digits; part of ARNs and messages.
    pub account_id: String,
    /// Part of ARNs.
    pub region: String,
    /// Host names the admin API answers to beside loopback ones.
    pub admin_hosts: Vec<String>,
    /// An access key that works before the store holds any, from the environment only.
    pub bootstrap: Option<AccessKey>,
    /// The key of the secrets in the store, from the environment only; see [`crate::vault`].
    pub secret_key: Option<String>,
    /// Networks that test calls may reach although they are denied by default.
    pub allow_upstream: Vec<IpNet>,
    /// How test calls reach AWS services: what a node would do with the same environment.
    pub aws: Arc<AwsSettings>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line; its text is for the terminal.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// The settings file cannot be read.
    #[error("settings file {path} cannot be read: {cause}")]
    Unreadable {
        /// As given.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The settings file is no TOML of ours.
    #[error("settings file {path}: {cause}")]
    Malformed {
        /// As given.
        path: PathBuf,
        /// What is wrong, with its line.
        cause: Box<toml::de::Error>,
    },
    /// An account id that is not twelve digits.
    #[error("account id {0:?} must be twelve digits")]
    AccountId(String),
    /// A region that could not stand in an ARN.
    #[error("region {0:?} must be letters, digits and dashes")]
    Region(String),
    /// A certificate without its key, or a CA without either.
    #[error("--grpc-cert and --grpc-key belong together, and --grpc-client-ca needs both")]
    GrpcTls,
    /// Names to check, and no certificates to find them in.
    #[error("--grpc-operator needs --grpc-client-ca: without it callers show no certificates")]
    Operators,
    /// Half of a bootstrap key.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The file of roles cannot be read.
    #[error("TIDEGATE_AWS_ROLES: {path} cannot be read: {cause}")]
    AwsRoles {
        /// As given.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Where AWS services are, or with which keys they are called, is not in its form.
    #[error(transparent)]
    Aws(#[from] BadAwsSettings),
}

/// Tidegate's control plane: the admin API, the store and the stream nodes read.
#[derive(Debug, Parser)]
#[command(name = "tidegate-control", version)]
struct Arguments {
    /// Settings file (TOML); flags and environment win over it.
    #[arg(long, env = "TIDEGATE_CONFIG")]
    config: Option<PathBuf>,
    /// Directory of the store [default: ./tidegate-data].
    #[arg(long, env = "TIDEGATE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Address of the admin API [default: 127.0.0.1:4700].
    #[arg(long, env = "TIDEGATE_ADMIN")]
    admin: Option<SocketAddr>,
    /// Address of the gRPC services [default: 127.0.0.1:4701].
    #[arg(long, env = "TIDEGATE_GRPC")]
    grpc: Option<SocketAddr>,
    /// Certificate of the gRPC services, PEM.
    #[arg(long, env = "TIDEGATE_GRPC_CERT")]
    grpc_cert: Option<PathBuf>,
    /// Key of that certificate, PEM.
    #[arg(long, env = "TIDEGATE_GRPC_KEY")]
    grpc_key: Option<PathBuf>,
    /// Certificates that sign those of nodes and operators, PEM. Without it anyone who reaches the port may call.
    #[arg(long, env = "TIDEGATE_GRPC_CLIENT_CA")]
    grpc_client_ca: Option<PathBuf>,
    /// DNS name or common name in the certificate of an operator, who may call the Management service; may be repeated. Without
    /// it every certificate that is let in may, those of nodes too.
    #[arg(
        long = "grpc-operator",
        env = "TIDEGATE_GRPC_OPERATORS",
        value_name = "NAME",
        value_delimiter = ','
    )]
    grpc_operators: Vec<String>,
    /// Serve gRPC in plaintext off loopback, for networks that encrypt by themselves.
    #[arg(long, env = "TIDEGATE_INSECURE_GRPC")]
    insecure_grpc: bool,
    /// Account id in ARNs [default: 000000000000].
    #[arg(long, env = "TIDEGATE_ACCOUNT_ID")]
    account_id: Option<String>,
    /// Region in ARNs [default: us-east-1].
    #[arg(long, env = "TIDEGATE_REGION")]
    region: Option<String>,
    /// Host name the admin API answers to beside loopback ones; may be repeated.
    #[arg(long = "admin-host", env = "TIDEGATE_ADMIN_HOSTS", value_delimiter = ',')]
    admin_hosts: Vec<String>,
    /// Network that test calls may reach although it is denied by default, as for nodes; may be repeated.
    #[arg(long, env = "TIDEGATE_ALLOW_UPSTREAM", value_name = "CIDR", value_delimiter = ',')]
    allow_upstream: Vec<IpNet>,
}

/// The same settings in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct File {
    data_dir: Option<PathBuf>,
    admin: Option<SocketAddr>,
    grpc: Option<SocketAddr>,
    grpc_cert: Option<PathBuf>,
    grpc_key: Option<PathBuf>,
    grpc_client_ca: Option<PathBuf>,
    grpc_operators: Vec<String>,
    insecure_grpc: bool,
    account_id: Option<String>,
    region: Option<String>,
    admin_hosts: Vec<String>,
    allow_upstream: Vec<IpNet>,
}

impl Config {
    /// The settings of this process.
    pub fn from_process() -> Result<Self, ConfigError> {
        let bootstrap = crate::auth::keys::bootstrap(|name| std::env::var(name).ok())?;
        let secret_key = std::env::var("TIDEGATE_SECRET_KEY").ok();
        let aws = Arc::new(aws(std::env::var_os("TIDEGATE_AWS_ROLES").map(PathBuf::from))?);
        Ok(Self { secret_key, bootstrap, aws, ..Self::load(Arguments::try_parse()?)? })
    }

    fn load(arguments: Arguments) -> Result<Self, ConfigError> {
        let file = arguments.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let defaults = Settings::default();
        let hosts =
            if arguments.admin_hosts.is_empty() { file.admin_hosts } else { arguments.admin_hosts };
        let operators = if arguments.grpc_operators.is_empty() {
            file.grpc_operators
        } else {
            arguments.grpc_operators
        };
        let config = Self {
            data_dir: arguments
                .data_dir
                .or(file.data_dir)
                .unwrap_or_else(|| PathBuf::from("tidegate-data")),
            admin: arguments
                .admin
                .or(file.admin)
                .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 4700))),
            grpc: GrpcConfig {
                address: arguments
                    .grpc
                    .or(file.grpc)
                    .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 4701))),
                tls: grpc_tls(
                    arguments.grpc_cert.or(file.grpc_cert),
                    arguments.grpc_key.or(file.grpc_key),
                    arguments.grpc_client_ca.or(file.grpc_client_ca),
                )?,
                insecure: arguments.insecure_grpc || file.insecure_grpc,
            },
            grpc_operators: operators,
            account_id: arguments.account_id.or(file.account_id).unwrap_or(defaults.account_id),
            region: arguments.region.or(file.region).unwrap_or(defaults.region),
            admin_hosts: hosts,
            bootstrap: None,
            secret_key: None,
            allow_upstream: if arguments.allow_upstream.is_empty() {
                file.allow_upstream
            } else {
                arguments.allow_upstream
            },
            aws: Arc::default(),
        };
        let shown = config.grpc.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        if !config.grpc_operators.is_empty() && !shown {
            return Err(ConfigError::Operators);
        }
        let digits =
            config.account_id.len() == 12 && config.account_id.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err(ConfigError::AccountId(config.account_id));
        }
        let in_region = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if config.region.is_empty() || !config.region.bytes().all(in_region) {
            return Err(ConfigError::Region(config.region));
        }
        Ok(config)
    }

    /// What the operations are told.
    pub fn settings(&self) -> Settings {
        // Who reaches an admin API off loopback must not reach what listens on this machine alone.
        let policy = AddressPolicy { allow: self.allow_upstream.clone() };
        let test_calls =
            if self.admin.ip().is_loopback() { policy.with_loopback() } else { policy };
        Settings {
            account_id: self.account_id.clone(),
            region: self.region.clone(),
            test_calls,
            aws: self.aws.clone(),
            ..Settings::default()
        }
    }
}

/// As a node reads them, but from the environment only.
fn aws(roles: Option<PathBuf>) -> Result<AwsSettings, ConfigError> {
    let roles = match roles.filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => {
            Some(std::fs::read(&path).map_err(|cause| ConfigError::AwsRoles { path, cause })?)
        }
        None => None,
    };
    Ok(AwsSettings::read(std::env::vars(), roles.as_deref(), None)?)
}

fn grpc_tls(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
) -> Result<Option<GrpcTls>, ConfigError> {
    match (certificate, key, client_ca) {
        (Some(certificate), Some(key), client_ca) => {
            Ok(Some(GrpcTls { certificate, key, client_ca }))
        }
        (None, None, None) => Ok(None),
        _ => Err(ConfigError::GrpcTls),
    }
}

fn read(path: &Path) -> Result<File, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
    toml::from_str(&text)
        .map_err(|cause| ConfigError::Malformed { path: path.to_owned(), cause: Box::new(cause) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(arguments: &[&str]) -> Result<Config, ConfigError> {
        let arguments = std::iter::once("tidegate-control").chain(arguments.iter().copied());
        Config::load(Arguments::try_parse_from(arguments)?)
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.toml");
        std::fs::write(
            &path,
            "region = \"eu-central-1\"\nadmin = \"127.0.0.1:1\"\nadmin-hosts = [\"a\"]\n",
        )
        .unwrap();
        let config = load(&["--config", path.to_str().unwrap(), "--admin", "127.0.0.1:2"]).unwrap();
        assert_eq!(config.region, "eu-central-1");
        assert_eq!(config.admin, "127.0.0.1:2".parse().unwrap());
        assert_eq!(config.grpc.address, "127.0.0.1:4701".parse().unwrap());
        assert_eq!(config.admin_hosts, ["a"]);
        assert_eq!(config.account_id, "000000000000");
        let reach = |arguments: &[&str], address: &str| {
            let config = load(arguments).unwrap();
            config.settings().test_calls.allows(address.parse().unwrap())
        };
        let off = ["--admin", "192.0.2.1:1", "--allow-upstream", "fd00::/8"];
        assert!(reach(&off, "fd00::1") && !reach(&off[..2], "fd00::1"));
        assert!(reach(&[], "127.0.0.1") && !reach(&off, "127.0.0.1"));
    }

    #[test]
    fn operators_need_certificates() {
        let tls = ["--grpc-cert", "c", "--grpc-key", "k"];
        let named = [
            &tls[..],
            &["--grpc-client-ca", "a", "--grpc-operator", "a,b", "--grpc-operator", "c"],
        ];
        assert_eq!(load(&named.concat()).unwrap().grpc_operators, ["a", "b", "c"]);
        assert!(load(&tls).unwrap().grpc_operators.is_empty());
        let error = load(&[&tls[..], &["--grpc-operator", "a"]].concat()).unwrap_err().to_string();
        assert!(error.contains("--grpc-client-ca"), "{error}");
    }

    #[test]
    fn mistakes_are_told() {
        assert!(load(&["--account-id", "1"]).unwrap_err().to_string().contains("twelve digits"));
        assert!(load(&["--region", "a b"]).unwrap_err().to_string().contains("region"));
        assert!(
            load(&["--config", "/nowhere.toml"]).unwrap_err().to_string().contains("/nowhere.toml")
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.toml");
        std::fs::write(&path, "admn = 1\n").unwrap();
        assert!(
            load(&["--config", path.to_str().unwrap()]).unwrap_err().to_string().contains("admn")
        );
    }
}
