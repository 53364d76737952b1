//! VPC links.

use tidegate_proto::v1;

use super::Management;
use super::convert::{optional, optional_map, paging, patch};
use super::error::Refused;
use crate::app::vpc_links::CreateVpcLink;
use crate::model::VpcLink;

pub(super) async fn create_vpc_link(
    service: &Management,
    request: v1::CreateVpcLinkRequest,
) -> Result<v1::VpcLinkSettings, Refused> {
    let link = request.vpc_link.ok_or_else(|| Refused::missing("vpc_link"))?;
    let input = CreateVpcLink {
        name: link.name,
        description: optional(link.description),
        target_arns: link.target_arns,
        tags: optional_map(link.tags),
    };
    Ok(vpc_link(service.app.create_vpc_link(input).await?))
}

pub(super) async fn get_vpc_link(
    service: &Management,
    request: v1::VpcLinkAddress,
) -> Result<v1::VpcLinkSettings, Refused> {
    Ok(vpc_link(service.app.get_vpc_link(&request.vpc_link_id).await?))
}

pub(super) async fn get_vpc_links(
    service: &Management,
    request: v1::GetVpcLinksRequest,
) -> Result<v1::GetVpcLinksResponse, Refused> {
    let page = service.app.get_vpc_links(&paging(request.paging)).await?;
    Ok(v1::GetVpcLinksResponse {
        items: page.items.into_iter().map(vpc_link).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_vpc_link(
    service: &Management,
    request: v1::UpdateVpcLinkRequest,
) -> Result<v1::VpcLinkSettings, Refused> {
    let steps = patch(request.patch_operations)?;
    Ok(vpc_link(service.app.update_vpc_link(&request.vpc_link_id, &steps).await?))
}

pub(super) async fn delete_vpc_link(
    service: &Management,
    request: v1::VpcLinkAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_vpc_link(&request.vpc_link_id).await?;
    Ok(v1::Done {})
}

fn vpc_link(link: VpcLink) -> v1::VpcLinkSettings {
    v1::VpcLinkSettings {
        id: link.id.to_string(),
        name: link.name,
        description: link.description.unwrap_or_default(),
        target_arns: link.target_arns,
        status: link.status.to_string(),
        status_message: link.status_message.unwrap_or_default(),
        tags: link.tags.unwrap_or_default(),
    }
}
