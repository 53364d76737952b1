//! What a client knows to be there, and the same as the admin API shows it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::http::Connection;

/// APIs by name.
pub type World = BTreeMap<String, Api>;

/// An API, or the part of it that is one client's. What people name is the key; an empty id is one nobody was told yet.
#[derive(Clone, Debug, Default)]
pub struct Api {
    pub id: String,
    pub root: String,
    pub description: String,
    pub tags: BTreeMap<String, String>,
    /// By path, without the root.
    pub resources: BTreeMap<String, Resource>,
    /// By description.
    pub deployments: BTreeMap<String, Deployment>,
    pub stages: BTreeMap<String, Stage>,
}

#[derive(Clone, Debug, Default)]
pub struct Resource {
    pub id: String,
    /// Its `GET`.
    pub method: Option<Method>,
}

/// What there is of a method; it is complete when it has an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Method {
    pub operation: Option<String>,
    pub response: bool,
    pub integration: bool,
    pub answer: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct Deployment {
    pub id: String,
    /// Path to answer, as frozen. The admin API does not show it; nodes do.
    pub routes: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The deployment's description.
    pub deployment: String,
    pub variables: BTreeMap<String, String>,
    pub canary: Option<Canary>,
    /// The burst limit of all methods.
    pub burst: Option<u64>,
    pub tags: BTreeMap<String, String>,
}

/// A canary without traffic, so that what a stage answers stays certain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canary {
    /// The deployment's description.
    pub deployment: String,
    pub overrides: BTreeMap<String, String>,
}

impl Api {
    /// Whether a stage or its canary points at a deployment.
    pub fn serves(&self, key: &str) -> bool {
        self.stages.values().any(|stage| {
            stage.deployment == key
                || stage.canary.as_ref().is_some_and(|canary| canary.deployment == key)
        })
    }
}

/// Whose something is: names of all things begin with their client's.
pub fn prefix(client: usize) -> String {
    format!("c{client}-")
}

/// The API all clients change, each its own part.
pub const SHARED: &str = "shared";

/// Everything the admin API shows, checked for what must always hold between its parts.
pub fn dump(connection: &mut Connection) -> World {
    let mut get = |target: &str| {
        let answer = connection.admin("GET", target, &Value::Null).unwrap();
        assert_eq!(answer.status, 200, "{target}: {}", answer.body);
        let told = answer.json();
        assert!(told.get("position").is_none(), "{target} has a second page");
        told["item"].as_array().unwrap().clone()
    };
    let mut world = World::new();
    for told in get("/restapis?limit=500") {
        let id = text(&told, "id");
        let mut api = Api {
            description: told["description"].as_str().unwrap_or_default().to_owned(),
            tags: map(&told["tags"]),
            ..Api::default()
        };
        add_resources(&mut api, &get(&format!("/restapis/{id}/resources?embed=methods&limit=500")));
        for told in get(&format!("/restapis/{id}/deployments?limit=500")) {
            let deployment = Deployment { id: text(&told, "id"), ..Deployment::default() };
            let twice = api.deployments.insert(text(&told, "description"), deployment);
            assert!(twice.is_none(), "{told} is there twice");
        }
        for told in get(&format!("/restapis/{id}/stages")) {
            let deployment = |told: &Value| {
                let target = text(told, "deploymentId");
                let found = api.deployments.iter().find(|(_, held)| held.id == target);
                found.expect("what a stage points at exists").0.clone()
            };
            let canary = told.get("canarySettings").map(|told| Canary {
                deployment: deployment(told),
                overrides: map(&told["stageVariableOverrides"]),
            });
            let stage = Stage {
                deployment: deployment(&told),
                variables: map(&told["variables"]),
                canary,
                burst: told["methodSettings"]["*/*"]["throttlingBurstLimit"].as_u64(),
                tags: map(&told["tags"]),
            };
            api.stages.insert(text(&told, "stageName"), stage);
        }
        api.id = id;
        assert!(world.insert(text(&told, "name"), api).is_none(), "{told} is there twice");
    }
    world
}

/// A map of texts; absent is empty.
fn map(told: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(told.clone()).unwrap_or_default()
}

fn add_resources(api: &mut Api, told: &[Value]) {
    let paths: BTreeMap<String, String> =
        told.iter().map(|told| (text(told, "id"), text(told, "path"))).collect();
    for told in told {
        let (id, path) = (text(told, "id"), text(told, "path"));
        if path == "/" {
            assert!(api.root.is_empty(), "two roots");
            api.root = id;
            continue;
        }
        let parent = paths.get(&text(told, "parentId")).expect("a resource's parent exists");
        let want = format!("{}/{}", parent.trim_end_matches('/'), text(told, "pathPart"));
        assert_eq!(path, want, "a path is its parent's and its part");
        let method = told.get("resourceMethods").and_then(|methods| methods.get("GET"));
        let resource = Resource { id, method: method.map(shown) };
        assert!(api.resources.insert(path, resource).is_none(), "{told} is there twice");
    }
    assert!(!api.root.is_empty(), "every API has a root");
}

fn shown(told: &Value) -> Method {
    let integration = told.get("methodIntegration");
    let template = integration.and_then(|integration| {
        integration.pointer("/integrationResponses/200/responseTemplates/application~1json")
    });
    let number = |template: &Value| {
        let digits = template.as_str()?.strip_prefix("{\"n\":")?.strip_suffix('}')?;
        digits.parse().ok()
    };
    Method {
        operation: told["operationName"].as_str().map(str::to_owned),
        response: told.pointer("/methodResponses/200").is_some(),
        integration: integration.is_some(),
        answer: template.map(|template| number(template).expect("a template of ours")),
    }
}

/// The template that answers with a number.
pub fn template(number: u64) -> String {
    format!("{{\"n\":{number}}}")
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}

/// One client's part of the world.
pub fn part_of(world: &World, client: usize) -> World {
    let prefix = prefix(client);
    let mine = |name: &str| name.trim_start_matches('/').starts_with(&prefix);
    let mut part = world.clone();
    part.retain(|name, _| name == SHARED || mine(name));
    for api in part.values_mut() {
        api.resources.retain(|path, _| mine(path));
        api.deployments.retain(|name, _| mine(name));
        api.stages.retain(|name, _| mine(name));
    }
    part
}

/// How many things there are.
pub fn size(world: &World) -> usize {
    let of = |api: &Api| 1 + api.resources.len() + api.deployments.len() + api.stages.len();
    world.values().map(of).sum()
}

/// What differs between what must be and what is; empty when it is the same. Ids that are not known may be any.
pub fn differences(want: &World, found: &World) -> Vec<String> {
    let mut all = Vec::new();
    compare("API", want, found, &mut all, |name, want, found, all| {
        if !same_id(&want.id, &found.id)
            || !same_id(&want.root, &found.root)
            || want.description != found.description
            || want.tags != found.tags
        {
            all.push(format!("API {name} is {found:?}, not {want:?}"));
        }
        compare(
            &format!("{name} resource"),
            &want.resources,
            &found.resources,
            all,
            |path, want, found, all| {
                if !same_id(&want.id, &found.id) || want.method != found.method {
                    all.push(format!("{name}{path} is {found:?}, not {want:?}"));
                }
            },
        );
        compare(
            &format!("{name} deployment"),
            &want.deployments,
            &found.deployments,
            all,
            |key, want, found, all| {
                if !same_id(&want.id, &found.id) {
                    all.push(format!("{name} {key} is {found:?}, not {want:?}"));
                }
            },
        );
        compare(
            &format!("{name} stage"),
            &want.stages,
            &found.stages,
            all,
            |key, want, found, all| {
                if want != found {
                    all.push(format!("{name} {key} is {found:?}, not {want:?}"));
                }
            },
        );
    });
    all
}

fn compare<T>(
    what: &str,
    want: &BTreeMap<String, T>,
    found: &BTreeMap<String, T>,
    all: &mut Vec<String>,
    mut each: impl FnMut(&str, &T, &T, &mut Vec<String>),
) {
    for (key, want) in want {
        match found.get(key) {
            Some(found) => each(key, want, found, all),
            None => all.push(format!("{what} {key} is missing")),
        }
    }
    for key in found.keys().filter(|key| !want.contains_key(*key)) {
        all.push(format!("{what} {key} should not be there"));
    }
}

fn same_id(want: &str, found: &str) -> bool {
    want.is_empty() || want == found
}

/// Takes ids from what was found.
pub fn learn(world: &mut World, found: &World) {
    for (name, api) in world {
        let found = &found[name];
        (api.id, api.root) = (found.id.clone(), found.root.clone());
        for (path, resource) in &mut api.resources {
            resource.id.clone_from(&found.resources[path].id);
        }
        for (key, deployment) in &mut api.deployments {
            deployment.id.clone_from(&found.deployments[key].id);
        }
    }
}
