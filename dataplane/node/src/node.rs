//! A node in one process: its listeners, its workers, and how they end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tidegate_engine::Listener as ListenerFacts;

use crate::aside::Helpers;
use crate::publication::Publication;
use crate::telemetry::metrics;
use crate::worker::accept::ListenerSettings;
use crate::worker::{Handle, NameLookup, Settings, bind_all};

/// Where and how callers come in.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address; port 0 picks a free one.
    pub address: SocketAddr,
    /// Whether path forms are understood there.
    pub path_forms: bool,
    /// Largest request body, bytes.
    pub max_body: u64,
    /// Whether HTTP/2 with prior knowledge (`h2c`) is understood there, beside HTTP/1.1.
    pub h2c: bool,
}

/// Open listeners that nobody serves yet.
pub struct Bound {
    /// Where they listen, in the order asked for.
    pub addresses: Vec<SocketAddr>,
    /// The sockets of each worker.
    sockets: Vec<Vec<(std::net::TcpListener, ListenerSettings)>>,
}

/// A running node.
pub struct Node {
    /// Where it listens, in the order asked for.
    pub addresses: Vec<SocketAddr>,
    workers: Vec<Handle>,
}

impl Bound {
    /// Opens every listener once per worker.
    ///
    /// # Errors
    /// If an address cannot be had; the error names it and what to do.
    pub fn open(listen: &[Listen], workers: usize) -> io::Result<Self> {
        let mut addresses = Vec::new();
        let mut sockets: Vec<Vec<_>> = (0..workers).map(|_| Vec::new()).collect();
        for one in listen {
            let (address, bound) =
                bind_all(one.address, workers).map_err(|e| refused(one.address, &e))?;
            addresses.push(address);
            for (worker, socket) in sockets.iter_mut().zip(bound) {
                let facts = ListenerFacts {
                    path_forms: one.path_forms,
                    scheme: "http",
                    port: address.port(),
                    max_body: one.max_body,
                };
                worker.push((socket, ListenerSettings { facts, h2c: one.h2c }));
            }
        }
        Ok(Self { addresses, sockets })
    }

    /// Starts a worker for each set of sockets.
    ///
    /// # Errors
    /// If a thread cannot be made.
    pub fn start(
        self,
        settings: &Settings,
        publication: &Arc<Publication>,
        lookup: &NameLookup,
    ) -> io::Result<Node> {
        let helpers = Helpers::start(self.sockets.len())?;
        let mut workers = Vec::new();
        for (index, sockets) in self.sockets.into_iter().enumerate() {
            workers.push(Handle::start(
                index,
                settings.clone(),
                sockets,
                publication.clone(),
                lookup.clone(),
                helpers.clone(),
            )?);
        }
        Ok(Node { addresses: self.addresses, workers })
    }
}

/// One sentence with the fix.
fn refused(address: SocketAddr, error: &io::Error) -> io::Error {
    let fix = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; choose another address with --http, or port 0 for a free one"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE; choose a higher port with --http"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address; choose another with --http"
        }
        _ => "choose another address with --http",
    };
    io::Error::new(error.kind(), format!("cannot listen on {address} ({error}): {fix}"))
}

impl Node {
    /// Connections of callers open now.
    pub fn connections(&self) -> usize {
        self.workers.iter().map(Handle::connections).sum()
    }

    /// Appends the workers' metrics as Prometheus text. Waits for each worker, a second at most.
    pub fn render_metrics(&self, out: &mut String) {
        let scrapes: Vec<_> =
            self.workers.iter().filter_map(|w| w.scrape(Duration::from_secs(1))).collect();
        metrics::render(&scrapes, self.connections(), out);
    }

    /// Tells the workers to finish what they have and take nothing new.
    pub fn drain(&self) {
        self.workers.iter().for_each(Handle::drain);
    }

    /// Whether every worker has ended.
    pub fn has_ended(&self) -> bool {
        self.workers.iter().all(Handle::has_ended)
    }

    /// Drains and waits until the last exchange has ended, or its time has passed.
    pub fn stop(self) {
        self.drain();
        self.workers.into_iter().for_each(Handle::join);
    }
}
