//! Parameter mapping: `method.request.querystring.page` and its kin, parsed once at link time and evaluated per request.
//!
//! Source: developer guide, "API Gateway API request and response data mapping reference".

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode, percent_encode};

use crate::exchange::{Ctx, Ids};
use crate::head::{Head, Known};
use crate::route::{Captures, Routed};
use crate::snapshot::{Place, World};

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
    /// `context.NAME`
    Context(Context),
    /// `'text'`, or a stage variable folded in at link time.
    Static(Box<str>),
}

/// A `$context` variable that parameter mapping can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Context {
    AccountId,
    ApiId,
    DeploymentId,
    DomainName,
    DomainPrefix,
    ExtendedRequestId,
    HttpMethod,
    IsCanaryRequest,
    Path,
    Protocol,
    RequestId,
    RequestTimeEpoch,
    ResourceId,
    ResourcePath,
    SourceIp,
    Stage,
    UserAgent,
}

impl Context {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "accountId" => Self::AccountId,
            "apiId" => Self::ApiId,
            "deploymentId" => Self::DeploymentId,
            "domainName" => Self::DomainName,
            "domainPrefix" => Self::DomainPrefix,
            "extendedRequestId" => Self::ExtendedRequestId,
            "httpMethod" => Self::HttpMethod,
            "isCanaryRequest" => Self::IsCanaryRequest,
            "path" => Self::Path,
            "protocol" => Self::Protocol,
            "requestId" => Self::RequestId,
            "requestTimeEpoch" => Self::RequestTimeEpoch,
            "resourceId" => Self::ResourceId,
            "resourcePath" => Self::ResourcePath,
            "identity.sourceIp" => Self::SourceIp,
            "stage" => Self::Stage,
            "identity.userAgent" => Self::UserAgent,
            _ => return None,
        })
    }
}

/// Why an expression is no mapping expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// AWS's own words.
    #[error("Invalid mapping expression specified: {0}")]
    Invalid(String),
    /// A form of AWS's that this version does not evaluate yet.
    #[error("mapping expression '{0}' is not supported yet")]
    Unsupported(String),
}

impl Source {
    /// Reads an expression. `variable` gives a stage variable's value; a missing one is empty, as on AWS.
    pub fn parse(
        text: &str,
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
            let unsupported = || ParameterError::Unsupported(text.to_owned());
            return Context::parse(name).map(Self::Context).ok_or_else(unsupported);
        }
        let rest = text.strip_prefix("method.request.").ok_or_else(invalid)?;
        if rest == "body" || rest.starts_with("body.") {
            return Err(ParameterError::Unsupported(text.to_owned()));
        }
        let (place, name) = rest.split_once('.').ok_or_else(invalid)?;
        let name: Box<str> = check_name(name).ok_or_else(invalid)?.into();
        Ok(match place {
            "path" => Self::Path(name),
            "querystring" => Self::Query(name),
            "multivaluequerystring" => Self::MultiQuery(name),
            "header" => Self::Header(name),
            "multivalueheader" => Self::MultiHeader(name),
            _ => return Err(invalid()),
        })
    }

    /// Appends each value to `out` through `put`, and says whether there was any that is not empty. AWS skips a mapping whose
    /// source is absent or empty.
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
                let mut values = cx.head.iter().rev().filter(|(n, _, _)| *n == name.as_bytes());
                if let Some((_, value, _)) = values.next() {
                    give(value);
                }
            }
            Self::MultiHeader(name) => {
                let mut joined = Vec::new();
                for (_, value, _) in cx.head.iter().filter(|(n, _, _)| *n == name.as_bytes()) {
                    if !joined.is_empty() {
                        joined.push(b',');
                    }
                    joined.extend_from_slice(value);
                }
                give(&joined);
            }
            Self::Context(variable) => give(cx.context(*variable).as_bytes()),
        }
        any
    }
}

/// What a mapping may look at.
pub struct View<'a> {
    /// The request's head.
    pub head: &'a Head,
    /// Names of the route's path parameters, in path order.
    pub names: &'a [Box<str>],
    /// Their values in the head.
    pub values: &'a Captures,
    /// Its ids.
    pub ids: &'a Ids,
    /// Where names of API, stage and account are looked up when a mapping wants them.
    pub world: &'a World,
    /// The method's place there.
    pub place: Place,
    /// Peer's address and time.
    pub peer: std::net::IpAddr,
    /// When the request began, Unix milliseconds.
    pub unix_ms: u64,
}

impl<'a> View<'a> {
    /// The view of a routed request.
    pub fn new(cx: &Ctx<'a>, head: &'a Head, routed: &'a Routed, ids: &'a Ids) -> Self {
        let names = cx.world.method(routed.place).map_or(&[][..], |m| &m.params);
        Self {
            head,
            names,
            values: &routed.values,
            ids,
            world: cx.world,
            place: routed.place,
            peer: cx.peer,
            unix_ms: cx.now.unix_ms,
        }
    }

    /// A path parameter as sent, still percent-encoded.
    fn param(&self, name: &str) -> Option<&'a [u8]> {
        let at = self.names.iter().position(|n| &**n == name)?;
        self.values.get(at).map(|span| self.head.bytes(span))
    }

    fn context(&self, variable: Context) -> std::borrow::Cow<'a, str> {
        use std::borrow::Cow::{Borrowed, Owned};
        let text = |bytes: &[u8]| Owned(String::from_utf8_lossy(bytes).into_owned());
        let facts = self.world.facts(self.place);
        match variable {
            Context::AccountId => Borrowed(facts.account_id),
            Context::ApiId => Borrowed(facts.api_id),
            Context::DeploymentId => Borrowed(facts.deployment_id),
            Context::DomainName => text(host_without_port(self.head.authority())),
            Context::DomainPrefix => {
                let host = host_without_port(self.head.authority());
                text(host.split(|b| *b == b'.').next().unwrap_or_default())
            }
            Context::ExtendedRequestId => Owned(self.ids.extended().to_owned()),
            Context::HttpMethod => text(self.head.bytes(self.head.method_text)),
            Context::IsCanaryRequest => {
                Borrowed(facts.canary.map_or("", |yes| if yes { "true" } else { "false" }))
            }
            Context::Path => text(self.head.path()),
            Context::Protocol => Borrowed(self.head.version.as_str()),
            Context::RequestId => Owned(self.ids.request().to_owned()),
            Context::RequestTimeEpoch => Owned(self.unix_ms.to_string()),
            Context::ResourceId => Borrowed(facts.resource_id),
            Context::ResourcePath => Borrowed(facts.resource_path),
            Context::SourceIp => Owned(self.peer.to_string()),
            Context::Stage => Borrowed(facts.stage),
            Context::UserAgent => text(self.head.last(Known::UserAgent).unwrap_or_default()),
        }
    }
}

/// Host without its port; an IPv6 literal keeps its brackets.
pub fn host_without_port(authority: &[u8]) -> &[u8] {
    if authority.first() == Some(&b'[') {
        let end = authority.iter().position(|b| *b == b']').map_or(authority.len(), |i| i + 1);
        return &authority[..end];
    }
    authority.split(|b| *b == b':').next().unwrap_or_default()
}

/// Every value of a query parameter, decoded once with `+` as space. `;` separates like `&`. Source: developer guide, important
/// notes ("known issues").
fn query_values<'q>(query: &'q [u8], name: &'q str) -> impl Iterator<Item = Vec<u8>> + 'q {
    query.split(|b| matches!(b, b'&' | b';')).filter_map(move |pair| {
        let (key, value) = match memchr::memchr(b'=', pair) {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        (decode(key) == name.as_bytes()).then(|| decode(value))
    })
}

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
/// wants encoded, but for bytes that would end the path.
pub fn put_path(out: &mut Vec<u8>, source: &Source, value: &[u8]) {
    const STATIC: &AsciiSet = &NOT_IN_TARGET.add(b'?');
    const VALUE: &AsciiSet = &STATIC.add(b'%');
    let set = match source {
        Source::Path(_) => return out.extend_from_slice(value),
        Source::Static(_) => STATIC,
        _ => VALUE,
    };
    out.extend(percent_encode(value, set).flat_map(str::bytes));
}

/// Appends a value to the query that a URI has of its own. It stays one value: a path segment may hold `&` and `+`, which mean
/// something else there.
pub fn put_own_query(out: &mut Vec<u8>, source: &Source, value: &[u8]) {
    const SEPARATORS: &AsciiSet = &NOT_IN_TARGET.add(b'&').add(b';').add(b'+').add(b'?');
    const VALUE: &AsciiSet = &SEPARATORS.add(b'%').add(b'=');
    let set = match source {
        Source::Path(_) => SEPARATORS,
        Source::Static(_) => NOT_IN_TARGET,
        _ => VALUE,
    };
    out.extend(percent_encode(value, set).flat_map(str::bytes));
}

/// Whether bytes may stand in a header value: no control characters but tab. A decoded `%0D%0A` would otherwise add lines.
pub fn is_header_value(value: &[u8]) -> bool {
    value.iter().all(|b| *b == b'\t' || (*b >= 0x20 && *b != 0x7f))
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
        let parse = |text| Source::parse(text, &|name| (name == "v").then(|| "x".to_owned()));
        for (text, want) in [
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
        ] {
            assert_eq!(parse(text), Err(ParameterError::Invalid(text.to_owned())));
        }
        assert!(matches!(parse("method.request.body.a"), Err(ParameterError::Unsupported(_))));
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
        put_path(&mut out, &Source::Path("p".into()), b"a%20b/c");
        put_path(&mut out, &Source::Header("h".into()), b"a b?%");
        assert_eq!(out, b"a%20b/ca%20b%3F%25");
        assert!(
            is_header_value(b"plain\ttext")
                && !is_header_value(b"a\r\nb")
                && !is_header_value(b"a\0")
        );
    }
}
