//! Request validators.

use tidegate_proto::v1;

use super::Management;
use super::convert::{optional, paging, patch};
use super::error::Refused;
use crate::app::request_validators::CreateRequestValidator;
use crate::model::RequestValidator;

pub(super) async fn create_request_validator(
    service: &Management,
    request: v1::CreateRequestValidatorRequest,
) -> Result<v1::RestRequestValidator, Refused> {
    let given = request.request_validator.unwrap_or_default();
    let input = CreateRequestValidator {
        name: optional(given.name),
        validate_request_body: given.validate_request_body,
        validate_request_parameters: given.validate_request_parameters,
    };
    Ok(validator(service.app.create_request_validator(&request.rest_api_id, input).await?))
}

pub(super) async fn get_request_validator(
    service: &Management,
    request: v1::RequestValidatorAddress,
) -> Result<v1::RestRequestValidator, Refused> {
    let (api, id) = (&request.rest_api_id, &request.request_validator_id);
    Ok(validator(service.app.get_request_validator(api, id).await?))
}

pub(super) async fn get_request_validators(
    service: &Management,
    request: v1::GetRequestValidatorsRequest,
) -> Result<v1::GetRequestValidatorsResponse, Refused> {
    let paging = paging(request.paging);
    let page = service.app.get_request_validators(&request.rest_api_id, &paging).await?;
    Ok(v1::GetRequestValidatorsResponse {
        items: page.items.into_iter().map(validator).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_request_validator(
    service: &Management,
    request: v1::UpdateRequestValidatorRequest,
) -> Result<v1::RestRequestValidator, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, id) = (&request.rest_api_id, &request.request_validator_id);
    Ok(validator(service.app.update_request_validator(api, id, &steps).await?))
}

pub(super) async fn delete_request_validator(
    service: &Management,
    request: v1::RequestValidatorAddress,
) -> Result<v1::Done, Refused> {
    let (api, id) = (&request.rest_api_id, &request.request_validator_id);
    service.app.delete_request_validator(api, id).await?;
    Ok(v1::Done {})
}

fn validator(validator: RequestValidator) -> v1::RestRequestValidator {
    v1::RestRequestValidator {
        id: validator.id.to_string(),
        name: validator.name.unwrap_or_default(),
        validate_request_body: validator.validate_request_body,
        validate_request_parameters: validator.validate_request_parameters,
    }
}
