//! Documentation parts on the wire.

use serde_json::json;

use super::call::Call;
use super::members::Members;
use super::reply::{Reply, value};
use super::{RestError, imports};
use crate::app::App;
use crate::app::documentation_parts::DocumentationPartFilter;
use crate::model::{DocumentationPartLocation, DocumentationPartType, StatusCode, WireName};

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let location = location(&mut members)?;
    let properties = members.required("properties")?;
    members.finish()?;
    let part =
        app.create_documentation_part(call.path("restapi_id"), location, &properties).await?;
    Ok(Reply::json(call.status(), &part))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, part) = place(call);
    Ok(Reply::json(call.status(), &app.get_documentation_part(api, part).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut violations = Vec::new();
    let filter = DocumentationPartFilter {
        kind: one_of(call, "type", &mut violations),
        name: call.query("name").map(str::to_owned),
        path: call.query("path").map(str::to_owned),
        status: one_of(call, "locationStatus", &mut violations),
    };
    if !violations.is_empty() {
        return Err(RestError::Validation(violations));
    }
    let api = call.path("restapi_id");
    let page = app.get_documentation_parts(api, &filter, &call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |part| value(&part)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, part) = place(call);
    let patch = call.patch()?;
    Ok(Reply::json(call.status(), &app.update_documentation_part(api, part, &patch).await?))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, part) = place(call);
    app.delete_documentation_part(api, part).await?;
    Ok(Reply::empty(call.status()))
}

pub(super) async fn import(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mode = imports::mode(call)?;
    let strict = call.query("failonwarnings").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let api = call.path("restapi_id");
    let (ids, warnings) = app.import_documentation_parts(api, mode, strict, call.body).await?;
    let mut shape = json!({ "ids": ids });
    if !warnings.is_empty() {
        shape["warnings"] = json!(warnings);
    }
    Ok(Reply::json(call.status(), &shape))
}

fn place<'c>(call: &'c Call<'_>) -> (&'c str, &'c str) {
    (call.path("restapi_id"), call.path("part_id"))
}

/// The location; an empty one stands in while violations are collected.
fn location(members: &mut Members) -> Result<DocumentationPartLocation, RestError> {
    let mut location = DocumentationPartLocation::of(DocumentationPartType::Api);
    let Some(mut nested) = members.required_object("location")? else { return Ok(location) };
    if let Some(kind) = nested.required_one_of("type")? {
        location.kind = kind;
    }
    location.path = nested.text("path")?;
    location.method = nested.text("method")?;
    location.name = nested.text("name")?;
    let status_code = nested.pattern("statusCode", STATUS_CODE, |text| {
        text == "*" || text.trim().is_empty() || StatusCode::parse(text).is_some()
    })?;
    // Blank is the same as absent.
    location.status_code = status_code.filter(|text| !text.trim().is_empty());
    members.absorb(nested);
    Ok(location)
}

/// A query parameter that is one of a set.
fn one_of<T: WireName>(call: &Call<'_>, name: &str, violations: &mut Vec<String>) -> Option<T> {
    let text = call.query(name).filter(|text| !text.is_empty())?;
    let known = T::from_name(text);
    if known.is_none() {
        let set: Vec<&str> = T::ALL.iter().map(|value| value.name()).collect();
        violations.push(format!(
            "Value '{text}' at '{name}' failed to satisfy constraint: \
             Member must satisfy enum value set: [{}]",
            set.join(", ")
        ));
    }
    known
}

/// Source: the service model's DocumentationPartLocationStatusCode.
const STATUS_CODE: &str = r"^([1-5]\d\d|\*|\s*)$";
