//! Model to protobuf and back: the only place that knows both.

mod usage;

use std::collections::BTreeMap;

use tidegate_proto::v1;

use super::error::Refused;
use crate::app::account::Account;
use crate::app::{Paging, PatchOp, PatchOperation};
use crate::compile::settings;
use crate::model::{
    CanarySettings, Deployment, Integration, IntegrationResponse, Method, MethodResponse,
    MethodSetting, Resource, RestApi, Stage, StatusCode, StringMap, Templates, WireName,
};

pub(super) use usage::{
    api_key, create_api_key, create_usage_plan, usage, usage_plan, usage_plan_key,
};

/// An empty text is an absent one.
pub(super) fn optional(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// An empty map is an absent one.
pub(super) fn optional_map(map: StringMap) -> Option<StringMap> {
    Some(map).filter(|map| !map.is_empty())
}

/// One of a set by AWS's name; an empty text is none.
pub(super) fn named<T: WireName>(member: &str, name: &str) -> Result<Option<T>, Refused> {
    if name.is_empty() {
        return Ok(None);
    }
    let known = T::from_name(name);
    known.map(Some).ok_or_else(|| {
        let set: Vec<&str> = T::ALL.iter().map(|value| value.name()).collect();
        Refused::Invalid(format!("{member} {name:?} is none of {}", set.join(", ")))
    })
}

/// An empty template is `null`.
pub(super) fn templates(map: StringMap) -> Option<Templates> {
    let map = optional_map(map)?;
    Some(map.into_iter().map(|(kind, text)| (kind, optional(text))).collect())
}

/// A status a response may have.
pub(super) fn status_code(code: u32) -> Result<StatusCode, Refused> {
    let known = u16::try_from(code).ok().and_then(StatusCode::new);
    known.ok_or_else(|| Refused::Invalid(format!("status_code {code} is not within 100..=599")))
}

/// Which part of a list.
pub(super) fn paging(paging: Option<v1::Paging>) -> Paging {
    let paging = paging.unwrap_or_default();
    Paging { position: optional(paging.position), limit: Some(i64::from(paging.limit)) }
}

/// The steps of an update.
pub(super) fn patch(steps: Vec<v1::PatchOperation>) -> Result<Vec<PatchOperation>, Refused> {
    let step = |step: v1::PatchOperation| {
        let op: Option<PatchOp> = named("patch_operations.op", &step.op)?;
        Ok(PatchOperation {
            op: op.ok_or_else(|| Refused::missing("patch_operations.op"))?,
            path: optional(step.path),
            value: step.value,
            from: step.from,
        })
    };
    steps.into_iter().map(step).collect()
}

pub(super) fn name<T: WireName>(value: Option<T>) -> String {
    value.map(|value| value.name().to_owned()).unwrap_or_default()
}

pub(super) fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn filled(templates: Option<Templates>) -> BTreeMap<String, String> {
    let each = templates.unwrap_or_default().into_iter();
    each.map(|(kind, template)| (kind, template.unwrap_or_default())).collect()
}

pub(super) fn rest_api(api: RestApi) -> v1::RestApi {
    let endpoint = api.endpoint_configuration;
    v1::RestApi {
        id: api.id.to_string(),
        name: api.name,
        description: api.description.unwrap_or_default(),
        created_date: api.created_date.0,
        version: api.version.unwrap_or_default(),
        binary_media_types: api.binary_media_types.unwrap_or_default(),
        minimum_compression_size: api.minimum_compression_size,
        api_key_source: api.api_key_source.to_string(),
        endpoint_configuration: Some(v1::EndpointConfiguration {
            r#type: name(endpoint.types.first().copied()),
            ip_address_type: endpoint.ip_address_type.to_string(),
            vpc_endpoint_ids: endpoint.vpc_endpoint_ids.unwrap_or_default(),
        }),
        policy: api.policy.unwrap_or_default(),
        tags: api.tags.unwrap_or_default(),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint,
        root_resource_id: api.root_resource_id.to_string(),
        security_policy: name(api.security_policy),
        endpoint_access_mode: name(api.endpoint_access_mode),
        settings: api.settings.as_ref().map(settings::message),
    }
}

pub(super) fn resource(resource: Resource) -> v1::RestResource {
    v1::RestResource {
        id: resource.id.to_string(),
        parent_id: text(resource.parent_id),
        path_part: resource.path_part.unwrap_or_default(),
        path: resource.path,
        methods: resource.resource_methods.into_values().map(method).collect(),
    }
}

pub(super) fn method(method: Method) -> v1::RestMethod {
    v1::RestMethod {
        http_method: method.http_method.to_string(),
        authorization_type: method.authorization_type.to_string(),
        authorizer_id: text(method.authorizer_id),
        authorization_scopes: method.authorization_scopes.unwrap_or_default(),
        api_key_required: method.api_key_required,
        operation_name: method.operation_name.unwrap_or_default(),
        request_validator_id: text(method.request_validator_id),
        request_parameters: method.request_parameters.unwrap_or_default(),
        request_models: method.request_models.unwrap_or_default(),
        responses: method.method_responses.into_values().map(method_response).collect(),
        integration: method.method_integration.map(integration),
        response_validation: name(method.response_validation),
    }
}

pub(super) fn method_response(response: MethodResponse) -> v1::RestMethodResponse {
    v1::RestMethodResponse {
        status_code: u32::from(response.status_code.code()),
        response_parameters: response.response_parameters.unwrap_or_default(),
        response_models: response.response_models.unwrap_or_default(),
    }
}

pub(super) fn integration(integration: Integration) -> v1::RestIntegration {
    let responses = integration.integration_responses.into_values();
    v1::RestIntegration {
        r#type: integration.kind.to_string(),
        http_method: integration.http_method.unwrap_or_default(),
        uri: integration.uri.unwrap_or_default(),
        connection_type: name(integration.connection_type),
        connection_id: integration.connection_id.unwrap_or_default(),
        credentials: integration.credentials.unwrap_or_default(),
        request_parameters: integration.request_parameters.unwrap_or_default(),
        request_templates: filled(integration.request_templates),
        passthrough_behavior: integration.passthrough_behavior.to_string(),
        content_handling: name(integration.content_handling),
        timeout_ms: integration.timeout_in_millis,
        cache_namespace: integration.cache_namespace.unwrap_or_default(),
        cache_key_parameters: integration.cache_key_parameters,
        insecure_skip_verification: integration
            .tls_config
            .map(|tls| tls.insecure_skip_verification),
        response_transfer_mode: name(integration.response_transfer_mode),
        integration_target: integration.integration_target.unwrap_or_default(),
        responses: responses.map(integration_response).collect(),
    }
}

pub(super) fn integration_response(response: IntegrationResponse) -> v1::RestIntegrationResponse {
    v1::RestIntegrationResponse {
        status_code: u32::from(response.status_code.code()),
        selection_pattern: response.selection_pattern.unwrap_or_default(),
        response_parameters: response.response_parameters.unwrap_or_default(),
        response_templates: filled(response.response_templates),
        content_handling: name(response.content_handling),
    }
}

pub(super) fn deployment(deployment: Deployment) -> v1::Deployment {
    let mut summary = Vec::new();
    for (path, methods) in deployment.api_summary.unwrap_or_default() {
        for (verb, method) in methods {
            summary.push(v1::MethodSummary {
                path: path.clone(),
                http_method: verb.to_string(),
                authorization_type: method.authorization_type.to_string(),
                api_key_required: method.api_key_required,
            });
        }
    }
    v1::Deployment {
        id: deployment.id.to_string(),
        description: deployment.description.unwrap_or_default(),
        created_date: deployment.created_date.0,
        summary,
    }
}

pub(super) fn stage(stage: Stage) -> v1::Stage {
    let settings = stage.method_settings.into_iter();
    v1::Stage {
        stage_name: stage.stage_name.to_string(),
        deployment_id: stage.deployment_id.to_string(),
        description: stage.description.unwrap_or_default(),
        variables: stage.variables.unwrap_or_default(),
        canary: stage.canary_settings.map(canary),
        method_settings: settings.map(|(key, setting)| (key, method_setting(setting))).collect(),
        cache_cluster_enabled: stage.cache_cluster_enabled,
        cache_cluster_size: name(stage.cache_cluster_size),
        cache_cluster_status: stage.cache_cluster_status.to_string(),
        documentation_version: stage.documentation_version.unwrap_or_default(),
        access_log: stage.access_log_settings.map(|log| v1::StageAccessLog {
            format: log.format.unwrap_or_default(),
            destination_arn: log.destination_arn.unwrap_or_default(),
        }),
        client_certificate_id: stage.client_certificate_id.unwrap_or_default(),
        tracing_enabled: stage.tracing_enabled,
        web_acl_arn: stage.web_acl_arn.unwrap_or_default(),
        tags: stage.tags.unwrap_or_default(),
        created_date: stage.created_date.0,
        last_updated_date: stage.last_updated_date.0,
    }
}

fn canary(canary: CanarySettings) -> v1::StageCanary {
    v1::StageCanary {
        percent_traffic: canary.percent_traffic,
        deployment_id: canary.deployment_id.to_string(),
        stage_variable_overrides: canary.stage_variable_overrides.unwrap_or_default(),
        use_stage_cache: canary.use_stage_cache,
    }
}

fn method_setting(setting: MethodSetting) -> v1::StageMethodSetting {
    v1::StageMethodSetting {
        metrics_enabled: setting.metrics_enabled,
        logging_level: name(setting.logging_level),
        data_trace_enabled: setting.data_trace_enabled,
        throttling_burst_limit: setting.throttling_burst_limit,
        throttling_rate_limit: setting.throttling_rate_limit,
        caching_enabled: setting.caching_enabled,
        cache_ttl_seconds: setting.cache_ttl_in_seconds,
        cache_data_encrypted: setting.cache_data_encrypted,
        require_authorization_for_cache_control: setting.require_authorization_for_cache_control,
        unauthorized_cache_control_header_strategy: setting
            .unauthorized_cache_control_header_strategy
            .to_string(),
    }
}

pub(super) fn account(account: Account) -> v1::AccountSettings {
    v1::AccountSettings {
        cloudwatch_role_arn: account.cloudwatch_role_arn.unwrap_or_default(),
        throttle_burst_limit: account.throttle_settings.burst_limit,
        throttle_rate_limit: account.throttle_settings.rate_limit,
        features: account.features,
        api_key_version: account.api_key_version,
    }
}
