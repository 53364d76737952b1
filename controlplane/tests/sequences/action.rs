//! The operations: what each asks of the application, and what it does to the model. Whether it is allowed both must say.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidegate_control::app::deployments::CreateDeployment;
use tidegate_control::app::imports::PutMode;
use tidegate_control::app::integrations::PutIntegration;
use tidegate_control::app::methods::PutMethod;
use tidegate_control::app::rest_apis::CreateRestApi;
use tidegate_control::app::{App, AppError, Paging};
use tidegate_control::model::{DeploymentCanarySettings, IntegrationType};

use crate::document::{Document, document};
use crate::look::{arn, learn};
use crate::model::{
    Api, Canary, Deployment, Map, Method, Model, Resource, Stage, child, is_below, variables_hold,
};
use crate::steps::{
    ApiStep, MethodStep, StageStep, api_step, apply_stage, method_step, stage_step,
};

/// One admin operation. Numbers pick among what there is, by position.
#[derive(Clone, Debug)]
pub enum Action {
    Create,
    Clone(usize),
    Import(Document),
    Put(usize, bool, Document),
    Delete(usize),
    PatchApi(usize, Vec<ApiStep>),
    CreateResource(usize, usize, &'static str),
    DeleteResource(usize, usize),
    PutMethod(usize, usize, &'static str),
    PatchMethod(usize, usize, Vec<MethodStep>),
    DeleteMethod(usize, usize),
    PutIntegration(usize, usize),
    Deploy(usize, Option<&'static str>, Map, Option<(f64, Map)>),
    DescribeDeployment(usize, usize, &'static str),
    DeleteDeployment(usize, usize),
    PatchStage(usize, &'static str, Vec<StageStep>),
    DeleteStage(usize, &'static str),
    Tag(usize, Option<&'static str>, Map),
    Untag(usize, Option<&'static str>, &'static str),
    Reopen,
}

pub fn action() -> impl Strategy<Value = Action> {
    let n = || 0_usize..3;
    let at = || 0_usize..8;
    let stage = || prop::sample::select(&["dev", "prod"][..]);
    let verb = prop::sample::select(&["GET", "ANY"][..]);
    let part = prop::sample::select(&["a", "b", "{v}"][..]);
    let map = |keys: &'static [&'static str]| {
        let value = prop::sample::select(&["1", "2", "x.y"][..]);
        prop::collection::btree_map(prop::sample::select(keys), value, 0..3).prop_map(|map| {
            map.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect::<Map>()
        })
    };
    let variables = move || map(&["v", "w", "x"]);
    let tags = move || map(&["team", "cost", "aws:own"]);
    let percent = prop::sample::select(&[0.0, 50.0, 101.0][..]);
    let canary = prop::option::weighted(0.3, (percent, variables()));
    prop_oneof![
        2 => Just(Action::Create),
        1 => n().prop_map(Action::Clone),
        1 => document().prop_map(Action::Import),
        4 => (n(), any::<bool>(), document()).prop_map(|(a, overwrite, d)| Action::Put(a, overwrite, d)),
        1 => n().prop_map(Action::Delete),
        4 => (n(), prop::collection::vec(api_step(), 0..4)).prop_map(|(a, s)| Action::PatchApi(a, s)),
        4 => (n(), at(), part).prop_map(|(a, r, p)| Action::CreateResource(a, r, p)),
        1 => (n(), at()).prop_map(|(a, r)| Action::DeleteResource(a, r)),
        5 => (n(), at(), verb).prop_map(|(a, r, v)| Action::PutMethod(a, r, v)),
        4 => (n(), at(), prop::collection::vec(method_step(), 0..4))
            .prop_map(|(a, m, s)| Action::PatchMethod(a, m, s)),
        1 => (n(), at()).prop_map(|(a, m)| Action::DeleteMethod(a, m)),
        8 => (n(), at()).prop_map(|(a, m)| Action::PutIntegration(a, m)),
        8 => (n(), prop::option::weighted(0.8, stage()), variables(), canary)
            .prop_map(|(a, s, v, c)| Action::Deploy(a, s, v, c)),
        1 => (n(), at(), prop::sample::select(&["told", ""][..]))
            .prop_map(|(a, d, t)| Action::DescribeDeployment(a, d, t)),
        2 => (n(), at()).prop_map(|(a, d)| Action::DeleteDeployment(a, d)),
        12 => (n(), stage(), prop::collection::vec(stage_step(), 0..5))
            .prop_map(|(a, s, steps)| Action::PatchStage(a, s, steps)),
        1 => (n(), stage()).prop_map(|(a, s)| Action::DeleteStage(a, s)),
        3 => (n(), prop::option::of(stage()), tags()).prop_map(|(a, s, t)| Action::Tag(a, s, t)),
        2 => (n(), prop::option::of(stage()), prop::sample::select(&["team", "cost"][..]))
            .prop_map(|(a, s, k)| Action::Untag(a, s, k)),
        1 => Just(Action::Reopen),
    ]
}

fn pick<T: Clone>(from: &[T], at: usize) -> Option<T> {
    from.get(at % from.len().max(1)).cloned()
}

/// The resource and verb of one of an API's methods.
fn method_at(api: &Api, at: usize) -> Option<(String, String, String)> {
    let all: Vec<_> = api
        .resources
        .iter()
        .flat_map(|(path, resource)| {
            let each = resource.methods.keys();
            each.map(move |verb| (path.clone(), resource.id.clone(), verb.clone()))
        })
        .collect();
    pick(&all, at)
}

fn agree<T, E: std::fmt::Debug>(told: &Result<T, E>, allowed: bool, action: &Action) {
    assert_eq!(told.is_ok(), allowed, "{action:?}: {:?}", told.as_ref().err());
}

/// Does the action to both; a disagreement about whether it is allowed fails the test.
pub async fn act(app: &App, model: &mut Model, action: &Action) {
    let input = CreateRestApi { name: "made".to_owned(), ..CreateRestApi::default() };
    let ids: Vec<String> = model.apis.keys().cloned().collect();
    let at = match action {
        Action::Reopen => return,
        Action::Create => {
            let made = app.create_rest_api(input).await.unwrap();
            let api = Api::new("made", made.root_resource_id.as_str());
            model.apis.insert(made.id.to_string(), api);
            return;
        }
        Action::Import(document) => {
            let told = app.import_rest_api(&document.text(), &[]).await;
            let (made, _) = told.unwrap();
            let mut api = document.import(made.root_resource_id.as_str());
            learn(app, made.id.as_str(), &mut api).await;
            model.apis.insert(made.id.to_string(), api);
            return;
        }
        Action::Clone(at) => {
            let Some(id) = pick(&ids, *at) else { return };
            let input = CreateRestApi { clone_from: Some(id.clone()), ..input };
            let made = app.create_rest_api(input).await.unwrap();
            // The configuration comes along, what is deployed does not; only the root has a new id.
            let mut api = Api::new("made", made.root_resource_id.as_str());
            let root = api.resources["/"].id.clone();
            api.resources.clone_from(&model.apis[&id].resources);
            api.resources.get_mut("/").unwrap().id = root;
            model.apis.insert(made.id.to_string(), api);
            return;
        }
        Action::Put(at, ..)
        | Action::Delete(at)
        | Action::PatchApi(at, ..)
        | Action::CreateResource(at, ..)
        | Action::DeleteResource(at, ..)
        | Action::PutMethod(at, ..)
        | Action::PatchMethod(at, ..)
        | Action::DeleteMethod(at, ..)
        | Action::PutIntegration(at, ..)
        | Action::Deploy(at, ..)
        | Action::DescribeDeployment(at, ..)
        | Action::DeleteDeployment(at, ..)
        | Action::PatchStage(at, ..)
        | Action::DeleteStage(at, ..)
        | Action::Tag(at, ..)
        | Action::Untag(at, ..) => *at,
    };
    let Some(id) = pick(&ids, at) else { return };
    if matches!(action, Action::Delete(_)) {
        app.delete_rest_api(&id).await.unwrap();
        model.apis.remove(&id);
        let gone = app.get_resources(&id, &Paging::default()).await;
        assert!(gone.is_err(), "a deleted API has resources");
        return;
    }
    let api = model.apis.get_mut(&id).unwrap();
    match action {
        Action::PatchApi(..)
        | Action::Put(..)
        | Action::CreateResource(..)
        | Action::DeleteResource(..) => configure(app, &id, api, action).await,
        Action::PutMethod(..)
        | Action::PatchMethod(..)
        | Action::DeleteMethod(..)
        | Action::PutIntegration(..) => change_method(app, &id, api, action).await,
        Action::Tag(_, stage, tags) => {
            let told = app.tag_resource(&arn(&id, *stage), tags).await;
            let held = tags_of(api, *stage);
            agree(&told, held.is_some() && !tags.contains_key("aws:own"), action);
            if told.is_ok() {
                held.unwrap().extend(tags.clone());
            }
        }
        Action::Untag(_, stage, key) => {
            let told = app.untag_resource(&arn(&id, *stage), &[(*key).to_owned()]).await;
            let held = tags_of(api, *stage);
            agree(&told, held.is_some(), action);
            held.map(|tags| tags.remove(*key));
        }
        _ => publish(app, &id, api, action).await,
    }
}

fn tags_of<'a>(api: &'a mut Api, stage: Option<&str>) -> Option<&'a mut Map> {
    match stage {
        Some(stage) => api.stages.get_mut(stage).map(|stage| &mut stage.tags),
        None => Some(&mut api.tags),
    }
}

/// The API itself and its resources.
async fn configure(app: &App, id: &str, api: &mut Api, action: &Action) {
    let paths: Vec<String> = api.resources.keys().cloned().collect();
    match action {
        Action::PatchApi(_, steps) => {
            let sent: Vec<_> = steps.iter().map(ApiStep::operation).collect();
            let told = app.update_rest_api(id, &sent).await;
            let mut changed = api.clone();
            let allowed = steps.iter().try_for_each(|step| step.apply(&mut changed)).is_some();
            agree(&told, allowed, action);
            if allowed {
                *api = changed;
            }
        }
        Action::Put(_, overwrite, document) => {
            let mode = if *overwrite { PutMode::Overwrite } else { PutMode::Merge };
            app.put_rest_api(id, mode, &document.text(), &[]).await.unwrap();
            document.put(api, *overwrite);
            learn(app, id, api).await;
        }
        Action::CreateResource(_, at, part) => {
            let parent = pick(&paths, *at).unwrap();
            let path = child(&parent, part);
            let told = app.create_resource(id, &api.resources[&parent].id, part).await;
            agree(&told, !api.resources.contains_key(&path), action);
            if let Ok(made) = told {
                let made = Resource { id: made.id.to_string(), methods: BTreeMap::new() };
                api.resources.insert(path, made);
            }
        }
        Action::DeleteResource(_, at) => {
            let path = pick(&paths, *at).unwrap();
            let told = app.delete_resource(id, &api.resources[&path].id).await;
            agree(&told, path != "/", action);
            if told.is_ok() {
                api.resources.retain(|held, _| !is_below(held, &path));
            }
        }
        other => unreachable!("{other:?} is not about configuration"),
    }
}

async fn change_method(app: &App, id: &str, api: &mut Api, action: &Action) {
    if let Action::PutMethod(_, at, verb) = action {
        let paths: Vec<String> = api.resources.keys().cloned().collect();
        let resource = api.resources.get_mut(&pick(&paths, *at).unwrap()).unwrap();
        let input = PutMethod { authorization_type: "NONE".to_owned(), ..PutMethod::default() };
        let told = app.put_method(id, &resource.id, verb, input).await;
        agree(&told, !resource.methods.contains_key(*verb), action);
        resource.methods.entry((*verb).to_owned()).or_default();
        return;
    }
    let (Action::PatchMethod(_, at, _)
    | Action::DeleteMethod(_, at)
    | Action::PutIntegration(_, at)) = action
    else {
        unreachable!("{action:?} is not about methods")
    };
    let Some((path, resource, verb)) = method_at(api, *at) else { return };
    let methods = &mut api.resources.get_mut(&path).unwrap().methods;
    let method = methods.get_mut(&verb).unwrap();
    match action {
        Action::PatchMethod(_, _, steps) => {
            let sent: Vec<_> = steps.iter().map(MethodStep::operation).collect();
            let told = app.update_method(id, &resource, &verb, &sent).await;
            let mut changed: Method = method.clone();
            let allowed = steps.iter().try_for_each(|step| step.apply(&mut changed)).is_some();
            agree(&told, allowed, action);
            if allowed {
                *method = changed;
            }
        }
        Action::DeleteMethod(..) => {
            app.delete_method(id, &resource, &verb).await.unwrap();
            methods.remove(&verb);
        }
        _ => {
            let input = PutIntegration::new(IntegrationType::Mock);
            app.put_integration(id, &resource, &verb, input).await.unwrap();
            method.integrated = true;
        }
    }
}

/// Deployments and stages.
async fn publish(app: &App, id: &str, api: &mut Api, action: &Action) {
    let deployments: Vec<String> = api.deployments.keys().cloned().collect();
    let deployment = |at: usize| pick(&deployments, at).unwrap_or_else(|| "nosuch".to_owned());
    match action {
        Action::Deploy(_, stage, variables, canary) => {
            let canary = canary.as_ref();
            let input = CreateDeployment {
                stage_name: stage.map(str::to_owned),
                variables: Some(variables.clone()),
                canary_settings: canary.map(|(percent, overrides)| DeploymentCanarySettings {
                    percent_traffic: Some(*percent),
                    stage_variable_overrides: Some(overrides.clone()),
                    use_stage_cache: None,
                }),
                ..CreateDeployment::default()
            };
            let told = app.create_deployment(id, input).await;
            let placed = match canary {
                Some((percent, _)) => {
                    *percent <= 100.0 && stage.is_some_and(|name| api.stages.contains_key(name))
                }
                None => true,
            };
            match api.deployable() {
                Some(deployable) => agree(&told, deployable && placed, action),
                // Whether this release can serve it is the engine's to say.
                None => assert!(placed || told.is_err(), "{action:?}"),
            }
            let Ok(made) = told else { return };
            let made = made.id.to_string();
            let frozen = Deployment { frozen: api.frozen(), ..Deployment::default() };
            api.deployments.insert(made.clone(), frozen);
            let Some(name) = stage else { return };
            let fresh = || Stage { deployment: made.clone(), ..Stage::default() };
            let held = api.stages.entry((*name).to_owned()).or_insert_with(fresh);
            held.variables.extend(variables.clone());
            match (canary, &mut held.canary) {
                (Some((percent, overrides)), held) => {
                    let overrides = overrides.clone();
                    *held = Some(Canary { percent: *percent, deployment: made, overrides });
                }
                (None, Some(running)) => running.deployment = made,
                (None, None) => held.deployment = made,
            }
        }
        Action::DescribeDeployment(_, at, text) => {
            let Some(key) = pick(&deployments, *at) else { return };
            let step = tidegate_control::app::PatchOperation {
                op: tidegate_control::app::PatchOp::Replace,
                path: Some("/description".to_owned()),
                value: Some((*text).to_owned()),
                from: None,
            };
            app.update_deployment(id, &key, &[step]).await.unwrap();
            let description = Some((*text).to_owned()).filter(|text| !text.is_empty());
            api.deployments.get_mut(&key).unwrap().description = description;
        }
        Action::DeleteDeployment(_, at) => {
            let Some(key) = pick(&deployments, *at) else { return };
            let told = app.delete_deployment(id, &key).await;
            agree(&told, !api.serves(&key), action);
            if told.is_ok() {
                api.deployments.remove(&key);
            }
        }
        Action::PatchStage(_, name, steps) => {
            let sent: Vec<_> = steps.iter().map(|step| step.operation(deployment)).collect();
            let told = app.update_stage(id, name, &sent).await;
            let held = api.stages.get_mut(*name);
            let changed = held.as_ref().and_then(|stage| apply_stage(stage, steps, deployment));
            agree(&told, changed.is_some(), action);
            if held.is_none() {
                assert!(matches!(told, Err(AppError::InvalidStage)), "{told:?}");
            }
            if let (Some(held), Some(changed)) = (held, changed) {
                assert!(variables_hold(&changed.variables));
                *held = changed;
            }
        }
        Action::DeleteStage(_, name) => {
            let told = app.delete_stage(id, name).await;
            agree(&told, api.stages.remove(*name).is_some(), action);
        }
        other => unreachable!("{other:?} is not about deployments and stages"),
    }
}
