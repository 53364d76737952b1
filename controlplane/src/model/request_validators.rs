//! A request validator: which parts of a request are checked.

use serde::{Deserialize, Serialize};

use super::RequestValidatorId;

/// A request validator as GetRequestValidator shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestValidator {
    /// Chosen at creation.
    pub id: RequestValidatorId,
    /// Never blank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Check the body against the method's models.
    pub validate_request_body: bool,
    /// Check that required parameters are there.
    pub validate_request_parameters: bool,
}
