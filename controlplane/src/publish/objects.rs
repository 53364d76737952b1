//! Rows to objects of the stream.

mod domains;
mod vpc_links;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use tidegate_proto::v1;

use super::catalog::{ApiObjects, Entry};
use crate::model::{ApiId, DeploymentRecord, MethodSetting, RestApi, StageRecord, StringMap};
use crate::store::keys::{self, Part};
use crate::store::{Row, Store, StoreError};

/// A tag `tidegate:placement:{label}` with a value keeps an API to the nodes that carry the label with that value.
pub const PLACEMENT_TAG: &str = "tidegate:placement:";

pub(super) use domains::{domain, domains};
pub(super) use vpc_links::{vpc_link, vpc_links};

/// Every API's id.
pub(super) async fn api_ids(store: &dyn Store) -> Result<Vec<ApiId>, StoreError> {
    let mut ids = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let rows = store.scan(keys::APIS, after.as_deref(), PAGE).await?;
        ids.extend(
            rows.iter().filter_map(|row| ApiId::parse(row.key.strip_prefix(keys::APIS)?).ok()),
        );
        match rows.into_iter().next_back() {
            Some(last) => after = Some(last.key),
            None => return Ok(ids),
        }
    }
}

/// An API's objects as the store has them now; `None` when there is no such API.
///
/// A row that cannot be read takes its own stage out, or the API, and is reported; the others are published.
pub(super) async fn read(store: &dyn Store, id: &ApiId) -> Result<Option<ApiObjects>, StoreError> {
    let Some(row) = store.get(&keys::api(id.as_str())).await? else { return Ok(None) };
    let Some(rest_api) = decode::<RestApi>(&row) else { return Ok(None) };
    let mut bindings = BTreeMap::new();
    for row in store.scan(&keys::kind(id.as_str(), Part::Stage), None, usize::MAX).await? {
        let Some(record) = decode::<StageRecord>(&row) else { continue };
        if let Some(binding) = binding(store, id, &record).await? {
            let key = format!("binding/{id}/{}", record.stage.stage_name);
            bindings.insert(key.clone(), Entry::new(key, v1::object::Kind::Binding(binding)));
        }
    }
    let placement = placement(rest_api.tags.as_ref());
    let api =
        Entry::new(format!("api/{id}"), v1::object::Kind::Api(api(&rest_api, placement.clone())));
    Ok(Some(ApiObjects { placement, api, bindings }))
}

fn api(api: &RestApi, placement: Vec<v1::Pair>) -> v1::Api {
    let endpoint = &api.endpoint_configuration;
    let mut vpc_endpoint_ids = endpoint.vpc_endpoint_ids.clone().unwrap_or_default();
    vpc_endpoint_ids.sort_unstable();
    v1::Api {
        id: api.id.to_string(),
        name: api.name.clone(),
        endpoint_type: endpoint.types.first().map(ToString::to_string).unwrap_or_default(),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint,
        vpc_endpoint_ids,
        placement,
    }
}

fn placement(tags: Option<&StringMap>) -> Vec<v1::Pair> {
    let tags = tags.into_iter().flatten();
    tags.filter_map(|(name, value)| {
        Some(v1::Pair { name: name.strip_prefix(PLACEMENT_TAG)?.to_owned(), value: value.clone() })
    })
    .collect()
}

async fn binding(
    store: &dyn Store,
    api: &ApiId,
    record: &StageRecord,
) -> Result<Option<v1::Binding>, StoreError> {
    let stage = &record.stage;
    let Some(bundle) = bundle_id(store, api, stage.deployment_id.as_str()).await? else {
        return Ok(None);
    };
    let canary = match &stage.canary_settings {
        Some(settings) => {
            let Some(bundle) = bundle_id(store, api, settings.deployment_id.as_str()).await? else {
                return Ok(None);
            };
            Some(v1::Canary {
                bundle,
                deployment_id: settings.deployment_id.to_string(),
                percent: settings.percent_traffic,
                variable_overrides: pairs(settings.stage_variable_overrides.as_ref()),
                use_stage_cache: settings.use_stage_cache,
            })
        }
        None => None,
    };
    Ok(Some(v1::Binding {
        api_id: api.to_string(),
        stage: stage.stage_name.to_string(),
        bundle,
        deployment_id: stage.deployment_id.to_string(),
        canary,
        variables: pairs(stage.variables.as_ref()),
        method_settings: stage
            .method_settings
            .iter()
            .map(|(key, setting)| method_settings(key, setting))
            .collect(),
        cache_generation: record.cache_generation,
        authorizer_generation: record.authorizer_cache_generation,
        access_log: stage.access_log_settings.as_ref().map(|settings| v1::AccessLog {
            destination: settings.destination_arn.clone().unwrap_or_default(),
            format: settings.format.clone().unwrap_or_default(),
        }),
        client_certificate_id: stage.client_certificate_id.clone().unwrap_or_default(),
        tracing: stage.tracing_enabled,
    }))
}

/// The id of a deployment's bundle. `None` when the deployment is not there: it went with the stage that was just read, and
/// the change that says so follows.
async fn bundle_id(
    store: &dyn Store,
    api: &ApiId,
    deployment: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = store.get(&keys::part(api.as_str(), Part::Deployment, deployment)).await?;
    let record = row.as_ref().and_then(decode::<DeploymentRecord>);
    if record.is_none() {
        tracing::warn!(%api, deployment, "a stage names a deployment that cannot be read");
    }
    Ok(record.map(|record| record.bundle_id.0.to_vec()))
}

fn method_settings(key: &str, setting: &MethodSetting) -> v1::MethodSettings {
    v1::MethodSettings {
        key: key.to_owned(),
        metrics: setting.metrics_enabled,
        logging_level: setting.logging_level.map(|level| level.to_string()).unwrap_or_default(),
        data_trace: setting.data_trace_enabled,
        // Negative is AWS's way to say that there is none.
        throttling_burst: u32::try_from(setting.throttling_burst_limit).ok(),
        throttling_rate: Some(setting.throttling_rate_limit).filter(|rate| *rate >= 0.0),
        caching: setting.caching_enabled,
        cache_ttl_seconds: u32::try_from(setting.cache_ttl_in_seconds).unwrap_or(0),
        require_authorization_for_cache_control: setting.require_authorization_for_cache_control,
        unauthorized_cache_control_strategy: setting
            .unauthorized_cache_control_header_strategy
            .to_string(),
    }
}

fn pairs(map: Option<&StringMap>) -> Vec<v1::Pair> {
    let map = map.into_iter().flatten();
    map.map(|(name, value)| v1::Pair { name: name.clone(), value: value.clone() }).collect()
}

fn decode<T: DeserializeOwned>(row: &Row) -> Option<T> {
    let decoded = serde_json::from_slice(&row.value);
    decoded.inspect_err(|cause| tracing::error!(key = row.key, %cause, "row cannot be read; it is not published")).ok()
}

/// APIs read at a time.
const PAGE: usize = 1_000;
