//! Media types, and what is text and what is binary: which bodies are converted between bytes and base64.
//!
//! Source: developer guide, "Content type conversions in API Gateway"; recorded behaviour where a conversion fails.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::head::{Head, Known};
use crate::snapshot::Unfit;

/// The media type of a message that names none.
pub(crate) const JSON: &[u8] = b"application/json";

/// The first media type of a field without its parameters; `application/json` when there is none.
#[inline]
pub fn first(head: &Head, field: Known) -> &[u8] {
    of_value(head.last(field).unwrap_or(JSON))
}

/// The first media type of a field's value, as [`first`] has it.
#[inline]
pub(crate) fn of_value(value: &[u8]) -> &[u8] {
    let first = value.split(|b| matches!(b, b',' | b';')).next().unwrap_or_default().trim_ascii();
    if first.is_empty() { JSON } else { first }
}

/// The media types an API treats as binary.
#[derive(Clone, Debug, Default)]
pub struct BinaryTypes(Box<[Box<str>]>);

impl BinaryTypes {
    /// Those that an API names.
    pub fn new(types: &[String]) -> Self {
        Self(types.iter().map(|t| t.as_str().into()).collect())
    }

    /// Whether everything is text.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a media type is among them: by itself, as `type/*` or as `*/*`.
    pub fn holds(&self, media: &[u8]) -> bool {
        self.0.iter().any(|held| {
            let family = held.strip_suffix('*').filter(|family| family.ends_with('/'));
            match family {
                Some("*/") => true,
                Some(family) => media
                    .get(..family.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(family.as_bytes())),
                None => held.as_bytes().eq_ignore_ascii_case(media),
            }
        })
    }
}

/// `contentHandling`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Handling {
    /// Not set.
    #[default]
    AsItComes,
    ToBinary,
    ToText,
}

impl Handling {
    pub(crate) fn parse(text: &str) -> Result<Self, Unfit> {
        match text {
            "" => Ok(Self::AsItComes),
            "CONVERT_TO_BINARY" => Ok(Self::ToBinary),
            "CONVERT_TO_TEXT" => Ok(Self::ToText),
            other => Err(Unfit::Always(format!("'{other}' is no content handling"))),
        }
    }
}

/// A body after its conversion.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// UTF-8. Templates may read it.
    Text(Vec<u8>),
    /// Any bytes.
    Binary(Vec<u8>),
}

/// A body that should have been base64 and is not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotBase64;

impl Payload {
    /// A request's body on its way to the upstream. `binary` says whether its content type is.
    pub(crate) fn of_request(
        body: Vec<u8>,
        binary: bool,
        handling: Handling,
    ) -> Result<Self, NotBase64> {
        match (binary, handling) {
            (false, Handling::AsItComes | Handling::ToText) => Ok(Self::text(body)),
            (false, Handling::ToBinary) => decode(&body).map(Self::Binary),
            (true, Handling::AsItComes | Handling::ToBinary) => Ok(Self::Binary(body)),
            (true, Handling::ToText) => Ok(Self::Text(encode(&body))),
        }
    }

    /// An upstream's body on its way to the caller. `binary` says whether its content type is, `wanted` whether what the caller
    /// accepts is.
    pub(crate) fn of_reply(
        body: Vec<u8>,
        binary: bool,
        wanted: bool,
        handling: Handling,
    ) -> Result<Self, NotBase64> {
        match (binary, wanted, handling) {
            (false, false, Handling::AsItComes) | (false, _, Handling::ToText) => {
                Ok(Self::text(body))
            }
            (false, true, Handling::AsItComes) | (false, _, Handling::ToBinary) => {
                decode(&body).map(Self::Binary)
            }
            (true, false, Handling::AsItComes) | (true, _, Handling::ToText) => {
                Ok(Self::Text(encode(&body)))
            }
            (true, true, Handling::AsItComes) | (true, _, Handling::ToBinary) => {
                Ok(Self::Binary(body))
            }
        }
    }

    /// Bytes that are no UTF-8 become replacement characters, as recorded.
    fn text(body: Vec<u8>) -> Self {
        Self::Text(match String::from_utf8(body) {
            Ok(text) => text.into_bytes(),
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned().into_bytes(),
        })
    }

    /// Its bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }
}

/// Bytes as base64.
pub(crate) fn encode(bytes: &[u8]) -> Vec<u8> {
    BASE64.encode(bytes).into_bytes()
}

/// Base64 as bytes. White space around it does not count, and neither does missing padding.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, NotBase64> {
    BASE64.decode(text.trim_ascii()).map_err(|_| NotBase64)
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;
    use Handling::{AsItComes, ToBinary, ToText};

    #[test]
    fn binary_types_match_whole_families_and_everything() {
        let types = |list: &[&str]| {
            BinaryTypes::new(&list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>())
        };
        for (list, media, want) in [
            (&["image/png"][..], "image/png", true),
            (&["image/png"], "IMAGE/PNG", true),
            (&["image/png"], "image/pngx", false),
            (&["image/png"], "*/*", false),
            (&["image/*"], "image/gif", true),
            (&["image/*"], "images/gif", false),
            (&["*/*"], "anything", true),
            (&[], "image/png", false),
        ] {
            assert_eq!(types(list).holds(media.as_bytes()), want, "{list:?} {media}");
        }
    }

    /// `T...` for text, `B...` for bytes.
    fn shown(payload: Result<Payload, NotBase64>) -> String {
        match payload {
            Ok(Payload::Text(bytes)) => format!("T {}", String::from_utf8_lossy(&bytes)),
            Ok(Payload::Binary(bytes)) => format!("B {}", bytes.escape_ascii()),
            Err(NotBase64) => "fails".to_owned(),
        }
    }

    #[test]
    fn requests_are_converted_by_the_table() {
        // rest-api-runtime.md 12.1
        for (body, binary, handling, want) in [
            (&b"text"[..], false, AsItComes, "T text"),
            (b"\xff", false, AsItComes, "T \u{fffd}"),
            (b"aGk=", false, ToBinary, "B hi"),
            (b"aGk", false, ToBinary, "B hi"),
            (b"not base64!", false, ToBinary, "fails"),
            (b"\xff", false, ToText, "T \u{fffd}"),
            (b"\xff", true, AsItComes, "B \\xff"),
            (b"aGk=", true, ToBinary, "B aGk="),
            (b"hi", true, ToText, "T aGk="),
            (b"", true, ToText, "T "),
        ] {
            let got = shown(Payload::of_request(body.to_vec(), binary, handling));
            assert_eq!(got, want, "{body:?} {binary} {handling:?}");
        }
    }

    #[test]
    fn replies_are_converted_by_the_table() {
        // rest-api-runtime.md 12.2
        for (body, binary, wanted, handling, want) in [
            (&b"\xff"[..], false, false, AsItComes, "T \u{fffd}"),
            (b"aGk=", false, false, ToBinary, "B hi"),
            (b"!", false, false, ToBinary, "fails"),
            (b"aGk=", false, false, ToText, "T aGk="),
            (b"aGk=", false, true, AsItComes, "B hi"),
            (b"plain text", false, true, AsItComes, "fails"),
            (b"aGk=", false, true, ToBinary, "B hi"),
            (b"aGk=", false, true, ToText, "T aGk="),
            (b"hi", true, false, AsItComes, "T aGk="),
            (b"hi", true, false, ToBinary, "B hi"),
            (b"hi", true, false, ToText, "T aGk="),
            (b"hi", true, true, AsItComes, "B hi"),
            (b"hi", true, true, ToBinary, "B hi"),
            (b"hi", true, true, ToText, "T aGk="),
        ] {
            let got = shown(Payload::of_reply(body.to_vec(), binary, wanted, handling));
            assert_eq!(got, want, "{body:?} {binary} {wanted} {handling:?}");
        }
    }
}
