//! A method of a resource and what it may answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::wire::wire_enum;
use super::{AuthorizerId, Integration, RequestValidatorId, StringMap, ValidationMode};

/// A method as GetMethod shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    /// The verb a request must have; ANY takes what no other method of the resource takes.
    pub http_method: HttpMethod,
    /// Who may call.
    pub authorization_type: AuthorizationType,
    /// The authorizer of CUSTOM, COGNITO_USER_POOLS and JWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_id: Option<AuthorizerId>,
    /// Whether a request needs an API key of a usage plan of the stage.
    pub api_key_required: bool,
    /// What of the request is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_validator_id: Option<RequestValidatorId>,
    /// A name for generated clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// `method.request.{location}.{name}` to whether it is required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_parameters: Option<BTreeMap<String, bool>>,
    /// Content type to model name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_models: Option<StringMap>,
    /// By status code; absent instead of empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub method_responses: BTreeMap<StatusCode, MethodResponse>,
    /// What the method calls; a deployment needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method_integration: Option<Integration>,
    /// OAuth scopes a token must hold one of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_scopes: Option<Vec<String>>,
    /// Beyond AWS: whether answers are checked against response models; absent: as the API's settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_validation: Option<ValidationMode>,
}

impl Method {
    /// A method with nothing but its verb and authorization.
    pub fn new(http_method: HttpMethod, authorization_type: AuthorizationType) -> Self {
        Self {
            http_method,
            authorization_type,
            authorizer_id: None,
            api_key_required: false,
            request_validator_id: None,
            operation_name: None,
            request_parameters: None,
            request_models: None,
            method_responses: BTreeMap::new(),
            method_integration: None,
            authorization_scopes: None,
            response_validation: None,
        }
    }
}

/// An answer a method may give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodResponse {
    /// Its status.
    pub status_code: StatusCode,
    /// `method.response.header.{name}` to whether it is required. `{}` stays `{}`, absent stays absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_parameters: Option<BTreeMap<String, bool>>,
    /// Content type to model name. `{}` stays `{}`, absent stays absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_models: Option<StringMap>,
}

impl MethodResponse {
    /// A response with nothing but its status.
    pub fn new(status_code: StatusCode) -> Self {
        Self { status_code, response_parameters: None, response_models: None }
    }
}

wire_enum! {
    /// The verbs a method may have.
    HttpMethod {
        Any = "ANY",
        Delete = "DELETE",
        Get = "GET",
        Head = "HEAD",
        Options = "OPTIONS",
        Patch = "PATCH",
        Post = "POST",
        Put = "PUT",
    }
}

wire_enum! {
    /// Who may call a method.
    AuthorizationType {
        None = "NONE",
        AwsIam = "AWS_IAM",
        Custom = "CUSTOM",
        CognitoUserPools = "COGNITO_USER_POOLS",
        Jwt = "JWT",
    }
}

impl AuthorizationType {
    /// Whether the method names an authorizer.
    pub fn needs_authorizer(self) -> bool {
        matches!(self, Self::Custom | Self::CognitoUserPools | Self::Jwt)
    }
}

/// An HTTP status 100..=599; a string of three digits on the wire (pattern `[1-5]\d\d`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u16);

impl StatusCode {
    /// The pattern AWS names when a value does not match it.
    pub const PATTERN: &'static str = r"[1-5]\d\d";

    /// The status with this number.
    pub fn new(code: u16) -> Option<Self> {
        (100..=599).contains(&code).then_some(Self(code))
    }

    /// The status spelled with exactly three digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 3 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Self::new(text.parse().ok()?)
    }

    /// The number.
    pub fn code(self) -> u16 {
        self.0
    }
}

impl std::fmt::Display for StatusCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for StatusCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StatusCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom(format_args!("{text:?} is no status code")))
    }
}
