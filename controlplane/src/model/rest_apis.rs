//! A REST API: the root of everything one `apiId` names.

use serde::{Deserialize, Serialize};

use super::wire::wire_enum;
use super::{ApiId, ApiSettings, ResourceId, StringMap, Timestamp};

/// A REST API as GetRestApi shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestApi {
    /// Chosen at creation, for good.
    pub id: ApiId,
    /// Not unique.
    pub name: String,
    /// Never an empty string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was created.
    pub created_date: Timestamp,
    /// The author's version, `info.version` of an import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Media types whose bodies are bytes; `None` instead of an empty list, in the order they were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_media_types: Option<Vec<String>>,
    /// Bytes from which a response is compressed, 0..=10,485,760; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_compression_size: Option<i64>,
    /// Where an API key is read from.
    pub api_key_source: ApiKeySource,
    /// Where the API is placed.
    pub endpoint_configuration: EndpointConfiguration,
    /// The resource policy as JSON text, unescaped (AWS escapes it in answers; that is the wire's affair).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Absent if none was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<StringMap>,
    /// Whether the default host answers 403; effective from the next deployment.
    pub disable_execute_api_endpoint: bool,
    /// The resource `/`.
    pub root_resource_id: ResourceId,
    /// The TLS policy of the default endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<SecurityPolicy>,
    /// How strictly the endpoint checks SNI and Host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_access_mode: Option<EndpointAccessMode>,
    /// What it has beyond AWS; absent instead of empty.
    #[serde(rename = "tidegate", skip_serializing_if = "Option::is_none")]
    pub settings: Option<ApiSettings>,
}

/// Where an API is placed and which addresses it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointConfiguration {
    /// Exactly one value on a REST API.
    pub types: Vec<EndpointType>,
    /// `ipv4` unless PRIVATE, which is `dualstack`.
    pub ip_address_type: IpAddressType,
    /// VPC endpoints of a PRIVATE API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_ids: Option<Vec<String>>,
}

impl EndpointConfiguration {
    /// The configuration AWS gives an API of this type that names nothing else.
    pub fn of(kind: EndpointType) -> Self {
        let ip_address_type = match kind {
            EndpointType::Private => IpAddressType::Dualstack,
            EndpointType::Edge | EndpointType::Regional => IpAddressType::Ipv4,
        };
        Self { types: vec![kind], ip_address_type, vpc_endpoint_ids: None }
    }

    /// Whether the API is reached only from private networks.
    pub fn is_private(&self) -> bool {
        self.types.contains(&EndpointType::Private)
    }
}

wire_enum! {
    /// Where an API is placed. AWS's default is EDGE.
    EndpointType { Private = "PRIVATE", Edge = "EDGE", Regional = "REGIONAL" }
}

wire_enum! {
    /// Address families of the endpoint.
    IpAddressType { Ipv4 = "ipv4", Dualstack = "dualstack" }
}

wire_enum! {
    /// Where the API key of a request is read from.
    ApiKeySource { Header = "HEADER", Authorizer = "AUTHORIZER" }
}

wire_enum! {
    /// How strictly an endpoint checks who it was asked for.
    EndpointAccessMode { Basic = "BASIC", Strict = "STRICT" }
}

wire_enum! {
    /// Progress of a change of the endpoint. Ours are available at once.
    ApiStatus { Updating = "UPDATING", Available = "AVAILABLE", Pending = "PENDING", Failed = "FAILED" }
}

wire_enum! {
    /// TLS versions and ciphers an endpoint accepts.
    SecurityPolicy {
        Tls10 = "TLS_1_0",
        Tls12 = "TLS_1_2",
        Tls13Only = "SecurityPolicy_TLS13_1_3_2025_09",
        Tls13OnlyFips = "SecurityPolicy_TLS13_1_3_FIPS_2025_09",
        Tls13PfsPq = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
        Tls13FipsPq = "SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09",
        Tls13FipsPfsPq = "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09",
        Tls13Ext2Pq = "SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09",
        Tls13Ext2FipsPq = "SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09",
        Tls13Pq = "SecurityPolicy_TLS13_1_2_PQ_2025_09",
        Tls13Of2021 = "SecurityPolicy_TLS13_1_2_2021_06",
        Tls13Edge = "SecurityPolicy_TLS13_2025_EDGE",
        Tls12PfsEdge = "SecurityPolicy_TLS12_PFS_2025_EDGE",
        Tls12Edge = "SecurityPolicy_TLS12_2018_EDGE",
    }
}
