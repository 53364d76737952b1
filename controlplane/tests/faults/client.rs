//! One client: makes up changes, sends them one after another, and keeps what was acknowledged.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::rngs::StdRng;
use rand::seq::IteratorRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

use crate::http::Connection;
use crate::model::{self, Api, SHARED, World, prefix};
use crate::operation::{Change, Operation};

/// A client and its journal, which no kill of a control plane touches.
pub struct Client {
    number: usize,
    rng: StdRng,
    /// What was acknowledged.
    pub world: World,
    /// What was asked for and never answered.
    pub open: Option<Operation>,
    /// Names and answers are never used twice.
    counter: u64,
    pub acknowledged: u64,
    pub refused: u64,
}

impl Client {
    pub fn new(number: usize, seed: u64) -> Self {
        Self {
            number,
            rng: StdRng::seed_from_u64(seed ^ (number as u64 + 1) << 32),
            world: World::new(),
            open: None,
            counter: 0,
            acknowledged: 0,
            refused: 0,
        }
    }

    /// Changes things until an answer fails to come, which must not happen before `killed`.
    pub fn work(&mut self, admin: SocketAddr, killed: &AtomicBool) {
        let Ok(mut connection) = Connection::open(admin) else {
            assert!(killed.load(Ordering::SeqCst), "nobody listens");
            return;
        };
        loop {
            let operation = self.make_up();
            let (method, target, body) = operation.request(&self.world);
            match connection.admin(method, &target, &body) {
                Err(error) => {
                    assert!(killed.load(Ordering::SeqCst), "{operation:?}: {error}");
                    self.open = Some(operation);
                    return;
                }
                Ok(answer) if answer.status < 300 => {
                    operation.apply(&mut self.world, &answer.json());
                    self.acknowledged += 1;
                    let untold = matches!(operation.change, Change::Import(_) | Change::Merge(_));
                    if untold && !self.look(&mut connection) {
                        return;
                    }
                }
                // Others change the shared API at the same time: deployments meet methods that are not complete, and too
                // many changes at once. What is refused has no effect, which the next look at everything shows.
                Ok(answer) => {
                    let expected = operation.api == SHARED
                        && (answer.status == 409
                            || answer.status == 400 && answer.body.contains("No integration"));
                    assert!(expected, "{operation:?}: {} {}", answer.status, answer.body);
                    self.refused += 1;
                }
            }
        }
    }

    /// Asks for the ids an import does not tell. False when the control plane is gone.
    fn look(&mut self, connection: &mut Connection) -> bool {
        for api in self.world.values_mut() {
            if api.resources.values().all(|resource| !resource.id.is_empty()) {
                continue;
            }
            let target = format!("/restapis/{}/resources?limit=500", api.id);
            let Ok(answer) = connection.admin("GET", &target, &Value::Null) else { return false };
            for told in answer.json()["item"].as_array().unwrap() {
                if let Some(resource) = api.resources.get_mut(told["path"].as_str().unwrap()) {
                    told["id"].as_str().unwrap().clone_into(&mut resource.id);
                }
            }
        }
        true
    }

    /// Compares with what is there after a restart, and goes on from it. What was not answered is there wholly, which gives
    /// true, or not at all. Otherwise the differences from both are the error.
    pub fn settle(&mut self, found: &World) -> Result<bool, String> {
        let without = model::differences(&self.world, found);
        let open = self.open.take();
        let done = !without.is_empty();
        if done {
            let Some(operation) = open else { return Err(without.join("\n")) };
            operation.apply(&mut self.world, &Value::Null);
            let with = model::differences(&self.world, found);
            if !with.is_empty() {
                return Err(format!(
                    "without {operation:?}:\n{}\nwith it:\n{}",
                    without.join("\n"),
                    with.join("\n")
                ));
            }
        }
        model::learn(&mut self.world, found);
        Ok(done)
    }

    fn make_up(&mut self) -> Operation {
        let mine = self.world.keys().filter(|name| *name != SHARED).count();
        let create = mine == 0 || mine < 3 && self.rng.random_bool(0.05);
        if create {
            let source = self.world.keys().filter(|name| *name != SHARED).choose(&mut self.rng);
            let source = source.cloned();
            let change = source.map_or(Change::Create, Change::Clone);
            return Operation { api: self.name(), change };
        }
        let name = self.world.keys().choose(&mut self.rng).unwrap().clone();
        let api = self.world[&name].clone();
        let change = match self.next_step(&api).unwrap_or_else(|| self.any(&name, &api)) {
            // Whose description it has nobody could say.
            Change::Describe(text) if name == SHARED => Change::Resource(format!("/{text}")),
            change => change,
        };
        Operation { api: name, change }
    }

    /// Completes a method that was begun.
    fn next_step(&mut self, api: &Api) -> Option<Change> {
        let begun = |method: &&model::Method| method.answer.is_none();
        let (path, method) = api
            .resources
            .iter()
            .filter_map(|(path, held)| Some((path.clone(), held.method.as_ref().filter(begun)?)))
            .next()?;
        Some(match method {
            model::Method { response: false, .. } => Change::MethodResponse(path),
            model::Method { integration: false, .. } => Change::Integration(path),
            _ => Change::Answer(path, self.number()),
        })
    }

    fn any(&mut self, name: &str, api: &Api) -> Change {
        let resource = api.resources.keys().choose(&mut self.rng).cloned();
        let complete = api.resources.iter().filter(|(_, held)| held.method.is_some());
        let complete = complete.map(|(path, _)| path.clone()).choose(&mut self.rng);
        let bare = api.resources.iter().find(|(_, held)| held.method.is_none());
        let deployment = api.deployments.keys().choose(&mut self.rng).cloned();
        let stage = api.stages.keys().choose(&mut self.rng).cloned();
        let unused = api.deployments.keys().find(|key| !api.serves(key)).cloned();
        match self.rng.random_range(0..120) {
            100..108 if stage.is_some() => self.on_stage(api, stage.unwrap_or_default()),
            108..112 if complete.is_some() => {
                Change::OperationName(complete.unwrap_or_default(), self.name())
            }
            112..115 => match stage {
                // Whose tags the shared API has nobody could say.
                Some(stage) if name == SHARED || self.rng.random_bool(0.5) => {
                    Change::Tag(Some(stage), self.number())
                }
                _ if name == SHARED => Change::Resource(format!("/{}", self.name())),
                _ => Change::Tag(None, self.number()),
            },
            115..118 if name != SHARED => {
                let known = api.resources.keys().filter(|path| path.matches('/').count() == 1);
                let mut paths = vec![format!("/{}", self.name())];
                paths.extend(known.choose(&mut self.rng).cloned());
                Change::Merge(paths.into_iter().map(|path| (path, self.number())).collect())
            }
            0..15 if api.resources.len() < 12 => {
                let above = resource.filter(|path| path.matches('/').count() < 3);
                Change::Resource(format!("{}/{}", above.unwrap_or_default(), self.name()))
            }
            15..30 => match bare {
                Some((path, _)) => Change::Method(path.clone()),
                None => Change::Describe(self.name()),
            },
            30..65 if complete.is_some() => {
                let stage = match stage {
                    _ if api.deployments.len() < 8 && self.rng.random_bool(0.2) => None,
                    Some(stage) if api.stages.len() > 2 => Some(stage),
                    _ => Some(self.name()),
                };
                Change::Deploy(self.name(), stage, self.number())
            }
            30..65 => Change::Resource(format!("/{}", self.name())),
            65..80 => match (stage, deployment) {
                (Some(stage), Some(deployment)) => Change::Stage(stage, deployment, self.number()),
                _ => Change::Describe(self.name()),
            },
            80..86 if api.deployments.len() > 4 && unused.is_some() => {
                Change::DeleteDeployment(unused.unwrap_or_default())
            }
            86..89 if api.stages.len() > 1 => Change::DeleteStage(stage.unwrap_or_default()),
            89..93 if api.resources.len() > 4 => {
                Change::DeleteResource(resource.unwrap_or_default())
            }
            93..96 if resource.is_some() => {
                Change::Rename(resource.unwrap_or_default(), self.name())
            }
            96..98 if name != SHARED => {
                let paths = (0..self.rng.random_range(1..9))
                    .map(|_| (format!("/{}", self.name()), self.number()));
                Change::Import(paths.collect())
            }
            98 if name != SHARED && self.world.len() > 2 => Change::Delete,
            _ => match complete {
                Some(path) => Change::Answer(path, self.number()),
                None => Change::Describe(self.name()),
            },
        }
    }

    /// What is changed of a stage that may be under canary.
    fn on_stage(&mut self, api: &Api, stage: String) -> Change {
        let number = self.number();
        let deployment = api.deployments.keys().choose(&mut self.rng).cloned();
        let deployment = deployment.expect("a stage points at one");
        match self.rng.random_range(0..4) {
            0 if api.stages[&stage].canary.is_some() => Change::Promote(stage),
            1 if api.stages[&stage].canary.is_some() => Change::Abort(stage),
            2 => Change::Burst(stage, number),
            _ => Change::Canary(stage, deployment, number),
        }
    }

    fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter * 10 + self.number as u64
    }

    fn name(&mut self) -> String {
        format!("{}{}", prefix(self.number), self.number())
    }
}
