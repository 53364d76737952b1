//! Models.

use tidegate_proto::v1;

use super::Management;
use super::convert::{optional, paging, patch};
use super::error::Refused;
use crate::app::models::CreateModel;
use crate::model::Model;

pub(super) async fn create_model(
    service: &Management,
    request: v1::CreateModelRequest,
) -> Result<v1::RestModel, Refused> {
    let given = request.model.ok_or_else(|| Refused::missing("model"))?;
    let input = CreateModel {
        name: given.name,
        description: optional(given.description),
        schema: optional(given.schema),
        content_type: given.content_type,
    };
    Ok(model(service.app.create_model(&request.rest_api_id, input).await?))
}

pub(super) async fn get_model(
    service: &Management,
    request: v1::GetModelRequest,
) -> Result<v1::RestModel, Refused> {
    let (api, name) = (&request.rest_api_id, &request.model_name);
    Ok(model(service.app.get_model(api, name, request.flatten).await?))
}

pub(super) async fn get_models(
    service: &Management,
    request: v1::GetModelsRequest,
) -> Result<v1::GetModelsResponse, Refused> {
    let page = service.app.get_models(&request.rest_api_id, &paging(request.paging)).await?;
    Ok(v1::GetModelsResponse {
        items: page.items.into_iter().map(model).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn get_model_template(
    service: &Management,
    request: v1::ModelAddress,
) -> Result<v1::ModelTemplate, Refused> {
    let (api, name) = (&request.rest_api_id, &request.model_name);
    Ok(v1::ModelTemplate { value: service.app.get_model_template(api, name).await? })
}

pub(super) async fn update_model(
    service: &Management,
    request: v1::UpdateModelRequest,
) -> Result<v1::RestModel, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, name) = (&request.rest_api_id, &request.model_name);
    Ok(model(service.app.update_model(api, name, &steps).await?))
}

pub(super) async fn delete_model(
    service: &Management,
    request: v1::ModelAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_model(&request.rest_api_id, &request.model_name).await?;
    Ok(v1::Done {})
}

fn model(model: Model) -> v1::RestModel {
    v1::RestModel {
        id: model.id.to_string(),
        name: model.name,
        description: model.description.unwrap_or_default(),
        schema: model.schema.unwrap_or_default(),
        content_type: model.content_type,
    }
}
