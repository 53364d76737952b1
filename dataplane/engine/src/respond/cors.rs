//! Cross-origin resource sharing as a setting of an API: preflights, and the headers of every answer, the gateway's own included.
//!
//! AWS has this for HTTP APIs only, and they are the model: developer guide, "Configure CORS for HTTP APIs in API Gateway". For
//! what browsers make of the headers: Fetch Standard, "HTTP CORS protocol".

use tidegate_proto::v1;

use crate::exchange::{Ctx, Ids};
use crate::head::{Head, Known, Method};
use crate::mapping::parameter::is_token;
use crate::respond::{Tail, id_lines, line, lines};
use crate::snapshot::Place;
use crate::step::{Answer, Body};

/// Who may read an API's answers, with the lines that say so.
#[derive(Debug)]
pub(crate) struct Cors {
    origins: Box<[Origin]>,
    /// Whether the headers of an answer depend on who asks.
    varies: bool,
    /// What a preflight is told of methods and headers.
    preflight: Box<[u8]>,
    /// Whether every header that is asked for is allowed.
    any_header: bool,
    /// What goes with an allowed origin in other answers.
    answer: Box<[u8]>,
}

/// Which origins are meant.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// `*`
    Any,
    Exact(Box<str>),
    /// `https://*.app.example`: what stands before and behind the `*`.
    Like(Box<str>, Box<str>),
}

/// Why a setting makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCors {
    #[error(
        "allowOrigins: '{0}' is no origin; write https://host, https://host:port, https://*.host, https://* or *"
    )]
    Origin(String),
    #[error("allowOrigins must name an origin")]
    NoOrigin,
    #[error(
        "allowCredentials cannot be true while allowOrigins holds '{0}': every site could act as its visitors"
    )]
    AnyOriginWithCredentials(String),
    #[error(
        "allowMethods: '{0}' is no method; write DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT or *"
    )]
    Method(String),
    #[error("{0}: '{1}' is no header name")]
    Header(&'static str, String),
    #[error(
        "exposeHeaders cannot hold '*' while allowCredentials is true: browsers take it for a name then"
    )]
    AnyExposed,
    #[error("maxAge: {0} is not within -1..=86400")]
    MaxAge(i32),
}

impl Cors {
    /// Reads a setting.
    pub(crate) fn link(from: &v1::Cors) -> Result<Self, BadCors> {
        let mut origins = Vec::new();
        for text in &from.allow_origins {
            let origin = Origin::parse(text).ok_or_else(|| BadCors::Origin(text.clone()))?;
            if from.allow_credentials && origin.is_open() {
                return Err(BadCors::AnyOriginWithCredentials(text.clone()));
            }
            origins.push(origin);
        }
        if origins.is_empty() {
            return Err(BadCors::NoOrigin);
        }
        names("allowHeaders", &from.allow_headers)?;
        names("exposeHeaders", &from.expose_headers)?;
        let holds_any = |list: &[String]| list.iter().any(|name| name == "*");
        if from.allow_credentials && holds_any(&from.expose_headers) {
            return Err(BadCors::AnyExposed);
        }
        let mut credentials = Vec::new();
        if from.allow_credentials {
            line(&mut credentials, b"Access-Control-Allow-Credentials", b"true");
        }
        let mut preflight = credentials.clone();
        let methods = methods(&from.allow_methods)?;
        list(&mut preflight, ALLOW_METHODS, &methods);
        let any_header = holds_any(&from.allow_headers);
        if !any_header {
            list(&mut preflight, ALLOW_HEADERS, &from.allow_headers);
        }
        match from.max_age_seconds {
            Some(seconds @ -1..=86_400) => {
                line(&mut preflight, b"Access-Control-Max-Age", seconds.to_string().as_bytes());
            }
            Some(seconds) => return Err(BadCors::MaxAge(seconds)),
            None => {}
        }
        let mut answer = credentials;
        list(&mut answer, EXPOSE_HEADERS, &from.expose_headers);
        Ok(Self {
            varies: !origins.contains(&Origin::Any),
            origins: origins.into(),
            preflight: preflight.into(),
            any_header,
            answer: answer.into(),
        })
    }

    /// Answers a preflight; `None` when the request is none. `place` is the stage, with the method where one takes the path.
    pub(crate) fn preflight(
        &self,
        cx: &mut Ctx<'_>,
        head: &Head,
        place: Place,
        ids: Ids,
    ) -> Option<Answer> {
        let asked = |name: &[u8]| {
            head.iter().rfind(|(held, _, _)| held.eq_ignore_ascii_case(name)).map(|(_, v, _)| v)
        };
        if head.method != Method::Options || asked(b"access-control-request-method").is_none() {
            return None;
        }
        let origin = head.last(Known::Origin)?;
        let wanted = asked(b"access-control-request-headers").filter(|wanted| is_list(wanted));
        let fields = lines(cx, |out| {
            if self.allow(out, Some(origin)) {
                out.extend_from_slice(&self.preflight);
                if self.any_header {
                    // `*` alone would leave out Authorization, and means nothing where credentials go along.
                    line(out, ALLOW_HEADERS, wanted.unwrap_or(b"*"));
                }
            }
            id_lines(out, &ids);
        });
        cx.note("respond", || format!("CORS preflight from {}", String::from_utf8_lossy(origin)));
        Some(Answer { status: 204, fields, body: Body::Empty, tail: Tail::new(ids, Some(place)) })
    }

    /// An answer with the API's headers in place of those that an integration or a mapping made.
    pub(crate) fn applied(&self, cx: &mut Ctx<'_>, head: &Head, answer: Answer) -> Answer {
        let held = answer.fields.range();
        let fields = lines(cx, |out| {
            let mut at = held.start;
            while at < held.end {
                let left = &out[at..held.end];
                let end = at + memchr::memchr(b'\n', left).map_or(left.len(), |found| found + 1);
                if !is_replaced(&out[at..end]) {
                    out.extend_from_within(at..end);
                }
                at = end;
            }
            if self.allow(out, head.last(Known::Origin)) {
                out.extend_from_slice(&self.answer);
            }
        });
        Answer { fields, ..answer }
    }

    /// Writes whom the answer is for; false when that is not the one who asks.
    fn allow(&self, out: &mut Vec<u8>, origin: Option<&[u8]>) -> bool {
        if !self.varies {
            line(out, ALLOW_ORIGIN, b"*");
            return true;
        }
        // Also where nobody is allowed, for caches.
        line(out, b"Vary", b"Origin");
        let allowed = origin.filter(|origin| self.origins.iter().any(|held| held.is(origin)));
        if let Some(origin) = allowed {
            line(out, ALLOW_ORIGIN, origin);
        }
        allowed.is_some()
    }
}

impl Origin {
    /// Reads `*`, `scheme://host[:port]`, or one of the latter whose host is `*` or begins with `*.`.
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let (scheme, host) = text.split_once("://")?;
        let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        if scheme.is_empty() || !scheme.bytes().all(named) {
            return None;
        }
        let Some(suffix) = host.strip_prefix('*') else {
            let sound = !host.is_empty() && host.bytes().all(is_host);
            return sound.then(|| Self::Exact(text.into()));
        };
        let sound = suffix.is_empty()
            || (suffix.len() > 1 && suffix.starts_with('.') && suffix.bytes().all(is_host));
        sound.then(|| Self::Like(format!("{scheme}://").into(), suffix.into()))
    }

    /// Whether sites of anybody are meant.
    fn is_open(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(_) => false,
            Self::Like(_, suffix) => suffix.is_empty(),
        }
    }

    fn is(&self, origin: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(text) => text.as_bytes().eq_ignore_ascii_case(origin),
            Self::Like(start, suffix) => {
                let Some(ends) = origin.len().checked_sub(suffix.len()) else { return false };
                ends > start.len()
                    && origin[..start.len()].eq_ignore_ascii_case(start.as_bytes())
                    && origin[ends..].eq_ignore_ascii_case(suffix.as_bytes())
                    && origin[start.len()..ends].iter().all(|b| is_host(*b))
            }
        }
    }
}

/// What stands in a host and its port.
fn is_host(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':' | b'[' | b']')
}

/// Whether a line is one that the setting writes itself.
fn is_replaced(line: &[u8]) -> bool {
    let name = line.split(|b| *b == b':').next().unwrap_or_default();
    [ALLOW_ORIGIN, b"Access-Control-Allow-Credentials", EXPOSE_HEADERS]
        .iter()
        .any(|held| name.eq_ignore_ascii_case(held))
}

/// Whether a value is a list of header names, short enough to be sent back.
fn is_list(value: &[u8]) -> bool {
    value.len() <= 1_024 && value.iter().all(|b| is_token(*b) || matches!(b, b',' | b' '))
}

fn names(member: &'static str, list: &[String]) -> Result<(), BadCors> {
    let bad = list.iter().find(|name| name.is_empty() || !name.bytes().all(is_token));
    bad.map_or(Ok(()), |name| Err(BadCors::Header(member, name.clone())))
}

/// The methods by name: browsers take `*` for a name where credentials go along.
fn methods(list: &[String]) -> Result<Vec<String>, BadCors> {
    const ALL: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    if let Some(bad) = list.iter().find(|name| *name != "*" && !ALL.contains(&name.as_str())) {
        return Err(BadCors::Method(bad.clone()));
    }
    if list.iter().any(|name| name == "*") {
        return Ok(ALL.map(str::to_owned).to_vec());
    }
    Ok(list.to_vec())
}

fn list(out: &mut Vec<u8>, name: &[u8], values: &[String]) {
    if !values.is_empty() {
        line(out, name, values.join(",").as_bytes());
    }
}

const ALLOW_ORIGIN: &[u8] = b"Access-Control-Allow-Origin";
const ALLOW_METHODS: &[u8] = b"Access-Control-Allow-Methods";
const ALLOW_HEADERS: &[u8] = b"Access-Control-Allow-Headers";
const EXPOSE_HEADERS: &[u8] = b"Access-Control-Expose-Headers";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_those_that_are_meant() {
        for (pattern, origin, want) in [
            ("*", "https://any.example", true),
            ("https://app.example", "https://app.example", true),
            ("https://app.example", "HTTPS://APP.example", true),
            ("https://app.example", "https://app.example.evil", false),
            ("https://app.example", "https://evil-app.example", false),
            ("https://app.example", "http://app.example", false),
            ("https://app.example", "https://app.example:8443", false),
            ("http://localhost:3000", "http://localhost:3000", true),
            ("https://*", "https://any.example:8443", true),
            ("https://*", "http://any.example", false),
            ("https://*", "https://", false),
            ("https://*", "https://a/b", false),
            ("https://*.app.example", "https://a.app.example", true),
            ("https://*.app.example", "https://a.b.app.example", true),
            ("https://*.app.example", "https://app.example", false),
            ("https://*.app.example", "https://.app.example", false),
            ("https://*.app.example", "https://evil/.app.example", false),
            ("https://*.app.example", "https://evilapp.example", false),
            ("capacitor://localhost", "capacitor://localhost", true),
            ("https://app.example", "null", false),
        ] {
            let parsed = Origin::parse(pattern).unwrap();
            assert_eq!(parsed.is(origin.as_bytes()), want, "{pattern} {origin}");
        }
        for text in [
            "",
            "null",
            "app.example",
            "https://",
            "https://a/",
            "https://a/b",
            "https://u@a",
            "://a",
            "https://a.*.b",
            "https://*a",
            "https://*.",
            "https://a b",
            "https://a,https://b",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
