//! Gateway responses that an API customises.
//!
//! Source: developer guide, "Gateway responses in API Gateway" and "Set up gateway response customization". A template here is no
//! VTL: variables are put in, and nothing else happens.

use tidegate_proto::v1;

use crate::exchange::Ctx;
use crate::head::Known;
use crate::mapping::context::View;
use crate::mapping::parameter::{ParameterError, Side, Source, is_header_value, is_token};
use crate::respond::gateway::closing_lines;
use crate::respond::responses::accepted;
use crate::respond::{Failure, ResponseType, Tail, line, lines};
use crate::snapshot::Variables;
use crate::step::{Answer, Body};

/// The gateway responses of an API.
#[derive(Debug, Default)]
pub(crate) struct GatewayResponses(Box<[Custom]>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Custom {
    kind: ResponseType,
    /// `None`: the type's own, or the failure's where the type is a default.
    status: Option<u16>,
    headers: Box<[(Box<str>, Known, Source)]>,
    /// Media type and template; never empty.
    templates: Box<[(Box<str>, Template)]>,
}

impl GatewayResponses {
    /// Builds them; all problems are told.
    pub(crate) fn link(
        from: &[v1::GatewayResponse],
        variables: Variables<'_>,
    ) -> Result<Self, Vec<String>> {
        let (mut made, mut problems) = (Vec::new(), Vec::new());
        for response in from {
            match Custom::link(response, variables) {
                Ok(custom) => made.push(custom),
                Err(what) => problems.push(format!("gateway response {}: {what}", response.r#type)),
            }
        }
        if problems.is_empty() { Ok(Self(made.into())) } else { Err(problems) }
    }

    /// What customises a failure's answer: its own type, else the default of its class. A type with a response of its own has
    /// nothing of the default's.
    pub(crate) fn custom(&self, failure: Failure) -> Option<&Custom> {
        let of = |wanted: ResponseType| self.0.iter().find(|custom| custom.kind == wanted);
        let class = match failure.status() {
            400..500 => ResponseType::Default4xx,
            _ => ResponseType::Default5xx,
        };
        of(failure.response_type()).or_else(|| of(class))
    }
}

impl Custom {
    fn link(from: &v1::GatewayResponse, variables: Variables<'_>) -> Result<Self, String> {
        let kind = ResponseType::parse(&from.r#type).ok_or("there is no such type")?;
        let status = from.status_code.map(|code| {
            let fits = u16::try_from(code).ok().filter(|code| (200..600).contains(code));
            fits.ok_or_else(|| format!("'{code}' is no status code"))
        });
        let mut headers = Vec::new();
        for pair in &from.parameters {
            let invalid = || format!("Invalid mapping expression specified: {}", pair.name);
            let rest = pair.name.strip_prefix("gatewayresponse.").ok_or_else(invalid)?;
            // AWS takes `path` and `querystring`, too, where nothing shows.
            let Some(name) = rest.strip_prefix("header.") else { continue };
            if name.is_empty() || !name.bytes().all(is_token) {
                return Err(invalid());
            }
            let known = Known::of(name.as_bytes());
            // What the node and the gateway say themselves is not said twice.
            if matches!(
                known,
                Known::ContentLength
                    | Known::TransferEncoding
                    | Known::Connection
                    | Known::Date
                    | Known::AmznRequestId
                    | Known::AmzApigwId
                    | Known::AmznTraceId
            ) {
                continue;
            }
            let lookup = |name: &str| variables.get(name).map(str::to_owned);
            match Source::parse(&pair.value, Side::Request, &lookup) {
                Ok(source) => headers.push((name.into(), known, source)),
                // A variable that nobody sets leaves its header out.
                Err(ParameterError::UnknownVariable(_)) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        let mut templates: Vec<(Box<str>, Template)> = Vec::new();
        for pair in &from.templates {
            if !is_header_value(pair.name.as_bytes()) {
                return Err(format!("'{}' is no media type", pair.name));
            }
            templates.push((pair.name.as_str().into(), Template::parse(&pair.value, variables)));
        }
        if templates.is_empty() {
            templates.push(("application/json".into(), Template::parse(STOCK, variables)));
        }
        let (headers, templates) = (headers.into(), templates.into());
        Ok(Self { kind, status: status.transpose()?, headers, templates })
    }

    /// Answers a failure. A header whose value is absent, or cannot stand in a head, is left out.
    pub(crate) fn answer(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        failure: Failure,
        tail: Tail,
    ) -> Answer {
        let (world, accept) = (cx.world, accepted(view.head));
        let by = |media: &[u8]| {
            self.templates.iter().position(|(held, _)| held.as_bytes().eq_ignore_ascii_case(media))
        };
        let at = by(accept).or_else(|| by(b"application/json")).unwrap_or(0);
        let (media, template) = &self.templates[at];
        let fields = lines(cx, |out| {
            let (mut typed, mut named) = (false, false);
            for (name, known, source) in &self.headers {
                source.each(view, |value| {
                    if is_header_value(value) {
                        line(out, name.as_bytes(), value);
                        typed |= *known == Known::ContentType;
                        named |= *known == Known::AmznErrorType;
                    }
                });
            }
            if !typed {
                line(out, b"Content-Type", media.as_bytes());
            }
            if !named {
                line(out, b"x-amzn-ErrorType", failure.exception().as_bytes());
            }
            closing_lines(out, world, view.head, &tail, failure);
        });
        let body = lines(cx, |out| template.write(out, view));
        let own = self.kind.status().filter(|_| self.kind == failure.response_type());
        let status = self.status.or(own).unwrap_or(failure.status());
        Answer { status, fields, body: Body::Scratch(body), tail }
    }
}

/// The template of a gateway response that has none of its own.
const STOCK: &str = r#"{"message":$context.error.messageString}"#;

/// Text with variables in it.
#[derive(Debug)]
struct Template(Box<[Piece]>);

#[derive(Debug)]
enum Piece {
    Text(Box<str>),
    Variable(Source),
}

impl Template {
    /// Reads a template. What is no variable is text; a variable that nobody knows is empty.
    fn parse(text: &str, variables: Variables<'_>) -> Self {
        let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
        let lookup = |name: &str| variables.get(name).map(str::to_owned);
        while let Some(first) = rest.chars().next() {
            let Some((expression, behind)) = variable(rest) else {
                literal.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            };
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
            }
            if let Ok(source) = Source::parse(expression, Side::Request, &lookup) {
                pieces.push(Piece::Variable(source));
            }
            rest = behind;
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal.into()));
        }
        Self(pieces.into())
    }

    fn write(&self, out: &mut Vec<u8>, view: &View<'_>) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Variable(source) => {
                    let mut first = true;
                    source.each(view, |value| {
                        if !std::mem::replace(&mut first, false) {
                            out.push(b',');
                        }
                        out.extend_from_slice(value);
                    });
                }
            }
        }
    }
}

/// A variable at the beginning of a text as a mapping expression, and what follows it: `$context.x`, `${context.x}`,
/// `$stageVariables.x`, and `method.request.header.x` with or without its `$`.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (inner, braced) = match text.strip_prefix("${") {
        Some(inner) => (inner, true),
        None => (text.strip_prefix('$').unwrap_or(text), false),
    };
    let dollar = inner.len() < text.len();
    let of_request = inner.starts_with("method.request.");
    let known = inner.starts_with("context.") || inner.starts_with("stageVariables.");
    if !(of_request || (known && dollar)) {
        return None;
    }
    let in_name =
        |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || (of_request && c == '-');
    let end = inner.find(|c| !in_name(c)).unwrap_or(inner.len());
    // A full stop behind a variable ends the sentence.
    let name = inner[..end].trim_end_matches(['.', '-']);
    let behind = &inner[name.len()..];
    if braced { Some((name, behind.strip_prefix('}')?)) } else { Some((name, behind)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_where_they_end() {
        for (text, want) in [
            ("$context.error.message.", Some(("context.error.message", "."))),
            ("$context.requestId-x", Some(("context.requestId", "-x"))),
            ("${context.requestId}x", Some(("context.requestId", "x"))),
            ("${context.requestId", None),
            ("$stageVariables.a_b\"", Some(("stageVariables.a_b", "\""))),
            ("$method.request.header.X-A,", Some(("method.request.header.X-A", ","))),
            ("method.request.header.X-A-", Some(("method.request.header.X-A", "-"))),
            ("context.requestId", None),
            ("$input.body", None),
            ("$", None),
            ("ä", None),
        ] {
            assert_eq!(variable(text), want, "{text}");
        }
    }
}
