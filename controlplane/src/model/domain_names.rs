//! A custom domain name: the host callers use instead of an API's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::wire::wire_enum;
use super::{
    BasePathMapping, DomainNameId, EndpointAccessMode, EndpointConfiguration, EndpointType,
    HostName, SecurityPolicy, StringMap, Timestamp,
};
use crate::vault::Sealed;

/// A domain name as GetDomainName shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DomainName {
    /// The host, or `*.` and a suffix. Only names of private domains need not be unique.
    pub domain_name: HostName,
    /// Tells private domains of one name apart; absent on public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_name_id: Option<DomainNameId>,
    /// Absent on public domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_name_arn: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_name: Option<String>,
    /// The certificate of an EDGE or PRIVATE endpoint, as the caller named it; nothing is looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<String>,
    /// When an EDGE or PRIVATE endpoint last got its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_upload_date: Option<Timestamp>,
    /// What AWS's users point the DNS of a REGIONAL endpoint at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_domain_name: Option<String>,
    /// Comes with `regionalDomainName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_hosted_zone_id: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_certificate_name: Option<String>,
    /// The certificate of a REGIONAL endpoint, as the caller named it; nothing is looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_certificate_arn: Option<String>,
    /// What AWS's users point the DNS of an EDGE endpoint at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution_domain_name: Option<String>,
    /// Comes with `distributionDomainName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution_hosted_zone_id: Option<String>,
    /// One type; EDGE and REGIONAL together while a domain moves from one to the other.
    pub endpoint_configuration: EndpointConfiguration,
    /// Ours are there at once.
    pub domain_name_status: DomainNameStatus,
    /// TLS versions and ciphers.
    pub security_policy: SecurityPolicy,
    /// How strictly the endpoint checks SNI and Host; only with a `SecurityPolicy_` policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_access_mode: Option<EndpointAccessMode>,
    /// Absent if none was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<StringMap>,
    /// Which certificates callers must show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutual_tls_authentication: Option<MutualTlsAuthentication>,
    /// Proves ownership where mutual TLS uses a private certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ownership_verification_certificate_arn: Option<String>,
    /// Who may associate access sources with a private domain; JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_policy: Option<String>,
    /// Who may invoke through a private domain; JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What finds the API.
    pub routing_mode: RoutingMode,
}

impl DomainName {
    /// Whether it is reached only from private networks.
    pub fn is_private(&self) -> bool {
        self.endpoint_configuration.is_private()
    }

    /// Whether it has an endpoint of this type.
    pub fn has(&self, kind: EndpointType) -> bool {
        self.endpoint_configuration.types.contains(&kind)
    }

    /// The name, and the id where names are not unique: `{name}` or `{name}+{id}`.
    pub fn key(&self) -> String {
        match &self.domain_name_id {
            Some(id) => format!("{}+{id}", self.domain_name),
            None => self.domain_name.to_string(),
        }
    }
}

/// What the store keeps of a domain name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DomainNameRecord {
    /// What callers see.
    #[serde(flatten)]
    pub domain_name: DomainName,
    /// A certificate that came with the call instead of an ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<UploadedCertificate>,
    /// By base path.
    #[serde(default)]
    pub mappings: BTreeMap<String, BasePathMapping>,
}

/// A certificate that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadedCertificate {
    /// One certificate, PEM.
    pub body: String,
    /// The certificates between it and a root, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// The key of `body`, PEM.
    pub private_key: Sealed,
}

/// Which certificates callers must show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MutualTlsAuthentication {
    /// `s3://{bucket}/{key}`.
    pub truststore_uri: String,
    /// A version of that object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truststore_version: Option<String>,
}

wire_enum! {
    /// Progress of a change of the domain.
    DomainNameStatus {
        Available = "AVAILABLE",
        Updating = "UPDATING",
        Pending = "PENDING",
        PendingCertificateReimport = "PENDING_CERTIFICATE_REIMPORT",
        PendingOwnershipVerification = "PENDING_OWNERSHIP_VERIFICATION",
        Failed = "FAILED",
    }
}

wire_enum! {
    /// What finds the API of a request to a custom domain.
    RoutingMode {
        BasePathMappingOnly = "BASE_PATH_MAPPING_ONLY",
        RoutingRuleOnly = "ROUTING_RULE_ONLY",
        RoutingRuleThenBasePathMapping = "ROUTING_RULE_THEN_BASE_PATH_MAPPING",
    }
}

wire_enum! {
    /// Whose resources a list shows.
    ResourceOwner { Own = "SELF", OtherAccounts = "OTHER_ACCOUNTS" }
}
