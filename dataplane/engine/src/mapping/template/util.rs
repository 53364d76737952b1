//! `$util`: encodings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::super::heap::{BYTES_A_STEP, Value};
use super::super::json::{self, JsonError};
use super::error::Fault;
use super::names::Method;
use super::run::Run;

impl Run<'_> {
    pub(super) fn util_method(
        &mut self,
        method: Method,
        arguments: &[Value],
    ) -> Result<Value, Box<Fault>> {
        let [argument] = arguments else { return Ok(Value::Null) };
        if let (Method::EscapeJavaScript, Value::Null) = (method, argument) {
            return Ok(Value::Text(self.heap.store("null")?));
        }
        let text = self.as_text(*argument)?;
        self.heap.spend(text.range().len() / BYTES_A_STEP)?;
        let heap = &mut *self.heap;
        let made = match method {
            Method::EscapeJavaScript => escape_javascript(heap.str(text)),
            Method::UrlEncode => url_encode(heap.text(text)),
            Method::UrlDecode => {
                url_decode(heap.text(text)).ok_or(Fault::Argument("$util.urlDecode"))?
            }
            Method::Base64Encode => STANDARD.encode(heap.text(text)),
            Method::Base64Decode => {
                let decoded = STANDARD.decode(heap.text(text));
                let decoded = decoded.map_err(|_| Fault::Argument("$util.base64Decode"))?;
                String::from_utf8_lossy(&decoded).into_owned()
            }
            Method::ParseJson => {
                return match json::read(heap, text) {
                    Ok(value) => Ok(value),
                    Err(JsonError::Exhausted(exhausted)) => Err(exhausted.into()),
                    Err(_) if matches!(argument, Value::Null) => Ok(Value::Null),
                    Err(_) => Err(Fault::Argument("$util.parseJson").into()),
                };
            }
            _ => return Ok(Value::Null),
        };
        Ok(Value::Text(heap.store(&made)?))
    }
}

/// As `StringEscapeUtils.escapeJavaScript` of Commons Lang 2: also quotes of both kinds, `/`, and everything beyond ASCII.
fn escape_javascript(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' | '/' => out.extend(['\\', c]),
            '\u{8}' => out.push_str("\\b"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            ' '..='\x7f' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
    }
    out
}

/// As `URLEncoder`: a form's encoding.
fn url_encode(text: &[u8]) -> String {
    const FORM: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'*').remove(b'_').remove(b' ');
    percent_encode(text, FORM).to_string().replace(' ', "+")
}

/// As `URLDecoder`, which refuses `%` without two digits.
fn url_decode(text: &[u8]) -> Option<String> {
    let digits =
        |at: usize| text.get(at + 1..at + 3).is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit));
    if !memchr::memchr_iter(b'%', text).all(digits) {
        return None;
    }
    let spaced: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    Some(percent_decode(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_java_s() {
        assert_eq!(
            escape_javascript("a\"'/\\\n\u{1}é😀\x7f"),
            "a\\\"\\'\\/\\\\\\n\\u0001\\u00E9\\uD83D\\uDE00\x7f"
        );
        assert_eq!(url_encode("a b&c=d/é*~{}:".as_bytes()), "a+b%26c%3Dd%2F%C3%A9*%7E%7B%7D%3A");
        for (text, want) in [
            ("a+b%26c%C3%A9", Some("a b&cé")),
            ("", Some("")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
        ] {
            assert_eq!(url_decode(text.as_bytes()).as_deref(), want);
        }
    }
}
