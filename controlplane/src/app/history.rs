//! What AWS has no call for: the history of deployments, the way back, and what a stage's next deployment would change.

use super::diff::{Difference, diff};
use super::{App, AppError, Workspace};
use crate::model::{Deployment, DeploymentId, Stage, StageName};
use crate::store::Rev;
use crate::store::keys::{self, Part};

/// A deployment and who serves it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentUse {
    /// The deployment.
    pub deployment: Deployment,
    /// Stages it serves.
    pub stages: Vec<StageName>,
    /// Stages it serves as the canary.
    pub canary_of: Vec<StageName>,
}

/// What a stage's next deployment would change.
#[derive(Debug, Clone, PartialEq)]
pub struct Undeployed {
    /// What the configuration is compared with: the canary's deployment if there is a canary, for a deployment would
    /// replace that, else the stage's.
    pub deployment: DeploymentId,
    /// None: nothing.
    pub changes: Vec<Difference>,
}

impl App {
    /// Every deployment of an API, newest first.
    pub async fn deployment_history(&self, api: &str) -> Result<Vec<DeploymentUse>, AppError> {
        let workspace = self.workspace(api).await?;
        let order = self.deployment_order(&workspace).await?;
        let uses = order.into_iter().filter_map(|id| {
            let record = workspace.deployments.get(&id)?;
            let mut used = DeploymentUse {
                deployment: record.deployment.clone(),
                stages: Vec::new(),
                canary_of: Vec::new(),
            };
            for stage in workspace.stages.values().map(|record| &record.stage) {
                if stage.deployment_id == id {
                    used.stages.push(stage.stage_name.clone());
                }
                if stage.canary_settings.as_ref().is_some_and(|c| c.deployment_id == id) {
                    used.canary_of.push(stage.stage_name.clone());
                }
            }
            Some(used)
        });
        Ok(uses.collect())
    }

    /// Points a stage at `to`, or at what was deployed last before the deployment it serves, and says what it served. A
    /// canary stays as it is.
    pub async fn rollback(
        &self,
        api: &str,
        stage: &str,
        to: Option<&str>,
    ) -> Result<(Stage, DeploymentId), AppError> {
        let workspace = self.workspace(api).await?;
        let served = workspace.stage(stage)?.stage.deployment_id.clone();
        let target = match to {
            Some(id) => id.to_owned(),
            None => {
                let order = self.deployment_order(&workspace).await?;
                let before = order.iter().skip_while(|id| **id != served).nth(1);
                before.ok_or(AppError::NoEarlierDeployment)?.to_string()
            }
        };
        let changed = self.change_stage(api, stage, |workspace, record| {
            if record.stage.deployment_id != served {
                // What "before" means was decided on another deployment.
                return Err(AppError::ConcurrentModification);
            }
            let known = workspace.deployments.get(target.as_str());
            let known = known.ok_or(AppError::DeploymentDoesNotExist)?;
            record.stage.deployment_id = known.deployment.id.clone();
            record.stage.last_updated_date = super::now();
            Ok(record.stage.clone())
        });
        Ok((changed.await?, served))
    }

    /// In what the API's configuration differs from what a stage serves.
    pub async fn undeployed_changes(&self, api: &str, stage: &str) -> Result<Undeployed, AppError> {
        let workspace = self.workspace(api).await?;
        let stage = &workspace.stage(stage)?.stage;
        let canary = stage.canary_settings.as_ref().map(|canary| &canary.deployment_id);
        let deployment = canary.unwrap_or(&stage.deployment_id).clone();
        let record = workspace.deployments.get(&deployment).ok_or(AppError::InvalidDeployment)?;
        let deployed = self.deployed_snapshot(&record.snapshot).await?;
        Ok(Undeployed { changes: diff(&deployed, &workspace.snapshot()), deployment })
    }

    /// In what one deployment of an API differs from another.
    pub async fn compare_deployments(
        &self,
        api: &str,
        from: &str,
        to: &str,
    ) -> Result<Vec<Difference>, AppError> {
        let old = self.deployment_record(api, from).await?;
        let new = self.deployment_record(api, to).await?;
        if old.snapshot == new.snapshot {
            return Ok(Vec::new());
        }
        let old = self.deployed_snapshot(&old.snapshot).await?;
        Ok(diff(&old, &self.deployed_snapshot(&new.snapshot).await?))
    }

    /// Ids of all deployments, newest first. Dates count seconds; within one the store's revisions decide.
    async fn deployment_order(&self, workspace: &Workspace) -> Result<Vec<DeploymentId>, AppError> {
        let api = &workspace.rest_api.id;
        let prefix = keys::kind(api.as_str(), Part::Deployment);
        let mut order: Vec<(i64, Rev, DeploymentId)> = Vec::new();
        for row in self.store.scan(&prefix, None, usize::MAX).await? {
            let name = keys::split_part(api, &row.key).map(|(_, name)| name);
            let record = name.and_then(|name| workspace.deployments.get(name));
            if let Some(record) = record {
                let deployment = &record.deployment;
                order.push((deployment.created_date.0, row.rev, deployment.id.clone()));
            }
        }
        order.sort_unstable_by(|a, b| b.cmp(a));
        Ok(order.into_iter().map(|(_, _, id)| id).collect())
    }
}
