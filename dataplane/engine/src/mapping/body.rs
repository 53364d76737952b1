//! Bodies as parameter mappings read them: `method.request.body`, `integration.response.body` and paths into them.
//!
//! Source: developer guide, "API Gateway API request and response data mapping reference".

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::raw;

/// A body that mappings may read.
#[derive(Debug)]
pub struct Document {
    text: String,
    /// Whether it begins like JSON, and so is JSON.
    is_json: bool,
}

/// A body that begins like JSON and is none. Then no mapping may read it, not even as a whole.
#[derive(Debug, PartialEq, Eq)]
pub struct NotJson;

impl Document {
    /// Reads a body. Only text that begins with `{`, `[`, `'` or `"` is taken for JSON, as AWS does.
    pub fn read(body: &[u8]) -> Result<Self, NotJson> {
        let text = match String::from_utf8_lossy(body.trim_ascii()).into_owned() {
            empty if empty.is_empty() => "{}".to_owned(),
            text => text,
        };
        let is_json = text.starts_with(['{', '[', '\'', '"']);
        if is_json && raw::read(&text).is_none() {
            return Err(NotJson);
        }
        Ok(Self { text, is_json })
    }

    /// The text a path leads to; the whole text without one. `None` where nothing is, or null.
    pub fn at(&self, path: &BodyPath) -> Option<Cow<'_, str>> {
        if path.0.is_empty() {
            return Some(Cow::Borrowed(&self.text));
        }
        let root = if self.is_json { raw::read(&self.text) } else { None };
        path.find(root?).map(Cow::Owned)
    }
}

/// A path into a JSON body, as mapping expressions write it: `pets[0].name`. Empty: the body as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyPath(Box<[Step]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(Box<str>),
    /// Negative ones count from the end.
    Index(i64),
    /// `*`
    Every,
}

impl BodyPath {
    /// Reads a path without its `$.`; `None` when it is none, or one with filters or `..`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() || steps.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'));
                let step;
                (step, rest) = match quote {
                    Some(quote) => {
                        let (name, behind) = inner[1..].split_once(quote)?;
                        (Step::Name(name.into()), behind.strip_prefix(']')?)
                    }
                    None => {
                        let (index, behind) = inner.split_once(']')?;
                        let step = match index {
                            "*" => Step::Every,
                            digits => Step::Index(digits.parse().ok()?),
                        };
                        (step, behind)
                    }
                };
                steps.push(step);
                continue;
            }
            if !steps.is_empty() {
                rest = rest.strip_prefix('.')?;
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            if name.is_empty() || name.contains([']', '(', '?', '@']) {
                return None;
            }
            steps.push(if name == "*" { Step::Every } else { Step::Name(name.into()) });
            rest = behind;
        }
        Some(Self(steps.into()))
    }

    fn find(&self, root: &RawValue) -> Option<String> {
        let mut found = vec![root];
        let mut many = false;
        for step in &self.0 {
            many |= *step == Step::Every;
            found = found.into_iter().flat_map(|value| step.of(value)).collect();
        }
        if many {
            let each: Vec<String> = found.into_iter().map(raw::compact).collect();
            return Some(format!("[{}]", each.join(",")));
        }
        let value = *found.first().filter(|value| !raw::is_null(value))?;
        Some(raw::string(value).unwrap_or_else(|| raw::compact(value)))
    }
}

impl Step {
    fn of<'v>(&self, value: &'v RawValue) -> Vec<&'v RawValue> {
        match self {
            // The last of several members with one name counts, as in every common reader.
            Self::Name(name) => raw::members(value)
                .unwrap_or_default()
                .into_iter()
                .rfind(|(held, _)| *held == **name)
                .map(|(_, value)| value)
                .into_iter()
                .collect(),
            Self::Index(index) => {
                let all = raw::elements(value).unwrap_or_default();
                let at = if *index < 0 { *index + all.len() as i64 } else { *index };
                usize::try_from(at).ok().and_then(|at| all.get(at).copied()).into_iter().collect()
            }
            Self::Every => raw::elements(value)
                .or_else(|| {
                    Some(raw::members(value)?.into_iter().map(|(_, value)| value).collect())
                })
                .unwrap_or_default(),
        }
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
        for path in
            ["", ".a", "a.", "a..b", "a[", "a[x]", "a['x]", "a[?(@.b)]", "a.length()", "a b["]
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
