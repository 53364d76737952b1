//! Readiness: waiting on any descriptor, and sockets for protocols that poll (HTTP/2, TLS).

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::stream::Stream;

/// A descriptor one can wait on: listeners, event and timer descriptors.
pub struct Pollable {
    // monoio offers readiness only on its socket types; they use nothing of the descriptor but its number.
    inner: monoio::net::TcpStream,
}

impl Pollable {
    /// Takes over a descriptor that is in non-blocking mode.
    ///
    /// # Errors
    /// If the driver cannot register it.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        // SAFETY: the descriptor is owned and given away.
        let std = unsafe { std::net::TcpStream::from_raw_fd(fd.into_raw_fd()) };
        Ok(Self { inner: monoio::net::TcpStream::from_std(std)? })
    }

    /// Waits until a read would not wait. May be dropped.
    ///
    /// # Errors
    /// As poll(2).
    pub async fn readable(&self) -> io::Result<()> {
        self.inner.readable(false).await
    }
}

impl AsFd for Pollable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor stays open as long as `self.inner`.
        unsafe { BorrowedFd::borrow_raw(self.inner.as_raw_fd()) }
    }
}

type Ready = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// A socket that is polled: non-blocking calls, and a wait for readiness when they would block.
///
/// A wait for readiness may be dropped at any time, so that nothing is lost when a protocol loses interest in a read.
pub struct PollStream {
    stream: Rc<Stream>,
    reading: RefCell<Option<Ready>>,
    writing: RefCell<Option<Ready>>,
}

impl PollStream {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream: Rc::new(stream), reading: RefCell::new(None), writing: RefCell::new(None) }
    }

    /// The connection, for deadlines and shutdown.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }
}

fn wait(
    slot: &RefCell<Option<Ready>>,
    make: impl FnOnce() -> Ready,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let mut slot = slot.borrow_mut();
    let done = ready!(slot.get_or_insert_with(make).as_mut().poll(cx));
    *slot = None;
    Poll::Ready(done)
}

impl AsyncRead for PollStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match rustix::net::recv(
                self.stream.as_fd(),
                buf.initialize_unfilled(),
                RecvFlags::DONTWAIT,
            ) {
                Ok((read, _)) => {
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(rustix::io::Errno::AGAIN) => {
                    let stream = self.stream.clone();
                    ready!(wait(
                        &self.reading,
                        || Box::pin(async move { stream.readable().await }),
                        cx
                    ))?;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

impl AsyncWrite for PollStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match rustix::net::send(
                self.stream.as_fd(),
                buf,
                SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            ) {
                Ok(written) => return Poll::Ready(Ok(written)),
                Err(rustix::io::Errno::AGAIN) => {
                    let stream = self.stream.clone();
                    ready!(wait(
                        &self.writing,
                        || Box::pin(async move { stream.writable().await }),
                        cx
                    ))?;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.shutdown_write();
        Poll::Ready(Ok(()))
    }
}
