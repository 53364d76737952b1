//! Models on the wire.

use serde_json::json;

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::models::CreateModel;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateModel {
        name: members.required("name")?,
        description: members.text("description")?,
        schema: members.text("schema")?,
        content_type: members.required("contentType")?,
    };
    members.finish()?;
    Ok(Reply::json(call.status(), &app.create_model(call.path("restapi_id"), input).await?))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, model) = place(call);
    let flatten = call.query("flatten") == Some("true");
    Ok(Reply::json(call.status(), &app.get_model(api, model, flatten).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_models(call.path("restapi_id"), &call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |model| value(&model)))
}

pub(super) async fn template(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, model) = place(call);
    let template = app.get_model_template(api, model).await?;
    Ok(Reply::json(call.status(), &json!({ "value": template })))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, model) = place(call);
    Ok(Reply::json(call.status(), &app.update_model(api, model, &call.patch()?).await?))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, model) = place(call);
    app.delete_model(api, model).await?;
    Ok(Reply::empty(call.status()))
}

fn place<'c>(call: &'c Call<'_>) -> (&'c str, &'c str) {
    (call.path("restapi_id"), call.path("model_name"))
}
