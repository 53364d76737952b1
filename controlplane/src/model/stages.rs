//! A stage: a named pointer to a deployment, with settings that take effect at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::wire::wire_enum;
use super::{DeploymentId, StageName, StringMap, Timestamp};

/// A stage as GetStage shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// What base requests are answered by.
    pub deployment_id: DeploymentId,
    /// The certificate shown to upstreams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_id: Option<String>,
    /// Its name within the API, for good.
    pub stage_name: StageName,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether responses may be cached.
    pub cache_cluster_enabled: bool,
    /// Gigabytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_cluster_size: Option<CacheClusterSize>,
    /// Ours are there at once.
    pub cache_cluster_status: CacheClusterStatus,
    /// `{resource path}/{verb}` or `*/*` to settings; present even if empty. Keys are as they were written, see
    /// [`Stage::method_setting_target`].
    #[serde(default)]
    pub method_settings: BTreeMap<String, MethodSetting>,
    /// Stage variables; absent if none was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<StringMap>,
    /// The documentation version shown with the stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_version: Option<String>,
    /// Where access logs go and how a line looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_log_settings: Option<AccessLogSettings>,
    /// A second, weighted pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_settings: Option<CanarySettings>,
    /// Whether requests are traced.
    pub tracing_enabled: bool,
    /// The web ACL in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_acl_arn: Option<String>,
    /// Absent if none was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<StringMap>,
    /// When it was created.
    pub created_date: Timestamp,
    /// When it last changed.
    pub last_updated_date: Timestamp,
}

impl Stage {
    /// The resource path and the verb a key of `methodSettings` is about; `("*", "*")` is all methods.
    ///
    /// Callers write the path with `~1` for its slashes or plainly, with or without the first one:
    /// `~1pets~1{id}/GET` and `pets/{id}/GET` are both `GET /pets/{id}`. Source: `admin-api` section 6.2.
    pub fn method_setting_target(key: &str) -> Option<(String, &str)> {
        let (path, verb) = key.rsplit_once('/')?;
        if path == "*" {
            return Some(("*".to_owned(), verb));
        }
        let path = path.replace("~1", "/").replace("~0", "~");
        Some((if path.starts_with('/') { path } else { format!("/{path}") }, verb))
    }

    /// A stage with AWS's defaults.
    pub fn new(stage_name: StageName, deployment_id: DeploymentId, now: Timestamp) -> Self {
        Self {
            deployment_id,
            client_certificate_id: None,
            stage_name,
            description: None,
            cache_cluster_enabled: false,
            cache_cluster_size: None,
            cache_cluster_status: CacheClusterStatus::NotAvailable,
            method_settings: BTreeMap::new(),
            variables: None,
            documentation_version: None,
            access_log_settings: None,
            canary_settings: None,
            tracing_enabled: false,
            web_acl_arn: None,
            tags: None,
            created_date: now,
            last_updated_date: now,
        }
    }
}

/// What the store keeps of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageRecord {
    /// What callers see.
    #[serde(flatten)]
    pub stage: Stage,
    /// Raised by FlushStageCache: entries of another generation are not served. Starts with the time in milliseconds,
    /// so that a stage which comes back under its name does not see the entries of the one before.
    #[serde(default)]
    pub cache_generation: u64,
    /// Raised by FlushStageAuthorizersCache.
    #[serde(default)]
    pub authorizer_cache_generation: u64,
}

/// Where access logs go and how a line looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessLogSettings {
    /// A line with `$context` variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// A log group's or delivery stream's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_arn: Option<String>,
}

/// The second, weighted pointer of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanarySettings {
    /// Share of requests, 0.0..=100.0.
    pub percent_traffic: f64,
    /// What canary requests are answered by.
    pub deployment_id: DeploymentId,
    /// Variables that differ from the stage's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_variable_overrides: Option<StringMap>,
    /// Whether the canary shares the stage's cache.
    pub use_stage_cache: bool,
}

/// Settings of one method or, under `*/*`, of all methods without their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodSetting {
    /// Detailed metrics.
    pub metrics_enabled: bool,
    /// Absent until set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging_level: Option<LoggingLevel>,
    /// Log whole requests.
    pub data_trace_enabled: bool,
    /// Requests; -1 is no limit of its own.
    pub throttling_burst_limit: i32,
    /// Requests per second; -1.0 is no limit of its own.
    pub throttling_rate_limit: f64,
    /// Whether responses are cached.
    pub caching_enabled: bool,
    /// 0..=3,600 s.
    pub cache_ttl_in_seconds: i32,
    /// Whether cached bytes are encrypted.
    pub cache_data_encrypted: bool,
    /// Whether `Cache-Control: max-age=0` needs permission.
    pub require_authorization_for_cache_control: bool,
    /// What happens to one without permission.
    pub unauthorized_cache_control_header_strategy: UnauthorizedCacheControlHeaderStrategy,
}

impl Default for MethodSetting {
    /// What AWS fills in when only one leaf was set.
    fn default() -> Self {
        Self {
            metrics_enabled: false,
            logging_level: None,
            data_trace_enabled: false,
            throttling_burst_limit: 5_000,
            throttling_rate_limit: 10_000.0,
            caching_enabled: false,
            cache_ttl_in_seconds: 300,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: true,
            unauthorized_cache_control_header_strategy:
                UnauthorizedCacheControlHeaderStrategy::SucceedWithResponseHeader,
        }
    }
}

wire_enum! {
    /// Gigabytes of a stage's cache.
    CacheClusterSize {
        Gb0_5 = "0.5",
        Gb1_6 = "1.6",
        Gb6_1 = "6.1",
        Gb13_5 = "13.5",
        Gb28_4 = "28.4",
        Gb58_2 = "58.2",
        Gb118 = "118",
        Gb237 = "237",
    }
}

wire_enum! {
    /// State of a stage's cache.
    CacheClusterStatus {
        CreateInProgress = "CREATE_IN_PROGRESS",
        Available = "AVAILABLE",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        NotAvailable = "NOT_AVAILABLE",
        FlushInProgress = "FLUSH_IN_PROGRESS",
    }
}

wire_enum! {
    /// What execution logs hold.
    LoggingLevel { Off = "OFF", Error = "ERROR", Info = "INFO" }
}

wire_enum! {
    /// What happens to a cache-control header without permission.
    UnauthorizedCacheControlHeaderStrategy {
        FailWith403 = "FAIL_WITH_403",
        SucceedWithResponseHeader = "SUCCEED_WITH_RESPONSE_HEADER",
        SucceedWithoutResponseHeader = "SUCCEED_WITHOUT_RESPONSE_HEADER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_method_settings() {
        for (key, want) in [
            ("*/*", Some(("*", "*"))),
            ("~1/GET", Some(("/", "GET"))),
            ("//GET", Some(("/", "GET"))),
            ("~1pets~1{id}/GET", Some(("/pets/{id}", "GET"))),
            ("pets/{id}/GET", Some(("/pets/{id}", "GET"))),
            ("GET", None),
        ] {
            let found = Stage::method_setting_target(key);
            assert_eq!(found.as_ref().map(|(path, verb)| (path.as_str(), *verb)), want, "{key}");
        }
    }
}
