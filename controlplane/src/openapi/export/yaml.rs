//! YAML in the manner of AWS's exports: block style, every text in double quotes, keys plain where they can be.

use super::node::{Map, Node};

/// A document that the core schema of YAML 1.2 and YAML 1.1 read alike.
pub(super) fn write(node: &Node) -> String {
    let mut out = String::from("---");
    after_key(node, 0, &mut out);
    out
}

/// What follows a key or a dash: a scalar on the same line, or a collection on the next ones.
fn after_key(node: &Node, indent: usize, out: &mut String) {
    match node {
        Node::Map(map) if !map.entries().is_empty() => {
            out.push('\n');
            members(map, indent, out);
        }
        Node::List(list) if !list.is_empty() => {
            out.push('\n');
            items(list, indent, out);
        }
        leaf => {
            out.push(' ');
            self::leaf(leaf, out);
            out.push('\n');
        }
    }
}

fn members(map: &Map, indent: usize, out: &mut String) {
    for (index, (key, value)) in map.entries().iter().enumerate() {
        if index > 0 || !out.ends_with("- ") {
            pad(indent, out);
        }
        if key.len() > MAX_IMPLICIT_KEY {
            out.push_str("? ");
            text(key, out);
            out.push('\n');
            pad(indent, out);
            out.push(':');
        } else {
            self::key(key, out);
            out.push(':');
        }
        // A list stands as deep as its key, as AWS writes it.
        let deeper = if matches!(value, Node::List(_)) { indent } else { indent + 2 };
        after_key(value, deeper, out);
    }
}

fn items(list: &[Node], indent: usize, out: &mut String) {
    for item in list {
        pad(indent, out);
        match item {
            Node::Map(map) if !map.entries().is_empty() => {
                out.push_str("- ");
                members(map, indent + 2, out);
            }
            other => {
                out.push('-');
                after_key(other, indent + 2, out);
            }
        }
    }
}

fn leaf(node: &Node, out: &mut String) {
    match node {
        Node::Scalar(serde_json::Value::String(value)) => text(value, out),
        Node::Scalar(value) => out.push_str(&value.to_string()),
        Node::List(_) => out.push_str("[]"),
        Node::Map(_) => out.push_str("{}"),
    }
}

/// A text in double quotes, where YAML knows all of JSON's escapes; what YAML holds for unprintable or for the end of
/// a line is escaped too.
fn text(value: &str, out: &mut String) {
    for c in serde_json::Value::from(value).to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
}

fn key(key: &str, out: &mut String) {
    let starts = key.starts_with(|c: char| c.is_ascii_alphabetic() || "_/$".contains(c));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_/$.{}+-".contains(&b);
    // Words that one version of YAML or another takes for a flag or for nothing.
    let word = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
        .iter()
        .any(|word| key.eq_ignore_ascii_case(word));
    if starts && key.bytes().all(plain) && !word { out.push_str(key) } else { text(key, out) }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Bytes; longer keys must be announced. YAML allows 1,024 characters, quotes and escapes among them.
const MAX_IMPLICIT_KEY: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn looks_as_aws_writes() {
        let node = Node::from(json!({
            "paths": {"/pets/{id}": {"get": {"responses": {"200": {"description": "a \"b\"\n"}}, "tags": ["a", ["b"], {"c": 1, "d": []}]}}},
            "a": {}, "n": null, "on": true
        }));
        let want = r#"---
a: {}
"n": null
"on": true
paths:
  /pets/{id}:
    get:
      responses:
        "200":
          description: "a \"b\"\n"
      tags:
      - "a"
      -
        - "b"
      - c: 1
        d: []
"#;
        assert_eq!(write(&node), want);
    }

    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![any::<String>(), "[ -~]{0,8}", Just("k".repeat(2_000))];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9_f64..1e9).prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(text.clone(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// `<<` is a merge to the reader, so no key of a document may be that; no export has it.
        #[test]
        fn reads_as_what_was_written(value in value()) {
            prop_assume!(!value.to_string().contains("\"<<\""));
            let written = write(&Node::from(value.clone()));
            prop_assert_eq!(crate::openapi::yaml::parse(&written), Some(value), "{}", written);
        }
    }
}
