//! The patch paths of a usage plan. Source: `admin-api` section 6.1.
//!
//! Resource paths stand in a patch path as they are, so that two slashes meet:
//! `/apiStages/abc:dev/throttle//pets/GET/rateLimit`. Escaped ones (`~1pets/GET`) mean the same.

use std::collections::BTreeMap;

use super::{
    QuotaInput, ThrottleInput, api_stage, check_method, method_throttles, quota, throttle,
};
use crate::app::AppError;
use crate::app::patch::{PatchOp, PatchOperation, unescape};
use crate::model::{ApiStage, ThrottleSettings, UsagePlan, WireName as _};

/// The plan after some steps. Quotas are judged when all steps are taken: limit and period come one by one.
pub(super) fn apply(mut plan: UsagePlan, steps: &[PatchOperation]) -> Result<UsagePlan, AppError> {
    let mut quota_input = plan.quota.map_or_else(QuotaInput::default, |quota| QuotaInput {
        limit: Some(quota.limit.into()),
        offset: Some(quota.offset.into()),
        period: Some(quota.period),
    });
    for step in steps {
        take(&mut plan, &mut quota_input, step)?;
    }
    plan.quota = quota(quota_input)?;
    Ok(plan)
}

fn take(
    plan: &mut UsagePlan,
    quota: &mut QuotaInput,
    step: &PatchOperation,
) -> Result<(), AppError> {
    use PatchOp::{Add, Remove, Replace};
    match (step.path(), step.op) {
        ("/name", Replace) => plan.name = step.nullable().ok_or(AppError::EmptyName)?,
        ("/description", Replace) => plan.description = step.nullable(),
        ("/productCode", Add | Replace) => plan.product_code = step.nullable(),
        ("/productCode", Remove) => plan.product_code = None,
        ("/throttle/burstLimit" | "/throttle/rateLimit", Add | Replace) => {
            let mut limits = plan.throttle.unwrap_or_default();
            set_limit(&mut limits, step)?;
            plan.throttle = Some(limits);
        }
        ("/throttle", Remove) => plan.throttle = None,
        ("/quota/limit", Add | Replace) => quota.limit = Some(number(step)?),
        ("/quota/offset", Add | Replace) => quota.offset = Some(number(step)?),
        ("/quota/period", Add | Replace) => quota.period = Some(step.one_of()?),
        ("/quota", Remove) => *quota = QuotaInput::default(),
        ("/apiStages", Add) => {
            let (api, stage) = stage_value(step.value.as_deref())?;
            let covered = api_stage(api, stage, BTreeMap::new())?;
            if plan.api_stage(api, stage).is_none() {
                plan.api_stages.push(covered);
            }
        }
        ("/apiStages", Remove) => {
            let (api, stage) = stage_value(step.value.as_deref())?;
            covered(plan, api, stage)?;
            plan.api_stages.retain(|known| !known.is(api, stage));
        }
        (path, Add | Remove | Replace) => {
            let below = path.strip_prefix("/apiStages/").and_then(|rest| rest.split_once('/'));
            let Some((stage, "throttle")) = below.map(|(stage, rest)| {
                (stage, rest.split_once('/').map_or(rest, |(first, _)| first))
            }) else {
                return Err(unknown(step));
            };
            let (api, stage) = stage_value(Some(stage))?;
            method_throttle(covered(plan, api, stage)?, step)?;
        }
        _ => return Err(unknown(step)),
    }
    Ok(())
}

/// `{api}:{stage}`.
fn stage_value(value: Option<&str>) -> Result<(&str, &str), AppError> {
    let parts = value.and_then(|value| value.split_once(':'));
    let well_formed =
        |(api, stage): &(&str, &str)| !api.is_empty() && !stage.is_empty() && !stage.contains(':');
    parts.filter(well_formed).ok_or(AppError::InvalidApiStage)
}

/// The stage, which the plan must cover.
fn covered<'p>(
    plan: &'p mut UsagePlan,
    api: &str,
    stage: &str,
) -> Result<&'p mut ApiStage, AppError> {
    let id = &plan.id;
    plan.api_stages.iter_mut().find(|known| known.is(api, stage)).ok_or_else(|| {
        AppError::NotInUsagePlan {
            api: api.to_owned(),
            stage: stage.to_owned(),
            plan: id.to_string(),
        }
    })
}

/// A step at `/apiStages/{api}:{stage}/throttle` or below.
fn method_throttle(stage: &mut ApiStage, step: &PatchOperation) -> Result<(), AppError> {
    // The resource path may hold anything, so what is before it is cut off by its known form.
    let below = step.path().splitn(4, '/').nth(3).unwrap_or_default();
    let Some(method) = below.strip_prefix("throttle/") else {
        stage.throttle = match step.op {
            PatchOp::Remove => None,
            _ => {
                let given: BTreeMap<String, ThrottleInput> =
                    serde_json::from_str(step.value()?).map_err(|_| step.bad_value())?;
                method_throttles(given)?
            }
        };
        return Ok(());
    };
    if step.op == PatchOp::Remove {
        let mut throttles = stage.throttle.take().unwrap_or_default();
        throttles.remove(&unescape(method)).ok_or_else(|| unknown(step))?;
        stage.throttle = Some(throttles).filter(|throttles| !throttles.is_empty());
        return Ok(());
    }
    let (key, _) = method.rsplit_once('/').ok_or_else(|| unknown(step))?;
    let key = unescape(key);
    let throttles = stage.throttle.get_or_insert_default();
    let mut limits = throttles.get(&key).copied().unwrap_or_default();
    set_limit(&mut limits, step)?;
    check_method(&key)?;
    throttles.insert(key, limits);
    Ok(())
}

/// Sets the limit the path ends with.
fn set_limit(limits: &mut ThrottleSettings, step: &PatchOperation) -> Result<(), AppError> {
    let given = if step.path().ends_with("/burstLimit") {
        ThrottleInput { burst_limit: Some(number(step)?), ..ThrottleInput::default() }
    } else if step.path().ends_with("/rateLimit") {
        ThrottleInput { rate_limit: Some(number(step)?), ..ThrottleInput::default() }
    } else {
        return Err(unknown(step));
    };
    let set = throttle(given)?;
    limits.burst_limit = set.burst_limit.or(limits.burst_limit);
    limits.rate_limit = set.rate_limit.or(limits.rate_limit);
    Ok(())
}

fn number<T: std::str::FromStr>(step: &PatchOperation) -> Result<T, AppError> {
    step.value()?.trim().parse().map_err(|_| step.bad_value())
}

/// What AWS says of a path it does not know, which depends on the op. The list for remove is known from AWS; the others
/// follow it.
fn unknown(step: &PatchOperation) -> AppError {
    let (path, op) = (step.path().to_owned(), step.op.name());
    let among = match step.op {
        PatchOp::Remove => {
            "/apiStages, /quota, /throttle, /productCode, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, /apiStages/<apidId:stageName>/throttle"
        }
        PatchOp::Add => {
            "/apiStages, /productCode, /quota/limit, /quota/offset, /quota/period, /throttle/burstLimit, /throttle/rateLimit, /apiStages/<apidId:stageName>/throttle, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/burstLimit, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/rateLimit"
        }
        PatchOp::Replace => {
            "/name, /description, /productCode, /quota/limit, /quota/offset, /quota/period, /throttle/burstLimit, /throttle/rateLimit, /apiStages/<apidId:stageName>/throttle, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/burstLimit, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/rateLimit"
        }
        PatchOp::Move | PatchOp::Copy | PatchOp::Test => {
            return AppError::PatchOpUnsupported { path, op };
        }
    };
    AppError::PatchPathAmong { path, op, among }
}
