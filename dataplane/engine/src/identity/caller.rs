//! Callers of methods with authorization `AWS_IAM`: who they are by their signature, and what their policy says.
//!
//! Sources: developer guide, "Control access to a REST API with IAM permissions" and "API Gateway authorization workflow"; field reports
//! of the messages.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::policy::{Context, Decision, Policy};
use super::sigv4::{self, Claim};
use super::{AuthError, Payload, RequestParts};
use crate::exchange::Ctx;
use crate::head::{Head, Known};
use crate::integration::credentials::Credentials;
use crate::integration::sigv4::Keys;
use crate::respond::{Failure, Refusal};
use crate::route::{Routed, path};
use crate::snapshot::Facts;

/// Somebody whom a node knows by an access key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Of the user, or of the role under which its session goes: `arn:aws:iam::123456789012:user/ann`.
    pub arn: String,
    /// The unique id of the principal, `AIDA…`.
    pub user_id: String,
    /// What it signs with.
    pub keys: Keys,
    /// What it may do.
    pub policy: Policy,
}

impl Caller {
    /// The account in the ARN.
    pub fn account_id(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// The name in the ARN, without its path.
    pub fn name(&self) -> &str {
        self.arn.rsplit(['/', ':']).next().unwrap_or_default()
    }

    fn is_user(&self) -> bool {
        self.arn.split(':').nth(5).is_some_and(|principal| principal.starts_with("user/"))
    }
}

/// Signing name of calls to APIs. Source: developer guide, "Sign requests".
const SERVICE: &str = "execute-api";

/// What a policy has to allow. Source: developer guide, "Control access for invoking an API".
const ACTION: &str = "execute-api:Invoke";

/// Bytes of the ARN of a method with authorization. Source: API Gateway quotas.
const MAX_METHOD_ARN: usize = 1_600;

/// Refuses at once who shows no signature that could be right: before a body is waited for.
pub(crate) fn expects(cx: &Ctx<'_>, head: &Head) -> Result<(), Refusal> {
    let parts = parts(cx, head, &[]);
    let claim = sigv4::parse(&parts, SERVICE)?;
    find(cx.credentials, &claim).map(drop)
}

/// What is said in place of that there is no such method: AWS reads an `Authorization` header first, and complains of one that is
/// no signature. Source: field reports.
pub(crate) fn instead(cx: &Ctx<'_>, head: &Head, failure: Failure) -> Refusal {
    if matches!(failure, Failure::NoRoute | Failure::NoMethod)
        && head.last(Known::Authorization).is_some()
        && let Err(AuthError::IncompleteSignature(text)) =
            sigv4::parse(&parts(cx, head, &[]), SERVICE)
    {
        return Refusal::saying(Failure::UnroutedSignature, text);
    }
    failure.into()
}

/// The number of the caller who signed a request among those the node knows, if it may call the method.
pub(crate) fn identify(
    cx: &mut Ctx<'_>,
    head: &Head,
    routed: &Routed,
    body: &[u8],
) -> Result<u32, Refusal> {
    let credentials = cx.credentials;
    let facts = cx.world.facts(routed.place);
    let parts = parts(cx, head, body);
    let claim = sigv4::parse(&parts, SERVICE)?;
    if claim.region() != facts.region {
        let text =
            format!("Credential should be scoped to a valid region, not '{}'.", claim.region());
        return Err(AuthError::InvalidSignature(text).into());
    }
    let number = find(credentials, &claim)?;
    let caller = &credentials.callers[number as usize];
    if caller.keys.token.as_deref() != sigv4::token(&parts).as_deref() {
        return Err(AuthError::UnrecognizedClient.into());
    }
    sigv4::verify(&claim, &parts, &caller.keys.secret)?;
    let resource = resource(&facts, head, routed);
    let arn = format!("arn:aws:execute-api:{}:{}:{resource}", facts.region, facts.account_id);
    if arn.len() > MAX_METHOD_ARN {
        return Err(Failure::LongArn.into());
    }
    let decision = caller.policy.decide(ACTION, &arn, &context(cx, head, caller));
    cx.note("authorize", || format!("{} by key {}: {decision:?}", caller.arn, caller.keys.id));
    let why = match decision {
        Decision::Allow => return Ok(number),
        Decision::ImplicitDeny => {
            "because no identity-based policy allows the execute-api:Invoke action"
        }
        Decision::ExplicitDeny => "with an explicit deny in an identity-based policy",
    };
    let text = format!(
        "User: {} is not authorized to perform: {ACTION} on resource: arn:aws:execute-api:{}:{}:{resource} {why}",
        caller.arn,
        facts.region,
        masked(facts.account_id),
    );
    Err(Refusal::saying(Failure::Denied, text))
}

fn find(credentials: &Credentials, claim: &Claim) -> Result<u32, Refusal> {
    let found = credentials.caller(claim.access_key_id());
    found.ok_or_else(|| AuthError::UnrecognizedClient.into())
}

fn parts<'a>(cx: &Ctx<'_>, head: &'a Head, body: &'a [u8]) -> RequestParts<'a> {
    let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).unwrap_or_default();
    let fields = head.iter().map(|(name, value, _)| (text(name), value));
    // HTTP/2 has a field of its own for the host, and signatures speak of `host` all the same.
    let host = head.last(Known::Host).is_none().then(|| ("host", head.authority()));
    let now = UNIX_EPOCH + Duration::from_millis(cx.now.unix_ms);
    let (method, path) = (text(head.bytes(head.method_text)), text(head.path()));
    RequestParts::new(
        method,
        path,
        text(head.query()),
        fields.chain(host),
        Payload::Bytes(body),
        now,
    )
}

/// `{api}/{stage}/{VERB}/{path}`. The path is what routes are found by, so that no other spelling of it slips past a policy.
fn resource(facts: &Facts<'_>, head: &Head, routed: &Routed) -> String {
    let path = path::meaning(&head.buf[routed.behind_stage as usize..head.path.range().end]);
    format!(
        "{}/{}/{}/{}",
        facts.api_id,
        facts.stage,
        String::from_utf8_lossy(head.bytes(head.method_text)),
        String::from_utf8_lossy(&path),
    )
}

/// What is known of a caller. Source: IAM User Guide, "AWS global condition context keys".
fn context(cx: &Ctx<'_>, head: &Head, caller: &Caller) -> Context {
    let mut context = Context::default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if caller.is_user() {
        context.add("aws:username", caller.name());
    }
    context.add("aws:userid", caller.user_id.as_str());
    context.add("aws:PrincipalArn", caller.arn.as_str());
    context.add("aws:PrincipalAccount", caller.account_id());
    context.add("aws:PrincipalType", if caller.is_user() { "User" } else { "AssumedRole" });
    context.add("aws:SecureTransport", (cx.listener.scheme == "https").to_string());
    context.add("aws:SourceIp", IpAddr::to_canonical(&cx.peer).to_string());
    for (key, known) in [("aws:UserAgent", Known::UserAgent), ("aws:Referer", Known::Referer)] {
        if let Some(value) = head.last(known) {
            context.add(key, text(value));
        }
    }
    let now = OffsetDateTime::from(SystemTime::UNIX_EPOCH + Duration::from_millis(cx.now.unix_ms));
    context.add("aws:EpochTime", now.unix_timestamp().to_string());
    // Years of five digits have no such text, and no clock shows one.
    if let Ok(text) = now.format(&Rfc3339) {
        context.add("aws:CurrentTime", text);
    }
    context
}

/// An account id as messages show it: its last four digits.
fn masked(account: &str) -> String {
    let shown = account.len().saturating_sub(4);
    format!("********{}", account.get(shown..).unwrap_or_default())
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let failure = match &error {
            AuthError::MissingAuthenticationToken => Failure::Unsigned,
            AuthError::IncompleteSignature(_) => Failure::IncompleteSignature,
            AuthError::UnrecognizedClient => Failure::UnknownCaller,
            AuthError::SignatureMismatch | AuthError::InvalidSignature(_) => {
                Failure::WrongSignature
            }
            AuthError::AccessDenied(_) => Failure::Denied,
        };
        Self::saying(failure, error.to_string())
    }
}
