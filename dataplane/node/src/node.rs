//! A node in one process: its listeners, its workers, and how they end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tidegate_engine::Listener as ListenerFacts;

use crate::publication::Publication;
use crate::telemetry::metrics;
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
}

/// A running node.
pub struct Node {
    /// Where it listens, in the order asked for.
    pub addresses: Vec<SocketAddr>,
    workers: Vec<Handle>,
}

impl Node {
    /// Opens every listener once per worker and starts the workers.
    ///
    /// # Errors
    /// If an address cannot be had or a worker cannot be started; the error names the address.
    pub fn start(
        listen: &[Listen],
        workers: usize,
        settings: &Settings,
        publication: &Arc<Publication>,
        lookup: &NameLookup,
    ) -> io::Result<Self> {
        let mut addresses = Vec::new();
        let mut sockets: Vec<Vec<(std::net::TcpListener, ListenerFacts)>> =
            (0..workers).map(|_| Vec::new()).collect();
        for one in listen {
            let (address, bound) = bind_all(one.address, workers)
                .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", one.address)))?;
            addresses.push(address);
            for (worker, socket) in sockets.iter_mut().zip(bound) {
                let facts = ListenerFacts {
                    path_forms: one.path_forms,
                    scheme: "http",
                    port: address.port(),
                    max_body: one.max_body,
                };
                worker.push((socket, facts));
            }
        }
        let mut handles = Vec::new();
        for (index, sockets) in sockets.into_iter().enumerate() {
            handles.push(Handle::start(index, settings.clone(), sockets, publication.clone(), lookup.clone())?);
        }
        Ok(Self { addresses, workers: handles })
    }

    /// Connections of callers open now.
    pub fn connections(&self) -> usize {
        self.workers.iter().map(Handle::connections).sum()
    }

    /// Appends the workers' metrics as Prometheus text. Waits for each worker, a second at most.
    pub fn render_metrics(&self, out: &mut String) {
        let scrapes: Vec<_> = self.workers.iter().filter_map(|w| w.scrape(Duration::from_secs(1))).collect();
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
