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
            drafts
                .extend(methods_with(id, resources, None).map(|method| format!("{api}:{method}")));
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

#[cfg(test)]
mod tests {
    use crate::app::deployments::CreateDeployment;
    use crate::app::integrations::PutIntegration;
    use crate::app::methods::PutMethod;
    use crate::app::rest_apis::CreateRestApi;
    use crate::app::stages::{CanarySettingsInput, CreateStage};
    use crate::app::vpc_links::CreateVpcLink;
    use crate::app::{AppError, Settings};
    use crate::model::{ConnectionType, IntegrationType, StringMap};

    #[tokio::test]
    async fn a_vpc_link_is_used_by_drafts_deployments_and_through_variables() {
        let (app, _directory) = crate::app::tests::app(Settings::default());
        let target = "arn:aws:elasticloadbalancing:us-east-1:0:loadbalancer/net/n/1".to_owned();
        let input =
            CreateVpcLink { name: "n".into(), target_arns: vec![target], ..Default::default() };
        let link = app.create_vpc_link(input).await.unwrap().id.to_string();
        let input = CreateRestApi { name: "n".into(), ..Default::default() };
        let api = app.create_rest_api(input).await.unwrap();
        let (id, root) = (api.id.to_string(), api.root_resource_id.to_string());
        let method = PutMethod { authorization_type: "NONE".into(), ..Default::default() };
        app.put_method(&id, &root, "GET", method).await.unwrap();
        let connect = async |connection: &str| {
            let integration = PutIntegration {
                http_method: Some("GET".into()),
                uri: Some("http://upstream.test/".into()),
                connection_type: Some(ConnectionType::VpcLink),
                connection_id: Some(connection.to_owned()),
                ..PutIntegration::new(IntegrationType::HttpProxy)
            };
            app.put_integration(&id, &root, "GET", integration).await.unwrap();
            let made = app.create_deployment(&id, CreateDeployment::default()).await.unwrap();
            made.id.to_string()
        };
        let told = async || match app.delete_vpc_link(&link).await {
            Err(AppError::VpcLinkInUse { uses, form, .. }) => format!("{uses} as {form}"),
            other => format!("{other:?}"),
        };
        let fixed = connect(&link).await;
        assert_eq!(told().await, format!("{id}:GET:{root} as RESTApiId:Method:Resource"));

        // What serves is told before what is only drafted.
        let through = connect("${stageVariables.link}").await;
        let variable = |value: &str| Some(StringMap::from([("link".to_owned(), value.to_owned())]));
        let stage = |name: &str, deployment: &str, variables| CreateStage {
            stage_name: name.into(),
            deployment_id: deployment.into(),
            variables,
            ..Default::default()
        };
        app.create_stage(&id, stage("fixed", &fixed, None)).await.unwrap();
        app.create_stage(&id, stage("other", &through, variable("zzzzzz"))).await.unwrap();
        let form = "RESTApiId:Method:Resource:Stage";
        assert_eq!(told().await, format!("{id}:GET:{root}:fixed as {form}"));
        let canary =
            CanarySettingsInput { stage_variable_overrides: variable(&link), ..Default::default() };
        let with_canary = CreateStage {
            canary_settings: Some(canary),
            ..stage("through", &through, variable("zzzzzz"))
        };
        app.create_stage(&id, with_canary).await.unwrap();
        app.delete_stage(&id, "fixed").await.unwrap();
        assert_eq!(told().await, format!("{id}:GET:{root}:through as {form}"));
        app.delete_stage(&id, "through").await.unwrap();
        app.delete_vpc_link(&link).await.unwrap();
    }
}
