//! Request validators on the wire.

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::request_validators::CreateRequestValidator;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateRequestValidator {
        name: members.text("name")?,
        validate_request_body: members.flag("validateRequestBody")?.unwrap_or_default(),
        validate_request_parameters: members.flag("validateRequestParameters")?.unwrap_or_default(),
    };
    members.finish()?;
    let made = app.create_request_validator(call.path("restapi_id"), input).await?;
    Ok(Reply::json(call.status(), &made))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, validator) = place(call);
    Ok(Reply::json(call.status(), &app.get_request_validator(api, validator).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_request_validators(call.path("restapi_id"), &call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |validator| value(&validator)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, validator) = place(call);
    let patch = call.patch()?;
    Ok(Reply::json(call.status(), &app.update_request_validator(api, validator, &patch).await?))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, validator) = place(call);
    app.delete_request_validator(api, validator).await?;
    Ok(Reply::empty(call.status()))
}

fn place<'c>(call: &'c Call<'_>) -> (&'c str, &'c str) {
    (call.path("restapi_id"), call.path("requestvalidator_id"))
}
