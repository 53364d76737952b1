//! `tidegate`: the operator's command line.

fn main() -> std::process::ExitCode {
    tidegate_control::cli::main()
}
