//! Authorizers on the wire.

use serde_json::json;

use super::RestError;
use super::call::Call;
use super::members::Members;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::authorizers::CreateAuthorizer;
use crate::app::authorizers::test_invoke::TestInvokeAuthorizer;
use crate::model::{AdditionalClaim, AuthorizerType, JwtConfiguration, JwtIssuer};

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    members.require("type");
    let kind = members.one_of("type")?;
    let input = CreateAuthorizer {
        name: members.required("name")?,
        // A violation stands in the way of the stand-in.
        kind: kind.unwrap_or(AuthorizerType::Token),
        provider_arns: members.texts("providerARNs")?,
        auth_type: members.text("authType")?,
        authorizer_uri: members.text("authorizerUri")?,
        authorizer_credentials: members.text("authorizerCredentials")?,
        identity_source: members.text("identitySource")?,
        identity_validation_expression: members.text("identityValidationExpression")?,
        authorizer_result_ttl_in_seconds: members.integer("authorizerResultTtlInSeconds")?,
        jwt_configuration: jwt_configuration(&mut members)?,
    };
    members.finish()?;
    Ok(Reply::json(call.status(), &app.create_authorizer(call.path("restapi_id"), input).await?))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, authorizer) = place(call);
    Ok(Reply::json(call.status(), &app.get_authorizer(api, authorizer).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_authorizers(call.path("restapi_id"), &call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |authorizer| value(&authorizer)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, authorizer) = place(call);
    Ok(Reply::json(call.status(), &app.update_authorizer(api, authorizer, &call.patch()?).await?))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, authorizer) = place(call);
    app.delete_authorizer(api, authorizer).await?;
    Ok(Reply::empty(call.status()))
}

pub(super) async fn test_invoke(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let single = members.map("headers")?.unwrap_or_default().into_iter();
    let several = members.text_lists("multiValueHeaders")?.unwrap_or_default().into_iter();
    let several = several
        .flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value)));
    let input = TestInvokeAuthorizer {
        headers: single.chain(several).collect(),
        path_with_query_string: members.text("pathWithQueryString")?.unwrap_or_default(),
        stage_variables: members.map("stageVariables")?.unwrap_or_default(),
        additional_context: members.map("additionalContext")?.unwrap_or_default(),
    };
    // No identity is read from a body.
    members.text("body")?;
    members.finish()?;
    let (api, authorizer) = place(call);
    let tested = app.test_invoke_authorizer(api, authorizer, &input).await?;
    let body = json!({
        "clientStatus": tested.client_status, "log": tested.log, "latency": tested.latency_ms,
    });
    Ok(Reply::json(call.status(), &body))
}

fn place<'c>(call: &'c Call<'_>) -> (&'c str, &'c str) {
    (call.path("restapi_id"), call.path("authorizer_id"))
}

fn jwt_configuration(members: &mut Members) -> Result<Option<JwtConfiguration>, RestError> {
    let Some(mut nested) = members.object("jwtConfiguration")? else { return Ok(None) };
    nested.require("issuers");
    nested.require("defaultAlgorithms");
    let mut issuers = Vec::new();
    for mut issuer in nested.objects("issuers")? {
        issuers.push(jwt_issuer(&mut issuer)?);
        nested.absorb(issuer);
    }
    let default_algorithms = nested.list_of("defaultAlgorithms")?;
    members.absorb(nested);
    Ok(Some(JwtConfiguration { issuers, default_algorithms }))
}

fn jwt_issuer(members: &mut Members) -> Result<JwtIssuer, RestError> {
    members.require("audiences");
    let issuer = members.required("issuer")?;
    let audiences = members.texts("audiences")?.unwrap_or_default();
    let given = !members.is_absent("additionalClaims");
    let mut claims = Vec::new();
    for mut claim in members.objects("additionalClaims")? {
        claim.require("format");
        claims.push(AdditionalClaim {
            claim_name: claim.required("claimName")?,
            format: claim.one_of("format")?,
            required: claim.flag("required")?.unwrap_or_default(),
            expected_values: claim.texts("expectedValues")?,
        });
        members.absorb(claim);
    }
    Ok(JwtIssuer { issuer, audiences, additional_claims: given.then_some(claims), jwks_uri: None })
}
