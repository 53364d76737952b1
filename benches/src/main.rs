//! The `tidegate-benches` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tidegate_benches::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
