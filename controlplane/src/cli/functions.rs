//! `tidegate functions`: the function host by itself, without a gateway.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use super::error::CliError;
use super::up::child::beside_us;

/// Arguments of `tidegate functions`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// TOML file that declares the functions
    file: PathBuf,
    /// Address of the Lambda Invoke API; port 0 picks a free one [default: 127.0.0.1:4702]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// Becomes the function host. Comes back only if that fails.
pub(super) fn run(arguments: &Arguments) -> CliError {
    let path = match beside_us("tidegate-functions") {
        Ok(path) => path,
        Err(error) => return error,
    };
    let mut host = std::process::Command::new(path);
    if let Some(listen) = arguments.listen {
        host.arg(format!("--listen={listen}"));
    }
    let cause = host.arg("--").arg(&arguments.file).exec();
    CliError::System { what: "the function host cannot be started", cause }
}
