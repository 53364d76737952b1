//! REST APIs and the documents they come from.

use tidegate_proto::v1;

use super::Management;
use super::convert::{self, named, optional, optional_map, paging, patch};
use super::error::Refused;
use crate::app::imports::PutMode;
use crate::app::rest_apis::{CreateRestApi, EndpointConfigurationInput};
use crate::compile::settings;

pub(super) async fn create_rest_api(
    service: &Management,
    request: v1::CreateRestApiRequest,
) -> Result<v1::RestApi, Refused> {
    let api = request.rest_api.unwrap_or_default();
    let endpoint_configuration = match api.endpoint_configuration {
        Some(endpoint) => Some(EndpointConfigurationInput {
            types: named("endpoint_configuration.type", &endpoint.r#type)?.map(|kind| vec![kind]),
            ip_address_type: named(
                "endpoint_configuration.ip_address_type",
                &endpoint.ip_address_type,
            )?,
            vpc_endpoint_ids: Some(endpoint.vpc_endpoint_ids).filter(|ids| !ids.is_empty()),
        }),
        None => None,
    };
    let input = CreateRestApi {
        name: api.name,
        description: optional(api.description),
        version: optional(api.version),
        clone_from: optional(request.clone_from),
        binary_media_types: Some(api.binary_media_types).filter(|types| !types.is_empty()),
        minimum_compression_size: api.minimum_compression_size,
        api_key_source: named("api_key_source", &api.api_key_source)?,
        endpoint_configuration,
        policy: optional(api.policy),
        tags: optional_map(api.tags),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint,
        security_policy: named("security_policy", &api.security_policy)?,
        endpoint_access_mode: named("endpoint_access_mode", &api.endpoint_access_mode)?,
    };
    Ok(convert::rest_api(service.app.create_rest_api(input).await?))
}

pub(super) async fn get_rest_api(
    service: &Management,
    request: v1::RestApiAddress,
) -> Result<v1::RestApi, Refused> {
    Ok(convert::rest_api(service.app.get_rest_api(&request.rest_api_id).await?))
}

pub(super) async fn get_rest_apis(
    service: &Management,
    request: v1::GetRestApisRequest,
) -> Result<v1::GetRestApisResponse, Refused> {
    let page = service.app.get_rest_apis(&paging(request.paging)).await?;
    Ok(v1::GetRestApisResponse {
        items: page.items.into_iter().map(convert::rest_api).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_rest_api(
    service: &Management,
    request: v1::UpdateRestApiRequest,
) -> Result<v1::RestApi, Refused> {
    let steps = patch(request.patch_operations)?;
    Ok(convert::rest_api(service.app.update_rest_api(&request.rest_api_id, &steps).await?))
}

pub(super) async fn get_api_settings(
    service: &Management,
    request: v1::RestApiAddress,
) -> Result<v1::ApiSettings, Refused> {
    Ok(settings::message(&service.app.get_api_settings(&request.rest_api_id).await?))
}

pub(super) async fn put_api_settings(
    service: &Management,
    request: v1::PutApiSettingsRequest,
) -> Result<v1::ApiSettings, Refused> {
    let given = settings::read(request.settings.unwrap_or_default()).map_err(Refused::Invalid)?;
    let put = service.app.put_api_settings(&request.rest_api_id, given).await?;
    Ok(settings::message(&put))
}

pub(super) async fn delete_rest_api(
    service: &Management,
    request: v1::RestApiAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_rest_api(&request.rest_api_id).await?;
    Ok(v1::Done {})
}

pub(super) async fn import_rest_api(
    service: &Management,
    request: v1::ImportRestApiRequest,
) -> Result<v1::ImportRestApiResponse, Refused> {
    let query: Vec<_> = request.parameters.into_iter().collect();
    let (api, warnings) = service.app.import_rest_api(&request.document, &query).await?;
    Ok(v1::ImportRestApiResponse { rest_api: Some(convert::rest_api(api)), warnings })
}

pub(super) async fn put_rest_api(
    service: &Management,
    request: v1::PutRestApiRequest,
) -> Result<v1::ImportRestApiResponse, Refused> {
    let mode = named("mode", &request.mode)?.unwrap_or(PutMode::Merge);
    let query: Vec<_> = request.parameters.into_iter().collect();
    let put = service.app.put_rest_api(&request.rest_api_id, mode, &request.document, &query);
    let (api, warnings) = put.await?;
    Ok(v1::ImportRestApiResponse { rest_api: Some(convert::rest_api(api)), warnings })
}

pub(super) async fn apply_document(
    service: &Management,
    request: v1::ApplyDocumentRequest,
) -> Result<v1::ApplyDocumentResponse, Refused> {
    let name = optional(request.name);
    let applied = service.app.apply_document(&request.document, name.as_deref()).await?;
    Ok(v1::ApplyDocumentResponse {
        rest_api: Some(convert::rest_api(applied.rest_api)),
        created: applied.created,
        warnings: applied.warnings,
    })
}
