//! The steps of UpdateAuthorizer. Source: `admin-api` section 6.1; the service model for `/jwtConfiguration`.

use super::rules;
use crate::app::AppError;
use crate::app::patch::{PatchOp, PatchOperation};
use crate::model::{Authorizer, AuthorizerType, WireName};

/// One step.
pub(super) fn apply(
    authorizer: &mut Authorizer,
    operation: &PatchOperation,
) -> Result<(), AppError> {
    if operation.path() == "/providerARNs" {
        return provider(authorizer.provider_arns.get_or_insert_default(), operation);
    }
    let text = match operation.path() {
        "/authType" => &mut authorizer.auth_type,
        "/authorizerUri" => &mut authorizer.authorizer_uri,
        "/authorizerCredentials" => &mut authorizer.authorizer_credentials,
        "/identitySource" => &mut authorizer.identity_source,
        "/identityValidationExpression" => &mut authorizer.identity_validation_expression,
        _ => return other(authorizer, operation),
    };
    operation.replace_only()?;
    *text = operation.nullable();
    Ok(())
}

fn other(authorizer: &mut Authorizer, operation: &PatchOperation) -> Result<(), AppError> {
    match operation.path() {
        "/name" => {
            operation.replace_only()?;
            authorizer.name = operation.value()?.to_owned();
        }
        "/type" => {
            operation.replace_only()?;
            let kind = operation.value.as_deref().and_then(AuthorizerType::from_name);
            let options =
                || AuthorizerType::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(",");
            let kind = kind.ok_or_else(|| AppError::InvalidEnumeration {
                what: "authorizer type",
                options: options(),
            })?;
            rules::retype(authorizer, kind);
        }
        "/authorizerResultTtlInSeconds" => {
            operation.replace_only()?;
            authorizer.authorizer_result_ttl_in_seconds = match operation.nullable() {
                Some(text) => {
                    let seconds = text.parse().map_err(|_| AppError::InvalidAuthorizerTtl)?;
                    Some(rules::ttl(seconds)?)
                }
                None => None,
            };
        }
        "/jwtConfiguration" => {
            operation.replace_only()?;
            let configuration = serde_json::from_str(operation.value()?);
            authorizer.jwt_configuration = Some(configuration.map_err(|error| {
                AppError::InvalidJwtConfiguration { reasons: error.to_string() }
            })?);
        }
        _ => return Err(operation.bad_path()),
    }
    Ok(())
}

/// User pools come and go by value.
fn provider(arns: &mut Vec<String>, operation: &PatchOperation) -> Result<(), AppError> {
    let arn = operation.value()?;
    let known = arns.iter().position(|known| known == arn);
    match (operation.op, known) {
        (PatchOp::Add, None) => arns.push(arn.to_owned()),
        (PatchOp::Add, Some(_)) => {}
        (PatchOp::Remove, Some(index)) => drop(arns.remove(index)),
        (PatchOp::Remove, None) => return Err(operation.bad_value()),
        _ => return Err(operation.bad_path()),
    }
    Ok(())
}
