//! Schemas of models: whether a text is one, which models it names, and a schema with those models in it.
//!
//! Source: JSON Schema draft 4 (core, validation), which is what API Gateway supports. Texts come from callers; the
//! depth of what is walked here is bounded by the JSON parser's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Models;
use crate::app::AppError;
use crate::model::Model;

/// Whether a model's schema may be stored: there is one where the content type needs it, it is a schema, and the models
/// it names exist.
///
/// Only JSON is looked into; what other content types have is text to AWS too. Texts of refusals: `admin-api` section 3
/// and recorded answers of CreateModel.
pub(super) fn check(models: &Models, model: &Model) -> Result<(), AppError> {
    let kind = kind(&model.content_type);
    let text = model.schema.as_deref().unwrap_or_default().trim();
    if text.is_empty() {
        return if kind == Kind::Other { Ok(()) } else { Err(AppError::EmptyModelSchema) };
    }
    if text.len() > MAX_BYTES {
        return Err(AppError::ModelTooLong);
    }
    if kind != Kind::Json {
        return Ok(());
    }
    let invalid = |errors: String| AppError::InvalidModel { errors };
    let mut schema: Value =
        serde_json::from_str(text).map_err(|_| invalid("Invalid model schema specified".into()))?;
    if matches!(&schema, Value::Object(map) if map.is_empty())
        || matches!(&schema, Value::Array(list) if list.is_empty())
    {
        return Err(AppError::EmptyModelSchema);
    }
    let mut errors = Vec::new();
    let mut unsupported = BTreeSet::new();
    if !is_schema(&schema, &mut unsupported) {
        errors.push("Invalid model schema specified".to_owned());
    } else if !unsupported.is_empty() {
        let keywords = unsupported.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>();
        let keywords = keywords.join(", ");
        errors
            .push(format!("Invalid model schema specified. Unsupported keyword(s): [{keywords}]"));
    }
    visit(&mut schema, &mut |reference| {
        let error = match Model::named_by(reference) {
            Some(name) if name == model.name || models.contains_key(name) => return,
            Some(name) => format!("Invalid model identifier specified: {name}"),
            None if reference.starts_with('#') => return,
            None => "Model reference must be in canonical form".to_owned(),
        };
        if !errors.contains(&error) {
            errors.push(error);
        }
    });
    if errors.is_empty() { Ok(()) } else { Err(invalid(errors.join(", "))) }
}

/// The models a schema names; none when the text is no JSON.
pub(super) fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Ok(mut schema) = serde_json::from_str(text) {
        visit(&mut schema, &mut |reference| {
            names.extend(Model::named_by(reference).map(str::to_owned));
        });
    }
    names
}

/// The schema of model `name` on its own: models it names, and those they name, stand under `definitions` and are
/// referred to there, so that circles stay circles and nothing is written twice.
///
/// References to models that are gone stay as they are, and so does a text that is no JSON object.
pub(super) fn flatten(models: &Models, name: &str, text: &str) -> String {
    let Ok(mut schema @ Value::Object(_)) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    let own = schema.get("definitions").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut places = Places { own, of: BTreeMap::from([(name.to_owned(), "#".to_owned())]) };
    let mut waiting = places.resolve(models, &mut schema, "#");
    let mut found = Map::new();
    while let Some((key, model)) = waiting.pop() {
        let parsed = model.schema.as_deref().map(serde_json::from_str);
        let mut part: Value = parsed.and_then(Result::ok).unwrap_or_default();
        waiting.extend(places.resolve(models, &mut part, &format!("#/definitions/{key}")));
        found.insert(key, part);
    }
    if let (false, Value::Object(map)) = (found.is_empty(), &mut schema) {
        let definitions = map.entry("definitions").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(definitions) = definitions {
            definitions.append(&mut found);
        } else {
            *definitions = Value::Object(found);
        }
    }
    schema.to_string()
}

/// Where in a flattened schema each model stands.
struct Places {
    /// Definitions the schema has of its own, whose names are taken.
    own: Map<String, Value>,
    /// Model to the reference that leads to it.
    of: BTreeMap<String, String>,
}

impl Places {
    /// Turns references to models into references within the document, in a schema that will stand at `base`. Gives the
    /// models that got a place just now, with their keys.
    fn resolve<'w>(
        &mut self,
        models: &'w Models,
        schema: &mut Value,
        base: &str,
    ) -> Vec<(String, &'w Model)> {
        let mut new = Vec::new();
        visit(schema, &mut |reference| {
            if let Some(local) = reference.strip_prefix('#') {
                *reference = format!("{base}{local}");
                return;
            }
            let Some(name) = Model::named_by(reference) else { return };
            if let Some(place) = self.of.get(name) {
                reference.clone_from(place);
            } else if let Some(model) = models.get(name) {
                let mut key = name.to_owned();
                while self.own.contains_key(&key) {
                    // No model's name has it.
                    key.push('_');
                }
                let place = format!("#/definitions/{key}");
                self.of.insert(name.to_owned(), place.clone());
                new.push((key, &**model));
                *reference = place;
            }
        });
        new
    }
}

/// What a content type's bodies are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Xml,
    Other,
}

fn kind(content_type: &str) -> Kind {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.ends_with("/json") || essence.ends_with("+json") {
        Kind::Json
    } else if essence.ends_with("/xml") || essence.ends_with("+xml") {
        Kind::Xml
    } else {
        Kind::Other
    }
}

/// Shows every `$ref` of a schema, only where a schema may stand: examples, defaults and enumerations are left alone.
fn visit(schema: &mut Value, act: &mut dyn FnMut(&mut String)) {
    let Value::Object(map) = schema else { return };
    for (keyword, value) in map {
        match (keyword.as_str(), value) {
            ("$ref", Value::String(reference)) => act(reference),
            (
                "properties" | "patternProperties" | "definitions" | "dependencies",
                Value::Object(members),
            ) => members.values_mut().for_each(|member| visit(member, act)),
            ("items" | "allOf" | "anyOf" | "oneOf", Value::Array(list)) => {
                list.iter_mut().for_each(|member| visit(member, act));
            }
            ("items" | "additionalItems" | "additionalProperties" | "not", value) => {
                visit(value, act);
            }
            _ => {}
        }
    }
}

/// Whether a value is a schema by draft 4's schema of schemas. Keywords it does not know are noted: AWS refuses them.
fn is_schema(schema: &Value, unsupported: &mut BTreeSet<String>) -> bool {
    let Value::Object(map) = schema else { return false };
    map.iter().all(|(keyword, value)| match keyword.as_str() {
        "$ref" | "$schema" | "id" | "title" | "description" | "format" | "pattern" => {
            value.is_string()
        }
        "default" => true,
        "type" => is_type(value),
        "enum" => value.as_array().is_some_and(|list| !list.is_empty()),
        "required" => is_names(value),
        "minimum" | "maximum" => value.is_number(),
        "multipleOf" => value.as_f64().is_some_and(|number| number > 0.0),
        "exclusiveMinimum" | "exclusiveMaximum" | "uniqueItems" | "readOnly" => value.is_boolean(),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            value.is_u64()
        }
        "properties" | "patternProperties" | "definitions" => {
            let members = value.as_object();
            members.is_some_and(|members| members.values().all(|one| is_schema(one, unsupported)))
        }
        "dependencies" => value.as_object().is_some_and(|members| {
            members.values().all(|one| is_names(one) || is_schema(one, unsupported))
        }),
        "allOf" | "anyOf" | "oneOf" => is_schemas(value, unsupported),
        "items" => is_schemas(value, unsupported) || is_schema(value, unsupported),
        "not" => is_schema(value, unsupported),
        "additionalItems" | "additionalProperties" => {
            value.is_boolean() || is_schema(value, unsupported)
        }
        other => {
            unsupported.insert(other.to_owned());
            true
        }
    })
}

/// A list of schemas that has at least one.
fn is_schemas(value: &Value, unsupported: &mut BTreeSet<String>) -> bool {
    let Value::Array(list) = value else { return false };
    !list.is_empty() && list.iter().all(|one| is_schema(one, unsupported))
}

/// A type, or several.
fn is_type(value: &Value) -> bool {
    let known = |value: &Value| {
        let types = ["array", "boolean", "integer", "null", "number", "object", "string"];
        value.as_str().is_some_and(|name| types.contains(&name))
    };
    match value {
        Value::Array(_) => is_names(value) && value.as_array().into_iter().flatten().all(known),
        one => known(one),
    }
}

/// A list of different names that has at least one.
fn is_names(value: &Value) -> bool {
    let Value::Array(list) = value else { return false };
    let names: BTreeSet<&str> = list.iter().filter_map(Value::as_str).collect();
    !list.is_empty() && names.len() == list.len()
}

/// AWS's limit of a model's schema. Source: the service model, CreateModel.
const MAX_BYTES: usize = 400 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::models::tests::{model, models};

    fn check_text(schema: &str, want: Result<(), &str>) {
        let models = models(&[("Pet", r#"{"type":"object"}"#)]);
        let found = check(&models, &model("New", schema)).map_err(|error| error.to_string());
        let want = want.map_err(str::to_owned);
        assert_eq!(found, want, "{schema}");
    }

    fn invalid(errors: &str) -> String {
        format!("Invalid model specified: Validation Result: warnings : [], errors : [{errors}]")
    }

    #[test]
    fn schemas() {
        let empty = "Model schema must have at least 1 property or array items defined";
        let no_schema = invalid("Invalid model schema specified");
        for (schema, want) in [
            (r#"{"type":"object"}"#, Ok(())),
            (r#"{"type":["object","null"],"required":["a"],"properties":{"a":{}}}"#, Ok(())),
            (r#"{"items":[{"type":"string"}],"additionalItems":false}"#, Ok(())),
            (r#"{"dependencies":{"a":["b"],"c":{"minimum":1}}}"#, Ok(())),
            (r##"{"properties":{"self":{"$ref":"#"},"a":{"$ref":"#/definitions/a"}}}"##, Ok(())),
            (r#"{"$ref":"https://any.test/restapis/other/models/Pet"}"#, Ok(())),
            (r#"{"$ref":"https://any.test/restapis/other/models/New"}"#, Ok(())),
            (r#"{"enum":[{"$ref":"nonsense"}],"default":{"$ref":1}}"#, Ok(())),
            ("", Err(empty)),
            ("  ", Err(empty)),
            ("{}", Err(empty)),
            ("[]", Err(empty)),
            ("[1]", Err(&no_schema)),
            ("true", Err(&no_schema)),
            ("{", Err(&no_schema)),
            (r#"{"type":"String"}"#, Err(&no_schema)),
            (r#"{"type":[]}"#, Err(&no_schema)),
            (r#"{"required":[]}"#, Err(&no_schema)),
            (r#"{"required":["a","a"]}"#, Err(&no_schema)),
            (r#"{"properties":[]}"#, Err(&no_schema)),
            (r#"{"properties":{"a":1}}"#, Err(&no_schema)),
            (r#"{"minimum":1,"exclusiveMinimum":1}"#, Err(&no_schema)),
            (r#"{"minLength":-1}"#, Err(&no_schema)),
            (r#"{"allOf":[]}"#, Err(&no_schema)),
        ] {
            check_text(schema, want);
        }
        check_text(
            r#"{"nullable":true,"properties":{"a":{"example":1}}}"#,
            Err(&invalid(
                r#"Invalid model schema specified. Unsupported keyword(s): ["example", "nullable"]"#,
            )),
        );
        check_text(
            r#"{"properties":{"a":{"$ref":"Pet"},"b":{"$ref":"https://a.test/restapis/x/models/No"}}}"#,
            Err(&invalid(
                "Model reference must be in canonical form, Invalid model identifier specified: No",
            )),
        );
    }

    #[test]
    fn other_content_types_are_text() {
        let models = models(&[]);
        for (content_type, schema, fits) in [
            ("application/xml", "<a/>", true),
            ("application/xml", "", false),
            ("text/plain", "", true),
            ("application/problem+json; charset=utf-8", "<a/>", false),
        ] {
            let model = Model { content_type: content_type.to_owned(), ..model("New", schema) };
            assert_eq!(check(&models, &model).is_ok(), fits, "{content_type} {schema}");
        }
    }

    #[test]
    fn hostile_texts_end_in_a_refusal() {
        let deep = r#"{"not":"#.repeat(100_000);
        let long = format!(r#"{{"title":"{}"}}"#, "a".repeat(MAX_BYTES));
        let control = "{\"title\":\"\u{0}\u{7}\"}";
        for schema in [deep.as_str(), long.as_str(), control] {
            assert!(check(&models(&[]), &model("New", schema)).is_err());
            assert_eq!(names(schema).len(), 0);
        }
        assert_eq!(flatten(&models(&[]), "New", &deep), deep);
    }

    #[test]
    fn flattening_brings_named_models_along_once() {
        let to = |name: &str| format!("https://any.test/restapis/abc/models/{name}");
        let refer = |name: &str| format!(r#"{{"$ref":"{}"}}"#, to(name));
        let models = models(&[
            (
                "Pet",
                &format!(
                    r#"{{"properties":{{"owner":{},"self":{},"gone":{}}}}}"#,
                    refer("Owner"),
                    refer("Pet"),
                    refer("Gone")
                ),
            ),
            (
                "Owner",
                &format!(
                    r##"{{"definitions":{{"n":{{}}}},"properties":{{"name":{{"$ref":"#/definitions/n"}},"pets":{{"items":{}}},"me":{{"$ref":"#"}}}}}}"##,
                    refer("Pet")
                ),
            ),
            (
                "Clash",
                &format!(
                    r#"{{"definitions":{{"Owner":{{"type":"string"}}}},"items":{}}}"#,
                    refer("Owner")
                ),
            ),
            ("Plain", r#"{"type":"object"}"#),
        ]);
        let flat = |name: &str| -> Value {
            let text = models[name].schema.as_deref().unwrap();
            serde_json::from_str(&flatten(&models, name, text)).unwrap()
        };
        assert_eq!(
            flat("Pet"),
            serde_json::json!({
                "properties": {
                    "owner": { "$ref": "#/definitions/Owner" },
                    "self": { "$ref": "#" },
                    "gone": { "$ref": to("Gone") },
                },
                "definitions": {
                    "Owner": {
                        "definitions": { "n": {} },
                        "properties": {
                            "name": { "$ref": "#/definitions/Owner/definitions/n" },
                            "pets": { "items": { "$ref": "#" } },
                            "me": { "$ref": "#/definitions/Owner" },
                        },
                    },
                },
            })
        );
        let clash = flat("Clash");
        assert_eq!(clash["items"]["$ref"], "#/definitions/Owner_");
        assert_eq!(clash["definitions"]["Owner"], serde_json::json!({ "type": "string" }));
        assert_eq!(
            clash["definitions"]["Pet"]["properties"]["owner"]["$ref"],
            "#/definitions/Owner_"
        );
        assert_eq!(flat("Plain"), serde_json::json!({ "type": "object" }));
    }
}
