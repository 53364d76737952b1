//! Parameter mapping: `method.request.querystring.page` and its kin, parsed once at link time and evaluated per request.
//!
//! Source: developer guide, "API Gateway API request and response data mapping reference".

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode, percent_encode};

pub use crate::mapping::context::{Context, View};

use crate::explain::shown;
use crate::head::Head;
use crate::mapping::body::BodyPath;

/// Where a mapped value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `method.request.path.NAME`: the segment as sent, still percent-encoded.
    Path(Box<str>),
    /// `method.request.querystring.NAME`: the last value, decoded.
    Query(Box<str>),
    /// `method.request.multivaluequerystring.NAME`: every value, decoded.
    MultiQuery(Box<str>),
    /// `method.request.header.NAME`: the last value; the name's case counts.
    Header(Box<str>),
    /// `method.request.multivalueheader.NAME`: every value, joined with `,`.
    MultiHeader(Box<str>),
    /// `method.request.body`, as a whole or the value at a path in it.
    Body(BodyPath),
    /// `integration.response.header.NAME`: the last value; the name's case counts.
    ReplyHeader(Box<str>),
    /// `integration.response.multivalueheader.NAME`: every value, joined with `,`.
    ReplyMultiHeader(Box<str>),
    /// `integration.response.body`, as a whole or the value at a path in it.
    ReplyBody(BodyPath),
    /// `context.NAME`
    Context(Context),
    /// `'text'`, or a stage variable folded in at link time.
    Static(Box<str>),
}

/// Why an expression is no mapping expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// AWS's own words.
    #[error("Invalid mapping expression specified: {0}")]
    Invalid(String),
    /// A variable of access logs, or of nothing.
    #[error(
        "Invalid mapping expression specified: {0} ($context has no such variable outside of access logs)"
    )]
    UnknownVariable(String),
}

/// Which way a mapping goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From the caller to the upstream.
    Request,
    /// From the upstream to the caller: its answer may be read, too.
    Response,
}

impl Source {
    /// Reads an expression. `variable` gives a stage variable's value; a missing one is empty, as on AWS.
    pub fn parse(
        text: &str,
        side: Side,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ParameterError> {
        let invalid = || ParameterError::Invalid(text.to_owned());
        if let Some(quoted) = text.strip_prefix('\'') {
            let inner = quoted.strip_suffix('\'').ok_or_else(invalid)?;
            return Ok(Self::Static(inner.into()));
        }
        if let Some(name) = text.strip_prefix("stageVariables.") {
            check_name(name).ok_or_else(invalid)?;
            return Ok(Self::Static(variable(name).unwrap_or_default().into()));
        }
        if let Some(name) = text.strip_prefix("context.") {
            let unknown = || ParameterError::UnknownVariable(text.to_owned());
            return Context::parse(name).map(Self::Context).ok_or_else(unknown);
        }
        let (of_reply, rest) = match text.strip_prefix("integration.response.") {
            Some(rest) if side == Side::Response => (true, rest),
            _ => (false, text.strip_prefix("method.request.").ok_or_else(invalid)?),
        };
        if let Some(behind) = rest.strip_prefix("body") {
            let path = match behind.strip_prefix('.') {
                Some(path) => BodyPath::parse(path).ok_or_else(invalid)?,
                None if behind.is_empty() => BodyPath::default(),
                None => return Err(invalid()),
            };
            return Ok(if of_reply { Self::ReplyBody(path) } else { Self::Body(path) });
        }
        let (place, name) = rest.split_once('.').ok_or_else(invalid)?;
        let name: Box<str> = check_name(name).ok_or_else(invalid)?.into();
        Ok(match place {
            "header" if of_reply => Self::ReplyHeader(name),
            "multivalueheader" if of_reply => Self::ReplyMultiHeader(name),
            _ if of_reply => return Err(invalid()),
            "path" => Self::Path(name),
            "querystring" => Self::Query(name),
            "multivaluequerystring" => Self::MultiQuery(name),
            "header" => Self::Header(name),
            "multivalueheader" => Self::MultiHeader(name),
            _ => return Err(invalid()),
        })
    }

    /// Whether what it gives is the caller's to say.
    pub(crate) fn is_callers(&self) -> bool {
        !matches!(
            self,
            Self::Static(_)
                | Self::Context(_)
                | Self::ReplyHeader(_)
                | Self::ReplyMultiHeader(_)
                | Self::ReplyBody(_)
        )
    }

    /// Whether it reads the request's body.
    pub(crate) fn reads_body(&self) -> bool {
        matches!(self, Self::Body(_))
    }

    /// Whether it reads the body of the upstream's answer.
    pub(crate) fn reads_reply_body(&self) -> bool {
        matches!(self, Self::ReplyBody(_))
    }

    /// What it gives, for people: the parameter it is mapped to, its value and where that comes from.
    pub(crate) fn told(&self, view: &View<'_>, to: &str) -> String {
        let from = match self {
            Self::Path(name) => format!("method.request.path.{name}"),
            Self::Query(name) => format!("method.request.querystring.{name}"),
            Self::MultiQuery(name) => format!("method.request.multivaluequerystring.{name}"),
            Self::Header(name) => format!("method.request.header.{name}"),
            Self::MultiHeader(name) => format!("method.request.multivalueheader.{name}"),
            Self::Body(_) => "method.request.body".to_owned(),
            Self::ReplyHeader(name) => format!("integration.response.header.{name}"),
            Self::ReplyMultiHeader(name) => format!("integration.response.multivalueheader.{name}"),
            Self::ReplyBody(_) => "integration.response.body".to_owned(),
            Self::Context(context) => format!("context.{}", context.name()),
            Self::Static(_) => "constant".to_owned(),
        };
        let mut values = Vec::new();
        if self.each(view, |value| values.push(shown(value))) {
            format!("{to} = {} ({from})", values.join(", "))
        } else {
            format!("{to} is left out: {from} is absent or empty")
        }
    }

    /// Appends each value to `out` through `put`, and says whether there was any that is not empty. AWS skips a mapping whose
    /// source is absent or empty.
    #[inline]
    pub fn each(&self, cx: &View<'_>, mut put: impl FnMut(&[u8])) -> bool {
        let mut any = false;
        let mut give = |value: &[u8]| {
            if !value.is_empty() {
                any = true;
                put(value);
            }
        };
        match self {
            Self::Static(text) => give(text.as_bytes()),
            Self::Path(name) => {
                if let Some(value) = cx.param(name) {
                    give(value);
                }
            }
            Self::Query(name) => {
                if let Some(value) = query_values(cx.head.query(), name).last() {
                    give(&value);
                }
            }
            Self::MultiQuery(name) => query_values(cx.head.query(), name).for_each(|v| give(&v)),
            Self::Header(name) => {
                if let Some(value) = sent_headers(cx, name).next_back() {
                    give(value);
                }
            }
            Self::MultiHeader(name) => give(&joined(sent_headers(cx, name))),
            Self::Body(path) => {
                if let Some(value) = cx.body.and_then(|body| body.at(path)) {
                    give(value.as_bytes());
                }
            }
            Self::ReplyHeader(name) => {
                let mut values = cx.reply.into_iter().flat_map(|reply| headers(reply.head, name));
                if let Some(value) = values.next_back() {
                    give(value);
                }
            }
            Self::ReplyMultiHeader(name) => {
                if let Some(reply) = cx.reply {
                    give(&joined(headers(reply.head, name)));
                }
            }
            Self::ReplyBody(path) => {
                let body = cx.reply.and_then(|reply| reply.body);
                if let Some(value) = body.and_then(|body| body.at(path)) {
                    give(value.as_bytes());
                }
            }
            Self::Context(variable) => give(cx.context(*variable).as_bytes()),
        }
        any
    }
}

/// The values of a header, by its exact name.
fn headers<'h>(head: &'h Head, name: &str) -> impl DoubleEndedIterator<Item = &'h [u8]> {
    head.iter().filter(move |(held, _, _)| *held == name.as_bytes()).map(|(_, value, _)| value)
}

/// The values of a header of the caller, unless it is one that mappings do not see.
fn sent_headers<'h>(view: &View<'h>, name: &str) -> impl DoubleEndedIterator<Item = &'h [u8]> {
    let sent = view.head.iter();
    let sent = sent.filter(move |(held, _, known)| *held == name.as_bytes() && view.sees(*known));
    sent.map(|(_, value, _)| value)
}

/// Several values as one, separated by `,`.
fn joined<'h>(values: impl Iterator<Item = &'h [u8]>) -> Vec<u8> {
    values.collect::<Vec<_>>().join(&b',')
}

/// Every value of a query parameter, decoded once.
pub(crate) fn query_values<'q>(
    query: &'q [u8],
    name: &'q str,
) -> impl Iterator<Item = Vec<u8>> + 'q {
    let named = raw_pairs(query).filter(move |(key, _)| decode(key) == name.as_bytes());
    named.map(|(_, value)| decode(value))
}

/// Every parameter of a query with its value, decoded once.
pub(crate) fn query_pairs(query: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    raw_pairs(query)
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (decode(key), decode(value)))
}

/// The pairs of a query as sent. `;` separates like `&`. Source: developer guide, important notes ("known issues").
fn raw_pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|b| matches!(b, b'&' | b';')).map(|pair| match memchr::memchr(b'=', pair) {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &[][..]),
    })
}

/// Decodes once, with `+` as space.
fn decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    percent_decode(&spaced).collect()
}

/// Appends a value to a query string, encoded.
pub fn put_query(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    out.extend(percent_encode(name.as_bytes(), QUERY).flat_map(str::bytes));
    out.push(b'=');
    out.extend(percent_encode(value, QUERY).flat_map(str::bytes));
}

/// Bytes that cannot stand in a request target at all: what is neither visible ASCII nor allowed there by RFC 3986.
const NOT_IN_TARGET: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Text of a configured URI as a request line can carry it. What is encoded already stays.
pub fn target_text(text: &str) -> Vec<u8> {
    percent_encode(text.as_bytes(), NOT_IN_TARGET).flat_map(str::bytes).collect()
}

/// Appends a value to a path. A value that came from a path is already encoded and stays as it is; so does static text, which AWS
/// wants encoded, but for bytes that would end the path. Without a source it is a template's.
pub fn put_path(out: &mut Vec<u8>, source: Option<&Source>, value: &[u8]) {
    const STATIC: &AsciiSet = &NOT_IN_TARGET.add(b'?');
    const VALUE: &AsciiSet = &STATIC.add(b'%');
    let set = match source {
        Some(Source::Path(_)) => return out.extend_from_slice(value),
        Some(Source::Static(_)) => STATIC,
        _ => VALUE,
    };
    out.extend(percent_encode(value, set).flat_map(str::bytes));
}

/// Appends a value to the query that a URI has of its own. It stays one value: a path segment may hold `&` and `+`, which mean
/// something else there.
pub fn put_own_query(out: &mut Vec<u8>, source: Option<&Source>, value: &[u8]) {
    const SEPARATORS: &AsciiSet = &NOT_IN_TARGET.add(b'&').add(b';').add(b'+').add(b'?');
    const VALUE: &AsciiSet = &SEPARATORS.add(b'%').add(b'=');
    let set = match source {
        Some(Source::Path(_)) => SEPARATORS,
        Some(Source::Static(_)) => NOT_IN_TARGET,
        _ => VALUE,
    };
    out.extend(percent_encode(value, set).flat_map(str::bytes));
}

/// Whether bytes may stand in a header value: no control characters but tab. A decoded `%0D%0A` would otherwise add lines.
pub fn is_header_value(value: &[u8]) -> bool {
    value.iter().all(|b| *b == b'\t' || (*b >= 0x20 && *b != 0x7f))
}

/// Whether a byte may stand in a header name. Source: RFC 9110, section 5.6.2.
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A parameter name. Source: developer guide, `^[a-zA-Z0-9._$-]+$`.
fn check_name(name: &str) -> Option<&str> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$' | b'-');
    (!name.is_empty() && name.bytes().all(fits)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read() {
        let of =
            |text, side| Source::parse(text, side, &|name| (name == "v").then(|| "x".to_owned()));
        let parse = |text| of(text, Side::Request);
        let path = |text| BodyPath::parse(text).unwrap();
        for (text, want) in [
            ("method.request.body", Source::Body(BodyPath::default())),
            ("method.request.body.a.b[0]", Source::Body(path("a.b[0]"))),
            ("method.request.body.a[?(@.b)]", Source::Body(path("a[?(@.b)]"))),
            ("context.identity.cognitoIdentityId", Source::Context(Context::Unset)),
            ("context.authorizer.principalId", Source::Context(Context::Unset)),
            ("method.request.path.id", Source::Path("id".into())),
            ("method.request.querystring.q", Source::Query("q".into())),
            ("method.request.multivaluequerystring.q", Source::MultiQuery("q".into())),
            ("method.request.header.X-A", Source::Header("X-A".into())),
            ("method.request.multivalueheader.X-A", Source::MultiHeader("X-A".into())),
            ("context.identity.sourceIp", Source::Context(Context::SourceIp)),
            ("'fixed text'", Source::Static("fixed text".into())),
            ("stageVariables.v", Source::Static("x".into())),
            ("stageVariables.missing", Source::Static("".into())),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        for text in [
            "true",
            "",
            "method.request.path",
            "method.request.path.",
            "'open",
            "method.request.cookie.a",
            "method.request.bodyguard",
            "integration.response.body",
            "method.request.body.a[?(@.b",
        ] {
            assert_eq!(parse(text), Err(ParameterError::Invalid(text.to_owned())));
        }
        for text in ["context.nonsense", "context.identity.nonsense"] {
            assert!(matches!(parse(text), Err(ParameterError::UnknownVariable(_))), "{text}");
        }
        for (text, want) in [
            ("integration.response.header.ETag", Source::ReplyHeader("ETag".into())),
            ("integration.response.multivalueheader.A", Source::ReplyMultiHeader("A".into())),
            ("integration.response.body", Source::ReplyBody(BodyPath::default())),
            ("integration.response.body.a", Source::ReplyBody(path("a"))),
        ] {
            assert_eq!(of(text, Side::Response), Ok(want), "{text}");
        }
        let invalid = "integration.response.querystring.a";
        assert_eq!(of(invalid, Side::Response), Err(ParameterError::Invalid(invalid.to_owned())));
    }

    #[test]
    fn query_values_are_decoded_once() {
        let values = |query: &'static str| query_values(query.as_bytes(), "q").collect::<Vec<_>>();
        assert_eq!(values("q=a+b&q=%2B&x=1"), [b"a b".to_vec(), b"+".to_vec()]);
        assert_eq!(values("q;q=2"), [b"".to_vec(), b"2".to_vec()]);
        assert_eq!(values("q=%252f"), [b"%2f".to_vec()]);
        assert_eq!(values(""), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn values_are_encoded_for_where_they_go() {
        let mut out = Vec::new();
        put_query(&mut out, "a b", b"c&d=%");
        assert_eq!(out, b"a%20b=c%26d%3D%25");
        out.clear();
        put_path(&mut out, Some(&Source::Path("p".into())), b"a%20b/c");
        put_path(&mut out, Some(&Source::Header("h".into())), b"a b?%");
        assert_eq!(out, b"a%20b/ca%20b%3F%25");
        assert!(
            is_header_value(b"plain\ttext")
                && !is_header_value(b"a\r\nb")
                && !is_header_value(b"a\0")
        );
    }
}
