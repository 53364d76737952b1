//! Differences between small configurations.

use super::*;
use crate::model::{
    ApiId, ApiKeySource, AuthorizationType, EndpointConfiguration, EndpointType, HttpMethod,
    Integration, IntegrationType, Method, Model, ModelId, Resource, ResourceId, RestApi, Timestamp,
};

fn snapshot(routes: &[(&str, HttpMethod, &str)]) -> Snapshot {
    let root = ResourceId::parse("root").unwrap();
    let mut resources: BTreeMap<String, Resource> = BTreeMap::new();
    for (path, verb, uri) in routes {
        let mut integration = Integration::new(IntegrationType::HttpProxy);
        integration.uri = Some((*uri).to_owned());
        let mut method = Method::new(*verb, AuthorizationType::None);
        method.method_integration = Some(integration);
        let resource = resources.entry((*path).to_owned()).or_insert_with(|| Resource {
            id: ResourceId::draw(&mut rand::rng()),
            parent_id: Some(root.clone()),
            path_part: Some(path.trim_start_matches('/').to_owned()),
            path: (*path).to_owned(),
            resource_methods: BTreeMap::new(),
        });
        resource.resource_methods.insert(*verb, method);
    }
    Snapshot {
        rest_api: RestApi {
            id: ApiId::parse("abc").unwrap(),
            name: "pets".to_owned(),
            description: None,
            created_date: Timestamp(0),
            version: None,
            binary_media_types: None,
            minimum_compression_size: None,
            api_key_source: ApiKeySource::Header,
            endpoint_configuration: EndpointConfiguration::of(EndpointType::Regional),
            policy: None,
            tags: None,
            disable_execute_api_endpoint: false,
            root_resource_id: root,
            security_policy: None,
            endpoint_access_mode: None,
        },
        resources: resources.into_values().collect(),
        models: Vec::new(),
        request_validators: Vec::new(),
        authorizers: Vec::new(),
        gateway_responses: Vec::new(),
    }
}

fn told(old: &Snapshot, new: &Snapshot) -> Vec<String> {
    let line = |difference: Difference| match difference.kind {
        DifferenceKind::Added => format!("+ {}", difference.subject),
        DifferenceKind::Removed => format!("- {}", difference.subject),
        DifferenceKind::Changed(members) => {
            let shown = |value: Option<Value>| value.map_or("none".to_owned(), |v| v.to_string());
            let members = members
                .into_iter()
                .map(|m| format!("{}: {} -> {}", m.member, shown(m.old), shown(m.new)));
            format!("~ {} [{}]", difference.subject, members.collect::<Vec<_>>().join(", "))
        }
    };
    diff(old, new).into_iter().map(line).collect()
}

#[test]
fn equal_configurations_do_not_differ_whatever_their_ids() {
    let routes = [("/pets", HttpMethod::Get, "http://a"), ("/pets", HttpMethod::Post, "http://a")];
    let (old, mut new) = (snapshot(&routes), snapshot(&routes));
    new.rest_api.name = "animals".to_owned();
    new.rest_api.created_date = Timestamp(9);
    assert_eq!(told(&old, &new), Vec::<String>::new());
}

#[test]
fn methods_come_go_and_change() {
    let old = snapshot(&[
        ("/pets", HttpMethod::Get, "http://a"),
        ("/pets", HttpMethod::Post, "http://a"),
        ("/old", HttpMethod::Get, "http://a"),
    ]);
    let new = snapshot(&[
        ("/pets", HttpMethod::Get, "http://b"),
        ("/pets", HttpMethod::Post, "http://a"),
        ("/new", HttpMethod::Get, "http://a"),
    ]);
    assert_eq!(
        told(&old, &new),
        [
            "+ GET /new",
            "- GET /old",
            r#"~ GET /pets [methodIntegration.uri: "http://a" -> "http://b"]"#
        ]
    );
}

#[test]
fn the_api_and_its_named_parts_are_compared() {
    let (old, mut new) = (snapshot(&[]), snapshot(&[]));
    new.rest_api.binary_media_types = Some(vec!["image/png".to_owned()]);
    let model = |schema: &str| Model {
        id: ModelId::draw(&mut rand::rng()),
        name: "Pet".to_owned(),
        description: None,
        schema: Some(schema.to_owned()),
        content_type: "application/json".to_owned(),
    };
    new.models.push(model("{}"));
    assert_eq!(
        told(&old, &new),
        [r#"~ API [binaryMediaTypes: none -> ["image/png"]]"#, "+ model Pet"]
    );
    let mut newer = new.clone();
    newer.models = vec![model(r#"{"type":"object"}"#)];
    assert_eq!(told(&new, &newer), [r#"~ model Pet [schema: "{}" -> "{\"type\":\"object\"}"]"#]);
    newer.models = vec![model("{}")];
    assert_eq!(told(&new, &newer), Vec::<String>::new());
}
