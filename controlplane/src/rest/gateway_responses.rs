//! Gateway responses on the wire.

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::gateway_responses::PutGatewayResponse;
use crate::app::{App, Page};
use crate::model::{ResponseType, WireName};

pub(super) async fn put(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let kind = kind(call);
    if let Err(violation) = &kind {
        members.note(violation.clone());
    }
    let input = PutGatewayResponse {
        status_code: members.status_code("statusCode")?,
        response_parameters: members.map("responseParameters")?,
        response_templates: members.map("responseTemplates")?,
    };
    members.finish()?;
    let put = app.put_gateway_response(call.path("restapi_id"), told(kind)?, input).await?;
    Ok(Reply::json(call.status(), &put))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let found = app.get_gateway_response(call.path("restapi_id"), told(kind(call))?).await?;
    Ok(Reply::json(call.status(), &found))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let items = app.get_gateway_responses(call.path("restapi_id")).await?;
    Ok(Reply::list(call.status(), Page { items, position: None }, |response| value(&response)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let kind = told(kind(call))?;
    let patch = call.patch()?;
    let changed = app.update_gateway_response(call.path("restapi_id"), kind, &patch).await?;
    Ok(Reply::json(call.status(), &changed))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_gateway_response(call.path("restapi_id"), told(kind(call))?).await?;
    Ok(Reply::empty(call.status()))
}

/// The type in the path, or the constraint it violates.
fn kind(call: &Call<'_>) -> Result<ResponseType, String> {
    let text = call.path("response_type");
    ResponseType::from_name(text).ok_or_else(|| {
        let aws = ResponseType::ALL.iter().filter(|kind| kind.is_aws());
        let set = aws.map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        format!(
            "Value '{text}' at 'responseType' failed to satisfy constraint: \
             Member must satisfy enum value set: [{set}]"
        )
    })
}

fn told(kind: Result<ResponseType, String>) -> Result<ResponseType, RestError> {
    kind.map_err(|violation| RestError::Validation(vec![violation]))
}
