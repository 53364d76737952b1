//! What an operation wants changed of an API, and what that means for the store.

use serde::Serialize;

use super::Workspace;
use crate::model::{
    Authorizer, ContentHash, DeploymentRecord, DocumentationPart, DocumentationVersionRecord,
    GatewayResponse, Model, RequestValidator, Resource, RestApi, StageRecord,
};
use crate::store::keys::{self, Part};
use crate::store::{Change, ChangeKind, Expect, Operation};

/// Something an API has, in its new form.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each variant is the model of its name")]
pub enum Item {
    RestApi(RestApi),
    Resource(Resource),
    Model(Model),
    RequestValidator(RequestValidator),
    Authorizer(Authorizer),
    GatewayResponse(GatewayResponse),
    Deployment(DeploymentRecord),
    DocumentationPart(DocumentationPart),
    DocumentationVersion(DocumentationVersionRecord),
    Stage(StageRecord),
}

impl Item {
    /// Its key and value in the store.
    pub(in crate::app) fn row(&self, api: &str) -> (String, Vec<u8>) {
        fn json(item: &impl Serialize) -> Vec<u8> {
            serde_json::to_vec(item).expect("a model has string keys and no failing serializer")
        }
        match self {
            Self::RestApi(item) => (keys::api(api), json(item)),
            Self::Resource(item) => (keys::part(api, Part::Resource, item.id.as_str()), json(item)),
            Self::Model(item) => (keys::part(api, Part::Model, &item.name), json(item)),
            Self::RequestValidator(item) => {
                (keys::part(api, Part::RequestValidator, item.id.as_str()), json(item))
            }
            Self::Authorizer(item) => {
                (keys::part(api, Part::Authorizer, item.id.as_str()), json(item))
            }
            Self::GatewayResponse(item) => (
                keys::part(api, Part::GatewayResponse, &item.response_type.to_string()),
                json(item),
            ),
            Self::Deployment(item) => {
                (keys::part(api, Part::Deployment, item.deployment.id.as_str()), json(item))
            }
            Self::DocumentationPart(item) => {
                (keys::part(api, Part::DocumentationPart, item.id.as_str()), json(item))
            }
            Self::DocumentationVersion(item) => {
                (keys::part(api, Part::DocumentationVersion, &item.version.version), json(item))
            }
            Self::Stage(item) => {
                (keys::part(api, Part::Stage, item.stage.stage_name.as_str()), json(item))
            }
        }
    }
}

/// What an operation wants changed of one API. Removals happen before puts.
#[derive(Debug, Default)]
pub struct Draft {
    items: Vec<Item>,
    removed: Vec<(Part, String)>,
    blobs: Vec<Vec<u8>>,
    delete_api: bool,
    beside: Operation,
}

impl Draft {
    /// The item comes or changes.
    pub fn put(&mut self, item: Item) {
        self.items.push(item);
    }

    /// The row goes.
    pub fn remove(&mut self, part: Part, name: &str) {
        self.removed.push((part, name.to_owned()));
    }

    /// The blob is there afterwards.
    pub fn blob(&mut self, bytes: Vec<u8>) {
        self.blobs.push(bytes);
    }

    /// A condition on a row that is none of the API's. What it was decided on must be read again when it no longer holds: the
    /// draft is refused until then.
    pub fn expect(&mut self, condition: Expect) {
        self.beside.expect.push(condition);
    }

    /// Everything goes.
    pub fn delete_api(&mut self) {
        self.delete_api = true;
    }

    /// What changes in the same step of rows that belong to no API.
    pub(in crate::app) fn beside(&mut self, operation: Operation) {
        self.beside.extend(operation);
    }

    /// The items alone, for an API that is not stored yet.
    pub(in crate::app) fn into_items(self) -> Vec<Item> {
        self.items
    }

    pub(super) fn deletes_api(&self) -> bool {
        self.delete_api
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.removed.is_empty() && !self.delete_api
    }

    /// The operation that makes the draft durable if the API is still at the workspace's version. An empty draft only
    /// expects.
    ///
    /// `next` is the version then. It is nothing that another process on the store could come to by itself: what is queued here
    /// would take the other's version for its own.
    pub(super) fn operation(&self, on: &Workspace, next: u64) -> Operation {
        let mut operation = self.own_operation(on, next);
        operation.extend(self.beside.clone());
        operation
    }

    fn own_operation(&self, on: &Workspace, next: u64) -> Operation {
        let api = &on.rest_api.id;
        let mut operation = Operation {
            expect: vec![Expect::Value(
                keys::version(api.as_str()),
                on.version.to_be_bytes().to_vec(),
            )],
            ..Operation::default()
        };
        if self.delete_api {
            operation.deletes = vec![keys::api(api.as_str()), keys::version(api.as_str())];
            operation.delete_prefixes = vec![keys::parts(api)];
            let gone = |key, kind| Change { key, kind, digest: None };
            let stages = on.stages.keys();
            operation.changes = stages
                .map(|name| gone(keys::change::stage(api, name), ChangeKind::Stage))
                .collect();
            operation.changes.push(gone(keys::change::api(api), ChangeKind::Api));
            return operation;
        }
        if self.is_empty() {
            return operation;
        }
        operation.puts.push((keys::version(api.as_str()), next.to_be_bytes().to_vec()));
        operation.blobs.clone_from(&self.blobs);
        operation.deletes =
            self.removed.iter().map(|(part, name)| keys::part(api.as_str(), *part, name)).collect();
        for item in &self.items {
            operation.puts.push(item.row(api.as_str()));
        }
        self.log(on, &mut operation);
        operation
    }

    /// Derives the log from the items, so that no operation can forget to say what it changed.
    fn log(&self, on: &Workspace, operation: &mut Operation) {
        let api = &on.rest_api.id;
        // Items follow the version row.
        let digests = operation.puts.iter().skip(1).map(|(_, value)| ContentHash::of(value));
        let mut draft = None;
        let mut told = Vec::new();
        for (item, digest) in self.items.iter().zip(digests) {
            let (key, kind) = match item {
                Item::RestApi(_) => (keys::change::api(api), ChangeKind::Api),
                Item::Deployment(item) => {
                    (keys::change::deployment(api, &item.deployment.id), ChangeKind::Deployment)
                }
                Item::Stage(item) => {
                    (keys::change::stage(api, &item.stage.stage_name), ChangeKind::Stage)
                }
                _ => {
                    draft = Some(digest);
                    continue;
                }
            };
            told.push(Change { key, kind, digest: Some(digest) });
        }
        let mut undeployed = draft.is_some();
        for (part, name) in &self.removed {
            let kind = match part {
                Part::Stage => ChangeKind::Stage,
                Part::Deployment => ChangeKind::Deployment,
                _ => {
                    undeployed = true;
                    continue;
                }
            };
            let word = kind.name();
            told.push(Change { key: format!("api/{api}/{word}/{name}"), kind, digest: None });
        }
        if undeployed {
            let key = keys::change::api(api);
            operation.changes.push(Change { key, kind: ChangeKind::Draft, digest: draft });
        }
        operation.changes.append(&mut told);
    }

    /// Makes the workspace what the store has once the operation is applied.
    pub(super) fn apply_to(self, workspace: &mut Workspace, next: u64) {
        workspace.version = next;
        for (part, name) in &self.removed {
            workspace.remove(*part, name);
        }
        for item in self.items {
            workspace.put(item);
        }
    }
}
