//! Deployments, their history and the way back.

use tidegate_proto::v1;

use super::Management;
use super::convert::{self, named, optional, optional_map, paging, patch};
use super::error::Refused;
use crate::app::deployments::{CreateDeployment, EmbedSummary};
use crate::model::DeploymentCanarySettings;

pub(super) async fn create_deployment(
    service: &Management,
    request: v1::CreateDeploymentRequest,
) -> Result<v1::Deployment, Refused> {
    let input = CreateDeployment {
        stage_name: optional(request.stage_name),
        stage_description: optional(request.stage_description),
        description: optional(request.description),
        cache_cluster_enabled: request.cache_cluster_enabled,
        cache_cluster_size: named("cache_cluster_size", &request.cache_cluster_size)?,
        variables: optional_map(request.variables),
        canary_settings: request.canary.map(|canary| DeploymentCanarySettings {
            percent_traffic: Some(canary.percent_traffic),
            stage_variable_overrides: optional_map(canary.stage_variable_overrides),
            use_stage_cache: Some(canary.use_stage_cache),
        }),
        tracing_enabled: request.tracing_enabled,
    };
    let made = service.app.create_deployment(&request.rest_api_id, input).await?;
    Ok(convert::deployment(made))
}

pub(super) async fn get_deployment(
    service: &Management,
    request: v1::GetDeploymentRequest,
) -> Result<v1::Deployment, Refused> {
    let (api, deployment) = (&request.rest_api_id, &request.deployment_id);
    let embed = EmbedSummary(request.with_summary);
    Ok(convert::deployment(service.app.get_deployment(api, deployment, embed).await?))
}

pub(super) async fn get_deployments(
    service: &Management,
    request: v1::GetDeploymentsRequest,
) -> Result<v1::GetDeploymentsResponse, Refused> {
    let paging = paging(request.paging);
    let page = service.app.get_deployments(&request.rest_api_id, &paging).await?;
    Ok(v1::GetDeploymentsResponse {
        items: page.items.into_iter().map(convert::deployment).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_deployment(
    service: &Management,
    request: v1::UpdateDeploymentRequest,
) -> Result<v1::Deployment, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, deployment) = (&request.rest_api_id, &request.deployment_id);
    Ok(convert::deployment(service.app.update_deployment(api, deployment, &steps).await?))
}

pub(super) async fn delete_deployment(
    service: &Management,
    request: v1::DeploymentAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_deployment(&request.rest_api_id, &request.deployment_id).await?;
    Ok(v1::Done {})
}

pub(super) async fn list_deployment_history(
    service: &Management,
    request: v1::RestApiAddress,
) -> Result<v1::DeploymentHistory, Refused> {
    let history = service.app.deployment_history(&request.rest_api_id).await?;
    let deployments = history.into_iter().map(|used| v1::DeploymentUse {
        deployment: Some(convert::deployment(used.deployment)),
        stages: used.stages.iter().map(ToString::to_string).collect(),
        canary_of: used.canary_of.iter().map(ToString::to_string).collect(),
    });
    Ok(v1::DeploymentHistory { deployments: deployments.collect() })
}

pub(super) async fn rollback(
    service: &Management,
    request: v1::RollbackRequest,
) -> Result<v1::RollbackResponse, Refused> {
    let to = optional(request.deployment_id);
    let (api, stage) = (&request.rest_api_id, &request.stage_name);
    let (stage, replaced) = service.app.rollback(api, stage, to.as_deref()).await?;
    Ok(v1::RollbackResponse {
        stage: Some(convert::stage(stage)),
        replaced_deployment_id: replaced.to_string(),
    })
}
