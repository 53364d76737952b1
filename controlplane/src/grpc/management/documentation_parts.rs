//! Documentation parts.

use tidegate_proto::v1;

use super::Management;
use super::convert::{named, optional, paging, patch};
use super::error::Refused;
use crate::app::documentation_parts::DocumentationPartFilter;
use crate::app::imports::PutMode;
use crate::model::{DocumentationPart, DocumentationPartLocation};

pub(super) async fn create_documentation_part(
    service: &Management,
    request: v1::CreateDocumentationPartRequest,
) -> Result<v1::DocumentationPart, Refused> {
    let stated = request.location.ok_or_else(|| Refused::missing("location"))?;
    let kind = named("location.type", &stated.r#type)?;
    let location = DocumentationPartLocation {
        kind: kind.ok_or_else(|| Refused::missing("location.type"))?,
        path: optional(stated.path),
        method: optional(stated.method),
        status_code: optional(stated.status_code),
        name: optional(stated.name),
    };
    let api = &request.rest_api_id;
    let part = service.app.create_documentation_part(api, location, &request.properties).await?;
    Ok(shown(part))
}

pub(super) async fn get_documentation_part(
    service: &Management,
    request: v1::DocumentationPartAddress,
) -> Result<v1::DocumentationPart, Refused> {
    let (api, part) = (&request.rest_api_id, &request.part_id);
    Ok(shown(service.app.get_documentation_part(api, part).await?))
}

pub(super) async fn get_documentation_parts(
    service: &Management,
    request: v1::GetDocumentationPartsRequest,
) -> Result<v1::GetDocumentationPartsResponse, Refused> {
    let filter = DocumentationPartFilter {
        kind: named("type", &request.r#type)?,
        name: optional(request.name),
        path: optional(request.path),
        status: named("location_status", &request.location_status)?,
    };
    let (api, paging) = (&request.rest_api_id, paging(request.paging));
    let page = service.app.get_documentation_parts(api, &filter, &paging).await?;
    Ok(v1::GetDocumentationPartsResponse {
        items: page.items.into_iter().map(shown).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_documentation_part(
    service: &Management,
    request: v1::UpdateDocumentationPartRequest,
) -> Result<v1::DocumentationPart, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, part) = (&request.rest_api_id, &request.part_id);
    Ok(shown(service.app.update_documentation_part(api, part, &steps).await?))
}

pub(super) async fn delete_documentation_part(
    service: &Management,
    request: v1::DocumentationPartAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_documentation_part(&request.rest_api_id, &request.part_id).await?;
    Ok(v1::Done {})
}

pub(super) async fn import_documentation_parts(
    service: &Management,
    request: v1::ImportDocumentationPartsRequest,
) -> Result<v1::ImportDocumentationPartsResponse, Refused> {
    let mode = named("mode", &request.mode)?.unwrap_or(PutMode::Merge);
    let (api, strict) = (&request.rest_api_id, request.fail_on_warnings);
    let imported = service.app.import_documentation_parts(api, mode, strict, &request.document);
    let (ids, warnings) = imported.await?;
    let ids = ids.iter().map(ToString::to_string).collect();
    Ok(v1::ImportDocumentationPartsResponse { ids, warnings })
}

fn shown(part: DocumentationPart) -> v1::DocumentationPart {
    let location = part.location;
    v1::DocumentationPart {
        id: part.id.to_string(),
        location: Some(v1::DocumentationPartLocation {
            r#type: location.kind.to_string(),
            path: location.path.unwrap_or_default(),
            method: location.method.unwrap_or_default(),
            status_code: location.status_code.unwrap_or_default(),
            name: location.name.unwrap_or_default(),
        }),
        properties: part.properties,
    }
}
