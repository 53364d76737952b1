//! API keys on the wire.

use serde_json::{Value, json};

use super::RestError;
use super::call::Call;
use super::members::Members;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::api_keys::{ApiKeyFilter, CreateApiKey, ShownApiKey};

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateApiKey {
        name: members.text("name")?,
        description: members.text("description")?,
        enabled: members.flag("enabled")?.unwrap_or_default(),
        value: members.text("value")?,
        stage_keys: stage_keys(&mut members)?,
        customer_id: members.text("customerId")?,
        tags: members.map("tags")?,
    };
    // Deprecated and without effect, but of a type.
    members.flag("generateDistinctId")?;
    members.finish()?;
    Ok(Reply::json(call.status(), &app.create_api_key(input).await?))
}

pub(super) async fn import(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let violation = match call.query("format") {
        Some("csv") => None,
        Some(other) => Some(format!(
            "Value '{other}' at 'format' failed to satisfy constraint: Member must satisfy enum value set: [csv]"
        )),
        None => Some(
            "Value null at 'format' failed to satisfy constraint: Member must not be null"
                .to_owned(),
        ),
    };
    if let Some(violation) = violation {
        return Err(RestError::Validation(vec![violation]));
    }
    let done = app.import_api_keys(call.body, call.query_flag("failonwarnings")).await?;
    Ok(Reply::json(call.status(), &json!({ "ids": done.ids, "warnings": done.warnings })))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let key = app.get_api_key(call.path("api_Key"), call.query_flag("includeValue")).await?;
    Ok(Reply::json(call.status(), &shape_with_tags(&key)))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let filter = ApiKeyFilter {
        name: call.filter("name").map(str::to_owned),
        customer_id: call.filter("customerId").map(str::to_owned),
    };
    let with_values = call.query_flag("includeValues");
    let page = app.get_api_keys(&call.paging()?, &filter, with_values).await?;
    Ok(Reply::list(call.status(), page, |key| shape_with_tags(&key)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let key = app.update_api_key(call.path("api_Key"), &call.patch()?).await?;
    Ok(Reply::json(call.status(), &shape_with_tags(&key)))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_api_key(call.path("api_Key")).await?;
    Ok(Reply::empty(call.status()))
}

/// Objects in requests, `{api}/{stage}` in answers.
fn stage_keys(members: &mut Members) -> Result<Vec<String>, RestError> {
    let mut keys = Vec::new();
    for mut stage in members.objects("stageKeys")? {
        let api = stage.text("restApiId")?.unwrap_or_default();
        let name = stage.text("stageName")?.unwrap_or_default();
        keys.push(format!("{api}/{name}"));
    }
    Ok(keys)
}

/// All answers but that of the creation show tags where there are none.
fn shape_with_tags(key: &ShownApiKey) -> Value {
    let mut shape = value(key);
    if key.key.tags.is_none() {
        shape["tags"] = json!({});
    }
    shape
}
