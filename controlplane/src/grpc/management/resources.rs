//! Resources.

use tidegate_proto::v1;

use super::Management;
use super::convert::{self, paging, patch};
use super::error::Refused;
use crate::model::Resource;

pub(super) async fn create_resource(
    service: &Management,
    request: v1::CreateResourceRequest,
) -> Result<v1::RestResource, Refused> {
    let (api, parent) = (&request.rest_api_id, &request.parent_id);
    let made = service.app.create_resource(api, parent, &request.path_part).await?;
    Ok(convert::resource(made))
}

pub(super) async fn get_resource(
    service: &Management,
    request: v1::ResourceAddress,
) -> Result<v1::RestResource, Refused> {
    let found = service.app.get_resource(&request.rest_api_id, &request.resource_id).await?;
    Ok(convert::resource(found))
}

pub(super) async fn get_resources(
    service: &Management,
    request: v1::GetResourcesRequest,
) -> Result<v1::GetResourcesResponse, Refused> {
    let paging = paging(request.paging);
    let page = service.app.get_resources(&request.rest_api_id, &paging).await?;
    Ok(v1::GetResourcesResponse {
        items: page.items.iter().map(|r| convert::resource(Resource::clone(r))).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_resource(
    service: &Management,
    request: v1::UpdateResourceRequest,
) -> Result<v1::RestResource, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, resource) = (&request.rest_api_id, &request.resource_id);
    Ok(convert::resource(service.app.update_resource(api, resource, &steps).await?))
}

pub(super) async fn delete_resource(
    service: &Management,
    request: v1::ResourceAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_resource(&request.rest_api_id, &request.resource_id).await?;
    Ok(v1::Done {})
}
