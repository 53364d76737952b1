//! Documentation versions.

use tidegate_proto::v1;

use super::Management;
use super::convert::{optional, paging, patch};
use super::error::Refused;
use crate::app::documentation_versions::CreateDocumentationVersion;
use crate::model::DocumentationVersion;

pub(super) async fn create_documentation_version(
    service: &Management,
    request: v1::CreateDocumentationVersionRequest,
) -> Result<v1::DocumentationVersion, Refused> {
    let input = CreateDocumentationVersion {
        documentation_version: request.version,
        stage_name: optional(request.stage_name),
        description: optional(request.description),
    };
    Ok(shown(service.app.create_documentation_version(&request.rest_api_id, input).await?))
}

pub(super) async fn get_documentation_version(
    service: &Management,
    request: v1::DocumentationVersionAddress,
) -> Result<v1::DocumentationVersion, Refused> {
    let (api, version) = (&request.rest_api_id, &request.version);
    Ok(shown(service.app.get_documentation_version(api, version).await?))
}

pub(super) async fn get_documentation_versions(
    service: &Management,
    request: v1::GetDocumentationVersionsRequest,
) -> Result<v1::GetDocumentationVersionsResponse, Refused> {
    let (api, paging) = (&request.rest_api_id, paging(request.paging));
    let page = service.app.get_documentation_versions(api, &paging).await?;
    Ok(v1::GetDocumentationVersionsResponse {
        items: page.items.into_iter().map(shown).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_documentation_version(
    service: &Management,
    request: v1::UpdateDocumentationVersionRequest,
) -> Result<v1::DocumentationVersion, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, version) = (&request.rest_api_id, &request.version);
    Ok(shown(service.app.update_documentation_version(api, version, &steps).await?))
}

pub(super) async fn delete_documentation_version(
    service: &Management,
    request: v1::DocumentationVersionAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_documentation_version(&request.rest_api_id, &request.version).await?;
    Ok(v1::Done {})
}

fn shown(version: DocumentationVersion) -> v1::DocumentationVersion {
    v1::DocumentationVersion {
        version: version.version,
        created_date: version.created_date.0,
        description: version.description.unwrap_or_default(),
    }
}
