//! Models to schemas: references in the document's form, and what a format has no member for left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map as JsonMap, Value, json};

use super::ExportType;
use super::documentation::{Parts, Place, SCHEMA_MEMBERS, lay};
use super::node::{Map, Node};
use crate::model::{Model, Snapshot};

/// The models of an API, and which of them the document has come to need.
pub(super) struct Models<'a> {
    known: BTreeMap<&'a str, &'a Model>,
    format: ExportType,
    /// Schemas stay as they are but for their references.
    verbatim: bool,
    needed: BTreeSet<String>,
    /// Those of them that have no definition yet.
    pending: Vec<String>,
}

impl<'a> Models<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, format: ExportType, verbatim: bool) -> Self {
        let known = snapshot.models.iter().map(|model| (model.name.as_str(), model)).collect();
        Self { known, format, verbatim, needed: BTreeSet::new(), pending: Vec::new() }
    }

    /// Whether a model is a JSON schema. One that is not there can only be the built-in `Empty`.
    pub(super) fn is_json(&self, name: &str) -> bool {
        self.known.get(name).is_none_or(|model| model.content_type == "application/json")
    }

    /// A schema that refers to a model, which the document must then have.
    pub(super) fn reference(&mut self, name: &str) -> Map {
        if self.needed.insert(name.to_owned()) {
            self.pending.push(name.to_owned());
        }
        let prefix = match self.format {
            ExportType::Swagger => "#/definitions/",
            ExportType::Oas30 => "#/components/schemas/",
        };
        Map::from_iter([("$ref", format!("{prefix}{name}"))])
    }

    /// The schemas of all models that are needed, also by each other.
    pub(super) fn definitions(&mut self, parts: &Parts) -> Map {
        let mut definitions: BTreeMap<String, Map> = BTreeMap::new();
        while let Some(name) = self.pending.pop() {
            let definition = self.definition(&name, parts);
            definitions.insert(name, definition);
        }
        definitions.into_iter().collect()
    }

    fn definition(&mut self, name: &str, parts: &Parts) -> Map {
        let schema = match self.known.get(name) {
            Some(model) => {
                let text = model.schema.as_deref().unwrap_or_default();
                serde_json::from_str(text).unwrap_or_else(|_| json!({}))
            }
            None => json!({"type": "object", "title": "Empty Schema"}),
        };
        let mut definition = self.schema(&schema);
        if self.verbatim {
            return definition;
        }
        parts.document(&mut definition, &Place::model(name), self.format);
        for (path, said) in parts.properties_of(name) {
            if let Some(property) = property(&mut definition, &path) {
                lay(said, SCHEMA_MEMBERS, property);
            }
        }
        definition
    }

    /// A schema in the document's terms. Nothing is deeper than what a parser let in, so recursion is bounded.
    fn schema(&mut self, value: &Value) -> Map {
        let Value::Object(members) = value else { return Map::default() };
        if let Some(reference) = members.get("$ref") {
            let model = reference.as_str().and_then(Model::named_by);
            return match model {
                Some(model) => self.reference(model),
                None if self.verbatim => Map::from_iter([("$ref", reference.clone())]),
                // It points to nowhere in the document.
                None => Map::default(),
            };
        }
        let mut schema = Map::default();
        for (key, value) in members {
            // Draft 4's own name, which a schema within a document does not have.
            if key == "$schema" {
                continue;
            }
            if let Some(value) = self.member(key, value) {
                schema.put(key.as_str(), value);
            }
        }
        if !self.verbatim {
            self.translate(members, &mut schema);
        }
        schema
    }

    /// A member of a schema, if the format has it in this form.
    fn member(&mut self, key: &str, value: &Value) -> Option<Node> {
        let oas30 = self.format == ExportType::Oas30;
        match (key, value) {
            ("properties", Value::Object(members)) => Some(self.each(members)),
            ("patternProperties" | "definitions" | "dependencies", Value::Object(members))
                if self.verbatim =>
            {
                Some(self.each(members))
            }
            ("items" | "additionalProperties", Value::Object(_)) => Some(self.schema(value).into()),
            ("items", Value::Array(list)) if !self.verbatim => {
                // A tuple; the formats know lists of one kind only.
                Some(list.first().map(|first| self.schema(first)).unwrap_or_default().into())
            }
            ("allOf", Value::Array(list)) if self.verbatim || !list.is_empty() => {
                Some(self.list(list))
            }
            ("oneOf" | "anyOf", Value::Array(list))
                if self.verbatim || oas30 && !list.is_empty() =>
            {
                Some(self.list(list))
            }
            // An enumeration is a set to both formats.
            ("enum", Value::Array(list)) if !self.verbatim && !list.is_empty() => {
                let mut seen = BTreeSet::new();
                let distinct = list.iter().filter(|value| seen.insert(value.to_string()));
                Some(Node::List(distinct.cloned().map(Node::from).collect()))
            }
            ("not", Value::Object(_)) if self.verbatim || oas30 => Some(self.schema(value).into()),
            (_, Value::Array(list)) if self.verbatim && holds_schemas(key) => Some(self.list(list)),
            (_, Value::Object(_)) if self.verbatim && holds_schemas(key) => {
                Some(self.schema(value).into())
            }
            _ if self.verbatim || has_member(key, value, self.format) => Some(value.clone().into()),
            _ => None,
        }
    }

    fn each(&mut self, members: &JsonMap<String, Value>) -> Node {
        let each = members.iter().map(|(name, member)| {
            let member = match member {
                // A dependency may be a list of names.
                Value::Array(names) => Node::from(Value::Array(names.clone())),
                schema => self.schema(schema).into(),
            };
            (name.as_str(), member)
        });
        Node::Map(each.collect())
    }

    fn list(&mut self, list: &[Value]) -> Node {
        Node::List(list.iter().map(|schema| self.schema(schema).into()).collect())
    }

    /// What the two formats say in different ways.
    fn translate(&self, members: &JsonMap<String, Value>, schema: &mut Map) {
        let discriminator = match members.get("discriminator") {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(Value::Object(object)) => object.get("propertyName").and_then(Value::as_str),
            _ => None,
        };
        match self.format {
            ExportType::Swagger => {
                schema.put_some("discriminator", discriminator);
                if members.get("nullable") == Some(&Value::Bool(true)) {
                    schema.set("x-nullable", true.into());
                }
            }
            ExportType::Oas30 => {
                let object = discriminator.map(|name| Map::from_iter([("propertyName", name)]));
                schema.put_some("discriminator", object);
            }
        }
        // A list must say of what.
        if members.get("type").is_some_and(|kind| kind == "array") && !schema.has("items") {
            schema.put("items", Map::default());
        }
    }
}

/// The schema of a property, `["owner", "name"]` of `properties.owner.properties.name`.
fn property<'m>(schema: &'m mut Map, path: &[&str]) -> Option<&'m mut Map> {
    let mut at = schema;
    for name in path {
        let Some(Node::Map(properties)) = at.get_mut("properties") else { return None };
        let Some(Node::Map(next)) = properties.get_mut(name) else { return None };
        at = next;
    }
    Some(at)
}

/// Members of a draft 4 schema that are schemas and that neither format has.
fn holds_schemas(key: &str) -> bool {
    matches!(key, "items" | "additionalItems" | "additionalProperties" | "not")
}

/// Whether a format has a member, schemas aside, in the form the value has.
///
/// Sources: Swagger 2.0, "Schema Object"; OpenAPI 3.0.3, "Schema Object".
fn has_member(key: &str, value: &Value, format: ExportType) -> bool {
    match key {
        "title" | "description" | "format" | "pattern" => value.is_string(),
        "type" => value.as_str().is_some_and(|kind| TYPES.contains(&kind)),
        "multipleOf" | "maximum" | "minimum" => value.is_number(),
        "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties" => {
            value.is_u64()
        }
        "exclusiveMaximum"
        | "exclusiveMinimum"
        | "uniqueItems"
        | "readOnly"
        | "additionalProperties" => value.is_boolean(),
        "required" => {
            let names = value.as_array().filter(|names| names.iter().all(Value::is_string));
            names.is_some_and(|names| {
                let distinct: BTreeSet<_> = names.iter().filter_map(Value::as_str).collect();
                !names.is_empty() && distinct.len() == names.len()
            })
        }
        "default" | "example" => true,
        "xml" | "externalDocs" => value.is_object(),
        "nullable" | "writeOnly" | "deprecated" => {
            format == ExportType::Oas30 && value.is_boolean()
        }
        // What an extension refers to is elsewhere now, if it is there at all.
        key => key.starts_with("x-") && !refers(value),
    }
}

fn refers(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.contains_key("$ref") || members.values().any(refers),
        Value::Array(list) => list.iter().any(refers),
        _ => false,
    }
}

const TYPES: &[&str] = &["array", "boolean", "integer", "number", "object", "string"];
