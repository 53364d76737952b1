//! Tags on the wire.

use serde_json::json;

use super::RestError;
use super::call::Call;
use super::reply::Reply;
use crate::app::App;

pub(super) async fn tag(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let tags = members.map("tags")?;
    if tags.is_none() {
        members.required("tags")?;
    }
    members.finish()?;
    app.tag_resource(call.path("resource_arn"), &tags.unwrap_or_default()).await?;
    Ok(Reply::empty(call.status()))
}

pub(super) async fn untag(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let keys: Vec<String> = call.query_all("tagKeys").map(str::to_owned).collect();
    if keys.is_empty() {
        let violation =
            "Value null at 'tagKeys' failed to satisfy constraint: Member must not be null";
        return Err(RestError::Validation(vec![violation.to_owned()]));
    }
    app.untag_resource(call.path("resource_arn"), &keys).await?;
    Ok(Reply::empty(call.status()))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let tags = app.get_tags(call.path("resource_arn")).await?;
    Ok(Reply::json(call.status(), &json!({ "tags": tags })))
}
