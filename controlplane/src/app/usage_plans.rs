//! Usage plans: create, show, change, delete.
//!
//! A plan's row names the stages it covers, and each stage has a row per plan that covers it, so that a stage's plans are
//! found when it goes. A stage that is deleted, alone or with its API, leaves the plans that covered it, as on AWS (known from
//! Terraform, whose plans lose a stage that is replaced): see [`stages`]. A plan that covers stages cannot be deleted.

mod patch;
mod stages;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::patch::PatchOperation;
use super::usage_plan_keys::{members, usage_plan};
use super::workspace::decode;
use super::{App, AppError, Page, Paging, now, tags};
use crate::model::{
    ApiId, ApiKeyRecord, ApiStage, HttpMethod, QuotaPeriod, QuotaSettings, Stage, StageName,
    StringMap, ThrottleSettings, UsagePlan, UsagePlanId, UsagePlanRecord, WireName as _,
};
use crate::store::keys::{self, count};
use crate::store::{ChangeKind, StoreError};

/// What CreateUsagePlan is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is UsagePlan's of its name")]
pub struct CreateUsagePlan {
    pub name: String,
    pub description: Option<String>,
    pub api_stages: Vec<ApiStageInput>,
    pub throttle: ThrottleInput,
    pub quota: QuotaInput,
    pub tags: Option<StringMap>,
}

/// A stage to cover, as given.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is ApiStage's of its name")]
pub struct ApiStageInput {
    pub api_id: String,
    pub stage: String,
    pub throttle: BTreeMap<String, ThrottleInput>,
}

/// A token bucket as given; without either member there is none.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "each member is ThrottleSettings's of its name")]
pub struct ThrottleInput {
    pub burst_limit: Option<i64>,
    pub rate_limit: Option<f64>,
}

/// A quota as given; without any member there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each member is QuotaSettings's of its name")]
pub struct QuotaInput {
    pub limit: Option<i64>,
    pub offset: Option<i64>,
    pub period: Option<QuotaPeriod>,
}

impl App {
    /// CreateUsagePlan.
    pub async fn create_usage_plan(&self, input: CreateUsagePlan) -> Result<UsagePlan, AppError> {
        if input.name.is_empty() {
            return Err(AppError::EmptyName);
        }
        let mut plan = UsagePlan {
            id: UsagePlanId::draw(&mut rand::rng()),
            name: input.name,
            description: input.description.filter(|text| !text.is_empty()),
            api_stages: Vec::new(),
            throttle: Some(throttle(input.throttle)?).filter(|limits| !limits.is_empty()),
            quota: quota(input.quota)?,
            product_code: None,
            tags: input.tags.filter(|tags| !tags.is_empty()),
        };
        plan.tags.iter().try_for_each(tags::check)?;
        for stage in input.api_stages {
            let covered = api_stage(&stage.api_id, &stage.stage, stage.throttle)?;
            if plan.api_stage(covered.api_id.as_str(), covered.stage.as_str()).is_some() {
                return Err(AppError::InvalidApiStage);
            }
            plan.api_stages.push(covered);
        }
        self.check_throttle_count(&plan)?;
        for mut rows in self.transactions() {
            plan.id = UsagePlanId::draw(&mut rand::rng());
            let place = keys::usage_plan(plan.id.as_str());
            if rows.has(&place).await? {
                continue;
            }
            for covered in &plan.api_stages {
                stages::cover(&mut rows, &plan.id, covered).await?;
            }
            let quota_since = plan.quota.map(|_| now());
            let record = UsagePlanRecord { plan: plan.clone(), quota_since };
            rows.put(place, &record, ChangeKind::UsagePlan);
            let full = AppError::TooManyOf { what: "usage plans", of: "account" };
            rows.count_up(count::USAGE_PLANS.to_owned(), self.settings.limits.usage_plans, full);
            if rows.commit().await? {
                return Ok(plan);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// GetUsagePlan.
    pub async fn get_usage_plan(&self, id: &str) -> Result<UsagePlan, AppError> {
        let row = self.store.get(&keys::usage_plan(id)).await?.ok_or(AppError::InvalidUsagePlan)?;
        Ok(decode::<UsagePlanRecord>(&row)?.plan)
    }

    /// GetUsagePlans, in the order of their ids, those a key is in if it is given. An unknown key is in none.
    pub async fn get_usage_plans(
        &self,
        paging: &Paging,
        key: Option<&str>,
    ) -> Result<Page<UsagePlan>, AppError> {
        let Some(key) = key else {
            let after = paging.after()?.map(|after| keys::usage_plan(&after));
            let wanted = paging.size() + 1;
            let rows = self.store.scan(keys::USAGE_PLANS, after.as_deref(), wanted).await?;
            let plans: Vec<UsagePlanRecord> = rows.iter().map(decode).collect::<Result<_, _>>()?;
            return Ok(paging.cut(plans.into_iter().map(|it| (it.plan.id.to_string(), it.plan))));
        };
        let mut plans = Vec::new();
        if let Some(row) = self.store.get(&keys::api_key(key)).await? {
            for id in decode::<ApiKeyRecord>(&row)?.usage_plans {
                // A plan that was deleted since the key was read has no keys.
                if let Some(row) = self.store.get(&keys::usage_plan(id.as_str())).await? {
                    plans.push((id.to_string(), decode::<UsagePlanRecord>(&row)?.plan));
                }
            }
        }
        paging.page(plans)
    }

    /// UpdateUsagePlan: all steps or none.
    pub async fn update_usage_plan(
        &self,
        id: &str,
        steps: &[PatchOperation],
    ) -> Result<UsagePlan, AppError> {
        for mut rows in self.transactions() {
            let before = usage_plan(&mut rows, id).await?;
            let plan = patch::apply(before.plan.clone(), steps)?;
            self.check_throttle_count(&plan)?;
            stages::follow(&mut rows, &before.plan, &plan).await?;
            let quota_since = match (before.plan.quota, plan.quota) {
                (Some(old), Some(new)) if old.period == new.period => before.quota_since,
                (_, new) => new.map(|_| now()),
            };
            let record = UsagePlanRecord { plan, quota_since };
            if record != before {
                rows.put(keys::usage_plan(id), &record, ChangeKind::UsagePlan);
            }
            if rows.commit().await? {
                return Ok(record.plan);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// DeleteUsagePlan: its keys stay, without it.
    pub async fn delete_usage_plan(&self, id: &str) -> Result<(), AppError> {
        for mut rows in self.transactions() {
            let plan = usage_plan(&mut rows, id).await?.plan;
            if !plan.api_stages.is_empty() {
                let covered = plan.api_stages.iter();
                let stages: Vec<String> =
                    covered.map(|it| format!("{}:{}", it.api_id, it.stage)).collect();
                let (plan, stages) = (plan.id.to_string(), stages.join(", "));
                return Err(AppError::UsagePlanInUse { plan, stages });
            }
            // Expected as it is, so that no key joins what goes.
            rows.has(&count::usage_plan_keys(id)).await?;
            for key in members(&mut rows, &plan.id).await? {
                let place = keys::api_key(key.as_str());
                let found: Option<ApiKeyRecord> = rows.get(&place).await?;
                let mut record = found.ok_or_else(|| StoreError::Damaged(place.clone()))?;
                record.usage_plans.remove(&plan.id);
                rows.put(place, &record, ChangeKind::ApiKey);
                rows.unindex(keys::usage_plan_key(id, key.as_str()));
            }
            rows.unindex(count::usage_plan_keys(id));
            rows.delete_all(keys::usage(id), ChangeKind::Usage);
            rows.delete(keys::usage_plan(id), ChangeKind::UsagePlan);
            rows.count(count::USAGE_PLANS.to_owned(), -1);
            if rows.commit().await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }

    fn check_throttle_count(&self, plan: &UsagePlan) -> Result<(), AppError> {
        let most = self.settings.limits.throttles_per_api_stage;
        let mut counts = plan.api_stages.iter().flat_map(|it| &it.throttle).map(BTreeMap::len);
        if counts.any(|count| count > most) {
            return Err(AppError::TooManyOf { what: "method throttles", of: "API stage" });
        }
        Ok(())
    }
}

/// A stage to cover. Whether it is there is seen later.
fn api_stage(
    api: &str,
    stage: &str,
    throttles: BTreeMap<String, ThrottleInput>,
) -> Result<ApiStage, AppError> {
    if api.is_empty() || stage.is_empty() {
        return Err(AppError::InvalidApiStage);
    }
    // What cannot be one is not there.
    let unknown = |_| AppError::ApiStageNotFound { api: api.to_owned(), stage: stage.to_owned() };
    Ok(ApiStage {
        api_id: ApiId::parse(api).map_err(unknown)?,
        stage: StageName::parse(stage).map_err(unknown)?,
        throttle: method_throttles(throttles)?,
    })
}

/// Limits per method; none is absent.
fn method_throttles(
    given: BTreeMap<String, ThrottleInput>,
) -> Result<Option<BTreeMap<String, ThrottleSettings>>, AppError> {
    let mut throttles = BTreeMap::new();
    for (key, limits) in given {
        check_method(&key)?;
        throttles.insert(key, throttle(limits)?);
    }
    Ok(Some(throttles).filter(|throttles| !throttles.is_empty()))
}

/// A key of a method-level throttle has the form of one of a stage's method settings.
fn check_method(key: &str) -> Result<(), AppError> {
    let known = Stage::method_setting_target(key).is_some_and(|(path, verb)| {
        HttpMethod::from_name(verb).is_some() || verb == "*" && path == "*"
    });
    if known { Ok(()) } else { Err(AppError::InvalidThrottleMethod { key: key.to_owned() }) }
}

fn throttle(given: ThrottleInput) -> Result<ThrottleSettings, AppError> {
    let burst_limit = given.burst_limit.map(|limit| {
        count_of_requests(limit).ok_or(AppError::InvalidThrottle {
            reason: "burst limit must be between 0 and 2147483647",
        })
    });
    if given.rate_limit.is_some_and(|rate| !rate.is_finite() || rate < 0.0) {
        return Err(AppError::InvalidThrottle {
            reason: "rate limit must be a number of at least 0",
        });
    }
    Ok(ThrottleSettings { burst_limit: burst_limit.transpose()?, rate_limit: given.rate_limit })
}

/// A quota. Texts of offsets are those Terraform repeats from AWS.
fn quota(given: QuotaInput) -> Result<Option<QuotaSettings>, AppError> {
    if given == QuotaInput::default() {
        return Ok(None);
    }
    let invalid = |reason| AppError::InvalidQuota { reason };
    let limit = given.limit.ok_or(invalid("limit must be specified"))?;
    let limit =
        count_of_requests(limit).ok_or(invalid("limit must be between 0 and 2147483647"))?;
    let period = given.period.ok_or(invalid("period must be one of DAY, WEEK, MONTH"))?;
    let (most, reason) = match period {
        QuotaPeriod::Day => (0, "offset must be zero in the DAY period"),
        QuotaPeriod::Week => {
            (6, "offset must be between zero and six inclusive in the WEEK period")
        }
        QuotaPeriod::Month => {
            (27, "offset must be between zero and 27 inclusive in the MONTH period")
        }
    };
    let offset = count_of_requests(given.offset.unwrap_or_default());
    let offset = offset.filter(|offset| *offset <= most).ok_or(invalid(reason))?;
    Ok(Some(QuotaSettings { limit, offset, period }))
}

/// AWS's counts are 32 bits wide.
fn count_of_requests(given: i64) -> Option<i32> {
    i32::try_from(given).ok().filter(|count| *count >= 0)
}

#[cfg(test)]
mod tests;
