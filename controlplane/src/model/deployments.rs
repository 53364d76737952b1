//! A deployment: an API's configuration, frozen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ContentHash, DeploymentId, HttpMethod, StringMap, Timestamp};

/// A deployment as GetDeployment shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Chosen at creation.
    pub id: DeploymentId,
    /// The one thing that may change later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the configuration was frozen.
    pub created_date: Timestamp,
    /// Only where asked for (`embed=apisummary`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_summary: Option<ApiSummary>,
}

/// What the store keeps of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentRecord {
    /// What callers see; without the summary, which is made from the snapshot when asked for.
    #[serde(flatten)]
    pub deployment: Deployment,
    /// The blob that holds the frozen [`Snapshot`](super::Snapshot) as canonical JSON.
    pub snapshot: ContentHash,
    /// The blob that holds the compiled bundle, in the encoding of the stream.
    pub bundle: ContentHash,
    /// The bundle's id, as the compiler computes it from dialect, API id and canonical form.
    pub bundle_id: ContentHash,
}

/// Path to verb to what the method asks of its caller.
pub type ApiSummary = BTreeMap<String, BTreeMap<HttpMethod, MethodSnapshot>>;

/// What a deployed method asks of its caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodSnapshot {
    /// Who may call.
    pub authorization_type: super::AuthorizationType,
    /// Whether an API key is needed.
    pub api_key_required: bool,
}

/// The canary a deployment is made for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentCanarySettings {
    /// 0.0..=100.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent_traffic: Option<f64>,
    /// Variables that differ from the stage's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_variable_overrides: Option<StringMap>,
    /// Whether the canary shares the stage's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_stage_cache: Option<bool>,
}
