//! The changes clients make: how each is asked for, and what it does to what is there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{Api, Deployment, Method, Resource, Stage, World, template};

/// One change: a request to the admin API that is carried out whole or not at all.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The API's name.
    pub api: String,
    pub change: Change,
}

#[derive(Clone, Debug)]
pub enum Change {
    Create,
    Describe(String),
    Delete,
    /// Replaces all resources by these paths, which give these answers.
    Import(BTreeMap<String, u64>),
    Resource(String),
    /// Gives a resource another last part; everything below moves.
    Rename(String, String),
    DeleteResource(String),
    Method(String),
    MethodResponse(String),
    Integration(String),
    Answer(String, u64),
    /// A deployment; with a stage it is made or moved in the same step.
    Deploy(String, Option<String>, u64),
    DeleteDeployment(String),
    /// Moves a stage and sets its variable in one step.
    Stage(String, String, u64),
    DeleteStage(String),
}

impl Operation {
    /// Method, target and body.
    pub fn request(&self, world: &World) -> (&'static str, String, Value) {
        use Change::*;
        let name = &self.api;
        if matches!(self.change, Create) {
            return ("POST", "/restapis".into(), json!({ "name": name }));
        }
        let api = &world[name];
        let base = format!("/restapis/{}", api.id);
        let method =
            |path: &String| format!("{base}/resources/{}/methods/GET", api.resources[path].id);
        let patch =
            |path: &str, value: &str| json!({ "op": "replace", "path": path, "value": value });
        let patches = |all: &[Value]| json!({ "patchOperations": all });
        match &self.change {
            Create => unreachable!("has no API yet"),
            Describe(text) => ("PATCH", base, patches(&[patch("/description", text)])),
            Delete => ("DELETE", base, Value::Null),
            Import(paths) => ("PUT", format!("{base}?mode=overwrite"), document(name, api, paths)),
            Resource(path) => {
                let (above, part) = split(path);
                let parent = api.resources.get(above).map_or(&api.root, |parent| &parent.id);
                ("POST", format!("{base}/resources/{parent}"), json!({ "pathPart": part }))
            }
            Rename(path, part) => {
                let target = format!("{base}/resources/{}", api.resources[path].id);
                ("PATCH", target, patches(&[patch("/pathPart", part)]))
            }
            DeleteResource(path) => {
                ("DELETE", format!("{base}/resources/{}", api.resources[path].id), Value::Null)
            }
            Method(path) => ("PUT", method(path), json!({ "authorizationType": "NONE" })),
            MethodResponse(path) => ("PUT", method(path) + "/responses/200", json!({})),
            Integration(path) => {
                let templates = json!({ "application/json": "{\"statusCode\": 200}" });
                let body = json!({ "type": "MOCK", "requestTemplates": templates });
                ("PUT", method(path) + "/integration", body)
            }
            Answer(path, number) => {
                let templates = json!({ "application/json": template(*number) });
                let body = json!({ "responseTemplates": templates });
                ("PUT", method(path) + "/integration/responses/200", body)
            }
            Deploy(key, stage, number) => {
                let mut body = json!({ "description": key });
                if let Some(stage) = stage {
                    body["stageName"] = json!(stage);
                    body["variables"] = json!({ "v": variable(*number) });
                }
                ("POST", format!("{base}/deployments"), body)
            }
            DeleteDeployment(key) => {
                ("DELETE", format!("{base}/deployments/{}", api.deployments[key].id), Value::Null)
            }
            Stage(stage, key, number) => {
                let steps = [
                    patch("/deploymentId", &api.deployments[key].id),
                    patch("/variables/v", &variable(*number)),
                ];
                ("PATCH", format!("{base}/stages/{stage}"), patches(&steps))
            }
            DeleteStage(stage) => ("DELETE", format!("{base}/stages/{stage}"), Value::Null),
        }
    }

    /// Does it to what is known. `told` is the answer; without one the ids it would tell are not known.
    pub fn apply(&self, world: &mut World, told: &Value) {
        use Change::*;
        let id = |member: &str| told[member].as_str().unwrap_or_default().to_owned();
        match &self.change {
            Create => {
                let created = Api { id: id("id"), root: id("rootResourceId"), ..Api::default() };
                world.insert(self.api.clone(), created);
                return;
            }
            Delete => {
                world.remove(&self.api);
                return;
            }
            _ => {}
        }
        let api = world.get_mut(&self.api).unwrap();
        let method = |api: &mut Api, path: &String, change: &dyn Fn(&mut self::Method)| {
            let resource = api.resources.get_mut(path).unwrap();
            change(resource.method.get_or_insert_default());
        };
        match &self.change {
            Create | Delete => unreachable!("done above"),
            Describe(text) => api.description.clone_from(text),
            Import(paths) => {
                let whole = |number| self::Method {
                    response: true,
                    integration: true,
                    answer: Some(number),
                };
                let resource =
                    |number| self::Resource { id: String::new(), method: Some(whole(number)) };
                // Every path has one part: nothing stands between them and the root.
                api.resources =
                    paths.iter().map(|(path, number)| (path.clone(), resource(*number))).collect();
            }
            Resource(path) => {
                let created = self::Resource { id: id("id"), method: None };
                api.resources.insert(path.clone(), created);
            }
            Rename(path, part) => {
                let renamed = format!("{}/{part}", split(path).0);
                for old in below(api, path) {
                    let resource = api.resources.remove(&old).unwrap();
                    api.resources.insert(format!("{renamed}{}", &old[path.len()..]), resource);
                }
            }
            DeleteResource(path) => {
                below(api, path).iter().for_each(|path| drop(api.resources.remove(path)));
            }
            Method(path) => method(api, path, &|_| {}),
            MethodResponse(path) => method(api, path, &|method| method.response = true),
            Integration(path) => method(api, path, &|method| method.integration = true),
            Answer(path, number) => method(api, path, &|method| method.answer = Some(*number)),
            Deploy(key, stage, number) => {
                let answer = |resource: &self::Resource| resource.method.as_ref()?.answer;
                let routes = api
                    .resources
                    .iter()
                    .filter_map(|(path, resource)| Some((path.clone(), answer(resource)?)));
                let deployment = Deployment { id: id("id"), routes: routes.collect() };
                api.deployments.insert(key.clone(), deployment);
                if let Some(stage) = stage {
                    set_stage(api, stage, key, *number);
                }
            }
            DeleteDeployment(key) => drop(api.deployments.remove(key)),
            Stage(stage, key, number) => set_stage(api, stage, key, *number),
            DeleteStage(stage) => drop(api.stages.remove(stage)),
        }
    }
}

fn set_stage(api: &mut Api, stage: &str, deployment: &str, number: u64) {
    let variables = [("v".to_owned(), variable(number))].into();
    let stage_now = Stage { deployment: deployment.to_owned(), variables };
    api.stages.insert(stage.to_owned(), stage_now);
}

fn variable(number: u64) -> String {
    format!("x{number}")
}

/// What is above, and the last part. The root is empty here.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap()
}

/// A path and all below it.
fn below(api: &Api, path: &str) -> Vec<String> {
    let under = format!("{path}/");
    api.resources.keys().filter(|held| *held == path || held.starts_with(&under)).cloned().collect()
}

fn document(name: &str, api: &Api, paths: &BTreeMap<String, u64>) -> Value {
    let operation = |number: u64| {
        json!({ "get": {
            "responses": { "200": { "description": "" } },
            "x-amazon-apigateway-integration": {
                "type": "mock",
                "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
                "responses": { "default": {
                    "statusCode": "200",
                    "responseTemplates": { "application/json": template(number) },
                } },
            },
        } })
    };
    let paths: BTreeMap<_, _> =
        paths.iter().map(|(path, number)| (path, operation(*number))).collect();
    let info = json!({ "title": name, "version": "1", "description": api.description });
    json!({ "openapi": "3.0.1", "info": info, "paths": paths })
}
