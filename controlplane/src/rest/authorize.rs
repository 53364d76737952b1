//! What a caller's policy says of a call.

use std::net::IpAddr;
use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::call::Call;
use super::permissions::{self, Permission, concerns, permission, steps};
use super::{Operation, RestError};
use crate::app::App;
use crate::auth::Rights;
use crate::auth::policy::{Context, Decision, Policy};

/// Whose connection a request came over; the server puts it among the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Where a call comes from.
pub(super) struct Origin {
    address: Option<IpAddr>,
    user_agent: Option<String>,
    now: SystemTime,
}

impl Origin {
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        let agent = request.headers().get(http::header::USER_AGENT);
        Self {
            address: request.extensions().get().map(|Peer(address)| address.to_canonical()),
            user_agent: agent.and_then(|value| value.to_str().ok()).map(str::to_owned),
            now: SystemTime::now(),
        }
    }
}

/// Refuses what the caller's policy does not allow, in AWS's words.
pub(super) async fn check(
    app: &App,
    call: &Call<'_>,
    rights: &Rights,
    origin: &Origin,
) -> Result<(), RestError> {
    let Rights::Policy { user, policy } = rights else { return Ok(()) };
    // What is no JSON is a document, or will be refused by the operation.
    let body: Value = serde_json::from_slice(call.body).unwrap_or_default();
    let arn = format!("arn:aws:iam::{}:user/{user}", app.settings().account_id);
    let mut context = Context::default();
    caller(&mut context, app, user, &arn, origin);
    request(&mut context, call, &body);
    let case = Case { app, call, policy, arn, context };
    let wanted = permissions::of(call, &body, app.settings());
    for wanted in &wanted {
        case.judge(wanted).await?;
    }
    // Only now: whoever may not even import is not worth the reading of a document.
    if replaces_policy(app, call).await {
        case.judge(&permission("UpdateRestApiPolicy", &wanted[0].resource)).await?;
    }
    Ok(())
}

/// A caller and a call.
struct Case<'c> {
    app: &'c App,
    call: &'c Call<'c>,
    policy: &'c Policy,
    /// The caller's.
    arn: String,
    /// But for the tags of resources.
    context: Context,
}

impl Case<'_> {
    async fn judge(&self, wanted: &Permission) -> Result<(), RestError> {
        let Permission { action, resource } = wanted;
        let mut context = self.context.clone();
        if self.policy.asks_for(RESOURCE_TAG) {
            resource_tags(&mut context, self.app, self.call, resource).await?;
        }
        let why = match self.policy.decide(action, resource, &context) {
            Decision::Allow => return Ok(()),
            Decision::ImplicitDeny => {
                format!("because no identity-based policy allows the {action} action")
            }
            Decision::ExplicitDeny => {
                "with an explicit deny in an identity-based policy".to_owned()
            }
        };
        let arn = &self.arn;
        Err(RestError::AccessDenied(format!(
            "User: {arn} is not authorized to perform: {action} on resource: {resource} {why}"
        )))
    }
}

/// Whether an import sets an API's resource policy, or takes it away by not speaking of it.
async fn replaces_policy(app: &App, call: &Call<'_>) -> bool {
    match call.operation {
        Operation::ImportRestApi => app.brings_policy(call.body),
        Operation::PutRestApi => {
            let has = async {
                let api = app.workspace(call.path("restapi_id")).await;
                api.is_ok_and(|workspace| workspace.rest_api.policy.is_some())
            };
            call.query("mode") == Some("overwrite") && has.await || app.brings_policy(call.body)
        }
        _ => false,
    }
}

/// What is known of the caller. Source: IAM User Guide, "AWS global condition context keys".
fn caller(context: &mut Context, app: &App, user: &str, arn: &str, origin: &Origin) {
    let settings = app.settings();
    context.add("aws:username", user);
    context.add("aws:PrincipalArn", arn);
    context.add("aws:PrincipalAccount", settings.account_id.as_str());
    context.add("aws:PrincipalType", "User");
    context.add("aws:RequestedRegion", settings.region.as_str());
    // The listener has no TLS.
    context.add("aws:SecureTransport", "false");
    if let Some(address) = origin.address {
        context.add("aws:SourceIp", address.to_string());
    }
    if let Some(agent) = &origin.user_agent {
        context.add("aws:UserAgent", agent.as_str());
    }
    let now = OffsetDateTime::from(origin.now);
    context.add("aws:EpochTime", now.unix_timestamp().to_string());
    // Years of five digits have no such text, and no clock shows one.
    if let Ok(text) = now.format(&Rfc3339) {
        context.add("aws:CurrentTime", text);
    }
}

/// What the call asks for.
fn request(context: &mut Context, call: &Call<'_>, body: &Value) {
    for (key, value) in body["tags"].as_object().into_iter().flatten() {
        context.add("aws:TagKeys", key.as_str());
        words(value).for_each(|value| context.add(&format!("aws:RequestTag/{key}"), value));
    }
    for key in call.query_all("tagKeys") {
        context.add("aws:TagKeys", key);
    }
    let keys = REQUEST_KEYS.iter().filter(|(operation, ..)| *operation == call.operation);
    for (_, key, source) in keys {
        let mut values: Vec<String> = match source {
            Source::Member(pointer, _) => {
                body.pointer(pointer).into_iter().flat_map(words).collect()
            }
            Source::Step(path) => {
                let own = steps(body).filter(|step| concerns(step, path));
                own.flat_map(|step| words(&step["value"])).collect()
            }
            Source::Query(name, _) => call.query_all(name).map(str::to_owned).collect(),
        };
        if let (true, Source::Member(_, Some(default)) | Source::Query(_, Some(default))) =
            (values.is_empty(), source)
        {
            values.push((*default).to_owned());
        }
        for value in values {
            // Types are taken in any case, but policies name them in capitals.
            let value = if key.ends_with("Type") { value.to_ascii_uppercase() } else { value };
            context.add(&format!("apigateway:Request/{key}"), value);
        }
    }
}

/// The tags of what the call is about; of what is tagged in calls about tags.
async fn resource_tags(
    context: &mut Context,
    app: &App,
    call: &Call<'_>,
    resource: &str,
) -> Result<(), RestError> {
    let arn = match call.operation {
        Operation::TagResource | Operation::UntagResource | Operation::GetTags => {
            call.path("resource_arn")
        }
        _ => resource,
    };
    let path = arn.splitn(6, ':').last().unwrap_or_default();
    for (key, value) in app.resource_tags(path).await? {
        context.add(&format!("{RESOURCE_TAG}{key}"), value);
    }
    Ok(())
}

/// A value as policies compare it; the members of a list each.
fn words(value: &Value) -> Box<dyn Iterator<Item = String> + '_> {
    match value {
        Value::String(text) => Box::new(std::iter::once(text.clone())),
        Value::Bool(_) | Value::Number(_) => Box::new(std::iter::once(value.to_string())),
        Value::Array(items) => Box::new(items.iter().flat_map(words)),
        Value::Null | Value::Object(_) => Box::new(std::iter::empty()),
    }
}

/// Where a call says something that policies may ask about.
enum Source {
    /// A member of the body, by JSON pointer, and what it is when absent.
    Member(&'static str, Option<&'static str>),
    /// The values of the steps about a path.
    Step(&'static str),
    /// A query parameter, and what it is when absent.
    Query(&'static str, Option<&'static str>),
}

/// In small letters, as policies are asked for it.
const RESOURCE_TAG: &str = "aws:resourcetag/";

/// `apigateway:Request/...` of the operations that have a key whose value stands in the call itself. Those of import
/// documents are not known.
const REQUEST_KEYS: &[(Operation, &str, Source)] = {
    use Operation::*;
    use Source::*;
    &[
        (CreateRestApi, "ApiName", Member("/name", None)),
        (
            CreateRestApi,
            "DisableExecuteApiEndpoint",
            Member("/disableExecuteApiEndpoint", Some("false")),
        ),
        (CreateRestApi, "EndpointType", Member("/endpointConfiguration/types", Some("EDGE"))),
        (CreateRestApi, "SecurityPolicy", Member("/securityPolicy", None)),
        (ImportRestApi, "EndpointType", Query("endpointConfigurationTypes", Some("EDGE"))),
        (UpdateRestApi, "ApiName", Step("/name")),
        (UpdateRestApi, "DisableExecuteApiEndpoint", Step("/disableExecuteApiEndpoint")),
        (UpdateRestApi, "EndpointType", Step("/endpointConfiguration/types")),
        (UpdateRestApi, "SecurityPolicy", Step("/securityPolicy")),
        (PutMethod, "ApiKeyRequired", Member("/apiKeyRequired", Some("false"))),
        (PutMethod, "RouteAuthorizationType", Member("/authorizationType", None)),
        (UpdateMethod, "ApiKeyRequired", Step("/apiKeyRequired")),
        (UpdateMethod, "RouteAuthorizationType", Step("/authorizationType")),
        (CreateAuthorizer, "AuthorizerType", Member("/type", None)),
        (CreateAuthorizer, "AuthorizerUri", Member("/authorizerUri", None)),
        (UpdateAuthorizer, "AuthorizerType", Step("/type")),
        (UpdateAuthorizer, "AuthorizerUri", Step("/authorizerUri")),
        (CreateDeployment, "StageName", Member("/stageName", None)),
        (UpdateStage, "AccessLoggingDestination", Step("/accessLogSettings/destinationArn")),
        (UpdateStage, "AccessLoggingFormat", Step("/accessLogSettings/format")),
        (CreateDomainName, "EndpointType", Member("/endpointConfiguration/types", Some("EDGE"))),
        (
            CreateDomainName,
            "MtlsTrustStoreUri",
            Member("/mutualTlsAuthentication/truststoreUri", None),
        ),
        (
            CreateDomainName,
            "MtlsTrustStoreVersion",
            Member("/mutualTlsAuthentication/truststoreVersion", None),
        ),
        (CreateDomainName, "RoutingMode", Member("/routingMode", None)),
        (CreateDomainName, "SecurityPolicy", Member("/securityPolicy", None)),
        (UpdateDomainName, "EndpointType", Step("/endpointConfiguration/types")),
        (UpdateDomainName, "MtlsTrustStoreUri", Step("/mutualTlsAuthentication/truststoreUri")),
        (
            UpdateDomainName,
            "MtlsTrustStoreVersion",
            Step("/mutualTlsAuthentication/truststoreVersion"),
        ),
        (UpdateDomainName, "RoutingMode", Step("/routingMode")),
        (UpdateDomainName, "SecurityPolicy", Step("/securityPolicy")),
        (
            CreateDomainNameAccessAssociation,
            "AccessAssociationSource",
            Member("/accessAssociationSource", None),
        ),
        (CreateDomainNameAccessAssociation, "DomainNameArn", Member("/domainNameArn", None)),
    ]
};
