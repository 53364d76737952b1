//! Limits and endpoints as settings of an API.
//!
//! Source: rest-api-runtime.md sections 10.1 and 25 for AWS's limits; that an API may have others is Tidegate's own.

mod support;

use support::{
    Driver, Stage, head, head_with_body, http_proxy, link, mock_ok, resource, waits, whole,
};
use tidegate_engine::head::BodySize;
use tidegate_engine::{CallError, Step, Wait};
use tidegate_proto::v1;

const AWS: u64 = 10_485_760;

fn limits(profile: &str, payload_bytes: Option<u64>) -> v1::ApiLimits {
    v1::ApiLimits { profile: profile.into(), payload_bytes, ..Default::default() }
}

fn function() -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::AwsProxy.into(),
        http_method: "POST".into(),
        uri: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function:f/invocations".into(),
        ..Default::default()
    }
}

fn driver(settings: v1::ApiSettings, max_body: u64) -> Driver {
    let mut stage = Stage::of(vec![
        resource("/proxy", "ANY", http_proxy("http://up.example/", &[])),
        resource("/function", "ANY", function()),
    ]);
    stage.bundle.settings = Some(settings);
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    driver.listener.max_body = max_body;
    driver
}

#[test]
fn the_payload_is_bounded_by_the_api_within_the_listener() {
    for (limits, max_body, want) in [
        (None, AWS, AWS),
        (None, 4 * AWS, AWS),
        (None, 100, 100),
        (Some(limits("aws", Some(1_000))), AWS, 1_000),
        (Some(limits("open", None)), 4 * AWS, 4 * AWS),
        (Some(limits("open", Some(2 * AWS))), 4 * AWS, 2 * AWS),
        (Some(limits("open", Some(2 * AWS))), AWS, AWS),
    ] {
        let mut driver = driver(v1::ApiSettings { limits, ..Default::default() }, max_body);
        for path in ["/prod/proxy", "/prod/function"] {
            let mut request = head_with_body(&format!("POST {path}"), &[], b"x");
            request.body = BodySize::Known(want);
            let fits = driver.step(&request);
            assert!(!matches!(fits, Step::Answer(_)), "{path} {want}");
            match fits {
                Step::Relay(relay) => assert_eq!(relay.max_body, want),
                Step::Wait(Wait::Body(limit, _)) => assert_eq!(limit, want),
                other => panic!("{other:?}"),
            }
            request.body = BodySize::Known(want + 1);
            let answer = driver.answers(&request);
            let text = format!("HTTP content length exceeded {want} bytes.");
            assert_eq!((answer.status, answer.body), (413, text), "{path}");
        }
        // One that comes in pieces, whose length shows on the way.
        let request = head("POST /prod/proxy", &[]);
        let answer = driver.replies(&request, Err(CallError::RequestTooLarge));
        assert_eq!(answer.body, format!("HTTP content length exceeded {want} bytes."));
    }
}

#[test]
fn answers_that_are_collected_are_bounded_by_the_api_alone_up_to_awss_limit() {
    for (limits, max_body, want) in [
        (None, AWS, AWS),
        (None, 100, AWS),
        (Some(limits("aws", Some(1_000))), AWS, 1_000),
        (Some(limits("open", None)), 100, AWS),
        (Some(limits("open", None)), 4 * AWS, 4 * AWS),
    ] {
        let mut driver = driver(v1::ApiSettings { limits, ..Default::default() }, max_body);
        let (call, _) = waits(driver.step(&head("GET /prod/function", &[])));
        assert_eq!(call.max_reply as u64, want);
    }
}

#[test]
fn services_are_where_the_api_says() {
    let endpoints = support::pairs(&[("lambda", "http://127.0.0.1:4702/base")]);
    let mut driver = driver(v1::ApiSettings { endpoints, ..Default::default() }, AWS);
    let ran = driver.runs(&head("GET /prod/function", &[]), b"", Ok(whole(200, &[], b"{}")));
    let sent = &ran.call().sent;
    assert_eq!(sent.upstream, "127.0.0.1:4702");
    assert!(sent.target.starts_with("/base/2015-03-31/functions/"), "{}", sent.target);
    assert_eq!(sent.fields.one("Host"), "127.0.0.1:4702");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let told = |settings: v1::ApiSettings, timeout_ms: u32| {
        let integration = v1::Integration { timeout_ms, ..http_proxy("http://up.example/", &[]) };
        let mut bundle = support::bundle(vec![
            resource("/p", "GET", integration),
            resource("/m", "GET", mock_ok("x")),
        ]);
        bundle.settings = Some(settings);
        link(&bundle, &[]).map(drop).map_err(|error| error.to_string())
    };
    let limited = |limits| v1::ApiSettings { limits: Some(limits), ..Default::default() };
    let endpoint = |name: &str, url: &str| v1::ApiSettings {
        endpoints: support::pairs(&[(name, url)]),
        ..Default::default()
    };
    assert_eq!(told(limited(limits("open", Some(1))), 900_000), Ok(()));
    assert_eq!(told(endpoint("*", "http://127.0.0.1:1"), 50), Ok(()));
    for (settings, timeout_ms, want) in [
        (
            limited(limits("large", None)),
            0,
            "API : settings: limits.profile: 'large' is neither 'aws' nor 'open'",
        ),
        (
            limited(limits("aws", Some(AWS + 1))),
            0,
            "limits.payloadBytes: 10485761 is more than AWS's 10485760; profile 'open' lifts the limit",
        ),
        (endpoint("sqs", "127.0.0.1:1"), 0, "endpoints.sqs: '127.0.0.1:1' is no http or https URL"),
        (
            v1::ApiSettings::default(),
            900_001,
            "GET /p: its time-out of 900001 ms is not within 50..=900000",
        ),
        (v1::ApiSettings::default(), 49, "GET /p: its time-out of 49 ms is not within 50..=900000"),
    ] {
        let told = told(settings, timeout_ms).unwrap_err();
        assert!(told.contains(want), "{told}");
    }
}
