//! How to reach the control plane.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

/// A control plane's address and, for `https`, whom to trust and who we are.
#[derive(Clone, Debug, Default)]
pub struct ControlPlane {
    /// `http://host:port` or `https://host:port`.
    pub url: String,
    /// Needed with `https`.
    pub tls: Option<TlsFiles>,
}

/// PEM files of mutual TLS.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificates that sign the control plane's.
    pub ca: PathBuf,
    /// The node's certificate and key; both or neither.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name in the control plane's certificate, where it is not the host of the URL.
    pub server_name: Option<String>,
}

/// Why there is no way to the control plane.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not an address.
    #[error("'{url}' is no control plane address; it reads like http://127.0.0.1:4701")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        #[source]
        cause: tonic::transport::Error,
    },
    /// `https` without certificates, or certificates without `https`.
    #[error(
        "control plane address '{0}' and TLS files do not fit: https needs a CA file, http takes none"
    )]
    Scheme(String),
    /// A file cannot be read.
    #[error("TLS file {path} cannot be read")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The files hold something else.
    #[error("the TLS files cannot be used")]
    Tls(#[source] tonic::transport::Error),
}

impl ControlPlane {
    /// A control plane without TLS.
    pub fn plain(url: impl Into<String>) -> Self {
        Self { url: url.into(), tls: None }
    }

    /// The endpoint with our limits. Does not connect.
    pub(super) fn endpoint(&self) -> Result<Endpoint, ConnectError> {
        let endpoint = Endpoint::from_shared(self.url.clone())
            .map_err(|cause| ConnectError::Url { url: self.url.clone(), cause })?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_ANSWER)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        if self.url.starts_with("https:") != self.tls.is_some() {
            return Err(ConnectError::Scheme(self.url.clone()));
        }
        let Some(files) = &self.tls else { return Ok(endpoint) };
        let mut tls =
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(&files.ca)?));
        if let Some((certificate, key)) = &files.identity {
            tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        if let Some(name) = &files.server_name {
            tls = tls.domain_name(name.clone());
        }
        endpoint.tls_config(tls).map_err(ConnectError::Tls)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ConnectError> {
    std::fs::read(path).map_err(|cause| ConnectError::File { path: path.to_owned(), cause })
}

/// Most a connect may take.
const CONNECT: Duration = Duration::from_secs(5);

/// A silent connection is asked whether it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// And is given so long to answer: a dead control plane is noticed within 15 s.
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(5);

/// Bytes under way to us in one stream; a chunk of a bundle is 1 MiB.
const STREAM_WINDOW: u32 = 2 << 20;

/// Bytes under way to us in both streams.
const CONNECTION_WINDOW: u32 = 4 << 20;
