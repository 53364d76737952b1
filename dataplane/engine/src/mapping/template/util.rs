//! `$util`: encodings, and two functions beyond AWS's: `parseXml` and `toXml`, with `toJson` to print what was parsed.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::super::heap::{BYTES_A_STEP, Text, Value};
use super::super::json::{self, JsonError, Slash};
use super::super::xml;
use super::error::{Fault, Position};
use super::names::Method;
use super::run::Run;

/// As `java.util.Base64` decodes: padding may be absent, and bits behind the last byte are ignored.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Run<'_> {
    pub(super) fn util_method(
        &mut self,
        method: Method,
        arguments: &[Value],
    ) -> Result<Value, Box<Fault>> {
        match (method, arguments) {
            (Method::ParseXml, [text]) => return self.parse_xml(*text, Value::Null),
            (Method::ParseXml, [text, options]) => return self.parse_xml(*text, *options),
            (Method::ToXml, [value]) => return self.write_xml(*value, None),
            (Method::ToXml, [value, root]) => {
                let root = self.as_text(*root)?;
                return self.write_xml(*value, Some(root));
            }
            (Method::ToJson, [value]) => return self.write_json(*value),
            _ => {}
        }
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
                let decoded = LENIENT.decode(heap.text(text));
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

    /// `$util.parseXml(text, {"prefixes": false, "attributes": false, "lists": ["item"]})`, the options being optional.
    fn parse_xml(&mut self, text: Value, options: Value) -> Result<Value, Box<Fault>> {
        if let Value::Null = text {
            return Ok(Value::Null);
        }
        let options = self.xml_options(options)?;
        let text = self.as_text(text)?;
        // A body that is no UTF-8 was mended when it was stored.
        if self.body == Some(text)
            && let Err(error) = std::str::from_utf8(self.source.body())
        {
            let at = Position::of(self.heap.str(text), error.valid_up_to());
            return Err(Fault::NoXml(xml::XmlError { at, why: xml::Refused::Encoding }).into());
        }
        xml::read(self.heap, text, &options).map_err(|error| match error.why {
            xml::Refused::Exhausted(exhausted) => exhausted.into(),
            _ => Fault::NoXml(error).into(),
        })
    }

    fn xml_options(&mut self, given: Value) -> Result<xml::Options, Box<Fault>> {
        let mut options = xml::Options::default();
        let wrong = |name: &str| Box::new(Fault::XmlOption(name.to_owned()));
        let heap = &*self.heap;
        let map = match given {
            Value::Null => return Ok(options),
            Value::Map(map) => map,
            _ => return Err(wrong("")),
        };
        for (key, value) in heap.pairs(map) {
            match (heap.str(*key), *value) {
                ("prefixes", Value::Bool(yes)) => options.prefixes = yes.holds(),
                ("attributes", Value::Bool(yes)) => options.attributes = yes.holds(),
                ("lists", Value::List(list)) => {
                    for name in heap.items(list) {
                        let Value::Text(name) = *name else { return Err(wrong("lists")) };
                        options.lists.push(heap.str(name).to_owned());
                    }
                }
                (name, _) => return Err(wrong(name)),
            }
        }
        Ok(options)
    }

    fn write_xml(&mut self, value: Value, root: Option<Text>) -> Result<Value, Box<Fault>> {
        let begin = self.out.len();
        xml::write(self.heap, value, root, self.out).map_err(|error| match error {
            xml::Unwritable::Exhausted(exhausted) => Box::<Fault>::from(exhausted),
            error => Fault::Unwritable(error).into(),
        })?;
        self.take_written(begin)
    }

    /// A value as a text of JSON.
    pub(super) fn write_json(&mut self, value: Value) -> Result<Value, Box<Fault>> {
        let begin = self.out.len();
        json::write(self.heap, value, Slash::Plain, self.out)?;
        self.heap.spend((self.out.len() - begin) / json::BYTES_A_STEP)?;
        self.take_written(begin)
    }

    /// What was written behind the output, whose end is borrowed for it.
    fn take_written(&mut self, begin: usize) -> Result<Value, Box<Fault>> {
        let written = self.heap.store_bytes(&self.out[begin..])?;
        self.out.truncate(begin);
        Ok(Value::Text(written))
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
