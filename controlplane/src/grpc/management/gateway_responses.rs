//! Gateway responses.

use tidegate_proto::v1;

use super::Management;
use super::convert::{named, optional_map, patch, status_code};
use super::error::Refused;
use crate::app::gateway_responses::PutGatewayResponse;
use crate::model::{GatewayResponse, ResponseType};

pub(super) async fn put_gateway_response(
    service: &Management,
    request: v1::PutGatewayResponseRequest,
) -> Result<v1::RestGatewayResponse, Refused> {
    let kind = kind(&request.response_type)?;
    let given = request.response.unwrap_or_default();
    let input = PutGatewayResponse {
        status_code: given.status_code.map(status_code).transpose()?,
        response_parameters: optional_map(given.response_parameters),
        response_templates: optional_map(given.response_templates),
    };
    Ok(response(service.app.put_gateway_response(&request.rest_api_id, kind, input).await?))
}

pub(super) async fn get_gateway_response(
    service: &Management,
    request: v1::GatewayResponseAddress,
) -> Result<v1::RestGatewayResponse, Refused> {
    let kind = kind(&request.response_type)?;
    Ok(response(service.app.get_gateway_response(&request.rest_api_id, kind).await?))
}

pub(super) async fn get_gateway_responses(
    service: &Management,
    request: v1::RestApiAddress,
) -> Result<v1::GetGatewayResponsesResponse, Refused> {
    let all = service.app.get_gateway_responses(&request.rest_api_id).await?;
    Ok(v1::GetGatewayResponsesResponse { items: all.into_iter().map(response).collect() })
}

pub(super) async fn update_gateway_response(
    service: &Management,
    request: v1::UpdateGatewayResponseRequest,
) -> Result<v1::RestGatewayResponse, Refused> {
    let kind = kind(&request.response_type)?;
    let steps = patch(request.patch_operations)?;
    Ok(response(service.app.update_gateway_response(&request.rest_api_id, kind, &steps).await?))
}

pub(super) async fn delete_gateway_response(
    service: &Management,
    request: v1::GatewayResponseAddress,
) -> Result<v1::Done, Refused> {
    let kind = kind(&request.response_type)?;
    service.app.delete_gateway_response(&request.rest_api_id, kind).await?;
    Ok(v1::Done {})
}

fn kind(name: &str) -> Result<ResponseType, Refused> {
    named("response_type", name)?.ok_or_else(|| Refused::missing("response_type"))
}

fn response(response: GatewayResponse) -> v1::RestGatewayResponse {
    v1::RestGatewayResponse {
        response_type: response.response_type.to_string(),
        status_code: response.status_code.map(|status| u32::from(status.code())),
        response_parameters: response.response_parameters,
        response_templates: response.response_templates,
        default_response: response.default_response,
    }
}
