//! Small OpenAPI documents, and what importing one makes of an API. Source: `admin-api` section 14.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::model::{Api, Map, Method};

/// A document of few paths.
#[derive(Clone, Debug)]
pub struct Document {
    pub title: &'static str,
    pub description: Option<&'static str>,
    pub version: &'static str,
    pub binary: Vec<&'static str>,
    /// Path and verb to an operation's id and whether it has an integration.
    pub operations: BTreeMap<(&'static str, &'static str), (&'static str, bool)>,
}

pub fn document() -> impl Strategy<Value = Document> {
    let path = prop::sample::select(&["/", "/a", "/a/b", "/a/{v}", "/c/a"][..]);
    let verb = prop::sample::select(&["get", "post"][..]);
    let operation = (prop::sample::select(&["one", "two"][..]), prop::bool::weighted(0.9));
    (
        prop::sample::select(&["first", "second"][..]),
        prop::option::of(Just("described")),
        prop::sample::select(&["1", "2"][..]),
        prop::collection::vec(prop::sample::select(&["a/b", "x/y"][..]), 0..2),
        prop::collection::btree_map((path, verb), operation, 0..4),
    )
        .prop_map(|(title, description, version, binary, operations)| Document {
            title,
            description,
            version,
            binary,
            operations,
        })
}

impl Document {
    pub fn text(&self) -> Vec<u8> {
        let mut paths = BTreeMap::<&str, BTreeMap<&str, Value>>::new();
        for ((path, verb), (id, integrated)) in &self.operations {
            let mut operation = json!({ "operationId": id, "responses": {} });
            if *integrated {
                operation["x-amazon-apigateway-integration"] = json!({ "type": "mock" });
            }
            paths.entry(path).or_default().insert(verb, operation);
        }
        let mut document = json!({
            "openapi": "3.0.1",
            "info": { "title": self.title, "version": self.version },
            "paths": paths,
        });
        if let Some(description) = self.description {
            document["info"]["description"] = json!(description);
        }
        if !self.binary.is_empty() {
            document["x-amazon-apigateway-binary-media-types"] = json!(self.binary);
        }
        document.to_string().into_bytes()
    }

    /// What PutRestApi makes of an API.
    pub fn put(&self, api: &mut Api, overwrite: bool) {
        api.name = self.title.to_owned();
        api.version = Some(self.version.to_owned());
        let description = self.description.map(str::to_owned);
        if overwrite {
            api.description = description;
            api.binary.clear();
            api.compression = None;
            api.resources.values_mut().for_each(|resource| resource.methods.clear());
            api.resources.retain(|path, _| path == "/" || self.has(path));
        } else {
            api.description = description.or(api.description.take());
        }
        for kind in &self.binary {
            if !api.binary.iter().any(|known| known == kind) {
                api.binary.push((*kind).to_owned());
            }
        }
        for ((path, verb), (id, integrated)) in &self.operations {
            let mut above = String::new();
            for part in path.split('/').filter(|part| !part.is_empty()) {
                above = format!("{above}/{part}");
                api.resources.entry(above.clone()).or_default();
            }
            let method = Method {
                operation: Some((*id).to_owned()),
                integrated: *integrated,
                ..Method::default()
            };
            let resource = api.resources.get_mut(*path).unwrap();
            resource.methods.insert(verb.to_uppercase(), method);
        }
    }

    /// The API that ImportRestApi makes.
    pub fn import(&self, root: &str) -> Api {
        let mut api = Api { tags: Map::new(), ..Api::new(self.title, root) };
        self.put(&mut api, true);
        api
    }

    /// Whether a path is the document's, or on the way to one.
    fn has(&self, path: &str) -> bool {
        self.operations.keys().any(|(known, _)| crate::model::is_below(known, path))
    }
}
