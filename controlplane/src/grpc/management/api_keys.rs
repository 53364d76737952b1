//! API keys.

use tidegate_proto::v1;

use super::Management;
use super::convert::{self, optional, paging, patch};
use super::error::Refused;
use crate::app::api_keys::ApiKeyFilter;

pub(super) async fn create_api_key(
    service: &Management,
    request: v1::CreateApiKeyRequest,
) -> Result<v1::ApiKey, Refused> {
    let input = convert::create_api_key(request.api_key.unwrap_or_default());
    Ok(convert::api_key(service.app.create_api_key(input).await?))
}

pub(super) async fn import_api_keys(
    service: &Management,
    request: v1::ImportApiKeysRequest,
) -> Result<v1::ImportApiKeysResponse, Refused> {
    let done = service.app.import_api_keys(&request.file, request.fail_on_warnings).await?;
    Ok(v1::ImportApiKeysResponse {
        ids: done.ids.iter().map(ToString::to_string).collect(),
        warnings: done.warnings,
    })
}

pub(super) async fn get_api_key(
    service: &Management,
    request: v1::GetApiKeyRequest,
) -> Result<v1::ApiKey, Refused> {
    let found = service.app.get_api_key(&request.api_key_id, request.include_value).await?;
    Ok(convert::api_key(found))
}

pub(super) async fn get_api_keys(
    service: &Management,
    request: v1::GetApiKeysRequest,
) -> Result<v1::GetApiKeysResponse, Refused> {
    let filter =
        ApiKeyFilter { name: optional(request.name), customer_id: optional(request.customer_id) };
    let paging = paging(request.paging);
    let page = service.app.get_api_keys(&paging, &filter, request.include_values).await?;
    Ok(v1::GetApiKeysResponse {
        items: page.items.into_iter().map(convert::api_key).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_api_key(
    service: &Management,
    request: v1::UpdateApiKeyRequest,
) -> Result<v1::ApiKey, Refused> {
    let steps = patch(request.patch_operations)?;
    Ok(convert::api_key(service.app.update_api_key(&request.api_key_id, &steps).await?))
}

pub(super) async fn delete_api_key(
    service: &Management,
    request: v1::ApiKeyAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_api_key(&request.api_key_id).await?;
    Ok(v1::Done {})
}
