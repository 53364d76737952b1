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

impl Model {
    /// Whether a model may have this name: letters and digits. Source: the service model, CreateModel.
    pub fn is_name(name: &str) -> bool {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
    }

    /// The name in a reference to another model, `https://{any host}/restapis/{any API}/models/{name}`.
    ///
    /// The API's id is not compared: a copy of an API keeps the texts of its models. Source: `admin-api` section 11.
    pub fn named_by(reference: &str) -> Option<&str> {
        let rest = reference.strip_prefix("https://")?;
        let (_, rest) = rest.split_once("/restapis/")?;
        let (_, name) = rest.split_once("/models/")?;
        Self::is_name(name).then_some(name)
    }
}
