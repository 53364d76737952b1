//! TLS towards upstreams: rustls over a socket that is polled.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use rustls::pki_types::ServerName;
use tidegate_trust::Trust;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;

use crate::rt::{PollStream, Stream};

/// Shakes hands with the upstream of a name. The caller bounds the time by shutting the socket down.
///
/// # Errors
/// If the certificate does not verify or the peer speaks no TLS.
pub async fn handshake(
    trust: &Trust,
    stream: Stream,
    host: &str,
    verify: bool,
) -> io::Result<TlsStream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let config = trust.config(verify).clone();
    let connecting = TlsConnector::from(config).connect(name, stream.clone().into_poll());
    let inner = Box::new(RefCell::new(connecting.await?));
    Ok(TlsStream { inner, stream })
}

/// An encrypted connection. One side may read while another writes: each call borrows the session for a moment only.
pub struct TlsStream {
    inner: Box<RefCell<tokio_rustls::client::TlsStream<PollStream>>>,
    stream: Stream,
}

impl TlsStream {
    /// The socket under it.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Reads behind what `buf` holds, into its spare capacity. 0 is the end.
    pub async fn read(&self, mut buf: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        let held = buf.len();
        buf.resize(buf.capacity(), 0);
        let read = poll_fn(|cx| {
            let mut space = ReadBuf::new(&mut buf[held..]);
            let polled = Pin::new(&mut *self.inner.borrow_mut()).poll_read(cx, &mut space);
            polled.map_ok(|()| space.filled().len())
        })
        .await;
        buf.truncate(held + *read.as_ref().unwrap_or(&0));
        (read, buf)
    }

    /// Writes `buf[from..to]`.
    pub async fn write(&self, buf: &[u8]) -> io::Result<()> {
        let mut done = 0;
        while done < buf.len() {
            let written =
                poll_fn(|cx| Pin::new(&mut *self.inner.borrow_mut()).poll_write(cx, &buf[done..]))
                    .await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            done += written;
        }
        poll_fn(|cx| Pin::new(&mut *self.inner.borrow_mut()).poll_flush(cx)).await
    }
}
