//! `HTTP_PROXY`: the caller's request, passed on.
//!
//! Sources: recorded header behaviour of `HTTP_PROXY`; developer guide, "Set up HTTP integrations" and "known issues".

use std::net::IpAddr;
use std::sync::Arc;

use tidegate_proto::v1;

use crate::exchange::{Ctx, Ids};
use crate::head::{Head, Known, Method};
use crate::mapping::parameter::{
    Source, View, is_header_value, put_own_query, put_path, put_query, target_text,
};
use crate::respond::{Failure, line, lines};
use crate::route::path;
use crate::snapshot::{Scheme, Unfit, Upstream, Upstreams, Variables};
use crate::step::Outgoing;

/// An `HTTP_PROXY` integration with its variables folded in.
#[derive(Debug)]
pub struct HttpProxy {
    pub(crate) upstream: Arc<Upstream>,
    /// `None`: the caller's.
    method: Option<Method>,
    path: Template,
    /// The URI's own query, then mapped parameters; the caller's stands between them.
    query: Template,
    queries: Box<[(Box<str>, Source)]>,
    headers: Box<[(Box<str>, Known, Source)]>,
    /// `Host`, API id and other lines that never change.
    fixed: Box<[u8]>,
    user_agent: Box<str>,
    timeout_ms: u32,
}

/// Text with mapped values in it.
#[derive(Debug, Default)]
pub struct Template(Box<[TemplatePiece]>);

/// A part of a template.
#[derive(Debug)]
pub enum TemplatePiece {
    /// As it stands.
    Text(Box<[u8]>),
    /// A mapped path parameter; the text stands when the value is absent, as AWS leaves placeholders. Its braces are encoded, as
    /// no request line can carry them.
    Mapped(Source, Box<[u8]>),
}

impl Template {
    fn parse(text: &str, paths: &[(Box<str>, Source)]) -> Self {
        let mut pieces: Vec<TemplatePiece> = Vec::new();
        let mut rest = text;
        let mut literal = String::new();
        while let Some(open) = rest.find('{') {
            let Some(close) = rest[open..].find('}').map(|i| open + i) else { break };
            let name = rest[open + 1..close].trim_end_matches('+');
            let source = paths.iter().find(|(n, _)| &**n == name).map(|(_, source)| source);
            literal.push_str(&rest[..open]);
            match source {
                Some(source) => {
                    if !literal.is_empty() {
                        pieces.push(TemplatePiece::Text(target_text(&literal).into()));
                        literal.clear();
                    }
                    let held = target_text(&rest[open..=close]).into();
                    pieces.push(TemplatePiece::Mapped(source.clone(), held));
                }
                None => literal.push_str(&rest[open..=close]),
            }
            rest = &rest[close + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(TemplatePiece::Text(target_text(&literal).into()));
        }
        Self(pieces.into())
    }

    fn is_mapped(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, TemplatePiece::Mapped(..)))
    }

    fn write(
        &self,
        out: &mut Vec<u8>,
        view: &View<'_>,
        put: impl Fn(&mut Vec<u8>, &Source, &[u8]),
    ) {
        for piece in &self.0 {
            match piece {
                TemplatePiece::Text(text) => out.extend_from_slice(text),
                TemplatePiece::Mapped(source, held) => {
                    if !source.each(view, |value| put(out, source, value)) {
                        out.extend_from_slice(held);
                    }
                }
            }
        }
    }
}

/// An `http` or `https` URL taken apart.
pub struct Url<'a> {
    /// Its scheme.
    pub scheme: Scheme,
    /// Host without brackets.
    pub host: &'a str,
    /// Port, the scheme's own if none is written.
    pub port: u16,
    /// Path from its `/`; empty when there is none.
    pub path: &'a str,
    /// Query without `?`; empty when there is none.
    pub query: &'a str,
}

/// Why a text is no URL to call. AWS's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid HTTP endpoint specified for URI")]
pub struct BadUrl;

impl<'a> Url<'a> {
    /// Takes a URL apart. Placeholders may stand in path and query only: a caller must not choose whom the gateway calls.
    pub fn parse(text: &'a str) -> Result<Self, BadUrl> {
        let (scheme, rest) = match text.split_once("://") {
            Some((s, rest)) if s.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some((s, rest)) if s.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            _ => return Err(BadUrl),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let tail = tail.split('#').next().unwrap_or_default();
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => {
                let (host, after) = inner.split_once(']').ok_or(BadUrl)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| BadUrl)?;
                (host, after)
            }
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':');
        if host.is_empty() || host.len() > 253 || !host.bytes().all(named) {
            return Err(BadUrl);
        }
        let port = match port.strip_prefix(':') {
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| BadUrl)?
            }
            None if port.is_empty() => scheme.default_port(),
            _ => return Err(BadUrl),
        };
        if !path.bytes().chain(query.bytes()).all(|b| b.is_ascii_graphic()) {
            return Err(BadUrl);
        }
        Ok(Self { scheme, host, port, path, query })
    }

    /// Path and query as a request line has them.
    pub fn target(&self) -> Vec<u8> {
        let path = if self.path.is_empty() { "/" } else { self.path };
        let query = if self.query.is_empty() { "" } else { "?" };
        target_text(&format!("{path}{query}{}", self.query))
    }
}

/// Builds the integration.
pub(crate) fn link(
    from: &v1::Integration,
    variables: Variables<'_>,
    upstreams: &mut Upstreams,
    api_id: &str,
) -> Result<HttpProxy, Unfit> {
    if !matches!(from.connection_type.as_str(), "" | "INTERNET") {
        return Err(Unfit::Always("connections through VPC links are not supported yet".into()));
    }
    if !from.content_handling.is_empty() {
        return Err(Unfit::Always("contentHandling of HTTP_PROXY is not supported yet".into()));
    }
    let (uri, varies) = variables.fold(&from.uri);
    let unfit = |what: String| if varies { Unfit::Here(what) } else { Unfit::Always(what) };
    let url = Url::parse(&uri).map_err(|e| unfit(format!("{e}: '{uri}'")))?;
    let method = match from.http_method.as_str() {
        "" | "ANY" => None,
        text => match Method::from_bytes(text.as_bytes()) {
            Method::Other => return Err(Unfit::Always(format!("'{text}' is no method"))),
            known => Some(known),
        },
    };

    let (mut headers, mut queries, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for pair in &from.request_parameters {
        let lookup = |name: &str| variables.get(name).map(str::to_owned);
        let source =
            Source::parse(&pair.value, &lookup).map_err(|e| Unfit::Always(e.to_string()))?;
        let bad_target =
            || Unfit::Always(format!("Invalid mapping expression specified: {}", pair.name));
        let (place, name) = pair
            .name
            .strip_prefix("integration.request.")
            .and_then(|rest| rest.split_once('.'))
            .filter(|(_, name)| !name.is_empty())
            .ok_or_else(bad_target)?;
        match place {
            "header" => {
                let known = Known::of(name.as_bytes());
                if is_illegal(known) {
                    return Err(Unfit::Here(format!("{name} header already present")));
                }
                if !name.bytes().all(is_token) {
                    return Err(bad_target());
                }
                if let Source::Static(text) = &source
                    && !is_header_value(text.as_bytes())
                {
                    let what = format!("{name} holds characters that cannot stand in a header");
                    let varies = pair.value.starts_with("stageVariables.");
                    return Err(if varies { Unfit::Here(what) } else { Unfit::Always(what) });
                }
                // Dropped after mapping, silently.
                if !matches!(
                    known,
                    Known::Expect | Known::ProxyAuthenticate | Known::Te | Known::Via | Known::Host
                ) {
                    headers.push((Box::from(name), known, source));
                }
            }
            "querystring" => queries.push((Box::from(name), source)),
            "path" => paths.push((Box::from(name), source)),
            _ => return Err(bad_target()),
        }
    }

    let upstream =
        upstreams.intern(url.scheme, url.host, url.port, !from.insecure_skip_verification);
    let mut fixed = Vec::new();
    line(&mut fixed, b"Host", upstream.authority.as_bytes());
    line(&mut fixed, b"X-Amzn-Apigateway-Api-Id", api_id.as_bytes());
    Ok(HttpProxy {
        upstream,
        method,
        path: Template::parse(if url.path.is_empty() { "/" } else { url.path }, &paths),
        query: Template::parse(url.query, &paths),
        queries: queries.into(),
        headers: headers.into(),
        fixed: fixed.into(),
        user_agent: format!("AmazonAPIGateway_{api_id}").into(),
        timeout_ms: if from.timeout_ms == 0 { 29_000 } else { from.timeout_ms },
    })
}

/// Names no mapping may set: the request fails at run time, as recorded.
fn is_illegal(known: Known) -> bool {
    matches!(
        known,
        Known::ContentLength
            | Known::TransferEncoding
            | Known::AmznTraceId
            | Known::AmznApigatewayApiId
    )
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl HttpProxy {
    /// Writes the request to the upstream.
    pub(crate) fn request(&self, cx: &mut Ctx<'_>, view: &View<'_>) -> Result<Outgoing, Failure> {
        let head = view.head;
        let mut sound = true;
        let target = lines(cx, |out| sound = self.target(out, view));
        if !sound {
            return Err(Failure::BadParameter);
        }
        let (peer, listener) = (cx.peer, cx.listener);
        let mut bad = false;
        let fields = lines(cx, |out| {
            out.extend_from_slice(&self.fixed);
            let mut seen = self.pass(out, head);
            for (name, known, source) in &self.headers {
                let any = source.each(view, |value| {
                    bad |= !is_header_value(value);
                    line(out, name.as_bytes(), value);
                });
                if any {
                    seen.mark(*known);
                }
            }
            if !seen.accept {
                line(out, b"Accept", b"application/json");
            }
            if !seen.user_agent {
                line(out, b"User-Agent", self.user_agent.as_bytes());
            }
            forwarded(out, head, peer, listener);
            trace_line(out, head, view.ids);
        });
        if bad {
            return Err(Failure::BadParameter);
        }
        Ok(Outgoing {
            method: self.method.unwrap_or(head.method),
            target,
            fields,
            timeout_ms: self.timeout_ms,
        })
    }

    /// Writes path and query; false when mapped values made the path one that no upstream may see: a value of `..` would lead out
    /// of the URI's own path.
    fn target(&self, out: &mut Vec<u8>, view: &View<'_>) -> bool {
        let mut question = false;
        let start = out.len();
        self.path.write(out, view, put_path);
        let sound = !self.path.is_mapped() || path::is_sound(&out[start..]);
        let mut join = |out: &mut Vec<u8>| {
            out.push(if question { b'&' } else { b'?' });
            question = true;
        };
        if !self.query.0.is_empty() {
            join(out);
            self.query.write(out, view, put_own_query);
        }
        if !view.head.query().is_empty() {
            join(out);
            out.extend_from_slice(view.head.query());
        }
        for (name, source) in &self.queries {
            source.each(view, |value| {
                join(out);
                put_query(out, name, value);
            });
        }
        sound
    }

    /// Passes the caller's fields that the upstream may see.
    fn pass(&self, out: &mut Vec<u8>, head: &Head) -> Seen {
        let mut seen = Seen::default();
        for field in &head.fields {
            if !passes(field.known) {
                continue;
            }
            let name = head.bytes(field.name);
            // Aliases that upstreams fold into a name of ours (`X_Forwarded_For`) are not the caller's to send.
            if field.known == Known::Other && (head.nominated(name) || is_alias(name)) {
                continue;
            }
            // What a mapping sets is the gateway's, whether its source is there or not.
            if self.headers.iter().any(|(mapped, _, _)| reads_as(name, mapped.as_bytes())) {
                continue;
            }
            let value = head.bytes(field.value);
            // A signature was made for this gateway; it is no credential for anyone behind it.
            if field.known == Known::Authorization && is_signature(value) {
                continue;
            }
            line(out, name, value);
            seen.mark(field.known);
        }
        seen
    }
}

#[derive(Default)]
struct Seen {
    accept: bool,
    user_agent: bool,
}

impl Seen {
    fn mark(&mut self, known: Known) {
        self.accept |= known == Known::Accept;
        self.user_agent |= known == Known::UserAgent;
    }
}

/// Whether a field of the caller reaches an `HTTP_PROXY` upstream. What is left out is dropped at ingress, belongs to the hop,
/// or is written by the gateway itself.
fn passes(known: Known) -> bool {
    !matches!(
        known,
        Known::Host
            | Known::Connection
            | Known::ContentLength
            | Known::ContentMd5
            | Known::ContentEncoding
            | Known::Expect
            | Known::MaxForwards
            | Known::ProxyAuthenticate
            | Known::ProxyAuthorization
            | Known::ProxyConnection
            | Known::KeepAlive
            | Known::Http2Settings
            | Known::Server
            | Known::Te
            | Known::TransferEncoding
            | Known::Trailer
            | Known::Upgrade
            | Known::Via
            | Known::WwwAuthenticate
            | Known::XForwardedFor
            | Known::XForwardedPort
            | Known::XForwardedProto
            | Known::AmznTraceId
            | Known::AmznApigatewayApiId
            | Known::AmznRequestId
            | Known::AmzApigwId
    )
}

/// Whether a name with `_` or `.` reads as a name of the gateway's own to an upstream that folds them (CVE-2026-54763).
fn is_alias(name: &[u8]) -> bool {
    if memchr::memchr2(b'_', b'.', name).is_none() || name.len() > 32 {
        return false;
    }
    let mut folded = [0; 32];
    for (to, from) in folded.iter_mut().zip(name) {
        *to = if matches!(from, b'_' | b'.') { b'-' } else { *from };
    }
    let known = Known::of(&folded[..name.len()]);
    known != Known::Other && !passes(known)
}

/// Whether an upstream that folds `_` and `.` into `-`, and case, reads one name as the other.
fn reads_as(name: &[u8], other: &[u8]) -> bool {
    let fold = |b: &u8| if matches!(b, b'_' | b'.') { b'-' } else { b.to_ascii_lowercase() };
    name.len() == other.len() && name.iter().map(fold).eq(other.iter().map(fold))
}

/// Whether an `Authorization` holds a SigV4 signature. Source: developer guide, "known issues": it is dropped.
fn is_signature(value: &[u8]) -> bool {
    const SCHEME: &[u8] = b"AWS4-";
    value.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// `X-Forwarded-For`, `-Port` and `-Proto`: what callers claimed, and behind it who was really there.
fn forwarded(out: &mut Vec<u8>, head: &Head, peer: IpAddr, listener: &crate::exchange::Listener) {
    out.extend_from_slice(b"X-Forwarded-For: ");
    for field in head.fields.iter().filter(|f| f.known == Known::XForwardedFor) {
        out.extend_from_slice(head.bytes(field.value));
        out.extend_from_slice(b", ");
    }
    address(out, peer);
    out.extend_from_slice(b"\r\nX-Forwarded-Port: ");
    out.extend_from_slice(itoa::Buffer::new().format(listener.port).as_bytes());
    line(out, b"\r\nX-Forwarded-Proto", listener.scheme.as_bytes());
}

/// Appends an address as text. The usual one without the formatting machinery.
fn address(out: &mut Vec<u8>, peer: IpAddr) {
    let IpAddr::V4(v4) = peer else {
        use std::io::Write;
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{peer}");
        return;
    };
    for (i, octet) in v4.octets().into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
    }
}

/// The trace header: a caller's is honoured, with a parent of ours if it has none. Source: recorded.
pub(crate) fn trace_line(out: &mut Vec<u8>, head: &Head, ids: &Ids) {
    let sent = head
        .last(Known::AmznTraceId)
        .filter(|value| value.starts_with(b"Root=") && value.len() <= 256);
    out.extend_from_slice(b"X-Amzn-Trace-Id: ");
    match sent {
        Some(value) => {
            out.extend_from_slice(value);
            if memchr::memmem::find(value, b"Parent=").is_none() {
                out.extend_from_slice(b";Parent=");
                out.extend_from_slice(&ids.trace().as_bytes()[11..27]);
                out.extend_from_slice(b";Sampled=0");
            }
        }
        None => {
            out.extend_from_slice(b"Root=");
            out.extend_from_slice(ids.trace().as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, host, port, target) in [
            ("http://a.example/x?y=1", "a.example", 80, "/x?y=1"),
            ("https://a.example", "a.example", 443, "/"),
            ("http://127.0.0.1:8080/{proxy}", "127.0.0.1", 8080, "/%7Bproxy%7D"),
            ("http://[::1]:9/a", "::1", 9, "/a"),
            ("HTTP://h?q=1#frag", "h", 80, "/?q=1"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.host, url.port), (host, port), "{text}");
            assert_eq!(String::from_utf8_lossy(&url.target()), target, "{text}");
        }
        for text in [
            "",
            "ftp://x",
            "http://",
            "http:///x",
            "http://user@host/",
            "http://{host}/",
            "http://a b/",
            "http://h:0x1/",
            "http://h:/",
            "http://h:99999/",
            "http://[::1/",
            "http://[zz]/",
            "http://h/a b",
            "http://h/\r\n",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn aliases_of_our_own_names_are_known() {
        for name in [
            "X_Forwarded_For",
            "x.forwarded.proto",
            "Content_Length",
            "x-amzn_apigateway.api-id",
            "Transfer_Encoding",
        ] {
            assert!(is_alias(name.as_bytes()), "{name}");
        }
        for name in ["x-forwarded-for", "my_header", "x_api_key", "user_agent"] {
            assert!(!is_alias(name.as_bytes()), "{name}");
        }
    }
}
