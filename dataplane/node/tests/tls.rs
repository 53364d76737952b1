//! `https` upstreams: certificates that verify, that do not, and that nobody asked to verify.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use support::{Gateway, Options, http_proxy, on_both, resource};

/// A TLS server that answers every request, and counts the connections it got.
fn server(certified: &rcgen::CertifiedKey<rcgen::KeyPair>) -> (SocketAddr, Arc<AtomicUsize>) {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            let config = config.clone();
            std::thread::spawn(move || {
                let session = rustls::ServerConnection::new(config).unwrap();
                let mut stream = rustls::StreamOwned::new(session, stream);
                let mut head = Vec::new();
                let mut byte = [0];
                while stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                    if head.ends_with(b"\r\n\r\n") {
                        head.clear();
                        let body = "x".repeat(100_000);
                        let answer = format!(
                            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                            body.len()
                        );
                        stream.write_all(answer.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    (address, count)
}

#[test]
fn an_upstream_by_https_is_verified_unless_the_integration_says_otherwise() {
    on_both(|driver| {
        let certified = rcgen::generate_simple_self_signed(vec!["upstream.test".into()]).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), certified.cert.pem()).unwrap();
        let (address, connections) = server(&certified);
        let named = format!("https://upstream.test:{}/", address.port());
        let by_address = format!("https://{address}/");
        let mut trusting = http_proxy(&by_address, &[]);
        trusting.insecure_skip_verification = true;
        let resources = || {
            vec![
                resource("/named", "GET", http_proxy(&named, &[])),
                resource("/other-name", "GET", http_proxy(&by_address, &[])),
                resource("/trusting", "GET", trusting.clone()),
            ]
        };

        let options = Options { upstream_ca: Some(file.path().into()), ..Options::on(driver) };
        let gateway = Gateway::with(options, resources());
        for _ in 0..3 {
            let answer = gateway.get("/named");
            assert_eq!((answer.status, answer.body.len()), (200, 100_000), "{driver:?}");
        }
        assert_eq!(
            connections.load(Ordering::Relaxed),
            1,
            "{driver:?}: the connection is used again"
        );
        assert_eq!(
            gateway.get("/other-name").status,
            504,
            "{driver:?}: the certificate has another name"
        );
        assert_eq!(gateway.get("/trusting").status, 200);

        let gateway = Gateway::with(Options::on(driver), resources());
        assert_eq!(
            gateway.get("/named").status,
            504,
            "{driver:?}: nobody vouches for the certificate"
        );
    });
}
