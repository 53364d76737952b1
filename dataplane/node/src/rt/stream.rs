//! A TCP connection with completion reads and writes: buffers go in and come back.

use std::cell::UnsafeCell;
use std::io;
use std::net::TcpStream as StdStream;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use monoio::buf::IoBufMut;
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags, Shutdown};

use super::driver::{self, Driver};
use super::readiness::PollStream;

/// A connected socket. Clones share it; one side may read while another writes.
#[derive(Clone)]
pub struct Stream {
    inner: Rc<UnsafeCell<monoio::net::TcpStream>>,
}

impl Stream {
    /// Takes over a connected socket.
    ///
    /// # Errors
    /// If the driver cannot register it.
    pub fn from_std(stream: StdStream) -> io::Result<Self> {
        // The ring waits for blocking sockets and answers EAGAIN at once for others; epoll needs the opposite.
        stream.set_nonblocking(driver::current() == Driver::Epoll)?;
        Ok(Self { inner: Rc::new(UnsafeCell::new(monoio::net::TcpStream::from_std(stream)?)) })
    }

    #[allow(clippy::mut_from_ref)]
    fn stream(&self) -> &mut monoio::net::TcpStream {
        // SAFETY: monoio takes `&mut self` for reads and writes, but only clones the descriptor out of it; it does the same
        // behind its own split halves. The worker is one thread, and no reference outlives the call that made it in use.
        unsafe { &mut *self.inner.get() }
    }

    /// The descriptor, for deadlines.
    pub fn fd(&self) -> RawFd {
        self.stream().as_raw_fd()
    }

    fn borrow(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor stays open as long as `self.inner`.
        unsafe { BorrowedFd::borrow_raw(self.fd()) }
    }

    /// Reads behind what `buf` holds, into its spare capacity. 0 is the end of the stream.
    ///
    /// Must not be dropped before it ends: bytes that arrived meanwhile would be lost.
    pub async fn read(&self, buf: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        let (result, tail) = self.stream().read(Tail::new(buf)).await;
        (result, tail.vec)
    }

    /// Writes all of `buf` and gives it back.
    pub async fn write_all(&self, buf: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
        let end = buf.len();
        self.write_range(buf, 0, end).await
    }

    /// Writes `buf[from..to]` and gives the buffer back.
    ///
    /// A socket nearly always has room for what is sent, so a plain call that does not wait comes first: it costs less than a trip
    /// through the ring, and the task goes on without being woken.
    pub async fn write_range(
        &self,
        buf: Vec<u8>,
        from: usize,
        to: usize,
    ) -> (io::Result<()>, Vec<u8>) {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let sent = match rustix::net::send(self.borrow(), &buf[from..to], flags) {
            Ok(sent) if sent == to - from => return (Ok(()), buf),
            Ok(sent) => sent,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => 0,
            Err(error) => return (Err(error.into()), buf),
        };
        let rest = monoio::buf::IoBuf::slice(buf, from + sent..to);
        let (result, rest) = self.stream().write_all(rest).await;
        (result.map(drop), rest.into_inner())
    }

    /// Waits until a read would not wait. May be dropped.
    ///
    /// # Errors
    /// As poll(2).
    pub async fn readable(&self) -> io::Result<()> {
        self.stream().readable(false).await
    }

    /// Whether the peer closed or broke the connection, or sent something, while nobody was reading.
    pub fn has_news(&self) -> bool {
        let mut byte = [0];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        match rustix::net::recv(self.borrow(), &mut byte, flags) {
            Err(error) => error != rustix::io::Errno::AGAIN,
            Ok(_) => true,
        }
    }

    /// Whether the peer closed or broke the connection, or its sending half. Unread bytes neither count nor hide it.
    pub fn is_gone(&self) -> bool {
        let fd = self.borrow();
        let mut polled = [PollFd::new(&fd, PollFlags::RDHUP)];
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
        matches!(poll(&mut polled, Some(&none)), Ok(1..)) && polled[0].revents().intersects(gone)
    }

    /// Ends both directions at once; whoever waits on the socket comes back.
    pub fn shutdown(&self) {
        shutdown(self.fd(), Shutdown::Both);
    }

    /// Says that nothing more will be written.
    pub fn shutdown_write(&self) {
        shutdown(self.fd(), Shutdown::Write);
    }

    /// Stops reading; a pending read ends with 0.
    pub fn shutdown_read(&self) {
        shutdown(self.fd(), Shutdown::Read);
    }

    /// Sends small writes at once.
    ///
    /// # Errors
    /// As setsockopt(2).
    pub fn set_nodelay(&self) -> io::Result<()> {
        self.stream().set_nodelay(true)
    }

    /// Closes with a reset instead of waiting for unsent bytes.
    pub fn set_linger_zero(&self) {
        let _ = rustix::net::sockopt::set_socket_linger(self.borrow(), Some(Duration::ZERO));
    }

    /// The error of a connection attempt that was waited for, taken once.
    pub fn take_error(&self) -> Option<io::Error> {
        match rustix::net::sockopt::socket_error(self.borrow()) {
            Ok(Ok(())) => None,
            Ok(Err(error)) | Err(error) => Some(error.into()),
        }
    }

    /// The same connection for protocols that poll.
    pub fn into_poll(self) -> PollStream {
        PollStream::new(self)
    }
}

pub(super) fn shutdown(fd: RawFd, how: Shutdown) {
    // SAFETY: callers hold the stream, or the deadline slot that its owner disarms before it closes.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    // A socket that is no longer connected has nothing to shut down.
    let _ = rustix::net::shutdown(fd, how);
}

/// The spare capacity of a vector as a read buffer.
struct Tail {
    vec: Vec<u8>,
    start: usize,
}

impl Tail {
    fn new(vec: Vec<u8>) -> Self {
        Self { start: vec.len(), vec }
    }
}

// SAFETY: the pointer leads to the vector's spare capacity, which does not move while the vector is only moved; the total is what
// is left of it; the runtime calls set_init with what the kernel wrote there.
unsafe impl IoBufMut for Tail {
    fn write_ptr(&mut self) -> *mut u8 {
        self.vec.spare_capacity_mut().as_mut_ptr().cast()
    }

    fn bytes_total(&mut self) -> usize {
        self.vec.capacity() - self.start
    }

    unsafe fn set_init(&mut self, written: usize) {
        // SAFETY: the kernel wrote `written` bytes behind `start`.
        unsafe { self.vec.set_len(self.start + written) };
    }
}

impl std::os::fd::AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.borrow()
    }
}

impl Stream {
    /// Waits until a write would not wait. May be dropped.
    ///
    /// # Errors
    /// As poll(2).
    pub async fn writable(&self) -> io::Result<()> {
        self.stream().writable(false).await
    }
}
