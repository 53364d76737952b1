//! The stages usage plans cover, as stages and plans come and go.

use std::collections::{BTreeMap, BTreeSet};

use super::{App, AppError};
use crate::app::transaction::Transaction;
use crate::app::usage_plan_keys::members;
use crate::app::{ATTEMPTS, Draft, Workspace};
use crate::model::{ApiId, ApiKeyId, ApiStage, StageName, UsagePlan, UsagePlanId, UsagePlanRecord};
use crate::store::keys::{self, Part, count};
use crate::store::{ChangeKind, Operation, StoreError};

impl App {
    /// Like [`App::change`], for what takes stages away: `decide` says which, and plans that cover them let go in the same
    /// step.
    pub(in crate::app) async fn remove_stages(
        &self,
        api: &str,
        decide: impl Fn(&Workspace, &mut Draft) -> Result<Vec<StageName>, AppError>,
    ) -> Result<(), AppError> {
        let id = ApiId::parse(api).map_err(|_| self.unknown_api(api))?;
        for _ in 0..ATTEMPTS {
            let edit = self.workspaces.edit(&*self.store, &id).await?;
            let edit = edit.ok_or_else(|| self.unknown_api(api))?;
            let mut draft = Draft::default();
            let stages = decide(edit.workspace(), &mut draft)?;
            draft.beside(self.let_go(&id, &stages).await?);
            if edit.commit(&*self.store, draft).await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// What changes of usage plans when stages go.
    async fn let_go(&self, api: &ApiId, stages: &[StageName]) -> Result<Operation, AppError> {
        let mut rows = self.transaction();
        let mut plans: BTreeMap<UsagePlanId, UsagePlanRecord> = BTreeMap::new();
        for stage in stages {
            let counter = count::usage_plan_stages(api.as_str(), stage.as_str());
            // Expected as it is, so that no plan comes to cover what goes.
            if !rows.has(&counter).await? {
                continue;
            }
            rows.unindex(counter);
            let covering = keys::usage_plan_stages(api.as_str(), stage.as_str());
            for (place, id) in rows.scan::<UsagePlanId>(&covering).await? {
                rows.unindex(place);
                if !plans.contains_key(&id) {
                    let place = keys::usage_plan(id.as_str());
                    let record = rows.get(&place).await?.ok_or(StoreError::Damaged(place))?;
                    plans.insert(id.clone(), record);
                }
                if let Some(record) = plans.get_mut(&id) {
                    record.plan.api_stages.retain(|it| !it.is(api.as_str(), stage.as_str()));
                }
            }
        }
        for (id, record) in &plans {
            rows.put(keys::usage_plan(id.as_str()), record, ChangeKind::UsagePlan);
        }
        Ok(rows.into_part())
    }
}

/// Notes that a plan covers a stage, which must be there.
pub(super) async fn cover(
    rows: &mut Transaction<'_>,
    plan: &UsagePlanId,
    covered: &ApiStage,
) -> Result<(), AppError> {
    let (api, stage) = (covered.api_id.as_str(), covered.stage.as_str());
    if !rows.has(&keys::part(api, Part::Stage, stage)).await? {
        let (api, stage) = (api.to_owned(), stage.to_owned());
        return Err(AppError::ApiStageNotFound { api, stage });
    }
    rows.index(keys::usage_plan_stage(api, stage, plan.as_str()), plan);
    rows.count(count::usage_plan_stages(api, stage), 1);
    Ok(())
}

/// Notes what a change of a plan means for the stages it covers, and refuses one that would give a key two plans for a stage.
pub(super) async fn follow(
    rows: &mut Transaction<'_>,
    before: &UsagePlan,
    after: &UsagePlan,
) -> Result<(), AppError> {
    let missing = |from: &UsagePlan, stage: &ApiStage| {
        from.api_stage(stage.api_id.as_str(), stage.stage.as_str()).is_none()
    };
    for gone in before.api_stages.iter().filter(|stage| missing(after, stage)) {
        let (api, stage) = (gone.api_id.as_str(), gone.stage.as_str());
        rows.unindex(keys::usage_plan_stage(api, stage, before.id.as_str()));
        rows.count(count::usage_plan_stages(api, stage), -1);
    }
    let new: Vec<&ApiStage> =
        after.api_stages.iter().filter(|stage| missing(before, stage)).collect();
    for covered in &new {
        cover(rows, &after.id, covered).await?;
    }
    check_overlap(rows, &after.id, &new).await
}

/// Whether a key of the plan is also in another that covers one of `new`.
///
/// Counters are read before what they count: should a key join, or another plan come to cover a stage, in the meantime, the
/// transaction decides again.
async fn check_overlap(
    rows: &mut Transaction<'_>,
    plan: &UsagePlanId,
    new: &[&ApiStage],
) -> Result<(), AppError> {
    if new.is_empty() || !rows.has(&count::usage_plan_keys(plan.as_str())).await? {
        return Ok(());
    }
    let own: BTreeSet<ApiKeyId> = members(rows, plan).await?.into_iter().collect();
    if own.is_empty() {
        return Ok(());
    }
    for covered in new {
        let (api, stage) = (covered.api_id.as_str(), covered.stage.as_str());
        rows.has(&count::usage_plan_stages(api, stage)).await?;
        let others = rows.scan::<UsagePlanId>(&keys::usage_plan_stages(api, stage)).await?;
        for (_, other) in others.into_iter().filter(|(_, other)| other != plan) {
            rows.has(&count::usage_plan_keys(other.as_str())).await?;
            let shared = members(rows, &other).await?.into_iter().find(|key| own.contains(key));
            if let Some(key) = shared {
                return Err(AppError::UsagePlansOverlap {
                    key: key.to_string(),
                    plan: plan.to_string(),
                    other: other.to_string(),
                    api: api.to_owned(),
                    stage: stage.to_owned(),
                });
            }
        }
    }
    Ok(())
}
