//! The sample mapping template of a model: every member of its schema, read from where it stands in the input.
//!
//! ```text
//! #set($inputRoot = $input.path('$'))
//! {
//!   "name" : "$inputRoot.name",
//!   "photos" : [
//! ##TODO: Update this foreach loop to reference array from input json
//! #foreach($elem in $inputRoot.photos)
//!     {
//!       "id" : $elem.id
//!     }
//! #if($foreach.hasNext),#end
//! #end
//!   ]
//! }
//! ```
//!
//! Source: templates AWS's console generates from models, and the API Gateway Developer Guide, "Photos example".

use std::fmt::Write as _;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Models;
use crate::app::AppError;
use crate::model::Model;

/// The template that makes what `model` describes.
pub(super) fn of(models: &Models, model: &Model) -> Result<String, AppError> {
    let schema = parse(model).ok_or_else(|| AppError::InvalidModel {
        errors: "Invalid model schema specified".to_owned(),
    })?;
    let mut template =
        Template { models, within: vec![&model.name], loops: 0, text: String::new() };
    template.text.push_str("#set($inputRoot = $input.path('$'))\n");
    template.value(&schema, "$inputRoot", 0);
    Ok(template.text)
}

fn parse(model: &Model) -> Option<Schema> {
    serde_json::from_str(model.schema.as_deref()?).ok()
}

/// What a template needs of a schema.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Value>,
    /// In the schema's order, which is the template's.
    #[serde(deserialize_with = "in_order")]
    properties: Vec<(String, Schema)>,
    items: Option<Items>,
}

/// Items of one kind, or one schema per place.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Items {
    All(Box<Schema>),
    Each(Vec<Schema>),
}

impl Schema {
    fn is(&self, name: &str) -> bool {
        match &self.kind {
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == name),
            Some(kind) => kind == name,
            None => false,
        }
    }

    /// The schema of an array's elements; anything when the array does not say.
    fn element(&self) -> Option<&Schema> {
        match &self.items {
            Some(Items::All(schema)) => Some(schema),
            Some(Items::Each(schemas)) => schemas.first(),
            None => None,
        }
    }
}

struct Template<'w> {
    models: &'w Models,
    /// The models being written, outermost first; naming one of them again would never end.
    within: Vec<&'w str>,
    /// Loops around the place being written.
    loops: usize,
    text: String,
}

impl<'w> Template<'w> {
    /// Writes what `schema` describes, read from `path`. The cursor stands where the value begins.
    fn value(&mut self, schema: &Schema, path: &str, depth: usize) {
        if let Some(reference) = &schema.reference {
            return self.named(reference, path, depth);
        }
        let goes_on = depth < MAX_DEPTH && self.text.len() < MAX_BYTES;
        if !schema.properties.is_empty() && goes_on {
            self.object(schema, path, depth);
        } else if schema.is("array") || schema.items.is_some() {
            if goes_on { self.array(schema, path, depth) } else { self.text.push_str("[ ]") }
        } else if schema.is("object") {
            self.text.push_str("{ }");
        } else if schema.is("string") {
            let _ = write!(self.text, "\"{path}\"");
        } else {
            self.text.push_str(path);
        }
    }

    /// A model in the place of a schema; read as one value where it cannot be written out.
    fn named(&mut self, reference: &str, path: &str, depth: usize) {
        let model = Model::named_by(reference).and_then(|name| self.models.get(name));
        match model.and_then(|model| Some((model.name.as_str(), parse(model)?))) {
            Some((name, schema)) if !self.within.contains(&name) => {
                self.within.push(name);
                self.value(&schema, path, depth);
                self.within.pop();
            }
            _ => self.text.push_str(path),
        }
    }

    fn object(&mut self, schema: &Schema, path: &str, depth: usize) {
        self.text.push('{');
        for (index, (name, member)) in schema.properties.iter().enumerate() {
            self.text.push_str(if index == 0 { "\n" } else { ",\n" });
            self.indent(depth + 1);
            let _ = write!(self.text, "{} : ", Value::from(name.as_str()));
            self.value(member, &below(path, name), depth + 1);
        }
        self.text.push('\n');
        self.indent(depth);
        self.text.push('}');
    }

    fn array(&mut self, schema: &Schema, path: &str, depth: usize) {
        // Each loop has a variable of its own: an inner one must not hide the outer.
        let element = match self.loops {
            0 => "$elem".to_owned(),
            outer => format!("$elem{}", outer + 1),
        };
        // The whole input is rarely the array that is meant.
        let source = if path == "$inputRoot" { "$inputRoot.TODO" } else { path };
        let _ = write!(
            self.text,
            "[\n##TODO: Update this foreach loop to reference array from input json\n\
             #foreach({element} in {source})\n"
        );
        self.indent(depth + 2);
        self.loops += 1;
        match schema.element() {
            Some(schema) => self.value(schema, &element, depth + 2),
            None => self.text.push_str(&element),
        }
        self.loops -= 1;
        self.text.push_str("\n#if($foreach.hasNext),#end\n#end\n");
        self.indent(depth);
        self.text.push(']');
    }

    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n("  ", depth));
    }
}

/// The reference to a member: a name VTL cannot spell is asked for with `get`.
fn below(path: &str, name: &str) -> String {
    let mut bytes = name.bytes();
    let is_name = bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_name {
        format!("{path}.{name}")
    } else {
        // VTL doubles a quote within quotes.
        format!("{path}.get('{}')", name.replace('\'', "''"))
    }
}

fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Schema)>, D::Error> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, Schema)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of schemas")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    deserializer.deserialize_map(Members)
}

/// Levels that are written out; a payload has fewer.
const MAX_DEPTH: usize = 32;

/// Where a template stops to grow: AWS's limit of a mapping template, 300 KB.
const MAX_BYTES: usize = 300 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::models::tests::{model, models};

    fn check(schema: &str, want: &str) {
        let models = models(&[(
            "Owner",
            r#"{"properties":{"name":{"type":"string"},"pets":{"type":"array","items":{"$ref":"https://a.test/restapis/x/models/New"}}}}"#,
        )]);
        let found = of(&models, &model("New", schema)).unwrap();
        assert_eq!(found, format!("#set($inputRoot = $input.path('$'))\n{want}"), "{schema}");
    }

    #[test]
    fn members_in_the_order_of_the_schema() {
        check(
            r#"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"integer"},
               "deep":{"type":"object","properties":{"b c":{"type":"boolean"},"it's":{"type":["null","string"]}}},"any":{},"no":{"type":"object"}}}"#,
            "{\n  \"z\" : \"$inputRoot.z\",\n  \"a\" : $inputRoot.a,\n  \"deep\" : {\n    \
             \"b c\" : $inputRoot.deep.get('b c'),\n    \"it's\" : \"$inputRoot.deep.get('it''s')\"\n  },\n  \
             \"any\" : $inputRoot.any,\n  \"no\" : { }\n}",
        );
        check(r#"{"type":"object"}"#, "{ }");
        check(r#"{"type":"string"}"#, "\"$inputRoot\"");
    }

    #[test]
    fn arrays_are_loops() {
        check(
            r#"{"type":"array","items":{"type":"object","properties":{"age":{"type":"integer"}}}}"#,
            "[\n##TODO: Update this foreach loop to reference array from input json\n\
             #foreach($elem in $inputRoot.TODO)\n    {\n      \"age\" : $elem.age\n    }\n\
             #if($foreach.hasNext),#end\n#end\n]",
        );
        check(
            r#"{"properties":{"rows":{"items":{"items":{"type":"string"}}},"free":{"type":"array"}}}"#,
            "{\n  \"rows\" : [\n##TODO: Update this foreach loop to reference array from input json\n\
             #foreach($elem in $inputRoot.rows)\n      [\n##TODO: Update this foreach loop to reference array from input json\n\
             #foreach($elem2 in $elem)\n          \"$elem2\"\n#if($foreach.hasNext),#end\n#end\n      ]\n\
             #if($foreach.hasNext),#end\n#end\n  ],\n  \"free\" : [\n\
             ##TODO: Update this foreach loop to reference array from input json\n#foreach($elem in $inputRoot.free)\n      \
             $elem\n#if($foreach.hasNext),#end\n#end\n  ]\n}",
        );
    }

    #[test]
    fn named_models_are_written_out_and_circles_end() {
        check(
            r##"{"properties":{"owner":{"$ref":"https://a.test/restapis/x/models/Owner"},"local":{"$ref":"#/definitions/a"}}}"##,
            "{\n  \"owner\" : {\n    \"name\" : \"$inputRoot.owner.name\",\n    \"pets\" : [\n\
             ##TODO: Update this foreach loop to reference array from input json\n\
             #foreach($elem in $inputRoot.owner.pets)\n        $elem\n#if($foreach.hasNext),#end\n#end\n    ]\n  },\n  \
             \"local\" : $inputRoot.local\n}",
        );
    }

    #[test]
    fn templates_stay_small_and_hostile_schemas_are_refused() {
        // Each model names the next ten times: written out, the last would stand there 10^20 times.
        let texts: Vec<(String, String)> = (0..20)
            .map(|n| {
                let next = format!(r#"{{"$ref":"https://a.test/restapis/x/models/M{}"}}"#, n + 1);
                let members = (0..10).map(|m| format!(r#""m{m}":{next}"#)).collect::<Vec<_>>();
                (format!("M{n}"), format!(r#"{{"properties":{{{}}}}}"#, members.join(",")))
            })
            .collect();
        let texts: Vec<_> =
            texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let models = models(&texts);
        let text = of(&models, &models["M0"]).unwrap();
        assert!(text.len() < 2 * MAX_BYTES, "{}", text.len());
        for schema in [r#"{"items":"#.repeat(100_000).as_str(), "", "[", r#"{"properties":[]}"#] {
            assert!(of(&models, &model("New", schema)).is_err(), "{schema:.20}");
        }
    }
}
