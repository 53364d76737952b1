//! From a document to a table of nodes, each subschema once, also where references form cycles.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::format::Format;
use super::reference::resolve;
use super::{
    Bound, Dependency, Items, ListRules, MAX_NODES, META_DOCUMENT, Node, NodeId, NumberRules,
    ObjectRules, Rest, Schema, SchemaError, TextRules, Types, pattern,
};
use crate::regex::Regex;

pub(super) fn compile(
    document: &Value,
    other: impl Fn(&str) -> Option<Arc<Value>>,
) -> Result<Schema, SchemaError> {
    let mut compiler = Compiler {
        other,
        documents: Vec::new(),
        by_uri: HashMap::new(),
        known: HashMap::new(),
        nodes: Vec::new(),
        pending: Vec::new(),
    };
    compiler.add(String::new(), Arc::new(document.clone()));
    let root = compiler.number(Place { document: 0, pointer: String::new() })?;
    // Not recursive: a document may be as deep as its reader allows, and references chain further.
    while let Some((id, place)) = compiler.pending.pop() {
        compiler.nodes[id as usize] = compiler.node(&place)?;
    }
    Ok(Schema { nodes: compiler.nodes, root })
}

/// A subschema's document and its JSON pointer there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    document: usize,
    pointer: String,
}

impl Place {
    fn child(&self, part: &str) -> Self {
        let part = part.replace('~', "~0").replace('/', "~1");
        Self { document: self.document, pointer: format!("{}/{part}", self.pointer) }
    }
}

/// A document and the base URIs that hold within it.
struct Document {
    value: Arc<Value>,
    /// Pointers at which an `id` changes the base URI, to that URI.
    bases: HashMap<String, String>,
}

struct Compiler<F> {
    other: F,
    documents: Vec<Document>,
    /// What an URI names; with `#name` where an `id` has a fragment.
    by_uri: HashMap<String, Place>,
    known: HashMap<Place, NodeId>,
    nodes: Vec<Node>,
    /// Numbered and not read yet.
    pending: Vec<(NodeId, Place)>,
}

impl<F: Fn(&str) -> Option<Arc<Value>>> Compiler<F> {
    /// Takes a document in and notes what its `id`s name.
    fn add(&mut self, uri: String, value: Arc<Value>) -> usize {
        let number = self.documents.len();
        let root = Place { document: number, pointer: String::new() };
        let mut bases = HashMap::from([(String::new(), uri.clone())]);
        self.by_uri.entry(uri.clone()).or_insert_with(|| root.clone());
        let mut left = vec![(root, &*value, uri)];
        while let Some((place, value, base)) = left.pop() {
            match value {
                Value::Object(members) => {
                    let mut base = base;
                    // Nothing beside a `$ref` counts.
                    let id = members.get("id").filter(|_| !members.contains_key("$ref"));
                    if let Some(Value::String(id)) = id {
                        let (locator, fragment) = resolve(&base, id);
                        if fragment.is_empty() {
                            bases.insert(place.pointer.clone(), locator.clone());
                            self.by_uri.entry(locator.clone()).or_insert_with(|| place.clone());
                            base = locator;
                        } else {
                            self.by_uri.insert(format!("{locator}#{fragment}"), place.clone());
                        }
                    }
                    // Values to compare with are no schemas.
                    let inner = members
                        .iter()
                        .filter(|(name, _)| !matches!(name.as_str(), "enum" | "const" | "default"));
                    left.extend(
                        inner.map(|(name, inner)| (place.child(name), inner, base.clone())),
                    );
                }
                Value::Array(items) => {
                    let inner = items.iter().enumerate();
                    left.extend(
                        inner
                            .map(|(at, inner)| (place.child(&at.to_string()), inner, base.clone())),
                    );
                }
                _ => {}
            }
        }
        self.documents.push(Document { value, bases });
        number
    }

    /// The number of the subschema at a place; it is read later.
    fn number(&mut self, place: Place) -> Result<NodeId, SchemaError> {
        if let Some(id) = self.known.get(&place) {
            return Ok(*id);
        }
        if self.nodes.len() >= MAX_NODES {
            return Err(SchemaError::TooLarge);
        }
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node::default());
        self.known.insert(place.clone(), id);
        self.pending.push((id, place));
        Ok(id)
    }

    fn value(&self, place: &Place) -> Option<Arc<Value>> {
        let document = &self.documents[place.document];
        if place.pointer.is_empty() {
            return Some(document.value.clone());
        }
        document.value.pointer(&place.pointer).map(|value| Arc::new(value.clone()))
    }

    /// The base URI at a place: that of the nearest `id` on the way to it.
    fn base(&self, place: &Place) -> &str {
        let bases = &self.documents[place.document].bases;
        let mut pointer = place.pointer.as_str();
        loop {
            if let Some(base) = bases.get(pointer) {
                return base;
            }
            pointer = pointer.rfind('/').map_or("", |end| &pointer[..end]);
        }
    }

    /// What a `$ref` at a place names.
    fn target(&mut self, place: &Place, reference: &str) -> Result<Place, SchemaError> {
        let unknown = || SchemaError::UnknownReference {
            at: place.pointer.clone(),
            reference: reference.to_owned(),
        };
        let (locator, fragment) = resolve(self.base(place), reference);
        if let Some(named) = self.by_uri.get(&format!("{locator}#{fragment}")) {
            return Ok(named.clone());
        }
        let mut target = match self.by_uri.get(&locator) {
            Some(known) => known.clone(),
            None => {
                let found = match locator.as_str() {
                    "http://json-schema.org/draft-04/schema" => Some(META_DOCUMENT.clone()),
                    other => (self.other)(other),
                };
                let document = self.add(locator, found.ok_or_else(unknown)?);
                Place { document, pointer: String::new() }
            }
        };
        if !fragment.is_empty() {
            let pointer = percent_encoding::percent_decode_str(fragment).decode_utf8();
            let pointer = pointer.map_err(|_| unknown())?;
            if !pointer.starts_with('/') {
                return Err(unknown());
            }
            target.pointer.push_str(&pointer);
        }
        if self.documents[target.document].value.pointer(&target.pointer).is_none() {
            return Err(unknown());
        }
        Ok(target)
    }

    fn node(&mut self, place: &Place) -> Result<Node, SchemaError> {
        let value = self.value(place);
        let Some(Value::Object(members)) = value.as_deref() else {
            // Where a reference leads past what draft 4's own schema has seen.
            let message = "a schema must be an object".to_owned();
            return Err(SchemaError::Invalid { at: place.pointer.clone(), message });
        };
        if let Some(Value::String(reference)) = members.get("$ref") {
            let target = self.target(place, reference)?;
            return Ok(Node { reference: Some(self.number(target)?), ..Node::default() });
        }
        let types = match members.get("type") {
            Some(Value::String(name)) => Types::named(name),
            Some(Value::Array(names)) => {
                let named = names.iter().filter_map(|name| Types::named(name.as_str()?));
                named.reduce(Types::with)
            }
            _ => None,
        };
        Ok(Node {
            reference: None,
            types,
            enumeration: members.get("enum").and_then(Value::as_array).cloned(),
            number: numbers(members),
            text: texts(place, members)?,
            list: self.lists(place, members)?,
            object: self.objects(place, members)?,
            all_of: self.each(place, members, "allOf")?,
            any_of: self.each(place, members, "anyOf")?,
            one_of: self.each(place, members, "oneOf")?,
            not: match members.get("not") {
                Some(_) => Some(self.number(place.child("not"))?),
                None => None,
            },
        })
    }

    fn each(
        &mut self,
        place: &Place,
        members: &Map<String, Value>,
        name: &str,
    ) -> Result<Vec<NodeId>, SchemaError> {
        let count = members.get(name).and_then(Value::as_array).map_or(0, Vec::len);
        let at = place.child(name);
        (0..count).map(|index| self.number(at.child(&index.to_string()))).collect()
    }

    fn rest(
        &mut self,
        place: &Place,
        members: &Map<String, Value>,
        name: &str,
    ) -> Result<Rest, SchemaError> {
        Ok(match members.get(name) {
            Some(Value::Bool(false)) => Rest::None,
            Some(Value::Object(_)) => Rest::Like(self.number(place.child(name))?),
            _ => Rest::Any,
        })
    }

    fn lists(
        &mut self,
        place: &Place,
        members: &Map<String, Value>,
    ) -> Result<Option<Box<ListRules>>, SchemaError> {
        if !LIST_WORDS.iter().any(|word| members.contains_key(*word)) {
            return Ok(None);
        }
        let items = match members.get("items") {
            Some(Value::Object(_)) => Items::Each(self.number(place.child("items"))?),
            Some(Value::Array(_)) => {
                let tuple = self.each(place, members, "items")?;
                Items::Tuple(tuple, self.rest(place, members, "additionalItems")?)
            }
            _ => Items::Any,
        };
        Ok(Some(Box::new(ListRules {
            min_items: count(members, "minItems"),
            max_items: count(members, "maxItems"),
            unique: members.get("uniqueItems") == Some(&Value::Bool(true)),
            items,
        })))
    }

    fn objects(
        &mut self,
        place: &Place,
        members: &Map<String, Value>,
    ) -> Result<Option<Box<ObjectRules>>, SchemaError> {
        if !OBJECT_WORDS.iter().any(|word| members.contains_key(*word)) {
            return Ok(None);
        }
        let inner = |name: &str| members.get(name).and_then(Value::as_object);
        let mut rules = ObjectRules {
            min_properties: count(members, "minProperties"),
            max_properties: count(members, "maxProperties"),
            required: strings(members.get("required")),
            rest: self.rest(place, members, "additionalProperties")?,
            ..ObjectRules::default()
        };
        for name in inner("properties").into_iter().flat_map(Map::keys) {
            let id = self.number(place.child("properties").child(name))?;
            rules.properties.push((name.clone(), id));
        }
        rules.properties.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        for name in inner("patternProperties").into_iter().flat_map(Map::keys) {
            let at = place.child("patternProperties").child(name);
            let regex = regex(&at, name)?;
            rules.patterns.push((regex, self.number(at)?));
        }
        for (name, wanted) in inner("dependencies").into_iter().flatten() {
            let dependency = match wanted {
                Value::Array(_) => Dependency::Properties(strings(Some(wanted))),
                _ => Dependency::Schema(self.number(place.child("dependencies").child(name))?),
            };
            rules.dependencies.push((name.clone(), dependency));
        }
        Ok(Some(Box::new(rules)))
    }
}

fn numbers(members: &Map<String, Value>) -> Option<Box<NumberRules>> {
    let decimal = |name: &str| match members.get(name) {
        Some(Value::Number(number)) => Some(Decimal::new(number)),
        _ => None,
    };
    let bound = |name: &str, exclusive: &str| {
        let exclusive = members.get(exclusive) == Some(&Value::Bool(true));
        decimal(name).map(|at| Bound { at, exclusive })
    };
    let rules = NumberRules {
        minimum: bound("minimum", "exclusiveMinimum"),
        maximum: bound("maximum", "exclusiveMaximum"),
        multiple_of: decimal("multipleOf"),
    };
    let any = rules.minimum.is_some() || rules.maximum.is_some() || rules.multiple_of.is_some();
    any.then(|| Box::new(rules))
}

fn texts(
    place: &Place,
    members: &Map<String, Value>,
) -> Result<Option<Box<TextRules>>, SchemaError> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let rules = TextRules {
        min_length: count(members, "minLength"),
        max_length: count(members, "maxLength"),
        pattern: match text("pattern") {
            Some(pattern) => Some((pattern.to_owned(), regex(&place.child("pattern"), pattern)?)),
            None => None,
        },
        format: text("format").and_then(Format::named),
    };
    let any = rules.min_length.is_some()
        || rules.max_length.is_some()
        || rules.pattern.is_some()
        || rules.format.is_some();
    Ok(any.then(|| Box::new(rules)))
}

fn regex(place: &Place, text: &str) -> Result<Regex, SchemaError> {
    pattern::compile(text).map_err(|cause| SchemaError::Pattern {
        at: place.pointer.clone(),
        pattern: text.to_owned(),
        cause,
    })
}

fn count(members: &Map<String, Value>, name: &str) -> Option<u64> {
    let number = members.get(name)?;
    // 2.0 is an integer in JSON.
    number.as_u64().or_else(|| number.as_f64().map(|number| number as u64))
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array);
    items.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

const LIST_WORDS: [&str; 5] = ["items", "additionalItems", "minItems", "maxItems", "uniqueItems"];

const OBJECT_WORDS: [&str; 7] = [
    "properties",
    "patternProperties",
    "additionalProperties",
    "required",
    "minProperties",
    "maxProperties",
    "dependencies",
];
