//! JSON read only as far as someone asks, and left as it was written: numbers keep their digits and members their order.

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A whole JSON text; `None` when it is none. White space around it does not count.
pub(crate) fn read(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

/// The members of an object, in order; `None` when it is no object. A name may occur twice.
pub(crate) fn members(value: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            while let Some(member) = map.next_entry().map_err(A::Error::custom)? {
                found.push(member);
            }
            Ok(found)
        }
    }
    serde_json::Deserializer::from_str(value.get()).deserialize_map(Members).ok()
}

/// The elements of an array; `None` when it is none.
pub(crate) fn elements(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// A string decoded; `None` for everything else.
pub(crate) fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// Whether it is `null`.
pub(crate) fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

/// A value without the white space between its tokens.
pub(crate) fn compact(value: &RawValue) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let keep = |c: &char| {
        if quoted {
            quoted = escaped || *c != '"';
            escaped = !escaped && *c == '\\';
            return true;
        }
        quoted = *c == '"';
        !matches!(c, ' ' | '\t' | '\n' | '\r')
    };
    value.get().chars().filter(keep).collect()
}

/// Appends text as a JSON string; `None` as null. Allocates nothing.
pub(crate) fn put(out: &mut Vec<u8>, text: Option<&str>) {
    // Neither a string can fail to be written nor a Vec to be written to.
    let _ = serde_json::to_writer(out, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_spelling_and_lose_their_spaces() {
        for (text, want) in [
            (r#" {"b" : 1.00, "a":[ 1e3 , null ]} "#, r#"{"b":1.00,"a":[1e3,null]}"#),
            (r#""a \" b""#, r#""a \" b""#),
            (r#"["\\", " x "]"#, r#"["\\"," x "]"#),
            ("12345678901234567890123", "12345678901234567890123"),
        ] {
            assert_eq!(compact(read(text).unwrap()), want, "{text}");
        }
        for text in ["", "{", "{} x", "{'a':1}", "nul", "\"\u{1}\"", "\"a"] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_neither_overflows_nor_is_descended_into() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let value = read(&deep).unwrap();
        assert_eq!(elements(value).unwrap().len(), 1);
        assert!(read(&"[".repeat(200_000)).is_none());
    }

    #[test]
    fn members_come_in_order_and_may_repeat() {
        let value = read(r#"{"z":1,"a":{"x":[]},"z":"\u00e4"}"#).unwrap();
        let found = members(value).unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["z", "a", "z"]);
        assert_eq!(string(found[2].1).as_deref(), Some("ä"));
        assert!(members(read("[1]").unwrap()).is_none());
        assert!(elements(read("{}").unwrap()).is_none());
    }
}
