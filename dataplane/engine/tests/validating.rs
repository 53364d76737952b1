//! Required parameters: which requests lack them, and what is said; what validators refuse a bundle.
//!
//! Source: rest-api-runtime.md sections 14.1 and 14.2; 5.1 for the gateway response.

mod support;

use support::{Driver, Stage, bundle, head, http_proxy, link, method, mock_ok, pairs};
use tidegate_engine::Step;
use tidegate_proto::v1;

/// A method on `/pets/{id}` that requires parameters, with a validator.
fn stage(integration: v1::Integration, required: &[(&str, &str)], checks: bool) -> Stage {
    let method = v1::Method {
        request_validator_id: "val001".into(),
        request_parameters: pairs(required),
        ..method("ANY", integration)
    };
    let resource =
        v1::Resource { id: "r".into(), path: "/pets/{id}".into(), methods: vec![method] };
    let mut stage = Stage::of(vec![resource]);
    stage.bundle.request_validators = vec![v1::RequestValidator {
        id: "val001".into(),
        validate_body: false,
        validate_parameters: checks,
    }];
    stage
}

fn driver(stage: Stage) -> Driver {
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

const HEADER: &str = "method.request.header.X-A";
const PATH: &str = "method.request.path.issuer";
const QUERY: &str = "method.request.querystring.qs1";

#[test]
fn what_is_required_must_be_there_and_not_blank() {
    let all = [(HEADER, "true"), (PATH, "true"), (QUERY, "true")];
    for (required, line, fields, missing) in [
        (&[(HEADER, "true")][..], "GET /prod/pets/7", &[("X-A", "1")][..], None),
        (&[(HEADER, "true")], "GET /prod/pets/7", &[], Some("X-A")),
        // Exact case, and the last of several counts.
        (&[(HEADER, "true")], "GET /prod/pets/7", &[("x-a", "1")], Some("X-A")),
        (&[(HEADER, "true")], "GET /prod/pets/7", &[("X-A", "")], Some("X-A")),
        (&[(HEADER, "true")], "GET /prod/pets/7", &[("X-A", " ")], Some("X-A")),
        (&[(QUERY, "true")], "GET /prod/pets/7?qs1=1", &[], None),
        (&[(QUERY, "true")], "GET /prod/pets/7?QS1=1", &[], Some("qs1")),
        (&[(QUERY, "true")], "GET /prod/pets/7?qs1", &[], Some("qs1")),
        (&[(QUERY, "true")], "GET /prod/pets/7?qs1=+%20", &[], Some("qs1")),
        (&[("method.request.path.id", "true")], "GET /prod/pets/7", &[], None),
        // One that the resource's path does not have fails every request.
        (&[(PATH, "true")], "GET /prod/pets/7", &[], Some("issuer")),
        (&[(HEADER, "false"), (QUERY, "false")], "GET /prod/pets/7", &[], None),
        (&all, "GET /prod/pets/7", &[], Some("X-A, issuer, qs1")),
        (&all, "GET /prod/pets/7?qs1=1", &[("X-A", "1")], Some("issuer")),
    ] {
        let mut driver = driver(stage(mock_ok("fine"), required, true));
        let answer = driver.answers(&head(line, fields));
        match missing {
            None => assert_eq!(answer.body, "fine", "{required:?} {line}"),
            Some(names) => {
                let text = format!("Missing required request parameters: [{names}]");
                assert_eq!(answer.status, 400, "{required:?} {line}");
                assert_eq!(answer.body, format!(r#"{{"message": "{text}"}}"#));
                assert_eq!(answer.failure, Some("BAD_REQUEST_PARAMETERS"));
                assert_eq!(answer.fields.one("x-amzn-ErrorType"), "BadRequestException");
            }
        }
    }
}

#[test]
fn a_validator_that_does_not_check_parameters_lets_them_be_missing() {
    let mut driver = driver(stage(mock_ok("fine"), &[(HEADER, "true")], false));
    assert_eq!(driver.answers(&head("GET /prod/pets/7", &[])).body, "fine");
}

#[test]
fn it_is_checked_before_anything_is_sent_and_its_text_reaches_gateway_responses() {
    let mut checked = stage(http_proxy("http://up.example/", &[]), &[(HEADER, "true")], true);
    checked.bundle.gateway_responses = vec![v1::GatewayResponse {
        r#type: "BAD_REQUEST_PARAMETERS".into(),
        status_code: Some(422),
        templates: pairs(&[("application/json", r#"{"why":$context.error.messageString}"#)]),
        ..Default::default()
    }];
    let mut driver = driver(checked);
    let answer = driver.answers(&head("GET /prod/pets/7", &[]));
    assert_eq!(answer.status, 422);
    assert_eq!(answer.body, r#"{"why":"Missing required request parameters: [X-A]"}"#);
    let step = driver.step(&head("GET /prod/pets/7", &[("X-A", "1")]));
    assert!(matches!(step, Step::Relay(_)), "{step:?}");
}

#[test]
fn what_cannot_be_checked_refuses_the_bundle() {
    let refused = |change: fn(&mut v1::Bundle)| {
        let mut made = stage(mock_ok(""), &[(HEADER, "true")], true).bundle;
        change(&mut made);
        link(&made, &[]).unwrap_err().to_string()
    };
    assert_eq!(
        refused(|b| b.request_validators.clear()),
        "ANY /pets/{id}: its request validator does not exist"
    );
    assert_eq!(
        refused(|b| {
            b.request_validators[0].validate_body = true;
            b.resources[0].methods[0].request_models = pairs(&[("application/json", "Pet")]);
        }),
        "ANY /pets/{id}: its model 'Pet' does not exist"
    );
    // Without models there is nothing that a body has to fit.
    let mut made = bundle(stage(mock_ok(""), &[], true).bundle.resources);
    made.request_validators = vec![v1::RequestValidator {
        id: "val001".into(),
        validate_body: true,
        ..Default::default()
    }];
    assert!(link(&made, &[]).is_ok());
}
