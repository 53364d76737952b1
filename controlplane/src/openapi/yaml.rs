//! YAML to a JSON value, over the events of a parser that expands nothing, so that every expansion is counted here.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// Parses the first document of a YAML text; `None` if it is malformed or over a bound.
///
/// Scalars follow the core schema of YAML 1.2, keys are text as written (`200:` is `"200"`), `<<` merges as in YAML
/// 1.1, and a repeated key's last value counts, as in JSON.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut builder = Builder { open: Vec::new(), anchors: HashMap::new(), spent: 0 };
    for event in Parser::new_from_str(text) {
        if let Some(value) = builder.take(event.ok()?.0)? {
            return Some(value);
        }
    }
    None
}

struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, usize)>,
    spent: usize,
}

/// A collection whose end has not come yet.
struct Open {
    anchor: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Value>),
    Map { map: Map<String, Value>, key: Option<String>, merged: Vec<Value> },
}

impl Builder {
    /// The finished document once it is there; the outer `None` is a refusal.
    #[allow(clippy::option_option)]
    fn take(&mut self, event: Event<'_>) -> Option<Option<Value>> {
        self.spend(1)?;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(text.len())?;
                let as_text = style != ScalarStyle::Plain
                    || tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                if let Some(Open { kind: Kind::Map { key: key @ None, .. }, .. }) =
                    self.open.last_mut()
                {
                    // Keys stay text, whatever they look like.
                    *key = Some(text.clone().into_owned());
                    if anchor > 0 {
                        self.anchor(anchor, &Value::String(text.into_owned()))?;
                    }
                    return Some(None);
                }
                let value = if as_text { Value::String(text.into_owned()) } else { plain(&text) };
                self.finish(anchor, value)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, Kind::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(anchor, Kind::Map { map: Map::new(), key: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { anchor, kind } = self.open.pop()?;
                let value = match kind {
                    Kind::List(list) => Value::Array(list),
                    Kind::Map { map, merged, .. } => Value::Object(merge(map, merged)),
                };
                self.finish(anchor, value)
            }
            Event::Alias(id) => {
                let cost = self.anchors.get(&id)?.1;
                self.spend(cost)?;
                let value = self.anchors.get(&id)?.0.clone();
                if let Some(Open { kind: Kind::Map { key: key @ None, .. }, .. }) =
                    self.open.last_mut()
                {
                    *key = Some(value.as_str()?.to_owned());
                    return Some(None);
                }
                self.finish(0, value)
            }
            // An empty stream has no document.
            Event::StreamEnd => None,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {
                Some(None)
            }
        }
    }

    fn open(&mut self, anchor: usize, kind: Kind) -> Option<Option<Value>> {
        // A collection as a key has no counterpart in JSON.
        let is_key =
            matches!(self.open.last(), Some(Open { kind: Kind::Map { key: None, .. }, .. }));
        if is_key || self.open.len() >= MAX_DEPTH {
            return None;
        }
        self.open.push(Open { anchor, kind });
        Some(None)
    }

    fn finish(&mut self, anchor: usize, value: Value) -> Option<Option<Value>> {
        if anchor > 0 {
            self.anchor(anchor, &value)?;
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => return Some(Some(value)),
            Some(Kind::List(list)) => list.push(value),
            Some(Kind::Map { map, key, merged }) => {
                let key = key.take()?;
                if key == "<<" {
                    merged.push(value);
                } else {
                    map.insert(key, value);
                }
            }
        }
        Some(None)
    }

    fn anchor(&mut self, id: usize, value: &Value) -> Option<()> {
        let (size, depth) = measure(value);
        // An alias may stand where little depth is left, so what it can add is bounded here too.
        if depth > MAX_ALIAS_DEPTH {
            return None;
        }
        self.spend(size)?;
        self.anchors.insert(id, (value.clone(), size));
        Some(())
    }

    fn spend(&mut self, cost: usize) -> Option<()> {
        self.spent = self.spent.saturating_add(cost);
        (self.spent <= MAX_COST).then_some(())
    }
}

/// Own keys win over merged ones, and earlier merged maps over later ones.
fn merge(mut map: Map<String, Value>, merged: Vec<Value>) -> Map<String, Value> {
    let sources = merged.into_iter().flat_map(|value| match value {
        Value::Array(list) => list,
        other => vec![other],
    });
    for source in sources {
        if let Value::Object(source) = source {
            for (key, value) in source {
                map.entry(key).or_insert(value);
            }
        }
    }
    map
}

/// Nodes plus bytes of text, and depth. Recursion is bounded: values are built no deeper than two caps together.
fn measure(value: &Value) -> (usize, usize) {
    let children = |(size, depth): (usize, usize), value: &Value| {
        let (more, deeper) = measure(value);
        (size + more, depth.max(deeper + 1))
    };
    match value {
        Value::String(text) => (1 + text.len(), 0),
        Value::Array(list) => list.iter().fold((1, 0), children),
        Value::Object(map) => {
            let keys: usize = map.keys().map(String::len).sum();
            map.values().fold((1 + keys, 0), children)
        }
        _ => (1, 0),
    }
}

/// A plain scalar by the core schema: null, boolean, integer, float, else text.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'))
        && digits.bytes().any(|b| b.is_ascii_digit());
    // A leading zero marks an identifier, such as an account number, that a number would not keep.
    let padded =
        digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    if numeric && !padded {
        if let Ok(integer) = text.parse::<i64>() {
            return Value::Number(integer.into());
        }
        if let Ok(integer) = text.parse::<u64>() {
            return Value::Number(integer.into());
        }
        if let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64) {
            return Value::Number(number);
        }
    }
    let radix = |prefix: &str, radix| {
        let digits = text.strip_prefix(prefix)?;
        let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
        if plain { i64::from_str_radix(digits, radix).ok() } else { None }
    };
    match radix("0x", 16).or_else(|| radix("0o", 8)) {
        Some(integer) => Value::Number(integer.into()),
        None => Value::String(text.to_owned()),
    }
}

/// As deep as `serde_json` reads.
const MAX_DEPTH: usize = 128;
/// No sane alias stands for more.
const MAX_ALIAS_DEPTH: usize = 64;
/// Events, aliased nodes and bytes of text: twice the largest document. A bomb of aliases ends here.
const MAX_COST: usize = 2 * super::MAX_BYTES;
