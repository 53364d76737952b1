//! Authorizers.

use tidegate_proto::v1;

use super::Management;
use super::convert::{named, optional, paging, patch};
use super::error::Refused;
use crate::app::authorizers::CreateAuthorizer;
use crate::app::authorizers::test_invoke::TestInvokeAuthorizer;
use crate::model::{AdditionalClaim, Authorizer, JwtAlgorithm, JwtConfiguration, JwtIssuer};

pub(super) async fn create_authorizer(
    service: &Management,
    request: v1::CreateAuthorizerRequest,
) -> Result<v1::RestAuthorizer, Refused> {
    let given = request.authorizer.ok_or_else(|| Refused::missing("authorizer"))?;
    let kind = named("authorizer.type", &given.r#type)?;
    let input = CreateAuthorizer {
        name: given.name,
        kind: kind.ok_or_else(|| Refused::missing("authorizer.type"))?,
        provider_arns: filled(given.provider_arns),
        auth_type: optional(given.auth_type),
        authorizer_uri: optional(given.authorizer_uri),
        authorizer_credentials: optional(given.authorizer_credentials),
        identity_source: optional(given.identity_source),
        identity_validation_expression: optional(given.identity_validation_expression),
        authorizer_result_ttl_in_seconds: given.authorizer_result_ttl_seconds.map(i64::from),
        jwt_configuration: given.jwt_configuration.map(read_jwt).transpose()?,
    };
    Ok(authorizer(service.app.create_authorizer(&request.rest_api_id, input).await?))
}

pub(super) async fn get_authorizer(
    service: &Management,
    request: v1::AuthorizerAddress,
) -> Result<v1::RestAuthorizer, Refused> {
    let (api, id) = (&request.rest_api_id, &request.authorizer_id);
    Ok(authorizer(service.app.get_authorizer(api, id).await?))
}

pub(super) async fn get_authorizers(
    service: &Management,
    request: v1::GetAuthorizersRequest,
) -> Result<v1::GetAuthorizersResponse, Refused> {
    let page = service.app.get_authorizers(&request.rest_api_id, &paging(request.paging)).await?;
    Ok(v1::GetAuthorizersResponse {
        items: page.items.into_iter().map(authorizer).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_authorizer(
    service: &Management,
    request: v1::UpdateAuthorizerRequest,
) -> Result<v1::RestAuthorizer, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, id) = (&request.rest_api_id, &request.authorizer_id);
    Ok(authorizer(service.app.update_authorizer(api, id, &steps).await?))
}

pub(super) async fn delete_authorizer(
    service: &Management,
    request: v1::AuthorizerAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_authorizer(&request.rest_api_id, &request.authorizer_id).await?;
    Ok(v1::Done {})
}

pub(super) async fn test_invoke_authorizer(
    service: &Management,
    request: v1::TestInvokeAuthorizerRequest,
) -> Result<v1::TestedAuthorizer, Refused> {
    let headers = request.headers.into_iter();
    let input = TestInvokeAuthorizer {
        headers: headers.map(|pair| (pair.name, pair.value)).collect(),
        path_with_query_string: request.path_with_query_string,
        stage_variables: request.stage_variables,
        additional_context: request.additional_context,
    };
    let (api, id) = (&request.rest_api_id, &request.authorizer_id);
    let tested = service.app.test_invoke_authorizer(api, id, &input).await?;
    Ok(v1::TestedAuthorizer {
        client_status: u32::from(tested.client_status),
        log: tested.log,
        latency_ms: tested.latency_ms,
    })
}

/// An empty list is an absent one.
fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

fn authorizer(authorizer: Authorizer) -> v1::RestAuthorizer {
    v1::RestAuthorizer {
        id: authorizer.id.to_string(),
        name: authorizer.name,
        r#type: authorizer.kind.to_string(),
        provider_arns: authorizer.provider_arns.unwrap_or_default(),
        auth_type: authorizer.auth_type.unwrap_or_default(),
        authorizer_uri: authorizer.authorizer_uri.unwrap_or_default(),
        authorizer_credentials: authorizer.authorizer_credentials.unwrap_or_default(),
        identity_source: authorizer.identity_source.unwrap_or_default(),
        identity_validation_expression: authorizer
            .identity_validation_expression
            .unwrap_or_default(),
        authorizer_result_ttl_seconds: authorizer.authorizer_result_ttl_in_seconds,
        jwt_configuration: authorizer.jwt_configuration.map(jwt),
    }
}

fn jwt(configuration: JwtConfiguration) -> v1::RestJwtConfiguration {
    let issuer = |issuer: JwtIssuer| v1::RestJwtIssuer {
        issuer: issuer.issuer,
        audiences: issuer.audiences,
        additional_claims: issuer.additional_claims.into_iter().flatten().map(claim).collect(),
        jwks_uri: issuer.jwks_uri.unwrap_or_default(),
    };
    let algorithms = configuration.default_algorithms.into_iter().flatten();
    v1::RestJwtConfiguration {
        issuers: configuration.issuers.into_iter().map(issuer).collect(),
        default_algorithms: algorithms.map(|algorithm| algorithm.to_string()).collect(),
    }
}

fn claim(claim: AdditionalClaim) -> v1::RestJwtClaim {
    v1::RestJwtClaim {
        claim_name: claim.claim_name,
        format: claim.format.map(|format| format.to_string()).unwrap_or_default(),
        required: claim.required,
        expected_values: claim.expected_values.unwrap_or_default(),
    }
}

fn read_jwt(configuration: v1::RestJwtConfiguration) -> Result<JwtConfiguration, Refused> {
    let member = "authorizer.jwt_configuration.default_algorithms";
    let algorithm = |name: &String| -> Result<JwtAlgorithm, Refused> {
        named(member, name)?.ok_or_else(|| Refused::missing(member))
    };
    let algorithms: Result<Vec<_>, _> =
        configuration.default_algorithms.iter().map(algorithm).collect();
    let issuers: Result<Vec<_>, _> = configuration.issuers.into_iter().map(read_issuer).collect();
    Ok(JwtConfiguration { issuers: issuers?, default_algorithms: filled(algorithms?) })
}

fn read_issuer(issuer: v1::RestJwtIssuer) -> Result<JwtIssuer, Refused> {
    let claim = |claim: v1::RestJwtClaim| -> Result<AdditionalClaim, Refused> {
        Ok(AdditionalClaim {
            claim_name: claim.claim_name,
            format: named("additional_claims.format", &claim.format)?,
            required: claim.required,
            expected_values: filled(claim.expected_values),
        })
    };
    let claims: Result<Vec<_>, _> = issuer.additional_claims.into_iter().map(claim).collect();
    Ok(JwtIssuer {
        issuer: issuer.issuer,
        audiences: issuer.audiences,
        additional_claims: filled(claims?),
        jwks_uri: None,
    })
}
