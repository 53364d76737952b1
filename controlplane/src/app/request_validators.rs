//! Request validators: which parts of a request a method has checked.

use super::{App, AppError, Item, Page, Paging, PatchOperation, Workspace, references};
use crate::model::{RequestValidator, RequestValidatorId};
use crate::store::keys::Part;

/// What CreateRequestValidator is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is RequestValidator's of its name")]
pub struct CreateRequestValidator {
    pub name: Option<String>,
    pub validate_request_body: bool,
    pub validate_request_parameters: bool,
}

impl App {
    /// CreateRequestValidator.
    pub async fn create_request_validator(
        &self,
        api: &str,
        input: CreateRequestValidator,
    ) -> Result<RequestValidator, AppError> {
        let limit = self.settings.limits.parts_per_api;
        self.change(
            api,
            || AppError::InvalidRestApi,
            |workspace, draft| {
                let validator = RequestValidator {
                    id: unused_id(workspace),
                    name: input.name.clone(),
                    validate_request_body: input.validate_request_body,
                    validate_request_parameters: input.validate_request_parameters,
                };
                if validator.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
                    return Err(AppError::BlankValidatorName);
                }
                if workspace.request_validators.len() >= limit {
                    return Err(AppError::TooMany { what: "request validators" });
                }
                draft.put(Item::RequestValidator(validator.clone()));
                Ok(validator)
            },
        )
        .await
    }

    /// GetRequestValidator.
    pub async fn get_request_validator(
        &self,
        api: &str,
        validator: &str,
    ) -> Result<RequestValidator, AppError> {
        let workspace = self.workspace_or(api, AppError::InvalidValidator).await?;
        find(&workspace, validator).cloned()
    }

    /// GetRequestValidators, in the order of their ids.
    pub async fn get_request_validators(
        &self,
        api: &str,
        paging: &Paging,
    ) -> Result<Page<RequestValidator>, AppError> {
        let workspace = self.workspace(api).await?;
        let all = workspace.request_validators.values();
        paging.page(all.map(|one| (one.id.to_string(), RequestValidator::clone(one))))
    }

    /// UpdateRequestValidator.
    pub async fn update_request_validator(
        &self,
        api: &str,
        validator: &str,
        patch: &[PatchOperation],
    ) -> Result<RequestValidator, AppError> {
        self.change(
            api,
            || AppError::InvalidValidator,
            |workspace, draft| {
                let old = find(workspace, validator)?;
                let mut changed = old.clone();
                for operation in patch {
                    apply(&mut changed, operation)?;
                }
                if changed != *old {
                    draft.put(Item::RequestValidator(changed.clone()));
                }
                Ok(changed)
            },
        )
        .await
    }

    /// DeleteRequestValidator; refused while methods name it, for they would go unchecked without anyone saying so.
    pub async fn delete_request_validator(
        &self,
        api: &str,
        validator: &str,
    ) -> Result<(), AppError> {
        self.change(
            api,
            || AppError::InvalidValidator,
            |workspace, draft| {
                let validator = find(workspace, validator)?;
                let named_by = references::methods(workspace, |method| {
                    method.request_validator_id.as_ref() == Some(&validator.id)
                });
                if !named_by.is_empty() {
                    let id = || validator.id.to_string();
                    return Err(AppError::ValidatorInUse {
                        name: validator.name.clone().unwrap_or_else(id),
                        methods: told(&named_by),
                    });
                }
                draft.remove(Part::RequestValidator, validator.id.as_str());
                Ok(())
            },
        )
        .await
    }
}

/// The first of many, and how many more there are.
fn told(places: &[references::Place<'_>]) -> String {
    let mut text =
        places.iter().take(TOLD).map(|place| place.path_first()).collect::<Vec<_>>().join(", ");
    if places.len() > TOLD {
        text.push_str(&format!(" and {} more", places.len() - TOLD));
    }
    text
}

fn find<'w>(workspace: &'w Workspace, id: &str) -> Result<&'w RequestValidator, AppError> {
    let found = workspace.request_validators.get(id);
    found.map(|found| &**found).ok_or(AppError::InvalidValidator)
}

fn unused_id(workspace: &Workspace) -> RequestValidatorId {
    loop {
        let id = RequestValidatorId::draw(&mut rand::rng());
        if !workspace.request_validators.contains_key(&id) {
            return id;
        }
    }
}

/// One step of UpdateRequestValidator. Source: `admin-api` sections 6 and 6.1.
fn apply(validator: &mut RequestValidator, operation: &PatchOperation) -> Result<(), AppError> {
    operation.replace_among("/name, /validateRequestParameters, /validateRequestBody")?;
    match operation.path() {
        "/name" => {
            let name = operation.value.clone().filter(|name| !name.trim().is_empty());
            validator.name = Some(name.ok_or(AppError::BlankValidatorName)?);
        }
        "/validateRequestBody" => validator.validate_request_body = operation.flag(),
        _ => validator.validate_request_parameters = operation.flag(),
    }
    Ok(())
}

/// Methods a refusal names; with more the text would only get long.
const TOLD: usize = 5;
