//! Method responses on the wire.

use super::RestError;
use super::call::Call;
use super::methods::place;
use super::reply::Reply;
use crate::app::App;
use crate::app::method_responses::PutMethodResponse;

pub(super) async fn put(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let status = call.status_code()?;
    let mut members = call.members()?;
    let input = PutMethodResponse {
        response_parameters: members.flags("responseParameters")?,
        response_models: members.map("responseModels")?,
    };
    members.finish()?;
    let (api, resource, verb) = place(call);
    Ok(Reply::json(
        call.status(),
        &app.put_method_response(api, resource, verb, status, input).await?,
    ))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    Ok(Reply::json(
        call.status(),
        &app.get_method_response(api, resource, verb, call.status_code()?).await?,
    ))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    let patch = call.patch()?;
    let response =
        app.update_method_response(api, resource, verb, call.status_code()?, &patch).await?;
    Ok(Reply::json(call.status(), &response))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    app.delete_method_response(api, resource, verb, call.status_code()?).await?;
    Ok(Reply::empty(call.status()))
}
