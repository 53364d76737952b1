//! Patch steps: each as the operation it is sent as, and what it does to the model. Source: `admin-api` sections 6 to 8.

use proptest::prelude::*;
use tidegate_control::app::{PatchOp, PatchOperation};

use crate::model::{Api, Canary, Method, Setting, Stage, variables_hold};

/// Which of the ops a map's entry is changed by.
pub type Op = PatchOp;

fn step(op: Op, path: &str, value: Option<&str>) -> PatchOperation {
    PatchOperation { op, path: Some(path.to_owned()), value: value.map(str::to_owned), from: None }
}

/// Whether the model takes a step; what it refuses leaves everything as it was.
type Taken = Option<()>;

fn filled(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// One step of UpdateRestApi.
#[derive(Clone, Debug)]
pub enum ApiStep {
    Name(&'static str),
    AddName,
    Description(&'static str),
    RemoveDescription,
    Binary(Op, &'static str, &'static str),
    Compression(&'static str),
    KeySource(&'static str),
    Disable(&'static str),
    Unknown,
}

pub fn api_step() -> impl Strategy<Value = ApiStep> {
    let text = || prop::sample::select(&["one", "two", ""][..]);
    let kind = || prop::sample::select(&["a/b", "c/d", "-"][..]);
    let op = prop::sample::select(&[Op::Add, Op::Remove, Op::Replace][..]);
    prop_oneof![
        3 => text().prop_map(ApiStep::Name),
        1 => Just(ApiStep::AddName),
        3 => text().prop_map(ApiStep::Description),
        1 => Just(ApiStep::RemoveDescription),
        6 => (op, kind(), kind()).prop_map(|(op, kind, new)| ApiStep::Binary(op, kind, new)),
        2 => prop::sample::select(&["0", "7", "", "10485761", "x"][..]).prop_map(ApiStep::Compression),
        2 => prop::sample::select(&["HEADER", "AUTHORIZER", "BOTH"][..]).prop_map(ApiStep::KeySource),
        2 => prop::sample::select(&["true", "false", "maybe"][..]).prop_map(ApiStep::Disable),
        1 => Just(ApiStep::Unknown),
    ]
}

impl ApiStep {
    pub fn operation(&self) -> PatchOperation {
        match self {
            Self::Name(text) => step(Op::Replace, "/name", Some(text)),
            Self::AddName => step(Op::Add, "/name", Some("added")),
            Self::Description(text) => step(Op::Replace, "/description", Some(text)),
            Self::RemoveDescription => step(Op::Remove, "/description", None),
            Self::Binary(op, kind, new) => {
                let path = format!("/binaryMediaTypes/{}", kind.replace('/', "~1"));
                step(*op, &path, Some(new))
            }
            Self::Compression(text) => step(Op::Replace, "/minimumCompressionSize", Some(text)),
            Self::KeySource(text) => step(Op::Replace, "/apiKeySource", Some(text)),
            Self::Disable(text) => step(Op::Replace, "/disableExecuteApiEndpoint", Some(text)),
            Self::Unknown => step(Op::Replace, "/nothing", Some("x")),
        }
    }

    pub fn apply(&self, api: &mut Api) -> Taken {
        match *self {
            Self::Name(text) => api.name = filled(text)?,
            Self::AddName | Self::Unknown => return None,
            Self::Description(text) => api.description = filled(text),
            Self::RemoveDescription => api.description = None,
            Self::Binary(op, kind, new) => match op {
                Op::Add if api.binary.iter().any(|known| known == kind) => {}
                Op::Add => api.binary.push(kind.to_owned()),
                Op::Remove => api.binary.retain(|known| known != kind),
                // The entry goes, and the new one comes at the end.
                _ => {
                    api.binary.retain(|known| known != kind && known != new);
                    api.binary.push(new.to_owned());
                }
            },
            Self::Compression("") => api.compression = None,
            Self::Compression(text) => {
                let size = text.parse().ok().filter(|size| (0..=10_485_760).contains(size))?;
                api.compression = Some(size);
            }
            Self::KeySource(text) => {
                api.key_in_header = match text {
                    "HEADER" => true,
                    "AUTHORIZER" => false,
                    _ => return None,
                }
            }
            Self::Disable(text) => api.disabled = text == "true",
        }
        Some(())
    }
}

/// One step of UpdateMethod.
#[derive(Clone, Debug)]
pub enum MethodStep {
    Authorization(&'static str),
    Key(&'static str),
    Operation(&'static str),
    Parameter(Op, &'static str, bool),
    Scope(Op, &'static str),
    Verb,
}

pub fn method_step() -> impl Strategy<Value = MethodStep> {
    let op = || prop::sample::select(&[Op::Add, Op::Remove, Op::Replace][..]);
    let names = ["querystring.q", "header.q", "header.h", "querystring.r"];
    let scope = prop::sample::select(&["read", "write"][..]);
    prop_oneof![
        1 => prop::sample::select(&["NONE", "AWS_IAM", "SOME"][..]).prop_map(MethodStep::Authorization),
        1 => prop::sample::select(&["true", "false"][..]).prop_map(MethodStep::Key),
        3 => prop::sample::select(&["list", "show", ""][..]).prop_map(MethodStep::Operation),
        6 => (op(), prop::sample::select(names.to_vec()), any::<bool>())
            .prop_map(|(op, name, required)| MethodStep::Parameter(op, name, required)),
        3 => (op(), scope).prop_map(|(op, scope)| MethodStep::Scope(op, scope)),
        1 => Just(MethodStep::Verb),
    ]
}

impl MethodStep {
    pub fn operation(&self) -> PatchOperation {
        match self {
            Self::Authorization(text) => step(Op::Replace, "/authorizationType", Some(text)),
            Self::Key(text) => step(Op::Replace, "/apiKeyRequired", Some(text)),
            Self::Operation(text) => step(Op::Replace, "/operationName", Some(text)),
            Self::Parameter(op, name, required) => step(
                *op,
                &format!("/requestParameters/method.request.{name}"),
                Some(if *required { "true" } else { "false" }),
            ),
            Self::Scope(op, scope) => step(*op, "/authorizationScopes", Some(scope)),
            Self::Verb => step(Op::Replace, "/httpMethod", Some("PUT")),
        }
    }

    pub fn apply(&self, method: &mut Method) -> Taken {
        match *self {
            Self::Authorization(text) => {
                method.iam = match text {
                    "NONE" => false,
                    "AWS_IAM" => true,
                    _ => return None,
                }
            }
            Self::Key(text) => method.key_required = text == "true",
            Self::Operation(text) => method.operation = filled(text),
            Self::Parameter(op, name, required) => {
                let key = format!("method.request.{name}");
                let known = method.parameters.contains_key(&key);
                match op {
                    Op::Replace | Op::Remove if !known => return None,
                    Op::Remove => drop(method.parameters.remove(&key)),
                    _ => drop(method.parameters.insert(key, required)),
                }
                // A name stands in one location only.
                let names = method.parameters.keys().filter_map(|key| key.split('.').nth(3));
                let mut names: Vec<&str> = names.collect();
                names.sort_unstable();
                if names.windows(2).any(|pair| pair[0] == pair[1]) {
                    return None;
                }
            }
            Self::Scope(op, scope) => match op {
                Op::Add if method.scopes.iter().any(|known| known == scope) => {}
                Op::Add => method.scopes.push(scope.to_owned()),
                Op::Remove => method.scopes.retain(|known| known != scope),
                _ => return None,
            },
            Self::Verb => return None,
        }
        Some(())
    }
}

/// One step of UpdateStage. Numbers pick a deployment.
#[derive(Clone, Debug)]
pub enum StageStep {
    Deployment(usize),
    Description(&'static str),
    Tracing(&'static str),
    Variable(Op, &'static str, &'static str),
    Setting(&'static str, &'static str, &'static str),
    RemoveSetting(&'static str),
    CanaryPercent(&'static str),
    CanaryDeployment(usize),
    CanaryOverride(&'static str, &'static str),
    RemoveOverride(&'static str),
    AddCanary,
    RemoveCanary,
    PromoteDeployment,
    PromoteVariables,
    Unknown,
}

pub fn stage_step() -> impl Strategy<Value = StageStep> {
    let op = prop::sample::select(&[Op::Add, Op::Remove, Op::Replace][..]);
    let name = || prop::sample::select(&["v", "w", "v-w"][..]);
    let value = || prop::sample::select(&["1", "a.b:8080/c", "", "a b"][..]);
    let key = || prop::sample::select(&["*/*", "a/GET", "~1a~1b/GET", "~1/ANY"][..]);
    let leaf = prop::sample::select(
        &["throttling/burstLimit", "caching/ttlInSeconds", "metrics/enabled", "no/leaf"][..],
    );
    let setting = prop::sample::select(&["7", "3600", "3601", "true", "-1"][..]);
    prop_oneof![
        2 => (0_usize..4).prop_map(StageStep::Deployment),
        1 => prop::sample::select(&["told", ""][..]).prop_map(StageStep::Description),
        1 => prop::sample::select(&["true", "false"][..]).prop_map(StageStep::Tracing),
        6 => (op, name(), value()).prop_map(|(op, name, value)| StageStep::Variable(op, name, value)),
        8 => (key(), leaf, setting).prop_map(|(key, leaf, value)| StageStep::Setting(key, leaf, value)),
        2 => key().prop_map(StageStep::RemoveSetting),
        3 => prop::sample::select(&["0.0", "12.5", "100", "100.1", "all"][..])
            .prop_map(StageStep::CanaryPercent),
        2 => (0_usize..4).prop_map(StageStep::CanaryDeployment),
        4 => (name(), value()).prop_map(|(name, value)| StageStep::CanaryOverride(name, value)),
        1 => name().prop_map(StageStep::RemoveOverride),
        1 => Just(StageStep::AddCanary),
        1 => Just(StageStep::RemoveCanary),
        2 => Just(StageStep::PromoteDeployment),
        2 => Just(StageStep::PromoteVariables),
        1 => Just(StageStep::Unknown),
    ]
}

impl StageStep {
    pub fn operation(&self, deployment: impl Fn(usize) -> String) -> PatchOperation {
        let copy = |from: &str, path: &str| PatchOperation {
            from: Some(from.to_owned()),
            ..step(Op::Copy, path, None)
        };
        match self {
            Self::Deployment(at) => step(Op::Replace, "/deploymentId", Some(&deployment(*at))),
            Self::Description(text) => step(Op::Replace, "/description", Some(text)),
            Self::Tracing(text) => step(Op::Replace, "/tracingEnabled", Some(text)),
            Self::Variable(op, name, value) => {
                step(*op, &format!("/variables/{name}"), Some(value))
            }
            Self::Setting(key, leaf, value) => {
                step(Op::Replace, &format!("/{key}/{leaf}"), Some(value))
            }
            Self::RemoveSetting(key) => step(Op::Remove, &format!("/{key}"), None),
            Self::CanaryPercent(text) => {
                step(Op::Replace, "/canarySettings/percentTraffic", Some(text))
            }
            Self::CanaryDeployment(at) => {
                step(Op::Replace, "/canarySettings/deploymentId", Some(&deployment(*at)))
            }
            Self::CanaryOverride(name, value) => {
                let path = format!("/canarySettings/stageVariableOverrides/{name}");
                step(Op::Replace, &path, Some(value))
            }
            Self::RemoveOverride(name) => {
                step(Op::Remove, &format!("/canarySettings/stageVariableOverrides/{name}"), None)
            }
            Self::AddCanary => step(Op::Add, "/canarySettings/percentTraffic", Some("1")),
            Self::RemoveCanary => step(Op::Remove, "/canarySettings", None),
            Self::PromoteDeployment => copy("/canarySettings/deploymentId", "/deploymentId"),
            Self::PromoteVariables => copy("/canarySettings/stageVariableOverrides", "/variables"),
            Self::Unknown => step(Op::Replace, "/nothing", Some("x")),
        }
    }

    pub fn apply(&self, stage: &mut Stage, deployment: impl Fn(usize) -> String) -> Taken {
        let own = stage.deployment.clone();
        let begun = || Canary { deployment: own.clone(), ..Canary::default() };
        match *self {
            Self::Deployment(at) => stage.deployment = deployment(at),
            Self::Description(text) => stage.description = filled(text),
            Self::Tracing(text) => stage.tracing = text == "true",
            Self::Variable(Op::Remove, name, _) => drop(stage.variables.remove(name)?),
            Self::Variable(_, name, value) => {
                stage.variables.insert(name.to_owned(), value.to_owned());
            }
            Self::Setting(key, leaf, value) => {
                let all = stage.settings.get("*/*").cloned().unwrap_or_default();
                let mut setting: Setting = stage.settings.get(key).cloned().unwrap_or(all);
                match leaf {
                    "throttling/burstLimit" => {
                        setting.burst = value.parse().ok().filter(|burst| *burst >= -1)?;
                    }
                    "caching/ttlInSeconds" => {
                        setting.ttl = value.parse().ok().filter(|ttl| (0..=3_600).contains(ttl))?;
                    }
                    "metrics/enabled" => setting.metrics = value == "true",
                    _ => return None,
                }
                stage.settings.insert(key.to_owned(), setting);
            }
            Self::RemoveSetting(key) => {
                stage.settings.remove(key)?;
            }
            Self::CanaryPercent(text) => {
                let percent =
                    text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent))?;
                stage.canary.get_or_insert_with(begun).percent = percent;
            }
            Self::CanaryDeployment(at) => {
                stage.canary.get_or_insert_with(begun).deployment = deployment(at);
            }
            Self::CanaryOverride(name, value) => {
                let canary = stage.canary.get_or_insert_with(begun);
                canary.overrides.insert(name.to_owned(), value.to_owned());
            }
            Self::RemoveOverride(name) => {
                stage.canary.as_mut()?.overrides.remove(name)?;
            }
            Self::RemoveCanary => stage.canary = None,
            Self::PromoteDeployment => {
                stage.deployment.clone_from(&stage.canary.as_ref()?.deployment);
            }
            Self::PromoteVariables => {
                // What is not overridden stays.
                stage.variables.extend(stage.canary.as_ref()?.overrides.clone());
            }
            Self::AddCanary | Self::Unknown => return None,
        }
        Some(())
    }
}

/// All steps or none, and then the rules between members.
pub fn apply_stage(
    stage: &Stage,
    steps: &[StageStep],
    deployment: impl Fn(usize) -> String,
) -> Option<Stage> {
    let mut changed = stage.clone();
    steps.iter().try_for_each(|step| step.apply(&mut changed, &deployment))?;
    let overrides = changed.canary.as_ref().is_none_or(|canary| variables_hold(&canary.overrides));
    (variables_hold(&changed.variables) && overrides).then_some(changed)
}
