//! A base path mapping: which API answers below a path of a custom domain.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ApiId, StageName};

/// A mapping as GetBasePathMapping shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BasePathMapping {
    /// One path segment, or [`BasePathMapping::ROOT`].
    pub base_path: String,
    /// The API.
    pub rest_api_id: ApiId,
    /// Absent: callers put the stage into the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageName>,
}

impl BasePathMapping {
    /// How the empty base path is spelled, on the wire and in the store.
    pub const ROOT: &str = "(none)";
}

/// Where custom domains name an API: domain, as [`DomainName::key`](super::DomainName::key) has it, to base path to stage.
pub type MappingsOfApi = BTreeMap<String, BTreeMap<String, Option<StageName>>>;
