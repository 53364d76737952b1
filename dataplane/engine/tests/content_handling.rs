//! `contentHandling` of `HTTP_PROXY`: bodies between bytes and base64, both ways, by the tables of `rest-api-runtime` 12.

mod support;

use tidegate_engine::Step;
use tidegate_proto::v1;

use support::{Driver, Stage, head_with_body, http_proxy, link, resource, whole};

fn proxy(request: &str, reply: &str) -> v1::Integration {
    let response = v1::IntegrationResponse {
        status_code: "200".into(),
        content_handling: reply.into(),
        ..Default::default()
    };
    v1::Integration {
        content_handling: request.into(),
        responses: vec![response],
        ..http_proxy("http://up.example/", &[])
    }
}

fn driver(integration: v1::Integration) -> Driver {
    let mut stage = Stage::of(vec![resource("/x", "POST", integration)]);
    stage.bundle.binary_media_types = vec!["image/png".into()];
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

#[test]
fn bodies_are_converted_both_ways() {
    let (binary, text) = ("CONVERT_TO_BINARY", "CONVERT_TO_TEXT");
    for (handling, sent, accepts, want_sent, reply, want) in [
        // Requests, by their content type.
        ((binary, ""), ("text/plain", "aGk="), "*/*", "hi", ("text/plain", "ok"), (200, "ok")),
        ((binary, ""), ("image/png", "aGk="), "*/*", "aGk=", ("image/png", "ok"), (200, "ok")),
        ((text, ""), ("image/png", "hi"), "*/*", "aGk=", ("text/plain", "ok"), (200, "ok")),
        ((text, ""), ("text/plain", "hi"), "*/*", "hi", ("text/plain", "ok"), (200, "ok")),
        // Answers, by theirs and what the caller accepts.
        (("", text), ("text/plain", "hi"), "image/png", "hi", ("image/png", "hi"), (200, "aGk=")),
        (("", binary), ("text/plain", "hi"), "*/*", "hi", ("text/plain", "aGk="), (200, "hi")),
        (("", binary), ("text/plain", "hi"), "*/*", "hi", ("image/png", "aGk="), (200, "aGk=")),
        (("", binary), ("text/plain", "hi"), "*/*", "hi", ("text/plain", "!"), (500, "")),
        ((binary, text), ("text/plain", "aGk="), "*/*", "hi", ("image/png", "hi"), (200, "aGk=")),
    ] {
        let mut driver = driver(proxy(handling.0, handling.1));
        let fields = [("Content-Type", sent.0), ("Accept", accepts), ("Accept-Encoding", "gzip")];
        let head = head_with_body("POST /prod/x", &fields, sent.1.as_bytes());
        let got = whole(200, &[("Content-Type", reply.0)], reply.1.as_bytes());
        let ran = driver.runs(&head, sent.1.as_bytes(), Ok(got));
        let case = format!("{handling:?} {sent:?} {reply:?}");
        assert_eq!(ran.call().body, want_sent.as_bytes(), "{case}");
        assert_eq!(ran.answer.status, want.0, "{case}");
        if want.0 == 200 {
            assert_eq!(ran.answer.body, want.1, "{case}");
        } else {
            assert_eq!(ran.answer.failure, Some("API_CONFIGURATION_ERROR"), "{case}");
        }
        // What is converted must come in no coding.
        let coding = if handling.1.is_empty() { "gzip" } else { "identity" };
        assert_eq!(ran.call().sent.fields.all("Accept-Encoding"), [coding], "{case}");
    }
}

#[test]
fn a_body_that_is_not_base64_is_never_sent() {
    let head = head_with_body("POST /prod/x", &[("Content-Type", "text/plain")], b"!!");
    let ran = driver(proxy("CONVERT_TO_BINARY", "")).runs(&head, b"!!", Ok(whole(200, &[], b"")));
    assert!(ran.called.is_none());
    assert_eq!((ran.answer.status, ran.answer.failure), (500, Some("API_CONFIGURATION_ERROR")));
}

#[test]
fn only_integrations_that_ask_for_it_are_collected_and_none_that_stream() {
    let head = head_with_body("POST /prod/x", &[("Content-Type", "text/plain")], b"hi");
    assert!(matches!(driver(proxy("", "")).step(&head), Step::Relay(_)));
    assert!(matches!(driver(proxy("CONVERT_TO_TEXT", "")).step(&head), Step::Wait(_)));
    let streams =
        v1::Integration { response_transfer_mode: "STREAM".into(), ..proxy("CONVERT_TO_TEXT", "") };
    let refused = link(&Stage::of(vec![resource("/x", "POST", streams)]).bundle, &[]).unwrap_err();
    assert!(refused.to_string().contains("contentHandling needs whole bodies"), "{refused}");
    let unknown = Stage::of(vec![resource("/x", "POST", proxy("TO_MORSE", ""))]);
    assert!(link(&unknown.bundle, &[]).is_err());
}
