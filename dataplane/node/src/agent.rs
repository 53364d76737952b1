//! The agent: its own thread with a tokio runtime for everything that is not a request.
//!
//! It keeps the streams to the control plane, the last good copy on disk, the addresses of upstreams, and the admin port. A node
//! starts from its disk and serves; the control plane may come later, go, or never come. Workers meet the agent only through
//! [`Publication`] and [`Resolver`].

mod admin;
mod backoff;
mod connect;
pub mod disk;
mod dns;
mod fetch;
mod peer;
mod session;
mod status;
mod stream;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tidegate_engine::integration::endpoints::Endpoints;
use tidegate_engine::snapshot::World;
use tidegate_proto::v1;
use tokio::sync::watch;

pub use backoff::Backoff;
pub use connect::{ControlPlane, TlsFiles};
pub use disk::DiskError;
pub use dns::{ResolveError, Resolver};
pub use status::{Connection, Link, Status};

use crate::builder::thread::{Build, First};
use crate::builder::{Builder, Bundles, FileError, ObjectSet};
use crate::publication::Publication;
use disk::Disk;

/// Writes metrics in the Prometheus text format, each family with its `# TYPE` line.
pub type Renderer = Arc<dyn Fn(&mut String) + Send + Sync>;

/// Runs the engine's explain against a world.
pub type Explain =
    Arc<dyn Fn(&World, v1::HttpRequest) -> Result<v1::Explained, String> + Send + Sync>;

/// Settings of an agent.
#[derive(Clone, Default)]
pub struct AgentConfig {
    /// Where objects come from. `None`: only from disk or `objects`.
    pub control: Option<ControlPlane>,
    /// Where the last good copy is kept. `None`: nowhere, and every start is a first start.
    pub data_dir: Option<PathBuf>,
    /// An [`ObjectSet`] to serve, in place of a control plane.
    pub objects: Option<PathBuf>,
    /// Address of health and metrics. `None`: no such port.
    pub admin: Option<SocketAddr>,
    /// What this node is, by name and value; APIs are placed by them.
    pub labels: Vec<(String, String)>,
    /// The node's id. `None`: the one on its disk, or a new one.
    pub node_id: Option<String>,
    /// Where the node serves, for people.
    pub listeners: Vec<String>,
    /// What drives the workers' I/O, for people: `io_uring` or `epoll`.
    pub driver: String,
    /// Where AWS services are called, if not at AWS's own endpoints.
    pub endpoints: Endpoints,
    /// Answers the control plane's questions about requests. `None`: they are refused.
    pub explain: Option<Explain>,
    /// Times that tests shorten.
    pub timing: Timing,
}

/// Times that tests shorten.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The first wait before a reconnect is drawn from zero to this; it doubles with every failure.
    pub reconnect_base: Duration,
    /// No wait is drawn from more than this. With 10,000 nodes, 60 s make 170 connections a second.
    pub reconnect_cap: Duration,
    /// How long changes collect before they are written to disk.
    pub disk_delay: Duration,
    /// How long an address is used before it is looked up again.
    pub address_ttl: Duration,
    /// How long a failed lookup counts.
    pub address_error_ttl: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            reconnect_base: Duration::from_secs(1),
            reconnect_cap: Duration::from_secs(60),
            disk_delay: Duration::from_millis(100),
            address_ttl: Duration::from_secs(5),
            address_error_ttl: Duration::from_secs(1),
        }
    }
}

/// Why an agent did not start.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The objects file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The admin port cannot be opened.
    #[error("node admin address {address} cannot be used; choose another with --node-admin")]
    Admin {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The control plane's address or a certificate makes no sense.
    #[error(transparent)]
    Connect(#[from] connect::ConnectError),
    /// The system refused a thread or a runtime.
    #[error("the agent's threads cannot be started")]
    Thread(#[from] std::io::Error),
}

/// A running agent.
pub struct AgentHandle {
    shared: Arc<Shared>,
    resolver: Resolver,
    admin: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    agent: Option<JoinHandle<()>>,
    build: Option<Build>,
    build_thread: Option<JoinHandle<()>>,
    disk: Option<disk::Writer>,
}

/// What the agent's tasks share.
struct Shared {
    config: AgentConfig,
    node_id: String,
    publication: Arc<Publication>,
    bundles: Arc<Bundles>,
    renderers: Vec<Renderer>,
    link: status::LinkState,
    state: crate::builder::thread::StateHandle,
    draining: std::sync::atomic::AtomicBool,
}

/// Starts an agent. What is on disk is published first, before any word with the control plane; the call itself does not wait
/// for it ([`Publication::wait`] does).
pub fn start(
    config: AgentConfig,
    publication: Arc<Publication>,
    renderers: Vec<Renderer>,
) -> Result<AgentHandle, AgentError> {
    let admin = config
        .admin
        .map(|address| listen(address).map_err(|cause| AgentError::Admin { address, cause }));
    let admin = admin.transpose()?;
    let admin_address = admin.as_ref().map(TcpListener::local_addr).transpose()?;
    let endpoint = config.control.as_ref().map(ControlPlane::endpoint).transpose()?;
    let Opened { node_id, bundles, first, writer } = open(&config)?;
    let keep = writer.as_ref().map(|writer| writer.keep(bundles.clone()));
    let (build, build_thread) = Build::start(
        Builder::with_endpoints(bundles.clone(), config.endpoints.clone()),
        publication.clone(),
        first,
        keep,
    )?;

    let shared = Arc::new(Shared {
        link: status::LinkState::new(config.control.is_some()),
        state: build.state_handle(),
        draining: false.into(),
        config,
        node_id,
        publication,
        bundles,
        renderers,
    });
    let (resolver, lookups) = dns::resolver(&shared.config.timing);
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(dns::IN_FLIGHT + RENDERING)
        .thread_name("agent-wait")
        .build()?;
    let agent = std::thread::Builder::new().name("agent".to_owned()).spawn({
        let (shared, build) = (shared.clone(), build.clone());
        move || {
            let mut until = stopped.clone();
            runtime.spawn(lookups.run());
            if let Some(listener) = admin {
                runtime.spawn(admin::serve(listener, shared.clone()));
            }
            runtime.block_on(async {
                if let Some(endpoint) = endpoint {
                    stream::run(&shared, &build, &endpoint, stopped).await;
                }
                // The port and the lookups go on until the node ends, also where there is no control plane.
                let _ = until.wait_for(|stop| *stop).await;
            });
            // A lookup that hangs in the system's resolver must not hold up the exit.
            runtime.shutdown_background();
        }
    })?;
    Ok(AgentHandle {
        shared,
        resolver,
        admin: admin_address,
        stop,
        agent: Some(agent),
        build: Some(build),
        build_thread: Some(build_thread),
        disk: writer,
    })
}

impl AgentHandle {
    /// What the agent knows.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Where health and metrics are, with the port the system chose.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Looks up upstreams' addresses; for the workers.
    pub fn resolver(&self) -> Resolver {
        self.resolver.clone()
    }

    /// Says on the admin port that the node serves no more new connections. The streams go on until [`Self::shutdown`].
    pub fn drain(&self) {
        self.shared.draining.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Closes the streams, writes what is not on disk yet, and ends the threads. Blocks for as long as the disk takes.
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.drain();
        let _ = self.stop.send(true);
        for thread in [self.agent.take(), {
            self.build = None;
            self.build_thread.take()
        }]
        .into_iter()
        .flatten()
        {
            // A panic was reported by its hook; the disk still gets what there is.
            let _ = thread.join();
        }
        if let Some(disk) = self.disk.take() {
            disk.close();
        }
    }
}

impl Drop for AgentHandle {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a node starts from.
struct Opened {
    node_id: String,
    bundles: Arc<Bundles>,
    first: Option<First>,
    writer: Option<disk::Writer>,
}

fn open(config: &AgentConfig) -> Result<Opened, AgentError> {
    let chosen = config.node_id.clone();
    if let Some(path) = &config.objects {
        let bundles = Arc::new(Bundles::in_memory());
        let batch = ObjectSet::read(path)?.into_batch(&bundles);
        let node_id = chosen.unwrap_or_else(disk::new_node_id);
        return Ok(Opened {
            node_id,
            bundles,
            first: Some(First { batch, repair: false }),
            writer: None,
        });
    }
    let Some(directory) = &config.data_dir else {
        let node_id = chosen.unwrap_or_else(disk::new_node_id);
        return Ok(Opened {
            node_id,
            bundles: Arc::new(Bundles::in_memory()),
            first: None,
            writer: None,
        });
    };
    let disk = Disk::open(directory)?;
    let node_id = chosen.map_or_else(|| disk.node_id(), Ok)?;
    let node = disk::Identity::new(node_id.clone(), &config.labels);
    let loaded = disk.load(&node);
    let bundles = Arc::new(Bundles::in_directory(disk.bundles(), loaded.bundles));
    let writer = disk::Writer::start(disk, node, bundles.clone(), config.timing.disk_delay)?;
    Ok(Opened { node_id, bundles, first: loaded.first, writer: Some(writer) })
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Threads beside those of lookups, so that metrics are there while a resolver hangs.
const RENDERING: usize = 4;
