//! `tidegate template`: mapping templates by themselves, without a control plane.

mod render;
mod source;
mod test;

use clap::Subcommand;

use super::Shown;
use super::error::CliError;

/// Arguments of `tidegate template`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render a template and show the output, what it set and what it overrides
    Test(test::Arguments),
    /// Render templates from standard input, one to a line, and print a line for each
    Render(render::Arguments),
}

/// Runs the command; there is nothing to show of one that wrote its own output.
pub(super) fn run(arguments: Arguments) -> Result<Option<Shown>, CliError> {
    match arguments.command {
        Command::Test(arguments) => test::run(&arguments).map(Some),
        Command::Render(arguments) => render::run(&arguments).map(|()| None),
    }
}
