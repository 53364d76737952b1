//! Why the gateway answers by itself: the one place where causes become statuses and texts.
//!
//! Source: developer guide, "Gateway response types"; texts and spacing as recorded against AWS.

use std::borrow::Cow;

use crate::respond::ResponseType;
use crate::validate::Mismatch;

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
    /// Parameters that the method requires are missing; the message names them.
    MissingParameters,
    /// The body does not fit the model that the method requires.
    InvalidBody,
    /// The body's length exceeds the limit, bytes.
    TooLarge(u64),
    /// The caller's body broke off or was malformed.
    BadBody,
    /// The body begins like JSON and is none, and a mapping reads it.
    BadJson,
    /// The body's content coding is unknown, or the body is not in it.
    BadCoding,
    /// No template for the content type, and none may pass.
    UnsupportedMediaType,
    /// The method wants a signature, and there is none.
    Unsigned,
    /// The signature cannot be read.
    IncompleteSignature,
    /// No method matches, and what the request shows as a signature cannot be read, of which AWS complains first.
    UnroutedSignature,
    /// The signature is wrong, too old, or for another service or region.
    WrongSignature,
    /// The node knows no such access key.
    UnknownCaller,
    /// The caller's policy does not let it call the method.
    Denied,
    /// The ARN of the method, with the path in it, is longer than policies are asked about.
    LongArn,
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
    /// A template failed as it was rendered, or took too much.
    Untransformable,
    /// A template overrides a header that is not its to set.
    BadOverride,
    /// What a `MOCK`'s request template renders holds no status code.
    NoStatusCode,
    /// No integration response matches, and there is no default.
    NoIntegrationResponse,
    /// The integration response's status is none of the method's.
    NoMethodResponse,
    /// A value for the answer cannot stand in a header.
    BadHeader,
    /// The upstream's answer begins like JSON and is none, and a mapping reads it.
    BadReplyJson,
    /// The upstream's answer is longer than may be mapped.
    ReplyTooLarge,
    /// The answer does not fit the model that the method promises.
    InvalidReply,
    /// A Lambda function is to be invoked by another method than `POST`.
    NotPost,
    /// The payload for a Lambda function is no JSON.
    NotJsonPayload,
    /// A Lambda function's answer to `AWS_PROXY` is not in the form it must have.
    LambdaMalformed,
    /// The function streamed something that is no answer.
    LambdaStreamMalformed,
    /// A Lambda function failed.
    LambdaFailed,
    /// Lambda did not run the function: no permission, throttled, or its own fault.
    LambdaRefused,
    /// Lambda did not take the request.
    LambdaInvalid,
    /// The caller left while what takes long waited for its turn.
    Abandoned,
    /// The upstream's name cannot be resolved, or its address must not be called.
    BadAddress,
    /// The VPC link does not exist or has no targets.
    NoTargets,
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
            Self::BadPath
            | Self::BadBody
            | Self::BadJson
            | Self::NotJsonPayload
            | Self::LongArn => ResponseType::Default4xx,
            Self::LambdaMalformed
            | Self::LambdaStreamMalformed
            | Self::LambdaFailed
            | Self::Abandoned => ResponseType::Default5xx,
            Self::NotPost | Self::LambdaRefused | Self::LambdaInvalid => {
                ResponseType::IntegrationFailure
            }
            Self::BadParameter | Self::MissingParameters => ResponseType::BadRequestParameters,
            Self::InvalidBody => ResponseType::BadRequestBody,
            Self::InvalidReply => ResponseType::BadResponseBody,
            Self::TooLarge(_) => ResponseType::RequestTooLarge,
            Self::BadCoding | Self::UnsupportedMediaType => ResponseType::UnsupportedMediaType,
            Self::Unsigned => ResponseType::MissingAuthenticationToken,
            Self::IncompleteSignature | Self::UnroutedSignature | Self::WrongSignature => {
                ResponseType::InvalidSignature
            }
            Self::UnknownCaller | Self::Denied => ResponseType::AccessDenied,
            Self::Unauthorized => ResponseType::Unauthorized,
            Self::AuthorizerFailed => ResponseType::AuthorizerConfigurationError,
            Self::Misconfigured
            | Self::BadConversion
            | Self::BinaryTemplate
            | Self::Untransformable
            | Self::BadOverride
            | Self::NoStatusCode
            | Self::NoIntegrationResponse
            | Self::NoMethodResponse
            | Self::BadHeader
            | Self::BadReplyJson
            | Self::ReplyTooLarge
            | Self::BadAddress
            | Self::NoTargets => ResponseType::ApiConfigurationError,
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
            Self::MissingParameters => "the request lacks parameters that the method requires",
            Self::InvalidBody => "the request body does not fit the model of its content type",
            Self::TooLarge(_) => "the request body is too large",
            Self::BadBody => "the request body broke off or is malformed",
            Self::BadCoding => "the request body is not in a content coding that is known here",
            Self::UnsupportedMediaType => {
                "no request template for this content type, and passthrough is off"
            }
            Self::Unsigned => "the method has authorization AWS_IAM, and the request no signature",
            Self::IncompleteSignature => "the request's signature cannot be read",
            Self::UnroutedSignature => {
                "no such resource or method; AWS says so only where Authorization is absent or a signature"
            }
            Self::WrongSignature => {
                "the request's signature is wrong, too old, or for another service or region"
            }
            Self::UnknownCaller => {
                "the node knows no such access key (--aws-callers), or the session token is another"
            }
            Self::Denied => "the caller's policy does not let it call the method",
            Self::LongArn => {
                "the ARN of the method, with the path in it, is longer than 1,600 bytes"
            }
            Self::Unauthorized => "the authorizer refused the caller",
            Self::AuthorizerFailed => "the authorizer did not answer",
            Self::Misconfigured => "the method's integration cannot be carried out as configured",
            Self::BadJson => {
                "the request body begins like JSON and is none, and a mapping reads it"
            }
            Self::BadConversion => {
                "Unable to transform request or response: a body that should be base64 is not"
            }
            Self::BinaryTemplate => {
                "Unable to transform request or response: a template reads a binary body \
                 (contentHandling CONVERT_TO_TEXT would help)"
            }
            Self::Untransformable => "Unable to transform request or response: a template failed",
            Self::Abandoned => "the caller left while the request waited for its turn",
            Self::BadOverride => "a template overrides a header that is not its to set",
            Self::NoStatusCode => {
                "Unable to parse statusCode. It should be an integer that is defined in the request template."
            }
            Self::NoIntegrationResponse => {
                "No match for output mapping and no default output mapping configured"
            }
            Self::NoMethodResponse => "Output mapping refers to an invalid method response",
            Self::BadHeader => "a value for the answer cannot stand in a header",
            Self::BadReplyJson => {
                "the integration's answer begins like JSON and is none, and a mapping reads it"
            }
            Self::NotPost => {
                "Lambda functions are invoked by POST, not by the integration's method"
            }
            Self::NotJsonPayload => "Lambda takes only JSON, and the payload is none",
            Self::LambdaMalformed => "Malformed Lambda proxy response",
            Self::LambdaStreamMalformed => {
                "Malformed Lambda proxy response: to stream, it is JSON metadata, 8 NUL bytes within 16 KB, and the body"
            }
            Self::LambdaFailed => "Lambda execution failed due to customer function error",
            Self::LambdaRefused => {
                "Lambda invocation failed: no permission, too many requests, or a fault of the service"
            }
            Self::LambdaInvalid => "Lambda invocation failed: the request is invalid",
            Self::ReplyTooLarge => "the upstream's answer is too large",
            Self::InvalidReply => {
                "the answer does not fit the response model of its status and content type"
            }
            Self::NoTargets => {
                "the VPC link does not exist or has no targets (its tag tidegate:targets)"
            }
            Self::BadAddress => {
                "the upstream has no address, or one this node must not call (--allow-upstream)"
            }
            Self::UpstreamNetwork => "the upstream could not be reached or broke off",
            Self::UpstreamTimeout => "the upstream did not answer in time",
        }
    }

    /// The answer's status, unless a gateway response sets another.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::BadPath
            | Self::BadBody
            | Self::BadJson
            | Self::NotJsonPayload
            | Self::MissingParameters
            | Self::InvalidBody
            | Self::BadParameter => 400,
            Self::Unauthorized => 401,
            Self::UnknownApi
            | Self::UnknownStage
            | Self::NoRoute
            | Self::NoMethod
            | Self::Unsigned
            | Self::IncompleteSignature
            | Self::UnroutedSignature
            | Self::WrongSignature
            | Self::UnknownCaller
            | Self::Denied => 403,
            Self::TooLarge(_) => 413,
            Self::LongArn => 414,
            Self::BadCoding | Self::UnsupportedMediaType => 415,
            Self::LambdaMalformed
            | Self::LambdaFailed
            | Self::LambdaInvalid
            | Self::InvalidReply => 502,
            Self::UpstreamNetwork | Self::UpstreamTimeout => 504,
            Self::AuthorizerFailed
            | Self::Misconfigured
            | Self::BadConversion
            | Self::BinaryTemplate
            | Self::Untransformable
            | Self::BadOverride
            | Self::NoStatusCode
            | Self::NoIntegrationResponse
            | Self::NoMethodResponse
            | Self::BadHeader
            | Self::BadReplyJson
            | Self::ReplyTooLarge
            | Self::NotPost
            | Self::LambdaRefused
            | Self::LambdaStreamMalformed
            | Self::Abandoned
            | Self::BadAddress
            | Self::NoTargets => 500,
        }
    }

    /// `x-amzn-ErrorType`.
    pub(crate) fn exception(self) -> &'static str {
        match self {
            Self::UnknownApi | Self::UnknownStage => "ForbiddenException",
            Self::NoRoute | Self::NoMethod | Self::Unsigned => {
                "MissingAuthenticationTokenException"
            }
            Self::IncompleteSignature | Self::UnroutedSignature => "IncompleteSignatureException",
            Self::WrongSignature => "InvalidSignatureException",
            Self::UnknownCaller => "UnrecognizedClientException",
            Self::Denied => "AccessDeniedException",
            Self::Unauthorized => "UnauthorizedException",
            Self::TooLarge(_) => "RequestTooLargeException",
            Self::AuthorizerFailed => "AuthorizerConfigurationException",
            _ if self.status() < 500 => "BadRequestException",
            _ => "InternalServerErrorException",
        }
    }

    /// Whether an integration was called before it came to this.
    pub(crate) fn follows_call(self) -> bool {
        matches!(
            self,
            Self::LambdaMalformed
                | Self::LambdaStreamMalformed
                | Self::LambdaFailed
                | Self::LambdaRefused
                | Self::LambdaInvalid
                | Self::ReplyTooLarge
                | Self::UpstreamNetwork
                | Self::UpstreamTimeout
        )
    }

    /// `$context.error.message`; `None` is null.
    pub(crate) fn message(self) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(match self {
            Self::UnknownApi | Self::UnknownStage => "Forbidden",
            Self::NoRoute | Self::NoMethod | Self::Unsigned => "Missing Authentication Token",
            Self::IncompleteSignature | Self::UnroutedSignature => "Incomplete Signature",
            Self::WrongSignature => "Invalid Signature",
            Self::UnknownCaller => "The security token included in the request is invalid.",
            Self::Denied => "User is not authorized to access this resource",
            Self::LongArn => "Request URI too long",
            Self::BadPath | Self::BadBody => "Bad Request",
            Self::BadJson => "Invalid JSON in request body",
            Self::NotJsonPayload => "Could not parse request body into json",
            Self::BadParameter => "Invalid request parameter value",
            Self::MissingParameters => "Missing required request parameters",
            Self::InvalidBody => "Invalid request body",
            Self::InvalidReply => "Invalid response body",
            Self::TooLarge(limit) => {
                return Some(Cow::Owned(format!("HTTP content length exceeded {limit} bytes.")));
            }
            Self::BadCoding | Self::UnsupportedMediaType => "Unsupported Media Type",
            Self::Unauthorized => "Unauthorized",
            Self::AuthorizerFailed => return None,
            Self::UpstreamNetwork => "Network error communicating with endpoint",
            Self::UpstreamTimeout => "Endpoint request timed out",
            Self::Misconfigured
            | Self::BadConversion
            | Self::BinaryTemplate
            | Self::Untransformable
            | Self::BadOverride
            | Self::NoStatusCode
            | Self::NoIntegrationResponse
            | Self::NoMethodResponse
            | Self::BadHeader
            | Self::BadReplyJson
            | Self::ReplyTooLarge
            | Self::NotPost
            | Self::LambdaMalformed
            | Self::LambdaStreamMalformed
            | Self::LambdaFailed
            | Self::LambdaRefused
            | Self::LambdaInvalid
            | Self::Abandoned
            | Self::BadAddress
            | Self::NoTargets => "Internal server error",
        }))
    }

    /// Who on AWS makes the answer, which shows in the body's spaces.
    pub(crate) fn voice(self) -> Voice {
        match self {
            Self::UnknownApi
            | Self::UnknownStage
            | Self::NoRoute
            | Self::NoMethod
            | Self::BadPath
            | Self::Unsigned
            | Self::IncompleteSignature
            | Self::UnroutedSignature
            | Self::WrongSignature
            | Self::UnknownCaller
            | Self::LongArn
            | Self::Unauthorized
            | Self::AuthorizerFailed => Voice::FrontEnd,
            Self::Denied => Voice::Policy,
            Self::TooLarge(_) => Voice::Plain,
            _ => Voice::Execution,
        }
    }
}

/// How an answer that nobody customised is worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// `{"message":"..."}`: routing, authorization, keys and limits.
    FrontEnd,
    /// `{"Message":"..."}`: policies.
    Policy,
    /// `{"message": "..."}`: validation, mapping and integrations.
    Execution,
    /// Text that is no JSON, and cannot be customised.
    Plain,
}

/// A failure with what there is to say of it beyond its usual message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) failure: Failure,
    /// Takes the place of the usual message.
    pub(crate) message: Option<String>,
    /// In what a body does not fit its model: a JSON array of texts.
    pub(crate) validation: Option<String>,
    /// The same of an integration's answer, for whoever looks after it.
    pub(crate) mismatch: Option<Box<Mismatch>>,
}

impl Refusal {
    /// A failure in other words than its usual ones.
    pub(crate) fn saying(failure: Failure, message: String) -> Self {
        Self { message: Some(message), ..failure.into() }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure, message: None, validation: None, mismatch: None }
    }
}
