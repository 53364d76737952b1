//! Stages, and what a deployment to one would change.

use tidegate_proto::v1;

use super::Management;
use super::convert::{self, named, optional, optional_map, patch};
use super::error::Refused;
use crate::app::diff::{Difference, DifferenceKind};
use crate::app::stages::{CanarySettingsInput, CreateStage};

pub(super) async fn create_stage(
    service: &Management,
    request: v1::CreateStageRequest,
) -> Result<v1::Stage, Refused> {
    let stage = request.stage.ok_or_else(|| Refused::missing("stage"))?;
    let input = CreateStage {
        stage_name: stage.stage_name,
        deployment_id: stage.deployment_id,
        description: optional(stage.description),
        cache_cluster_enabled: Some(stage.cache_cluster_enabled),
        cache_cluster_size: named("stage.cache_cluster_size", &stage.cache_cluster_size)?,
        variables: optional_map(stage.variables),
        documentation_version: optional(stage.documentation_version),
        canary_settings: stage.canary.map(|canary| CanarySettingsInput {
            percent_traffic: Some(canary.percent_traffic),
            deployment_id: optional(canary.deployment_id),
            stage_variable_overrides: optional_map(canary.stage_variable_overrides),
            use_stage_cache: Some(canary.use_stage_cache),
        }),
        tracing_enabled: stage.tracing_enabled,
        tags: optional_map(stage.tags),
    };
    Ok(convert::stage(service.app.create_stage(&request.rest_api_id, input).await?))
}

pub(super) async fn get_stage(
    service: &Management,
    request: v1::StageAddress,
) -> Result<v1::Stage, Refused> {
    let found = service.app.get_stage(&request.rest_api_id, &request.stage_name).await?;
    Ok(convert::stage(found))
}

pub(super) async fn get_stages(
    service: &Management,
    request: v1::GetStagesRequest,
) -> Result<v1::GetStagesResponse, Refused> {
    let deployment = optional(request.deployment_id);
    let found = service.app.get_stages(&request.rest_api_id, deployment.as_deref()).await?;
    Ok(v1::GetStagesResponse { items: found.into_iter().map(convert::stage).collect() })
}

pub(super) async fn update_stage(
    service: &Management,
    request: v1::UpdateStageRequest,
) -> Result<v1::Stage, Refused> {
    let steps = patch(request.patch_operations)?;
    let (api, stage) = (&request.rest_api_id, &request.stage_name);
    Ok(convert::stage(service.app.update_stage(api, stage, &steps).await?))
}

pub(super) async fn delete_stage(
    service: &Management,
    request: v1::StageAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_stage(&request.rest_api_id, &request.stage_name).await?;
    Ok(v1::Done {})
}

pub(super) async fn flush_stage_cache(
    service: &Management,
    request: v1::StageAddress,
) -> Result<v1::Done, Refused> {
    service.app.flush_stage_cache(&request.rest_api_id, &request.stage_name).await?;
    Ok(v1::Done {})
}

pub(super) async fn flush_stage_authorizers_cache(
    service: &Management,
    request: v1::StageAddress,
) -> Result<v1::Done, Refused> {
    let (api, stage) = (&request.rest_api_id, &request.stage_name);
    service.app.flush_stage_authorizers_cache(api, stage).await?;
    Ok(v1::Done {})
}

pub(super) async fn list_undeployed_changes(
    service: &Management,
    request: v1::StageAddress,
) -> Result<v1::UndeployedChanges, Refused> {
    let found = service.app.undeployed_changes(&request.rest_api_id, &request.stage_name).await?;
    Ok(v1::UndeployedChanges {
        deployment_id: found.deployment.to_string(),
        changes: found.changes.into_iter().map(difference).collect(),
    })
}

pub(super) async fn compare_deployments(
    service: &Management,
    request: v1::CompareDeploymentsRequest,
) -> Result<v1::DeploymentComparison, Refused> {
    let v1::CompareDeploymentsRequest { rest_api_id, from_deployment_id, to_deployment_id } =
        request;
    let (from, to) = (&from_deployment_id, &to_deployment_id);
    let changes = service.app.compare_deployments(&rest_api_id, from, to).await?;
    Ok(v1::DeploymentComparison { changes: changes.into_iter().map(difference).collect() })
}

fn difference(difference: Difference) -> v1::UndeployedChange {
    let (kind, members) = match difference.kind {
        DifferenceKind::Added => (v1::Difference::Added, Vec::new()),
        DifferenceKind::Removed => (v1::Difference::Removed, Vec::new()),
        DifferenceKind::Changed(members) => (v1::Difference::Changed, members),
    };
    v1::UndeployedChange {
        subject: difference.subject,
        difference: kind.into(),
        members: members
            .into_iter()
            .map(|change| v1::MemberChange {
                member: change.member,
                old: change.old.map(|value| value.to_string()),
                new: change.new.map(|value| value.to_string()),
            })
            .collect(),
    }
}
