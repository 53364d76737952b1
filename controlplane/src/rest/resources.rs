//! Resources on the wire.

use serde_json::{Value, json};

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::App;
use crate::model::Resource;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let part = members.required("pathPart")?;
    members.finish()?;
    let resource =
        app.create_resource(call.path("restapi_id"), call.path("parent_id"), &part).await?;
    Ok(Reply::json(call.status(), &resource))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let resource = app.get_resource(call.path("restapi_id"), call.path("resource_id")).await?;
    Ok(Reply::json(call.status(), &shape(&resource, embeds_methods(call))))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_resources(call.path("restapi_id"), &call.paging()?).await?;
    let embed = embeds_methods(call);
    Ok(Reply::list(call.status(), page, |resource| shape(&resource, embed)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let patch = call.patch()?;
    let resource =
        app.update_resource(call.path("restapi_id"), call.path("resource_id"), &patch).await?;
    Ok(Reply::json(call.status(), &shape(&resource, false)))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_resource(call.path("restapi_id"), call.path("resource_id")).await?;
    Ok(Reply::empty(call.status()))
}

fn embeds_methods(call: &Call<'_>) -> bool {
    call.embed().any(|word| word == "methods")
}

/// Methods are shown whole only where asked for; else each is `{}`.
fn shape(resource: &Resource, embed: bool) -> Value {
    let mut shape = value(resource);
    if !embed && let Some(methods) = shape.get_mut("resourceMethods").and_then(Value::as_object_mut)
    {
        methods.values_mut().for_each(|method| *method = json!({}));
    }
    shape
}
