//! `MOCK`: the document that says which status to answer.
//!
//! Source: developer guide, "Set up mock integrations in API Gateway"; recorded leniency of the `statusCode` document.

/// Finds `statusCode` in a rendered request template. Lenient as AWS: bare or single-quoted names, stray commas; the value must
/// be an integer, not a string. `None` when there is none to be had.
pub(super) fn status_code(text: &str) -> Option<i64> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut found = None;
    loop {
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        if rest.is_empty() {
            return found;
        }
        let (name, after) = token(rest, &[':'])?;
        let (value, after) = token(after.trim_start().strip_prefix(':')?.trim_start(), &[','])?;
        if name.trim_matches(['"', '\'']) == "statusCode" {
            found = Some(value.parse().ok()?);
        }
        rest = after;
    }
}

/// One name or value up to a delimiter outside quotes and brackets, and what follows. Quotes and brackets must balance.
fn token<'t>(text: &'t str, until: &[char]) -> Option<(&'t str, &'t str)> {
    let (mut quote, mut depth, mut escaped) = (None, 0u32, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.checked_sub(1)?,
            (None, _) if depth == 0 && until.contains(&c) => {
                return Some((text[..at].trim(), &text[at..]));
            }
            _ => {}
        }
    }
    (quote.is_none() && depth == 0).then(|| (text.trim(), ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_code_is_found_as_leniently_as_aws_does() {
        for (text, want) in [
            (r#"{"statusCode": 200}"#, Some(200)),
            ("{statusCode: 200}", Some(200)),
            ("{'statusCode': 404,}", Some(404)),
            (r#" { "a": {"statusCode": 1}, "statusCode": -1000,, } "#, Some(-1000)),
            (r#"{"statusCode": "200"}"#, None),
            (r#"{"statusCode": 2.5}"#, None),
            ("{}", None),
            ("statusCode: 200", None),
            (r#"{"statusCode: 200}"#, None),
            ("", None),
        ] {
            assert_eq!(status_code(text), want, "{text}");
        }
    }
}
