//! What an API is given beyond AWS: one small document.

use serde::{Deserialize, Serialize};

use super::wire::wire_enum;
use super::{Integration, ResponseTransferMode, StringMap};

/// An API's settings. Part of its configuration, so they take effect by deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiSettings {
    /// Absent: the gateway adds no CORS header and answers no preflight by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
    /// Where AWS services are, by the name that URIs have for them, or `*` for all others.
    #[serde(default, skip_serializing_if = "StringMap::is_empty")]
    pub endpoints: StringMap,
    /// Absent: AWS's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ApiLimits>,
    /// What holds for methods that say nothing themselves. Absent: off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_validation: Option<ResponseValidation>,
}

impl ApiSettings {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The largest `timeoutInMillis` that an integration may have.
    pub fn max_timeout_ms(settings: Option<&Self>, of: &Integration) -> u32 {
        if of.response_transfer_mode == Some(ResponseTransferMode::Stream) {
            return MAX_TIMEOUT_MS;
        }
        let limits = settings.and_then(|settings| settings.limits);
        let limits = limits.filter(|limits| limits.profile == LimitProfile::Open);
        limits.map_or(Integration::DEFAULT_TIMEOUT_MS, |limits| {
            limits.timeout_millis.unwrap_or(MAX_TIMEOUT_MS)
        })
    }
}

/// Cross-origin resource sharing of a whole API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cors {
    /// `https://app.example`, `https://*.app.example`, `https://*` or `*`.
    pub allow_origins: Vec<String>,
    /// Verbs, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Header names, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Header names, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// Whether requests may carry cookies and credentials.
    #[serde(default)]
    pub allow_credentials: bool,
    /// Seconds, -1..=86,400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i32>,
}

/// The limits of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiLimits {
    /// Whether AWS's limits are the upper bounds.
    #[serde(default)]
    pub profile: LimitProfile,
    /// Largest body, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<u64>,
    /// Largest time limit of an integration, 29,000..=900,000 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_millis: Option<u32>,
}

/// Whether answers are checked against response models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseValidation {
    /// What becomes of an answer that does not fit.
    pub mode: ValidationMode,
}

wire_enum! {
    /// Whose limits hold.
    #[derive(Default)]
    LimitProfile {
        /// AWS's.
        #[default]
        Aws = "aws",
        /// The node's alone.
        Open = "open",
    }
}

wire_enum! {
    /// What becomes of an answer that does not fit its response model.
    ValidationMode { Off = "off", Log = "log", Enforce = "enforce" }
}

/// The largest `timeoutInMillis` there is: AWS's for answers that are streamed, and anyone's with lifted limits.
pub const MAX_TIMEOUT_MS: u32 = 900_000;
