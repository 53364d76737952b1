//! Gateway responses: the answers the gateway makes itself, and the one place where causes become statuses.
//!
//! Source: developer guide, "Gateway response types"; spacing of the bodies as recorded against AWS: the front end (routing,
//! authorization, keys, limits) writes `{"message":"..."}`, the execution part `{"message": "..."}`.

use std::borrow::Cow;

use crate::exchange::Ctx;
use crate::respond::{Tail, id_lines, line, lines};
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
    /// AWS's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "ACCESS_DENIED",
            Self::ApiConfigurationError => "API_CONFIGURATION_ERROR",
            Self::AuthorizerConfigurationError => "AUTHORIZER_CONFIGURATION_ERROR",
            Self::AuthorizerFailure => "AUTHORIZER_FAILURE",
            Self::BadRequestBody => "BAD_REQUEST_BODY",
            Self::BadRequestParameters => "BAD_REQUEST_PARAMETERS",
            Self::Default4xx => "DEFAULT_4XX",
            Self::Default5xx => "DEFAULT_5XX",
            Self::ExpiredToken => "EXPIRED_TOKEN",
            Self::IntegrationFailure => "INTEGRATION_FAILURE",
            Self::IntegrationTimeout => "INTEGRATION_TIMEOUT",
            Self::InvalidApiKey => "INVALID_API_KEY",
            Self::InvalidSignature => "INVALID_SIGNATURE",
            Self::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::ResourceNotFound => "RESOURCE_NOT_FOUND",
            Self::Throttled => "THROTTLED",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::WafFiltered => "WAF_FILTERED",
        }
    }
}

/// Why the gateway answers by itself. Each variant is one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No API by that name, or its default endpoint is off.
    UnknownApi,
    /// The API has no such stage.
    UnknownStage,
    /// No resource matches the path.
    NoRoute,
    /// The resource lacks the method.
    NoMethod,
    /// The path holds something no route may ever see: `..`, `%00`, a broken escape.
    BadPath,
    /// A mapped value cannot stand where it is mapped to.
    BadParameter,
    /// The body's length exceeds the limit, bytes.
    TooLarge(u64),
    /// The caller's body broke off or was malformed.
    BadBody,
    /// The body begins like JSON and is none, and a mapping reads it.
    BadJson,
    /// No template for the content type, and none may pass.
    UnsupportedMediaType,
    /// The authorizer refused the caller.
    Unauthorized,
    /// The authorizer did not answer.
    AuthorizerFailed,
    /// The method's configuration cannot be carried out.
    Misconfigured,
    /// A body cannot be converted as `contentHandling` and the media types ask: it is no base64.
    BadConversion,
    /// A template is to read a binary body.
    BinaryTemplate,
    /// What a `MOCK`'s request template renders holds no status code.
    NoStatusCode,
    /// No integration response matches, and there is no default.
    NoIntegrationResponse,
    /// The integration response's status is none of the method's.
    NoMethodResponse,
    /// The upstream's answer is longer than may be mapped.
    ReplyTooLarge,
    /// The upstream's name cannot be resolved, or its address must not be called.
    BadAddress,
    /// The upstream could not be reached or broke off.
    UpstreamNetwork,
    /// The upstream did not answer in time.
    UpstreamTimeout,
}

impl Failure {
    /// The gateway response that answers this cause.
    pub fn response_type(self) -> ResponseType {
        match self {
            // AWS answers these two before any API is known; the type is only a name for logs.
            Self::UnknownApi | Self::UnknownStage => ResponseType::AccessDenied,
            // A REST API answers an unknown path or method as a missing token: 403, as recorded.
            Self::NoRoute | Self::NoMethod => ResponseType::MissingAuthenticationToken,
            Self::BadPath | Self::BadBody | Self::BadJson => ResponseType::Default4xx,
            Self::BadParameter => ResponseType::BadRequestParameters,
            Self::TooLarge(_) => ResponseType::RequestTooLarge,
            Self::UnsupportedMediaType => ResponseType::UnsupportedMediaType,
            Self::Unauthorized => ResponseType::Unauthorized,
            Self::AuthorizerFailed => ResponseType::AuthorizerConfigurationError,
            Self::Misconfigured
            | Self::BadConversion
            | Self::BinaryTemplate
            | Self::NoStatusCode
            | Self::NoIntegrationResponse
            | Self::NoMethodResponse
            | Self::ReplyTooLarge
            | Self::BadAddress => ResponseType::ApiConfigurationError,
            Self::UpstreamNetwork => ResponseType::IntegrationFailure,
            Self::UpstreamTimeout => ResponseType::IntegrationTimeout,
        }
    }

    /// What failed, in the words of a person, for the helpful line.
    pub fn words(self) -> &'static str {
        match self {
            Self::UnknownApi => "no such API, or its default endpoint is disabled",
            Self::UnknownStage => "the API has no such stage",
            Self::NoRoute => "no such resource",
            Self::NoMethod => "the resource has no such method",
            Self::BadPath => "the path holds `..`, `%00` or a broken escape",
            Self::BadParameter => "a mapped value holds characters that cannot stand in a header",
            Self::TooLarge(_) => "the request body is too large",
            Self::BadBody => "the request body broke off or is malformed",
            Self::UnsupportedMediaType => {
                "no request template for this content type, and passthrough is off"
            }
            Self::Unauthorized => "the authorizer refused the caller",
            Self::AuthorizerFailed => "the authorizer did not answer",
            Self::Misconfigured => "the method's integration cannot be carried out as configured",
            Self::BadJson => {
                "the request body begins like JSON and is none, and a mapping reads it"
            }
            Self::BadConversion => "a body cannot be converted: it is no base64",
            Self::BinaryTemplate => {
                "a template is to read a binary body (contentHandling CONVERT_TO_TEXT would help)"
            }
            Self::NoStatusCode => "the MOCK's request template renders no statusCode",
            Self::NoIntegrationResponse => {
                "no integration response matches what came back, and there is no default"
            }
            Self::NoMethodResponse => {
                "the method declares no response with the integration response's status"
            }
            Self::ReplyTooLarge => "the upstream's answer is too large",
            Self::BadAddress => {
                "the upstream has no address, or one this node must not call (--allow-upstream)"
            }
            Self::UpstreamNetwork => "the upstream could not be reached or broke off",
            Self::UpstreamTimeout => "the upstream did not answer in time",
        }
    }

    fn voice(self) -> Voice {
        const FRONT: fn(u16, &'static str, &'static str) -> Voice = |status, error, message| {
            Voice { status, error, body: Cow::Borrowed(message), json: true }
        };
        match self {
            Self::UnknownApi | Self::UnknownStage => {
                FRONT(403, "ForbiddenException", r#"{"message":"Forbidden"}"#)
            }
            Self::NoRoute | Self::NoMethod => FRONT(
                403,
                "MissingAuthenticationTokenException",
                r#"{"message":"Missing Authentication Token"}"#,
            ),
            Self::BadPath => FRONT(400, "BadRequestException", r#"{"message":"Bad Request"}"#),
            Self::BadBody => FRONT(400, "BadRequestException", r#"{"message": "Bad Request"}"#),
            Self::BadParameter => FRONT(
                400,
                "BadRequestException",
                r#"{"message": "Invalid request parameter value"}"#,
            ),
            Self::TooLarge(limit) => Voice {
                status: 413,
                error: "RequestTooLargeException",
                body: Cow::Owned(format!("HTTP content length exceeded {limit} bytes.")),
                json: false,
            },
            Self::UnsupportedMediaType => {
                FRONT(415, "BadRequestException", r#"{"message": "Unsupported Media Type"}"#)
            }
            Self::Unauthorized => {
                FRONT(401, "UnauthorizedException", r#"{"message":"Unauthorized"}"#)
            }
            Self::AuthorizerFailed => {
                FRONT(500, "AuthorizerConfigurationException", r#"{"message":null}"#)
            }
            Self::BadJson => {
                FRONT(400, "BadRequestException", r#"{"message": "Invalid JSON in request body"}"#)
            }
            Self::Misconfigured
            | Self::BadConversion
            | Self::BinaryTemplate
            | Self::NoStatusCode
            | Self::NoIntegrationResponse
            | Self::NoMethodResponse
            | Self::ReplyTooLarge
            | Self::BadAddress => FRONT(
                500,
                "InternalServerErrorException",
                r#"{"message": "Internal server error"}"#,
            ),
            Self::UpstreamNetwork => FRONT(
                504,
                "InternalServerErrorException",
                r#"{"message": "Network error communicating with endpoint"}"#,
            ),
            Self::UpstreamTimeout => FRONT(
                504,
                "InternalServerErrorException",
                r#"{"message": "Endpoint request timed out"}"#,
            ),
        }
    }
}

struct Voice {
    status: u16,
    error: &'static str,
    body: Cow<'static, str>,
    json: bool,
}

/// Answers a failure as AWS does.
pub(crate) fn answer(cx: &mut Ctx<'_>, mut tail: Tail, failure: Failure) -> Answer {
    let voice = failure.voice();
    cx.note("respond", || {
        format!(
            "gateway response {} {}: {}",
            voice.status,
            failure.response_type().name(),
            failure.words()
        )
    });
    tail.failure = Some(failure);
    let fields = lines(cx, |out| {
        let kind: &[u8] = if voice.json { b"application/json" } else { b"text/plain" };
        line(out, b"Content-Type", kind);
        id_lines(out, &tail.ids);
        line(out, b"x-amzn-ErrorType", voice.error.as_bytes());
    });
    let body = lines(cx, |out| out.extend_from_slice(voice.body.as_bytes()));
    Answer { status: voice.status, fields, body: Body::Scratch(body), tail }
}
