//! Differences between small configurations.

use super::*;
use crate::model::{
    ApiId, ApiKeySource, AuthorizationType, Authorizer, AuthorizerId, AuthorizerType,
    EndpointConfiguration, EndpointType, GatewayResponse, HttpMethod, Integration, IntegrationType,
    Method, Model, ModelId, RequestValidator, RequestValidatorId, Resource, ResourceId,
    ResponseType, RestApi, StatusCode, Timestamp,
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
            settings: None,
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
    assert_eq!(told(&new, &newer), [r#"~ model Pet [schema.type: none -> "object"]"#]);
    newer.models = vec![model(" { } ")];
    assert_eq!(told(&new, &newer), Vec::<String>::new(), "neither its id nor its spaces");
    newer.models = vec![model("no JSON")];
    assert_eq!(told(&new, &newer), [r#"~ model Pet [schema: {} -> "no JSON"]"#]);
}

/// Everything a deployment freezes, one thing at a time.
#[test]
fn whatever_is_frozen_is_compared() {
    let base = || {
        let mut base = snapshot(&[("/pets", HttpMethod::Get, "http://a")]);
        let authorizer = Authorizer {
            id: AuthorizerId::draw(&mut rand::rng()),
            name: "gate".to_owned(),
            kind: AuthorizerType::Token,
            provider_arns: None,
            auth_type: None,
            authorizer_uri: Some("arn:x".to_owned()),
            authorizer_credentials: None,
            identity_source: None,
            identity_validation_expression: None,
            authorizer_result_ttl_in_seconds: None,
            jwt_configuration: None,
        };
        let validator = RequestValidator {
            id: RequestValidatorId::draw(&mut rand::rng()),
            name: Some("all".to_owned()),
            validate_request_body: true,
            validate_request_parameters: true,
        };
        let resource = &mut base.resources[0];
        let own = resource.id.to_string();
        let method = resource.resource_methods.get_mut(&HttpMethod::Get).unwrap();
        method.authorizer_id = Some(authorizer.id.clone());
        method.request_validator_id = Some(validator.id.clone());
        method.method_integration.as_mut().unwrap().cache_namespace = Some(own);
        base.authorizers.push(authorizer);
        base.request_validators.push(validator);
        base.rest_api.policy = Some(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned());
        base.rest_api.binary_media_types = Some(vec!["a/b".to_owned(), "c/d".to_owned()]);
        base
    };
    // Other ids throughout, and nothing else.
    assert_eq!(told(&base(), &base()), Vec::<String>::new());
    type Edit = fn(&mut Snapshot);
    let cases: &[(Edit, &[&str])] = &[
        (|s| s.rest_api.binary_media_types.as_mut().unwrap().reverse(), &[]),
        (|s| s.rest_api.description = Some("x".to_owned()), &[]),
        (
            |s| {
                s.rest_api.policy =
                    Some(r#"{ "Statement": [], "Version": "2012-10-17" }"#.to_owned());
            },
            &[],
        ),
        (
            |s| s.rest_api.policy = Some(r#"{"Version":"2012-10-17","Statement":[1]}"#.to_owned()),
            &["~ API [policy.Statement: [] -> [1]]"],
        ),
        (
            |s| s.rest_api.minimum_compression_size = Some(0),
            &["~ API [minimumCompressionSize: none -> 0]"],
        ),
        (
            |s| s.rest_api.disable_execute_api_endpoint = true,
            &["~ API [disableExecuteApiEndpoint: false -> true]"],
        ),
        (
            |s| s.rest_api.api_key_source = ApiKeySource::Authorizer,
            &[r#"~ API [apiKeySource: "HEADER" -> "AUTHORIZER"]"#],
        ),
        (
            |s| s.authorizers[0].authorizer_uri = None,
            &[r#"~ authorizer gate [authorizerUri: "arn:x" -> none]"#],
        ),
        (
            |s| s.authorizers[0].name = "door".to_owned(),
            &[
                r#"~ GET /pets [authorizer: "gate" -> "door"]"#,
                "+ authorizer door",
                "- authorizer gate",
            ],
        ),
        (
            |s| s.request_validators[0].validate_request_body = false,
            &["~ request validator all [validateRequestBody: true -> false]"],
        ),
        (
            // Of two with one name, one is new.
            |s| s.request_validators.push(s.request_validators[0].clone()),
            &["+ request validator all"],
        ),
        (
            |s| {
                let mut response = GatewayResponse::default_for(ResponseType::Throttled);
                response.status_code = StatusCode::new(503);
                s.gateway_responses.push(response);
            },
            &["+ gateway response THROTTLED"],
        ),
        (
            |s| {
                let method = s.resources[0].resource_methods.get_mut(&HttpMethod::Get).unwrap();
                method.method_integration.as_mut().unwrap().cache_namespace =
                    Some("shared".to_owned());
                method.api_key_required = true;
            },
            &[
                r#"~ GET /pets [apiKeyRequired: false -> true, methodIntegration.cacheNamespace: none -> "shared"]"#,
            ],
        ),
    ];
    for (edit, want) in cases {
        let mut changed = base();
        edit(&mut changed);
        assert_eq!(told(&base(), &changed), *want);
    }
}
