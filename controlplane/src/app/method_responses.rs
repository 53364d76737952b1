//! What a method may answer.

use std::collections::BTreeMap;

use super::{App, AppError, PatchOperation, Workspace, mapping, methods};
use crate::model::{Method, MethodResponse, StatusCode, StringMap};

/// What PutMethodResponse is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is MethodResponse's of its name")]
pub struct PutMethodResponse {
    pub response_parameters: Option<BTreeMap<String, bool>>,
    pub response_models: Option<StringMap>,
}

impl App {
    /// PutMethodResponse: never overwrites.
    pub async fn put_method_response(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        status: StatusCode,
        input: PutMethodResponse,
    ) -> Result<MethodResponse, AppError> {
        self.change_method(api, resource, verb, |workspace, method| {
            if method.method_responses.contains_key(&status) {
                return Err(AppError::ResponseExists);
            }
            let response = MethodResponse {
                status_code: status,
                response_parameters: input.response_parameters.clone(),
                response_models: input.response_models.clone(),
            };
            check(workspace, &response)?;
            method.method_responses.insert(status, response.clone());
            Ok(response)
        })
        .await
    }

    /// GetMethodResponse.
    pub async fn get_method_response(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        status: StatusCode,
    ) -> Result<MethodResponse, AppError> {
        let mut method = self.get_method(api, resource, verb).await?;
        method.method_responses.remove(&status).ok_or(AppError::InvalidStatusCode)
    }

    /// UpdateMethodResponse.
    pub async fn update_method_response(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        status: StatusCode,
        patch: &[PatchOperation],
    ) -> Result<MethodResponse, AppError> {
        self.change_method(api, resource, verb, |workspace, method| {
            let response =
                method.method_responses.get_mut(&status).ok_or(AppError::InvalidStatusCode)?;
            for operation in patch {
                apply(workspace, response, operation)?;
            }
            Ok(response.clone())
        })
        .await
    }

    /// DeleteMethodResponse.
    pub async fn delete_method_response(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        status: StatusCode,
    ) -> Result<(), AppError> {
        self.change_method(api, resource, verb, |_, method: &mut Method| {
            method.method_responses.remove(&status).map(drop).ok_or(AppError::InvalidStatusCode)
        })
        .await
    }
}

fn check(workspace: &Workspace, response: &MethodResponse) -> Result<(), AppError> {
    if let Some(parameters) = &response.response_parameters {
        mapping::check_response_parameters(parameters.keys())?;
    }
    response
        .response_models
        .iter()
        .flat_map(|models| models.values())
        .try_for_each(|name| methods::check_model(workspace, name))
}

/// One step of UpdateMethodResponse. Source: `admin-api` section 6.1.
fn apply(
    workspace: &Workspace,
    response: &mut MethodResponse,
    operation: &PatchOperation,
) -> Result<(), AppError> {
    let parts = operation.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["responseParameters", key] => {
            let flag = || Ok(operation.flag());
            operation.entry(
                &mut response.response_parameters,
                key,
                flag,
                AppError::InvalidParameterName,
            )?;
        }
        ["responseModels", key] => {
            let model = || Ok(operation.value()?.to_owned());
            operation.entry(
                &mut response.response_models,
                key,
                model,
                AppError::ContentTypeNotFound,
            )?;
        }
        _ => return Err(operation.bad_path()),
    }
    check(workspace, response)
}
