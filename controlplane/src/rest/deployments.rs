//! Deployments on the wire.

use super::RestError;
use super::call::Call;
use super::members::Members;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::deployments::{CreateDeployment, EmbedSummary};
use crate::model::DeploymentCanarySettings;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateDeployment {
        stage_name: members.text("stageName")?,
        stage_description: members.text("stageDescription")?,
        description: members.text("description")?,
        cache_cluster_enabled: members.flag("cacheClusterEnabled")?,
        cache_cluster_size: members.one_of("cacheClusterSize")?,
        variables: members.map("variables")?,
        canary_settings: canary_settings(&mut members)?,
        tracing_enabled: members.flag("tracingEnabled")?,
    };
    members.finish()?;
    let deployment = app.create_deployment(call.path("restapi_id"), input).await?;
    Ok(Reply::json(call.status(), &deployment))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let embed = EmbedSummary::parse(call.embed())?;
    let deployment =
        app.get_deployment(call.path("restapi_id"), call.path("deployment_id"), embed).await?;
    Ok(Reply::json(call.status(), &deployment))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_deployments(call.path("restapi_id"), &call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |deployment| value(&deployment)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let patch = call.patch()?;
    let deployment =
        app.update_deployment(call.path("restapi_id"), call.path("deployment_id"), &patch).await?;
    Ok(Reply::json(call.status(), &deployment))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_deployment(call.path("restapi_id"), call.path("deployment_id")).await?;
    Ok(Reply::empty(call.status()))
}

fn canary_settings(members: &mut Members) -> Result<Option<DeploymentCanarySettings>, RestError> {
    let Some(mut nested) = members.object("canarySettings")? else { return Ok(None) };
    let settings = DeploymentCanarySettings {
        percent_traffic: nested.number("percentTraffic")?,
        stage_variable_overrides: nested.map("stageVariableOverrides")?,
        use_stage_cache: nested.flag("useStageCache")?,
    };
    members.absorb(nested);
    Ok(Some(settings))
}
