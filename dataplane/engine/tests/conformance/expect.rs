//! What a case expects of what was sent and of the answer.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};
use regex::Regex;
use serde_json::Value;

use crate::setting;
use crate::support::{Answered, Called, Lines};

/// Checks the request to the upstream.
pub fn sent(want: &Value, call: &Called) -> Result<(), String> {
    for (name, want) in want.as_object().expect("what is sent is an object") {
        let sent = &call.sent;
        match name.as_str() {
            "method" => text("method", want, sent.method)?,
            "upstream" => text("upstream", want, &sent.upstream)?,
            "target" => text("target", want, &sent.target)?,
            "timeout" => {
                text("timeout", &Value::from(want.to_string()), &sent.timeout_ms.to_string())?;
            }
            "headers" => headers(want, &sent.fields)?,
            "headerNames" => names(want, &sent.fields)?,
            "body" => body("body sent", want, &call.body)?,
            other => panic!("{other} of what is sent"),
        }
    }
    Ok(())
}

/// Checks the answer to the caller.
pub fn answered(want: &Value, answer: &Answered) -> Result<(), String> {
    for (name, want) in want.as_object().expect("an answer is an object") {
        match name.as_str() {
            "status" if *want == answer.status => {}
            "status" => {
                return Err(format!("status {}, not {want}: {}", answer.status, answer.body));
            }
            // The gateway response that answers.
            "type" => match (want.as_str(), answer.failure) {
                (want, got) if want == got => {}
                (want, got) => return Err(format!("gateway response {got:?}, not {want:?}")),
            },
            "headers" => headers(want, &answer.fields)?,
            "headerNames" => names(want, &answer.fields)?,
            "body" => body("body answered", want, &answer.bytes)?,
            other => panic!("{other} of an answer"),
        }
    }
    Ok(())
}

/// A text, or `{"matches": REGEX}`.
fn text(what: &str, want: &Value, got: &str) -> Result<(), String> {
    let fits = match want {
        Value::String(want) => want == got,
        want => Regex::new(want["matches"].as_str().expect("a text or `matches`"))
            .unwrap()
            .is_match(got),
    };
    if fits { Ok(()) } else { Err(format!("{what} is {got:?}, not {want}")) }
}

/// Each name, spelled so, with its one value, several in order, null where it must not stand, true where any value will do.
fn headers(want: &Value, lines: &Lines) -> Result<(), String> {
    for (name, want) in want.as_object().expect("headers are an object") {
        let got = lines.all(name);
        match want {
            Value::Null if got.is_empty() => {}
            Value::Bool(true) if !got.is_empty() => {}
            Value::Array(all)
                if all.iter().map(|v| v.as_str().unwrap()).eq(got.iter().copied()) => {}
            Value::String(_) | Value::Object(_) if got.len() == 1 => text(name, want, got[0])?,
            want => return Err(format!("{name} is {got:?}, not {want}; all: {lines:?}")),
        }
        if !got.is_empty() && !lines.0.iter().any(|(held, _)| held == name) {
            return Err(format!("{name} is spelled otherwise: {lines:?}"));
        }
    }
    Ok(())
}

/// Exactly these names, in any order.
fn names(want: &Value, lines: &Lines) -> Result<(), String> {
    let mut want: Vec<&str> =
        want.as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    let mut got: Vec<&str> = lines.0.iter().map(|(name, _)| name.as_str()).collect();
    want.sort_unstable();
    got.sort_unstable();
    if want == got { Ok(()) } else { Err(format!("headers {got:?}, not {want:?}")) }
}

/// A text, `{"matches": REGEX}`, `{"json": {POINTER: value}}` with null for what is absent, `{"gzip": text}`, `{"deflate": text}`,
/// or bytes as requests write them.
fn body(what: &str, want: &Value, got: &[u8]) -> Result<(), String> {
    let shown = String::from_utf8_lossy(got);
    let decoded = |read: &mut dyn Read| {
        let mut text = String::new();
        read.read_to_string(&mut text).map_err(|e| format!("{what}: {e}"))?;
        Ok::<_, String>(text)
    };
    if want.is_string() || want.get("matches").is_some() {
        text(what, want, &shown)
    } else if let Some(inner) = want.get("gzip") {
        text(what, inner, &decoded(&mut GzDecoder::new(got))?)
    } else if let Some(inner) = want.get("deflate") {
        text(what, inner, &decoded(&mut ZlibDecoder::new(got))?)
    } else if let Some(members) = want.get("json").and_then(Value::as_object) {
        let read: Value =
            serde_json::from_str(&shown).map_err(|e| format!("{what}: {e}: {shown}"))?;
        for (pointer, want) in members {
            let found = read.pointer(pointer);
            let fits = match want {
                Value::Object(one) if one.contains_key("absent") => found.is_none(),
                Value::Object(one) if one.contains_key("matches") => {
                    text(pointer, want, found.and_then(Value::as_str).unwrap_or_default()).is_ok()
                }
                want => found == Some(want),
            };
            if !fits {
                return Err(format!("{what}: {pointer} is {found:?}, not {want}; all: {shown}"));
            }
        }
        Ok(())
    } else if setting::bytes(want) == got {
        Ok(())
    } else {
        Err(format!("{what} is {}, not {want}", got.escape_ascii()))
    }
}
