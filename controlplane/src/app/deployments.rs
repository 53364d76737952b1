//! Deployments: freezing an API's configuration, compiling it, and pointing a stage at it.

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, CompiledBundle, Draft, Item, Page, Paging, Workspace, now, stages};
use crate::model::{
    CacheClusterSize, CanarySettings, ContentHash, Deployment, DeploymentCanarySettings,
    DeploymentId, DeploymentRecord, Snapshot, Stage, StageName, StageRecord, StringMap, WireName,
};
use crate::store::keys::Part;

/// What CreateDeployment is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is the stage's or deployment's of its name")]
pub struct CreateDeployment {
    /// Absent or empty: no stage changes.
    pub stage_name: Option<String>,
    /// For a stage this call creates.
    pub stage_description: Option<String>,
    pub description: Option<String>,
    pub cache_cluster_enabled: Option<bool>,
    pub cache_cluster_size: Option<CacheClusterSize>,
    pub variables: Option<StringMap>,
    /// Given: the deployment becomes the stage's canary.
    pub canary_settings: Option<DeploymentCanarySettings>,
    pub tracing_enabled: Option<bool>,
}

/// What GetDeployment adds on request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EmbedSummary(pub bool);

impl EmbedSummary {
    /// Reads the words of `embed`; only `apisummary` is known.
    pub fn parse<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, AppError> {
        let mut embed = Self(false);
        for word in words.into_iter().filter(|word| !word.is_empty()) {
            if !word.eq_ignore_ascii_case("apisummary") {
                return Err(AppError::InvalidEmbed { value: word.to_owned() });
            }
            embed.0 = true;
        }
        Ok(embed)
    }
}

impl App {
    /// CreateDeployment: freezes the configuration as it is at one version, and moves the stage in the same step.
    pub async fn create_deployment(
        &self,
        api: &str,
        input: CreateDeployment,
    ) -> Result<Deployment, AppError> {
        let id = crate::model::ApiId::parse(api).map_err(|_| self.unknown_api(api))?;
        for _ in 0..super::ATTEMPTS {
            let edit = self.workspaces.edit(&*self.store, &id).await?;
            let edit = edit.ok_or_else(|| self.unknown_api(api))?;
            let workspace = edit.workspace().clone();
            check_target(&workspace, &input)?;
            let compiler = self.compiler.clone();
            let frozen = workspace.clone();
            // Large APIs take long to compile: off the threads that answer other callers.
            let built = tokio::task::spawn_blocking(move || {
                let snapshot = frozen.snapshot();
                let bundle = compile(&*compiler, &snapshot)?;
                Ok::<_, AppError>((snapshot.to_canonical_json(), bundle))
            });
            let (snapshot, bundle) = built.await.map_err(|cause| {
                tracing::error!(%cause, api, "compiler failed");
                AppError::Store(crate::store::StoreError::Damaged(format!(
                    "configuration of API {api}"
                )))
            })??;
            let record = DeploymentRecord {
                deployment: Deployment {
                    id: unused_id(&workspace),
                    description: input.description.clone().filter(|text| !text.is_empty()),
                    created_date: now(),
                    api_summary: None,
                },
                snapshot: ContentHash::of(&snapshot),
                bundle: ContentHash::of(&bundle.bytes),
                bundle_id: bundle.id,
            };
            let mut draft = Draft::default();
            draft.blob(snapshot);
            draft.blob(bundle.bytes);
            draft.put(Item::Deployment(record.clone()));
            if let Some(stage) = self.retarget(&workspace, &input, &record.deployment.id)? {
                draft.put(Item::Stage(stage));
            }
            // The copy is changed in place if nobody else holds it.
            drop(workspace);
            if edit.commit(&*self.store, draft).await? {
                return Ok(record.deployment);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// GetDeployment.
    pub async fn get_deployment(
        &self,
        api: &str,
        deployment: &str,
        embed: EmbedSummary,
    ) -> Result<Deployment, AppError> {
        let record = self.deployment_record(api, deployment).await?;
        let mut deployment = record.deployment;
        if embed.0 {
            let snapshot = self.deployed_snapshot(&record.snapshot).await?;
            deployment.api_summary = Some(snapshot.summary());
        }
        Ok(deployment)
    }

    /// What the store keeps of a deployment; its blobs are in the store under the hashes it names.
    pub async fn deployment_record(
        &self,
        api: &str,
        deployment: &str,
    ) -> Result<DeploymentRecord, AppError> {
        let workspace = self.workspace(api).await?;
        let record = workspace.deployments.get(deployment).ok_or(AppError::InvalidDeployment)?;
        Ok(DeploymentRecord::clone(record))
    }

    /// The configuration a deployment froze.
    pub async fn deployed_snapshot(&self, hash: &ContentHash) -> Result<Snapshot, AppError> {
        let damaged =
            || AppError::Store(crate::store::StoreError::Damaged(format!("snapshot {hash}")));
        let bytes = self.store.blob(*hash).await?.ok_or_else(damaged)?;
        Snapshot::from_canonical_json(&bytes).map_err(|_| damaged())
    }

    /// GetDeployments, in the order of their ids.
    pub async fn get_deployments(
        &self,
        api: &str,
        paging: &Paging,
    ) -> Result<Page<Deployment>, AppError> {
        let workspace = self.workspace(api).await?;
        paging.page(
            workspace
                .deployments
                .iter()
                .map(|(id, record)| (id.to_string(), record.deployment.clone())),
        )
    }

    /// UpdateDeployment: the description, nothing else.
    pub async fn update_deployment(
        &self,
        api: &str,
        deployment: &str,
        patch: &[PatchOperation],
    ) -> Result<Deployment, AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let old =
                    workspace.deployments.get(deployment).ok_or(AppError::InvalidDeployment)?;
                let mut record = DeploymentRecord::clone(old);
                for operation in patch {
                    let (path, op) = (operation.path().to_owned(), operation.op.name());
                    if operation.op != PatchOp::Replace {
                        return Err(AppError::PatchOpUnsupported { path, op });
                    }
                    if path != "/description" {
                        return Err(AppError::PatchPathAmong { path, op, among: "/description" });
                    }
                    record.deployment.description = operation.nullable();
                }
                if record != **old {
                    draft.put(Item::Deployment(record.clone()));
                }
                Ok(record.deployment)
            },
        )
        .await
    }

    /// DeleteDeployment, unless a stage or a canary points at it.
    pub async fn delete_deployment(&self, api: &str, deployment: &str) -> Result<(), AppError> {
        self.change(
            api,
            || self.unknown_api(api),
            |workspace, draft| {
                let record =
                    workspace.deployments.get(deployment).ok_or(AppError::InvalidDeployment)?;
                let id = &record.deployment.id;
                let stages = || workspace.stages.values().map(|record| &record.stage);
                let serving = stages().filter(|stage| &stage.deployment_id == id);
                let serving: Vec<_> = serving.map(|stage| stage.stage_name.to_string()).collect();
                let canaries = stages().filter(|stage| {
                    stage.canary_settings.as_ref().is_some_and(|c| &c.deployment_id == id)
                });
                let canaries: Vec<_> =
                    canaries.map(|stage| format!("{} (canary)", stage.stage_name)).collect();
                let users = [&serving[..], &canaries].concat().join(", ");
                if !serving.is_empty() {
                    return Err(AppError::DeploymentInUse { users });
                }
                if !canaries.is_empty() {
                    return Err(AppError::DeploymentInUseByCanary { users });
                }
                draft.remove(Part::Deployment, id.as_str());
                Ok(())
            },
        )
        .await
    }

    /// The stage as it is after the deployment; `None` when the call names no stage.
    fn retarget(
        &self,
        workspace: &Workspace,
        input: &CreateDeployment,
        deployment: &DeploymentId,
    ) -> Result<Option<StageRecord>, AppError> {
        let Some(name) = stage_name(input) else { return Ok(None) };
        let name = StageName::parse(name).map_err(|_| AppError::InvalidStageName)?;
        let mut record = match workspace.stages.get(&name) {
            Some(known) => StageRecord::clone(known),
            None => {
                self.check_stage_count(workspace)?;
                let mut stage = Stage::new(name, deployment.clone(), now());
                stage.description = input.stage_description.clone().filter(|text| !text.is_empty());
                stages::record(stage)
            }
        };
        let stage = &mut record.stage;
        match (&input.canary_settings, &mut stage.canary_settings) {
            (Some(settings), canary) => {
                *canary = Some(CanarySettings {
                    percent_traffic: stages::percent(settings.percent_traffic.unwrap_or(0.0))?,
                    deployment_id: deployment.clone(),
                    stage_variable_overrides: settings.stage_variable_overrides.clone(),
                    use_stage_cache: settings.use_stage_cache.unwrap_or(false),
                });
            }
            // A stage under canary keeps its production side until the canary is promoted.
            (None, Some(canary)) => canary.deployment_id = deployment.clone(),
            (None, None) => stage.deployment_id = deployment.clone(),
        }
        if let Some(variables) = &input.variables {
            stage.variables.get_or_insert_default().extend(variables.clone());
        }
        stages::set_cache(stage, input.cache_cluster_enabled, input.cache_cluster_size);
        if let Some(enabled) = input.tracing_enabled {
            stage.tracing_enabled = enabled;
        }
        stage.last_updated_date = now();
        stages::check(workspace, stage, Some(deployment))?;
        Ok(Some(record))
    }
}

fn stage_name(input: &CreateDeployment) -> Option<&str> {
    input.stage_name.as_deref().filter(|name| !name.is_empty())
}

/// What can be refused before anything is compiled.
fn check_target(workspace: &Workspace, input: &CreateDeployment) -> Result<(), AppError> {
    if input.canary_settings.is_none() {
        return Ok(());
    }
    match stage_name(input) {
        None if input.stage_name.is_none() => Err(AppError::CanaryNeedsStageName { value: "null" }),
        None => Err(AppError::CanaryNeedsStageName { value: "empty" }),
        Some(name) if !workspace.stages.contains_key(name) => {
            Err(AppError::CanaryNeedsStage { stage: name.to_owned() })
        }
        Some(_) => Ok(()),
    }
}

fn compile(
    compiler: &dyn super::Compiler,
    snapshot: &Snapshot,
) -> Result<CompiledBundle, AppError> {
    let mut methods = snapshot
        .resources
        .iter()
        .flat_map(|resource| resource.resource_methods.values())
        .peekable();
    if methods.peek().is_none() {
        return Err(AppError::NoMethods);
    }
    if methods.any(|method| method.method_integration.is_none()) {
        return Err(AppError::NoIntegration);
    }
    compiler.compile(snapshot).map_err(|found| {
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        AppError::NotDeployable { diagnostics: found.join("; ") }
    })
}

fn unused_id(workspace: &Workspace) -> DeploymentId {
    loop {
        let id = DeploymentId::draw(&mut rand::rng());
        if !workspace.deployments.contains_key(&id) {
            return id;
        }
    }
}
