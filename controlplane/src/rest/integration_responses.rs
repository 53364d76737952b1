//! Integration responses on the wire.

use super::RestError;
use super::call::Call;
use super::methods::place;
use super::reply::Reply;
use crate::app::App;
use crate::app::integration_responses::PutIntegrationResponse;

pub(super) async fn put(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let status = call.status_code()?;
    let mut members = call.members()?;
    let input = PutIntegrationResponse {
        selection_pattern: members.text("selectionPattern")?,
        response_parameters: members.map("responseParameters")?,
        response_templates: members.templates("responseTemplates")?,
        content_handling: members.one_of("contentHandling")?,
    };
    members.finish()?;
    let (api, resource, verb) = place(call);
    let response = app.put_integration_response(api, resource, verb, status, input).await?;
    Ok(Reply::json(call.status(), &response))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    let response = app.get_integration_response(api, resource, verb, call.status_code()?).await?;
    Ok(Reply::json(call.status(), &response))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    let patch = call.patch()?;
    let response =
        app.update_integration_response(api, resource, verb, call.status_code()?, &patch).await?;
    Ok(Reply::json(call.status(), &response))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    app.delete_integration_response(api, resource, verb, call.status_code()?).await?;
    Ok(Reply::empty(call.status()))
}
