//! Usage plans: which API stages the callers of some API keys may use, how fast and how often.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ApiId, QuotaPeriod, StageName, StringMap, Timestamp, UsagePlanId};

/// A usage plan as GetUsagePlan shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsagePlan {
    /// Its id.
    pub id: UsagePlanId,
    /// Not unique; never empty.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it covers; each stage once. Present even if empty.
    pub api_stages: Vec<ApiStage>,
    /// Of each key, over all stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<ThrottleSettings>,
    /// Of each key, over all stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSettings>,
    /// The product of a marketplace it is sold as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
    /// Absent if none was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<StringMap>,
}

impl UsagePlan {
    /// What the plan says of an API stage.
    pub fn api_stage(&self, api: &str, stage: &str) -> Option<&ApiStage> {
        self.api_stages.iter().find(|covered| covered.is(api, stage))
    }
}

/// A stage a usage plan covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiStage {
    /// The API.
    pub api_id: ApiId,
    /// One of its stages.
    pub stage: StageName,
    /// `{resource path}/{verb}`, such as `/pets/GET`, to the limits of each key there, in place of the plan's. Keys are as
    /// they were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<BTreeMap<String, ThrottleSettings>>,
}

impl ApiStage {
    /// Whether it is this stage.
    pub fn is(&self, api: &str, stage: &str) -> bool {
        self.api_id.as_str() == api && self.stage.as_str() == stage
    }
}

/// A token bucket. What is absent is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleSettings {
    /// Requests. May be more than the rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst_limit: Option<i32>,
    /// Requests per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<f64>,
}

impl ThrottleSettings {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How many requests a key has in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaSettings {
    /// Requests per period.
    pub limit: i32,
    /// Requests less in the period the quota began in. Source: the service model, `QuotaSettings$offset`.
    pub offset: i32,
    /// How long the limit holds.
    pub period: QuotaPeriod,
}

/// What the store keeps of a usage plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsagePlanRecord {
    /// What callers of the admin API see.
    #[serde(flatten)]
    pub plan: UsagePlan,
    /// When the quota began: when it was set first, or given another period. Absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_since: Option<Timestamp>,
}
