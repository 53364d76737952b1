//! Integration responses: which one answers, and what it makes of the upstream's answer.
//!
//! Sources: developer guide, "Set up an integration response in API Gateway"; recorded behaviour of whole matches, of statuses no
//! method response declares, and of header names that are remapped.

use std::borrow::Cow;

use tidegate_proto::v1;

use crate::exchange::{Ctx, Ids};
use crate::head::{Head, Known};
use crate::integration::http::trace_line;
use crate::integration::static_fits;
use crate::mapping::context::View;
use crate::mapping::media::{self, Handling};
use crate::mapping::parameter::{Side, Source, is_header_value, is_token};
use crate::mapping::template::Overrides;
use crate::mapping::transform::Transform;
use crate::regex::{ONCE, Regex};
use crate::respond::{Failure, id_lines, line, lines};
use crate::snapshot::{Unfit, Variables};
use crate::step::Fields;

/// The integration responses of a method.
#[derive(Debug)]
pub(crate) struct Responses {
    patterns: Box<[(Pattern, u16)]>,
    default: Option<u16>,
    list: Box<[Response]>,
    /// The templates of all of them.
    templates: Box<[ResponseTemplate]>,
}

/// One integration response.
#[derive(Debug)]
pub(crate) struct Response {
    code: u16,
    /// Whether the method declares its status. If not that is a configuration error at run time, as on AWS.
    is_declared: bool,
    /// Mapped lines that never change.
    fixed: Box<[u8]>,
    /// Whether `Content-Type` is among them.
    fixed_type: bool,
    mapped: Box<[(Box<str>, Known, Source)]>,
    pub(crate) handling: Handling,
    /// Whether a mapping reads the body of the upstream's answer.
    pub(crate) reads_body: bool,
    first_template: u16,
    templates: u16,
}

/// The template for one media type.
#[derive(Debug)]
pub(crate) struct ResponseTemplate {
    media: Box<str>,
    pub(crate) transform: Transform,
}

/// A selection pattern. It must match the whole value.
#[derive(Debug)]
enum Pattern {
    /// Text without operators: no automaton needs to be kept for `404`.
    Exact(Box<str>),
    Regex(Regex),
}

impl Pattern {
    fn link(text: &str) -> Result<Self, Unfit> {
        if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'_')) {
            return Ok(Self::Exact(text.into()));
        }
        Regex::java_whole(text, false)
            .map(Self::Regex)
            .map_err(|why| Unfit::Always(format!("selection pattern '{text}': {why}")))
    }

    fn matches(&self, value: &str, left: &mut usize) -> bool {
        match self {
            Self::Exact(text) => **text == *value,
            // One that takes too long selects nothing.
            Self::Regex(regex) => regex.is_match(value, left) == Ok(true),
        }
    }
}

impl Responses {
    /// Builds the responses of an integration.
    pub(crate) fn link(
        method: &v1::Method,
        from: &v1::Integration,
        variables: Variables<'_>,
    ) -> Result<Self, Unfit> {
        let mut made = Draft { method, variables, list: Vec::new(), templates: Vec::new() };
        let (mut patterns, mut default) = (Vec::new(), None);
        for response in &from.responses {
            let number = made.response(response)?;
            if response.selection_pattern.is_empty() {
                default = Some(number);
            } else {
                patterns.push((Pattern::link(&response.selection_pattern)?, number));
            }
        }
        Ok(Self {
            patterns: patterns.into(),
            default,
            list: made.list.into(),
            templates: made.templates.into(),
        })
    }

    /// The number of the response for a value: the first whose pattern matches it whole, else the default.
    pub(crate) fn select(&self, value: &str) -> Option<u16> {
        let mut left = ONCE;
        let matched = self.patterns.iter().find(|(pattern, _)| pattern.matches(value, &mut left));
        matched.map(|(_, number)| *number).or(self.default)
    }

    /// A response by its number.
    pub(crate) fn get(&self, number: u16) -> &Response {
        &self.list[usize::from(number)]
    }

    /// The template that what the caller accepts selects, with its number among all of them; `None` when there are none.
    pub(crate) fn template(
        &self,
        of: &Response,
        accept: &[u8],
    ) -> Option<(u16, &ResponseTemplate)> {
        let first = usize::from(of.first_template);
        let all = &self.templates[first..first + usize::from(of.templates)];
        let by =
            |media: &[u8]| all.iter().position(|t| t.media.as_bytes().eq_ignore_ascii_case(media));
        let at = by(accept).or_else(|| by(b"application/json")).unwrap_or(0);
        all.get(at).map(|template| (of.first_template + at as u16, template))
    }

    /// A constant template's text; empty when it is none.
    pub(crate) fn constant(&self, number: u16) -> &[u8] {
        let template = self.templates.get(usize::from(number));
        template.and_then(|template| template.transform.constant()).unwrap_or_default()
    }
}

impl ResponseTemplate {
    /// The media type it is for.
    pub(crate) fn media(&self) -> &str {
        &self.media
    }
}

impl Response {
    /// Its status.
    pub(crate) fn status(&self) -> Result<u16, Failure> {
        if self.is_declared { Ok(self.code) } else { Err(Failure::NoMethodResponse) }
    }

    /// Tells which one it is, where that is the cause of a failure.
    pub(crate) fn tell(&self, cx: &mut Ctx<'_>) {
        cx.note("respond", || format!("integration response {}", self.code));
    }

    /// Writes the answer's head. What templates override takes the place of the mapping of the very same name.
    pub(crate) fn head(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        ids: &Ids,
        template: Option<&ResponseTemplate>,
    ) -> Result<Fields, Failure> {
        let mut sound = true;
        let overrides = view.overrides.filter(|overrides| !overrides.is_empty());
        let overridden = |name: &str| {
            overrides
                .into_iter()
                .flat_map(Overrides::response_headers)
                .any(|(held, _)| shown(held).is_some_and(|shown| *shown == *name))
        };
        for (name, _, source) in &self.mapped {
            cx.value(|| source.told(view, &format!("method.response.header.{name}")));
        }
        let fields = lines(cx, |out| {
            let mut typed = self.fixed_type;
            if overrides.is_none() {
                out.extend_from_slice(&self.fixed);
            } else {
                typed = false;
                for fixed in self.fixed.split_inclusive(|b| *b == b'\n') {
                    let name = fixed.split(|b| *b == b':').next().unwrap_or_default();
                    if !overridden(&String::from_utf8_lossy(name)) {
                        out.extend_from_slice(fixed);
                        typed |= Known::of(name) == Known::ContentType;
                    }
                }
            }
            for (name, known, source) in self.mapped.iter().filter(|(n, _, _)| !overridden(n)) {
                let any = source.each(view, |value| {
                    sound &= is_header_value(value);
                    line(out, name.as_bytes(), value);
                });
                typed |= any && *known == Known::ContentType;
            }
            for (name, values) in overrides.into_iter().flat_map(Overrides::response_headers) {
                let Some(name) = shown(name) else { continue };
                sound &= !name.is_empty() && name.bytes().all(is_token);
                for value in values.iter().filter(|value| !value.is_empty()) {
                    sound &= is_header_value(value.as_bytes());
                    line(out, name.as_bytes(), value.as_bytes());
                    typed |= Known::of(name.as_bytes()) == Known::ContentType;
                }
            }
            if !typed {
                let media = template.map_or("application/json", |template| &template.media);
                line(out, b"Content-Type", media.as_bytes());
            }
            id_lines(out, ids);
            if view.reply.is_some() {
                trace_line(out, view.head, ids);
            }
        });
        match sound {
            true => Ok(fields),
            false => Err(Failure::BadHeader),
        }
    }
}

/// What the caller accepts, as response templates are chosen by it.
pub(crate) fn accepted(head: &Head) -> &[u8] {
    media::first(head, Known::Accept)
}

struct Draft<'a> {
    method: &'a v1::Method,
    variables: Variables<'a>,
    list: Vec<Response>,
    templates: Vec<ResponseTemplate>,
}

impl Draft<'_> {
    fn response(&mut self, from: &v1::IntegrationResponse) -> Result<u16, Unfit> {
        let status = from.status_code.parse().ok().filter(|status| (200..600).contains(status));
        let status = status.ok_or_else(|| {
            Unfit::Always(format!("'{}' is no status code from 200 to 599", from.status_code))
        })?;
        let declared = self.method.responses.iter().any(|r| r.status_code == from.status_code);
        let (mut fixed, mut fixed_type, mut mapped) = (Vec::new(), false, Vec::new());
        for pair in &from.parameters {
            let Some((name, source)) = header(pair, self.variables)? else { continue };
            static_fits(&name, &source, pair)?;
            let known = Known::of(name.as_bytes());
            match source {
                Source::Static(text) if text.is_empty() => {}
                Source::Static(text) => {
                    fixed_type |= known == Known::ContentType;
                    line(&mut fixed, name.as_bytes(), text.as_bytes());
                }
                source => mapped.push((name.into(), known, source)),
            }
        }
        let first_template = self.templates.len();
        for template in &from.templates {
            if !is_header_value(template.name.as_bytes()) {
                return Err(Unfit::Always(format!("'{}' is no media type", template.name)));
            }
            let which = format!("response template of {} for {}", from.status_code, template.name);
            let transform = Transform::link(&template.value, &which)?;
            let media = template.name.to_ascii_lowercase().into();
            self.templates.push(ResponseTemplate { media, transform });
        }
        self.list.push(Response {
            code: status,
            is_declared: declared,
            fixed: fixed.into(),
            fixed_type,
            reads_body: mapped
                .iter()
                .any(|(_, _, source): &(_, _, Source)| source.reads_reply_body()),
            mapped: mapped.into(),
            handling: Handling::parse(&from.content_handling)?,
            first_template: number(first_template)?,
            templates: number(from.templates.len())?,
        });
        number(self.list.len() - 1)
    }
}

/// Positions are kept in 16 bits: more responses or templates than that are a mistake.
fn number(of: usize) -> Result<u16, Unfit> {
    u16::try_from(of).map_err(|_| Unfit::Always("it has too many integration responses".into()))
}

/// A header that a response mapping sets, under the name the caller sees; `None` when it is dropped.
fn header(pair: &v1::Pair, variables: Variables<'_>) -> Result<Option<(String, Source)>, Unfit> {
    let name = pair
        .name
        .strip_prefix("method.response.header.")
        .filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_graphic() && b != b':'))
        .ok_or_else(|| {
            Unfit::Always(format!("Invalid mapping expression specified: {}", pair.name))
        })?;
    let lookup = |name: &str| variables.get(name).map(str::to_owned);
    let source = Source::parse(&pair.value, Side::Response, &lookup)
        .map_err(|e| Unfit::Always(e.to_string()))?;
    Ok(shown(name).map(|name| (name.into_owned(), source)))
}

/// The name under which callers see a header that a mapping or a template sets; `None` when it is dropped.
fn shown(name: &str) -> Option<Cow<'_, str>> {
    match Known::of(name.as_bytes()) {
        Known::TransferEncoding => None,
        Known::AmznRequestId
        | Known::AmzApigwId
        | Known::AmznTraceId
        | Known::Authorization
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
        | Known::WwwAuthenticate => Some(Cow::Owned(format!("x-amzn-Remapped-{name}"))),
        _ => Some(Cow::Borrowed(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_values() {
        for (pattern, value, want) in [
            ("404", "404", true),
            ("404", "4040", false),
            ("4\\d{2}", "404", true),
            ("4\\d{2}", "4040", false),
            ("(5..)|timeout", "timeout", true),
            ("a|b", "ab", false),
            (".*", "", true),
            (".*Bad.*", "it is Bad here", true),
            (".*Bad.*", "it is\nBad here", false),
            ("[\\s\\S]*Bad.*", "it is\nBad here", true),
            ("Bad", "it is Bad", false),
            ("(a+)+", &format!("{}b", "a".repeat(50_000)), false),
            (r"(?=a)(a+)+\1", &format!("{}b", "a".repeat(50_000)), false),
            ("(?!.*Bad).*", "it is Bad here", false),
            ("(?!.*Bad).*", "it is good", true),
        ] {
            let linked = Pattern::link(pattern).ok().unwrap();
            assert_eq!(
                linked.matches(value, &mut ONCE.clone()),
                want,
                "{pattern} {}",
                &value[..value.len().min(20)]
            );
        }
        // All of them together have the time of one.
        let bomb = Pattern::link(r"(a*)(a*)(a*)\1").ok().unwrap();
        let (mut left, value) = (ONCE, format!("{}b", "a".repeat(1_500)));
        let begun = std::time::Instant::now();
        assert!(!(0..500).any(|_| bomb.matches(&value, &mut left)));
        assert!(left < ONCE && begun.elapsed().as_secs() < 5);
        for pattern in ["(", "a)|(b", "a{100000}{1000}"] {
            assert!(Pattern::link(pattern).is_err(), "{pattern}");
        }
    }
}
