//! Which API keys are in which usage plans.
//!
//! A key's row names its plans and a plan's keys have a row each, so both ways are short. For every API stage a key has one
//! plan at most: joining a plan looks at the key's few others, and a plan that is to cover another stage looks at who else is
//! in plans that do ([`super::usage_plans`]). Neither can miss the other: joining expects the plans it read, and counts up
//! what the other reads.

use serde::Serialize;

use super::api_keys::CHUNK;
use super::transaction::Transaction;
use super::workspace::decode;
use super::{App, AppError, Page, Paging};
use crate::model::{ApiKeyId, ApiKeyRecord, UsagePlanId, UsagePlanRecord};
use crate::store::keys::{self, count};
use crate::store::{ChangeKind, StoreError};

/// An API key in a usage plan. Never printed, so that no log holds a value.
#[derive(Clone, PartialEq, Serialize)]
pub struct UsagePlanKey {
    /// The API key's.
    pub id: ApiKeyId,
    /// Always `API_KEY`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What callers send.
    pub value: String,
    /// The API key's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl App {
    /// CreateUsagePlanKey.
    pub async fn create_usage_plan_key(
        &self,
        plan: &str,
        key: &str,
        key_type: &str,
    ) -> Result<UsagePlanKey, AppError> {
        if key_type != KIND {
            let options = KIND.to_owned();
            return Err(AppError::InvalidEnumeration { what: "keyType", options });
        }
        for mut rows in self.transactions() {
            let plan = usage_plan(&mut rows, plan).await?;
            let place = keys::api_key(key);
            let mut record: ApiKeyRecord =
                rows.get(&place).await?.ok_or(AppError::InvalidApiKey)?;
            if record.usage_plans.contains(&plan.plan.id) {
                let (key, plan) = (key.to_owned(), plan.plan.id.to_string());
                return Err(AppError::UsagePlanKeyExists { key, plan });
            }
            self.join(&mut rows, &mut record, &plan).await?;
            rows.put(place, &record, ChangeKind::ApiKey);
            if rows.commit().await? {
                return self.usage_plan_key(record);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// GetUsagePlanKey.
    pub async fn get_usage_plan_key(
        &self,
        plan: &str,
        key: &str,
    ) -> Result<UsagePlanKey, AppError> {
        let row = self.store.get(&keys::usage_plan(plan)).await?;
        let plan: UsagePlanRecord = decode(&row.ok_or(AppError::InvalidUsagePlan)?)?;
        let row = self.store.get(&keys::api_key(key)).await?.ok_or(AppError::InvalidApiKey)?;
        let record: ApiKeyRecord = decode(&row)?;
        if !record.usage_plans.contains(&plan.plan.id) {
            return Err(AppError::InvalidApiKey);
        }
        self.usage_plan_key(record)
    }

    /// GetUsagePlanKeys, in the order of their ids, those whose names begin with `name` if it is given. An unknown plan has
    /// none, as recorded.
    pub async fn get_usage_plan_keys(
        &self,
        plan: &str,
        paging: &Paging,
        name: Option<&str>,
    ) -> Result<Page<UsagePlanKey>, AppError> {
        let wanted = paging.size() + 1;
        let chunk = if name.is_some() { CHUNK } else { wanted };
        let prefix = keys::usage_plan_keys(plan);
        let mut after = paging.after()?.map(|id| keys::usage_plan_key(plan, &id));
        let mut found: Vec<ApiKeyRecord> = Vec::new();
        while found.len() < wanted {
            let rows = self.store.scan(&prefix, after.as_deref(), chunk).await?;
            for row in &rows {
                let id: ApiKeyId = decode(row)?;
                // A key that was deleted since the scan is not in the plan.
                let Some(row) = self.store.get(&keys::api_key(id.as_str())).await? else {
                    continue;
                };
                let record: ApiKeyRecord = decode(&row)?;
                let named = record.key.name.as_deref().unwrap_or_default();
                if name.is_none_or(|prefix| named.starts_with(prefix)) {
                    found.push(record);
                }
            }
            match rows.into_iter().next_back() {
                Some(last) => after = Some(last.key),
                None => break,
            }
        }
        let page = paging.cut(found.into_iter().map(|it| (it.key.id.to_string(), it)));
        let shown = page.items.into_iter().map(|record| self.usage_plan_key(record));
        Ok(Page { items: shown.collect::<Result<_, _>>()?, position: page.position })
    }

    /// DeleteUsagePlanKey: what the key used of the plan is forgotten.
    pub async fn delete_usage_plan_key(&self, plan: &str, key: &str) -> Result<(), AppError> {
        for mut rows in self.transactions() {
            let plan = usage_plan(&mut rows, plan).await?.plan.id;
            let place = keys::api_key(key);
            let mut record: ApiKeyRecord =
                rows.get(&place).await?.ok_or(AppError::InvalidApiKey)?;
            if !record.usage_plans.remove(&plan) {
                return Err(AppError::InvalidApiKey);
            }
            leave(&mut rows, plan.as_str(), key);
            rows.put(place, &record, ChangeKind::ApiKey);
            if rows.commit().await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// Puts a key into a plan it is not in. The key's own row is the caller's to put.
    pub(super) async fn join(
        &self,
        rows: &mut Transaction<'_>,
        record: &mut ApiKeyRecord,
        plan: &UsagePlanRecord,
    ) -> Result<(), AppError> {
        if record.usage_plans.len() >= self.settings.limits.usage_plans_per_key {
            return Err(AppError::TooManyOf { what: "usage plans", of: "API key" });
        }
        let (key, plan) = (record.key.id.as_str(), &plan.plan);
        for other in &record.usage_plans {
            let place = keys::usage_plan(other.as_str());
            let other: UsagePlanRecord =
                rows.get(&place).await?.ok_or(StoreError::Damaged(place))?;
            let both = plan.api_stages.iter().find(|covered| {
                other.plan.api_stage(covered.api_id.as_str(), covered.stage.as_str()).is_some()
            });
            if let Some(both) = both {
                return Err(AppError::UsagePlansOverlap {
                    key: key.to_owned(),
                    plan: plan.id.to_string(),
                    other: other.plan.id.to_string(),
                    api: both.api_id.to_string(),
                    stage: both.stage.to_string(),
                });
            }
        }
        rows.index(keys::usage_plan_key(plan.id.as_str(), key), &record.key.id);
        rows.count(count::usage_plan_keys(plan.id.as_str()), 1);
        record.usage_plans.insert(plan.id.clone());
        Ok(())
    }

    fn usage_plan_key(&self, record: ApiKeyRecord) -> Result<UsagePlanKey, AppError> {
        let value = self.api_key_value(&record)?;
        Ok(UsagePlanKey { id: record.key.id, kind: KIND, value, name: record.key.name })
    }
}

/// Takes a key out of a plan it is in, with what it used of it. The key's own row is the caller's to put.
pub(super) fn leave(rows: &mut Transaction<'_>, plan: &str, key: &str) {
    rows.unindex(keys::usage_plan_key(plan, key));
    rows.delete_all(keys::usage_days(plan, key), ChangeKind::Usage);
    rows.count(count::usage_plan_keys(plan), -1);
}

/// The ids of all keys in a plan.
pub(super) async fn members(
    rows: &mut Transaction<'_>,
    plan: &UsagePlanId,
) -> Result<Vec<ApiKeyId>, AppError> {
    let found = rows.scan::<ApiKeyId>(&keys::usage_plan_keys(plan.as_str())).await?;
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// The plan with this id.
pub(super) async fn usage_plan(
    rows: &mut Transaction<'_>,
    plan: &str,
) -> Result<UsagePlanRecord, AppError> {
    rows.get(&keys::usage_plan(plan)).await?.ok_or(AppError::InvalidUsagePlan)
}

/// The only kind there is.
const KIND: &str = "API_KEY";
