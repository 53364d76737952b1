//! Where a request goes: URLs taken apart, and the parts of a URI that mapped values fill.

use std::borrow::Cow;

use crate::integration::mappings::Mapping;
use crate::mapping::context::View;
use crate::mapping::parameter::{Source, put_own_query, put_path, put_query, target_text};
use crate::mapping::template::Place;
use crate::route::path;
use crate::snapshot::Scheme;

/// The path and the query of a request to an upstream.
#[derive(Debug)]
pub(crate) struct Target {
    path: Template,
    /// The URI's own query, then mapped parameters; the caller's stands between them where it is passed on.
    query: Template,
    queries: Box<[Mapping]>,
}

impl Target {
    /// Reads both parts of a URI. `paths` are the values that are mapped into them.
    pub(crate) fn parse(
        path: &str,
        query: &str,
        paths: &[Mapping],
        queries: Box<[Mapping]>,
    ) -> Self {
        Self {
            path: Template::parse(if path.is_empty() { "/" } else { path }, paths),
            query: Template::parse(query, paths),
            queries,
        }
    }

    /// Appends path and query; false when mapped values made the path one that no upstream may see: a value of `..` would lead out
    /// of the URI's own path.
    pub(crate) fn write(&self, out: &mut Vec<u8>, view: &View<'_>, callers_query: &[u8]) -> bool {
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
        if !callers_query.is_empty() {
            join(out);
            out.extend_from_slice(callers_query);
        }
        for (name, source) in &self.queries {
            if overridden(view, Place::Query, name).is_some() {
                continue;
            }
            source.each(view, |value| {
                join(out);
                put_query(out, name, value);
            });
        }
        for (name, values) in view.overrides.into_iter().flat_map(|o| o.request(Place::Query)) {
            for value in values {
                join(out);
                put_query(out, name, value.as_bytes());
            }
        }
        sound
    }
}

impl Target {
    /// The mappings into it: where to, the parameter's name, and where its value comes from.
    pub(crate) fn mapped(&self) -> impl Iterator<Item = (&'static str, &str, &Source)> {
        let pieces = self.path.0.iter().chain(&self.query.0);
        let paths = pieces.filter_map(|piece| match piece {
            TemplatePiece::Parameter { name, source: Some(source), .. } => {
                Some(("path", &**name, source))
            }
            _ => None,
        });
        paths.chain(self.queries.iter().map(|(name, source)| ("querystring", &**name, source)))
    }
}

/// Text with mapped values in it.
#[derive(Debug, Default)]
struct Template(Box<[TemplatePiece]>);

/// A part of one.
#[derive(Debug)]
enum TemplatePiece {
    /// As it stands.
    Text(Box<[u8]>),
    /// A path parameter, with its mapping if it has one.
    Parameter {
        name: Box<str>,
        source: Option<Source>,
        /// Stands when the value is absent, as AWS leaves placeholders. Its braces are encoded, as no request line can carry them.
        held: Box<[u8]>,
    },
}

impl Template {
    /// Reads a part of a URI; `paths` are the values that are mapped into it.
    fn parse(text: &str, paths: &[Mapping]) -> Self {
        let mut pieces: Vec<TemplatePiece> = Vec::new();
        let mut rest = text;
        let mut literal = String::new();
        while let Some(open) = rest.find('{') {
            let Some(close) = rest[open..].find('}').map(|i| open + i) else { break };
            let name = rest[open + 1..close].trim_end_matches('+');
            literal.push_str(&rest[..open]);
            if !literal.is_empty() {
                pieces.push(TemplatePiece::Text(target_text(&literal).into()));
                literal.clear();
            }
            pieces.push(TemplatePiece::Parameter {
                name: name.into(),
                source: paths.iter().find(|(n, _)| &**n == name).map(|(_, source)| source.clone()),
                held: target_text(&rest[open..=close]).into(),
            });
            rest = &rest[close + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(TemplatePiece::Text(target_text(&literal).into()));
        }
        Self(pieces.into())
    }

    /// Whether a request has a say in it.
    fn is_mapped(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, TemplatePiece::Parameter { .. }))
    }

    /// Appends the text with its values; `put` encodes a value for where it goes.
    fn write(
        &self,
        out: &mut Vec<u8>,
        view: &View<'_>,
        put: impl Fn(&mut Vec<u8>, Option<&Source>, &[u8]),
    ) {
        for piece in &self.0 {
            let (name, source, held) = match piece {
                TemplatePiece::Text(text) => {
                    out.extend_from_slice(text);
                    continue;
                }
                TemplatePiece::Parameter { name, source, held } => (name, source.as_ref(), held),
            };
            if let Some(values) = overridden(view, Place::Path, name) {
                put(out, None, values.join(",").as_bytes());
                continue;
            }
            let mapped = source.is_some_and(|s| s.each(view, |value| put(out, Some(s), value)));
            if !mapped {
                out.extend_from_slice(held);
            }
        }
    }
}

/// The values that a template puts in the place of a mapping.
fn overridden<'v>(view: &View<'v>, place: Place, name: &str) -> Option<Vec<Cow<'v, str>>> {
    let mut all = view.overrides?.request(place);
    all.find(|(held, _)| *held == name).map(|(_, values)| values)
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
}
