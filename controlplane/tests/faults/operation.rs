//! The changes clients make: how each is asked for, and what it does to what is there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{Api, Deployment, Method, Resource, World, template};

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
    /// A copy of the API of this name.
    Clone(String),
    /// Replaces all resources by these paths, which give these answers.
    Import(BTreeMap<String, u64>),
    /// Adds these paths, or replaces their methods.
    Merge(BTreeMap<String, u64>),
    /// Tags the API, or one of its stages.
    Tag(Option<String>, u64),
    /// Gives a method another operation name.
    OperationName(String, String),
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
    /// A canary without traffic, in one step; one that is there gets these.
    Canary(String, String, u64),
    /// What the canary has becomes the stage's and the canary goes, in one step.
    Promote(String),
    /// The canary goes.
    Abort(String),
    /// Sets the burst limit of all methods.
    Burst(String, u64),
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
        if let Clone(source) = &self.change {
            let body = json!({ "name": name, "cloneFrom": world[source].id });
            return ("POST", "/restapis".into(), body);
        }
        let api = &world[name];
        let base = format!("/restapis/{}", api.id);
        let method =
            |path: &String| format!("{base}/resources/{}/methods/GET", api.resources[path].id);
        let patch =
            |path: &str, value: &str| json!({ "op": "replace", "path": path, "value": value });
        let patches = |all: &[Value]| json!({ "patchOperations": all });
        match &self.change {
            Create | Clone(_) => unreachable!("has no API yet"),
            Describe(text) => ("PATCH", base, patches(&[patch("/description", text)])),
            Delete => ("DELETE", base, Value::Null),
            Import(paths) => ("PUT", format!("{base}?mode=overwrite"), document(name, api, paths)),
            Merge(paths) => ("PUT", format!("{base}?mode=merge"), document(name, api, paths)),
            Tag(stage, number) => {
                let stage = stage.as_ref().map(|stage| format!("/stages/{stage}"));
                let path = format!("/restapis/{}{}", api.id, stage.unwrap_or_default());
                let arn = format!("arn:aws:apigateway:us-east-1::{path}");
                let target = format!("/tags/{}", arn.replace(':', "%3A").replace('/', "%2F"));
                ("PUT", target, json!({ "tags": { "t": variable(*number) } }))
            }
            OperationName(path, text) => {
                ("PATCH", method(path), patches(&[patch("/operationName", text)]))
            }
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
            Canary(stage, key, number) => {
                let steps = [
                    patch("/canarySettings/percentTraffic", "0.0"),
                    patch("/canarySettings/deploymentId", &api.deployments[key].id),
                    patch("/canarySettings/stageVariableOverrides/v", &variable(*number)),
                ];
                ("PATCH", format!("{base}/stages/{stage}"), patches(&steps))
            }
            Promote(stage) => {
                let copy =
                    |from: &str, path: &str| json!({ "op": "copy", "from": from, "path": path });
                let steps = [
                    copy("/canarySettings/stageVariableOverrides", "/variables"),
                    copy("/canarySettings/deploymentId", "/deploymentId"),
                    json!({ "op": "remove", "path": "/canarySettings" }),
                ];
                ("PATCH", format!("{base}/stages/{stage}"), patches(&steps))
            }
            Abort(stage) => {
                let steps = [json!({ "op": "remove", "path": "/canarySettings" })];
                ("PATCH", format!("{base}/stages/{stage}"), patches(&steps))
            }
            Burst(stage, number) => {
                let steps = [patch("/*/*/throttling/burstLimit", &number.to_string())];
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
            Clone(source) => {
                // What is deployed does not come along.
                let resources = world[source].resources.clone();
                let created =
                    Api { id: id("id"), root: id("rootResourceId"), resources, ..Api::default() };
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
            Create | Clone(_) | Delete => unreachable!("done above"),
            Describe(text) => api.description.clone_from(text),
            Import(paths) => {
                api.resources.clear();
                merge(api, paths);
            }
            Merge(paths) => merge(api, paths),
            Tag(None, number) => drop(api.tags.insert("t".to_owned(), variable(*number))),
            Tag(Some(stage), number) => {
                let tags = &mut api.stages.get_mut(stage).unwrap().tags;
                tags.insert("t".to_owned(), variable(*number));
            }
            OperationName(path, text) => {
                method(api, path, &|method| method.operation = Some(text.clone()));
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
                let Some(stage) = stage else { return };
                let held = api.stages.entry(stage.clone()).or_default();
                // A stage under canary keeps its own deployment.
                let side = match &mut held.canary {
                    Some(canary) => &mut canary.deployment,
                    None => &mut held.deployment,
                };
                side.clone_from(key);
                held.variables.insert("v".to_owned(), variable(*number));
            }
            DeleteDeployment(key) => drop(api.deployments.remove(key)),
            Stage(stage, key, number) => {
                let held = api.stages.get_mut(stage).unwrap();
                held.deployment.clone_from(key);
                held.variables.insert("v".to_owned(), variable(*number));
            }
            Canary(stage, key, number) => {
                let held = api.stages.get_mut(stage).unwrap().canary.get_or_insert_default();
                held.deployment.clone_from(key);
                held.overrides.insert("v".to_owned(), variable(*number));
            }
            Promote(stage) => {
                let held = api.stages.get_mut(stage).unwrap();
                let canary = held.canary.take().unwrap();
                held.deployment = canary.deployment;
                held.variables.extend(canary.overrides);
            }
            Abort(stage) => api.stages.get_mut(stage).unwrap().canary = None,
            Burst(stage, number) => api.stages.get_mut(stage).unwrap().burst = Some(*number),
            DeleteStage(stage) => drop(api.stages.remove(stage)),
        }
    }
}

/// Every path has one part: nothing stands between them and the root.
fn merge(api: &mut Api, paths: &BTreeMap<String, u64>) {
    for (path, number) in paths {
        let whole =
            Method { operation: None, response: true, integration: true, answer: Some(*number) };
        api.resources.entry(path.clone()).or_default().method = Some(whole);
    }
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
