//! API keys: who a caller is to usage plans.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ApiKeyId, ContentHash, StringMap, Timestamp, UsagePlanId};
use crate::vault::Sealed;

/// An API key as GetApiKey shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Also the id of its usage plan keys.
    pub id: ApiKeyId,
    /// Not unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who the key belongs to in another system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether callers may use it.
    pub enabled: bool,
    /// When it was created.
    pub created_date: Timestamp,
    /// When it last changed.
    pub last_updated_date: Timestamp,
    /// `{api}/{stage}` each: what it was for before there were usage plans. Lets nobody in.
    pub stage_keys: Vec<String>,
    /// Absent if none was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<StringMap>,
}

/// What the store keeps of an API key: everything a node needs to let its callers in, and the value under seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyRecord {
    /// What callers of the admin API see.
    #[serde(flatten)]
    pub key: ApiKey,
    /// What callers send, sealed for this row.
    pub sealed_value: Sealed,
    /// SHA-256 of the value: finds the key, and the row that keeps values unique.
    pub value_hash: ContentHash,
    /// The usage plans it is in.
    #[serde(default)]
    pub usage_plans: BTreeSet<UsagePlanId>,
}
