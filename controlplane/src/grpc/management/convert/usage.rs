//! API keys, usage plans and usage.

use std::collections::BTreeMap;

use tidegate_proto::v1;

use super::{Refused, named, optional, optional_map};
use crate::app::api_keys::{CreateApiKey, ShownApiKey};
use crate::app::usage::Usage;
use crate::app::usage_plan_keys::UsagePlanKey;
use crate::app::usage_plans::{ApiStageInput, CreateUsagePlan, QuotaInput, ThrottleInput};
use crate::model::{ApiStage, ThrottleSettings, UsagePlan};

pub(in super::super) fn create_api_key(key: v1::ApiKey) -> CreateApiKey {
    CreateApiKey {
        name: optional(key.name),
        description: optional(key.description),
        enabled: key.enabled,
        value: optional(key.value),
        stage_keys: key.stage_keys,
        customer_id: optional(key.customer_id),
        tags: optional_map(key.tags),
    }
}

pub(in super::super) fn api_key(shown: ShownApiKey) -> v1::ApiKey {
    let key = shown.key;
    v1::ApiKey {
        id: key.id.to_string(),
        value: shown.value.unwrap_or_default(),
        name: key.name.unwrap_or_default(),
        description: key.description.unwrap_or_default(),
        enabled: key.enabled,
        customer_id: key.customer_id.unwrap_or_default(),
        stage_keys: key.stage_keys,
        tags: key.tags.unwrap_or_default(),
        created_date: key.created_date.0,
        last_updated_date: key.last_updated_date.0,
    }
}

pub(in super::super) fn create_usage_plan(plan: v1::UsagePlan) -> Result<CreateUsagePlan, Refused> {
    let quota = match plan.quota {
        Some(quota) => QuotaInput {
            limit: Some(quota.limit.into()),
            offset: Some(quota.offset.into()),
            period: named("usage_plan.quota.period", &quota.period)?,
        },
        None => QuotaInput::default(),
    };
    let stages = plan.api_stages.into_iter().map(|stage| ApiStageInput {
        api_id: stage.rest_api_id,
        stage: stage.stage_name,
        throttle: stage.throttle.into_iter().map(|(key, it)| (key, throttle_input(it))).collect(),
    });
    Ok(CreateUsagePlan {
        name: plan.name,
        description: optional(plan.description),
        api_stages: stages.collect(),
        throttle: plan.throttle.map(throttle_input).unwrap_or_default(),
        quota,
        tags: optional_map(plan.tags),
    })
}

fn throttle_input(throttle: v1::UsageThrottle) -> ThrottleInput {
    ThrottleInput {
        burst_limit: throttle.burst_limit.map(i64::from),
        rate_limit: throttle.rate_limit,
    }
}

pub(in super::super) fn usage_plan(plan: UsagePlan) -> v1::UsagePlan {
    v1::UsagePlan {
        id: plan.id.to_string(),
        name: plan.name,
        description: plan.description.unwrap_or_default(),
        api_stages: plan.api_stages.into_iter().map(api_stage).collect(),
        throttle: plan.throttle.map(throttle),
        quota: plan.quota.map(|quota| v1::UsageQuota {
            limit: quota.limit,
            offset: quota.offset,
            period: quota.period.to_string(),
        }),
        product_code: plan.product_code.unwrap_or_default(),
        tags: plan.tags.unwrap_or_default(),
    }
}

fn api_stage(covered: ApiStage) -> v1::UsagePlanStage {
    let throttles: BTreeMap<_, _> = covered.throttle.unwrap_or_default();
    v1::UsagePlanStage {
        rest_api_id: covered.api_id.to_string(),
        stage_name: covered.stage.to_string(),
        throttle: throttles.into_iter().map(|(key, limits)| (key, throttle(limits))).collect(),
    }
}

fn throttle(limits: ThrottleSettings) -> v1::UsageThrottle {
    v1::UsageThrottle { burst_limit: limits.burst_limit, rate_limit: limits.rate_limit }
}

pub(in super::super) fn usage_plan_key(key: UsagePlanKey) -> v1::UsagePlanKey {
    v1::UsagePlanKey {
        id: key.id.to_string(),
        r#type: key.kind.to_owned(),
        value: key.value,
        name: key.name.unwrap_or_default(),
    }
}

pub(in super::super) fn usage(usage: Usage) -> v1::Usage {
    let day = |(used, remaining)| v1::DayUsage { used, remaining };
    let items = usage.items.into_iter().map(|(key, days)| v1::KeyUsage {
        key_id: key.to_string(),
        days: days.into_iter().map(day).collect(),
    });
    v1::Usage {
        usage_plan_id: usage.usage_plan_id,
        start_date: usage.start_date.to_string(),
        end_date: usage.end_date.to_string(),
        items: items.collect(),
        position: usage.position.unwrap_or_default(),
    }
}
