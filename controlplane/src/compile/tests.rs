//! Bundles are canonical, and refusals name what they are about.

use tidegate_engine::snapshot::check;
use tidegate_proto::v1;

use super::*;
use crate::model::*;

fn rest_api() -> RestApi {
    serde_json::from_value(serde_json::json!({
        "id": "a1b2c3", "name": "pets", "createdDate": 1_700_000_000, "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": false, "rootResourceId": "root",
        "binaryMediaTypes": ["image/png", "application/pdf"],
    }))
    .unwrap()
}

fn mock(verb: HttpMethod, answer: &str) -> Method {
    let mut integration = Integration::new(IntegrationType::Mock);
    let template = format!(r#"{{"statusCode": {answer}}}"#);
    integration.request_templates = Some([("application/json".to_owned(), Some(template))].into());
    let status = StatusCode::parse(answer).unwrap();
    integration.integration_responses = [(status, IntegrationResponse::new(status))].into();
    let mut method = Method::new(verb, AuthorizationType::None);
    method.method_responses = [(status, MethodResponse::new(status))].into();
    method.method_integration = Some(integration);
    method
}

fn proxy(verb: HttpMethod) -> Method {
    let mut integration = Integration::new(IntegrationType::HttpProxy);
    integration.uri = Some("http://${stageVariables.host}/pets/{petId}".to_owned());
    integration.http_method = Some("ANY".to_owned());
    integration.request_parameters = Some(
        [("integration.request.path.petId".to_owned(), "method.request.path.petId".to_owned())]
            .into(),
    );
    let mut method = Method::new(verb, AuthorizationType::None);
    method.request_parameters = Some([("method.request.path.petId".to_owned(), true)].into());
    method.method_integration = Some(integration);
    method
}

fn resource(id: &str, path: &str, methods: impl IntoIterator<Item = Method>) -> Resource {
    Resource {
        id: ResourceId::parse(id).unwrap(),
        parent_id: (path != "/").then(|| ResourceId::parse("root").unwrap()),
        path_part: path.rsplit('/').next().filter(|part| !part.is_empty()).map(str::to_owned),
        path: path.to_owned(),
        resource_methods: methods.into_iter().map(|method| (method.http_method, method)).collect(),
    }
}

fn model(name: &str) -> Model {
    let id = ModelId::parse(&name.to_lowercase()).unwrap();
    let schema = Some("{}".to_owned());
    Model {
        id,
        name: name.to_owned(),
        description: None,
        schema,
        content_type: "application/json".to_owned(),
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        rest_api: rest_api(),
        resources: vec![
            resource("root", "/", []),
            resource(
                "aaaaaa",
                "/pets",
                [mock(HttpMethod::Get, "200"), mock(HttpMethod::Post, "201")],
            ),
            resource("bbbbbb", "/pets/{petId}", [proxy(HttpMethod::Any)]),
        ],
        models: vec![model("Empty"), model("Error")],
        request_validators: Vec::new(),
        authorizers: Vec::new(),
        gateway_responses: Vec::new(),
    }
}

#[test]
fn the_order_of_entry_does_not_show() {
    let first = compile(&snapshot()).unwrap();
    let mut other = snapshot();
    other.resources.reverse();
    other.models.reverse();
    other.rest_api.binary_media_types.as_mut().unwrap().reverse();
    for resource in &mut other.resources {
        let reversed: Vec<_> =
            std::mem::take(&mut resource.resource_methods).into_iter().rev().collect();
        resource.resource_methods.extend(reversed);
    }
    // What people read and when they wrote it is not part of what is served.
    other.rest_api.created_date = Timestamp(1);
    other.rest_api.description = Some("later".to_owned());
    assert_eq!(compile(&other).unwrap(), first);
}

#[test]
fn the_bytes_stay_what_they_are() {
    // A change here sends every bundle of every API again at its next deployment: it must be meant.
    let compiled = compile(&snapshot()).unwrap();
    assert_eq!(compiled.id.to_string(), GOLDEN);
    let bundle = v1::Bundle::decode(&*compiled.bytes).unwrap();
    assert_eq!(bundle.dialect, tidegate_proto::DIALECT);
    let paths: Vec<_> = bundle.resources.iter().map(|r| r.path.as_str()).collect();
    assert_eq!(paths, ["/pets", "/pets/{petId}"]);
    assert_eq!(bundle.binary_media_types, ["application/pdf", "image/png"]);
    assert_eq!(check(&compiled.bytes).map_err(|e| e.to_string()), Ok(()));
}

#[test]
fn whatever_is_served_shows_in_the_id() {
    let base = compile(&snapshot()).unwrap().id;
    let changes: [fn(&mut Snapshot); 4] = [
        |s| s.rest_api.id = ApiId::parse("other").unwrap(),
        |s| s.resources[1].path = "/cats".to_owned(),
        |s| drop(s.resources[1].resource_methods.remove(&HttpMethod::Post)),
        |s| s.models[0].schema = Some("{\"type\":\"object\"}".to_owned()),
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut changed = snapshot();
        change(&mut changed);
        assert_ne!(compile(&changed).unwrap().id, base, "change {index}");
    }
}

#[test]
fn refusals_name_resource_and_method_and_are_all_listed() {
    let mut bad = snapshot();
    let resources = &mut bad.resources;
    resources[1].resource_methods.get_mut(&HttpMethod::Get).unwrap().api_key_required = true;
    resources[2].resource_methods.get_mut(&HttpMethod::Any).unwrap().method_integration = None;
    bad.rest_api.policy = Some("{}".to_owned());
    let found = compile(&bad).unwrap_err();
    let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "resource policies are not supported yet",
            "GET /pets: apiKeyRequired is not supported yet",
            "ANY /pets/{petId}: No integration defined for method",
        ]
    );
}

#[test]
fn settings_travel_as_far_as_nodes_need_them() {
    let settings = |text: &str| Some(serde_json::from_str(text).unwrap());
    let bundle = |settings: Option<ApiSettings>| {
        let mut snapshot = snapshot();
        snapshot.rest_api.settings = settings;
        let own = snapshot.resources[1].resource_methods.get_mut(&HttpMethod::Get).unwrap();
        own.response_validation = Some(ValidationMode::Enforce);
        v1::Bundle::decode(&*compile(&snapshot).unwrap().bytes).unwrap()
    };
    let modes = |bundle: &v1::Bundle| -> Vec<String> {
        let methods = bundle.resources.iter().flat_map(|resource| &resource.methods);
        methods.map(|m| format!("{} {}", m.verb, m.response_validation)).collect()
    };
    let without = bundle(None);
    assert_eq!(modes(&without), ["GET enforce", "POST ", "ANY "]);
    // These change nothing of what nodes do, so nothing is sent anew.
    for text in
        ["{}", r#"{"limits":{"timeoutMillis":29000}}"#, r#"{"responseValidation":{"mode":"off"}}"#]
    {
        assert_eq!(bundle(settings(text)), without, "{text}");
    }
    let text = r#"{"cors":{"allowOrigins":["https://a"],"maxAge":5},"endpoints":{"sqs":"http://b","*":"http://c"},
        "limits":{"profile":"open","timeoutMillis":60000},"responseValidation":{"mode":"log"}}"#;
    let with = bundle(settings(text));
    assert_eq!(modes(&with), ["GET enforce", "POST log", "ANY log"]);
    let sent = with.settings.unwrap();
    let names: Vec<_> = sent.endpoints.iter().map(|pair| pair.name.as_str()).collect();
    assert_eq!(names, ["*", "sqs"]);
    let limits = v1::ApiLimits { profile: "open".to_owned(), ..Default::default() };
    assert_eq!((sent.limits, sent.response_validation.as_str()), (Some(limits), ""));
    assert_eq!(sent.cors.unwrap().max_age_seconds, Some(5));
}

#[test]
fn time_limits_that_no_setting_allows_any_more_are_named() {
    let mut late = snapshot();
    let method = late.resources[2].resource_methods.get_mut(&HttpMethod::Any).unwrap();
    method.method_integration.as_mut().unwrap().timeout_in_millis = 60_000;
    let told: Vec<_> = compile(&late).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(told, ["ANY /pets/{petId}: Timeout should be between 50 ms and 29000 ms"]);
    late.rest_api.settings =
        Some(serde_json::from_str(r#"{"limits":{"profile":"open"}}"#).unwrap());
    assert!(compile(&late).is_ok());
}

const GOLDEN: &str = "cf93e379a42d8ec539aab9bc6f2b4ba36724287d767b481f3561c9ea9719a4c6";
