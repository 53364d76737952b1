//! What APIs use of the things that belong to the account.

use std::sync::Arc;

use super::{App, AppError, Workspace};
use crate::model::{ApiId, Resource, Stage, StringMap};
use crate::store::keys;

impl App {
    /// The methods that use a VPC link, and the form they are told in: those that serve or, if none does, those that would
    /// after a deployment.
    pub(super) async fn uses_of_vpc_link(
        &self,
        id: &str,
    ) -> Result<Option<(&'static str, Vec<String>)>, AppError> {
        let (mut drafts, mut deployed) = (Vec::new(), Vec::new());
        for api in self.api_ids().await? {
            let Some(workspace) = self.workspace_of(&api).await? else { continue };
            let resources = workspace.resources.values().map(|resource| &**resource);
            drafts.extend(methods_with(id, resources, None).map(|method| format!("{api}:{method}")));
            for record in workspace.stages.values() {
                deployed.extend(self.deployed_uses(id, &workspace, &record.stage).await?);
            }
        }
        deployed.dedup();
        Ok(if !deployed.is_empty() {
            Some(("RESTApiId:Method:Resource:Stage", deployed))
        } else if !drafts.is_empty() {
            Some(("RESTApiId:Method:Resource", drafts))
        } else {
            None
        })
    }

    /// The stages that use a client certificate.
    pub(super) async fn uses_of_client_certificate(
        &self,
        id: &str,
    ) -> Result<Vec<String>, AppError> {
        let mut uses = Vec::new();
        for api in self.api_ids().await? {
            let Some(workspace) = self.workspace_of(&api).await? else { continue };
            let stages = workspace.stages.values().map(|record| &record.stage);
            let using = stages.filter(|stage| stage.client_certificate_id.as_deref() == Some(id));
            uses.extend(using.map(|stage| format!("{api}:{}", stage.stage_name)));
        }
        Ok(uses)
    }

    /// The deployed methods of a stage, on either side, that use a VPC link.
    async fn deployed_uses(
        &self,
        id: &str,
        workspace: &Workspace,
        stage: &Stage,
    ) -> Result<Vec<String>, AppError> {
        let api = &workspace.rest_api.id;
        let mut uses = Vec::new();
        let canary = stage.canary_settings.as_ref();
        let mut variables = stage.variables.clone().unwrap_or_default();
        let mut sides = vec![(&stage.deployment_id, variables.clone())];
        if let Some(canary) = canary {
            variables.extend(canary.stage_variable_overrides.clone().unwrap_or_default());
            sides.push((&canary.deployment_id, variables));
        }
        for (deployment, variables) in sides {
            let Some(record) = workspace.deployments.get(deployment) else { continue };
            let snapshot = self.deployed_snapshot(&record.snapshot).await?;
            let found = methods_with(id, snapshot.resources.iter(), Some(&variables));
            uses.extend(found.map(|method| format!("{api}:{method}:{}", stage.stage_name)));
        }
        Ok(uses)
    }

    /// Every API's id. Deleting what APIs may use is rare enough to look at each of them.
    async fn api_ids(&self) -> Result<Vec<ApiId>, AppError> {
        let rows = self.store.scan(keys::APIS, None, usize::MAX).await?;
        let ids = rows.iter().filter_map(|row| row.key.strip_prefix(keys::APIS));
        Ok(ids.filter_map(|id| ApiId::parse(id).ok()).collect())
    }

    /// An API as it is now; `None` when it went meanwhile.
    async fn workspace_of(&self, api: &ApiId) -> Result<Option<Arc<Workspace>>, AppError> {
        self.workspaces.current(&*self.store, api).await
    }
}

/// The methods, as `{verb}:{resource id}`, whose integrations use a VPC link by id or through a stage variable.
fn methods_with<'r>(
    id: &'r str,
    resources: impl Iterator<Item = &'r Resource>,
    variables: Option<&'r StringMap>,
) -> impl Iterator<Item = String> {
    let is_used = move |connection: &str| {
        let variable = connection
            .strip_prefix("${stageVariables.")
            .and_then(|rest| rest.strip_suffix('}'))
            .and_then(|name| variables?.get(name));
        variable.map_or(connection, String::as_str) == id
    };
    resources.flat_map(move |resource| {
        let methods = resource.resource_methods.iter().filter(move |(_, method)| {
            let integration = method.method_integration.as_ref();
            let connection = integration.and_then(|found| found.connection_id.as_deref());
            connection.is_some_and(is_used)
        });
        methods.map(|(verb, _)| format!("{verb}:{}", resource.id))
    })
}
