//! Methods and their integrations.

use tidegate_proto::v1;

use super::bundle::{flags, optional_pairs, sorted, templates};
use crate::model;

/// `validation` is what holds where the method says nothing.
pub(super) fn method(method: &model::Method, validation: model::ValidationMode) -> v1::Method {
    let validation = method.response_validation.unwrap_or(validation);
    v1::Method {
        verb: method.http_method.to_string(),
        authorization_type: method.authorization_type.to_string(),
        authorizer_id: text(method.authorizer_id.as_ref()),
        authorization_scopes: sorted(
            method.authorization_scopes.iter().flatten().cloned(),
            String::clone,
        ),
        api_key_required: method.api_key_required,
        operation_name: method.operation_name.clone().unwrap_or_default(),
        request_validator_id: text(method.request_validator_id.as_ref()),
        request_parameters: flags(method.request_parameters.as_ref()),
        request_models: optional_pairs(method.request_models.as_ref()),
        integration: method.method_integration.as_ref().map(integration),
        responses: sorted(method.method_responses.values().map(method_response), |r| {
            r.status_code.clone()
        }),
        response_validation: text(
            Some(validation).filter(|mode| *mode != model::ValidationMode::Off),
        ),
    }
}

fn method_response(response: &model::MethodResponse) -> v1::MethodResponse {
    v1::MethodResponse {
        status_code: response.status_code.to_string(),
        parameters: flags(response.response_parameters.as_ref()),
        models: optional_pairs(response.response_models.as_ref()),
    }
}

fn integration(integration: &model::Integration) -> v1::Integration {
    v1::Integration {
        r#type: match integration.kind {
            model::IntegrationType::Http => v1::IntegrationType::Http,
            model::IntegrationType::HttpProxy => v1::IntegrationType::HttpProxy,
            model::IntegrationType::Aws => v1::IntegrationType::Aws,
            model::IntegrationType::AwsProxy => v1::IntegrationType::AwsProxy,
            model::IntegrationType::Mock => v1::IntegrationType::Mock,
        }
        .into(),
        http_method: integration.http_method.clone().unwrap_or_default(),
        uri: integration.uri.clone().unwrap_or_default(),
        connection_type: text(integration.connection_type),
        connection_id: integration.connection_id.clone().unwrap_or_default(),
        credentials: integration.credentials.clone().unwrap_or_default(),
        request_parameters: optional_pairs(integration.request_parameters.as_ref()),
        request_templates: templates(integration.request_templates.as_ref()),
        passthrough_behavior: integration.passthrough_behavior.to_string(),
        content_handling: text(integration.content_handling),
        timeout_ms: integration.timeout_in_millis,
        cache_namespace: integration.cache_namespace.clone().unwrap_or_default(),
        cache_key_parameters: sorted(
            integration.cache_key_parameters.iter().cloned(),
            String::clone,
        ),
        insecure_skip_verification: integration
            .tls_config
            .as_ref()
            .is_some_and(|tls| tls.insecure_skip_verification),
        response_transfer_mode: text(integration.response_transfer_mode),
        responses: sorted(
            integration.integration_responses.values().map(integration_response),
            |response| (response.selection_pattern.clone(), response.status_code.clone()),
        ),
    }
}

fn integration_response(response: &model::IntegrationResponse) -> v1::IntegrationResponse {
    v1::IntegrationResponse {
        status_code: response.status_code.to_string(),
        selection_pattern: response.selection_pattern.clone().unwrap_or_default(),
        parameters: optional_pairs(response.response_parameters.as_ref()),
        templates: templates(response.response_templates.as_ref()),
        content_handling: text(response.content_handling),
    }
}

/// The text of something that may be absent.
fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
