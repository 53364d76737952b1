//! Bytes to a JSON value, from either notation, with AWS's pseudo parameters filled in.

use serde_json::Value;

use super::{ImportOptions, yaml};

/// Parses a document; `None` if it is neither JSON nor YAML, or over the bounds of either.
///
/// `serde_json` refuses nesting deeper than 128, [`yaml::parse`] the same; so no later step needs a bound of its own.
pub(super) fn parse(bytes: &[u8], options: &ImportOptions) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = substitute(text.strip_prefix('\u{feff}').unwrap_or(text), options);
    if text.trim_start().starts_with('{') {
        // YAML has a notation with braces as well, so a document that is no JSON gets its second chance.
        if let Ok(value) = serde_json::from_str(&text) {
            return Some(value);
        }
    }
    yaml::parse(&text)
}

/// Source: Developer Guide, "AWS variables for OpenAPI import".
fn substitute<'a>(text: &'a str, options: &ImportOptions) -> std::borrow::Cow<'a, str> {
    if !text.contains("${AWS::") {
        return text.into();
    }
    // The values come from settings, not from the document, and hold no quotes.
    text.replace("${AWS::Region}", &options.region)
        .replace("${AWS::AccountId}", &options.account_id)
        .replace("${AWS::Partition}", &options.partition)
        .into()
}
