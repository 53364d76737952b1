//! What differs between two frozen configurations, in the words of whoever changes an API. Pure.
//!
//! Methods are matched by path and verb, everything else by name, so that a resource that was deleted and made anew is
//! not a change by itself. Ids, texts for people and dates make no difference: they shape no answer. Where a method names
//! something by its id, the name stands for it; JSON within text (schemas, policies) is compared member by member.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::model::Snapshot;

/// How one part of a configuration differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// `GET /pets`, `model Pet`, `authorizer {name}`, `request validator {name}`, `gateway response {type}` or `API`.
    pub subject: String,
    /// In which way.
    pub kind: DifferenceKind,
}

/// In which way a part differs.
#[derive(Debug, Clone, PartialEq)]
pub enum DifferenceKind {
    /// Only the new configuration has it.
    Added,
    /// Only the old configuration has it.
    Removed,
    /// Both have it; these members differ.
    Changed(Vec<MemberChange>),
}

/// A member that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberChange {
    /// In AWS's spelling, parts joined by dots: `methodIntegration.uri`.
    pub member: String,
    /// Absent: it was not there.
    pub old: Option<Value>,
    /// Absent: it is gone.
    pub new: Option<Value>,
}

/// Everything in which `new` differs from `old`: the API first, then methods in the order of their paths, then the rest.
pub fn diff(old: &Snapshot, new: &Snapshot) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(api(old), api(new), &mut found);
    compare(methods(old), methods(new), &mut found);
    for parts in [models, validators, authorizers, gateway_responses] {
        compare(parts(old), parts(new), &mut found);
    }
    found
}

/// Parts of one kind, in an order people expect: key for sorting, then subject and value.
type Parts = BTreeMap<(String, String), (String, Value)>;

fn compare(mut old: Parts, new: Parts, found: &mut Vec<Difference>) {
    let mut differences = BTreeMap::new();
    for (key, (subject, value)) in new {
        let kind = match old.remove(&key) {
            None => DifferenceKind::Added,
            Some((_, before)) if before == value => continue,
            Some((_, before)) => {
                let mut members = Vec::new();
                members_of("", Some(&before), Some(&value), &mut members);
                DifferenceKind::Changed(members)
            }
        };
        differences.insert(key, Difference { subject, kind });
    }
    let removed = old
        .into_iter()
        .map(|(key, (subject, _))| (key, Difference { subject, kind: DifferenceKind::Removed }));
    differences.extend(removed);
    found.extend(differences.into_values());
}

/// Walks objects side by side and notes the leaves that differ. Lists are leaves.
fn members_of(at: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<MemberChange>) {
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (old, new) {
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            members_of(&path, before.get(name), after.get(name), found);
        }
    } else if old != new {
        found.push(MemberChange { member: at.to_owned(), old: old.cloned(), new: new.cloned() });
    }
}

/// The API's own members that a deployment makes effective.
fn api(snapshot: &Snapshot) -> Parts {
    let all = json(&snapshot.rest_api);
    let kept = DEPLOYED_MEMBERS.iter().filter_map(|name| Some((*name, all.get(name)?.clone())));
    let mut value = kept.map(|(name, value)| (name.to_owned(), value)).collect();
    read_text(&mut value, "policy");
    if let Some(Value::Array(types)) = value.get_mut("binaryMediaTypes") {
        // A set; whoever lists it in another order changes nothing.
        types.sort_unstable_by(|a, b| a.as_str().cmp(&b.as_str()));
    }
    Parts::from([(Default::default(), ("API".to_owned(), Value::Object(value)))])
}

fn methods(snapshot: &Snapshot) -> Parts {
    let authorizers = snapshot.authorizers.iter().map(|a| (a.id.to_string(), a.name.clone()));
    let validators = snapshot.request_validators.iter();
    let validators = validators.filter_map(|v| Some((v.id.to_string(), v.name.clone()?)));
    let references: [(&str, &str, BTreeMap<String, String>); 2] = [
        ("authorizerId", "authorizer", authorizers.collect()),
        ("requestValidatorId", "requestValidator", validators.collect()),
    ];
    let each = snapshot.resources.iter().flat_map(|resource| {
        let references = &references;
        resource.resource_methods.iter().map(move |(verb, method)| {
            let mut value = json(method);
            for (id, member, names) in references {
                if let Some(Value::String(id)) = value.as_object_mut().and_then(|v| v.remove(*id)) {
                    value[*member] = names.get(&id).cloned().unwrap_or(id).into();
                }
            }
            if let Some(Value::Object(integration)) = value.get_mut("methodIntegration")
                // What it is when nobody says otherwise, whatever the resource's id.
                && integration.get("cacheNamespace").and_then(Value::as_str) == Some(resource.id.as_str())
            {
                integration.remove("cacheNamespace");
            }
            let key = (resource.path.clone(), verb.to_string());
            (key, (format!("{verb} {}", resource.path), value))
        })
    });
    each.collect()
}

fn models(snapshot: &Snapshot) -> Parts {
    named("model", snapshot.models.iter().map(|model| (model.name.clone(), json(model))))
}

fn validators(snapshot: &Snapshot) -> Parts {
    let each = snapshot.request_validators.iter().map(|validator| {
        let name = validator.name.clone().unwrap_or_else(|| validator.id.to_string());
        (name, json(validator))
    });
    named("request validator", each)
}

fn authorizers(snapshot: &Snapshot) -> Parts {
    let each = snapshot.authorizers.iter();
    named("authorizer", each.map(|authorizer| (authorizer.name.clone(), json(authorizer))))
}

fn gateway_responses(snapshot: &Snapshot) -> Parts {
    let each = snapshot.gateway_responses.iter();
    named(
        "gateway response",
        each.map(|response| (response.response_type.to_string(), json(response))),
    )
}

fn named(what: &str, each: impl Iterator<Item = (String, Value)>) -> Parts {
    let mut parts = Parts::new();
    for (name, mut value) in each {
        if let Value::Object(members) = &mut value {
            members.remove("id");
            members.remove("description");
            read_text(members, "schema");
        }
        // Names need not be unique: of several with one name the first is compared with the first.
        let same = parts.keys().filter(|(known, _)| *known == name).count();
        parts.insert((name.clone(), same.to_string()), (format!("{what} {name}"), value));
    }
    parts
}

/// JSON within a text becomes JSON, so that spaces are no difference and a difference is a small one.
fn read_text(members: &mut serde_json::Map<String, Value>, name: &str) {
    if let Some(Value::String(text)) = members.get(name)
        && let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
    {
        members.insert(name.to_owned(), value);
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("a model has string keys and no failing serializer")
}

/// Members of an API that are part of a deployment; the rest takes effect at once or shapes no answer.
const DEPLOYED_MEMBERS: [&str; 6] = [
    "apiKeySource",
    "binaryMediaTypes",
    "disableExecuteApiEndpoint",
    "minimumCompressionSize",
    "policy",
    "tidegate",
];

#[cfg(test)]
mod tests;
