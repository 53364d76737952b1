//! A resource: one part of a path, with its methods.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{HttpMethod, Method, ResourceId};

/// A resource with its methods, as GetResource with `embed=methods` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Chosen at creation; a move keeps it.
    pub id: ResourceId,
    /// Absent on the root resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<ResourceId>,
    /// The last part of the path: a literal, `{name}` or `{name+}`. Absent on the root resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_part: Option<String>,
    /// The whole path from `/`, kept in step with the ancestors.
    pub path: String,
    /// Absent instead of empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resource_methods: BTreeMap<HttpMethod, Method>,
}

impl Resource {
    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        self.parent_id.is_none()
    }
}
