//! Gateway responses: what the gateway itself says when a request does not reach an integration.

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, Item, Workspace, mapping};
use crate::model::{GatewayResponse, ResponseType, StatusCode, StringMap, WireName};
use crate::store::keys::Part;

/// What PutGatewayResponse is told; what is absent is AWS's default.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is GatewayResponse's of its name")]
pub struct PutGatewayResponse {
    pub status_code: Option<StatusCode>,
    pub response_parameters: Option<StringMap>,
    pub response_templates: Option<StringMap>,
}

impl App {
    /// PutGatewayResponse: overwrites completely.
    pub async fn put_gateway_response(
        &self,
        api: &str,
        kind: ResponseType,
        input: PutGatewayResponse,
    ) -> Result<GatewayResponse, AppError> {
        let default = GatewayResponse::default_for(kind);
        let response = GatewayResponse {
            response_type: kind,
            status_code: input.status_code.or(default.status_code),
            response_parameters: input.response_parameters.unwrap_or(default.response_parameters),
            response_templates: input.response_templates.unwrap_or(default.response_templates),
            default_response: false,
        };
        self.change_gateway_response(api, |_| {
            check(&response)?;
            Ok(response.clone())
        })
        .await
    }

    /// GetGatewayResponse: the default while nothing was changed.
    pub async fn get_gateway_response(
        &self,
        api: &str,
        kind: ResponseType,
    ) -> Result<GatewayResponse, AppError> {
        Ok(current(&*self.workspace(api).await?, kind))
    }

    /// GetGatewayResponses: all of them, in the order of their types; AWS does not page them either. One that AWS does not have is
    /// shown where it was changed.
    pub async fn get_gateway_responses(&self, api: &str) -> Result<Vec<GatewayResponse>, AppError> {
        let workspace = self.workspace(api).await?;
        let is_shown =
            |kind: &&ResponseType| kind.is_aws() || workspace.gateway_responses.contains_key(*kind);
        let shown = ResponseType::ALL.iter().filter(is_shown);
        Ok(shown.map(|kind| current(&workspace, *kind)).collect())
    }

    /// UpdateGatewayResponse: a default is no longer one afterwards.
    pub async fn update_gateway_response(
        &self,
        api: &str,
        kind: ResponseType,
        patch: &[PatchOperation],
    ) -> Result<GatewayResponse, AppError> {
        self.change_gateway_response(api, |workspace| {
            let mut changed = current(workspace, kind);
            changed.default_response = false;
            for operation in patch {
                apply(&mut changed, operation)?;
            }
            check(&changed)?;
            Ok(changed)
        })
        .await
    }

    /// DeleteGatewayResponse: back to the default.
    pub async fn delete_gateway_response(
        &self,
        api: &str,
        kind: ResponseType,
    ) -> Result<(), AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                if !workspace.gateway_responses.contains_key(&kind) {
                    return Err(AppError::GatewayResponseNotDefined);
                }
                draft.remove(Part::GatewayResponse, kind.name());
                Ok(())
            },
        )
        .await
    }

    async fn change_gateway_response(
        &self,
        api: &str,
        decide: impl Fn(&Workspace) -> Result<GatewayResponse, AppError>,
    ) -> Result<GatewayResponse, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let response = decide(workspace)?;
                let old = workspace.gateway_responses.get(&response.response_type);
                if old.is_none_or(|old| **old != response) {
                    draft.put(Item::GatewayResponse(response.clone()));
                }
                Ok(response)
            },
        )
        .await
    }
}

fn current(workspace: &Workspace, kind: ResponseType) -> GatewayResponse {
    let changed = workspace.gateway_responses.get(&kind);
    changed.map_or_else(|| GatewayResponse::default_for(kind), |changed| (**changed).clone())
}

fn check(response: &GatewayResponse) -> Result<(), AppError> {
    mapping::check_gateway_response(&response.response_parameters)?;
    let mut templates = response.response_templates.iter();
    templates
        .try_for_each(|(content_type, template)| mapping::check_template(content_type, template))
}

/// One step of UpdateGatewayResponse. Source: `admin-api` sections 6 and 6.1.
fn apply(response: &mut GatewayResponse, operation: &PatchOperation) -> Result<(), AppError> {
    let parts = operation.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["statusCode"] if operation.op == PatchOp::Replace => {
            let status = StatusCode::parse(operation.value()?);
            response.status_code = Some(status.ok_or_else(|| operation.bad_value())?);
            Ok(())
        }
        ["responseParameters", key] => {
            entry(&mut response.response_parameters, key, operation, "responseParameters")
        }
        ["responseTemplates", key] => {
            entry(&mut response.response_templates, key, operation, "responseTemplates")
        }
        _ => Err(operation.bad_path()),
    }
}

/// Changes an entry; unlike elsewhere the map stays when it becomes empty, and a value has to be there.
fn entry(
    map: &mut StringMap,
    key: &str,
    operation: &PatchOperation,
    member: &'static str,
) -> Result<(), AppError> {
    match operation.op {
        PatchOp::Replace | PatchOp::Remove if !map.contains_key(key) => {
            Err(AppError::InvalidParameterName)
        }
        PatchOp::Add | PatchOp::Replace => {
            let value = operation.nullable().ok_or(AppError::NullGatewayValue { member })?;
            map.insert(key.to_owned(), value);
            Ok(())
        }
        PatchOp::Remove => {
            map.remove(key);
            Ok(())
        }
        PatchOp::Move | PatchOp::Copy | PatchOp::Test => Err(operation.bad_path()),
    }
}
