//! Reads case files: what the cases of a file share, and rows that make several cases of one.

use std::path::Path;

use serde_json::{Map, Value};
use tidegate_engine::{CallError, Reply};

use crate::expect;
use crate::setting;
use crate::support;

/// One case, ready to run.
pub struct Case {
    /// `file: name`
    pub id: String,
    /// Section and evidence.
    pub source: String,
    value: Map<String, Value>,
}

/// The cases of a file.
pub fn read(path: &Path) -> Vec<Case> {
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{stem}: {e}"));
    let shared = &file["shared"];
    let cases = file["cases"].as_array().unwrap_or_else(|| panic!("{stem}: no cases"));
    cases.iter().flat_map(|case| expand(&stem, shared, case)).collect()
}

/// What a case may hold: anything else is a slip of the pen.
const MEMBERS: [&str; 9] =
    ["name", "source", "api", "request", "upstream", "sent", "answer", "refused", "rows"];

fn expand(stem: &str, shared: &Value, case: &Value) -> Vec<Case> {
    let names = case.as_object().unwrap().keys();
    for name in names {
        assert!(MEMBERS.contains(&name.as_str()), "{stem}: {name} in {case}");
    }
    let whole = merged(shared, case);
    let none = [Value::Object(Map::new())];
    let rows = case["rows"].as_array().map_or(&none[..], Vec::as_slice);
    let each = rows.iter().map(|row| {
        let filled = fill(&whole, row.as_object().expect("a row is an object"));
        let Value::Object(mut value) = filled else { unreachable!() };
        value.remove("rows");
        let mut take = |name: &str| match value.remove(name) {
            Some(Value::String(text)) => text,
            other => panic!("{stem}: {name} is {other:?} in {case}"),
        };
        let (name, source) = (take("name"), take("source"));
        Case { id: format!("{stem}: {name}"), source, value }
    });
    each.collect()
}

/// RFC 7396: members of `over` take the place of those of `under`, null removes them. What is expected and what is sent keep
/// their nulls, which mean something there.
fn merged(under: &Value, over: &Value) -> Value {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            let mut all = under.clone();
            for (name, value) in over {
                if matches!(name.as_str(), "sent" | "answer" | "body") {
                    all.insert(name.clone(), value.clone());
                } else if value.is_null() {
                    all.remove(name);
                } else {
                    let held = all.get(name).cloned().unwrap_or(Value::Null);
                    all.insert(name.clone(), merged(&held, value));
                }
            }
            Value::Object(all)
        }
        (_, over) => over.clone(),
    }
}

/// Puts a row's values in the place of `<name>`: as they are where the text is nothing else, as text within more of it. A member
/// whose value becomes `{"omit": true}` is left out.
fn fill(value: &Value, row: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let whole = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
            if let Some(held) = whole.and_then(|name| row.get(name)) {
                return held.clone();
            }
            let mut filled = text.clone();
            for (name, value) in row {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                filled = filled.replace(&format!("<{name}>"), &shown);
            }
            Value::String(filled)
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| fill(item, row)).collect()),
        Value::Object(members) => {
            let filled = members.iter().filter(|(name, _)| *name != "rows").map(|(name, value)| {
                let Value::String(name) = fill(&Value::String(name.clone()), row) else {
                    panic!("{name} becomes no text")
                };
                (name, fill(value, row))
            });
            Value::Object(filled.filter(|(_, value)| value["omit"] != true).collect())
        }
        other => other.clone(),
    }
}

impl Case {
    /// What is not as it should be.
    pub fn run(&self) -> Result<(), String> {
        let part = |name: &str| self.value.get(name).unwrap_or(&Value::Null);
        let stage = setting::stage(part("api"));
        if let Value::String(why) = part("refused") {
            let bundle = support::link(&stage.bundle, &stage.variables);
            let refused = bundle.err().ok_or("it is accepted")?.to_string();
            return if refused.contains(why) { Ok(()) } else { Err(format!("refused: {refused}")) };
        }
        let link = support::link(&stage.bundle, &stage.variables);
        link.map_err(|error| format!("it is refused: {error}"))?;
        let mut driver = setting::driver(part("api"), stage);
        let (head, body) = setting::request(part("request"));
        let ran = driver.runs(&head, &body, upstream(part("upstream")));
        match (self.value.get("sent"), &ran.called) {
            (None, _) => {}
            (Some(Value::Null), None) => {}
            (Some(Value::Null), Some(call)) => return Err(format!("it was called: {call:?}")),
            (Some(want), Some(call)) => expect::sent(want, call)?,
            (Some(_), None) => return Err(format!("nothing was called: {:?}", ran.answer)),
        }
        match self.value.get("answer") {
            None => assert!(self.value.contains_key("sent"), "{} expects nothing", self.id),
            Some(want) => expect::answered(want, &ran.answer)?,
        }
        Ok(())
    }
}

/// What the upstream does: an answer, or why there is none.
fn upstream(value: &Value) -> Result<Reply, CallError> {
    if let Some(error) = value["error"].as_str() {
        return Err(match error {
            "network" => CallError::Network,
            "timeout" => CallError::Timeout,
            "unresolved" => CallError::Unresolved,
            "denied" => CallError::Denied,
            "reply too large" => CallError::ReplyTooLarge,
            "request too large" => CallError::RequestTooLarge,
            "bad request body" => CallError::BadRequestBody,
            other => panic!("{other}"),
        });
    }
    let status = value["status"].as_u64().map_or(200, |status| u16::try_from(status).unwrap());
    let held = setting::fields(&value["headers"]);
    let fields: Vec<_> = held.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    Ok(support::whole(status, &fields, &setting::bytes(&value["body"])))
}
