//! Constant `MOCK`: which template, which integration response, which body.
//!
//! Sources: rest-api-runtime.md sections 7.1, 7.2, 10.2 and 4.4 (non-proxy responses).

mod support;

use support::{Driver, head, method, mock, pairs};
use tidegate_proto::v1;

const BROKEN: &str = r#"500 {"message": "Internal server error"}"#;
const REFUSED: &str = r#"415 {"message": "Unsupported Media Type"}"#;

fn response(status: &str, pattern: &str, templates: &[(&str, &str)]) -> v1::IntegrationResponse {
    v1::IntegrationResponse {
        status_code: status.into(),
        selection_pattern: pattern.into(),
        templates: pairs(templates),
        ..Default::default()
    }
}

/// A driver of one `MOCK` on `/x`; declares 200, 400 and 404.
fn driver(integration: v1::Integration) -> Driver {
    let mut method = method("ANY", integration);
    method.responses = ["200", "400", "404"]
        .map(|code| v1::MethodResponse { status_code: code.into(), ..Default::default() })
        .into();
    Driver::new(vec![v1::Resource { id: "r".into(), path: "/x".into(), methods: vec![method] }])
}

#[test]
fn the_status_code_selects_the_response_by_whole_match() {
    let responses = || {
        vec![
            response("200", "", &[("application/json", "default")]),
            response("400", "4\\d\\d", &[("application/json", "four hundreds")]),
            response("404", "404", &[("application/json", "never: a pattern above takes it")]),
            response("302", "302", &[("application/json", "not declared")]),
        ]
    };
    for (template, want) in [
        (r#"{"statusCode": 200}"#, "200 default"),
        ("{statusCode: 400}", "400 four hundreds"),
        ("{'statusCode': 404,}", "400 four hundreds"),
        // Part of a pattern is no match; any integer passes.
        ("{statusCode: 4000}", "200 default"),
        ("{statusCode: -1000}", "200 default"),
        ("{statusCode: 302}", BROKEN),
        (r#"{"statusCode": "200"}"#, BROKEN),
        (r#"{"statusCode": 2.5}"#, BROKEN),
        ("{}", BROKEN),
        ("", BROKEN),
        ("statusCode: 200", BROKEN),
        (r#"{"statusCode: 200}"#, BROKEN),
    ] {
        let mut driver = driver(mock(&[("application/json", template)], responses()));
        assert_eq!(driver.decide(&head("GET /prod/x", &[])).brief(), want, "{template}");
    }
    let only = vec![response("400", "4..", &[])];
    let mut driver = driver(mock(&[("application/json", "{statusCode: 200}")], only));
    assert_eq!(driver.decide(&head("GET /prod/x", &[])).brief(), BROKEN, "no match and no default");
}

#[test]
fn the_content_type_selects_the_request_template() {
    let responses = || {
        vec![
            response("200", "200", &[("application/json", "json")]),
            response("400", "400", &[("application/json", "xml")]),
            response("404", "", &[("application/json", "fallback")]),
        ]
    };
    let both =
        [("application/json", "{statusCode: 200}"), ("application/xml", "{statusCode: 400}")];
    let with_default =
        [("application/json", "{statusCode: 200}"), ("$default", "{statusCode: 404}")];
    for (templates, passthrough, sent, want) in [
        (&both[..], "WHEN_NO_MATCH", None, "200 json"),
        (&both, "WHEN_NO_MATCH", Some("application/json; charset=UTF-8"), "200 json"),
        (&both, "WHEN_NO_MATCH", Some("Application/XML"), "400 xml"),
        (&both, "NEVER", Some("application/xml"), "400 xml"),
        // 7.1's table. Passing an empty body gives no status code.
        (&both, "WHEN_NO_MATCH", Some("text/plain"), BROKEN),
        (&both, "", Some("text/plain"), BROKEN),
        (&both, "WHEN_NO_TEMPLATES", Some("text/plain"), REFUSED),
        (&both, "NEVER", Some("text/plain"), REFUSED),
        (&[], "WHEN_NO_MATCH", None, BROKEN),
        (&[], "WHEN_NO_TEMPLATES", None, BROKEN),
        (&[], "NEVER", None, REFUSED),
        (&with_default, "NEVER", Some("text/plain"), "404 fallback"),
    ] {
        let mut integration = mock(templates, responses());
        integration.passthrough_behavior = passthrough.into();
        let fields: Vec<_> = sent.map(|value| ("Content-Type", value)).into_iter().collect();
        let got = driver(integration).decide(&head("POST /prod/x", &fields)).brief();
        assert_eq!(got, want, "{sent:?} {passthrough} {templates:?}");
    }
}

#[test]
fn accept_selects_the_response_template() {
    let templates = [("application/json", "{}"), ("application/xml", "<a/>"), ("text/plain", "")];
    let without_json = [("text/html", "<p>"), ("application/xml", "<a/>")];
    for (templates, accept, want, media) in [
        (&templates[..], None, "200 {}", "application/json"),
        (&templates, Some("application/xml;q=0.9, text/html"), "200 <a/>", "application/xml"),
        (&templates, Some("*/*"), "200 {}", "application/json"),
        (&templates, Some("text/plain"), "200 ", "text/plain"),
        (&without_json, Some("image/png"), "200 <p>", "text/html"),
        (&[], None, "200 ", "application/json"),
    ] {
        let integration = mock(
            &[("application/json", "{statusCode: 200}")],
            vec![response("200", "", templates)],
        );
        let fields: Vec<_> = accept.map(|value| ("Accept", value)).into_iter().collect();
        let answer = driver(integration).answers(&head("GET /prod/x", &fields));
        assert_eq!(format!("{} {}", answer.status, answer.body), want, "{accept:?}");
        assert_eq!(answer.fields.one("Content-Type"), media, "{accept:?}");
        assert!(!answer.fields.has("X-Amzn-Trace-Id"), "1.3: not for MOCK");
    }
}

#[test]
fn response_headers_are_mapped_and_remapped() {
    // 6.2 for sources; 4.4 for the names of non-proxy responses.
    let mut answering = response("200", "", &[]);
    answering.parameters = pairs(&[
        ("method.response.header.Access-Control-Allow-Origin", "'*'"),
        ("method.response.header.Content-Type", "'text/html'"),
        ("method.response.header.Server", "'mine'"),
        ("method.response.header.Transfer-Encoding", "'chunked'"),
        ("method.response.header.X-Backend", "integration.response.header.X"),
        ("method.response.header.X-Id", "context.requestId"),
        ("method.response.header.X-Echo", "method.request.header.X-Echo"),
    ]);
    let integration = mock(&[("application/json", "{statusCode: 200}")], vec![answering]);
    let mut driver = driver(integration);
    let answer = driver.answers(&head("GET /prod/x", &[("X-Echo", "e")]));
    for (name, value) in [
        ("Access-Control-Allow-Origin", "*"),
        ("Content-Type", "text/html"),
        ("x-amzn-Remapped-Server", "mine"),
        ("X-Echo", "e"),
    ] {
        assert_eq!(answer.fields.one(name), value);
    }
    for absent in ["Server", "Transfer-Encoding", "X-Backend"] {
        assert!(!answer.fields.has(absent), "{absent}");
    }
    assert_eq!(answer.fields.one("X-Id"), answer.fields.one("x-amzn-RequestId"));
}
