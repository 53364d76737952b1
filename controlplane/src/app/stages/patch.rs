//! The patch paths of a stage. Source: `admin-api` section 6.2.

use super::{known_deployment, percent, set_cache};
use crate::app::patch::{PatchOp, PatchOperation};
use crate::app::{AppError, Workspace};
use crate::model::{
    AccessLogSettings, CanarySettings, HttpMethod, MethodSetting, Stage, StringMap, WireName,
};

/// One step of UpdateStage.
pub(super) fn apply(
    workspace: &Workspace,
    stage: &mut Stage,
    step: &PatchOperation,
) -> Result<(), AppError> {
    let parts = step.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if step.op == PatchOp::Copy {
        return copy(stage, step);
    }
    match parts[..] {
        ["deploymentId"] => {
            changes(step)?;
            stage.deployment_id =
                known_deployment(workspace, step.value.as_deref().unwrap_or_default())?;
        }
        ["description"] => {
            changes(step)?;
            stage.description = step.nullable();
        }
        ["clientCertificateId"] => {
            changes(step)?;
            stage.client_certificate_id = step.nullable();
        }
        ["documentationVersion"] => {
            changes(step)?;
            stage.documentation_version = step.nullable();
        }
        ["cacheClusterEnabled"] => {
            changes(step)?;
            set_cache(stage, Some(step.flag()), None);
        }
        ["cacheClusterSize"] => {
            changes(step)?;
            let size = step
                .value
                .as_deref()
                .and_then(WireName::from_name)
                .ok_or_else(|| bad_value(step))?;
            set_cache(stage, None, Some(size));
        }
        ["tracingEnabled"] => {
            changes(step)?;
            stage.tracing_enabled = step.flag();
        }
        ["variables", name] => variable(&mut stage.variables, step, name)?,
        ["accessLogSettings", ..] => access_log(stage, step, &parts[1..])?,
        ["canarySettings", ..] => canary(workspace, stage, step, &parts[1..])?,
        _ => method_setting(stage, step)?,
    }
    Ok(())
}

/// Whether the step changes a scalar; AWS takes any other op for a method setting it does not find.
fn changes(step: &PatchOperation) -> Result<(), AppError> {
    match step.op {
        PatchOp::Replace | PatchOp::Add => Ok(()),
        _ => Err(unknown(step)),
    }
}

fn variable(
    variables: &mut Option<StringMap>,
    step: &PatchOperation,
    name: &str,
) -> Result<(), AppError> {
    match step.op {
        PatchOp::Add | PatchOp::Replace => {
            let value = step.value.clone().unwrap_or_default();
            variables.get_or_insert_default().insert(name.to_owned(), value);
        }
        PatchOp::Remove => {
            if variables.as_mut().and_then(|variables| variables.remove(name)).is_none() {
                return Err(unknown(step));
            }
            if variables.as_ref().is_some_and(StringMap::is_empty) {
                *variables = None;
            }
        }
        _ => return Err(unknown(step)),
    }
    Ok(())
}

fn access_log(stage: &mut Stage, step: &PatchOperation, parts: &[&str]) -> Result<(), AppError> {
    if step.op == PatchOp::Remove {
        if !parts.is_empty() {
            return Err(AppError::InvalidAccessLogPath);
        }
        stage.access_log_settings = None;
        return Ok(());
    }
    let settings = stage.access_log_settings.get_or_insert_with(AccessLogSettings::default);
    let member = match parts {
        ["destinationArn"] => &mut settings.destination_arn,
        ["format"] => &mut settings.format,
        _ => return Err(AppError::InvalidAccessLogPath),
    };
    *member = Some(step.nullable().ok_or(AppError::EmptyAccessLogValue)?);
    Ok(())
}

fn canary(
    workspace: &Workspace,
    stage: &mut Stage,
    step: &PatchOperation,
    parts: &[&str],
) -> Result<(), AppError> {
    if parts.is_empty() && step.op == PatchOp::Remove {
        stage.canary_settings = None;
        return Ok(());
    }
    if let (["stageVariableOverrides", name], PatchOp::Remove) = (parts, step.op) {
        let overrides = stage
            .canary_settings
            .as_mut()
            .and_then(|canary| canary.stage_variable_overrides.as_mut());
        return overrides
            .and_then(|overrides| overrides.remove(*name))
            .map(drop)
            .ok_or_else(|| unknown(step));
    }
    if parts.is_empty() || step.op != PatchOp::Replace {
        let path = step.path().to_owned();
        return Err(AppError::InvalidCanaryOperation { op: step.op.name(), path });
    }
    let deployment_id = stage.deployment_id.clone();
    let settings = stage.canary_settings.get_or_insert(CanarySettings {
        percent_traffic: 0.0,
        deployment_id,
        stage_variable_overrides: None,
        use_stage_cache: false,
    });
    match parts {
        ["percentTraffic"] => {
            let value = step.value.as_deref().and_then(|value| value.parse().ok());
            settings.percent_traffic = percent(value.ok_or(AppError::InvalidPercentTraffic)?)?;
        }
        ["useStageCache"] => settings.use_stage_cache = step.flag(),
        ["deploymentId"] => {
            settings.deployment_id =
                known_deployment(workspace, step.value.as_deref().unwrap_or_default())?;
        }
        ["stageVariableOverrides", name] => {
            let overrides = settings.stage_variable_overrides.get_or_insert_default();
            overrides.insert((*name).to_owned(), step.value.clone().unwrap_or_default());
        }
        _ => return Err(unknown(step)),
    }
    Ok(())
}

/// Promotion of a canary: variables are merged, as recorded, and the canary stays.
fn copy(stage: &mut Stage, step: &PatchOperation) -> Result<(), AppError> {
    let from = step.from.as_deref().unwrap_or("null");
    let invalid = || AppError::InvalidCopy { path: step.path().to_owned(), from: from.to_owned() };
    let canary = stage.canary_settings.as_ref();
    match (step.path(), from) {
        ("/deploymentId", "/canarySettings/deploymentId") => {
            stage.deployment_id = canary.ok_or(AppError::NoCanary)?.deployment_id.clone();
        }
        ("/variables", "/canarySettings/stageVariableOverrides") => {
            let overrides = &canary.ok_or(AppError::NoCanary)?.stage_variable_overrides;
            if let Some(overrides) = overrides.as_ref().filter(|overrides| !overrides.is_empty()) {
                stage.variables.get_or_insert_default().extend(overrides.clone());
            }
        }
        _ => return Err(invalid()),
    }
    Ok(())
}

/// `/{resource}/{VERB}/{group}/{leaf}`; the resource may be written with `~1` or with slashes, and the key in
/// `methodSettings` is what was written, without the leading slash.
fn method_setting(stage: &mut Stage, step: &PatchOperation) -> Result<(), AppError> {
    let written = step.path().strip_prefix('/').ok_or_else(|| unknown(step))?;
    if step.op == PatchOp::Remove {
        return stage.method_settings.remove(written).map(drop).ok_or_else(|| unknown(step));
    }
    if !matches!(step.op, PatchOp::Add | PatchOp::Replace) {
        return Err(unknown(step));
    }
    let mut ends = written.rsplitn(4, '/');
    let (Some(leaf), Some(group), Some(verb), Some(resource)) =
        (ends.next(), ends.next(), ends.next(), ends.next())
    else {
        return Err(unknown(step));
    };
    let verb_known = HttpMethod::from_name(verb).is_some() || verb == "*" && resource == "*";
    if !verb_known || resource.is_empty() {
        return Err(unknown(step));
    }
    let key = format!("{resource}/{verb}");
    let base = stage.method_settings.get(&key).or_else(|| stage.method_settings.get("*/*"));
    let mut setting = base.cloned().unwrap_or_default();
    set_leaf(&mut setting, step, group, leaf)?;
    stage.method_settings.insert(key, setting);
    Ok(())
}

fn set_leaf(
    setting: &mut MethodSetting,
    step: &PatchOperation,
    group: &str,
    leaf: &str,
) -> Result<(), AppError> {
    match (group, leaf) {
        ("metrics", "enabled") => setting.metrics_enabled = step.flag(),
        ("logging", "dataTrace") => setting.data_trace_enabled = step.flag(),
        ("logging", "loglevel") => setting.logging_level = Some(one_of(step)?),
        ("throttling", "burstLimit") => {
            setting.throttling_burst_limit = number(step, |limit: i32| limit >= -1)?;
        }
        ("throttling", "rateLimit") => {
            setting.throttling_rate_limit =
                number(step, |limit: f64| limit == -1.0 || limit >= 0.0 && limit.is_finite())?;
        }
        ("caching", "enabled") => setting.caching_enabled = step.flag(),
        ("caching", "ttlInSeconds") => {
            setting.cache_ttl_in_seconds = number(step, |ttl: i32| (0..=3_600).contains(&ttl))?;
        }
        ("caching", "dataEncrypted") => setting.cache_data_encrypted = step.flag(),
        ("caching", "requireAuthorizationForCacheControl") => {
            setting.require_authorization_for_cache_control = step.flag();
        }
        ("caching", "unauthorizedCacheControlHeaderStrategy") => {
            setting.unauthorized_cache_control_header_strategy = one_of(step)?;
        }
        _ => return Err(unknown(step)),
    }
    Ok(())
}

fn one_of<T: WireName>(step: &PatchOperation) -> Result<T, AppError> {
    step.value.as_deref().and_then(T::from_name).ok_or_else(|| bad_value(step))
}

fn number<T: std::str::FromStr + Copy>(
    step: &PatchOperation,
    fits: impl Fn(T) -> bool,
) -> Result<T, AppError> {
    let parsed = step.value.as_deref().and_then(|value| value.trim().parse().ok());
    parsed.filter(|value| fits(*value)).ok_or_else(|| bad_value(step))
}

fn bad_value(step: &PatchOperation) -> AppError {
    let value = step.value.as_deref().unwrap_or("null").to_owned();
    AppError::InvalidSetting { value, path: step.path().to_owned() }
}

/// What AWS says of a path it does not know, which depends on the op.
fn unknown(step: &PatchOperation) -> AppError {
    let path = step.path();
    if step.op == PatchOp::Remove {
        return AppError::NoMethodSetting {
            path: path.strip_prefix('/').unwrap_or(path).to_owned(),
        };
    }
    AppError::InvalidStagePath { path: path.to_owned() }
}
