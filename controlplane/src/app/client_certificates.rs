//! Client certificates: what stages show to their upstreams, made here and kept with their keys.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Page, Paging, now, tags};
use crate::model::{
    ClientCertificate, ClientCertificateId, ClientCertificateRecord, StringMap, Timestamp,
    WireName as _,
};
use crate::store::{ChangeKind, keys};

impl App {
    /// GenerateClientCertificate: self-signed and valid for a year, as AWS's are. The key is ECDSA on P-256.
    pub async fn generate_client_certificate(
        &self,
        description: Option<String>,
        tags: Option<StringMap>,
    ) -> Result<ClientCertificate, AppError> {
        let tags = tags.filter(|tags| !tags.is_empty());
        tags.iter().try_for_each(tags::check)?;
        let description = description.filter(|text| !text.is_empty());
        let limit = self.settings.limits.client_certificates;
        if self.store.scan(keys::CLIENT_CERTIFICATES, None, limit).await?.len() >= limit {
            return Err(AppError::TooManyInAccount { what: "client certificates" });
        }
        let (from, until) = (now(), Timestamp(now().0 + VALID.whole_seconds()));
        let (certificate, private_key) = self_signed(from, until).map_err(|cause| {
            tracing::error!(%cause, "no client certificate could be made");
            AppError::CertificateNotMade
        })?;
        for mut rows in self.transactions() {
            let id = ClientCertificateId::draw(&mut rand::rng());
            let row = keys::client_certificate(id.as_str());
            if rows.has(&row).await? {
                continue;
            }
            let record = ClientCertificateRecord {
                private_key: self.vault.seal(&row, private_key.as_bytes()),
                certificate: ClientCertificate {
                    client_certificate_id: id,
                    description: description.clone(),
                    pem_encoded_certificate: certificate.clone(),
                    created_date: from,
                    expiration_date: until,
                    tags: tags.clone(),
                },
            };
            rows.put(row, &record, ChangeKind::ClientCertificate);
            if rows.commit().await? {
                return Ok(record.certificate);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// GetClientCertificate.
    pub async fn get_client_certificate(&self, id: &str) -> Result<ClientCertificate, AppError> {
        let record: Option<ClientCertificateRecord> =
            self.row(&keys::client_certificate(id)).await?;
        Ok(record.ok_or(AppError::InvalidClientCertificate)?.certificate)
    }

    /// GetClientCertificates, in the order of their ids.
    pub async fn get_client_certificates(
        &self,
        paging: &Paging,
    ) -> Result<Page<ClientCertificate>, AppError> {
        let page = self.page_of_rows(keys::CLIENT_CERTIFICATES, paging).await?;
        let items =
            page.items.into_iter().map(|record: ClientCertificateRecord| record.certificate);
        Ok(Page { items: items.collect(), position: page.position })
    }

    /// UpdateClientCertificate: the description.
    pub async fn update_client_certificate(
        &self,
        id: &str,
        steps: &[PatchOperation],
    ) -> Result<ClientCertificate, AppError> {
        let row = keys::client_certificate(id);
        for mut rows in self.transactions() {
            let old: Option<ClientCertificateRecord> = rows.get(&row).await?;
            let old = old.ok_or(AppError::InvalidClientCertificate)?;
            let mut record = old.clone();
            for step in steps {
                let (path, op) = (step.path().to_owned(), step.op.name());
                if step.op != PatchOp::Replace {
                    return Err(AppError::PatchOpUnsupported { path, op });
                }
                if path != "/description" {
                    return Err(AppError::PatchPathAmong { path, op, among: "/description" });
                }
                record.certificate.description = step.nullable();
            }
            if record != old {
                rows.put(row.clone(), &record, ChangeKind::ClientCertificate);
            }
            if rows.commit().await? {
                return Ok(record.certificate);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// DeleteClientCertificate, unless a stage uses it.
    pub async fn delete_client_certificate(&self, id: &str) -> Result<(), AppError> {
        let row = keys::client_certificate(id);
        for mut rows in self.transactions() {
            if !rows.has(&row).await? {
                return Err(AppError::InvalidClientCertificate);
            }
            let uses = self.uses_of_client_certificate(id).await?;
            if !uses.is_empty() {
                let uses = uses.join(", ");
                return Err(AppError::ClientCertificateInUse { id: id.to_owned(), uses });
            }
            rows.delete(row.clone(), ChangeKind::ClientCertificate);
            if rows.commit().await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }
}

/// A certificate for calls to upstreams and its key, both in PEM.
fn self_signed(from: Timestamp, until: Timestamp) -> Result<(String, String), rcgen::Error> {
    let time =
        |at: Timestamp| OffsetDateTime::from_unix_timestamp(at.0).map_err(|_| rcgen::Error::Time);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "ApiGateway");
    params.distinguished_name = subject;
    params.not_before = time(from)?;
    params.not_after = time(until)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Source: API Gateway Developer Guide, "Generate and configure an SSL certificate for backend authentication".
const VALID: Duration = Duration::days(365);

#[cfg(test)]
mod tests {
    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::sign::CertifiedKey;

    use super::*;

    #[test]
    fn a_certificate_is_x509_and_comes_with_its_key() {
        let (certificate, key) =
            self_signed(Timestamp(1_700_000_000), Timestamp(1_731_536_000)).unwrap();
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let pair =
            CertifiedKey::from_der(vec![der.clone()], key, &ring::default_provider()).unwrap();
        pair.keys_match().unwrap();
        // The dates as DER has them: UTCTime, RFC 5280, section 4.1.2.5.1.
        for date in ["231114221320Z", "241113221320Z"] {
            assert!(der.windows(date.len()).any(|part| part == date.as_bytes()), "{date}");
        }
    }
    #[tokio::test]
    async fn keys_are_sealed_and_there_are_no_more_than_allowed() {
        let mut settings = crate::app::Settings::default();
        settings.limits.client_certificates = 1;
        let (app, _directory) = crate::app::tests::app(settings);
        let made = app.generate_client_certificate(None, None).await.unwrap();
        let row = keys::client_certificate(made.client_certificate_id.as_str());
        let stored = app.store.get(&row).await.unwrap().unwrap().value;
        assert!(!String::from_utf8(stored).unwrap().contains("PRIVATE KEY"));
        let record: ClientCertificateRecord = app.row(&row).await.unwrap().unwrap();
        let key = app.vault.open_sealed(&row, &record.private_key).unwrap();
        assert!(key.starts_with(b"-----BEGIN PRIVATE KEY-----"));
        assert_eq!(made.expiration_date.0 - made.created_date.0, 365 * 24 * 3_600);
        let refused = app.generate_client_certificate(None, None).await;
        assert!(matches!(refused, Err(AppError::TooManyInAccount { .. })));
    }
}
