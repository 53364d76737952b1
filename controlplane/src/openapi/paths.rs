//! Path keys to a tree of resources: base path, segments, and the rules of variable parts.

use std::collections::BTreeMap;

use super::object::{Object, Reader};
use super::{BasePath, Dialect, ImportedMethod, Paths};
use crate::model::HttpMethod;

/// The paths so far. Adding one adds its ancestors.
#[derive(Default)]
pub(super) struct Tree {
    paths: Paths,
    /// Path of the parent to its one variable part.
    variables: BTreeMap<String, String>,
}

impl Tree {
    /// Adds a path key under a base and returns it in its canonical spelling; `None` (and an error) if it is invalid.
    ///
    /// Source: `admin-api` section 3 (texts) and 7 (one variable part per parent).
    pub(super) fn add(&mut self, base: &str, key: &str, reader: &mut Reader<'_>) -> Option<String> {
        let full = format!("{base}{key}");
        let parts: Vec<&str> = full.split('/').filter(|part| !part.is_empty()).collect();
        if full.len() > MAX_PATH
            || parts.len() > MAX_PARTS
            || !reader.spend(parts.len(), full.len() * parts.len())
        {
            reader.error(format!(
                "Unable to create resource at path '{key:.80}': Resource's path is too long."
            ));
            return None;
        }
        let mut refuse = |why: &str| {
            reader.error(format!("Unable to create resource at path '{full}': {why}"));
            None
        };
        if !key.starts_with('/') {
            return refuse("Resource's path must start with a slash.");
        }
        for (index, part) in parts.iter().enumerate() {
            if !is_part(part) {
                return refuse(PART_RULE);
            }
            if part.ends_with("+}") && index + 1 < parts.len() {
                return refuse(&format!(
                    "Cannot create a child of a resource with a greedy path variable: {part}"
                ));
            }
        }
        let mut path = String::new();
        for part in &parts {
            if part.starts_with('{') {
                let parent = if path.is_empty() { "/" } else { path.as_str() };
                let known =
                    self.variables.entry(parent.to_owned()).or_insert_with(|| (*part).to_owned());
                if known != part {
                    let known = known.clone();
                    return refuse(&format!(
                        "A sibling ({known}) of this resource already has a variable path part -- only one is allowed"
                    ));
                }
            }
            path = format!("{path}/{part}");
            self.paths.entry(path.clone()).or_default();
        }
        self.paths.entry("/".to_owned()).or_default();
        Some(if path.is_empty() { "/".to_owned() } else { path })
    }

    /// Adds a method to a path that [`Tree::add`] returned; false if it has one for this verb.
    pub(super) fn insert(&mut self, path: &str, verb: HttpMethod, method: ImportedMethod) -> bool {
        self.paths.entry(path.to_owned()).or_default().insert(verb, method).is_none()
    }

    pub(super) fn into_paths(mut self) -> Paths {
        self.paths.entry("/".to_owned()).or_default();
        self.paths
    }
}

/// A literal, `{name}` or `{name+}`. Source: `rest-api-runtime` 2.2.
fn is_part(part: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => {
            let name = name.strip_suffix('+').unwrap_or(name);
            !name.is_empty() && name.bytes().all(is_plain)
        }
        None => part.bytes().all(|b| is_plain(b) || matches!(b, b':' | b',')),
    }
}

/// What stands in front of every path: empty, or `/a/b`.
pub(super) fn base_path(
    root: &Object<'_>,
    dialect: Dialect,
    reader: &mut Reader<'_>,
    how: BasePath,
) -> String {
    let stated = match dialect {
        Dialect::Swagger2 => root.text("basePath", reader).unwrap_or_default(),
        Dialect::OpenApi3 => from_servers(root, reader),
    };
    let mut parts = stated.split('/').filter(|part| !part.is_empty());
    match how {
        BasePath::Ignore => return String::new(),
        BasePath::Prepend => {}
        BasePath::Split => drop(parts.next()),
    }
    parts.flat_map(|part| ["/", part]).collect()
}

/// The variable `basePath` of the first server, whether its URL uses it or not, else the URL's path.
///
/// Source: Developer Guide, "OpenAPI basePath property for API Gateway"; `admin-api` section 14.
fn from_servers(root: &Object<'_>, reader: &mut Reader<'_>) -> String {
    let Some(server) = root.list_of_objects("servers", reader).into_iter().next() else {
        return String::new();
    };
    let variables = server.objects("variables", reader);
    let default = |variable: &Object<'_>, reader: &mut Reader<'_>| {
        variable.text("default", reader).unwrap_or_default()
    };
    if let Some((_, variable)) = variables.iter().find(|(name, _)| *name == "basePath") {
        return default(variable, reader);
    }
    let mut url = server.text("url", reader).unwrap_or_default();
    for (name, variable) in &variables {
        let marker = format!("{{{name}}}");
        if url.contains(&marker) {
            let value = default(variable, reader);
            if url.len() + value.len() > MAX_PATH {
                return String::new();
            }
            url = url.replacen(&marker, &value, 1);
        }
    }
    let after_scheme = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let path = if url.contains("://") {
        after_scheme.find('/').map_or("", |at| &after_scheme[at..])
    } else {
        after_scheme
    };
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

const PART_RULE: &str = "Resource's path part only allow a-zA-Z0-9._- and curly braces at the beginning and the end and \
                         an optional plus sign before the closing brace.";
/// The longest URL AWS takes, so no reachable path is refused.
const MAX_PATH: usize = 10_240;
/// Keeps the ancestors of a hostile path few; AWS allows 300 resources in all.
const MAX_PARTS: usize = 100;
