//! A model: a JSON schema that bodies are checked against.

use serde::{Deserialize, Serialize};

use super::ModelId;

/// A model as GetModel shows it; addressed by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Informational.
    pub id: ModelId,
    /// Letters and digits.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON schema (draft 4) as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The content type it describes.
    pub content_type: String,
}
