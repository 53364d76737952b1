//! Answers against response models: which are checked, what becomes of those that do not fit, and what is told of them.
//!
//! AWS has none of this; issue text: "per method, response models checked off, log or enforce".

mod support;

use std::io::Write as _;

use support::{Driver, Stage, head, http_proxy, link, method, mock, mock_ok, pairs, waits, whole};
use tidegate_engine::validate::MAX_MESSAGE;
use tidegate_engine::{Counts, Reply, Step};
use tidegate_proto::v1;

const PET: &str = r#"{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}},"kind":{"enum":["cat"]}}}"#;

fn model(name: &str, schema: &str) -> v1::Model {
    v1::Model { name: name.into(), content_type: "application/json".into(), schema: schema.into() }
}

/// A method whose 200 promises a pet and whose 404 an object.
fn stage(mode: &str, integration: v1::Integration) -> Stage {
    let response = |status: &str, models: &[(&str, &str)]| v1::MethodResponse {
        status_code: status.into(),
        models: pairs(models),
        ..Default::default()
    };
    let checked = v1::Method {
        response_validation: mode.into(),
        responses: vec![
            response("200", &[("application/json", "Pet"), ("text/plain", "Empty")]),
            response("404", &[("$default", "Trouble")]),
        ],
        ..method("ANY", integration)
    };
    let resource = v1::Resource { id: "r".into(), path: "/pets".into(), methods: vec![checked] };
    let mut stage = Stage::of(vec![resource]);
    stage.bundle.models = vec![
        model("Empty", r#"{"type":"object"}"#),
        model("Pet", PET),
        model("Trouble", r#"{"type":"object"}"#),
    ];
    stage
}

fn driver(stage: Stage) -> Driver {
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

fn proxy() -> v1::Integration {
    http_proxy("http://up.example/", &[])
}

/// What a caller gets, and `model path: message` of what was found.
fn ran(driver: &mut Driver, line: &str, reply: Reply) -> (String, Option<String>, bool) {
    let request = head(line, &[("Accept-Encoding", "gzip, br")]);
    let (_, next) = waits(driver.step(&request));
    match next.give(&mut driver.cx(), &request, Ok(reply)) {
        Step::Answer(answer) => {
            let found = answer.mismatch().map(|m| format!("{} {}: {}", m.model, m.path, m.message));
            let counted = answer.finish(&driver.cx(), &request, Counts::default()).mismatch;
            let answered = driver.answered(&answer);
            (format!("{} {}", answered.status, answered.body), found, counted)
        }
        other => panic!("{other:?}"),
    }
}

const MISSING: &str = r#"Pet : object has missing required properties (["name"])"#;

#[test]
fn the_model_is_that_of_status_and_content_type() {
    for (status, media, body, want) in [
        (200, Some("application/json"), r#"{"name":"Rex"}"#, None),
        (
            200,
            Some("application/json; charset=utf-8"),
            r#"{"name":1}"#,
            Some(
                r#"Pet /name: instance type (integer) does not match any allowed primitive type (allowed: ["string"])"#,
            ),
        ),
        (
            200,
            Some("application/json"),
            r#"{"name":"Rex","tags":["a",2]}"#,
            Some(
                r#"Pet /tags/1: instance type (integer) does not match any allowed primitive type (allowed: ["string"])"#,
            ),
        ),
        (200, Some("application/json"), "{}", Some(MISSING)),
        // What names no type is JSON.
        (200, None, "{}", Some(MISSING)),
        (200, Some("application/json"), "", Some("Pet : the body is empty")),
        (
            200,
            Some("application/json"),
            "{",
            Some("Pet : the body cannot be read: not JSON at byte 1"),
        ),
        // `Empty` and what has no model may be anything.
        (200, Some("text/plain"), "[", None),
        (200, Some("text/html"), "[", None),
        (201, Some("application/json"), "[", None),
        (
            404,
            Some("text/html"),
            "[]",
            Some(
                r#"Trouble : instance type (array) does not match any allowed primitive type (allowed: ["object"])"#,
            ),
        ),
    ] {
        let fields: Vec<(&str, &str)> = media.iter().map(|m| ("Content-Type", *m)).collect();
        for (mode, integration) in [("log", proxy()), ("enforce", proxy())] {
            let mut driver = driver(stage(mode, integration));
            let reply = whole(status, &fields, body.as_bytes());
            let (answer, found, counted) = ran(&mut driver, "GET /prod/pets", reply);
            assert_eq!((found.as_deref(), counted), (want, want.is_some()), "{status} {body}");
            let passes = format!("{status} {body}");
            let refused = r#"502 {"message": "Invalid response body"}"#;
            let want = if mode == "enforce" && want.is_some() { refused } else { &passes };
            assert_eq!(answer, want);
        }
    }
}

#[test]
fn what_has_no_body_by_its_kind_is_not_checked() {
    let mut driver = driver(stage("enforce", proxy()));
    let (answer, found, _) = ran(&mut driver, "HEAD /prod/pets", whole(200, &[], b""));
    assert_eq!((answer.as_str(), found), ("200 ", None));
}

#[test]
fn coded_answers_are_read_and_the_upstream_is_asked_for_plain_ones() {
    let mut driver = driver(stage("log", proxy()));
    let request = head("GET /prod/pets", &[("Accept-Encoding", "br"), ("X-A", "1")]);
    let (call, _) = waits(driver.step(&request));
    let sent = String::from_utf8_lossy(call.request.fields.of(&driver.scratch)).into_owned();
    assert!(
        sent.contains("Accept-Encoding: identity\r\n") && sent.contains("X-A: 1\r\n"),
        "{sent}"
    );
    assert!(!sent.contains("br"), "{sent}");
    let coded = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    for (coding, body, want) in [
        ("gzip", coded(br#"{"name":"Rex"}"#), None),
        ("gzip", coded(b"{}"), Some(MISSING)),
        ("gzip", b"{}".to_vec(), Some("Pet : the body cannot be read: Content-Encoding is gzip")),
        ("br", b"x".to_vec(), Some("Pet : the body cannot be read: Content-Encoding is br")),
        ("identity", b"{}".to_vec(), Some(MISSING)),
    ] {
        let reply = whole(200, &[("Content-Encoding", coding)], &body);
        let (_, found, _) = ran(&mut driver, "GET /prod/pets", reply);
        assert_eq!(found.as_deref(), want, "{coding}");
    }
}

#[test]
fn mapped_answers_and_functions_are_checked_as_the_caller_gets_them() {
    let mut driver = driver(stage("enforce", mock_ok(r#"{"nom":"Rex"}"#)));
    let answer = driver.answers(&head("GET /prod/pets", &[]));
    assert_eq!((answer.status, answer.failure), (502, Some("BAD_RESPONSE_BODY")));

    // Rendered from the request, so that it is no constant.
    let template = r#"{"name":"$input.params('name')"}"#;
    let response = v1::IntegrationResponse {
        status_code: "200".into(),
        templates: pairs(&[("application/json", template)]),
        ..Default::default()
    };
    let rendered = mock(&[("application/json", r#"{"statusCode": 200}"#)], vec![response]);
    let mut driver = self::driver(stage("enforce", rendered));
    assert_eq!(driver.answers(&head("GET /prod/pets?name=Rex", &[])).status, 200);
    assert_eq!(driver.answers(&head("GET /prod/pets?name=%22", &[])).status, 502);

    let function = v1::Integration {
        r#type: v1::IntegrationType::AwsProxy.into(),
        http_method: "POST".into(),
        uri: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function:f/invocations".into(),
        ..Default::default()
    };
    let mut driver = self::driver(stage("enforce", function));
    for (said, want) in [
        (&br#"{"body":"{\"name\":\"Rex\"}"}"#[..], r#"200 {"name":"Rex"}"#),
        (br#"{"body":"{}"}"#, r#"502 {"message": "Invalid response body"}"#),
        (br#"{"statusCode":500,"body":"{}"}"#, "500 {}"),
    ] {
        let (answer, ..) = ran(&mut driver, "GET /prod/pets", whole(200, &[], said));
        assert_eq!(answer, want);
    }
}

#[test]
fn a_refusal_can_be_customised_and_says_what_was_wrong() {
    let custom = |kind: &str| v1::GatewayResponse {
        r#type: kind.into(),
        templates: pairs(&[(
            "application/json",
            "$context.error.responseType $context.error.validationErrorString",
        )]),
        ..Default::default()
    };
    let wrong = r#"502 BAD_RESPONSE_BODY [object has missing required properties ([\"name\"])]"#;
    for (kinds, want) in [
        (&["BAD_RESPONSE_BODY"][..], wrong),
        (&["DEFAULT_5XX"], wrong),
        (&["BAD_REQUEST_BODY"], r#"502 {"message": "Invalid response body"}"#),
    ] {
        let mut stage = stage("enforce", proxy());
        stage.bundle.gateway_responses = kinds.iter().map(|kind| custom(kind)).collect();
        let (answer, found, _) = ran(&mut driver(stage), "GET /prod/pets", whole(200, &[], b"{}"));
        assert_eq!((answer.as_str(), found.as_deref()), (want, Some(MISSING)), "{kinds:?}");
    }
}

#[test]
fn off_costs_nothing_and_a_method_without_models_is_relayed() {
    for mode in ["", "off"] {
        let step = driver(stage(mode, proxy())).step(&head("GET /prod/pets", &[]));
        assert!(matches!(step, Step::Relay(_)), "{step:?}");
    }
    let mut stage = stage("enforce", proxy());
    stage.bundle.resources[0].methods[0].responses.truncate(1);
    stage.bundle.resources[0].methods[0].responses[0].models =
        pairs(&[("application/json", "Empty")]);
    let step = driver(stage).step(&head("GET /prod/pets", &[]));
    assert!(matches!(step, Step::Relay(_)), "{step:?}");
}

#[test]
fn texts_are_bounded() {
    let mut driver = driver(stage("log", proxy()));
    let body = format!(r#"{{"name":"Rex","kind":"{}"}}"#, "ä".repeat(10_000));
    let request = head("GET /prod/pets", &[]);
    let (_, next) = waits(driver.step(&request));
    let reply = whole(200, &[], body.as_bytes());
    let Step::Answer(answer) = next.give(&mut driver.cx(), &request, Ok(reply)) else { panic!() };
    let mismatch = answer.mismatch().unwrap();
    assert!(mismatch.message.len() <= MAX_MESSAGE && mismatch.path == "/kind", "{mismatch:?}");
}

#[test]
fn what_cannot_be_checked_is_refused_at_deploy_time() {
    let streamed = v1::Integration { response_transfer_mode: "STREAM".into(), ..proxy() };
    let told = |stage: Stage| link(&stage.bundle, &[]).map(drop).map_err(|e| e.to_string());
    let error = told(stage("log", streamed.clone())).unwrap_err();
    assert!(error.starts_with("ANY /pets: response validation needs whole answers"), "{error}");
    assert_eq!(told(stage("", streamed)), Ok(()));
    let error = told(stage("sometimes", proxy())).unwrap_err();
    assert_eq!(error, "ANY /pets: 'sometimes' is no mode of response validation");
    let mut unknown = stage("log", proxy());
    unknown.bundle.models.remove(1);
    let error = told(unknown).unwrap_err();
    assert_eq!(error, "ANY /pets: its model 'Pet' does not exist");
}
