//! What should be there: plain maps, and rules as the reference states them.

use std::collections::{BTreeMap, BTreeSet};

pub type Map = BTreeMap<String, String>;

/// APIs by id.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub apis: BTreeMap<String, Api>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Api {
    pub name: String,
    pub description: Option<String>,
    pub version: Option<String>,
    pub binary: Vec<String>,
    pub compression: Option<i64>,
    pub key_in_header: bool,
    pub disabled: bool,
    pub tags: Map,
    /// By path, the root among them.
    pub resources: BTreeMap<String, Resource>,
    pub deployments: BTreeMap<String, Deployment>,
    pub stages: BTreeMap<String, Stage>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// Empty where no answer has told it yet.
    pub id: String,
    pub methods: BTreeMap<String, Method>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Method {
    pub iam: bool,
    pub key_required: bool,
    pub operation: Option<String>,
    pub parameters: BTreeMap<String, bool>,
    pub scopes: Vec<String>,
    pub integrated: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deployment {
    pub description: Option<String>,
    /// Paths and verbs as they were.
    pub frozen: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    pub deployment: String,
    pub description: Option<String>,
    pub tracing: bool,
    pub variables: Map,
    pub settings: BTreeMap<String, Setting>,
    pub canary: Option<Canary>,
    pub tags: Map,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub burst: i64,
    pub ttl: i64,
    pub metrics: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self { burst: 5_000, ttl: 300, metrics: false }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Canary {
    pub percent: f64,
    pub deployment: String,
    pub overrides: Map,
}

impl Api {
    /// A new one with nothing but its root.
    pub fn new(name: &str, root: &str) -> Self {
        let root = Resource { id: root.to_owned(), ..Resource::default() };
        Self {
            name: name.to_owned(),
            key_in_header: true,
            resources: BTreeMap::from([("/".to_owned(), root)]),
            ..Self::default()
        }
    }

    fn methods(&self) -> impl Iterator<Item = &Method> {
        self.resources.values().flat_map(|resource| resource.methods.values())
    }

    /// Whether a deployment is possible; `None` where that depends on what this release's engine can do.
    pub fn deployable(&self) -> Option<bool> {
        if self.methods().next().is_none() || self.methods().any(|method| !method.integrated) {
            return Some(false);
        }
        let plain = |method: &Method| !method.iam && !method.key_required;
        (self.compression.is_none() && self.methods().all(plain)).then_some(true)
    }

    pub fn frozen(&self) -> BTreeSet<(String, String)> {
        let routes = self.resources.iter().flat_map(|(path, resource)| {
            resource.methods.keys().map(move |verb| (path.clone(), verb.clone()))
        });
        routes.collect()
    }

    /// Whether a stage or its canary points at a deployment.
    pub fn serves(&self, deployment: &str) -> bool {
        self.stages.values().any(|stage| {
            stage.deployment == deployment
                || stage.canary.as_ref().is_some_and(|canary| canary.deployment == deployment)
        })
    }
}

/// The path of a child.
pub fn child(parent: &str, part: &str) -> String {
    format!("{}/{part}", parent.trim_end_matches('/'))
}

/// Whether a path is another or below it.
pub fn is_below(path: &str, ancestor: &str) -> bool {
    path == ancestor || path.strip_prefix(ancestor).is_some_and(|rest| rest.starts_with('/'))
}

/// What stage variables may be. Source: API Gateway quotas.
pub fn variables_hold(variables: &Map) -> bool {
    variables.iter().all(|(name, value)| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b))
    })
}
