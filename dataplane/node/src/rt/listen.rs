//! Accepting: wait for readiness, then take what is there without waiting.
//!
//! No accept is ever in flight, so none can be cancelled: monoio 0.2.4 leaks the descriptor of a cancelled accept.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::SocketFlags;
use socket2::{Domain, Protocol, Socket, Type};

use super::readiness::Pollable;
use super::stream::Stream;

/// A listening socket of one worker.
pub struct Listener {
    poll: Pollable,
    address: SocketAddr,
}

/// Opens a listening socket that other workers can open too (`SO_REUSEPORT`): the kernel spreads connections.
///
/// # Errors
/// As bind(2) and listen(2).
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

impl Listener {
    /// Takes over a listening socket from [`bind`].
    ///
    /// # Errors
    /// If the driver cannot register it.
    pub fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self { poll: Pollable::new(OwnedFd::from(listener))?, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until a connection is there. May be dropped.
    ///
    /// # Errors
    /// As poll(2).
    pub async fn readable(&self) -> io::Result<()> {
        self.poll.readable().await
    }

    /// Takes one waiting connection; `None` when there is none.
    ///
    /// # Errors
    /// As accept4(2), for example when no descriptors are left.
    pub fn accept(&self) -> io::Result<Option<(Stream, SocketAddr)>> {
        match rustix::net::acceptfrom_with(self.poll.as_fd(), SocketFlags::CLOEXEC) {
            Ok((fd, peer)) => {
                let stream = Stream::from_std(fd.into())?;
                stream.set_nodelay()?;
                let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
                let peer = peer.and_then(|p| SocketAddr::try_from(p).ok()).unwrap_or(unknown);
                Ok(Some((stream, peer)))
            }
            // The peer may have left before it was taken.
            Err(
                rustix::io::Errno::AGAIN | rustix::io::Errno::CONNABORTED | rustix::io::Errno::INTR,
            ) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
