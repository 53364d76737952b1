//! `tidegate-control`: opens the store, serves the admin API and the streams to nodes, drains on SIGTERM and SIGINT.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tidegate_control::app::App;
use tidegate_control::auth::{Authenticator, Guard, Keys, Mode};
use tidegate_control::compile::EngineCompiler;
use tidegate_control::config::{Config, ConfigError};
use tidegate_control::grpc::Grpc;
use tidegate_control::grpc::management::{Management, Operators};
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
    match app.knows_secret_key().await {
        Ok(true) => {}
        Ok(false) => return fail(&wrong_secret_key(&config)),
        Err(error) => return fail(&error),
    }
    // A key that cannot be read is reported now, not with its first call.
    if let Err(error) = app.follow_access_keys().await {
        return fail(&error);
    }
    let loopback = config.admin.ip().is_loopback();
    let mode = if loopback { Mode::Loopback } else { Mode::Strict };
    if loopback && config.bootstrap.is_none() {
        tracing::info!(
            "no access key is configured: the admin API takes any signature from this machine"
        );
    }
    let keys = Keys { bootstrap: config.bootstrap.clone(), stored: app.keyring() };
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
            let operators = Operators::new(&config.grpc_operators);
            let management = Management::new(app.clone(), publisher.nodes.clone());
            router.add_service(management.with_operators(operators).into_server())
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
    let noting = tokio::spawn(note_key_use(app, stopped.clone()));
    let streaming = tokio::spawn(grpc.serve(router, stopped.clone()));
    let serving = tokio::spawn(server.run(stopped));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("draining");
    // The receiver lives in the server, which ends only by this.
    let _ = stop.send(true);
    let (served, streamed, followed, noted) = tokio::join!(serving, streaming, following, noting);
    if let Err(error) = served.and(followed).and(noted) {
        return fail(&error);
    }
    match streamed {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return fail(&error),
        Err(error) => return fail(&error),
    }
    ExitCode::SUCCESS
}

/// Writes down when access keys were last used: now and then, and at the end.
async fn note_key_use(app: Arc<App>, mut stopped: tokio::sync::watch::Receiver<bool>) {
    loop {
        let stop = tokio::time::timeout(KEY_USE, stopped.wait_for(|stop| *stop)).await.is_ok();
        if let Err(error) = app.save_access_key_use().await {
            tracing::warn!(%error, "the last use of access keys could not be written");
        }
        if stop {
            return;
        }
    }
}

/// The store's secrets were sealed with another key.
#[derive(Debug, thiserror::Error)]
#[error(
    "the secret key of {origin} is not the one the secrets in {store} were sealed with; set TIDEGATE_SECRET_KEY to that one, or put its file secret.key back from the backup"
)]
struct WrongSecretKey {
    origin: String,
    store: String,
}

fn wrong_secret_key(config: &Config) -> WrongSecretKey {
    let origin = match config.secret_key {
        Some(_) => "TIDEGATE_SECRET_KEY".to_owned(),
        None => config.data_dir.join("secret.key").display().to_string(),
    };
    WrongSecretKey { origin, store: config.data_dir.display().to_string() }
}

/// What may be lost of when a key was last used if this process is killed.
const KEY_USE: Duration = Duration::from_secs(5 * 60);

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
