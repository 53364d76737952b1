//! Authorizers: who decides whether a request may pass.

mod patch;
mod rules;
mod source;
pub mod test_invoke;

use super::{App, AppError, Item, Page, Paging, PatchOperation, Workspace, references};
use crate::model::{Authorizer, AuthorizerId, AuthorizerType, JwtConfiguration};
use crate::store::keys::Part;

/// What CreateAuthorizer is told.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each member is Authorizer's of its name")]
pub struct CreateAuthorizer {
    pub name: String,
    pub kind: AuthorizerType,
    /// Ignored for TOKEN and REQUEST.
    pub provider_arns: Option<Vec<String>>,
    pub auth_type: Option<String>,
    /// Ignored for COGNITO_USER_POOLS.
    pub authorizer_uri: Option<String>,
    pub authorizer_credentials: Option<String>,
    pub identity_source: Option<String>,
    pub identity_validation_expression: Option<String>,
    /// Any number; those outside 0..=3,600 are refused.
    pub authorizer_result_ttl_in_seconds: Option<i64>,
    /// Its `jwks_uri`s are ignored: issuers are not asked for their documents.
    pub jwt_configuration: Option<JwtConfiguration>,
}

impl App {
    /// CreateAuthorizer.
    pub async fn create_authorizer(
        &self,
        api: &str,
        input: CreateAuthorizer,
    ) -> Result<Authorizer, AppError> {
        let limit = self.settings.limits.parts_per_api;
        self.change(
            api,
            // AWS's answer for an unknown API, as recorded.
            || AppError::ConcurrentModification,
            |workspace, draft| {
                let authorizer = create(workspace, input.clone())?;
                if workspace.authorizers.len() >= limit {
                    return Err(AppError::TooMany { what: "authorizers" });
                }
                draft.put(Item::Authorizer(authorizer.clone()));
                Ok(authorizer)
            },
        )
        .await
    }

    /// GetAuthorizer.
    pub async fn get_authorizer(
        &self,
        api: &str,
        authorizer: &str,
    ) -> Result<Authorizer, AppError> {
        let workspace = self.workspace(api).await?;
        find(&workspace, authorizer).cloned()
    }

    /// GetAuthorizers, in the order of their ids.
    pub async fn get_authorizers(
        &self,
        api: &str,
        paging: &Paging,
    ) -> Result<Page<Authorizer>, AppError> {
        let workspace = self.workspace(api).await?;
        let all = workspace.authorizers.values();
        paging.page(all.map(|one| (one.id.to_string(), Authorizer::clone(one))))
    }

    /// UpdateAuthorizer. The rules between members hold for the result, not for each step.
    pub async fn update_authorizer(
        &self,
        api: &str,
        authorizer: &str,
        patch: &[PatchOperation],
    ) -> Result<Authorizer, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let old = find(workspace, authorizer)?;
                let mut changed = old.clone();
                for operation in patch {
                    patch::apply(&mut changed, operation)?;
                }
                settle(workspace, &mut changed)?;
                if changed != *old {
                    draft.put(Item::Authorizer(changed.clone()));
                }
                Ok(changed)
            },
        )
        .await
    }

    /// DeleteAuthorizer; refused while a method names it.
    pub async fn delete_authorizer(&self, api: &str, authorizer: &str) -> Result<(), AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let authorizer = find(workspace, authorizer)?;
                let named_by = references::methods(workspace, |method| {
                    method.authorizer_id.as_ref() == Some(&authorizer.id)
                });
                if let Some(place) = named_by.first() {
                    return Err(AppError::AuthorizerInUse {
                        name: authorizer.name.clone(),
                        method: place.verb_first(),
                    });
                }
                draft.remove(Part::Authorizer, authorizer.id.as_str());
                Ok(())
            },
        )
        .await
    }
}

fn find<'w>(workspace: &'w Workspace, id: &str) -> Result<&'w Authorizer, AppError> {
    workspace.authorizers.get(id).map(|found| &**found).ok_or(AppError::UnknownAuthorizer)
}

fn create(workspace: &Workspace, input: CreateAuthorizer) -> Result<Authorizer, AppError> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let mut authorizer = Authorizer {
        id: unused_id(workspace),
        name: input.name,
        kind: input.kind,
        provider_arns: input.provider_arns,
        auth_type: filled(input.auth_type),
        authorizer_uri: filled(input.authorizer_uri),
        authorizer_credentials: filled(input.authorizer_credentials),
        identity_source: filled(input.identity_source),
        identity_validation_expression: filled(input.identity_validation_expression),
        authorizer_result_ttl_in_seconds: match input.authorizer_result_ttl_in_seconds {
            Some(seconds) => Some(rules::ttl(seconds)?),
            None => None,
        },
        jwt_configuration: input.jwt_configuration,
    };
    settle(workspace, &mut authorizer)?;
    Ok(authorizer)
}

/// Fills in defaults and checks an authorizer by itself and among the API's others.
fn settle(workspace: &Workspace, authorizer: &mut Authorizer) -> Result<(), AppError> {
    if authorizer.name.is_empty() {
        return Err(AppError::EmptyName);
    }
    rules::settle(authorizer)?;
    let mut others = workspace.authorizers.values();
    if others.any(|other| other.id != authorizer.id && other.name == authorizer.name) {
        return Err(AppError::AuthorizerExists { name: authorizer.name.clone() });
    }
    Ok(())
}

fn unused_id(workspace: &Workspace) -> AuthorizerId {
    loop {
        let id = AuthorizerId::draw(&mut rand::rng());
        if !workspace.authorizers.contains_key(&id) {
            return id;
        }
    }
}
