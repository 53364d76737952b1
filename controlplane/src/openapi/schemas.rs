//! Schemas to models: named ones from the document's components, generated ones for inline schemas.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::object::{Object, Reader};
use super::{Dialect, ImportedModel};
use crate::model::{ApiId, Model};

/// The models of a document. Which names exist is known before any schema is read, so models may be circular.
pub(super) struct Schemas<'a> {
    prefix: &'static str,
    url: String,
    /// The document's names of schemas to the models'.
    named: BTreeMap<&'a str, String>,
    models: BTreeMap<String, ImportedModel>,
}

impl<'a> Schemas<'a> {
    pub(super) fn read(
        root: &Object<'a>,
        dialect: Dialect,
        reader: &mut Reader<'a>,
        api: &ApiId,
    ) -> Self {
        let (prefix, found) = match dialect {
            Dialect::Swagger2 => ("#/definitions/", root.objects("definitions", reader)),
            Dialect::OpenApi3 => {
                let components = root.object("components", reader);
                let found = components.map(|c| c.objects("schemas", reader)).unwrap_or_default();
                ("#/components/schemas/", found)
            }
        };
        let url = format!("https://apigateway.amazonaws.com/restapis/{api}/models/");
        let mut schemas =
            Self { prefix, url, named: names(&found, reader), models: BTreeMap::new() };
        for (name, schema) in found {
            let Some(model) = schemas.named.get(name).cloned() else { continue };
            let value = schemas.rewrite(&schema.to_value(), schema.place(), reader);
            schemas.insert(model, &value, value.to_string());
        }
        schemas
    }

    pub(super) fn into_models(self) -> BTreeMap<String, ImportedModel> {
        self.models
    }

    /// The name of the model for the schema of a body; an inline schema becomes a model named after its content.
    pub(super) fn model_for(
        &mut self,
        schema: &Object<'a>,
        reader: &mut Reader<'a>,
    ) -> Option<String> {
        match schema.get("$ref") {
            Some(Value::String(reference)) => self.named(reference, schema.place(), reader),
            Some(_) => {
                reader.error(format!("attribute {}.$ref is not of type `string`", schema.place()));
                None
            }
            None => {
                let value = self.rewrite(&schema.to_value(), schema.place(), reader);
                let text = value.to_string();
                if !reader.spend(1, text.len()) {
                    return None;
                }
                let digest = hex::encode(Sha256::digest(&text));
                // AWS names them alike, with six random digits; ours are the same on every import of a document.
                let mut length = 6;
                let name = loop {
                    let name = format!("MODEL{}", &digest[..length]);
                    match self.models.get(&name) {
                        Some(other) if other.schema != text && length < digest.len() => length += 1,
                        _ => break name,
                    }
                };
                self.insert(name.clone(), &value, text);
                Some(name)
            }
        }
    }

    fn insert(&mut self, name: String, value: &Value, schema: String) {
        let description = value.get("description").and_then(Value::as_str).map(str::to_owned);
        let content_type = "application/json".to_owned();
        let model = ImportedModel { name: name.clone(), description, schema, content_type };
        self.models.insert(name, model);
    }

    /// The model a reference names, in the document's form or in AWS's.
    fn named(&self, reference: &str, place: &str, reader: &mut Reader<'_>) -> Option<String> {
        let name = if let Some(name) = reference.strip_prefix(self.prefix) {
            name
        } else if let Some(name) = Model::named_by(reference) {
            name
        } else if reference.starts_with('#') {
            reader
                .warn(format!("Reference to model '{reference}' at {place} not found. Ignoring."));
            return None;
        } else {
            reader.error(format!("attribute {place}.$ref is not a local reference: {reference}"));
            return None;
        };
        // A name may be escaped as part of a JSON pointer within a URL.
        let plain = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        let plain = plain.replace("~1", "/").replace("~0", "~");
        if let Some(model) = self.named.get(plain.as_str()) {
            return Some(model.clone());
        }
        reader.warn(format!("Reference to model '{name}' at {place} not found. Ignoring."));
        None
    }

    /// A schema with its references in the form in which models refer to each other; only where a schema may stand,
    /// so that examples, defaults and enumerations are left alone.
    fn rewrite(&self, schema: &Value, place: &str, reader: &mut Reader<'_>) -> Value {
        let Value::Object(map) = schema else { return schema.clone() };
        if let Some(Value::String(reference)) = map.get("$ref") {
            let mut out = Map::new();
            if let Some(name) = self.named(reference, place, reader) {
                out.insert("$ref".to_owned(), Value::String(format!("{}{name}", self.url)));
            }
            return Value::Object(out);
        }
        let each = |value: &Value, reader: &mut Reader<'_>| match value {
            Value::Array(list) => {
                list.iter().map(|item| self.rewrite(item, place, reader)).collect()
            }
            other => self.rewrite(other, place, reader),
        };
        let rewritten = map.iter().map(|(key, value)| {
            let value = match (key.as_str(), value) {
                (
                    "properties" | "patternProperties" | "definitions" | "dependencies",
                    Value::Object(members),
                ) => {
                    let members = members
                        .iter()
                        .map(|(name, member)| (name.clone(), self.rewrite(member, place, reader)));
                    Value::Object(members.collect())
                }
                (
                    "items"
                    | "additionalProperties"
                    | "additionalItems"
                    | "not"
                    | "allOf"
                    | "anyOf"
                    | "oneOf",
                    _,
                ) => each(value, reader),
                _ => value.clone(),
            };
            (key.clone(), value)
        });
        Value::Object(rewritten.collect())
    }
}

/// The model names of a document's schemas. AWS takes letters and digits only, so others are left out, with a warning;
/// where that makes two names one, the later gets a number.
fn names<'a>(
    found: &[(&'a str, Object<'a>)],
    reader: &mut Reader<'_>,
) -> BTreeMap<&'a str, String> {
    let (plain, other): (Vec<_>, Vec<_>) =
        found.iter().map(|(name, _)| *name).partition(|name| Model::is_name(name));
    let mut taken: HashSet<String> = plain.iter().map(|name| (*name).to_owned()).collect();
    let mut named: BTreeMap<&'a str, String> =
        plain.into_iter().map(|name| (name, name.to_owned())).collect();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for name in other {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let letters = if letters.is_empty() { "Model".to_owned() } else { letters };
        // Where the last search ended, the next of the same letters begins.
        let number = numbers.entry(letters.clone()).or_insert(1_u32);
        let mut model = letters.clone();
        while taken.contains(&model) {
            *number += 1;
            model = format!("{letters}{number}");
        }
        reader.warn(format!(
            "Model name must be alphanumeric: {name}. The model is created as '{model}'."
        ));
        taken.insert(model.clone());
        named.insert(name, model);
    }
    named
}
