//! TLS towards upstreams of test calls: trusts what nodes trust unless told otherwise.

use std::io;
use std::sync::LazyLock;

use rustls::pki_types::ServerName;
use tidegate_trust::{Trust, TrustError};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Shakes hands with the upstream of a name. `verify` is false for integrations with `insecureSkipVerification`.
pub(super) async fn handshake(
    stream: TcpStream,
    host: &str,
    verify: bool,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let trust = TRUST.as_ref().map_err(io::Error::other)?;
    TlsConnector::from(trust.config(verify).clone()).connect(name, stream).await
}

static TRUST: LazyLock<Result<Trust, TrustError>> = LazyLock::new(|| Trust::new(None));
