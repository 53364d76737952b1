//! `tidegate-load scenario`

use std::net::SocketAddr;

use crate::scenario::Scenario;

/// Print a scenario's OpenAPI document, to import, or its paths, for `run --urls`.
#[derive(Debug, clap::Args)]
pub struct Args {
    scenario: Scenario,
    /// Address of the upstream that the integrations call
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    upstream: SocketAddr,
    /// Print concrete paths, one a line, instead of the document
    #[arg(long)]
    paths: bool,
    /// Put this before each path, such as /prod
    #[arg(long, default_value = "", requires = "paths")]
    prefix: String,
}

pub fn main(args: &Args) {
    if args.paths {
        for path in args.scenario.paths() {
            println!("{}{path}", args.prefix);
        }
    } else {
        println!("{}", args.scenario.document(args.upstream));
    }
}
