//! A documentation version: all parts of an API's documentation as they were.

use serde::{Deserialize, Serialize};

use super::{ContentHash, Timestamp};

/// A version of the documentation, as GetDocumentationVersion shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentationVersion {
    /// Its name, chosen by the author.
    pub version: String,
    /// When the parts were kept.
    pub created_date: Timestamp,
    /// The one thing that may change later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What the store keeps of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentationVersionRecord {
    /// What callers see.
    #[serde(flatten)]
    pub version: DocumentationVersion,
    /// The blob that holds the parts as they were: a JSON list of [`DocumentationPart`](super::DocumentationPart).
    pub parts: ContentHash,
}
