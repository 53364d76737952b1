//! A fast HTTP/1.1 origin with predictable answers, for load runs, tests and demos.

pub mod pets;
pub mod routes;
pub mod server;
pub mod session;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use socket2::{Domain, Socket, Type};

use crate::host;

/// What an origin needs to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    pub threads: usize,
    /// First core to pin to; thread n goes to core `cpu + n`.
    pub cpu: Option<usize>,
    /// Size of the body that most paths answer.
    pub body_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            threads: 1,
            cpu: None,
            body_bytes: 117,
        }
    }
}

/// A running origin. Dropping it stops its threads.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Upstream {
    /// Binds and starts. When this returns, connections are accepted.
    pub fn start(options: &Options) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let site = Arc::new(routes::Site::new(options.body_bytes));
        let first = listener(options.listen)?;
        let address = first.local_addr()?;
        let mut listeners = vec![first];
        for _ in 1..options.threads.max(1) {
            listeners.push(listener(address)?);
        }
        let mut threads = Vec::new();
        for (index, listener) in listeners.into_iter().enumerate() {
            let (site, stop) = (Arc::clone(&site), Arc::clone(&stop));
            let cpu = options.cpu.map(|first| first + index);
            let mut server = server::Server::new(listener, site)?;
            let body = move || {
                if let Some(cpu) = cpu
                    && let Err(error) = host::pin::current_thread(cpu)
                {
                    eprintln!("warning: upstream thread is not pinned: {error}");
                }
                if let Err(error) = server.serve(&stop) {
                    eprintln!("upstream thread ended: {error}");
                }
            };
            threads
                .push(std::thread::Builder::new().name(format!("upstream-{index}")).spawn(body)?);
        }
        Ok(Self { address, stop, threads })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A panicked thread has printed its reason already.
            let _ = thread.join();
        }
    }
}

/// Each thread has its own listener on the shared port, so that the kernel spreads connections.
fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
