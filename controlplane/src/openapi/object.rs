//! Typed access to a document: every wrong type becomes an error that says where, and reading goes on.

use serde_json::{Map, Value};

use crate::model::StringMap;

/// The document and what was found wrong with it so far.
pub(super) struct Reader<'a> {
    document: &'a Value,
    work: usize,
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        Self { document, work: 0, errors: Vec::new(), warnings: Vec::new() }
    }

    /// Notes an error; past [`MAX_MESSAGES`] they are dropped, the import has failed anyway.
    pub(super) fn error(&mut self, text: impl Into<String>) {
        push(&mut self.errors, text.into());
    }

    /// Notes a warning, once.
    pub(super) fn warn(&mut self, text: impl Into<String>) {
        push(&mut self.warnings, text.into());
    }

    /// Counts work that references can multiply: one unit for each member read and for each 64 bytes copied.
    ///
    /// A document of 6 MB without references stays far below [`MAX_WORK`]. Past it every object looks empty, so that
    /// reading ends soon.
    pub(super) fn spend(&mut self, members: usize, bytes: usize) -> bool {
        let before = self.work;
        self.work = self.work.saturating_add(members).saturating_add(bytes / 64);
        if before <= MAX_WORK && self.work > MAX_WORK {
            self.error("The document's references expand to more than can be imported.");
        }
        self.work <= MAX_WORK
    }

    pub(super) fn wrong_type(&mut self, at: &str, wanted: &str) {
        self.error(format!("attribute {at} is not of type `{wanted}`"));
    }

    /// Follows `$ref` until an object without one; other members beside a `$ref` do not count.
    ///
    /// References must be local (`#/…`). Cycles are found by the references passed on the way.
    pub(super) fn resolve(&mut self, object: Object<'a>) -> Option<Object<'a>> {
        let mut passed: Vec<&'a str> = Vec::new();
        let mut object = object;
        while let Some(reference) = object.map.get("$ref") {
            let Some(reference) = reference.as_str() else {
                self.wrong_type(&format!("{}.$ref", object.at), "string");
                return None;
            };
            if passed.contains(&reference) {
                self.error(format!("attribute {}.$ref is cyclic: {reference}", object.at));
                return None;
            }
            passed.push(reference);
            if passed.len() > MAX_HOPS || !self.spend(1, reference.len()) {
                self.error(format!(
                    "attribute {}.$ref leads through too many references",
                    object.at
                ));
                return None;
            }
            let Some(pointer) = reference.strip_prefix('#') else {
                self.error(format!(
                    "attribute {}.$ref is not a local reference: {reference}",
                    object.at
                ));
                return None;
            };
            let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
            match self.document.pointer(&pointer) {
                Some(Value::Object(map)) => object = Object { map, at: object.at },
                Some(_) => {
                    self.wrong_type(&format!("{} ({reference})", object.at), "object");
                    return None;
                }
                None => {
                    self.error(format!("attribute {}.$ref names nothing: {reference}", object.at));
                    return None;
                }
            }
        }
        Some(object)
    }
}

fn push(messages: &mut Vec<String>, text: String) {
    if messages.len() < MAX_MESSAGES && !messages.contains(&text) {
        messages.push(text);
    }
}

/// An object of the document and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Object<'a> {
    map: &'a Map<String, Value>,
    at: String,
}

impl<'a> Object<'a> {
    pub(super) fn root(map: &'a Map<String, Value>) -> Self {
        Self { map, at: String::new() }
    }

    /// An object at a place of the caller's naming.
    pub(super) fn at(value: &'a Value, at: String, reader: &mut Reader<'_>) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { map, at }),
            _ => {
                reader.wrong_type(&at, "object");
                None
            }
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.at
    }

    pub(super) fn place_of(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// A member; `null` counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.map.iter()
    }

    pub(super) fn to_value(&self) -> Value {
        Value::Object(self.map.clone())
    }

    pub(super) fn object(&self, key: &str, reader: &mut Reader<'_>) -> Option<Object<'a>> {
        Object::at(self.get(key)?, self.place_of(key), reader)
    }

    /// The members of an object member, all objects. Extensions (`x-…`) are passed over where members have a fixed
    /// form; elsewhere such a name is a name like any other.
    pub(super) fn objects(&self, key: &str, reader: &mut Reader<'_>) -> Vec<(&'a str, Object<'a>)> {
        let Some(parent) = self.object(key, reader) else { return Vec::new() };
        let mut found = Vec::new();
        let fixed = matches!(key, "paths" | "responses");
        for (name, value) in parent.entries().filter(|(name, _)| !(fixed && name.starts_with("x-")))
        {
            let place = parent.place_of(&format!("'{name}'"));
            if !reader.spend(1, name.len() + place.len()) {
                break;
            }
            if let Some(object) = Object::at(value, place, reader) {
                found.push((name.as_str(), object));
            }
        }
        found
    }

    pub(super) fn list(&self, key: &str, reader: &mut Reader<'_>) -> Option<&'a [Value]> {
        match self.get(key)? {
            Value::Array(list) => Some(list),
            _ => {
                reader.wrong_type(&self.place_of(key), "array");
                None
            }
        }
    }

    /// A list of objects.
    pub(super) fn list_of_objects(&self, key: &str, reader: &mut Reader<'_>) -> Vec<Object<'a>> {
        let list = self.list(key, reader).unwrap_or_default();
        if !reader.spend(list.len(), list.len() * self.at.len()) {
            return Vec::new();
        }
        let place = |index: usize| format!("{}[{index}]", self.place_of(key));
        list.iter()
            .enumerate()
            .filter_map(|(index, value)| Object::at(value, place(index), reader))
            .collect()
    }

    /// A text; numbers and booleans are taken as written, since YAML needs no quotes around them.
    pub(super) fn text(&self, key: &str, reader: &mut Reader<'_>) -> Option<String> {
        let text = scalar(self.get(key)?);
        match &text {
            None => reader.wrong_type(&self.place_of(key), "string"),
            Some(text) if !reader.spend(1, text.len()) => return None,
            Some(_) => {}
        }
        text
    }

    pub(super) fn boolean(&self, key: &str, reader: &mut Reader<'_>) -> Option<bool> {
        match self.get(key)? {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => {
                reader.wrong_type(&self.place_of(key), "boolean");
                None
            }
        }
    }

    pub(super) fn integer(&self, key: &str, reader: &mut Reader<'_>) -> Option<i64> {
        let value = match self.get(key)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if value.is_none() {
            reader.wrong_type(&self.place_of(key), "integer");
        }
        value
    }

    pub(super) fn texts(&self, key: &str, reader: &mut Reader<'_>) -> Option<Vec<String>> {
        let list = self.list(key, reader)?;
        let mut copy = |value| scalar(value).filter(|text| reader.spend(1, text.len()));
        let texts: Option<Vec<String>> = list.iter().map(&mut copy).collect();
        if texts.is_none() {
            reader.wrong_type(&format!("{}[]", self.place_of(key)), "string");
        }
        texts
    }

    pub(super) fn text_map(&self, key: &str, reader: &mut Reader<'_>) -> Option<StringMap> {
        let object = self.object(key, reader)?;
        let mut texts = StringMap::new();
        for (name, value) in object.entries() {
            match scalar(value) {
                Some(text) if !reader.spend(1, name.len() + text.len()) => break,
                Some(text) => drop(texts.insert(name.clone(), text)),
                None => reader.wrong_type(&object.place_of(&format!("'{name}'")), "string"),
            }
        }
        Some(texts)
    }

    /// A name of an enumeration in any case.
    pub(super) fn name<T: crate::model::WireName>(
        &self,
        key: &str,
        reader: &mut Reader<'_>,
    ) -> Option<T> {
        let text = self.text(key, reader)?;
        let found = T::ALL.iter().copied().find(|value| value.name().eq_ignore_ascii_case(&text));
        if found.is_none() {
            let names: Vec<&str> = T::ALL.iter().map(|value| value.name()).collect();
            let text = format!(
                "attribute {} is '{text}'. Must be one of: [{}]",
                self.place_of(key),
                names.join(", ")
            );
            reader.error(text);
        }
        found
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Some 256 MiB copied, or some four million members read.
const MAX_WORK: usize = 4 * 1024 * 1024;
/// References that lead to references.
const MAX_HOPS: usize = 8;
/// More than a person reads; keeps the answer to a hostile document small.
pub const MAX_MESSAGES: usize = 200;
