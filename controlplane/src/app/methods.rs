//! Methods of a resource.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Draft, Item, Workspace, mapping};
use crate::model::{
    AuthorizationType, AuthorizerId, HttpMethod, Method, RequestValidatorId, Resource, StringMap,
    WireName,
};

/// What PutMethod is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is Method's of its name")]
pub struct PutMethod {
    /// Case does not matter.
    pub authorization_type: String,
    pub authorizer_id: Option<String>,
    pub api_key_required: bool,
    pub operation_name: Option<String>,
    pub request_parameters: Option<BTreeMap<String, bool>>,
    pub request_models: Option<StringMap>,
    pub request_validator_id: Option<String>,
    pub authorization_scopes: Option<Vec<String>>,
}

impl App {
    /// PutMethod: never overwrites.
    pub async fn put_method(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        input: PutMethod,
    ) -> Result<Method, AppError> {
        self.change(
            api,
            || AppError::InvalidResource,
            |workspace, draft| {
                let resource = workspace.resource(resource)?;
                let verb = HttpMethod::from_name(verb).ok_or(AppError::InvalidHttpMethod)?;
                let method = method(workspace, verb, input.clone())?;
                if resource.resource_methods.contains_key(&verb) {
                    return Err(AppError::MethodExists);
                }
                let mut resource = Resource::clone(resource);
                resource.resource_methods.insert(verb, method.clone());
                draft.put(Item::Resource(resource));
                Ok(method)
            },
        )
        .await
    }

    /// GetMethod.
    pub async fn get_method(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
    ) -> Result<Method, AppError> {
        let mut resource = self.get_resource(api, resource).await?;
        let verb = HttpMethod::from_name(verb).ok_or(AppError::InvalidMethod)?;
        resource.resource_methods.remove(&verb).ok_or(AppError::InvalidMethod)
    }

    /// UpdateMethod.
    pub async fn update_method(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        patch: &[PatchOperation],
    ) -> Result<Method, AppError> {
        self.change_method(api, resource, verb, |workspace, method| {
            // An authorizer may come in the same call as the type that needs it, before or after.
            for operation in patch {
                apply(workspace, method, operation)?;
            }
            if method.authorization_type.needs_authorizer() {
                let id = method.authorizer_id.as_ref().map(AuthorizerId::as_str);
                method.authorizer_id = authorizer(workspace, method.authorization_type, id)?;
            } else {
                method.authorizer_id = None;
            }
            Ok(method.clone())
        })
        .await
    }

    /// DeleteMethod, with its integration and responses.
    pub async fn delete_method(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
    ) -> Result<(), AppError> {
        self.change(
            api,
            || AppError::InvalidResource,
            |workspace, draft| {
                let mut resource = Resource::clone(workspace.resource(resource)?);
                let verb = HttpMethod::from_name(verb).ok_or(AppError::InvalidMethod)?;
                resource.resource_methods.remove(&verb).ok_or(AppError::InvalidMethod)?;
                draft.put(Item::Resource(resource));
                Ok(())
            },
        )
        .await
    }

    /// Changes one method; what stays as it was is not written.
    pub(super) async fn change_method<T>(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        decide: impl Fn(&Workspace, &mut Method) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        self.change(
            api,
            || AppError::InvalidResource,
            |workspace, draft: &mut Draft| {
                let (resource, verb) = find(workspace, resource, verb)?;
                let mut changed = Resource::clone(resource);
                let method =
                    changed.resource_methods.get_mut(&verb).ok_or(AppError::InvalidMethod)?;
                let answer = decide(workspace, method)?;
                if changed != **resource {
                    draft.put(Item::Resource(changed));
                }
                Ok(answer)
            },
        )
        .await
    }
}

fn find<'w>(
    workspace: &'w Workspace,
    resource: &str,
    verb: &str,
) -> Result<(&'w Arc<Resource>, HttpMethod), AppError> {
    let resource = workspace.resource(resource)?;
    let verb = HttpMethod::from_name(verb).ok_or(AppError::InvalidMethod)?;
    Ok((resource, verb))
}

/// The method a caller describes, checked against what the API has.
fn method(workspace: &Workspace, verb: HttpMethod, input: PutMethod) -> Result<Method, AppError> {
    let authorization_type = authorization_type(&input.authorization_type)?;
    if let Some(parameters) = &input.request_parameters {
        mapping::check_request_parameters(parameters.keys())?;
    }
    let authorizer_id = authorizer(workspace, authorization_type, input.authorizer_id.as_deref())?;
    let request_validator_id = match input.request_validator_id.filter(|id| !id.is_empty()) {
        Some(id) => Some(validator(workspace, &id)?),
        None => None,
    };
    for name in input.request_models.iter().flat_map(|models| models.values()) {
        check_model(workspace, name)?;
    }
    Ok(Method {
        authorizer_id,
        api_key_required: input.api_key_required,
        request_validator_id,
        operation_name: input.operation_name.filter(|name| !name.is_empty()),
        request_parameters: input.request_parameters,
        request_models: input.request_models,
        authorization_scopes: input.authorization_scopes.filter(|scopes| !scopes.is_empty()),
        ..Method::new(verb, authorization_type)
    })
}

fn authorization_type(name: &str) -> Result<AuthorizationType, AppError> {
    AuthorizationType::from_name(&name.to_ascii_uppercase())
        .ok_or(AppError::InvalidAuthorizationType)
}

/// The authorizer of a type that needs one; an id given with another type is ignored, as recorded for updates.
fn authorizer(
    workspace: &Workspace,
    kind: AuthorizationType,
    id: Option<&str>,
) -> Result<Option<AuthorizerId>, AppError> {
    if !kind.needs_authorizer() {
        return Ok(None);
    }
    let known =
        id.and_then(|id| workspace.authorizers.get(id)).ok_or(AppError::InvalidAuthorizer)?;
    Ok(Some(known.id.clone()))
}

fn validator(workspace: &Workspace, id: &str) -> Result<RequestValidatorId, AppError> {
    let known = workspace.request_validators.get(id).ok_or(AppError::InvalidValidatorReference)?;
    Ok(known.id.clone())
}

/// The built-in models may be named even where an import left them out.
pub(super) fn check_model(workspace: &Workspace, name: &str) -> Result<(), AppError> {
    if name == "Empty" || workspace.models.contains_key(name) {
        Ok(())
    } else {
        Err(AppError::InvalidModelReference { name: name.to_owned() })
    }
}

/// One step of UpdateMethod. Source: `admin-api` section 6.1.
fn apply(
    workspace: &Workspace,
    method: &mut Method,
    operation: &PatchOperation,
) -> Result<(), AppError> {
    let parts = operation.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["authorizationType"] => {
            operation.replace_only()?;
            method.authorization_type = authorization_type(operation.value()?)?;
        }
        ["authorizerId"] => {
            operation.replace_only()?;
            method.authorizer_id = match operation.nullable() {
                Some(id) => {
                    Some(AuthorizerId::parse(&id).map_err(|_| AppError::InvalidAuthorizer)?)
                }
                None => None,
            };
        }
        ["apiKeyRequired"] => {
            operation.replace_only()?;
            method.api_key_required = operation.flag();
        }
        ["operationName"] => {
            operation.replace_only()?;
            method.operation_name = operation.nullable();
        }
        ["requestValidatorId"] => {
            operation.replace_only()?;
            method.request_validator_id = match operation.nullable() {
                Some(id) => Some(validator(workspace, &id)?),
                None => None,
            };
        }
        ["requestParameters", key] => {
            operation.entry(
                &mut method.request_parameters,
                key,
                || Ok(operation.flag()),
                AppError::InvalidParameterName,
            )?;
            if let Some(parameters) = &method.request_parameters {
                mapping::check_request_parameters(parameters.keys())?;
            }
        }
        ["requestModels", key] => {
            let model = || {
                let name = operation.value()?;
                check_model(workspace, name)?;
                Ok(name.to_owned())
            };
            operation.entry(
                &mut method.request_models,
                key,
                model,
                AppError::ContentTypeNotFound,
            )?;
        }
        ["tidegate", "responseValidation"] if operation.op == PatchOp::Remove => {
            method.response_validation = None;
        }
        ["tidegate", "responseValidation"] => {
            if operation.op != PatchOp::Add {
                operation.replace_only()?;
            }
            method.response_validation = Some(operation.one_of()?);
        }
        ["authorizationScopes"] => {
            let value = operation.value()?.to_owned();
            let scopes = method.authorization_scopes.get_or_insert_default();
            match operation.op {
                PatchOp::Add if !scopes.contains(&value) => scopes.push(value),
                PatchOp::Add => {}
                PatchOp::Remove => scopes.retain(|scope| *scope != value),
                _ => return Err(operation.bad_path()),
            }
            if scopes.is_empty() {
                method.authorization_scopes = None;
            }
        }
        _ => return Err(operation.bad_path()),
    }
    Ok(())
}
