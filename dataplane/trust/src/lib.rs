//! Which upstreams are believed to be who they are: the TLS settings that nodes and test calls share.
#![warn(missing_docs)]

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// Settings for HTTP/1.1 over TLS 1.2 and 1.3 to upstreams. Sessions are resumed across all who share one.
#[derive(Clone, Debug)]
pub struct Trust {
    verifying: Arc<ClientConfig>,
    trusting: Arc<ClientConfig>,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
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

impl Trust {
    /// Trusts what browsers trust, and the certificates of a PEM file besides.
    ///
    /// # Errors
    /// If the file cannot be read or holds no certificate.
    pub fn new(extra: Option<&Path>) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(path) = extra {
            let refused =
                |cause| TrustError::Certificates { path: path.display().to_string(), cause };
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

    /// The settings for an upstream; without `verify` for integrations with `insecureSkipVerification`.
    pub fn config(&self, verify: bool) -> &Arc<ClientConfig> {
        if verify { &self.verifying } else { &self.trusting }
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
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
