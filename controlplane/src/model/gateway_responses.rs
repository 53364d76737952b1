//! A gateway response: what the gateway itself says when a request does not reach an integration.

use serde::{Deserialize, Serialize};

use super::wire::wire_enum;
use super::{StatusCode, StringMap, WireName as _};

/// A gateway response that was changed from AWS's default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayResponse {
    /// Why the gateway answers.
    pub response_type: ResponseType,
    /// Absent: the cause's own status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<StatusCode>,
    /// `gatewayresponse.header.{name}` and the like to a mapping expression.
    #[serde(default)]
    pub response_parameters: StringMap,
    /// Content type to template; variables only, no VTL.
    #[serde(default)]
    pub response_templates: StringMap,
    /// False on every stored one; true when a default is shown.
    pub default_response: bool,
}

impl GatewayResponse {
    /// What AWS answers while nothing was changed.
    pub fn default_for(response_type: ResponseType) -> Self {
        Self {
            response_type,
            status_code: response_type.default_status().and_then(StatusCode::new),
            response_parameters: StringMap::new(),
            response_templates: StringMap::from([(
                "application/json".to_owned(),
                r#"{"message":$context.error.messageString}"#.to_owned(),
            )]),
            default_response: true,
        }
    }
}

wire_enum! {
    /// Why the gateway itself answers.
    ResponseType {
        AccessDenied = "ACCESS_DENIED",
        ApiConfigurationError = "API_CONFIGURATION_ERROR",
        AuthorizerConfigurationError = "AUTHORIZER_CONFIGURATION_ERROR",
        AuthorizerFailure = "AUTHORIZER_FAILURE",
        BadRequestBody = "BAD_REQUEST_BODY",
        BadRequestParameters = "BAD_REQUEST_PARAMETERS",
        /// Tidegate's own.
        BadResponseBody = "BAD_RESPONSE_BODY",
        Default4xx = "DEFAULT_4XX",
        Default5xx = "DEFAULT_5XX",
        ExpiredToken = "EXPIRED_TOKEN",
        IntegrationFailure = "INTEGRATION_FAILURE",
        IntegrationTimeout = "INTEGRATION_TIMEOUT",
        InvalidApiKey = "INVALID_API_KEY",
        InvalidSignature = "INVALID_SIGNATURE",
        MissingAuthenticationToken = "MISSING_AUTHENTICATION_TOKEN",
        QuotaExceeded = "QUOTA_EXCEEDED",
        RequestTooLarge = "REQUEST_TOO_LARGE",
        ResourceNotFound = "RESOURCE_NOT_FOUND",
        Throttled = "THROTTLED",
        Unauthorized = "UNAUTHORIZED",
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
        WafFiltered = "WAF_FILTERED",
    }
}

impl ResponseType {
    /// Whether AWS has it, too.
    pub fn is_aws(self) -> bool {
        self != Self::BadResponseBody
    }

    /// The status while nothing was changed; `None` for the two fallbacks.
    ///
    /// Source: API Gateway Developer Guide, "Gateway response types".
    pub fn default_status(self) -> Option<u16> {
        tidegate_engine::respond::ResponseType::parse(self.name())?.status()
    }
}
