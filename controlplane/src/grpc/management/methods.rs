//! Methods, what they call, and the responses of both.

use tidegate_proto::v1;

use super::Management;
use super::convert::{self, named, optional, optional_map, patch, status_code, templates};
use super::error::Refused;
use crate::app::integration_responses::PutIntegrationResponse;
use crate::app::integrations::PutIntegration;
use crate::app::method_responses::PutMethodResponse;
use crate::app::methods::PutMethod;
use crate::drive::{self, TestInvokeMethod};
use crate::model::TlsConfig;

pub(super) async fn put_method(
    service: &Management,
    request: v1::PutMethodRequest,
) -> Result<v1::RestMethod, Refused> {
    let method = request.method.ok_or_else(|| Refused::missing("method"))?;
    let input = PutMethod {
        authorization_type: method.authorization_type,
        authorizer_id: optional(method.authorizer_id),
        api_key_required: method.api_key_required,
        operation_name: optional(method.operation_name),
        request_parameters: Some(method.request_parameters).filter(|map| !map.is_empty()),
        request_models: optional_map(method.request_models),
        request_validator_id: optional(method.request_validator_id),
        authorization_scopes: Some(method.authorization_scopes).filter(|list| !list.is_empty()),
    };
    let (api, resource) = (&request.rest_api_id, &request.resource_id);
    let put = service.app.put_method(api, resource, &request.http_method, input).await?;
    Ok(convert::method(put))
}

pub(super) async fn get_method(
    service: &Management,
    request: v1::MethodAddress,
) -> Result<v1::RestMethod, Refused> {
    let (api, resource) = (&request.rest_api_id, &request.resource_id);
    Ok(convert::method(service.app.get_method(api, resource, &request.http_method).await?))
}

pub(super) async fn update_method(
    service: &Management,
    request: v1::UpdateMethodRequest,
) -> Result<v1::RestMethod, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, resource) = (&request.rest_api_id, &request.resource_id);
    let changed = service.app.update_method(api, resource, &request.http_method, &steps).await?;
    Ok(convert::method(changed))
}

pub(super) async fn delete_method(
    service: &Management,
    request: v1::MethodAddress,
) -> Result<v1::Done, Refused> {
    let (api, resource) = (&request.rest_api_id, &request.resource_id);
    service.app.delete_method(api, resource, &request.http_method).await?;
    Ok(v1::Done {})
}

pub(super) async fn put_method_response(
    service: &Management,
    request: v1::PutMethodResponseRequest,
) -> Result<v1::RestMethodResponse, Refused> {
    let status = status_code(request.status_code)?;
    let response = request.response.unwrap_or_default();
    let input = PutMethodResponse {
        response_parameters: Some(response.response_parameters).filter(|map| !map.is_empty()),
        response_models: optional_map(response.response_models),
    };
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    let put = service.app.put_method_response(api, resource, verb, status, input).await?;
    Ok(convert::method_response(put))
}

pub(super) async fn get_method_response(
    service: &Management,
    request: v1::ResponseAddress,
) -> Result<v1::RestMethodResponse, Refused> {
    let status = status_code(request.status_code)?;
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    let found = service.app.get_method_response(api, resource, verb, status).await?;
    Ok(convert::method_response(found))
}

pub(super) async fn update_method_response(
    service: &Management,
    request: v1::UpdateResponseRequest,
) -> Result<v1::RestMethodResponse, Refused> {
    let status = status_code(request.status_code)?;
    let steps = patch(request.patch_operations)?;
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    let changed = service.app.update_method_response(api, resource, verb, status, &steps).await?;
    Ok(convert::method_response(changed))
}

pub(super) async fn delete_method_response(
    service: &Management,
    request: v1::ResponseAddress,
) -> Result<v1::Done, Refused> {
    let status = status_code(request.status_code)?;
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    service.app.delete_method_response(api, resource, verb, status).await?;
    Ok(v1::Done {})
}

pub(super) async fn put_integration(
    service: &Management,
    request: v1::PutIntegrationRequest,
) -> Result<v1::RestIntegration, Refused> {
    let given = request.integration.ok_or_else(|| Refused::missing("integration"))?;
    let kind = named("integration.type", &given.r#type)?;
    let kind = kind.ok_or_else(|| Refused::missing("integration.type"))?;
    let input = PutIntegration {
        http_method: optional(given.http_method),
        uri: optional(given.uri),
        connection_type: named("integration.connection_type", &given.connection_type)?,
        connection_id: optional(given.connection_id),
        credentials: optional(given.credentials),
        request_parameters: optional_map(given.request_parameters),
        request_templates: templates(given.request_templates),
        passthrough_behavior: optional(given.passthrough_behavior),
        cache_namespace: optional(given.cache_namespace),
        cache_key_parameters: Some(given.cache_key_parameters).filter(|list| !list.is_empty()),
        content_handling: named("integration.content_handling", &given.content_handling)?,
        timeout_in_millis: Some(i64::from(given.timeout_ms)).filter(|ms| *ms != 0),
        tls_config: given
            .insecure_skip_verification
            .map(|insecure_skip_verification| TlsConfig { insecure_skip_verification }),
        response_transfer_mode: named(
            "integration.response_transfer_mode",
            &given.response_transfer_mode,
        )?,
        integration_target: optional(given.integration_target),
        ..PutIntegration::new(kind)
    };
    let (api, resource) = (&request.rest_api_id, &request.resource_id);
    let put = service.app.put_integration(api, resource, &request.http_method, input).await?;
    Ok(convert::integration(put))
}

pub(super) async fn get_integration(
    service: &Management,
    request: v1::MethodAddress,
) -> Result<v1::RestIntegration, Refused> {
    let (api, resource) = (&request.rest_api_id, &request.resource_id);
    let found = service.app.get_integration(api, resource, &request.http_method).await?;
    Ok(convert::integration(found))
}

pub(super) async fn update_integration(
    service: &Management,
    request: v1::UpdateMethodRequest,
) -> Result<v1::RestIntegration, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    let changed = service.app.update_integration(api, resource, verb, &steps).await?;
    Ok(convert::integration(changed))
}

pub(super) async fn delete_integration(
    service: &Management,
    request: v1::MethodAddress,
) -> Result<v1::Done, Refused> {
    let (api, resource) = (&request.rest_api_id, &request.resource_id);
    service.app.delete_integration(api, resource, &request.http_method).await?;
    Ok(v1::Done {})
}

pub(super) async fn put_integration_response(
    service: &Management,
    request: v1::PutIntegrationResponseRequest,
) -> Result<v1::RestIntegrationResponse, Refused> {
    let status = status_code(request.status_code)?;
    let response = request.response.unwrap_or_default();
    let input = PutIntegrationResponse {
        selection_pattern: optional(response.selection_pattern),
        response_parameters: optional_map(response.response_parameters),
        response_templates: templates(response.response_templates),
        content_handling: named("response.content_handling", &response.content_handling)?,
    };
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    let put = service.app.put_integration_response(api, resource, verb, status, input).await?;
    Ok(convert::integration_response(put))
}

pub(super) async fn get_integration_response(
    service: &Management,
    request: v1::ResponseAddress,
) -> Result<v1::RestIntegrationResponse, Refused> {
    let status = status_code(request.status_code)?;
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    let found = service.app.get_integration_response(api, resource, verb, status).await?;
    Ok(convert::integration_response(found))
}

pub(super) async fn update_integration_response(
    service: &Management,
    request: v1::UpdateResponseRequest,
) -> Result<v1::RestIntegrationResponse, Refused> {
    let status = status_code(request.status_code)?;
    let steps = patch(request.patch_operations)?;
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    let changed = service.app.update_integration_response(api, resource, verb, status, &steps);
    Ok(convert::integration_response(changed.await?))
}

pub(super) async fn delete_integration_response(
    service: &Management,
    request: v1::ResponseAddress,
) -> Result<v1::Done, Refused> {
    let status = status_code(request.status_code)?;
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    service.app.delete_integration_response(api, resource, verb, status).await?;
    Ok(v1::Done {})
}

pub(super) async fn test_invoke_method(
    service: &Management,
    request: v1::TestInvokeMethodRequest,
) -> Result<v1::TestInvokeMethodResponse, Refused> {
    let values = |(name, values): (String, v1::HeaderValues)| (name, values.values);
    let input = TestInvokeMethod {
        path_with_query_string: optional(request.path_with_query_string),
        body: optional(request.body),
        headers: request.headers,
        multi_value_headers: request.multi_value_headers.into_iter().map(values).collect(),
        stage_variables: request.stage_variables,
        client_certificate_id: optional(request.client_certificate_id),
    };
    let (api, resource, verb) = (&request.rest_api_id, &request.resource_id, &request.http_method);
    let invoked = drive::test_invoke(&service.app, api, resource, verb, input).await?;
    let values = |(name, values)| (name, v1::HeaderValues { values });
    Ok(v1::TestInvokeMethodResponse {
        status: u32::from(invoked.status),
        body: invoked.body,
        headers: invoked.headers,
        multi_value_headers: invoked.multi_value_headers.into_iter().map(values).collect(),
        log: invoked.log,
        latency_ms: invoked.latency,
    })
}
