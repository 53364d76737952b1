//! Parameters and bodies of an operation to `requestParameters` and `requestModels`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Dialect;
use super::object::{Object, Reader};
use super::schemas::Schemas;
use crate::model::StringMap;

/// What an operation reads from a request.
#[derive(Default)]
pub(super) struct Request {
    /// `method.request.{location}.{name}` to whether it is required.
    pub(super) parameters: BTreeMap<String, bool>,
    /// Content type to model name.
    pub(super) models: StringMap,
}

/// Reads `parameters` of the path item and the operation, of which the latter win, and the body.
pub(super) fn read<'a>(
    dialect: Dialect,
    shared: &[Object<'a>],
    operation: &Object<'a>,
    consumes: &[String],
    place: &str,
    schemas: &mut Schemas<'a>,
    reader: &mut Reader<'a>,
) -> Request {
    let mut declared: BTreeMap<(String, String), Object<'a>> = BTreeMap::new();
    let own = operation.list_of_objects("parameters", reader);
    if !reader.spend(shared.len(), 0) {
        return Request::default();
    }
    for parameter in shared.iter().cloned().chain(own) {
        let Some(parameter) = reader.resolve(parameter) else { continue };
        match (parameter.text("in", reader), parameter.text("name", reader)) {
            (Some(location), Some(name)) => drop(declared.insert((name, location), parameter)),
            (location, _) => {
                let missing = if location.is_none() { "in" } else { "name" };
                reader.error(format!("attribute {} is missing", parameter.place_of(missing)));
            }
        }
    }
    let mut request = Request::default();
    let mut previous: Option<&str> = None;
    for ((name, location), parameter) in &declared {
        let location = match location.as_str() {
            "header" => "header",
            "query" => "querystring",
            "path" => "path",
            "body" if dialect == Dialect::Swagger2 => {
                body(parameter, consumes, &mut request, schemas, reader);
                continue;
            }
            "formData" | "cookie" => {
                reader.warn(format!(
                    "{place}: Parameters in '{location}' are not supported. Ignoring '{name}'."
                ));
                continue;
            }
            _ => {
                reader.error(format!("attribute {} is '{location}'", parameter.place_of("in")));
                continue;
            }
        };
        // `declared` is in order of names, so equal ones are neighbours. Source: `admin-api` section 3.
        if previous == Some(name) {
            reader.error(format!(
                "{place}: Parameter names must be unique across querystring, header and path"
            ));
        }
        previous = Some(name);
        let required = location == "path" || parameter.boolean("required", reader).unwrap_or(false);
        request.parameters.insert(format!("method.request.{location}.{name}"), required);
    }
    if dialect == Dialect::OpenApi3
        && let Some(body) = operation.object("requestBody", reader)
        && let Some(body) = reader.resolve(body)
    {
        request.models.extend(content(&body, schemas, reader));
    }
    request
}

/// Swagger's body parameter: one schema for every type the operation consumes.
fn body<'a>(
    parameter: &Object<'a>,
    consumes: &[String],
    request: &mut Request,
    schemas: &mut Schemas<'a>,
    reader: &mut Reader<'a>,
) {
    let schema = parameter.object("schema", reader);
    let model = schema.and_then(|schema| schemas.model_for(&schema, reader));
    if let Some(model) =
        model.filter(|model| reader.spend(consumes.len(), consumes.len() * model.len()))
    {
        request
            .models
            .extend(consumes.iter().map(|media_type| (media_type.clone(), model.clone())));
    }
}

/// OpenAPI's `content`: a schema per media type.
pub(super) fn content<'a>(
    owner: &Object<'a>,
    schemas: &mut Schemas<'a>,
    reader: &mut Reader<'a>,
) -> StringMap {
    let mut models = StringMap::new();
    for (media_type, content) in owner.objects("content", reader) {
        let schema = content.object("schema", reader);
        if let Some(model) = schema.and_then(|schema| schemas.model_for(&schema, reader)) {
            models.insert(media_type.to_owned(), model);
        }
    }
    models
}

/// Media types of Swagger's `consumes` or `produces`: the operation's, else the document's, else JSON.
pub(super) fn media_types(
    key: &str,
    operation: &Object<'_>,
    root: &Object<'_>,
    reader: &mut Reader<'_>,
) -> Vec<String> {
    let owner = if operation.get(key).is_some_and(Value::is_array) { operation } else { root };
    let types = owner.texts(key, reader).unwrap_or_default();
    if types.is_empty() { vec!["application/json".to_owned()] } else { types }
}
