//! Bodies as parameter mappings read them: `method.request.body`, `integration.response.body` and paths into them.
//!
//! Source: developer guide, "API Gateway API request and response data mapping reference".

use std::cell::RefCell;
use std::sync::Arc;

use super::heap::{Heap, Text, Value};
use super::json::{self, Slash};
use super::jsonpath::JsonPath;
use super::template::Limits;

/// A body that mappings may read.
#[derive(Debug)]
pub struct Document {
    /// A path may make a list there.
    heap: RefCell<Heap>,
    text: Text,
    /// Absent where the body does not begin like JSON.
    root: Option<Value>,
}

/// A body that begins like JSON and is none. Then no mapping may read it, not even as a whole.
#[derive(Debug, PartialEq, Eq)]
pub struct NotJson;

impl Document {
    /// Reads a body. Only text that begins with `{`, `[`, `'` or `"` is taken for JSON, as AWS does.
    pub fn read(body: &[u8]) -> Result<Self, NotJson> {
        let Limits { steps, memory, .. } = Limits::API_GATEWAY;
        let mut heap = Heap::for_document(steps, memory);
        let body = match body.trim_ascii() {
            [] => b"{}",
            body => body,
        };
        let text = json::store_body(&mut heap, body).map_err(|_| NotJson)?;
        let root = match body {
            [b'{' | b'[' | b'\'' | b'"', ..] => {
                Some(json::read(&mut heap, text).map_err(|_| NotJson)?)
            }
            _ => None,
        };
        Ok(Self { heap: RefCell::new(heap), text, root })
    }

    /// The text a path leads to; the whole text without one. `None` where nothing is, or null.
    pub fn at(&self, path: &BodyPath) -> Option<String> {
        let heap = &mut *self.heap.borrow_mut();
        let Some(path) = &path.path else { return Some(heap.str(self.text).to_owned()) };
        match path.select(heap, self.root?).ok()?? {
            Value::Null => None,
            // A number that was not calculated is as it was written.
            Value::Text(text) | Value::Number(text) => Some(heap.str(text).to_owned()),
            value => {
                let mut out = Vec::new();
                json::write(heap, value, Slash::Plain, &mut out).ok()?;
                String::from_utf8(out).ok()
            }
        }
    }
}

/// A path into a JSON body, as mapping expressions write it: a JSONPath without its `$.`, as in `pets[0].name`. Empty: the body as a
/// whole.
#[derive(Clone, Debug, Default)]
pub struct BodyPath {
    written: Box<str>,
    path: Option<Arc<JsonPath>>,
}

impl PartialEq for BodyPath {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for BodyPath {}

impl BodyPath {
    /// Reads a path without its `$.`; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let path = JsonPath::parse(text).ok().filter(|_| !text.starts_with(['$', ' ']))?;
        Some(Self { written: text.into(), path: Some(Arc::new(path)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_into_bodies() {
        let body = br#" {"petstore": {"pets": [{"name": "Rex", "tags": [1, 2]}, {"name": null}]},
            "odd key": true, "n": 1.50, "o": {"z": 1, "a": 2}} "#;
        let document = Document::read(body).unwrap();
        for (path, want) in [
            ("petstore.pets[0].name", Some("Rex")),
            ("petstore.pets[-2].name", Some("Rex")),
            ("petstore.pets[0].tags", Some("[1,2]")),
            ("petstore.pets[0].tags[1]", Some("2")),
            ("petstore.pets[1].name", None),
            ("petstore.pets[2].name", None),
            ("petstore.pets[*].name", Some(r#"["Rex",null]"#)),
            ("petstore.pets[?(@.name == 'Rex')].tags", Some("[[1,2]]")),
            ("petstore.pets.length()", Some("2")),
            ("petstore..tags[0]", Some("[1]")),
            ("['odd key']", Some("true")),
            ("petstore['pets'][0][\"name\"]", Some("Rex")),
            ("n", Some("1.50")),
            ("o", Some(r#"{"z":1,"a":2}"#)),
            ("n.x", None),
            ("missing", None),
        ] {
            let found = document.at(&BodyPath::parse(path).unwrap());
            assert_eq!(found.as_deref(), want, "{path}");
        }
        for path in ["", ".a", "a.", "$.a", " a", "a..", "a[", "a[x]", "a['x]", "a[?(@.b]", "a b["]
        {
            assert_eq!(BodyPath::parse(path), None, "{path}");
        }
    }

    #[test]
    fn bodies_are_json_only_where_they_begin_like_it() {
        let whole = BodyPath::default();
        let name = BodyPath::parse("a").unwrap();
        for (body, text, at) in [
            ("", Some("{}"), None),
            ("  \r\n", Some("{}"), None),
            (r#" {"a":"b"} "#, Some(r#"{"a":"b"}"#), Some("b")),
            ("plain", Some("plain"), None),
            ("12", Some("12"), None),
            ("\"text\"", Some("\"text\""), None),
            ("{broken", None, None),
            ("'single'", None, None),
            ("[1,", None, None),
        ] {
            let read = Document::read(body.as_bytes());
            assert_eq!(read.is_ok(), text.is_some(), "{body}");
            let Ok(document) = read else { continue };
            assert_eq!(document.at(&whole).as_deref(), text, "{body}");
            assert_eq!(document.at(&name).as_deref(), at, "{body}");
        }
    }
}
