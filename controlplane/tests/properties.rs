//! Random sequences of admin operations leave what a simple map would hold, also after the store was reopened.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use tidegate_control::app::deployments::{CreateDeployment, EmbedSummary};
use tidegate_control::app::integrations::PutIntegration;
use tidegate_control::app::methods::PutMethod;
use tidegate_control::app::rest_apis::CreateRestApi;
use tidegate_control::app::{App, Fault, Paging, PatchOp, PatchOperation};
use tidegate_control::model::IntegrationType;
use tidegate_control::vault::Vault;

/// One admin operation. Numbers pick among what there is, by position.
#[derive(Debug, Clone)]
enum Action {
    CreateApi,
    DeleteApi(usize),
    CreateResource(usize, usize, usize),
    DeleteResource(usize, usize),
    Move(usize, usize, usize),
    Rename(usize, usize, usize),
    PutMethod(usize, usize, usize),
    DeleteMethod(usize, usize, usize),
    PutIntegration(usize, usize, usize),
    Deploy(usize, Option<usize>),
    DeleteDeployment(usize, usize),
    Point(usize, usize, usize),
    DeleteStage(usize, usize),
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let n = || 0_usize..4;
    prop_oneof![
        2 => Just(Action::CreateApi),
        1 => n().prop_map(Action::DeleteApi),
        8 => (n(), 0_usize..8, n()).prop_map(|(a, r, p)| Action::CreateResource(a, r, p)),
        2 => (n(), 0_usize..8).prop_map(|(a, r)| Action::DeleteResource(a, r)),
        3 => (n(), 0_usize..8, 0_usize..8).prop_map(|(a, r, p)| Action::Move(a, r, p)),
        2 => (n(), 0_usize..8, n()).prop_map(|(a, r, p)| Action::Rename(a, r, p)),
        6 => (n(), 0_usize..8, 0_usize..2).prop_map(|(a, r, v)| Action::PutMethod(a, r, v)),
        1 => (n(), 0_usize..8, 0_usize..2).prop_map(|(a, r, v)| Action::DeleteMethod(a, r, v)),
        6 => (n(), 0_usize..8, 0_usize..2).prop_map(|(a, r, v)| Action::PutIntegration(a, r, v)),
        4 => (n(), proptest::option::of(0_usize..3)).prop_map(|(a, s)| Action::Deploy(a, s)),
        1 => (n(), n()).prop_map(|(a, d)| Action::DeleteDeployment(a, d)),
        2 => (n(), 0_usize..3, n()).prop_map(|(a, s, d)| Action::Point(a, s, d)),
        1 => (n(), 0_usize..3).prop_map(|(a, s)| Action::DeleteStage(a, s)),
        1 => Just(Action::Reopen),
    ]
}

/// What should be there: paths are computed by walking up, on every question.
#[derive(Default)]
struct Model {
    apis: BTreeMap<String, Api>,
}

#[derive(Default)]
struct Api {
    /// Id to parent and part; the root has none.
    resources: BTreeMap<String, Option<(String, String)>>,
    /// Resource and verb to whether there is an integration.
    methods: BTreeMap<(String, &'static str), bool>,
    /// Id to the paths and verbs it froze.
    deployments: BTreeMap<String, Vec<(String, &'static str)>>,
    stages: BTreeMap<&'static str, String>,
}

impl Api {
    fn path(&self, id: &str) -> String {
        match &self.resources[id] {
            None => "/".to_owned(),
            Some((parent, part)) => format!("{}/{part}", self.path(parent).trim_end_matches('/')),
        }
    }

    fn below(&self, id: &str, ancestor: &str) -> bool {
        id == ancestor
            || self.resources[id].as_ref().is_some_and(|(parent, _)| self.below(parent, ancestor))
    }

    /// Whether `part` may stand below `parent`, given that `itself` stands there already or moves there.
    fn fits(&self, parent: &str, part: &str, itself: Option<&str>) -> bool {
        let greedy = self.resources[parent].as_ref().is_some_and(|(_, part)| part.ends_with("+}"));
        let clash = self.resources.iter().any(|(id, place)| {
            Some(id.as_str()) != itself
                && place.as_ref().is_some_and(|(above, other)| {
                    above == parent
                        && (other == part || other.starts_with('{') && part.starts_with('{'))
                })
        });
        !greedy && !clash
    }

    fn frozen(&self) -> Vec<(String, &'static str)> {
        let mut frozen: Vec<_> =
            self.methods.keys().map(|(id, verb)| (self.path(id), *verb)).collect();
        frozen.sort();
        frozen
    }
}

const PARTS: [&str; 4] = ["a", "b", "{v}", "{w+}"];
const VERBS: [&str; 2] = ["GET", "ANY"];
const STAGES: [&str; 3] = ["dev", "prod", "test"];

fn pick<T: Clone>(mut keys: impl ExactSizeIterator<Item = T>, at: usize) -> Option<T> {
    let count = keys.len();
    if count == 0 { None } else { keys.nth(at % count) }
}

fn replace(path: &str, value: &str) -> Vec<PatchOperation> {
    vec![PatchOperation {
        op: PatchOp::Replace,
        path: Some(path.to_owned()),
        value: Some(value.to_owned()),
        from: None,
    }]
}

/// Does the action to both; a disagreement about whether it is allowed fails the test.
async fn act(app: &App, model: &mut Model, action: &Action) {
    if matches!(action, Action::CreateApi) {
        let input = CreateRestApi { name: "n".to_owned(), ..CreateRestApi::default() };
        let created = app.create_rest_api(input).await.unwrap();
        let resources = BTreeMap::from([(created.root_resource_id.to_string(), None)]);
        model.apis.insert(created.id.to_string(), Api { resources, ..Api::default() });
        return;
    }
    let at = match *action {
        Action::DeleteApi(at)
        | Action::CreateResource(at, ..)
        | Action::DeleteResource(at, ..)
        | Action::Move(at, ..)
        | Action::Rename(at, ..)
        | Action::PutMethod(at, ..)
        | Action::DeleteMethod(at, ..)
        | Action::PutIntegration(at, ..)
        | Action::Deploy(at, ..)
        | Action::DeleteDeployment(at, ..)
        | Action::Point(at, ..)
        | Action::DeleteStage(at, ..) => at,
        Action::CreateApi | Action::Reopen => return,
    };
    let Some(id) = pick(model.apis.keys().cloned(), at) else { return };
    if matches!(action, Action::DeleteApi(_)) {
        app.delete_rest_api(&id).await.unwrap();
        model.apis.remove(&id);
        return;
    }
    let api = model.apis.get_mut(&id).unwrap();
    let resource = |at: usize| pick(api.resources.keys().cloned(), at).unwrap();
    match *action {
        Action::CreateResource(_, parent, part) => {
            let (parent, part) = (resource(parent), PARTS[part]);
            let fits = api.fits(&parent, part, None);
            let created = app.create_resource(&id, &parent, part).await;
            assert_eq!(created.is_ok(), fits, "{created:?}");
            if let Ok(created) = created {
                api.resources.insert(created.id.to_string(), Some((parent, part.to_owned())));
                assert_eq!(created.path, api.path(created.id.as_str()));
            }
        }
        Action::DeleteResource(_, at) => {
            let gone = resource(at);
            let allowed = api.resources[&gone].is_some();
            assert_eq!(app.delete_resource(&id, &gone).await.is_ok(), allowed);
            if allowed {
                let below: Vec<String> =
                    api.resources.keys().filter(|id| api.below(id, &gone)).cloned().collect();
                api.methods.retain(|(id, _), _| !below.contains(id));
                api.resources.retain(|id, _| !below.contains(id));
            }
        }
        Action::Move(_, at, to) => {
            let (moved, to) = (resource(at), resource(to));
            let allowed = api.resources[&moved].as_ref().is_some_and(|(_, part)| {
                !api.below(&to, &moved) && api.fits(&to, part, Some(&moved))
            });
            let told = app.update_resource(&id, &moved, &replace("/parentId", &to)).await;
            // Moving to where it is changes nothing and is fine even below a greedy parent that cannot exist.
            assert_eq!(told.is_ok(), allowed, "{told:?}");
            if allowed {
                api.resources.get_mut(&moved).unwrap().as_mut().unwrap().0 = to;
            }
        }
        Action::Rename(_, at, part) => {
            let (renamed, part) = (resource(at), PARTS[part]);
            let has_children =
                api.resources.values().flatten().any(|(parent, _)| *parent == renamed);
            let allowed = api.resources[&renamed].as_ref().is_some_and(|(parent, _)| {
                api.fits(parent, part, Some(&renamed)) && !(part.ends_with("+}") && has_children)
            });
            let told = app.update_resource(&id, &renamed, &replace("/pathPart", part)).await;
            assert_eq!(told.is_ok(), allowed, "{told:?}");
            if allowed {
                api.resources.get_mut(&renamed).unwrap().as_mut().unwrap().1 = part.to_owned();
            }
        }
        Action::PutMethod(_, at, verb) => {
            let (resource, verb) = (resource(at), VERBS[verb]);
            let input = PutMethod { authorization_type: "NONE".to_owned(), ..PutMethod::default() };
            let put = app.put_method(&id, &resource, verb, input).await;
            assert_eq!(put.is_ok(), !api.methods.contains_key(&(resource.clone(), verb)));
            api.methods.entry((resource, verb)).or_insert(false);
        }
        Action::DeleteMethod(_, at, verb) => {
            let (resource, verb) = (resource(at), VERBS[verb]);
            let known = api.methods.remove(&(resource.clone(), verb)).is_some();
            assert_eq!(app.delete_method(&id, &resource, verb).await.is_ok(), known);
        }
        Action::PutIntegration(_, at, verb) => {
            let (resource, verb) = (resource(at), VERBS[verb]);
            let put = app
                .put_integration(&id, &resource, verb, PutIntegration::new(IntegrationType::Mock))
                .await;
            let known = api.methods.get_mut(&(resource, verb));
            assert_eq!(put.is_ok(), known.is_some());
            if let Some(integrated) = known {
                *integrated = true;
            }
        }
        Action::Deploy(_, stage) => {
            let stage = stage.map(|at| STAGES[at]);
            let input = CreateDeployment {
                stage_name: stage.map(str::to_owned),
                ..CreateDeployment::default()
            };
            let deployed = app.create_deployment(&id, input).await;
            let allowed =
                !api.methods.is_empty() && api.methods.values().all(|integrated| *integrated);
            assert_eq!(deployed.is_ok(), allowed, "{deployed:?}");
            if let Ok(deployment) = deployed {
                api.deployments.insert(deployment.id.to_string(), api.frozen());
                if let Some(stage) = stage {
                    api.stages.insert(stage, deployment.id.to_string());
                }
            }
        }
        Action::DeleteDeployment(_, at) => {
            let Some(gone) = pick(api.deployments.keys().cloned(), at) else { return };
            let free = !api.stages.values().any(|pointed| *pointed == gone);
            assert_eq!(app.delete_deployment(&id, &gone).await.is_ok(), free);
            if free {
                api.deployments.remove(&gone);
            }
        }
        Action::Point(_, stage, at) => {
            let Some(deployment) = pick(api.deployments.keys().cloned(), at) else { return };
            let stage = STAGES[stage];
            let told = app.update_stage(&id, stage, &replace("/deploymentId", &deployment)).await;
            assert_eq!(told.is_ok(), api.stages.contains_key(stage));
            if let Some(pointed) = api.stages.get_mut(stage) {
                *pointed = deployment;
            }
        }
        Action::DeleteStage(_, stage) => {
            let told = app.delete_stage(&id, STAGES[stage]).await;
            assert_eq!(told.is_ok(), api.stages.remove(STAGES[stage]).is_some());
        }
        Action::CreateApi | Action::DeleteApi(_) | Action::Reopen => {}
    }
}

/// Everything callers can see is as the model has it.
async fn compare(app: &App, model: &Model) {
    let all = Paging { position: None, limit: Some(500) };
    let apis = app.get_rest_apis(&all).await.unwrap();
    let seen: Vec<String> = apis.items.iter().map(|api| api.id.to_string()).collect();
    assert_eq!(seen, model.apis.keys().cloned().collect::<Vec<_>>());
    for (id, api) in &model.apis {
        let resources = app.get_resources(id, &all).await.unwrap().items;
        let seen: BTreeMap<String, String> = resources
            .iter()
            .map(|resource| (resource.id.to_string(), resource.path.clone()))
            .collect();
        let want: BTreeMap<String, String> =
            api.resources.keys().map(|resource| (resource.clone(), api.path(resource))).collect();
        assert_eq!(seen, want);
        for resource in &resources {
            let alone = app.get_resource(id, resource.id.as_str()).await.unwrap();
            assert_eq!(alone, **resource, "the row and the cached copy differ");
            for verb in VERBS {
                let method = resource
                    .resource_methods
                    .values()
                    .find(|method| method.http_method.to_string() == verb);
                let integrated = method.map(|method| method.method_integration.is_some());
                assert_eq!(integrated, api.methods.get(&(resource.id.to_string(), verb)).copied());
            }
        }
        let stages = app.get_stages(id, None).await.unwrap();
        let seen: BTreeMap<String, String> = stages
            .iter()
            .map(|stage| (stage.stage_name.to_string(), stage.deployment_id.to_string()))
            .collect();
        let want: BTreeMap<String, String> =
            api.stages.iter().map(|(name, id)| ((*name).to_owned(), id.clone())).collect();
        assert_eq!(seen, want);
        let deployments = app.get_deployments(id, &all).await.unwrap().items;
        assert_eq!(deployments.len(), api.deployments.len());
        for (deployment, frozen) in &api.deployments {
            let shown = app.get_deployment(id, deployment, EmbedSummary(true)).await.unwrap();
            let summary = serde_json::to_value(shown.api_summary.unwrap()).unwrap();
            let mut seen = Vec::new();
            for (path, verbs) in summary.as_object().unwrap() {
                seen.extend(
                    verbs.as_object().unwrap().keys().map(|verb| (path.clone(), verb.clone())),
                );
            }
            seen.sort();
            let want: Vec<_> =
                frozen.iter().map(|(path, verb)| (path.clone(), (*verb).to_owned())).collect();
            assert_eq!(seen, want);
        }
    }
}

/// The log names every revision once, in order, and its last word on each stage agrees with the stages there are.
async fn check_log(app: &App, model: &Model) {
    let log = app.store().changes(0, usize::MAX).await.unwrap();
    let revs: Vec<u64> = log.iter().map(|logged| logged.rev).collect();
    assert_eq!(revs, (1..=log.len() as u64).collect::<Vec<_>>());
    let mut last = BTreeMap::new();
    for logged in log {
        if logged.change.key.contains("/stage/") {
            last.insert(logged.change.key, logged.change.digest);
        }
    }
    let seen: Vec<String> =
        last.into_iter().filter(|(_, digest)| digest.is_some()).map(|(key, _)| key).collect();
    let want: Vec<String> = model
        .apis
        .iter()
        .flat_map(|(id, api)| api.stages.keys().map(move |stage| format!("api/{id}/stage/{stage}")))
        .collect();
    assert_eq!(seen, want);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_leaves_what_a_map_would_hold(actions in proptest::collection::vec(action(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut app = support::app(directory.path());
        let mut model = Model::default();
        runtime.block_on(async {
            for action in &actions {
                if matches!(action, Action::Reopen) {
                    compare(&app, &model).await;
                    drop(app);
                    app = support::app(directory.path());
                }
                act(&app, &mut model, action).await;
            }
            compare(&app, &model).await;
            drop(app);
            let app = support::app(directory.path());
            compare(&app, &model).await;
            check_log(&app, &model).await;
        });
    }
}

/// Two writers of one store, each with its own copies, never lose each other's change.
#[test]
fn two_writers_of_one_store_do_not_lose_changes() {
    use std::sync::Arc;
    use tidegate_control::app::Settings;
    use tidegate_control::store::{SqliteStore, Store};

    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(directory.path()).unwrap());
        let open = || {
            Arc::new(App::new(
                store.clone(),
                Arc::new(support::Refusing),
                Arc::new(Vault::ephemeral()),
                Settings::default(),
            ))
        };
        let (one, two) = (open(), open());
        let input = CreateRestApi { name: "n".to_owned(), ..CreateRestApi::default() };
        let api = one.create_rest_api(input).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..100 {
            let app = if n % 2 == 0 { one.clone() } else { two.clone() };
            let (id, root) = (api.id.to_string(), api.root_resource_id.to_string());
            tasks.spawn(async move {
                loop {
                    match app.create_resource(&id, &root, &format!("r{n}")).await {
                        Ok(_) => break,
                        Err(told) => assert_eq!(told.fault(), Fault::Conflict, "{told}"),
                    }
                }
            });
        }
        tasks.join_all().await;
        let all = Paging { position: None, limit: Some(500) };
        for app in [one, two] {
            assert_eq!(app.get_resources(api.id.as_str(), &all).await.unwrap().items.len(), 101);
        }
    });
}

/// What one writer makes of an API never has the version that another makes of the same: a copy of what was not stored is known by it.
#[test]
fn two_writers_never_come_to_the_same_version() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    runtime.block_on(async {
        let input = CreateRestApi { name: "n".to_owned(), ..CreateRestApi::default() };
        let api = support::app(one.path()).create_rest_api(input).await.unwrap();
        let root = api.root_resource_id.to_string();
        for file in std::fs::read_dir(one.path()).unwrap().map(Result::unwrap) {
            std::fs::copy(file.path(), two.path().join(file.file_name())).unwrap();
        }
        let mut versions = Vec::new();
        for store in [&one, &two] {
            let app = support::app(store.path());
            versions.push(app.workspace(api.id.as_str()).await.unwrap().version);
            app.create_resource(api.id.as_str(), &root, "r").await.unwrap();
            versions.push(app.workspace(api.id.as_str()).await.unwrap().version);
        }
        let [before, ours, same, theirs] = versions[..] else { unreachable!() };
        assert_eq!(before, same);
        assert!(before != ours && before != theirs && ours != theirs);
    });
}

#[test]
fn models_round_trip_through_the_wire_form() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let app = support::app(directory.path());
        let input = CreateRestApi { name: "n".to_owned(), ..CreateRestApi::default() };
        let api = app.create_rest_api(input).await.unwrap();
        let snapshot = app.workspace(api.id.as_str()).await.unwrap().snapshot();
        let bytes = snapshot.to_canonical_json();
        let back = tidegate_control::model::Snapshot::from_canonical_json(&bytes).unwrap();
        assert_eq!(back, snapshot);
        assert_eq!(back.to_canonical_json(), bytes);
        let _: Value = serde_json::from_slice(&bytes).unwrap();
    });
}
