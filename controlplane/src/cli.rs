//! The `tidegate` command line, a file per command.
//!
//! Commands answer with a [`Shown`]: text for people and the same as JSON. Only `up` and `template render` talk while they run.

mod apis;
mod body;
mod changes;
mod client;
mod deploy;
mod deployments;
mod diff;
mod error;
mod explain;
mod functions;
mod import;
mod keys;
mod nodes;
mod rollback;
mod settings;
mod stages;
mod table;
mod template;
mod time;
mod up;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use serde_json::Value;

use client::{Client, Control};
use error::CliError;

/// Tidegate: a self-hosted API gateway with the behaviour and the admin API of AWS API Gateway.
///
/// Start everything on this machine with `tidegate up`, then bring APIs in with `tidegate import`, or drive the admin API at
/// http://127.0.0.1:4700 with the AWS command line and SDKs.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    control: Control,
    /// Tables for people or JSON for programs
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a control plane and a node on this machine
    Up(Box<up::Arguments>),
    /// Run the Lambda functions of a file on this machine, without a gateway
    Functions(functions::Arguments),
    /// List APIs
    Apis,
    /// Bring an API in from an OpenAPI document, or up to date with it
    Import(import::Arguments),
    /// Freeze an API's configuration and serve it on a stage
    Deploy(deploy::Arguments),
    /// List an API's stages and what is not deployed to them yet
    Stages(stages::Arguments),
    /// Show what a deployment would change, or what two deployments differ in
    Diff(diff::Arguments),
    /// Point a stage back at an earlier deployment
    Rollback(rollback::Arguments),
    /// List an API's deployments, newest first
    Deployments(deployments::Arguments),
    /// List nodes and what each serves
    Nodes,
    /// Show or change what an API has beyond AWS: CORS, endpoints, limits, response validation
    Settings(settings::Arguments),
    /// Manage the access keys of the admin API, and what they may do
    Keys(keys::Arguments),
    /// Say what the gateway would do with a request, without sending anything
    Explain(explain::Arguments),
    /// Run mapping templates by themselves
    Template(template::Arguments),
}

/// What a command found or did.
#[derive(Debug)]
struct Shown {
    /// For people; without the last line feed.
    text: String,
    /// For programs.
    json: Value,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    // `up` starts its children through this program, so that they can ask to die with it.
    if let Some(code) = up::parent::enter(std::env::args_os()) {
        return code;
    }
    let arguments = Arguments::parse();
    // One thread: children are bound to the life of the thread that started them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(cause) => Err(CliError::System { what: "the runtime cannot start", cause }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidegate: {}", error::chain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), CliError> {
    let control = &arguments.control;
    let shown = match arguments.command {
        Command::Up(command) => return up::run(*command).await,
        Command::Functions(command) => return Err(functions::run(&command)),
        Command::Template(command) => match template::run(command)? {
            Some(shown) => shown,
            None => return Ok(()),
        },
        Command::Apis => apis::run(&mut Client::open(control)?).await?,
        Command::Import(command) => import::run(&mut Client::open(control)?, command).await?,
        Command::Deploy(command) => deploy::run(&mut Client::open(control)?, command).await?,
        Command::Stages(command) => {
            stages::run(&mut Client::open(control)?, command, colour(arguments.output)).await?
        }
        Command::Diff(command) => {
            diff::run(&mut Client::open(control)?, command, colour(arguments.output)).await?
        }
        Command::Settings(command) => settings::run(&mut Client::open(control)?, command).await?,
        Command::Keys(command) => keys::run(&mut Client::open(control)?, command).await?,
        Command::Rollback(command) => rollback::run(&mut Client::open(control)?, command).await?,
        Command::Deployments(command) => {
            deployments::run(&mut Client::open(control)?, command).await?
        }
        Command::Nodes => nodes::run(&mut Client::open(control)?).await?,
        Command::Explain(command) => explain::run(&mut Client::open(control)?, command).await?,
    };
    let text = match arguments.output {
        Output::Table => shown.text,
        Output::Json => format!("{:#}", shown.json),
    };
    // A reader that has seen enough (`| head`) is no error.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

/// Whether output is for a terminal that wants colours. Source: no-color.org.
fn colour(output: Output) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    output == Output::Table && !refused && std::io::stdout().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
        explained(&Arguments::command());
    }

    fn explained(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{} says nothing of itself", command.get_name());
        let silent = command.get_arguments().find(|a| a.get_help().is_none() && !a.is_global_set());
        assert!(silent.is_none(), "{} {silent:?}", command.get_name());
        command.get_subcommands().for_each(explained);
    }

    #[test]
    fn what_belongs_together_is_asked_for_together() {
        for (line, good) in [
            ("apis --control https://c --control-ca a", true),
            ("apis --control https://c --control-ca a --control-cert c --control-key k", true),
            ("apis --control https://c --control-cert c", false),
            ("apis --control https://c --control-key k", false),
            ("diff zoo --stage prod", true),
            ("diff zoo --from a --to b", true),
            ("diff zoo", false),
            ("diff zoo --from a", false),
            ("diff zoo --to b", false),
            ("diff zoo --stage prod --from a --to b", false),
            ("keys create", true),
            ("keys create --name ann --policy read-only", true),
            ("keys policy AKIA --policy p.json", true),
            ("keys policy AKIA", false),
            ("keys disable", false),
            ("keys", false),
        ] {
            let words = std::iter::once("tidegate").chain(line.split(' '));
            assert_eq!(Arguments::try_parse_from(words).is_ok(), good, "{line}");
        }
    }
}
