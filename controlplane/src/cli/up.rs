//! `tidegate up`: a control plane and a node as children, started in order, drained in order, never left behind.

pub(super) mod child;
mod hints;
pub(super) mod parent;
mod settings;

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::client::{Client, Control};
use super::error::CliError;
use super::import;
use child::{Child, Ready};
use settings::Settings;
use tidegate_proto::v1;

pub(super) use settings::Arguments;

/// Runs until a signal comes or a child ends.
pub(super) async fn run(arguments: Arguments) -> Result<(), CliError> {
    let settings = Settings::load(arguments)?;
    let no_signals = |cause| CliError::System { what: "signals cannot be waited for", cause };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut family = Family::default();
    let ended = tokio::select! {
        error = family.live(&settings) => Err(error),
        () = either(&mut interrupt, &mut terminate) => Ok(()),
    };
    if ended.is_ok() {
        eprintln!("tidegate: draining; Ctrl-C again stops at once");
    }
    tokio::select! {
        () = family.stop() => {}
        // What is left of the family is killed when it is dropped.
        () = either(&mut interrupt, &mut terminate) => eprintln!("tidegate: stopped at once"),
    }
    ended
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// The children. Dropping it kills those that still run.
#[derive(Default)]
struct Family {
    control: Option<Child>,
    functions: Option<Child>,
    node: Option<Child>,
}

impl Family {
    /// Starts everything and says so, then waits. Comes back only when something is wrong.
    async fn live(&mut self, settings: &Settings) -> CliError {
        let (control, node) = match self.start(settings).await {
            Ok(()) => (self.control.as_mut(), self.node.as_mut()),
            Err(error) => return error,
        };
        let (Some(control), Some(node)) = (control, node) else {
            return CliError::Up("a child is missing".to_owned());
        };
        let functions = async {
            match &mut self.functions {
                Some(functions) => functions.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            why = functions => CliError::Up(format!("{why}; the gateway is stopped too")),
            why = control.ended() => CliError::Up(format!("{why}; the node is stopped too")),
            why = node.ended() => CliError::Up(format!("{why}; the control plane is stopped too")),
        }
    }

    async fn start(&mut self, settings: &Settings) -> Result<(), CliError> {
        let control = self.control.insert(Child::start(
            "the control plane",
            "tidegate-control",
            &settings.control_arguments(),
            &[],
            None,
        )?);
        let found = control.ready(START).await?;
        let (admin, grpc) = (found.address("admin")?, found.address("grpc")?);
        if settings.is_loopback() {
            eprintln!(
                "tidegate: the admin API accepts unknown access keys, for it listens to this machine only"
            );
        }

        let functions = match &settings.functions {
            None => None,
            Some(file) => {
                let functions = self.functions.insert(Child::start(
                    "the function host",
                    "tidegate-functions",
                    &settings.functions_arguments(file),
                    &[],
                    None,
                )?);
                Some(functions.ready(START).await?.address("functions")?)
            }
        };
        // Who names another endpoint means it.
        let elsewhere = std::env::var_os(LAMBDA).is_some_and(|url| !url.is_empty());
        let lambda = functions.as_deref().filter(|_| !elsewhere).map(|url| (LAMBDA, url));

        let mut client = Client::open(&Control::plain(&grpc))?;
        let hints = hints::decorate(client.clone());
        let node = self.node.insert(Child::start(
            "the node",
            "tidegate-node",
            &settings.node_arguments(&grpc),
            lambda.as_slice(),
            Some(hints),
        )?);
        let found: Ready = tokio::select! {
            found = node.ready(START) => found?,
            why = control.ended() => return Err(CliError::Up(why)),
        };
        let gateway = found.address("http")?;

        let imported = tokio::select! {
            imported = bring_in(&mut client, settings, &gateway) => imported?,
            why = control.ended() => return Err(CliError::Up(why)),
            why = node.ended() => return Err(CliError::Up(why)),
        };
        if let Some(lines) = imported {
            eprintln!("{lines}");
        }
        let mut line = format!("ready admin={admin} gateway={gateway} grpc={grpc}");
        if let Some(functions) = functions {
            line.push_str(" functions=");
            line.push_str(&functions);
        }
        // Whoever started this may not read it.
        let _ = writeln!(std::io::stdout(), "{line}").and_then(|()| std::io::stdout().flush());
        Ok(())
    }

    /// Drains the node, then what it calls, then the control plane.
    async fn stop(&mut self) {
        if let Some(node) = &mut self.node {
            node.stop(NODE_DRAIN).await;
        }
        if let Some(functions) = &mut self.functions {
            functions.stop(FUNCTIONS_DRAIN).await;
        }
        if let Some(control) = &mut self.control {
            control.stop(CONTROL_DRAIN).await;
        }
    }
}

/// Imports what the settings name, waits until it serves, and says how to call it.
async fn bring_in(
    client: &mut Client,
    settings: &Settings,
    gateway: &str,
) -> Result<Option<String>, CliError> {
    let Some(file) = &settings.import else { return Ok(None) };
    let stage = settings.stage.as_deref();
    let imported = import::apply(client, file, None, stage).await?;
    // A node that has served before is ready from its disk, before it is connected.
    let settled = client.settled(1, START).await?;
    if settled.serving == 0 {
        return Err(CliError::Up(format!(
            "the node does not serve what was imported, {} after it; see `tidegate nodes`",
            humane(START)
        )));
    }
    let mut lines = format!("tidegate: {}", imported.words(stage));
    if let Some(stage) = stage {
        let path = example(client, &imported.api.id, stage).await?;
        lines.push_str(&curls(&imported.api.id, gateway, &format!("/{stage}{path}")));
    }
    Ok(Some(lines))
}

/// A path that can be called as it stands, if there is one.
async fn example(client: &mut Client, api: &str, stage: &str) -> Result<String, CliError> {
    let address = v1::StageAddress { rest_api_id: api.to_owned(), stage_name: stage.to_owned() };
    let stage = client.rpc().get_stage(address).await;
    let request = v1::GetDeploymentRequest {
        rest_api_id: api.to_owned(),
        deployment_id: client.told(stage)?.deployment_id,
        with_summary: true,
    };
    let deployment = client.rpc().get_deployment(request).await;
    let methods = client.told(deployment)?.summary;
    let callable = methods.into_iter().find(|method| {
        matches!(method.http_method.as_str(), "GET" | "ANY") && !method.path.contains('{')
    });
    Ok(callable.map_or_else(|| "/".to_owned(), |method| method.path))
}

/// Two ways to call an API from this machine, for clients that take any Host and for those that resolve `*.localhost`.
fn curls(api: &str, gateway: &str, path: &str) -> String {
    let address = gateway.trim_start_matches("http://").parse::<SocketAddr>();
    let (host, port) = match address {
        // Listening everywhere is no address to call.
        Ok(address) if !address.ip().is_unspecified() => (address.to_string(), address.port()),
        Ok(address) => (format!("127.0.0.1:{}", address.port()), address.port()),
        Err(_) => return String::new(),
    };
    format!(
        "; try\n  curl -H 'Host: {api}.execute-api.localhost' http://{host}{path}\n  curl http://{api}.execute-api.localhost:{port}{path}"
    )
}

fn humane(limit: Duration) -> String {
    format!("{} s", limit.as_secs())
}

/// A child that says nothing for so long will not start.
const START: Duration = Duration::from_secs(30);

/// The node lets exchanges go on for 30 s by itself.
const NODE_DRAIN: Duration = Duration::from_secs(35);

/// The function host waits 5 s for invocations that run.
const FUNCTIONS_DRAIN: Duration = Duration::from_secs(10);

/// Where the node looks for Lambda. Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
const LAMBDA: &str = "AWS_ENDPOINT_URL_LAMBDA";

/// Admin calls end sooner.
const CONTROL_DRAIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_called_by_host_and_by_name() {
        let two = |host: &str| {
            format!(
                "; try\n  curl -H 'Host: abc.execute-api.localhost' http://{host}/prod/pets\n  curl http://abc.execute-api.localhost:4780/prod/pets"
            )
        };
        assert_eq!(curls("abc", "http://127.0.0.1:4780", "/prod/pets"), two("127.0.0.1:4780"));
        assert_eq!(curls("abc", "http://0.0.0.0:4780", "/prod/pets"), two("127.0.0.1:4780"));
    }
}
