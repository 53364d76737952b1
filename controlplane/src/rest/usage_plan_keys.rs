//! API keys in usage plans on the wire.

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::App;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let (key, kind) = (members.required("keyId")?, members.required("keyType")?);
    members.finish()?;
    let key = app.create_usage_plan_key(call.path("usageplanId"), &key, &kind).await?;
    Ok(Reply::json(call.status(), &key))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (plan, key) = place(call);
    Ok(Reply::json(call.status(), &app.get_usage_plan_key(plan, key).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let plan = call.path("usageplanId");
    let page = app.get_usage_plan_keys(plan, &call.paging()?, call.filter("name")).await?;
    Ok(Reply::list(call.status(), page, |key| value(&key)))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (plan, key) = place(call);
    app.delete_usage_plan_key(plan, key).await?;
    Ok(Reply::empty(call.status()))
}

fn place<'c>(call: &'c Call<'_>) -> (&'c str, &'c str) {
    (call.path("usageplanId"), call.path("keyId"))
}
