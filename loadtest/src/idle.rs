//! Memory that idle keep-alive connections cost a proxy.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread,
    time::Duration,
};

use serde::Serialize;

use crate::{
    client::Client,
    host::{limits, process::Memory, stop},
    report::text,
    run::Plan,
};

/// Connections from one source address: below the 28,232 ports that Linux hands out by default.
const PER_SOURCE: usize = 20_000;

/// What to open and whom to watch.
#[derive(Debug)]
pub struct Idle {
    pub plan: Plan,
    pub connections: usize,
    pub pids: Vec<u32>,
    pub timeout: Duration,
}

/// Memory of the watched processes along the way.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub connections: usize,
    pub before: Memory,
    /// With half of the connections open.
    pub halfway: Memory,
    pub after: Memory,
    pub anonymous_bytes_per_connection: f64,
    /// The same from halfway to the end: without what is allocated once.
    pub marginal_bytes_per_connection: f64,
    /// Answers with status 400 and above.
    pub refused: usize,
}

/// Opens the connections one after the other, each with one request, and keeps them all open while reading memory.
pub fn execute(idle: &Idle, interrupted: &std::sync::atomic::AtomicBool) -> io::Result<Outcome> {
    limits::need_open_files(idle.connections as u64)?;
    let before = settled(&idle.pids)?;
    let (mut kept, mut refused, mut halfway) = (Vec::with_capacity(idle.connections), 0, before);
    for index in 0..idle.connections {
        if stop::requested(interrupted) {
            return Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "interrupted before all connections were open",
            ));
        }
        if index == idle.connections / 2 {
            halfway = settled(&idle.pids)?;
        }
        let answer =
            Client::connect(idle.plan.address, source(idle.plan.address, index), idle.timeout)
                .and_then(|mut client| Ok((client.exchange(&idle.plan.requests[0])?, client)));
        let (answer, client) = answer.map_err(|error| {
            let hint = "is the proxy's own limit of connections or open files reached?";
            io::Error::new(error.kind(), format!("connection {}: {error}; {hint}", index + 1))
        })?;
        refused += usize::from(answer.outcome.status >= 400);
        if !answer.outcome.keep_alive {
            return Err(io::Error::other(
                "the proxy closes after an answer: there is no idle connection to measure",
            ));
        }
        kept.push(client);
    }
    let after = settled(&idle.pids)?;
    let grown = |from: Memory| after.anonymous as f64 - from.anonymous as f64;
    let count = idle.connections.max(1) as f64;
    Ok(Outcome {
        connections: kept.len(),
        before,
        halfway,
        after,
        anonymous_bytes_per_connection: grown(before) / count,
        marginal_bytes_per_connection: grown(halfway) / (count - (count / 2.0).floor()),
        refused,
    })
}

impl Outcome {
    pub fn text(&self) -> String {
        let memory = |memory: Memory| {
            format!(
                "{} anonymous, {} resident",
                text::bytes(memory.anonymous),
                text::bytes(memory.resident)
            )
        };
        let rows = [
            (
                "connections",
                format!("{} idle, one request each ({} refused)", self.connections, self.refused),
            ),
            ("before", memory(self.before)),
            ("halfway", memory(self.halfway)),
            ("after", memory(self.after)),
            (
                "per connection",
                format!("{:.0} bytes anonymous", self.anonymous_bytes_per_connection),
            ),
            (
                "second half",
                format!("{:.0} bytes anonymous per connection", self.marginal_bytes_per_connection),
            ),
        ];
        text::pairs(&rows.map(|(name, value)| (name.to_owned(), value)))
    }
}

/// On loopback any 127/8 address may be the source, so that ports never run short.
fn source(to: SocketAddr, index: usize) -> Option<SocketAddr> {
    let block = u8::try_from(index / PER_SOURCE).ok().filter(|block| *block < 250)?;
    let loopback = matches!(to.ip(), IpAddr::V4(ip) if ip.is_loopback());
    loopback.then(|| SocketAddr::from((Ipv4Addr::new(127, 0, 0, block + 1), 0)))
}

/// Memory once two readings 200 ms apart agree, or after three seconds.
fn settled(pids: &[u32]) -> io::Result<Memory> {
    let mut last = Memory::of_all(pids)?;
    for _ in 0..15 {
        thread::sleep(Duration::from_millis(200));
        let next = Memory::of_all(pids)?;
        if next.anonymous == last.anonymous {
            return Ok(next);
        }
        last = next;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_spread_over_loopback() {
        let to = SocketAddr::from(([127, 0, 0, 1], 80));
        let ip = |index| source(to, index).map(|from| from.ip().to_string());
        assert_eq!(ip(0).as_deref(), Some("127.0.0.1"));
        assert_eq!(ip(45_000).as_deref(), Some("127.0.0.3"));
        assert_eq!(source(SocketAddr::from(([192, 0, 2, 1], 80)), 0), None);
    }
}
