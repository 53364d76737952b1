//! Bodies against models: which model, which bodies fit, and what is said of those that do not.
//!
//! Sources: rest-api-runtime.md sections 1.1, 14.1, 14.3 and 14.4; 5.1 for the gateway response. A row's comment names the part.

mod support;

use support::{Driver, Stage, head, head_with_body, http_proxy, link, method, mock, pairs, whole};
use tidegate_engine::explain::Trace;
use tidegate_engine::{Step, Wait};
use tidegate_proto::v1;

const INVALID: &str = r#"400 {"message": "Invalid request body"}"#;
const PET: &str = r#"{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"age":{"type":"integer"}}}"#;
const PETS: &str =
    r#"{"type":"array","items":{"$ref":"https://any.example/restapis/other/models/Pet"}}"#;

/// A method whose bodies have to fit models, and which requires `X-A`.
fn stage(integration: v1::Integration, models: &[(&str, &str)]) -> Stage {
    let method = v1::Method {
        request_validator_id: "val001".into(),
        request_models: pairs(models),
        request_parameters: pairs(&[("method.request.header.X-A", "true")]),
        ..method("ANY", integration)
    };
    let resource = v1::Resource { id: "r".into(), path: "/pets".into(), methods: vec![method] };
    let mut stage = Stage::of(vec![resource]);
    stage.bundle.request_validators = vec![v1::RequestValidator {
        id: "val001".into(),
        validate_body: true,
        validate_parameters: true,
    }];
    let model = |name: &str, schema: &str| v1::Model {
        name: name.into(),
        content_type: "application/json".into(),
        schema: schema.into(),
    };
    stage.bundle.models = vec![model("Pet", PET), model("Pets", PETS), model("Text", "")];
    stage
}

/// A `MOCK` that answers `fine`, whatever the content type.
fn fine() -> v1::Integration {
    let response = v1::IntegrationResponse {
        status_code: "200".into(),
        templates: pairs(&[("application/json", "fine")]),
        ..Default::default()
    };
    mock(&[("$default", r#"{"statusCode": 200}"#)], vec![response])
}

fn driver(stage: Stage) -> Driver {
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

#[test]
fn the_model_is_that_of_the_content_type() {
    const ONE: &[(&str, &str)] = &[("application/json", "Pet")];
    const TWO: &[(&str, &str)] = &[("application/json", "Pet"), ("$default", "Pets")];
    for (models, media, body, want) in [
        (ONE, Some("application/json"), r#"{"name":"Rex"}"#, "200 fine"),
        (ONE, Some("Application/JSON; charset=utf-8"), r#"{"name":1}"#, INVALID),
        // A request without Content-Type is JSON.
        (ONE, None, r#"{"name":1}"#, INVALID),
        (ONE, None, r#"{"name":"Rex","age":1.5}"#, INVALID),
        // No model matches: nothing is checked.
        (ONE, Some("text/plain"), "anything", "200 fine"),
        // Empty is `{}`.
        (ONE, None, "", INVALID),
        (ONE, None, "{", INVALID),
        (ONE, None, "Rex", INVALID),
        (TWO, Some("text/plain"), r#"[{"name":"Rex"}]"#, "200 fine"),
        // A reference to another model, whatever the host.
        (TWO, Some("text/plain"), r#"[{"name":"Rex"},{}]"#, INVALID),
        (TWO, Some("application/json"), r#"[{"name":"Rex"}]"#, INVALID),
        (&[("application/json", "Text")], None, "anything", "200 fine"),
        (&[], None, "anything", "200 fine"),
    ] {
        let mut driver = driver(stage(fine(), models));
        let mut fields = vec![("X-A", "1")];
        fields.extend(media.map(|media| ("Content-Type", media)));
        let request = head_with_body("POST /prod/pets", &fields, body.as_bytes());
        let ran = driver.runs(&request, body.as_bytes(), Ok(whole(200, &[], b"")));
        assert_eq!(ran.brief(), want, "{models:?} {media:?} {body}");
    }
}

#[test]
fn deep_and_odd_bodies_are_refused_and_nothing_else() {
    let deep = "[".repeat(100_000);
    let many = format!("[{}]", vec!["0"; 200_000].join(","));
    for body in
        [deep.as_bytes(), many.as_bytes(), b"\xff\xfe", b"{\"name\":\"\x00\"}", b"\"\\ud800\""]
    {
        let mut driver = driver(stage(fine(), &[("$default", "Pets")]));
        let request = head_with_body("POST /prod/pets", &[("X-A", "1")], body);
        assert_eq!(driver.runs(&request, body, Ok(whole(200, &[], b""))).brief(), INVALID);
    }
}

#[test]
fn parameters_come_first_and_a_body_is_waited_for_only_where_a_model_wants_it() {
    // 1.1, 14.1
    let proxy = || http_proxy("http://up.example/", &[]);
    let mut driver = driver(stage(proxy(), &[("application/json", "Pet")]));
    let post = |fields: &[(&str, &str)]| head_with_body("POST /prod/pets", fields, b"{}");
    let answer = driver.answers(&post(&[]));
    assert_eq!(answer.failure, Some("BAD_REQUEST_PARAMETERS"));
    let step = driver.step(&post(&[("X-A", "1"), ("Content-Type", "text/plain")]));
    assert!(matches!(step, Step::Relay(_)), "{step:?}");
    let step = driver.step(&post(&[("X-A", "1")]));
    assert!(matches!(step, Step::Wait(Wait::Body(..))), "{step:?}");
    // Nothing to wait for: `{}` is checked at once.
    let answer = driver.answers(&head("GET /prod/pets", &[("X-A", "1")]));
    assert_eq!((answer.status, answer.failure), (400, Some("BAD_REQUEST_BODY")));
    let body = br#"{"name":"Rex"}"#;
    let request = head_with_body("POST /prod/pets", &[("X-A", "1")], body);
    let ran = driver.runs(&request, body, Ok(whole(201, &[], b"made")));
    assert_eq!((ran.call().body.as_slice(), ran.brief().as_str()), (&body[..], "201 made"));
}

#[test]
fn gateway_responses_say_what_is_wrong() {
    // 14.3: a JSON array of the validator's texts.
    for (body, want) in [
        (r#"{"age":1}"#, r#"[object has missing required properties ([\"name\"])]"#),
        (
            r#"{"name":"Rex","age":"x"}"#,
            r#"[instance type (string) does not match any allowed primitive type (allowed: [\"integer\"])]"#,
        ),
        // As users report what AWS logs.
        ("no", "[Unknown error parsing request body]"),
    ] {
        let mut checked = stage(fine(), &[("application/json", "Pet")]);
        checked.bundle.gateway_responses = vec![v1::GatewayResponse {
            r#type: "BAD_REQUEST_BODY".into(),
            status_code: Some(422),
            templates: pairs(&[(
                "application/json",
                r#"{"message":$context.error.messageString,"errors":$context.error.validationErrorString}"#,
            )]),
            ..Default::default()
        }];
        let mut driver = driver(checked);
        driver.trace = Some(Trace::default());
        let request = head_with_body("POST /prod/pets", &[("X-A", "1")], body.as_bytes());
        let ran = driver.runs(&request, body.as_bytes(), Ok(whole(200, &[], b"")));
        assert_eq!(
            ran.brief(),
            format!(r#"422 {{"message":"Invalid request body","errors":{want}}}"#)
        );
        assert_eq!(ran.answer.fields.one("x-amzn-ErrorType"), "BadRequestException");
        let trace = driver.trace.take().unwrap();
        let phase = trace.phases.iter().rfind(|phase| phase.name == "validate").unwrap();
        assert_eq!(
            phase.decision,
            "the body does not fit model Pet, which is for application/json"
        );
        assert_eq!(phase.details.len(), 1);
    }
}

#[test]
fn schemas_that_cannot_be_compiled_refuse_the_bundle() {
    for (schema, want) in [
        ("{", "POST /pets: model 'Pet' is no JSON: EOF while parsing an object at line 1 column 1"),
        (r#"{"type":"text"}"#, "POST /pets: model 'Pet': at \"/type\""),
        (r#"{"$ref":"https://a.example/restapis/x/models/No"}"#, "nothing is at $ref"),
        (r#"{"pattern":"(?=x"}"#, "cannot be used"),
    ] {
        let mut made = stage(fine(), &[("application/json", "Pet")]).bundle;
        made.resources[0].methods[0].verb = "POST".into();
        made.models[0].schema = schema.into();
        let told = link(&made, &[]).unwrap_err().to_string();
        assert!(told.contains(want), "{schema}: {told}");
        // Nobody checks against it: nothing is wrong.
        made.request_validators[0].validate_body = false;
        assert!(link(&made, &[]).is_ok(), "{schema}");
    }
}
