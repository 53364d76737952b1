//! One real call to an upstream, for test calls: resolve, check the addresses, connect, send, and collect the whole answer.
//!
//! Nothing is pooled: a test says what a first call meets.

mod tls;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::TokioIo;
use tidegate_engine::head::{BodySize, Head};
use tidegate_engine::integration::guard::AddressPolicy;
use tidegate_engine::snapshot::{Scheme, Target, Upstream};
use tidegate_engine::{CallError, Outgoing};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// An upstream's whole answer.
#[derive(Debug)]
pub(super) struct Answered {
    /// Its head, as the engine reads it.
    pub(super) head: Head,
    /// Its body without framing.
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// For a reason the engine knows.
    Call(CallError),
    /// It is longer than [`MAX_BODY`]: so many bytes, or more.
    TooLarge(u64),
}

impl From<CallError> for NoAnswer {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Sends a request and collects its answer, all within the request's time-out.
///
/// Dropping the future closes the connection.
pub(super) async fn send(
    policy: &AddressPolicy,
    upstream: &Upstream,
    targets: Option<&[Target]>,
    outgoing: &Outgoing,
    scratch: &[u8],
    body: Bytes,
) -> Result<Answered, NoAnswer> {
    let deadline = Instant::now() + outgoing.timeout();
    let exchange = async {
        let addresses = match targets {
            Some(targets) => resolve_targets(policy, targets).await?,
            None => resolve(&upstream.host, upstream.port, |ip| policy.allows(ip)).await?,
        };
        let stream = connect(&addresses, outgoing.timeout()).await?;
        let request = request(outgoing, scratch, body)?;
        match upstream.scheme {
            Scheme::Http => exchange(stream, request).await,
            Scheme::Https => {
                let stream = tls::handshake(stream, &upstream.host, upstream.verify).await;
                exchange(stream.map_err(network)?, request).await
            }
        }
    };
    timeout_at(deadline, exchange).await.unwrap_or(Err(CallError::Timeout.into()))
}

/// The addresses of a host that may be called.
async fn resolve(
    host: &str,
    port: u16,
    allows: impl Fn(IpAddr) -> bool,
) -> Result<Vec<SocketAddr>, CallError> {
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(literal) => vec![SocketAddr::new(literal, port)],
        Err(_) => tokio::net::lookup_host((host, port))
            .await
            .map_err(|_| CallError::Unresolved)?
            .collect(),
    };
    if found.is_empty() {
        return Err(CallError::Unresolved);
    }
    let allowed: Vec<SocketAddr> =
        found.into_iter().filter(|address| allows(address.ip())).collect();
    if allowed.is_empty() { Err(CallError::Denied) } else { Ok(allowed) }
}

/// The addresses of a VPC link's targets, in their order. A target without any does not hide the others.
async fn resolve_targets(
    policy: &AddressPolicy,
    targets: &[Target],
) -> Result<Vec<SocketAddr>, CallError> {
    let (mut all, mut failure) = (Vec::new(), CallError::Unresolved);
    for target in targets {
        match resolve(&target.host, target.port, |ip| policy.allows_target(ip)).await {
            Ok(addresses) => all.extend(addresses),
            Err(error) => failure = error,
        }
        if all.len() >= MAX_ADDRESSES {
            break;
        }
    }
    if all.is_empty() { Err(failure) } else { Ok(all) }
}

/// Connects to the first address that answers. Each gets its share of the time, so that a dead one leaves some for the next.
async fn connect(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, CallError> {
    let addresses = &addresses[..addresses.len().min(MAX_ADDRESSES)];
    let share = limit / u32::try_from(addresses.len()).unwrap_or(1).max(1);
    let mut failure = CallError::Network;
    for address in addresses {
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(_)) => {}
            Err(_) => failure = CallError::Timeout,
        }
    }
    Err(failure)
}

/// The request with the lines the engine wrote; framing is hyper's.
fn request(
    outgoing: &Outgoing,
    scratch: &[u8],
    body: Bytes,
) -> Result<http::Request<Full<Bytes>>, CallError> {
    let mut request =
        http::Request::builder().method(outgoing.method.as_str()).uri(outgoing.target.of(scratch));
    for line in outgoing.fields.of(scratch).split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    request.body(Full::new(body)).map_err(|error| {
        tracing::debug!(%error, "test call cannot be written");
        CallError::Network
    })
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: http::Request<Full<Bytes>>,
) -> Result<Answered, NoAnswer> {
    let handshake = hyper::client::conn::http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = handshake.map_err(network)?;
    let calling = async {
        let response = sender.send_request(request).await.map_err(network)?;
        collect(response).await
    };
    // The connection is driven here and not in a task of its own, so that it ends with this future.
    let mut connection = std::pin::pin!(connection);
    let mut calling = std::pin::pin!(calling);
    tokio::select! {
        biased;
        done = &mut calling => done,
        // What had arrived before the end may still be the whole answer.
        _ = &mut connection => calling.await,
    }
}

async fn collect(response: http::Response<Incoming>) -> Result<Answered, NoAnswer> {
    let (parts, mut body) = response.into_parts();
    if parts.status.is_informational() {
        return Err(CallError::Network.into());
    }
    let announced = body.size_hint();
    if announced.lower() > MAX_BODY {
        return Err(NoAnswer::TooLarge(announced.lower()));
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(network)?.into_data() {
            bytes.extend_from_slice(&data);
            if bytes.len() as u64 > MAX_BODY {
                return Err(NoAnswer::TooLarge(bytes.len() as u64));
            }
        }
    }
    let mut head = Head { status: parts.status.as_u16(), ..Head::default() };
    for (name, value) in &parts.headers {
        head.push_field(written(name.as_str()).as_bytes(), value.as_bytes());
    }
    head.body =
        if bytes.is_empty() { BodySize::Empty } else { BodySize::Known(bytes.len() as u64) };
    Ok(Answered { head, body: bytes.into() })
}

/// A name as most upstreams write it, and as an edge-optimised API, the default kind, passes it on: hyper keeps names in lower
/// case only.
fn written(name: &str) -> String {
    let mut start = true;
    let letter = |c: char| {
        let letter = if start { c.to_ascii_uppercase() } else { c };
        start = c == '-';
        letter
    };
    name.chars().map(letter).collect()
}

fn network(error: impl std::error::Error) -> CallError {
    tracing::debug!(%error, "test call failed");
    CallError::Network
}

/// Largest answer, bytes. Source: API Gateway quotas, "payload size".
const MAX_BODY: u64 = 10 << 20;

/// Largest head of an answer, bytes: as nodes allow it.
const MAX_HEAD: usize = 64 << 10;

/// A name with more addresses is not tried through: the time would be spent on the first byte of each.
const MAX_ADDRESSES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_upstreams_do() {
        for (name, want) in
            [("content-type", "Content-Type"), ("x-a--b", "X-A--B"), ("etag", "Etag")]
        {
            assert_eq!(written(name), want);
        }
    }

    #[tokio::test]
    async fn only_addresses_the_policy_allows_are_called() {
        async fn called(policy: &AddressPolicy, host: &str) -> Result<(), CallError> {
            resolve(host, 80, |ip| policy.allows(ip)).await.map(drop)
        }
        let strict = AddressPolicy::default();
        for host in ["127.0.0.1", "localhost", "169.254.169.254", "::1", "fd00:ec2::254"] {
            assert_eq!(called(&strict, host).await, Err(CallError::Denied), "{host}");
        }
        let local = AddressPolicy::default().with_loopback();
        assert!(called(&local, "localhost").await.is_ok());
        assert_eq!(called(&local, "169.254.169.254").await, Err(CallError::Denied));
        assert_eq!(called(&local, "no.such.name.invalid").await, Err(CallError::Unresolved));
    }

    #[tokio::test]
    async fn targets_of_a_link_may_be_private_and_one_that_may_not_be_called_hides_no_other() {
        let strict = AddressPolicy::default();
        let target = |text: &str| Target::parse(text).unwrap();
        let metadata = target("169.254.169.254:80");
        let found = resolve_targets(&strict, &[metadata.clone(), target("[fd12::1]:81")]).await;
        assert_eq!(found, Ok(vec!["[fd12::1]:81".parse().unwrap()]));
        assert_eq!(resolve_targets(&strict, &[metadata]).await, Err(CallError::Denied));
        assert_eq!(resolve_targets(&strict, &[]).await, Err(CallError::Unresolved));
    }
}
