//! `tidegate-load upstream`

use std::{io::Write as _, net::SocketAddr};

use anyhow::Context as _;

use crate::{
    host::{limits, stop},
    upstream::{Options, Upstream},
};

/// Serve a fast HTTP/1.1 origin with predictable answers.
///
/// Prints `ready upstream=http://ADDRESS` once it accepts connections, and exits on SIGINT or SIGTERM.
#[derive(Debug, clap::Args)]
#[command(after_help = ROUTES)]
pub struct Args {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Event loops; each has its own listener on the port
    #[arg(long, default_value_t = 1, value_name = "N")]
    threads: usize,
    /// Pin the first thread to this core, the next to the one after
    #[arg(long, value_name = "CORE")]
    cpu: Option<usize>,
    /// Size of the body that most paths answer
    #[arg(long, default_value_t = 117, value_name = "N")]
    body_bytes: usize,
}

const ROUTES: &str = "\
Paths:
  /pets, /pets/{id}   a small fictional resource, as JSON
  /echo[/...]         what was received: method, path, query, headers, body up to 64 KiB
  /upload             length and SHA-256 of the received body
  /status/{code}      that status, 200 to 599
  /delay/{ms}         the usual answer, later
  /bytes/{n}          n bytes with Content-Length
  /chunked/{n}        n bytes in chunks
  /close              answers, then closes the connection
  /reset              resets the connection without an answer
  /hang               never answers
  anything else       200 with a JSON body of --body-bytes";

pub fn main(args: &Args) -> anyhow::Result<()> {
    limits::raise_open_files().context("cannot raise the limit of open files")?;
    let Args { listen, threads, cpu, body_bytes } = *args;
    let upstream =
        Upstream::start(&Options { listen, threads, cpu, body_bytes }).with_context(|| {
            format!("cannot listen on {listen}: is the port taken? Port 0 picks a free one")
        })?;
    println!("ready upstream=http://{}", upstream.address());
    std::io::stdout().flush()?;
    stop::wait()?;
    Ok(())
}
