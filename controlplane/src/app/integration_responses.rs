//! What an integration's answers become.

use super::{App, AppError, PatchOperation, integrations, mapping};
use crate::model::{
    ContentHandling, IntegrationResponse, Method, StatusCode, StringMap, Templates,
};

/// What PutIntegrationResponse is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is IntegrationResponse's of its name")]
pub struct PutIntegrationResponse {
    pub selection_pattern: Option<String>,
    pub response_parameters: Option<StringMap>,
    pub response_templates: Option<Templates>,
    pub content_handling: Option<ContentHandling>,
}

impl App {
    /// PutIntegrationResponse: overwrites completely. The method must declare the status.
    pub async fn put_integration_response(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        status: StatusCode,
        input: PutIntegrationResponse,
    ) -> Result<IntegrationResponse, AppError> {
        self.change_method(api, resource, verb, |_, method| {
            if method.method_integration.is_none() {
                return Err(AppError::InvalidIntegration);
            }
            if !method.method_responses.contains_key(&status) {
                return Err(AppError::InvalidStatusCode);
            }
            let response = IntegrationResponse {
                status_code: status,
                selection_pattern: input.selection_pattern.clone(),
                response_parameters: input.response_parameters.clone(),
                response_templates: input.response_templates.clone().map(integrations::nulled),
                content_handling: input.content_handling,
            };
            check(&response, method)?;
            if let Some(integration) = &mut method.method_integration {
                integration.integration_responses.insert(status, response.clone());
            }
            Ok(response)
        })
        .await
    }

    /// GetIntegrationResponse.
    pub async fn get_integration_response(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        status: StatusCode,
    ) -> Result<IntegrationResponse, AppError> {
        let mut integration = self.get_integration(api, resource, verb).await?;
        integration.integration_responses.remove(&status).ok_or(AppError::InvalidStatusCode)
    }

    /// UpdateIntegrationResponse.
    pub async fn update_integration_response(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        status: StatusCode,
        patch: &[PatchOperation],
    ) -> Result<IntegrationResponse, AppError> {
        self.change_method(api, resource, verb, |_, method| {
            let integration =
                method.method_integration.as_ref().ok_or(AppError::InvalidIntegration)?;
            let old = integration
                .integration_responses
                .get(&status)
                .ok_or(AppError::InvalidStatusCode)?;
            let mut response = old.clone();
            for operation in patch {
                apply(&mut response, operation)?;
            }
            check(&response, method)?;
            if let Some(integration) = &mut method.method_integration {
                integration.integration_responses.insert(status, response.clone());
            }
            Ok(response)
        })
        .await
    }

    /// DeleteIntegrationResponse. An unknown method is told as an unknown integration, as recorded.
    pub async fn delete_integration_response(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        status: StatusCode,
    ) -> Result<(), AppError> {
        let deleted = self.change_method(api, resource, verb, |_, method: &mut Method| {
            let integration =
                method.method_integration.as_mut().ok_or(AppError::InvalidIntegration)?;
            integration
                .integration_responses
                .remove(&status)
                .map(drop)
                .ok_or(AppError::InvalidStatusCode)
        });
        match deleted.await {
            Err(AppError::InvalidMethod) => Err(AppError::InvalidIntegration),
            other => other,
        }
    }
}

/// The rules between a response and its method.
pub(super) fn check(response: &IntegrationResponse, method: &Method) -> Result<(), AppError> {
    if let Some(map) = &response.response_parameters {
        mapping::check_integration_response(map, method, response.status_code)?;
    }
    response.response_templates.as_ref().map_or(Ok(()), mapping::check_templates)
}

/// One step of UpdateIntegrationResponse. Source: `admin-api` section 6.1.
fn apply(response: &mut IntegrationResponse, operation: &PatchOperation) -> Result<(), AppError> {
    let parts = operation.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["selectionPattern"] => {
            operation.replace_only()?;
            response.selection_pattern.clone_from(&operation.value);
        }
        ["contentHandling"] => {
            operation.replace_only()?;
            response.content_handling = match operation.nullable() {
                Some(_) => Some(operation.one_of()?),
                None => None,
            };
        }
        ["responseParameters", key] => {
            operation.text_entry(
                &mut response.response_parameters,
                key,
                AppError::InvalidParameterName,
            )?;
        }
        ["responseTemplates", key] => {
            let template = || Ok(operation.nullable());
            operation.entry(
                &mut response.response_templates,
                key,
                template,
                AppError::ContentTypeNotFound,
            )?;
        }
        _ => return Err(operation.bad_path()),
    }
    Ok(())
}
