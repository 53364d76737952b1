//! Gateway responses: the answers the gateway makes itself, as AWS words them or as the API customises them.
//!
//! Source: developer guide, "Gateway responses in API Gateway" and "Gateway response types".

use std::borrow::Cow;

use crate::exchange::{Ctx, Ids};
use crate::head::Head;
use crate::integration::http::put_trace_root;
use crate::mapping::context::{ErrorView, View};
use crate::mapping::json;
use crate::respond::failure::Voice;
use crate::respond::{Failure, Refusal, Tail, id_lines, line, lines};
use crate::route::{Captures, Routed};
use crate::snapshot::{Integration, Place, World};
use crate::step::{Answer, Body};

/// A gateway response type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ResponseType {
    AccessDenied,
    ApiConfigurationError,
    AuthorizerConfigurationError,
    AuthorizerFailure,
    BadRequestBody,
    BadRequestParameters,
    BadResponseBody,
    Default4xx,
    Default5xx,
    ExpiredToken,
    IntegrationFailure,
    IntegrationTimeout,
    InvalidApiKey,
    InvalidSignature,
    MissingAuthenticationToken,
    QuotaExceeded,
    RequestTooLarge,
    ResourceNotFound,
    Throttled,
    Unauthorized,
    UnsupportedMediaType,
    WafFiltered,
}

impl ResponseType {
    /// Every type with its name.
    const ALL: [(Self, &'static str); 22] = [
        (Self::AccessDenied, "ACCESS_DENIED"),
        (Self::ApiConfigurationError, "API_CONFIGURATION_ERROR"),
        (Self::AuthorizerConfigurationError, "AUTHORIZER_CONFIGURATION_ERROR"),
        (Self::AuthorizerFailure, "AUTHORIZER_FAILURE"),
        (Self::BadRequestBody, "BAD_REQUEST_BODY"),
        (Self::BadRequestParameters, "BAD_REQUEST_PARAMETERS"),
        // Tidegate's own: AWS checks no answer.
        (Self::BadResponseBody, "BAD_RESPONSE_BODY"),
        (Self::Default4xx, "DEFAULT_4XX"),
        (Self::Default5xx, "DEFAULT_5XX"),
        (Self::ExpiredToken, "EXPIRED_TOKEN"),
        (Self::IntegrationFailure, "INTEGRATION_FAILURE"),
        (Self::IntegrationTimeout, "INTEGRATION_TIMEOUT"),
        (Self::InvalidApiKey, "INVALID_API_KEY"),
        (Self::InvalidSignature, "INVALID_SIGNATURE"),
        (Self::MissingAuthenticationToken, "MISSING_AUTHENTICATION_TOKEN"),
        (Self::QuotaExceeded, "QUOTA_EXCEEDED"),
        (Self::RequestTooLarge, "REQUEST_TOO_LARGE"),
        (Self::ResourceNotFound, "RESOURCE_NOT_FOUND"),
        (Self::Throttled, "THROTTLED"),
        (Self::Unauthorized, "UNAUTHORIZED"),
        (Self::UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE"),
        (Self::WafFiltered, "WAF_FILTERED"),
    ];

    /// The name of the type.
    pub fn name(self) -> &'static str {
        // The list is in the order of the variants; a test says so.
        Self::ALL[self as usize].1
    }

    /// The status while nothing was changed; `None` for the two defaults.
    ///
    /// Source: developer guide, "Gateway response types".
    pub fn status(self) -> Option<u16> {
        Some(match self {
            Self::BadRequestBody | Self::BadRequestParameters => 400,
            Self::Unauthorized => 401,
            Self::AccessDenied
            | Self::ExpiredToken
            | Self::InvalidApiKey
            | Self::InvalidSignature
            | Self::MissingAuthenticationToken
            | Self::WafFiltered => 403,
            Self::ResourceNotFound => 404,
            Self::RequestTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::QuotaExceeded | Self::Throttled => 429,
            Self::ApiConfigurationError
            | Self::AuthorizerConfigurationError
            | Self::AuthorizerFailure => 500,
            Self::BadResponseBody => 502,
            Self::IntegrationFailure | Self::IntegrationTimeout => 504,
            Self::Default4xx | Self::Default5xx => return None,
        })
    }

    /// The type of a name; `None` when there is none by it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, held)| *held == name).map(|(kind, _)| *kind)
    }
}

/// A request that is refused: what is known of it.
pub(crate) struct Refused<'a> {
    pub(crate) head: &'a Head,
    pub(crate) ids: Ids,
    /// Its stage or method, as far as it was found.
    pub(crate) place: Option<Place>,
    pub(crate) values: Captures,
}

/// Answers a failure as the API customises it, else as AWS does.
pub(crate) fn answer(cx: &mut Ctx<'_>, refused: Refused<'_>, why: impl Into<Refusal>) -> Answer {
    let Refusal { failure, message, validation, mismatch } = why.into();
    let message = message.map(Cow::Owned).or_else(|| failure.message());
    let error = ErrorView {
        kind: failure.response_type(),
        message: message.as_deref(),
        validation: validation.as_deref(),
    };
    let world = cx.world;
    let tail = Tail { failure: Some(failure), mismatch, ..Tail::new(refused.ids, refused.place) };
    let custom = match refused.place {
        Some(place) if failure.voice() != Voice::Plain => {
            world.link(place).gateway.custom(failure).map(|custom| (custom, place))
        }
        _ => None,
    };
    let answer = match custom {
        Some((custom, place)) => {
            let path_from = refused.head.path.range().start as u32;
            let behind_stage = path_from;
            let routed = Routed { place, values: refused.values, path_from, behind_stage };
            let view = View::new(cx, refused.head, &routed, &refused.ids);
            let view = View { error: Some(error), ..view };
            custom.answer(cx, &view, failure, tail)
        }
        None => stock(cx, refused.head, failure, message.as_deref(), tail),
    };
    let cors = refused.place.and_then(|place| world.link(place).cors.as_ref());
    let answer = match cors {
        Some(cors) => cors.applied(cx, refused.head, answer),
        None => answer,
    };
    cx.note("respond", || {
        let (name, words) = (failure.response_type().name(), failure.words());
        format!("gateway response {} {name}: {words}", answer.status)
    });
    answer
}

/// The answer of an API that does not customise it.
fn stock(
    cx: &mut Ctx<'_>,
    head: &Head,
    failure: Failure,
    message: Option<&str>,
    tail: Tail,
) -> Answer {
    let (world, voice) = (cx.world, failure.voice());
    let fields = lines(cx, |out| {
        let kind: &[u8] = if voice == Voice::Plain { b"text/plain" } else { b"application/json" };
        line(out, b"Content-Type", kind);
        line(out, b"x-amzn-ErrorType", failure.exception().as_bytes());
        closing_lines(out, world, head, &tail, failure);
    });
    let body = lines(cx, |out| match voice {
        Voice::Plain => out.extend_from_slice(message.unwrap_or_default().as_bytes()),
        Voice::FrontEnd | Voice::Policy | Voice::Execution => {
            let name: &[u8] = if voice == Voice::Policy { b"Message" } else { b"message" };
            out.extend_from_slice(b"{\"");
            out.extend_from_slice(name);
            out.extend_from_slice(b"\":");
            if voice == Voice::Execution {
                out.push(b' ');
            }
            json::put(out, message);
            out.push(b'}');
        }
    });
    Answer { status: failure.status(), fields, body: Body::Scratch(body), tail }
}

/// The lines that every gateway response ends with.
pub(super) fn closing_lines(
    out: &mut Vec<u8>,
    world: &World,
    head: &Head,
    tail: &Tail,
    failure: Failure,
) {
    id_lines(out, &tail.ids);
    // A function of `AWS_PROXY` was invoked before it came to this, as captured from AWS.
    let method = tail.place.and_then(|place| world.method(place));
    let invoked = failure.follows_call()
        && matches!(method.map(|method| &method.integration), Some(Integration::LambdaProxy(_)));
    if invoked {
        out.extend_from_slice(b"X-Amzn-Trace-Id: ");
        put_trace_root(out, head, &tail.ids);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_names_belong_together() {
        for (at, (kind, name)) in ResponseType::ALL.into_iter().enumerate() {
            assert_eq!((kind as usize, kind.name()), (at, name));
            assert_eq!(ResponseType::parse(name), Some(kind));
        }
        assert_eq!(ResponseType::parse("Throttled"), None);
    }
}
