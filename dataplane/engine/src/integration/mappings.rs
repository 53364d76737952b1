//! Request parameter mapping of an integration: `integration.request.{header|path|querystring}.{name}` and its sources.
//!
//! Source: developer guide, "API Gateway API request and response data mapping reference"; recorded behaviour of names that no
//! mapping may set.

use tidegate_proto::v1;

use crate::exchange::Ctx;
use crate::head::Known;
use crate::integration::target::Target;
use crate::mapping::context::View;
use crate::mapping::parameter::{Side, Source, is_header_value, is_token};
use crate::mapping::template::Place;
use crate::respond::{Failure, line};
use crate::snapshot::{Unfit, Variables};

/// A name in the upstream request and where its value comes from.
pub(crate) type Mapping = (Box<str>, Source);

/// What becomes of headers that are not everyone's to set.
#[derive(Debug)]
pub(crate) struct HeaderRules {
    /// Those that nothing may set: the request fails at run time, as recorded.
    pub(crate) is_illegal: fn(Known) -> bool,
    /// Those that are left out silently.
    pub(crate) is_dropped: fn(Known) -> bool,
}

/// The mappings of an integration, by where their values go.
#[derive(Debug, Default)]
pub(crate) struct Mappings {
    pub(crate) headers: Box<[(Box<str>, Known, Source)]>,
    pub(crate) queries: Box<[Mapping]>,
    pub(crate) paths: Box<[Mapping]>,
}

impl Mappings {
    /// Reads the pairs of a bundle.
    pub(crate) fn read(
        pairs: &[v1::Pair],
        variables: Variables<'_>,
        rules: &HeaderRules,
    ) -> Result<Self, Unfit> {
        let (mut headers, mut queries, mut paths) = (Vec::new(), Vec::new(), Vec::new());
        for pair in pairs {
            let lookup = |name: &str| variables.get(name).map(str::to_owned);
            let source = Source::parse(&pair.value, Side::Request, &lookup)
                .map_err(|e| Unfit::Always(e.to_string()))?;
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
                    if (rules.is_illegal)(known) {
                        return Err(Unfit::Here(format!("{name} header already present")));
                    }
                    if !name.bytes().all(is_token) {
                        return Err(bad_target());
                    }
                    static_fits(name, &source, pair)?;
                    if !(rules.is_dropped)(known) {
                        headers.push((Box::from(name), known, source));
                    }
                }
                "querystring" => queries.push((Box::from(name), source)),
                "path" => paths.push((Box::from(name), source)),
                _ => return Err(bad_target()),
            }
        }
        Ok(Self { headers: headers.into(), queries: queries.into(), paths: paths.into() })
    }

    /// Whether a mapping reads the request's body.
    pub(crate) fn read_body(&self) -> bool {
        self.headers.iter().any(|(_, _, source)| source.reads_body())
            || self.queries.iter().chain(&self.paths).any(|(_, source)| source.reads_body())
    }
}

/// Tells which value each mapping of a request gives, where someone asked for it.
pub(crate) fn tell(
    cx: &mut Ctx<'_>,
    view: &View<'_>,
    headers: &[(Box<str>, Known, Source)],
    target: &Target,
) {
    if !cx.keeps_values() {
        return;
    }
    let headers = headers.iter().map(|(name, _, source)| ("header", &**name, source));
    for (place, name, source) in headers.chain(target.mapped()) {
        let to = format!("integration.request.{place}.{name}");
        cx.value(|| source.told(view, &to));
    }
}

/// Refuses static text that would break a head.
pub(crate) fn static_fits(name: &str, source: &Source, pair: &v1::Pair) -> Result<(), Unfit> {
    let Source::Static(text) = source else { return Ok(()) };
    if is_header_value(text.as_bytes()) {
        return Ok(());
    }
    let what = format!("{name} holds characters that cannot stand in a header");
    let varies = pair.value.starts_with("stageVariables.");
    Err(if varies { Unfit::Here(what) } else { Unfit::Always(what) })
}

/// What the gateway sends by itself unless it is there already.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) accept: bool,
    pub(crate) user_agent: bool,
    pub(crate) content_type: bool,
}

impl Seen {
    pub(crate) fn mark(&mut self, known: Known) {
        self.accept |= known == Known::Accept;
        self.user_agent |= known == Known::UserAgent;
        self.content_type |= known == Known::ContentType;
    }
}

/// Appends mapped headers that have values, and those that a template overrides. An override takes the place of the mapping of the
/// very same name. Source: developer guide, "Override your API's request and response parameters and status codes".
pub(crate) fn put_headers(
    headers: &[(Box<str>, Known, Source)],
    rules: &HeaderRules,
    out: &mut Vec<u8>,
    view: &View<'_>,
    seen: &mut Seen,
) -> Result<(), Failure> {
    let mut sound = true;
    let overridden = |name: &str| {
        let mut names = view.overrides.into_iter().flat_map(|o| o.request(Place::Header));
        names.any(|(held, _)| held == name)
    };
    for (name, known, source) in headers.iter().filter(|(name, _, _)| !overridden(name)) {
        let any = source.each(view, |value| {
            sound &= is_header_value(value);
            line(out, name.as_bytes(), value);
        });
        if any {
            seen.mark(*known);
        }
    }
    for (name, values) in view.overrides.into_iter().flat_map(|o| o.request(Place::Header)) {
        let known = Known::of(name.as_bytes());
        if (rules.is_illegal)(known) || name.is_empty() || !name.bytes().all(is_token) {
            return Err(Failure::BadOverride);
        }
        if (rules.is_dropped)(known) {
            continue;
        }
        for value in values.iter().filter(|value| !value.is_empty()) {
            sound &= is_header_value(value.as_bytes());
            line(out, name.as_bytes(), value.as_bytes());
            seen.mark(known);
        }
    }
    if sound { Ok(()) } else { Err(Failure::BadParameter) }
}
