//! The command line: one file per command, which reads flags and prints reports.

mod admin;
mod changes;
mod compare;
mod duration;
mod idle;
mod place;
mod propagation;
mod run;
mod scenario;
mod upstream;

use clap::{Parser, Subcommand};

/// Load tools for Tidegate: an origin, an open-loop generator and comparisons side by side.
#[derive(Debug, Parser)]
#[command(name = "tidegate-load", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Upstream(upstream::Args),
    Run(Box<run::Args>),
    Idle(idle::Args),
    Compare(Box<compare::Args>),
    Changes(changes::Args),
    Propagation(propagation::Args),
    Admin(admin::Args),
    Scenario(scenario::Args),
}

/// Runs the command that the process was started with.
pub fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Upstream(args) => upstream::main(&args),
        Command::Run(args) => run::main(&args),
        Command::Idle(args) => idle::main(&args),
        Command::Compare(args) => compare::main(&args),
        Command::Changes(args) => changes::main(&args),
        Command::Propagation(args) => propagation::main(&args),
        Command::Admin(args) => admin::main(&args),
        Command::Scenario(args) => {
            scenario::main(&args);
            Ok(())
        }
    }
}
