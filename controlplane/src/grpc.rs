//! The gRPC port: streams to nodes, health and reflection; other services are added to its router.
//!
//! ```no_run
//! # async fn example(publisher: std::sync::Arc<tidegate_control::publish::Publisher>) -> Result<(), Box<dyn std::error::Error>> {
//! use tidegate_control::grpc::{Grpc, GrpcConfig};
//! let (_stop, stopped) = tokio::sync::watch::channel(false);
//! let grpc = Grpc::bind(&GrpcConfig::plain("127.0.0.1:4701".parse()?)).await?;
//! let router = grpc.router(publisher, stopped.clone()).await?; // .add_service(...)
//! grpc.serve(router, stopped).await?;
//! # Ok(())
//! # }
//! ```

pub mod management;
pub mod sync;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidegate_proto::v1::management_server::ManagementServer;
use tidegate_proto::v1::sync_server::SyncServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::server::{Router, TcpIncoming};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use crate::publish::Publisher;
use management::Management;
use sync::SyncService;

/// Settings of the port.
#[derive(Clone, Debug)]
pub struct GrpcConfig {
    /// Where to listen; port 0 is any free one.
    pub address: SocketAddr,
    /// Certificates. `None`: plaintext, on loopback only unless `insecure`.
    pub tls: Option<GrpcTls>,
    /// Allows plaintext off loopback: for networks that encrypt by themselves.
    pub insecure: bool,
}

/// PEM files of the port.
#[derive(Clone, Debug)]
pub struct GrpcTls {
    /// The control plane's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Certificates that sign those of nodes and operators: who shows none of theirs is turned away. `None`: anyone may call.
    pub client_ca: Option<PathBuf>,
}

/// Why the port is not served.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// Anyone on the network could read and change configuration.
    #[error(
        "gRPC address {0} is not on loopback and has no certificates; give --grpc-cert and --grpc-key, or --insecure-grpc"
    )]
    Plaintext(SocketAddr),
    /// Taken, as a rule.
    #[error("gRPC address {address} cannot be used; choose another with --grpc")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// A file cannot be read.
    #[error("TLS file {path} cannot be read")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The files hold something else, or the server failed.
    #[error("gRPC cannot be served")]
    Transport(#[from] tonic::transport::Error),
    /// The contract built into this program is damaged.
    #[error("the descriptors cannot be read")]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl GrpcConfig {
    /// Plaintext.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None, insecure: false }
    }
}

/// The bound port.
pub struct Grpc {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<ServerTlsConfig>,
}

impl Grpc {
    /// Opens the port. Calls wait in it until it is served.
    pub async fn bind(config: &GrpcConfig) -> Result<Self, GrpcError> {
        if config.tls.is_none() && !config.insecure && !config.address.ip().is_loopback() {
            return Err(GrpcError::Plaintext(config.address));
        }
        let tls = config.tls.as_ref().map(server_tls).transpose()?;
        let failed = |cause| GrpcError::Bind { address: config.address, cause };
        let listener = TcpListener::bind(config.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, tls })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How to reach it, with the scheme.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// A router with the streams to nodes, health and reflection. Streams end when `stopped` turns true.
    pub async fn router(
        &self,
        publisher: Arc<Publisher>,
        stopped: watch::Receiver<bool>,
    ) -> Result<Router, GrpcError> {
        let mut server = Server::builder()
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE_ANSWER))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(STREAMS)
            .concurrency_limit_per_connection(STREAMS as usize)
            .http2_max_header_list_size(MAX_HEADERS)
            .http2_max_pending_accept_reset_streams(Some(STREAMS as usize));
        if let Some(tls) = &self.tls {
            server = server.tls_config(tls.clone())?;
        }
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<SyncServer<SyncService>>().await;
        health.set_serving::<ManagementServer<Management>>().await;
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(tidegate_proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let sync = SyncServer::new(SyncService::new(publisher, stopped))
            .max_decoding_message_size(MAX_NODE_MESSAGE);
        Ok(server
            .add_service(sync)
            .add_service(health_service)
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?))
    }

    /// Serves until `stopped` turns true and the calls under way are done.
    pub async fn serve(
        self,
        router: Router,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(), GrpcError> {
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let stop = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        Ok(router.serve_with_incoming_shutdown(incoming, stop).await?)
    }
}

fn server_tls(files: &GrpcTls) -> Result<ServerTlsConfig, GrpcError> {
    let identity = Identity::from_pem(read(&files.certificate)?, read(&files.key)?);
    let tls = ServerTlsConfig::new().identity(identity).timeout(HANDSHAKE);
    Ok(match &files.client_ca {
        Some(ca) => tls.client_ca_root(Certificate::from_pem(read(ca)?)),
        None => tls,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, GrpcError> {
    std::fs::read(path).map_err(|cause| GrpcError::File { path: path.to_owned(), cause })
}

/// A silent connection is asked whether it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// And is given so long to answer: a dead node is noticed within 15 s.
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(5);

/// Most a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Bytes under way to us in one stream: acknowledgements and documents to import.
const STREAM_WINDOW: u32 = 256 << 10;

/// Bytes under way to us in one connection.
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Calls at once in one connection. A node has two.
const STREAMS: u32 = 64;

/// Bytes of a call's metadata.
const MAX_HEADERS: u32 = 16 << 10;

/// Bytes of a node's largest message: an acknowledgement with 1,000 refusals of 2 KB each.
const MAX_NODE_MESSAGE: usize = 4 << 20;
