//! The `tidegate-load` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tidegate_load::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
