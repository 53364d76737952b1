//! Reaching an upstream: resolve its name, check the addresses, connect, and for `https` shake hands.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use tidegate_engine::CallError;
use tidegate_engine::integration::guard::AddressPolicy;
use tidegate_engine::snapshot::{Scheme, Upstream};
use tidegate_trust::Trust;

use super::pool::Connection;
use super::tls::{TlsStream, handshake};
use crate::rt::{Deadlines, Expiry, Stream};

/// Resolves names off the worker. Answers come back through the worker's mailbox.
pub trait Resolve {
    /// Addresses of a name that is no address itself.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// A resolution under way.
pub type Resolving<'a> = std::pin::Pin<Box<dyn Future<Output = Option<Vec<IpAddr>>> + 'a>>;

/// Opens connections for one worker.
pub struct Dialer {
    policy: AddressPolicy,
    trust: Trust,
    deadlines: Rc<Deadlines>,
    resolver: Box<dyn Resolve>,
}

/// How bytes travel to an upstream.
pub enum Transport {
    /// Plain TCP.
    Plain(Stream),
    /// TLS over TCP.
    Tls(TlsStream),
}

impl Transport {
    /// The connection under it.
    pub fn stream(&self) -> &Stream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(tls) => tls.stream(),
        }
    }

    /// Whether the peer closed it or sent something unasked.
    pub fn has_news(&self) -> bool {
        self.stream().has_news()
    }

    /// Reads behind what `buf` holds. 0 is the end.
    pub async fn read(&self, buf: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        match self {
            Self::Plain(stream) => stream.read(buf).await,
            Self::Tls(tls) => tls.read(buf).await,
        }
    }

    /// Writes all of `buf` and gives it back.
    pub async fn write_all(&self, buf: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
        match self {
            Self::Plain(stream) => stream.write_all(buf).await,
            Self::Tls(tls) => (tls.write(&buf).await, buf),
        }
    }

    /// Writes `buf[from..to]` and gives the buffer back.
    pub async fn write_range(
        &self,
        buf: Vec<u8>,
        from: usize,
        to: usize,
    ) -> (io::Result<()>, Vec<u8>) {
        match self {
            Self::Plain(stream) => stream.write_range(buf, from, to).await,
            Self::Tls(tls) => (tls.write(&buf[from..to]).await, buf),
        }
    }
}

impl Dialer {
    /// A dialer that keeps to a policy.
    pub fn new(
        policy: AddressPolicy,
        trust: Trust,
        deadlines: Rc<Deadlines>,
        resolver: Box<dyn Resolve>,
    ) -> Self {
        Self { policy, trust, deadlines, resolver }
    }

    /// The addresses of a host that may be called; a VPC link may name more of them than a URI.
    ///
    /// # Errors
    /// [`CallError::Unresolved`] when it has none, [`CallError::Denied`] when it has only ones that may not be called.
    pub async fn resolve(&self, host: &str, by_link: bool) -> Result<Vec<IpAddr>, CallError> {
        let found = match host.parse::<IpAddr>() {
            Ok(literal) => vec![literal],
            Err(_) => self.resolver.resolve(host).await.ok_or(CallError::Unresolved)?,
        };
        let allows = |address: &IpAddr| match by_link {
            true => self.policy.allows_target(*address),
            false => self.policy.allows(*address),
        };
        let allowed: Vec<IpAddr> = found.iter().copied().filter(allows).collect();
        match (allowed.is_empty(), found.is_empty()) {
            (false, _) => Ok(allowed),
            (true, true) => Err(CallError::Unresolved),
            (true, false) => Err(CallError::Denied),
        }
    }

    /// Connects to the first address that answers, starting with the `first`th.
    ///
    /// # Errors
    /// [`CallError::Timeout`] when the limit passes, [`CallError::Network`] when every address refuses.
    pub async fn dial(
        &self,
        upstream: &Upstream,
        port: u16,
        addresses: &[IpAddr],
        first: usize,
        limit: Duration,
    ) -> Result<Connection, CallError> {
        let began = Instant::now();
        let deadline = self.deadlines.deadline();
        let mut timed_out = false;
        for at in 0..addresses.len().min(4) {
            let address =
                SocketAddr::new(addresses[first.wrapping_add(at) % addresses.len()], port);
            let Ok(stream) = start(address) else { continue };
            deadline.arm(limit, Expiry::Shutdown(stream.fd()));
            let connected = stream.writable().await.is_ok() && stream.take_error().is_none();
            timed_out = deadline.disarm();
            if !connected || timed_out {
                continue;
            }
            if upstream.scheme == Scheme::Http {
                return Ok(Connection::new(Transport::Plain(stream), deadline));
            }
            deadline.arm(limit.saturating_sub(began.elapsed()), Expiry::Shutdown(stream.fd()));
            let shaken = handshake(&self.trust, stream, &upstream.host, upstream.verify).await;
            timed_out = deadline.disarm();
            match shaken {
                Ok(tls) => return Ok(Connection::new(Transport::Tls(tls), deadline)),
                Err(error) => {
                    tracing::debug!(%error, upstream = %upstream.authority, "TLS handshake failed");
                }
            }
        }
        Err(if timed_out { CallError::Timeout } else { CallError::Network })
    }
}

/// Begins a connection without waiting for it, so that its socket is known to a deadline from the start.
fn start(address: SocketAddr) -> io::Result<Stream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    rustix::net::sockopt::set_tcp_nodelay(&fd, true)?;
    match rustix::net::connect(&fd, &address) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Stream::from_std(fd.into()),
        Err(error) => Err(error.into()),
    }
}
