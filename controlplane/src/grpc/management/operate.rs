//! Tags, the account, and explanations.

use tidegate_proto::v1;

use super::Management;
use super::convert::{self, patch};
use super::error::Refused;
use crate::drive;

pub(super) async fn tag_resource(
    service: &Management,
    request: v1::TagResourceRequest,
) -> Result<v1::Done, Refused> {
    service.app.tag_resource(&request.resource_arn, &request.tags).await?;
    Ok(v1::Done {})
}

pub(super) async fn untag_resource(
    service: &Management,
    request: v1::UntagResourceRequest,
) -> Result<v1::Done, Refused> {
    service.app.untag_resource(&request.resource_arn, &request.tag_keys).await?;
    Ok(v1::Done {})
}

pub(super) async fn get_tags(
    service: &Management,
    request: v1::GetTagsRequest,
) -> Result<v1::GetTagsResponse, Refused> {
    Ok(v1::GetTagsResponse { tags: service.app.get_tags(&request.resource_arn).await? })
}

pub(super) async fn get_account(
    service: &Management,
    _: v1::GetAccountRequest,
) -> Result<v1::AccountSettings, Refused> {
    Ok(convert::account(service.app.get_account().await?))
}

pub(super) async fn update_account(
    service: &Management,
    request: v1::UpdateAccountRequest,
) -> Result<v1::AccountSettings, Refused> {
    let steps = patch(request.patch_operations)?;
    Ok(convert::account(service.app.update_account(&steps).await?))
}

pub(super) async fn explain(
    service: &Management,
    request: v1::ExplainRequest,
) -> Result<v1::Explained, Refused> {
    let request = request.request.ok_or_else(|| Refused::missing("request"))?;
    Ok(drive::explain(&service.app, &request).await?)
}
