//! Certificates that are uploaded with a domain name: read, and checked against their keys.

use rustls::Error;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::CreateDomainName;
use crate::app::AppError;

/// An uploaded certificate with its key, all in PEM.
#[derive(Debug)]
pub(super) struct Pem {
    pub(super) body: String,
    pub(super) chain: Option<String>,
    pub(super) private_key: String,
}

/// The certificate that comes with a call, if one does.
pub(super) fn uploaded(input: &CreateDomainName) -> Result<Option<Pem>, AppError> {
    let text = |member: &Option<String>| member.clone().filter(|text| !text.is_empty());
    let chain = text(&input.certificate_chain);
    let (body, private_key) =
        match (text(&input.certificate_body), text(&input.certificate_private_key)) {
            (Some(body), Some(private_key)) => (body, private_key),
            (Some(_), None) => return Err(refuse(KEY, "a certificateBody needs its key")),
            (None, Some(_)) => {
                return Err(refuse(BODY, "a certificatePrivateKey needs its certificate"));
            }
            (None, None) if chain.is_some() => {
                return Err(refuse(
                    BODY,
                    "a certificateChain needs the certificate it begins with",
                ));
            }
            (None, None) => return Ok(None),
        };
    check(&body, chain.as_deref(), &private_key)?;
    Ok(Some(Pem { body, chain, private_key }))
}

fn check(body: &str, chain: Option<&str>, private_key: &str) -> Result<(), AppError> {
    let mut certificates = read(BODY, body)?;
    if certificates.len() != 1 {
        return Err(refuse(BODY, "it must hold exactly one certificate in PEM"));
    }
    if let Some(chain) = chain {
        certificates.extend(read(CHAIN, chain)?);
    }
    let key = PrivateKeyDer::from_pem_slice(private_key.as_bytes())
        .map_err(|_| refuse(KEY, "it must hold a private key in PEM"))?;
    // What the nodes' TLS can use is what is accepted here.
    match CertifiedKey::from_der(certificates, key, &ring::default_provider()) {
        Ok(_) => Ok(()),
        Err(Error::InconsistentKeys(_)) => {
            Err(refuse(KEY, "it is not the key of the certificateBody"))
        }
        Err(Error::InvalidCertificate(_)) => Err(refuse(BODY, "it is not an X.509 certificate")),
        Err(_) => Err(refuse(KEY, "it is not an RSA, ECDSA or Ed25519 key that can be used")),
    }
}

fn read(member: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, AppError> {
    let unreadable = || refuse(member, "it must hold certificates in PEM");
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| unreadable())?;
    if found.is_empty() { Err(unreadable()) } else { Ok(found) }
}

fn refuse(member: &'static str, reason: &'static str) -> AppError {
    AppError::InvalidCertificate { member, reason }
}

const BODY: &str = "certificateBody";
const CHAIN: &str = "certificateChain";
const KEY: &str = "certificatePrivateKey";

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str, chain: Option<&str>, key: &str) -> String {
        let owned = |text: &str| Some(text.to_owned());
        let input = CreateDomainName {
            certificate_body: owned(body),
            certificate_private_key: owned(key),
            certificate_chain: chain.and_then(owned),
            ..Default::default()
        };
        uploaded(&input).map_or_else(|refused| refused.to_string(), |_| "ok".to_owned())
    }

    #[test]
    fn a_certificate_is_taken_with_its_key_alone() {
        let make = || {
            let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
            (made.cert.pem(), made.signing_key.serialize_pem())
        };
        let ((one, key), (two, other)) = (make(), make());
        assert_eq!(told(&one, None, &key), "ok");
        assert_eq!(told(&one, Some(&format!("{two}{one}")), &key), "ok");
        let der = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        let deep = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            "MIAw".repeat(50_000)
        );
        let huge = "A".repeat(5_000_000);
        for (body, chain, private_key, want) in [
            (
                &*one,
                None,
                &*other,
                "Invalid certificatePrivateKey specified: it is not the key of the certificateBody",
            ),
            (
                "x",
                None,
                &key,
                "Invalid certificateBody specified: it must hold certificates in PEM",
            ),
            (
                &huge,
                None,
                &key,
                "Invalid certificateBody specified: it must hold certificates in PEM",
            ),
            (
                "\u{0}\u{1b}[31m",
                None,
                &key,
                "Invalid certificateBody specified: it must hold certificates in PEM",
            ),
            (
                &format!("{one}{two}"),
                None,
                &key,
                "Invalid certificateBody specified: it must hold exactly one certificate in PEM",
            ),
            (
                &one[..one.len() / 2],
                None,
                &key,
                "Invalid certificateBody specified: it must hold certificates in PEM",
            ),
            (der, None, &key, "Invalid certificateBody specified: it is not an X.509 certificate"),
            (
                &deep,
                None,
                &key,
                "Invalid certificateBody specified: it is not an X.509 certificate",
            ),
            (
                &one,
                Some("x"),
                &key,
                "Invalid certificateChain specified: it must hold certificates in PEM",
            ),
            (
                &one,
                None,
                &one,
                "Invalid certificatePrivateKey specified: it must hold a private key in PEM",
            ),
            (
                &one,
                None,
                "",
                "Invalid certificatePrivateKey specified: a certificateBody needs its key",
            ),
            (
                "",
                None,
                &key,
                "Invalid certificateBody specified: a certificatePrivateKey needs its certificate",
            ),
            (
                "",
                Some(&one),
                "",
                "Invalid certificateBody specified: a certificateChain needs the certificate it begins with",
            ),
            (
                &one,
                None,
                "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
                "Invalid certificatePrivateKey specified: it is not an RSA, ECDSA or Ed25519 key that can be used",
            ),
        ] {
            assert_eq!(told(body, chain, private_key), want);
        }
    }
}
