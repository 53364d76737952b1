//! Identity sources: where in a request an authorizer finds who calls.

/// One expression of an authorizer's `identitySource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source<'t> {
    Header(&'t str),
    Query(&'t str),
    StageVariable(&'t str),
    Context(&'t str),
}

impl<'t> Source<'t> {
    /// `method.request.header.{name}`, `method.request.querystring.{name}`, `stageVariables.{name}` or
    /// `context.{name}`. Source: API Gateway Developer Guide, "Use API Gateway Lambda authorizers".
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let named = |prefix: &str| text.strip_prefix(prefix).filter(|name| !name.is_empty());
        if let Some(name) = named("method.request.header.") {
            return name.bytes().all(is_token).then_some(Self::Header(name));
        }
        named("method.request.querystring.")
            .map(Self::Query)
            .or_else(|| named("stageVariables.").map(Self::StageVariable))
            .or_else(|| named("context.").map(Self::Context))
    }
}

/// The expressions of a comma-separated list.
pub(super) fn expressions(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// Whether a header's name may have it. Source: RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
