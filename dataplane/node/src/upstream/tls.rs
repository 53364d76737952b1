//! TLS towards upstreams: rustls over a socket that is polled.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;

use crate::rt::{PollStream, Stream};

/// How the node proves whom it talks to. Shared by all workers; sessions are resumed across them.
#[derive(Clone)]
pub struct TlsSettings {
    verifying: Arc<ClientConfig>,
    /// For integrations with `insecureSkipVerification`.
    trusting: Arc<ClientConfig>,
}

/// Why there are no TLS settings.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of certificates cannot be used.
    #[error("{path} holds no certificates in PEM form")]
    Certificates {
        /// Which file.
        path: String,
        /// What is wrong with it.
        #[source]
        cause: rustls::pki_types::pem::Error,
    },
    /// The library refuses the settings.
    #[error("TLS cannot be set up")]
    Library(#[from] rustls::Error),
}

impl TlsSettings {
    /// Trusts what browsers trust, and the certificates of a PEM file besides.
    ///
    /// # Errors
    /// If the file cannot be read or holds no certificate.
    pub fn new(extra: Option<&Path>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(path) = extra {
            let refused =
                |cause| TlsError::Certificates { path: path.display().to_string(), cause };
            for certificate in CertificateDer::pem_file_iter(path).map_err(refused)? {
                roots.add(certificate.map_err(refused)?)?;
            }
        }
        let provider = Arc::new(ring::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(provider.clone())
                .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        };
        let mut verifying = builder()?.with_root_certificates(roots).with_no_client_auth();
        let mut trusting = builder()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider.clone())))
            .with_no_client_auth();
        for config in [&mut verifying, &mut trusting] {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        Ok(Self { verifying: Arc::new(verifying), trusting: Arc::new(trusting) })
    }

    /// Shakes hands with the upstream of a name. The caller bounds the time by shutting the socket down.
    ///
    /// # Errors
    /// If the certificate does not verify or the peer speaks no TLS.
    pub async fn handshake(
        &self,
        stream: Stream,
        host: &str,
        verify: bool,
    ) -> io::Result<TlsStream> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let config = if verify { &self.verifying } else { &self.trusting };
        let connecting =
            TlsConnector::from(config.clone()).connect(name, stream.clone().into_poll());
        let inner = Box::new(RefCell::new(connecting.await?));
        Ok(TlsStream { inner, stream })
    }
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

/// Accepts any certificate, but still checks that the peer holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
