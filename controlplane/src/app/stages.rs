//! Stages: create, show, change, flush, delete. Changes take effect at once.

mod patch;

use std::time::{SystemTime, UNIX_EPOCH};

use super::patch::PatchOperation;
use super::{App, AppError, Item, Workspace, now, tags};
use crate::model::{
    CacheClusterSize, CacheClusterStatus, CanarySettings, DeploymentId, Stage, StageName,
    StageRecord, StringMap,
};
use crate::store::keys::Part;

/// What CreateStage is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is Stage's of its name")]
pub struct CreateStage {
    pub stage_name: String,
    pub deployment_id: String,
    pub description: Option<String>,
    pub cache_cluster_enabled: Option<bool>,
    pub cache_cluster_size: Option<CacheClusterSize>,
    pub variables: Option<StringMap>,
    pub documentation_version: Option<String>,
    pub canary_settings: Option<CanarySettingsInput>,
    pub tracing_enabled: bool,
    pub tags: Option<StringMap>,
}

/// Canary settings as given: everything may be missing.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is CanarySettings's of its name")]
pub struct CanarySettingsInput {
    pub percent_traffic: Option<f64>,
    /// Absent: the stage's own.
    pub deployment_id: Option<String>,
    pub stage_variable_overrides: Option<StringMap>,
    pub use_stage_cache: Option<bool>,
}

impl App {
    /// CreateStage.
    pub async fn create_stage(&self, api: &str, input: CreateStage) -> Result<Stage, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let stage = create(workspace, input.clone())?;
                self.check_stage_count(workspace)?;
                draft.put(Item::Stage(record(stage.clone())));
                Ok(stage)
            },
        )
        .await
    }

    /// GetStage.
    pub async fn get_stage(&self, api: &str, stage: &str) -> Result<Stage, AppError> {
        let workspace = self.workspace(api).await?;
        Ok(workspace.stage(stage)?.stage.clone())
    }

    /// GetStages, those that point at one deployment if it is given. AWS does not page this list.
    pub async fn get_stages(
        &self,
        api: &str,
        deployment: Option<&str>,
    ) -> Result<Vec<Stage>, AppError> {
        let workspace = self.workspace(api).await?;
        let stages = workspace.stages.values().map(|record| &record.stage);
        let shown =
            stages.filter(|stage| deployment.is_none_or(|id| stage.deployment_id.as_str() == id));
        Ok(shown.cloned().collect())
    }

    /// UpdateStage: all steps or none.
    pub async fn update_stage(
        &self,
        api: &str,
        stage: &str,
        steps: &[PatchOperation],
    ) -> Result<Stage, AppError> {
        self.change_stage(api, stage, |workspace, record| {
            for step in steps {
                patch::apply(workspace, &mut record.stage, step)?;
            }
            check(workspace, &record.stage, None)?;
            record.stage.last_updated_date = now();
            Ok(record.stage.clone())
        })
        .await
    }

    /// FlushStageCache: entries of an older generation are no longer served.
    pub async fn flush_stage_cache(&self, api: &str, stage: &str) -> Result<(), AppError> {
        self.change_stage(api, stage, |_, record| {
            record.cache_generation += 1;
            Ok(())
        })
        .await
    }

    /// FlushStageAuthorizersCache.
    pub async fn flush_stage_authorizers_cache(
        &self,
        api: &str,
        stage: &str,
    ) -> Result<(), AppError> {
        self.change_stage(api, stage, |_, record| {
            record.authorizer_cache_generation += 1;
            Ok(())
        })
        .await
    }

    /// DeleteStage; its deployments stay. Refused while a custom domain names it; usage plans no longer cover it.
    pub async fn delete_stage(&self, api: &str, stage: &str) -> Result<(), AppError> {
        let (domains, unmapped) = self.domains_that_map(api, Some(stage)).await?;
        if !domains.is_empty() {
            let domains = domains.join(", ");
            return Err(AppError::StageMapped { stage: stage.to_owned(), domains });
        }
        self.remove_stages(api, |workspace, draft| {
            let name = workspace.stage(stage)?.stage.stage_name.clone();
            draft.expect(unmapped.clone());
            draft.remove(Part::Stage, name.as_str());
            Ok(vec![name])
        })
        .await
    }

    pub(super) async fn change_stage<T>(
        &self,
        api: &str,
        stage: &str,
        decide: impl Fn(&Workspace, &mut StageRecord) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let mut record = StageRecord::clone(workspace.stage(stage)?);
                let answer = decide(workspace, &mut record)?;
                draft.put(Item::Stage(record));
                Ok(answer)
            },
        )
        .await
    }

    pub(super) fn check_stage_count(&self, workspace: &Workspace) -> Result<(), AppError> {
        if workspace.stages.len() >= self.settings.limits.stages_per_api {
            return Err(AppError::TooMany { what: "stages" });
        }
        Ok(())
    }
}

fn create(workspace: &Workspace, input: CreateStage) -> Result<Stage, AppError> {
    let name = StageName::parse(&input.stage_name).map_err(|_| AppError::InvalidStageName)?;
    let deployment = known_deployment(workspace, &input.deployment_id)?;
    if workspace.stages.contains_key(&name) {
        return Err(AppError::StageExists);
    }
    let mut stage = Stage::new(name, deployment, now());
    stage.description = input.description.filter(|text| !text.is_empty());
    stage.documentation_version = input.documentation_version.filter(|text| !text.is_empty());
    stage.variables = input.variables.filter(|variables| !variables.is_empty());
    stage.tracing_enabled = input.tracing_enabled;
    stage.tags = input.tags.filter(|tags| !tags.is_empty());
    stage.tags.iter().try_for_each(tags::check)?;
    set_cache(&mut stage, input.cache_cluster_enabled, input.cache_cluster_size);
    if let Some(canary) = input.canary_settings {
        stage.canary_settings = Some(CanarySettings {
            percent_traffic: percent(canary.percent_traffic.unwrap_or(0.0))?,
            deployment_id: match canary.deployment_id.filter(|id| !id.is_empty()) {
                Some(id) => known_deployment(workspace, &id)?,
                None => stage.deployment_id.clone(),
            },
            stage_variable_overrides: canary.stage_variable_overrides,
            use_stage_cache: canary.use_stage_cache.unwrap_or(false),
        });
    }
    check(workspace, &stage, None)?;
    Ok(stage)
}

/// What the store keeps of a new stage.
pub(super) fn record(stage: Stage) -> StageRecord {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let generation = u64::try_from(since.as_millis()).unwrap_or_default();
    StageRecord { stage, cache_generation: generation, authorizer_cache_generation: generation }
}

fn known_deployment(workspace: &Workspace, id: &str) -> Result<DeploymentId, AppError> {
    let record = workspace.deployments.get(id).ok_or(AppError::DeploymentDoesNotExist)?;
    Ok(record.deployment.id.clone())
}

/// A share of traffic.
pub(super) fn percent(value: f64) -> Result<f64, AppError> {
    if (0.0..=100.0).contains(&value) { Ok(value) } else { Err(AppError::InvalidPercentTraffic) }
}

/// Turns the cache on or off, which here happens at once, and sizes it.
pub(super) fn set_cache(stage: &mut Stage, enabled: Option<bool>, size: Option<CacheClusterSize>) {
    if let Some(enabled) = enabled {
        stage.cache_cluster_enabled = enabled;
    }
    if let Some(size) = size {
        stage.cache_cluster_size = Some(size);
    }
    if stage.cache_cluster_enabled {
        // The smallest is what AWS starts with.
        stage.cache_cluster_size.get_or_insert(CacheClusterSize::Gb0_5);
        stage.cache_cluster_status = CacheClusterStatus::Available;
    } else {
        stage.cache_cluster_status = CacheClusterStatus::NotAvailable;
    }
}

/// The rules between a stage's members. `coming` is a deployment that is made in the same step.
pub(super) fn check(
    workspace: &Workspace,
    stage: &Stage,
    coming: Option<&DeploymentId>,
) -> Result<(), AppError> {
    let exists = |id: &DeploymentId| coming == Some(id) || workspace.deployments.contains_key(id);
    let canary = stage.canary_settings.as_ref();
    if !exists(&stage.deployment_id) || canary.is_some_and(|canary| !exists(&canary.deployment_id))
    {
        return Err(AppError::DeploymentDoesNotExist);
    }
    let overrides = canary.and_then(|canary| canary.stage_variable_overrides.as_ref());
    stage.variables.iter().chain(overrides).try_for_each(check_variables)
}

/// The rules of stage variables, which test calls are held to as well.
///
/// Limits: API Gateway quotas (100 per stage, name 64, value 512 characters).
pub(crate) fn check_variables(variables: &StringMap) -> Result<(), AppError> {
    if variables.len() > 100 {
        return Err(AppError::TooManyVariables);
    }
    for (name, value) in variables {
        let in_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(in_name) {
            return Err(AppError::InvalidVariableName { name: name.clone() });
        }
        let in_value = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b);
        if value.len() > 512 || !value.bytes().all(in_value) {
            return Err(AppError::InvalidVariableValue { name: name.clone() });
        }
    }
    Ok(())
}
