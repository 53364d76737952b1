//! A VPC link: the name by which integrations reach private upstreams.

use serde::{Deserialize, Serialize};

use super::wire::wire_enum;
use super::{StringMap, VpcLinkId};

/// A VPC link as GetVpcLink shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VpcLink {
    /// What integrations name as `connectionId`.
    pub id: VpcLinkId,
    /// Not unique.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Exactly one network load balancer, fixed at creation.
    pub target_arns: Vec<String>,
    /// Whether it can be used.
    pub status: VpcLinkStatus,
    /// What `status` means, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// Absent if none was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<StringMap>,
}

wire_enum! {
    /// Progress of a VPC link.
    VpcLinkStatus { Available = "AVAILABLE", Pending = "PENDING", Deleting = "DELETING", Failed = "FAILED" }
}
