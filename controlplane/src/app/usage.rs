//! What API keys have used of usage plans, and what remains to them.
//!
//! A key in a plan has a row for each day it was used or granted something. Nodes will add what they counted to the day's
//! row; until they do, nothing is used. What remains is not stored but follows from the plan, the grants and the days, so
//! that a changed limit holds at once.

use std::collections::BTreeMap;

use time::Date;
use time::format_description::FormatItem;
use time::macros::format_description;

use super::patch::{PatchOp, PatchOperation};
use super::usage_plan_keys::usage_plan;
use super::workspace::decode;
use super::{App, AppError, Paging, now};
use crate::model::{
    ApiKeyId, ApiKeyRecord, Grant, QuotaSettings, Timestamp, UsageDay, UsagePlanRecord, day_of,
    usage,
};
use crate::store::{ChangeKind, keys};

/// What keys used of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The plan.
    pub usage_plan_id: String,
    /// The first day.
    pub start_date: Date,
    /// The last day.
    pub end_date: Date,
    /// Used and remaining requests, a pair for each day, of each key of this page.
    pub items: Vec<(ApiKeyId, Vec<(i64, i64)>)>,
    /// Where the next page starts; absent on the last page.
    pub position: Option<String>,
}

/// What GetUsage is told.
#[derive(Debug, Clone, Default)]
pub struct GetUsage<'c> {
    /// The plan.
    pub usage_plan_id: &'c str,
    /// Only this key. Absent: all that are in the plan.
    pub key_id: Option<&'c str>,
    /// `YYYY-MM-DD`.
    pub start_date: &'c str,
    /// `YYYY-MM-DD`, included.
    pub end_date: &'c str,
}

impl App {
    /// GetUsage: one pair for each day and key.
    pub async fn get_usage(
        &self,
        input: &GetUsage<'_>,
        paging: &Paging,
    ) -> Result<Usage, AppError> {
        let (from, to) = range(input.start_date, input.end_date)?;
        let id = input.usage_plan_id;
        let row = self.store.get(&keys::usage_plan(id)).await?.ok_or(AppError::InvalidUsagePlan)?;
        let plan: UsagePlanRecord = decode(&row)?;
        let page = match input.key_id {
            Some(key) => {
                let row = self.store.get(&keys::api_key(key)).await?;
                let record: ApiKeyRecord = decode(&row.ok_or(AppError::InvalidApiKey)?)?;
                if !record.usage_plans.contains(&plan.plan.id) {
                    return Err(AppError::InvalidApiKey);
                }
                paging.page([(key.to_owned(), record.key.id)])?
            }
            None => {
                let after = paging.after()?.map(|after| keys::usage_plan_key(id, &after));
                let (prefix, wanted) = (keys::usage_plan_keys(id), paging.size() + 1);
                let rows = self.store.scan(&prefix, after.as_deref(), wanted).await?;
                let found: Vec<ApiKeyId> = rows.iter().map(decode).collect::<Result<_, _>>()?;
                paging.cut(found.into_iter().map(|key| (key.to_string(), key)))
            }
        };
        let quota = quota(&plan);
        let mut items = Vec::new();
        for key in page.items {
            let days = self.usage_days(&plan, &key, from, to).await?;
            let shown =
                usage(quota.as_ref().map(|(quota, since)| (quota, *since)), &days, from, to);
            items.push((key, shown));
        }
        Ok(Usage {
            usage_plan_id: id.to_owned(),
            start_date: from,
            end_date: to,
            items,
            position: page.position,
        })
    }

    /// UpdateUsage: what remains to a key today, and for the rest of the quota's period.
    pub async fn update_usage(
        &self,
        plan: &str,
        key: &str,
        steps: &[PatchOperation],
    ) -> Result<Usage, AppError> {
        self.update_usage_at(plan, key, steps, now()).await
    }

    async fn update_usage_at(
        &self,
        plan: &str,
        key: &str,
        steps: &[PatchOperation],
        at: Timestamp,
    ) -> Result<Usage, AppError> {
        let today = day_of(at);
        for mut rows in self.transactions() {
            let plan = usage_plan(&mut rows, plan).await?;
            let place = keys::api_key(key);
            let record: ApiKeyRecord = rows.get(&place).await?.ok_or(AppError::InvalidApiKey)?;
            let (id, key) = (plan.plan.id.as_str(), record.key.id);
            if !record.usage_plans.contains(&plan.plan.id) {
                return Err(AppError::InvalidApiKey);
            }
            let (quota, since) =
                quota(&plan).ok_or_else(|| AppError::NoQuota { plan: id.to_owned() })?;
            let mut days = self.usage_days(&plan, &key, today, today).await?;
            let place = keys::usage_day(id, key.as_str(), today);
            let mut day: UsageDay = rows.get(&place).await?.unwrap_or_default();
            for step in steps {
                day.grant = Some(Grant { remaining: remaining(step)?, used: day.used });
            }
            if !steps.is_empty() {
                rows.put(place, &day, ChangeKind::Usage);
            }
            days.insert(today, day);
            let pairs = usage(Some((&quota, since)), &days, today, today);
            let shown = Usage {
                usage_plan_id: id.to_owned(),
                start_date: today,
                end_date: today,
                items: vec![(key, pairs)],
                position: None,
            };
            if rows.commit().await? {
                return Ok(shown);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// What is known of the days from the start of the period `from` is in.
    async fn usage_days(
        &self,
        plan: &UsagePlanRecord,
        key: &ApiKeyId,
        from: Date,
        to: Date,
    ) -> Result<BTreeMap<Date, UsageDay>, AppError> {
        let id = plan.plan.id.as_str();
        let start = plan.plan.quota.map_or(from, |quota| quota.period.start(from));
        let before = start.previous_day().map(|day| keys::usage_day(id, key.as_str(), day));
        let prefix = keys::usage_days(id, key.as_str());
        let most = usize::try_from((to - start).whole_days() + 1).unwrap_or_default();
        let rows = self.store.scan(&prefix, before.as_deref(), most).await?;
        let mut days = BTreeMap::new();
        for row in rows {
            if let Some(day) = row.key.strip_prefix(&prefix).and_then(date) {
                days.insert(day, decode(&row)?);
            }
        }
        Ok(days)
    }
}

/// The plan's quota, and the day it began.
fn quota(plan: &UsagePlanRecord) -> Option<(QuotaSettings, Date)> {
    Some((plan.plan.quota?, day_of(plan.quota_since.unwrap_or_default())))
}

/// What one step of UpdateUsage grants. AWS lists no path for the ops it does not take.
fn remaining(step: &PatchOperation) -> Result<i64, AppError> {
    let (path, op) = (step.path(), crate::model::WireName::name(step.op));
    match (path, step.op) {
        ("/remaining", PatchOp::Replace) => {
            let parsed = step.value()?.trim().parse().ok();
            parsed.filter(|remaining| *remaining >= 0).ok_or_else(|| step.bad_value())
        }
        (_, PatchOp::Replace) => {
            Err(AppError::PatchPathAmong { path: path.to_owned(), op, among: "/remaining" })
        }
        _ => Err(AppError::PatchPathAmong { path: path.to_owned(), op, among: "" }),
    }
}

/// The days from one to another, both included.
fn range(start: &str, end: &str) -> Result<(Date, Date), AppError> {
    let (from, to) = (date(start), date(end));
    let (Some(from), Some(to)) = (from, to) else {
        let named = [("startDate", start, from), ("endDate", end, to)];
        let bad = named.iter().filter(|(_, _, parsed)| parsed.is_none());
        let dates: Vec<String> = bad.map(|(name, given, _)| format!("{name} '{given}'")).collect();
        return Err(AppError::InvalidUsageDates { dates: dates.join(" and ") });
    };
    if from > to {
        return Err(AppError::InvalidUsageRange { reason: "startDate must not be after endDate" });
    }
    if (to - from).whole_days() >= LONGEST_RANGE {
        let reason = "it must not be longer than 366 days";
        return Err(AppError::InvalidUsageRange { reason });
    }
    Ok((from, to))
}

/// A day in the form AWS takes.
fn date(text: &str) -> Option<Date> {
    // The parser would also take a sign.
    let written = text.len() == 10 && text.starts_with(|first: char| first.is_ascii_digit());
    written.then(|| Date::parse(text, FORMAT).ok())?
}

const FORMAT: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// Days of one GetUsage, which answers with a pair for each.
const LONGEST_RANGE: i64 = 366;
