//! What is told of requests to small worlds.

use prost::Message as _;

use super::*;
use tidegate_engine::integration::sigv4::Keys;
use tidegate_engine::snapshot::{Api, BundleId, Edit, Link, Linker, Revision};

/// `GET /pets` to an upstream, admitted by an HTTP service.
fn guarded() -> v1::Bundle {
    v1::Bundle {
        dialect: tidegate_proto::DIALECT,
        api_id: "abc".to_owned(),
        routing: Some(v1::Routing { protocol: v1::Protocol::Rest.into(), ..Default::default() }),
        resources: vec![v1::Resource {
            id: "r".to_owned(),
            path: "/pets".to_owned(),
            methods: vec![v1::Method {
                verb: "GET".to_owned(),
                authorization_type: "CUSTOM".to_owned(),
                authorizer_id: "a".to_owned(),
                integration: Some(v1::Integration {
                    r#type: v1::IntegrationType::HttpProxy.into(),
                    http_method: "GET".to_owned(),
                    uri: "http://upstream.test/animals".to_owned(),
                    timeout_ms: 1_000,
                    ..Default::default()
                }),
                ..Default::default()
            }],
        }],
        authorizers: vec![v1::Authorizer {
            id: "a".to_owned(),
            r#type: "HTTP".to_owned(),
            uri: "http://guard.test/check".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn world(bundle: &v1::Bundle) -> World {
    let bytes = bundle.encode_to_vec();
    let link = Link::build(BundleId::of(&bytes), &bytes, &[], &mut Linker::default()).unwrap();
    let api = v1::Api { id: bundle.api_id.clone(), ..Default::default() };
    let binding = v1::Binding {
        api_id: bundle.api_id.clone(),
        stage: "prod".to_owned(),
        deployment_id: "d".to_owned(),
        ..Default::default()
    };
    let api = Api::assemble(&api, std::iter::once((&binding, link.into(), None))).unwrap();
    let mut edit: Edit = World::empty("000000000000", "us-east-1").edit();
    edit.set_api(api.into());
    edit.finish(Revision::default())
}

#[test]
fn a_call_that_would_come_first_is_told_and_taken_to_admit() {
    let request = v1::HttpRequest {
        method: "GET".to_owned(),
        url: "http://abc.execute-api.localhost/prod/pets".to_owned(),
        headers: vec![v1::Pair { name: "Authorization".to_owned(), value: "token".to_owned() }],
        body: Vec::new(),
    };
    let described = describe::read(&request).unwrap();
    let told =
        decide(&world(&guarded()), Credentials::NONE, &described.listener, &described.head, b"");
    let first = told.phases.iter().rfind(|phase| phase.name == "authorize").unwrap();
    assert_eq!(
        first.decision,
        "would call GET http://guard.test/check first; what follows holds if it answers 2xx"
    );
    assert!(first.details.contains(&"Authorization: token".to_owned()), "{:?}", first.details);
    assert_eq!(told.upstream.unwrap().url, "http://upstream.test/animals");
}

#[test]
fn a_mapped_request_is_told_with_its_body_and_nothing_is_sent() {
    let mut bundle = guarded();
    let method = &mut bundle.resources[0].methods[0];
    method.verb = "POST".to_owned();
    method.authorization_type = "NONE".to_owned();
    let integration = method.integration.as_mut().unwrap();
    integration.r#type = v1::IntegrationType::Http.into();
    integration.http_method = "PUT".to_owned();
    let request = v1::HttpRequest {
        method: "POST".to_owned(),
        url: "http://abc.execute-api.localhost/prod/pets".to_owned(),
        headers: Vec::new(),
        body: b"body".to_vec(),
    };
    let described = describe::read(&request).unwrap();
    let told =
        decide(&world(&bundle), Credentials::NONE, &described.listener, &described.head, b"body");
    let upstream = told.upstream.unwrap();
    assert_eq!((upstream.method.as_str(), &upstream.body[..]), ("PUT", &b"body"[..]));
    let decisions: Vec<_> = told.phases.iter().map(|phase| phase.decision.as_str()).collect();
    assert!(decisions.contains(&"HTTP to upstream.test"), "{decisions:?}");
    assert!(decisions.contains(&"mapped from the upstream's answer, which must begin within 1s"));
}

#[test]
fn each_mapping_step_is_told_with_its_values() {
    let pair = |name: &str, value: &str| v1::Pair { name: name.into(), value: value.into() };
    let mut bundle = guarded();
    let method = &mut bundle.resources[0].methods[0];
    method.verb = "POST".to_owned();
    method.authorization_type = "NONE".to_owned();
    let integration = method.integration.as_mut().unwrap();
    integration.r#type = v1::IntegrationType::Aws.into();
    integration.http_method = "POST".to_owned();
    integration.uri = "arn:aws:apigateway:eu-west-1:sqs:path/1/q".to_owned();
    integration.request_templates = vec![pair(
        "application/json",
        "#set($a = $input.path('$.a'))\n#set($context.requestOverride.header.x-a = $a)Body=$a",
    )];
    integration.request_parameters = vec![
        pair("integration.request.header.X-Q", "method.request.querystring.q"),
        pair("integration.request.querystring.none", "method.request.header.X-None"),
    ];
    let request = v1::HttpRequest {
        method: "POST".to_owned(),
        url: "http://abc.execute-api.localhost/prod/pets?q=7".to_owned(),
        headers: Vec::new(),
        body: br#"{"a": "b"}"#.to_vec(),
    };
    let described = describe::read(&request).unwrap();
    let keys =
        Keys { id: "AKID".to_owned(), secret: "s".to_owned(), token: Some("hidden".to_owned()) };
    let credentials = Credentials { own: Some(keys), ..Credentials::default() };
    let told =
        decide(&world(&bundle), &credentials, &described.listener, &described.head, &request.body);
    let details = |name: &str| {
        let phase = told.phases.iter().rfind(|phase| phase.name == name).unwrap();
        (phase.decision.as_str(), phase.details.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(
        details("mapping"),
        (
            "request template for application/json",
            vec![
                r#"input: {"a": "b"}"#,
                "template: #set($a = $input.path('$.a'))\n#set($context.requestOverride.header.x-a = $a)Body=$a",
                "$a = b",
                "$context.requestOverride.header.x-a = b",
                "override of request header x-a = b",
                "output: Body=b",
            ]
        )
    );
    assert_eq!(
        details("integration"),
        (
            "AWS, sqs.eu-west-1.amazonaws.com",
            vec![
                "integration.request.header.X-Q = 7 (method.request.querystring.q)",
                "integration.request.querystring.none is left out: method.request.header.X-None is absent or empty",
                "signed with key AKID for sqs in eu-west-1",
            ]
        )
    );
    let upstream = told.upstream.unwrap();
    let header =
        |name: &str| upstream.headers.iter().find(|h| h.name == name).map(|h| h.value.as_str());
    assert_eq!((upstream.body.as_slice(), header("x-a")), (&b"Body=b"[..], Some("b")));
    assert!(header("Authorization").is_some_and(|value| value.contains("AKID/")));
    // Whoever may ask for an explanation may not have the gateway's credentials.
    assert_eq!(header("X-Amz-Security-Token"), Some("…"));
}
