//! `MOCK`: an answer without an upstream, made at link time where it is constant.
//!
//! Source: developer guide, "Set up mock integrations in API Gateway"; recorded leniency of the `statusCode` document.

use regex::RegexBuilder;
use tidegate_proto::v1;

use crate::exchange::Ctx;
use crate::head::{Head, Known};
use crate::mapping::parameter::{Source, View, is_header_value};
use crate::respond::{Failure, Tail, id_lines, line, lines};
use crate::snapshot::{Place, Unfit, Variables};
use crate::step::{Answer, Body};

/// A `MOCK` integration whose templates are constant.
#[derive(Debug)]
pub struct Mock {
    /// Media type of the request to the answers its template selects.
    requests: Box<[(Box<str>, Selection)]>,
    /// Whether a request without a template of its own is refused with 415 rather than passed through.
    refuses_others: bool,
    pub(crate) answers: Box<[ConstantAnswer]>,
}

/// What a request template selects.
type Selection = Result<Selected, Unanswered>;

/// The answers of one status code, one per response template.
#[derive(Clone, Copy, Debug)]
struct Selected {
    first: u16,
    count: u16,
}

/// Why a request template has no answer. AWS's words, from execution logs.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Unanswered {
    /// The template says no status.
    #[error(
        "Unable to parse statusCode. It should be an integer that is defined in the request template."
    )]
    NoStatus,
    /// No integration response is for the status.
    #[error("No match for output mapping and no default output mapping configured")]
    NoMatch,
    /// The integration response is for a status the method does not declare.
    #[error("Output mapping refers to an invalid method response: {0}")]
    Undeclared(u16),
}

/// One answer, ready to send but for its ids.
#[derive(Debug)]
pub struct ConstantAnswer {
    status: u16,
    /// The `Accept` it is for.
    media: Box<str>,
    /// Lines that never change.
    fixed: Box<[u8]>,
    mapped: Box<[(Box<str>, Source)]>,
    pub(crate) body: Box<[u8]>,
}

/// Builds the integration.
pub(crate) fn link(
    method: &v1::Method,
    from: &v1::Integration,
    variables: Variables<'_>,
) -> Result<Mock, Unfit> {
    let mut answers = Vec::new();
    let mut requests = Vec::new();
    for template in &from.request_templates {
        constant(&template.value)?;
        let selected = match status_code(&template.value) {
            Some(code) => select(method, from, code, variables, &mut answers)?,
            // AWS answers 500 at run time: no statusCode to go by.
            None => Err(Unanswered::NoStatus),
        };
        requests.push((template.name.to_ascii_lowercase().into(), selected));
    }
    let refuses_others = match from.passthrough_behavior.as_str() {
        "NEVER" => true,
        "WHEN_NO_TEMPLATES" => !requests.is_empty(),
        _ => false,
    };
    Ok(Mock { requests: requests.into(), refuses_others, answers: answers.into() })
}

fn select(
    method: &v1::Method,
    from: &v1::Integration,
    code: i64,
    variables: Variables<'_>,
    answers: &mut Vec<ConstantAnswer>,
) -> Result<Selection, Unfit> {
    let mut default = None;
    let mut matched = None;
    for response in &from.responses {
        if response.selection_pattern.is_empty() {
            default = Some(response);
            continue;
        }
        // The whole value must match.
        let whole = RegexBuilder::new(&format!("^(?:{})$", response.selection_pattern))
            .size_limit(1 << 20)
            .build()
            .map_err(|e| {
                Unfit::Always(format!("selection pattern '{}': {e}", response.selection_pattern))
            })?;
        if matched.is_none() && whole.is_match(&code.to_string()) {
            matched = Some(response);
        }
    }
    let Some(response) = matched.or(default) else { return Ok(Err(Unanswered::NoMatch)) };
    let status: u16 =
        response.status_code.parse().ok().filter(|status| (100..600).contains(status)).ok_or_else(
            || Unfit::Always(format!("'{}' is no status code", response.status_code)),
        )?;
    // A status the method does not declare is a configuration error at run time, as on AWS.
    if !method.responses.iter().any(|r| r.status_code == response.status_code) {
        return Ok(Err(Unanswered::Undeclared(status)));
    }

    let first = answers.len() as u16;
    let empty = [v1::Pair { name: "application/json".into(), value: String::new() }];
    let templates =
        if response.templates.is_empty() { &empty[..] } else { &response.templates[..] };
    for template in templates {
        constant(&template.value)?;
        let (mut fixed, mut mapped, mut typed) = (Vec::new(), Vec::new(), false);
        for pair in &response.parameters {
            let Some((name, source)) = response_header(pair, variables)? else { continue };
            typed |= name.eq_ignore_ascii_case("content-type");
            match source {
                Source::Static(text) if is_header_value(text.as_bytes()) => {
                    line(&mut fixed, name.as_bytes(), text.as_bytes());
                }
                Source::Static(_) => {
                    return Err(Unfit::Always(format!(
                        "{name} holds characters that cannot stand in a header"
                    )));
                }
                other => mapped.push((Box::from(name), other)),
            }
        }
        if !typed {
            if !is_header_value(template.name.as_bytes()) {
                return Err(Unfit::Always(format!("'{}' is no media type", template.name)));
            }
            line(&mut fixed, b"Content-Type", template.name.as_bytes());
        }
        answers.push(ConstantAnswer {
            status,
            media: template.name.to_ascii_lowercase().into(),
            fixed: fixed.into(),
            mapped: mapped.into(),
            body: template.value.as_bytes().into(),
        });
    }
    Ok(Ok(Selected { first, count: answers.len() as u16 - first }))
}

/// A header that a response mapping sets, under the name the caller sees; `None` when it is dropped or has no source here.
fn response_header(
    pair: &v1::Pair,
    variables: Variables<'_>,
) -> Result<Option<(String, Source)>, Unfit> {
    let name = pair
        .name
        .strip_prefix("method.response.header.")
        .filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_graphic() && b != b':'))
        .ok_or_else(|| {
            Unfit::Always(format!("Invalid mapping expression specified: {}", pair.name))
        })?;
    // There is no upstream whose answer could be mapped.
    if pair.value.starts_with("integration.response.") {
        return Ok(None);
    }
    let lookup = |name: &str| variables.get(name).map(str::to_owned);
    let source = Source::parse(&pair.value, &lookup).map_err(|e| Unfit::Always(e.to_string()))?;
    Ok(match Known::of(name.as_bytes()) {
        Known::TransferEncoding => None,
        Known::Authorization
        | Known::Connection
        | Known::ContentLength
        | Known::ContentMd5
        | Known::Date
        | Known::Expect
        | Known::Host
        | Known::MaxForwards
        | Known::ProxyAuthenticate
        | Known::Server
        | Known::Trailer
        | Known::Upgrade
        | Known::UserAgent
        | Known::WwwAuthenticate => Some((format!("x-amzn-Remapped-{name}"), source)),
        _ => Some((name.to_owned(), source)),
    })
}

/// Refuses a template that needs evaluating.
fn constant(template: &str) -> Result<(), Unfit> {
    if template.contains(['$', '#']) {
        return Err(Unfit::Always(
            "mapping templates with VTL are not supported yet; only constant text is".into(),
        ));
    }
    Ok(())
}

/// Finds `statusCode` in a rendered request template. Lenient as AWS: bare or single-quoted names, stray commas; the value must
/// be an integer, not a string. `None` when there is none to be had.
fn status_code(text: &str) -> Option<i64> {
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

impl Mock {
    /// Answers a request.
    pub(crate) fn answer(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        place: Place,
        mut tail: Tail,
    ) -> Result<Answer, Failure> {
        let sent = media_type(view.head, Known::ContentType);
        let of = |media: &[u8]| {
            self.requests.iter().find(|(held, _)| held.as_bytes().eq_ignore_ascii_case(media))
        };
        let selected = match of(sent).or_else(|| of(b"$default")) {
            Some((_, selected)) => *selected,
            None if self.refuses_others => return Err(Failure::UnsupportedMediaType),
            // Nothing says which status to answer.
            None => Err(Unanswered::NoStatus),
        };
        let selected = selected.map_err(|why| {
            cx.note("integration", || why.to_string());
            Failure::Misconfigured
        })?;
        let range = usize::from(selected.first)..usize::from(selected.first + selected.count);
        let variants = &self.answers[range];
        let wanted = media_type(view.head, Known::Accept);
        let by = |media: &[u8]| {
            variants.iter().position(|v| v.media.as_bytes().eq_ignore_ascii_case(media))
        };
        let at = by(wanted).or_else(|| by(b"application/json")).unwrap_or(0);
        let chosen = &variants[at];
        tail.constant = selected.first + at as u16;
        let mut bad = false;
        let fields = lines(cx, |out| {
            out.extend_from_slice(&chosen.fixed);
            for (name, source) in &chosen.mapped {
                source.each(view, |value| {
                    bad |= !is_header_value(value);
                    line(out, name.as_bytes(), value);
                });
            }
            id_lines(out, &tail.ids);
        });
        if bad {
            return Err(Failure::BadParameter);
        }
        cx.note("integration", || {
            format!("MOCK answers {} from the template for {}", chosen.status, chosen.media)
        });
        let body = if chosen.body.is_empty() { Body::Empty } else { Body::Constant(place) };
        Ok(Answer { status: chosen.status, fields, body, tail })
    }
}

/// The first media type of a field without its parameters; `application/json` when there is none.
fn media_type(head: &Head, field: Known) -> &[u8] {
    let value = head.last(field).unwrap_or(b"application/json");
    let first = value.split(|b| matches!(b, b',' | b';')).next().unwrap_or_default().trim_ascii();
    if first.is_empty() { b"application/json" } else { first }
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
