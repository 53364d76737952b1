//! `$context`, and what else a mapping may look at.
//!
//! Source: developer guide, "Variables for data models, authorizers, mapping templates, and CloudWatch access logging".

use std::borrow::Cow::{self, Borrowed, Owned};
use std::net::IpAddr;

use crate::exchange::calendar::Moment;
use crate::exchange::{Ctx, Ids};
use crate::head::{Head, Known};
use crate::identity::Caller;
use crate::mapping::body::Document;
use crate::mapping::json;
use crate::mapping::template::Overrides;
use crate::respond::ResponseType;
use crate::route::{Captures, Routed};
use crate::snapshot::{Place, World};

/// A `$context` variable that parameter mapping can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Context {
    AccessKey,
    AccountId,
    ApiId,
    Caller,
    CallersAccount,
    DeploymentId,
    DomainName,
    DomainPrefix,
    ErrorMessage,
    ErrorMessageString,
    ErrorResponseType,
    ErrorValidation,
    ExtendedRequestId,
    HttpMethod,
    IsCanaryRequest,
    Path,
    Protocol,
    RequestId,
    RequestTime,
    RequestTimeEpoch,
    ResourceId,
    ResourcePath,
    SourceIp,
    Stage,
    User,
    UserAgent,
    UserArn,
    /// One that AWS has and nothing sets here: it has no value, as on AWS without the feature it belongs to.
    Unset,
}

impl Context {
    /// The variable of a name without `context.`; `None` when AWS has none by that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "accountId" => Self::AccountId,
            "apiId" => Self::ApiId,
            "deploymentId" => Self::DeploymentId,
            "domainName" => Self::DomainName,
            "domainPrefix" => Self::DomainPrefix,
            "error.message" => Self::ErrorMessage,
            "error.messageString" => Self::ErrorMessageString,
            "error.responseType" => Self::ErrorResponseType,
            "error.validationErrorString" => Self::ErrorValidation,
            "extendedRequestId" => Self::ExtendedRequestId,
            "httpMethod" => Self::HttpMethod,
            "isCanaryRequest" => Self::IsCanaryRequest,
            "path" => Self::Path,
            "protocol" => Self::Protocol,
            "requestId" => Self::RequestId,
            "requestTime" => Self::RequestTime,
            "requestTimeEpoch" => Self::RequestTimeEpoch,
            "resourceId" => Self::ResourceId,
            "resourcePath" => Self::ResourcePath,
            "identity.accessKey" => Self::AccessKey,
            "identity.accountId" => Self::CallersAccount,
            "identity.caller" => Self::Caller,
            "identity.sourceIp" => Self::SourceIp,
            "identity.user" => Self::User,
            "identity.userArn" => Self::UserArn,
            "stage" => Self::Stage,
            "identity.userAgent" => Self::UserAgent,
            "awsEndpointRequestId" | "wafResponseCode" | "webaclArn" => Self::Unset,
            _ if name.starts_with("authorizer.") => Self::Unset,
            _ => match name.strip_prefix("identity.")? {
                "apiKey"
                | "apiKeyId"
                | "cognitoAuthenticationProvider"
                | "cognitoAuthenticationType"
                | "cognitoIdentityId"
                | "cognitoIdentityPoolId"
                | "principalOrgId"
                | "vpcId"
                | "vpceId" => Self::Unset,
                name if name.starts_with("clientCert.") => Self::Unset,
                _ => return None,
            },
        })
    }

    /// Its name without `context.`, for people; of one that nothing sets, what that means.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AccessKey => "identity.accessKey",
            Self::AccountId => "accountId",
            Self::Caller => "identity.caller",
            Self::CallersAccount => "identity.accountId",
            Self::ApiId => "apiId",
            Self::DeploymentId => "deploymentId",
            Self::DomainName => "domainName",
            Self::DomainPrefix => "domainPrefix",
            Self::ErrorMessage => "error.message",
            Self::ErrorMessageString => "error.messageString",
            Self::ErrorResponseType => "error.responseType",
            Self::ErrorValidation => "error.validationErrorString",
            Self::ExtendedRequestId => "extendedRequestId",
            Self::HttpMethod => "httpMethod",
            Self::IsCanaryRequest => "isCanaryRequest",
            Self::Path => "path",
            Self::Protocol => "protocol",
            Self::RequestId => "requestId",
            Self::RequestTime => "requestTime",
            Self::RequestTimeEpoch => "requestTimeEpoch",
            Self::ResourceId => "resourceId",
            Self::ResourcePath => "resourcePath",
            Self::SourceIp => "identity.sourceIp",
            Self::Stage => "stage",
            Self::User => "identity.user",
            Self::UserAgent => "identity.userAgent",
            Self::UserArn => "identity.userArn",
            Self::Unset => "(unset)",
        }
    }
}

/// What a mapping may look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The request's head.
    pub head: &'a Head,
    /// Names of the route's path parameters, in path order.
    pub names: &'a [Box<str>],
    /// Their values in the head.
    pub values: &'a Captures,
    /// Its ids.
    pub ids: &'a Ids,
    /// Who signed it, where someone had to.
    pub caller: Option<&'a Caller>,
    /// Where names of API, stage and account are looked up when a mapping wants them.
    pub world: &'a World,
    /// The method's place there.
    pub place: Place,
    /// Where in the head's buffer the path behind the stage begins.
    pub path_from: usize,
    /// Peer's address and time.
    pub peer: IpAddr,
    /// When the request began, Unix milliseconds.
    pub unix_ms: u64,
    /// The request's body, where a mapping reads it.
    pub body: Option<&'a Document>,
    /// What the upstream answered, once it has.
    pub reply: Option<ReplyView<'a>>,
    /// Why the gateway answers by itself, once it does.
    pub error: Option<ErrorView<'a>>,
    /// What templates override, once they have run.
    pub overrides: Option<&'a Overrides>,
}

impl View<'_> {
    /// Whether mappings, templates and functions may see a field of the caller's. The coding of a body that was decoded is none of it
    /// any more.
    pub(crate) fn sees(&self, known: Known) -> bool {
        let is_gone = known == Known::ContentEncoding && self.ids.decoded;
        !is_gone && !known.is_dropped_at_ingress()
    }
}

/// `$context.error`.
#[derive(Clone, Copy)]
pub struct ErrorView<'a> {
    /// Its gateway response type.
    pub kind: ResponseType,
    /// Its message; `None` is null.
    pub message: Option<&'a str>,
    /// In what the body does not fit its model, as a JSON array of texts; `None` when that is not why.
    pub validation: Option<&'a str>,
}

/// An upstream's answer as mappings read it.
#[derive(Clone, Copy)]
pub struct ReplyView<'a> {
    /// Its head.
    pub head: &'a Head,
    /// Its body, where a mapping reads it.
    pub body: Option<&'a Document>,
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
            caller: ids.caller.and_then(|number| cx.credentials.callers.get(number as usize)),
            world: cx.world,
            place: routed.place,
            path_from: routed.path_from as usize,
            peer: cx.peer,
            unix_ms: cx.now.unix_ms,
            body: None,
            reply: None,
            error: None,
            overrides: None,
        }
    }

    /// A path parameter as sent, still percent-encoded.
    pub(crate) fn param(&self, name: &str) -> Option<&'a [u8]> {
        let at = self.names.iter().position(|n| &**n == name)?;
        self.values.get(at).map(|span| self.head.bytes(span))
    }

    /// The stage's variables.
    pub(crate) fn stage_variables(&self) -> &'a [(String, String)] {
        &self.world.link(self.place).variables
    }

    /// What a variable says of who signed; `None` of any other variable, and where nobody had to sign.
    pub(crate) fn signed_by(&self, variable: Context) -> Option<&'a str> {
        let caller = self.caller?;
        Some(match variable {
            Context::AccessKey => &caller.keys.id,
            Context::CallersAccount => caller.account_id(),
            Context::Caller | Context::User => &caller.user_id,
            Context::UserArn => &caller.arn,
            _ => return None,
        })
    }

    /// The value of a variable; empty where it has none.
    pub(crate) fn context(&self, variable: Context) -> Cow<'a, str> {
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
            Context::ErrorMessage => {
                Borrowed(self.error.and_then(|error| error.message).unwrap_or_default())
            }
            Context::ErrorMessageString => self.error.map_or(Borrowed(""), |error| {
                let mut quoted = Vec::new();
                json::put(&mut quoted, error.message);
                text(&quoted)
            }),
            Context::ErrorResponseType => Borrowed(self.error.map_or("", |e| e.kind.name())),
            Context::ErrorValidation => {
                Borrowed(self.error.and_then(|error| error.validation).unwrap_or_default())
            }
            Context::ExtendedRequestId => Owned(self.ids.extended().to_owned()),
            Context::HttpMethod => text(self.head.bytes(self.head.method_text)),
            Context::IsCanaryRequest => {
                Borrowed(facts.canary.map_or("", |yes| if yes { "true" } else { "false" }))
            }
            Context::Path => text(self.head.path()),
            Context::Protocol => Borrowed(self.head.version.as_str()),
            Context::RequestId => Owned(self.ids.request().to_owned()),
            Context::RequestTime => Owned(Moment::from_unix_ms(self.unix_ms).common_log()),
            Context::RequestTimeEpoch => Owned(self.unix_ms.to_string()),
            Context::ResourceId => Borrowed(facts.resource_id),
            Context::ResourcePath => Borrowed(facts.resource_path),
            Context::SourceIp => Owned(self.peer.to_string()),
            Context::Stage => Borrowed(facts.stage),
            Context::UserAgent => text(self.head.last(Known::UserAgent).unwrap_or_default()),
            Context::AccessKey
            | Context::CallersAccount
            | Context::Caller
            | Context::User
            | Context::UserArn => Borrowed(self.signed_by(variable).unwrap_or_default()),
            Context::Unset => Borrowed(""),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for name in [
            "accountId",
            "apiId",
            "deploymentId",
            "domainName",
            "domainPrefix",
            "error.message",
            "error.messageString",
            "error.responseType",
            "error.validationErrorString",
            "extendedRequestId",
            "httpMethod",
            "identity.accessKey",
            "identity.accountId",
            "identity.caller",
            "identity.sourceIp",
            "identity.user",
            "identity.userAgent",
            "identity.userArn",
            "isCanaryRequest",
            "path",
            "protocol",
            "requestId",
            "requestTime",
            "requestTimeEpoch",
            "resourceId",
            "resourcePath",
            "stage",
        ] {
            assert_eq!(Context::parse(name).map(Context::name), Some(name));
        }
        assert_eq!(Context::parse("identity.cognitoIdentityId"), Some(Context::Unset));
    }
}
