//! A client certificate: what a stage shows to its upstreams.

use serde::{Deserialize, Serialize};

use super::{ClientCertificateId, StringMap, Timestamp};
use crate::vault::Sealed;

/// A client certificate as GetClientCertificate shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificate {
    /// What stages name.
    pub client_certificate_id: ClientCertificateId,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The certificate upstreams are to trust.
    pub pem_encoded_certificate: String,
    /// From when it is valid.
    pub created_date: Timestamp,
    /// Until when it is valid.
    pub expiration_date: Timestamp,
    /// Absent if none was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<StringMap>,
}

/// What the store keeps of a client certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificateRecord {
    /// What callers see.
    #[serde(flatten)]
    pub certificate: ClientCertificate,
    /// Its key, PKCS #8 in PEM.
    pub private_key: Sealed,
}
