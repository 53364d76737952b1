//! JSON into a heap and out of it.
//!
//! The reader is strict (RFC 8259) and takes one pass; how deep it goes is bounded. Texts without escapes stay
//! where they are; integers of 64 bits are read, other numbers keep their text until someone calculates with them.

mod read;
mod write;

pub(crate) use read::{Reading, read};
pub use write::{Slash, write};
pub(crate) use write::{bounded, put};

use super::heap::{Exhausted, Heap, Pair, Text, Value};

/// Why a text is no JSON that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON.
    #[error("not JSON at byte {0}")]
    Malformed(usize),
    /// Deeper than [`DEPTH`].
    #[error("nested more than {DEPTH} deep at byte {0}")]
    TooDeep(usize),
    /// No room for it.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// Levels of lists and maps inside each other, as json-smart, which Jayway JsonPath reads with, allows since 2.4.9.
pub const DEPTH: usize = 400;

/// Bytes of JSON read or written for a step of a template: some twenty nanoseconds of work, like any other step.
pub(crate) const BYTES_A_STEP: usize = 16;

/// Stores a body and reads it as JSON. Bytes that are no UTF-8 become U+FFFD.
pub fn read_body(heap: &mut Heap, body: &[u8]) -> Result<Value, JsonError> {
    let text = store_body(heap, body)?;
    read(heap, text)
}

/// Stores a body as text.
pub(crate) fn store_body(heap: &mut Heap, body: &[u8]) -> Result<Text, Exhausted> {
    match std::str::from_utf8(body) {
        Ok(text) => heap.store(text),
        Err(_) => heap.store(&String::from_utf8_lossy(body)),
    }
}

/// The members of a JSON object in their order, each value as compact JSON. `None` when the text is no object.
pub fn members(document: &str) -> Option<Vec<(String, String)>> {
    let mut heap = Heap::for_document(u64::MAX, u32::MAX as usize);
    let Ok(Value::Map(map)) = read_body(&mut heap, document.as_bytes()) else { return None };
    let member = |(key, value): &Pair| {
        let mut out = Vec::new();
        write(&heap, *value, Slash::Plain, &mut out).ok()?;
        Some((heap.str(*key).to_owned(), String::from_utf8(out).ok()?))
    };
    heap.pairs(map).iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heap() -> Heap {
        Heap::for_document(1 << 20, 1 << 26)
    }

    fn compact(text: &str) -> Result<String, JsonError> {
        let mut heap = heap();
        let value = read_body(&mut heap, text.as_bytes())?;
        let mut out = Vec::new();
        write(&heap, value, Slash::Plain, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn documents_come_out_compact() {
        for (text, want) in [
            (
                " { \"a\" : [ 1 , -2.50 , true , false , null ] , \"b\" : { } , \"c\" : [ ] } ",
                r#"{"a":[1,-2.5,true,false,null],"b":{},"c":[]}"#,
            ),
            (r#""a\u00e9\ud83d\ude00\n\/\ud800x""#, "\"aé😀\\n/\u{fffd}x\""),
            (r#""\u0001\u007f\u0085\u2028""#, r#""\u0001\u007F\u0085\u2028""#),
            (
                "[9223372036854775807,9223372036854775808,-9223372036854775808]",
                "[9223372036854775807,9223372036854775808,-9223372036854775808]",
            ),
            ("[7e5555,-1e400,1e-400]", "[null,null,0.0]"),
            ("[-0,0,1e2,1.0E-5,0.30000000000000004]", "[0,0,100.0,1.0E-5,0.30000000000000004]"),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
            (r#"{"\u0061":1,"a":3}"#, r#"{"a":3}"#),
            (
                "\"a string with more than eight bytes \\\" and on\"",
                "\"a string with more than eight bytes \\\" and on\"",
            ),
        ] {
            assert_eq!(compact(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_goes_wrong() {
        for (text, at) in [
            ("", 0),
            ("{", 1),
            ("[1,]", 3),
            ("[1 2]", 3),
            ("{\"a\"}", 4),
            ("{\"a\":1,}", 7),
            ("{a:1}", 1),
            ("'a'", 0),
            ("nul", 0),
            ("01", 2),
            ("-", 1),
            ("1.", 2),
            ("1e", 2),
            ("\"a", 2),
            ("\"\\x\"", 3),
            ("\"\\u12g4\"", 3),
            ("\"a\nb\"", 2),
            ("1 1", 2),
            ("]", 0),
            ("[}", 1),
            ("\u{feff}1", 0),
        ] {
            assert_eq!(compact(text), Err(JsonError::Malformed(at)), "{text}");
        }
    }

    /// Lists and maps behind others: those that are like the one before them are read another way.
    #[test]
    fn members_of_lists_are_read_alike_whatever_stands_before_them() {
        let many: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{n}")).collect();
        let many = format!("{{{}}}", many.join(","));
        let members = [
            "{}",
            r#"{"a":1}"#,
            r#"{"a":1,"b":"x"}"#,
            r#"{ "a" : 2 , "b" : "a string of more than sixteen bytes" } "#,
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"a":1,"b":[]},"b":{"c":[{},[1,{"a":1}],"d"]}}"#,
            r#"{"a":{"a":2},"b":{"c":[2,[]]}}"#,
            r#"{"\u0061":1,"b":2}"#,
            r#"{"aa":1,"b":2}"#,
            r#"[1,"two",null]"#,
            "[]",
            "7",
            &many,
        ];
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        for one in members {
            for two in members {
                for three in members {
                    let text = format!("[{one},{two},{three}]");
                    assert_eq!(parsed(&compact(&text).unwrap()), parsed(&text), "{text}");
                }
            }
            for broken in [
                r#"{"a":1 "b":2}"#,
                r#"{"a":1,"b":2 "c":3}"#,
                r#"{"a":1,}"#,
                r#"{"a":1,"b":2,}"#,
                r#"{"a" 1}"#,
                r#"{"a"}"#,
                r#"{"a":}"#,
                r#"{"a":1]"#,
                r#"{"a":1,"b":2"#,
                "{,}",
                "{",
                "[1,{}",
                "[1,]",
                "[1,{},]",
                "[1 2]",
            ] {
                let text = format!("[{one},{broken}]");
                assert!(matches!(compact(&text), Err(JsonError::Malformed(_))), "{text}");
            }
        }
    }

    #[test]
    fn what_fails_leaves_nothing_behind() {
        let mut heap = heap();
        let text = heap.store("[1,2,[3,4],[5,{\"a\":[6,").unwrap();
        let before = heap.begin_list();
        for _ in 0..3 {
            assert!(read(&mut heap, text).is_err());
        }
        assert_eq!(heap.begin_list(), before);
    }

    #[test]
    fn depth_costs_no_stack() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(compact(&nested(DEPTH)).is_ok());
        assert_eq!(compact(&nested(100_000)), Err(JsonError::TooDeep(DEPTH + 1)));
        assert_eq!(compact(&"{\"a\":".repeat(100_000)), Err(JsonError::TooDeep(5 * DEPTH + 1)));
    }

    #[test]
    fn large_objects_are_not_searched_pair_by_pair() {
        let pairs: Vec<String> =
            (0..40_000).map(|n| format!("\"{:05}\":{n}", n % 20_000)).collect();
        let mut heap = heap();
        let body = format!("{{{}}}", pairs.join(","));
        let Value::Map(map) = read_body(&mut heap, body.as_bytes()).unwrap() else { panic!() };
        assert_eq!(heap.pairs(map).len(), 20_000);
        assert!(matches!(heap.get(map, b"19999"), Some(Value::Int(39_999))));
    }
}
