//! What a document says beyond AWS: `x-tidegate-` extensions.

use super::*;
use crate::model::{LimitProfile, ValidationMode};

fn document(settings: Value, response_validation: Value, gateway_response: &str) -> Value {
    openapi(json!({
        "x-tidegate-settings": settings,
        "x-tidegate-gateway-responses": {gateway_response: {"statusCode": 503}},
        "paths": {"/pets": {"get": {
            "x-tidegate-response-validation": response_validation,
            "x-amazon-apigateway-integration": {"type": "mock"},
            "responses": {"200": {"description": "ok"}},
        }}},
    }))
}

#[test]
fn settings_are_read() {
    let read = imported(&document(
        json!({
            "cors": {"allowOrigins": ["https://app.example"], "maxAge": 60},
            "endpoints": {"lambda": "http://127.0.0.1:4702"},
            "limits": {"profile": "open"},
            "responseValidation": {"mode": "log"},
        }),
        json!("Enforce"),
        "BAD_RESPONSE_BODY",
    ));
    let settings = read.settings.unwrap();
    assert_eq!(settings.cors.unwrap().max_age, Some(60));
    assert_eq!(settings.endpoints["lambda"], "http://127.0.0.1:4702");
    assert_eq!(settings.limits.unwrap().profile, LimitProfile::Open);
    assert_eq!(settings.response_validation.unwrap().mode, ValidationMode::Log);
    let method = &read.paths["/pets"][&HttpMethod::Get].method;
    assert_eq!(method.response_validation, Some(ValidationMode::Enforce));
    let custom = &read.gateway_responses[&ResponseType::BadResponseBody];
    assert_eq!(custom.status_code, StatusCode::new(503));
    assert_eq!(imported(&openapi(json!({"paths": {}}))).settings, None);
}

#[test]
fn what_is_none_of_theirs_is_an_error() {
    let told = |settings: Value| error(&document(settings, Value::Null, "BAD_RESPONSE_BODY"));
    let unknown = told(json!({"corse": {}}));
    assert!(
        unknown.starts_with("attribute x-tidegate-settings: unknown field `corse`"),
        "{unknown}"
    );
    let wrong = told(json!({"cors": {"allowOrigins": "*"}}));
    assert!(wrong.contains("invalid type: string \"*\", expected a sequence"), "{wrong}");
    assert_eq!(told(json!([])), "attribute x-tidegate-settings is not of type `object`");
    let mode = error(&document(json!({}), json!("on"), "BAD_RESPONSE_BODY"));
    assert!(mode.ends_with("Must be one of: [off, log, enforce]"), "{mode}");
    // Types stand where they belong.
    let place = error(&document(json!({}), Value::Null, "THROTTLED"));
    assert_eq!(place, "Invalid gateway response type specified: THROTTLED");
    let place = error(&openapi(json!({
        "paths": {}, "x-amazon-apigateway-gateway-responses": {"BAD_RESPONSE_BODY": {}},
    })));
    assert_eq!(place, "Invalid gateway response type specified: BAD_RESPONSE_BODY");
}
