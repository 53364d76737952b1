//! Stages on the wire.

use super::RestError;
use super::call::Call;
use super::members::Members;
use super::reply::{Reply, value};
use crate::app::stages::{CanarySettingsInput, CreateStage};
use crate::app::{App, Page};

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateStage {
        stage_name: members.required("stageName")?,
        deployment_id: members.required("deploymentId")?,
        description: members.text("description")?,
        cache_cluster_enabled: members.flag("cacheClusterEnabled")?,
        cache_cluster_size: members.one_of("cacheClusterSize")?,
        variables: members.map("variables")?,
        documentation_version: members.text("documentationVersion")?,
        canary_settings: canary_settings(&mut members)?,
        tracing_enabled: members.flag("tracingEnabled")?.unwrap_or_default(),
        tags: members.map("tags")?,
    };
    members.finish()?;
    Ok(Reply::json(call.status(), &app.create_stage(call.path("restapi_id"), input).await?))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, stage) = place(call);
    Ok(Reply::json(call.status(), &app.get_stage(api, stage).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let deployment = call.query("deploymentId").filter(|id| !id.is_empty());
    let items = app.get_stages(call.path("restapi_id"), deployment).await?;
    Ok(Reply::list(call.status(), Page { items, position: None }, |stage| value(&stage)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, stage) = place(call);
    Ok(Reply::json(call.status(), &app.update_stage(api, stage, &call.patch()?).await?))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, stage) = place(call);
    app.delete_stage(api, stage).await?;
    Ok(Reply::empty(call.status()))
}

pub(super) async fn flush_cache(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, stage) = place(call);
    app.flush_stage_cache(api, stage).await?;
    Ok(Reply::empty(call.status()))
}

pub(super) async fn flush_authorizers_cache(
    app: &App,
    call: &Call<'_>,
) -> Result<Reply, RestError> {
    let (api, stage) = place(call);
    app.flush_stage_authorizers_cache(api, stage).await?;
    Ok(Reply::empty(call.status()))
}

fn place<'c>(call: &'c Call<'_>) -> (&'c str, &'c str) {
    (call.path("restapi_id"), call.path("stage_name"))
}

fn canary_settings(members: &mut Members) -> Result<Option<CanarySettingsInput>, RestError> {
    let Some(mut nested) = members.object("canarySettings")? else { return Ok(None) };
    let settings = CanarySettingsInput {
        percent_traffic: nested.number("percentTraffic")?,
        deployment_id: nested.text("deploymentId")?,
        stage_variable_overrides: nested.map("stageVariableOverrides")?,
        use_stage_cache: nested.flag("useStageCache")?,
    };
    members.absorb(nested);
    Ok(Some(settings))
}
