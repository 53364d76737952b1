//! `tidegate-control`: opens the store, serves the admin API and the streams to nodes, drains on SIGTERM and SIGINT.

use std::process::ExitCode;
use std::sync::Arc;

use tidegate_control::app::App;
use tidegate_control::auth::{Authenticator, Guard, Keys, Mode, NoKeys};
use tidegate_control::compile::EngineCompiler;
use tidegate_control::config::{Config, ConfigError};
use tidegate_control::grpc::Grpc;
use tidegate_control::grpc::management::Management;
use tidegate_control::publish::Publisher;
use tidegate_control::rest::{Limits, Rest, Server};
use tidegate_control::store::SqliteStore;
use tidegate_control::vault::Vault;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TIDEGATE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    let config = match Config::from_process() {
        Ok(config) => config,
        Err(ConfigError::Arguments(error)) => error.exit(),
        Err(error) => return fail(&error),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(run(config)),
        Err(error) => fail(&error),
    }
}

async fn run(config: Config) -> ExitCode {
    let store = match SqliteStore::open(&config.data_dir) {
        Ok(store) => Arc::new(store),
        Err(error) => return fail(&error),
    };
    let publisher = match Publisher::open(store.clone(), &config.settings()).await {
        Ok(publisher) => publisher,
        Err(error) => return fail(&error),
    };
    let vault = match Vault::open(&config.data_dir, config.secret_key.as_deref()) {
        Ok(vault) => Arc::new(vault),
        Err(error) => return fail(&error),
    };
    let app = Arc::new(App::new(store, Arc::new(EngineCompiler), vault, config.settings()));
    let loopback = config.admin.ip().is_loopback();
    let mode = if loopback { Mode::Loopback } else { Mode::Strict };
    if loopback && config.bootstrap.is_none() {
        tracing::info!(
            "no access key is configured: the admin API takes any signature from this machine"
        );
    }
    let keys = Keys { bootstrap: config.bootstrap.clone(), stored: NoKeys };
    let authenticator = Authenticator::new(mode, Guard::new(&config.admin_hosts), keys);
    let rest =
        Arc::new(Rest::new(app.clone(), Some(Box::new(move |parts| authenticator.check(parts)))));
    let bound = Server::bind(config.admin, rest, Limits::default()).await;
    let server = match bound {
        Ok(server) => server,
        Err(error) => {
            eprintln!(
                "tidegate-control: admin address {} cannot be used: {error}; choose another with --admin",
                config.admin
            );
            return ExitCode::FAILURE;
        }
    };
    let address = match server.address() {
        Ok(address) => address,
        Err(error) => return fail(&error),
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let grpc = match Grpc::bind(&config.grpc).await {
        Ok(grpc) => grpc,
        Err(error) => return fail(&error),
    };
    let router = match grpc.router(publisher.clone(), stopped.clone()).await {
        Ok(router) => {
            router.add_service(Management::new(app, publisher.nodes.clone()).into_server())
        }
        Err(error) => return fail(&error),
    };
    let (mut terminate, mut interrupt) =
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
            (Err(error), _) | (_, Err(error)) => return fail(&error),
        };
    println!("ready admin=http://{address} grpc={}", grpc.url());
    let following = tokio::spawn({
        let stopped = stopped.clone();
        async move { publisher.run(stopped).await }
    });
    let streaming = tokio::spawn(grpc.serve(router, stopped.clone()));
    let serving = tokio::spawn(server.run(stopped));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("draining");
    // The receiver lives in the server, which ends only by this.
    let _ = stop.send(true);
    let (served, streamed, followed) = tokio::join!(serving, streaming, following);
    if let Err(error) = served.and(followed) {
        return fail(&error);
    }
    match streamed {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return fail(&error),
        Err(error) => return fail(&error),
    }
    ExitCode::SUCCESS
}

/// Tells the whole chain of causes in one line.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    let mut line = format!("tidegate-control: {error}");
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    eprintln!("{line}");
    ExitCode::FAILURE
}
