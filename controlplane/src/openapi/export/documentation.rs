//! Documentation parts laid over the things they are about, as far as the format has members for what they say.
//!
//! Source: API Gateway Developer Guide, "Publish API documentation" (what is inserted where) and "Representation of API
//! documentation" (which kinds inherit from more general places).

use std::collections::BTreeMap;

use serde_json::{Map as JsonMap, Value};

use super::ExportType;
use super::node::{Map, Node};
use crate::model::{DocumentationPart, DocumentationPartLocation, DocumentationPartType};

/// The parts of a version, found by kind and name; those without a name under an empty one.
pub(super) struct Parts {
    by_kind: BTreeMap<DocumentationPartType, BTreeMap<String, Vec<Part>>>,
}

struct Part {
    /// With all members its kind has.
    location: DocumentationPartLocation,
    properties: JsonMap<String, Value>,
}

/// A thing of an API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) kind: DocumentationPartType,
    pub(super) path: &'p str,
    pub(super) method: &'p str,
    pub(super) status: &'p str,
    pub(super) name: Option<&'p str>,
}

impl<'p> Place<'p> {
    fn of(kind: DocumentationPartType) -> Self {
        Self { kind, path: "/", method: "*", status: "*", name: None }
    }

    pub(super) fn resource(path: &'p str) -> Self {
        Self { path, ..Self::of(DocumentationPartType::Resource) }
    }

    pub(super) fn authorizer(name: &'p str) -> Self {
        Self { name: Some(name), ..Self::of(DocumentationPartType::Authorizer) }
    }

    pub(super) fn model(name: &'p str) -> Self {
        Self { name: Some(name), ..Self::of(DocumentationPartType::Model) }
    }

    pub(super) fn method(path: &'p str, method: &'p str) -> Self {
        Self { path, method, ..Self::of(DocumentationPartType::Method) }
    }
}

impl Part {
    /// Whether it speaks of the place. Some kinds inherit what is said of a path above, of any method or of any status.
    fn fits(&self, place: &Place<'_>) -> bool {
        use DocumentationPartType as Kind;
        let inherits = matches!(
            place.kind,
            Kind::PathParameter
                | Kind::QueryParameter
                | Kind::RequestHeader
                | Kind::Response
                | Kind::ResponseHeader
                | Kind::ResponseBody
        );
        // What is said of any method but not inherited is said of the method ANY.
        let any = |said: Option<&str>, is: &str| {
            said.is_none_or(|said| said == is || said == "*" && (inherits || is == "ANY"))
        };
        let path = self.location.path.as_deref().unwrap_or("/");
        let above = |path: &str| {
            let rest = place.path.strip_prefix(path.trim_end_matches('/'));
            inherits && rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let fields = place.kind.fields();
        (!fields.path || path == place.path || above(path))
            && (!fields.method || any(self.location.method.as_deref(), place.method))
            && (!fields.status_code || any(self.location.status_code.as_deref(), place.status))
    }

    /// More general places first.
    fn rank(&self) -> (usize, bool, bool, bool) {
        let specific = |said: &Option<String>| said.as_deref().is_some_and(|said| said != "*");
        let DocumentationPartLocation { path, method, status_code, name, .. } = &self.location;
        (
            path.as_ref().map_or(0, String::len),
            specific(method),
            specific(status_code),
            name.is_some(),
        )
    }
}

impl Parts {
    pub(super) fn new(parts: &[DocumentationPart]) -> Self {
        let mut by_kind: BTreeMap<_, BTreeMap<String, Vec<Part>>> = BTreeMap::new();
        for part in parts {
            // What is no object says nothing that could stand anywhere.
            let properties = serde_json::from_str(&part.properties).unwrap_or_default();
            let name = part.location.name.clone().unwrap_or_default();
            let named = by_kind.entry(part.location.kind).or_default().entry(name).or_default();
            named.push(Part { location: part.location.filled(), properties });
        }
        for parts in by_kind.values_mut().flat_map(BTreeMap::values_mut) {
            parts.sort_by_key(Part::rank);
        }
        Self { by_kind }
    }

    /// Everything said of a place, from the most general to the most specific.
    fn about(&self, place: &Place<'_>) -> Vec<&Part> {
        let Some(by_name) = self.by_kind.get(&place.kind) else { return Vec::new() };
        let unnamed = by_name.get("").into_iter();
        let named = place.name.and_then(|name| by_name.get(name));
        unnamed.chain(named).flatten().filter(|part| part.fits(place)).collect()
    }

    /// Lays what is said of a place over it: members the format has there in front or in place of their like,
    /// extensions (`x-…`) behind.
    pub(super) fn document(&self, map: &mut Map, place: &Place<'_>, format: ExportType) {
        let members = members(place.kind, format);
        for part in self.about(place) {
            lay(&part.properties, members, map);
        }
    }

    /// What is said of the API itself goes to `info`, to the root ([`Parts::root`]), or nowhere.
    pub(super) fn document_info(&self, info: &mut Map) {
        for part in self.about(&Place::of(DocumentationPartType::Api)) {
            if let Some(Value::Object(said)) = part.properties.get("info") {
                // Title and version are the API's own.
                lay(said, &["contact", "license", "termsOfService", "description"], info);
            }
        }
    }

    /// The members of the root that are said of the API.
    pub(super) fn document_root(&self, root: &mut Map) {
        for part in self.about(&Place::of(DocumentationPartType::Api)) {
            for (name, value) in &part.properties {
                if is_extension(name) || matches!(name.as_str(), "tags" | "externalDocs") {
                    root.set(name, value.clone().into());
                }
            }
        }
    }

    /// Properties of a model that are documented, `Pet.owner.name` as `owner` and `name`, with what is said of them.
    pub(super) fn properties_of<'p>(
        &'p self,
        model: &'p str,
    ) -> impl Iterator<Item = (Vec<&'p str>, &'p JsonMap<String, Value>)> {
        let by_name = self.by_kind.get(&DocumentationPartType::Model).into_iter();
        let from_model = by_name.flat_map(move |by_name| by_name.range(model.to_owned()..));
        from_model.take_while(move |(name, _)| name.starts_with(model)).flat_map(
            move |(name, parts)| {
                let path = name.strip_prefix(model).and_then(|rest| rest.strip_prefix('.'));
                path.into_iter().flat_map(move |path| {
                    let path: Vec<&str> = path.split('.').collect();
                    parts.iter().map(move |part| (path.clone(), &part.properties))
                })
            },
        )
    }
}

/// Lays properties over a thing that has these members.
pub(super) fn lay(properties: &JsonMap<String, Value>, members: &[&str], map: &mut Map) {
    for member in members {
        if let Some(value) = properties.get(*member) {
            map.set_first(member, value.clone().into());
        }
    }
    for (name, value) in properties.iter().filter(|(name, _)| is_extension(name)) {
        map.set(name, value.clone().into());
    }
}

/// An extension of the author's; AWS's own are not for documentation to overwrite.
fn is_extension(name: &str) -> bool {
    name.starts_with("x-") && !name.starts_with("x-amazon-apigateway-")
}

/// The members of schemas that documentation is about, last first.
pub(super) const SCHEMA_MEMBERS: &[&str] = &["externalDocs", "example", "description", "title"];

/// Members of the standard that are documentation, by what they describe, last first.
fn members(kind: DocumentationPartType, format: ExportType) -> &'static [&'static str] {
    use DocumentationPartType as Kind;
    match (kind, format) {
        (Kind::Method, _) => &["externalDocs", "deprecated", "tags", "description", "summary"],
        (Kind::Model, _) => SCHEMA_MEMBERS,
        (Kind::PathParameter | Kind::QueryParameter | Kind::RequestHeader, ExportType::Oas30) => {
            &["example", "deprecated", "description"]
        }
        (Kind::Response, ExportType::Swagger) => &["examples", "description"],
        (
            Kind::Authorizer
            | Kind::PathParameter
            | Kind::QueryParameter
            | Kind::RequestHeader
            | Kind::RequestBody
            | Kind::Response
            | Kind::ResponseHeader,
            _,
        ) => &["description"],
        // A path item has no member for it that both formats know, a body's place is its schema's.
        (Kind::Api | Kind::Resource | Kind::ResponseBody, _) => &[],
    }
}

/// The extension that holds the parts as they are.
pub(super) fn extension(
    version: &crate::model::DocumentationVersion,
    parts: &[DocumentationPart],
    created: &str,
) -> Map {
    let part = |part: &DocumentationPart| {
        let DocumentationPartLocation { kind, path, method, status_code, name } = &part.location;
        let mut location = Map::default();
        location.put("type", kind.to_string());
        location.put_some("path", path.as_deref());
        location.put_some("method", method.as_deref());
        location.put_some("statusCode", status_code.as_deref());
        location.put_some("name", name.as_deref());
        let properties: Value = serde_json::from_str(&part.properties).unwrap_or_default();
        let mut shown = Map::default();
        shown.put("location", location);
        shown.put("properties", properties);
        Node::from(shown)
    };
    let mut extension = Map::default();
    extension.put("version", version.version.as_str());
    extension.put("createdDate", created);
    extension.put("documentationParts", parts.iter().map(part).collect::<Vec<_>>());
    extension
}
