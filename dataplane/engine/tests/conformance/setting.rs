//! What a case is about: its API in AWS's own words, and the request.

use std::io::Write;

use base64::Engine;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Map, Value};
use tidegate_engine::head::Head;
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::integration::sigv4::Keys;
use tidegate_proto::v1;

use crate::support::{self, Driver, Stage};

/// The stage `prod` of one resource with one method.
pub fn stage(api: &Value) -> Stage {
    let method = v1::Method {
        verb: text(&api["verb"], "ANY"),
        authorization_type: "NONE".into(),
        integration: Some(integration(&api["integration"])),
        operation_name: text(&api["operationName"], ""),
        request_parameters: pairs(&api["requestParameters"]),
        request_models: pairs(&api["requestModels"]),
        request_validator_id: if api["validator"].is_null() { "" } else { "v" }.into(),
        responses: statuses(&api["methodResponses"]),
        ..Default::default()
    };
    let path = text(&api["resource"], "/pets/{id}");
    let resource = v1::Resource { id: "res123".into(), path, methods: vec![method] };
    let mut stage = Stage::of(vec![resource]);
    let bundle = &mut stage.bundle;
    bundle.binary_media_types = list(&api["binaryMediaTypes"]);
    let least = api["minimumCompressionSize"].as_u64();
    bundle.minimum_compression_size = least.map(|size| u32::try_from(size).unwrap());
    bundle.gateway_responses = members(&api["gatewayResponses"])
        .map(|(kind, of)| v1::GatewayResponse {
            r#type: kind.clone(),
            status_code: of["statusCode"].as_u64().map(|code| u32::try_from(code).unwrap()),
            parameters: pairs(&of["responseParameters"]),
            templates: pairs(&of["responseTemplates"]),
        })
        .collect();
    bundle.models = members(&api["models"])
        .map(|(name, schema)| v1::Model {
            name: name.clone(),
            content_type: "application/json".into(),
            schema: schema.as_str().map_or_else(|| schema.to_string(), str::to_owned),
        })
        .collect();
    let checks = |what: &str| api["validator"][what] == true;
    bundle.request_validators = vec![v1::RequestValidator {
        id: "v".into(),
        validate_body: checks("body"),
        validate_parameters: checks("parameters"),
    }];
    // Tests live for a moment: their texts may stay for all of it.
    let leaked = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    stage.variables = pairs(&api["stageVariables"])
        .into_iter()
        .map(|pair| (leaked(pair.name), leaked(pair.value)))
        .collect();
    if let Some(percent) = api["canary"].as_f64() {
        stage.canary = Some((percent, stage.bundle.clone()));
    }
    stage
}

/// A driver of the stage.
pub fn driver(api: &Value, stage: Stage) -> Driver {
    let of_api = v1::Api {
        disable_execute_api_endpoint: api["disableExecuteApiEndpoint"] == true,
        ..Default::default()
    };
    let mut driver = Driver::serving(of_api, vec![stage], &[]);
    if api["signs"] == true {
        let keys = |id: &str| Keys { id: id.into(), secret: "s".into(), token: None };
        let roles = vec![("arn:aws:iam::1:role/r".into(), keys("AKROLE"))];
        driver.credentials = Credentials { own: Some(keys("AKOWN")), roles, callers: Vec::new() };
    }
    driver
}

fn integration(of: &Value) -> v1::Integration {
    let kind = match of["type"].as_str() {
        Some("HTTP") => v1::IntegrationType::Http,
        Some("HTTP_PROXY") => v1::IntegrationType::HttpProxy,
        Some("AWS") => v1::IntegrationType::Aws,
        Some("AWS_PROXY") => v1::IntegrationType::AwsProxy,
        Some("MOCK") => v1::IntegrationType::Mock,
        other => panic!("integration type {other:?}"),
    };
    let mut responses: Vec<v1::IntegrationResponse> = members(&of["integrationResponses"])
        .map(|(status, of)| v1::IntegrationResponse {
            status_code: status.clone(),
            selection_pattern: text(&of["selectionPattern"], ""),
            parameters: pairs(&of["responseParameters"]),
            templates: pairs(&of["responseTemplates"]),
            content_handling: text(&of["contentHandling"], ""),
        })
        .collect();
    responses.sort_by(|a, b| a.selection_pattern.cmp(&b.selection_pattern));
    v1::Integration {
        r#type: kind.into(),
        http_method: text(&of["httpMethod"], ""),
        uri: text(&of["uri"], ""),
        credentials: text(&of["credentials"], ""),
        request_parameters: pairs(&of["requestParameters"]),
        request_templates: pairs(&of["requestTemplates"]),
        passthrough_behavior: text(&of["passthroughBehavior"], ""),
        content_handling: text(&of["contentHandling"], ""),
        timeout_ms: of["timeoutInMillis"].as_u64().map_or(0, |ms| u32::try_from(ms).unwrap()),
        response_transfer_mode: text(&of["responseTransferMode"], ""),
        responses,
        ..Default::default()
    }
}

/// A request: `"POST /path"`, or an object with `line`, `headers` and `body`.
pub fn request(value: &Value) -> (Head, Vec<u8>) {
    let line = value.as_str().or_else(|| value["line"].as_str());
    let held = fields(&value["headers"]);
    let fields: Vec<_> = held.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let body = bytes(&value["body"]);
    (support::head_with_body(line.expect("a request has a line"), &fields, &body), body)
}

/// Header fields: an object of names with a value or several, or a list of pairs where order matters.
pub fn fields(value: &Value) -> Vec<(String, String)> {
    let own = |text: &Value| text.as_str().unwrap_or_else(|| panic!("{text}")).to_owned();
    match value {
        Value::Array(pairs) => pairs.iter().map(|pair| (own(&pair[0]), own(&pair[1]))).collect(),
        _ => members(value)
            .flat_map(|(name, value)| match value {
                Value::Array(all) => all.iter().map(|one| (name.clone(), own(one))).collect(),
                one => vec![(name.clone(), own(one))],
            })
            .collect(),
    }
}

/// A body: text, JSON as compact text, or one of `base64`, `gzip`, `deflate` and `repeat`.
pub fn bytes(value: &Value) -> Vec<u8> {
    let of = |name: &str| value.get(name).filter(|_| value.as_object().unwrap().len() == 1);
    if value.is_null() {
        Vec::new()
    } else if let Some(text) = value.as_str() {
        text.as_bytes().to_vec()
    } else if let Some(text) = of("base64").and_then(Value::as_str) {
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    } else if let Some(inner) = of("gzip") {
        let mut out = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(&bytes(inner)).unwrap();
        out.finish().unwrap()
    } else if let Some(inner) = of("deflate") {
        let mut out = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(&bytes(inner)).unwrap();
        out.finish().unwrap()
    } else if let Some(repeat) = of("repeat") {
        repeat[0].as_str().unwrap().repeat(repeat[1].as_u64().unwrap() as usize).into_bytes()
    } else {
        panic!("no body: {value}")
    }
}

fn text(value: &Value, default: &str) -> String {
    match value {
        Value::Null => default.to_owned(),
        value => value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned(),
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    assert!(value.is_null() || value.is_object(), "{value} is no object");
    value.as_object().into_iter().flat_map(Map::iter)
}

fn pairs(value: &Value) -> Vec<v1::Pair> {
    let all = members(value);
    all.map(|(name, value)| v1::Pair { name: name.clone(), value: text(value, "") }).collect()
}

fn list(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|item| text(item, "")).collect()
}

fn statuses(value: &Value) -> Vec<v1::MethodResponse> {
    let all = list(value);
    let usual = || ["200", "201", "202", "400", "404", "500"].map(str::to_owned).into();
    let all: Vec<String> = if value.is_null() { usual() } else { all };
    all.into_iter()
        .map(|status_code| v1::MethodResponse { status_code, ..Default::default() })
        .collect()
}
