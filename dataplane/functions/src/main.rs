//! `tidegate-functions`: the function host's process.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use tidegate_functions::host::Host;
use tidegate_functions::invoke_api::InvokeApi;
use tidegate_functions::log::Log;
use tidegate_functions::{Surroundings, keeper, watch};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Runs the Lambda functions of a file on this machine, behind the Lambda Invoke API.
#[derive(Debug, Parser)]
#[command(name = "tidegate-functions", version, max_term_width = 100)]
struct Arguments {
    /// TOML file that declares the functions
    file: PathBuf,
    /// Address of the Lambda Invoke API; port 0 picks a free one. Whoever reaches it may invoke every function
    #[arg(
        long,
        env = "TIDEGATE_FUNCTIONS_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:4702"
    )]
    listen: SocketAddr,
    /// Account id in ARNs, twelve digits
    #[arg(long, env = "TIDEGATE_ACCOUNT_ID", value_name = "ID", default_value = "000000000000")]
    account_id: String,
    /// Region in ARNs, and AWS_REGION of the functions
    #[arg(long, env = "TIDEGATE_REGION", value_name = "REGION", default_value = "us-east-1")]
    region: String,
}

fn main() -> ExitCode {
    // Functions are started through this program.
    if let Some(code) = keeper::enter(std::env::args_os()) {
        return code;
    }
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("TIDEGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .with_writer(std::io::stderr)
        .with_target(false)
        // Escapes are for people; a log file has none.
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    // One thread: an invocation passes through several tasks, and waking other threads for them would cost more than they do.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .context("the runtime cannot start")
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidegate-functions: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let surroundings = Surroundings {
        keeper: std::env::current_exe().context("this program has no path")?,
        region: arguments.region,
        account: arguments.account_id,
        log: Log::to_stderr(),
    };
    let host = Host::open(&arguments.file, surroundings)?;
    let api = InvokeApi::bind(host.clone(), arguments.listen).await;
    let api = api.with_context(|| format!("--listen {} cannot be used", arguments.listen))?;
    if !arguments.listen.ip().is_loopback() {
        tracing::warn!(
            "{} is open to other machines: whoever reaches it may invoke every function",
            api.address()
        );
    }
    tokio::spawn(host.clone().look_after());
    tokio::spawn(watch::run(host.clone()));
    // Whoever started this may not read it.
    let _ = writeln!(std::io::stdout(), "ready functions=http://{}", api.address())
        .and_then(|()| std::io::stdout().flush());
    let queue = api.queue();
    tokio::select! {
        never = api.serve() => match never {},
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tokio::select! {
        () = host.stop(DRAIN) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    if !queue.is_empty() {
        tracing::warn!("{} events are lost that were not worked off", queue.len());
    }
    Ok(())
}

/// How long invocations that run may take to end when the host is told to stop.
const DRAIN: Duration = Duration::from_secs(5);
