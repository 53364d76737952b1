//! What a method calls, and what the answers mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::wire::wire_enum;
use super::{StatusCode, StringMap};

/// Content type to mapping template; `None` is an empty template, `null` on the wire.
pub type Templates = BTreeMap<String, Option<String>>;

/// An integration as GetIntegration shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// How the upstream is spoken to.
    #[serde(rename = "type")]
    pub kind: IntegrationType,
    /// The verb sent upstream (SDKs call it `integrationHttpMethod`); required but for MOCK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// An URL for HTTP and HTTP_PROXY, an ARN for AWS and AWS_PROXY. May hold `{name}` and `${stageVariables.name}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Present for HTTP and HTTP_PROXY only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_type: Option<ConnectionType>,
    /// The VPC link, may be `${stageVariables.name}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// A role's ARN, or `arn:aws:iam::*:user/*` for the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// `integration.request.{location}.{name}` to a mapping expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_parameters: Option<StringMap>,
    /// By content type of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_templates: Option<Templates>,
    /// What happens to a body no template is for.
    pub passthrough_behavior: PassthroughBehavior,
    /// Conversion of the request body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<ContentHandling>,
    /// 50..=29,000 ms; up to 900,000 where the answer is streamed or the API's settings allow it.
    pub timeout_in_millis: u32,
    /// Which cache entries are shared; the resource's id unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_namespace: Option<String>,
    /// Parameters that are part of the cache key; present even if empty.
    #[serde(default)]
    pub cache_key_parameters: Vec<String>,
    /// By status code; absent instead of empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub integration_responses: BTreeMap<StatusCode, IntegrationResponse>,
    /// How the upstream's certificate is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
    /// Whether the response is collected or passed on as it comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_transfer_mode: Option<ResponseTransferMode>,
    /// A load balancer's listener ARN, for a private integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration_target: Option<String>,
}

impl Integration {
    /// AWS's default for `timeoutInMillis`, and its upper bound where nothing lifts it.
    pub const DEFAULT_TIMEOUT_MS: u32 = 29_000;

    /// An integration of this type with AWS's defaults; the cache namespace stays absent.
    pub fn new(kind: IntegrationType) -> Self {
        Self {
            kind,
            http_method: None,
            uri: None,
            connection_type: kind.is_http().then_some(ConnectionType::Internet),
            connection_id: None,
            credentials: None,
            request_parameters: None,
            request_templates: None,
            passthrough_behavior: PassthroughBehavior::WhenNoMatch,
            content_handling: None,
            timeout_in_millis: Self::DEFAULT_TIMEOUT_MS,
            cache_namespace: None,
            cache_key_parameters: Vec::new(),
            integration_responses: BTreeMap::new(),
            tls_config: None,
            response_transfer_mode: None,
            integration_target: None,
        }
    }
}

/// What one kind of upstream answer becomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationResponse {
    /// The method response it becomes.
    pub status_code: StatusCode,
    /// A regex on the upstream's status or error message; `""` or absent: everything no other response takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_pattern: Option<String>,
    /// `method.response.header.{name}` to a mapping expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_parameters: Option<StringMap>,
    /// By content type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_templates: Option<Templates>,
    /// Conversion of the response body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<ContentHandling>,
}

impl IntegrationResponse {
    /// A response with nothing but its status.
    pub fn new(status_code: StatusCode) -> Self {
        Self {
            status_code,
            selection_pattern: None,
            response_parameters: None,
            response_templates: None,
            content_handling: None,
        }
    }
}

/// How the upstream's certificate is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsConfig {
    /// Skip the check of the issuer (not of the host name).
    #[serde(default)]
    pub insecure_skip_verification: bool,
}

wire_enum! {
    /// How the upstream is spoken to.
    IntegrationType { Http = "HTTP", Mock = "MOCK", AwsProxy = "AWS_PROXY", HttpProxy = "HTTP_PROXY", Aws = "AWS" }
}

impl IntegrationType {
    /// HTTP or HTTP_PROXY: those name an URL and have a connection type.
    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::HttpProxy)
    }

    /// AWS or AWS_PROXY: those name an ARN.
    pub fn is_aws(self) -> bool {
        matches!(self, Self::Aws | Self::AwsProxy)
    }
}

wire_enum! {
    /// The network the upstream is reached through.
    ConnectionType { Internet = "INTERNET", VpcLink = "VPC_LINK" }
}

wire_enum! {
    /// What happens to a request body that no template is for.
    PassthroughBehavior {
        WhenNoMatch = "WHEN_NO_MATCH",
        WhenNoTemplates = "WHEN_NO_TEMPLATES",
        Never = "NEVER",
    }
}

wire_enum! {
    /// Conversion between base64 text and bytes.
    ContentHandling { ConvertToBinary = "CONVERT_TO_BINARY", ConvertToText = "CONVERT_TO_TEXT" }
}

wire_enum! {
    /// Whether a response is collected or passed on as it comes.
    ResponseTransferMode { Buffered = "BUFFERED", Stream = "STREAM" }
}
