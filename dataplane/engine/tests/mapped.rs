//! `HTTP` and `MOCK` with bodies: what is mapped into the request, which template and conversion it meets, and what becomes of the
//! answer.
//!
//! Sources: rest-api-runtime.md sections 4.3, 4.4, 6, 7, 10.2, 11 and 12. A row's comment names the part where it is not plain.

mod support;

use support::{API, Driver, Stage, head, head_with_body, method, mock, pairs, whole};
use tidegate_engine::{CallError, Step, Wait};
use tidegate_proto::v1;

const URI: &str = "http://up.example:8080/base";
const BROKEN: &str = r#"500 {"message": "Internal server error"}"#;
const REFUSED: &str = r#"415 {"message": "Unsupported Media Type"}"#;

fn http(verb: &str, uri: &str, mappings: &[(&str, &str)]) -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::Http.into(),
        http_method: verb.into(),
        uri: uri.into(),
        request_parameters: pairs(mappings),
        responses: vec![response("200", "")],
        ..Default::default()
    }
}

fn response(status: &str, pattern: &str) -> v1::IntegrationResponse {
    v1::IntegrationResponse {
        status_code: status.into(),
        selection_pattern: pattern.into(),
        ..Default::default()
    }
}

/// A driver of one integration on `ANY /pets/{id}`, with binary media types; declares 200, 201, 400, 404 and 500.
fn driver(integration: v1::Integration, binary: &[&str]) -> Driver {
    let mut method = method("ANY", integration);
    method.responses = ["200", "201", "400", "404", "500"]
        .map(|code| v1::MethodResponse { status_code: code.into(), ..Default::default() })
        .into();
    let resource =
        v1::Resource { id: "r".into(), path: "/pets/{id}".into(), methods: vec![method] };
    let mut stage = Stage::of(vec![resource]);
    stage.bundle.binary_media_types = binary.iter().map(|t| (*t).to_owned()).collect();
    stage.variables = vec![("env", "blue")];
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

fn ok() -> Result<tidegate_engine::Reply, CallError> {
    Ok(whole(200, &[], b""))
}

#[test]
fn a_bare_request_sends_six_headers_and_nothing_of_the_callers() {
    // 4.3: "sends exactly" (Content-Length is the codec's).
    let mut driver = driver(http("GET", URI, &[]), &[]);
    let fields = [("X-Mine", "1"), ("Authorization", "Bearer t"), ("Accept", "text/html")];
    let ran = driver.runs(&head("GET /prod/pets/7?q=1", &fields), b"", ok());
    let sent = &ran.call().sent;
    assert_eq!((sent.method, sent.target.as_str()), ("GET", "/base"));
    let mut names: Vec<&str> = sent.fields.0.iter().map(|(n, _)| n.as_str()).collect();
    names.sort_unstable();
    let want = ["Accept", "Host", "User-Agent", "X-Amzn-Apigateway-Api-Id", "X-Amzn-Trace-Id"];
    assert_eq!(names, want);
    assert_eq!(sent.fields.one("Accept"), "application/json");
    assert_eq!(sent.fields.one("User-Agent"), format!("AmazonAPIGateway_{API}"));
    assert_eq!(sent.fields.one("X-Amzn-Apigateway-Api-Id"), API);
}

#[test]
fn a_callers_content_type_goes_with_methods_that_have_bodies() {
    // 4.3; 7.1: no body for GET, HEAD and OPTIONS.
    for (verb, passes) in [
        ("POST", true),
        ("PUT", true),
        ("PATCH", true),
        ("DELETE", true),
        ("GET", false),
        ("HEAD", false),
        ("OPTIONS", false),
    ] {
        let mut driver = driver(http(verb, URI, &[]), &[]);
        let request = head_with_body("POST /prod/pets/7", &[("Content-Type", "text/a")], b"body");
        let ran = driver.runs(&request, b"body", ok());
        assert_eq!(ran.call().sent.fields.has("Content-Type"), passes, "{verb}");
        assert_eq!(ran.call().body, if passes { &b"body"[..] } else { b"" }, "{verb}");
    }
    let mapped = [("integration.request.header.Content-Type", "'text/b'")];
    let mut driver = driver(http("POST", URI, &mapped), &[]);
    let request = head_with_body("POST /prod/pets/7", &[("Content-Type", "text/a")], b"x");
    assert_eq!(driver.runs(&request, b"x", ok()).call().sent.fields.one("Content-Type"), "text/b");
}

#[test]
fn every_expression_of_the_table_yields_what_it_says() {
    // 6.1
    const BODY: &str = r#" {"petstore":{"pets":[{"name":"Rex","age":3}]},"n":null,"list":[1, 2]} "#;
    let line = "POST /prod/pets/a%20b?q=1&q=2&p=x+y";
    let fields = [("X-A", "1"), ("X-A", "2"), ("Content-Type", "application/json")];
    for (source, body, want) in [
        ("method.request.path.id", BODY, &["a%20b"][..]),
        ("method.request.querystring.q", BODY, &["2"]),
        ("method.request.querystring.p", BODY, &["x y"]),
        ("method.request.multivaluequerystring.q", BODY, &["1", "2"]),
        ("method.request.multivaluequerystring.p", BODY, &["x y"]),
        ("method.request.header.X-A", BODY, &["2"]),
        ("method.request.header.x-a", BODY, &[]),
        ("method.request.multivalueheader.X-A", BODY, &["1,2"]),
        ("method.request.body", BODY, &[BODY.trim()]),
        ("method.request.body", "", &["{}"]),
        ("method.request.body", "plain text", &["plain text"]),
        ("method.request.body.petstore.pets[0].name", BODY, &["Rex"]),
        ("method.request.body.petstore.pets[0].age", BODY, &["3"]),
        ("method.request.body.petstore.pets[0]", BODY, &[r#"{"name":"Rex","age":3}"#]),
        ("method.request.body.list", BODY, &["[1,2]"]),
        ("method.request.body.petstore.pets[*].name", BODY, &[r#"["Rex"]"#]),
        ("method.request.body.n", BODY, &[]),
        ("method.request.body.none", BODY, &[]),
        ("method.request.body.a", "plain text", &[]),
        ("method.request.body.a", "", &[]),
        ("context.stage", BODY, &["prod"]),
        ("context.requestTime", BODY, &["14/Nov/2023:22:13:20 +0000"]),
        ("context.requestTimeEpoch", BODY, &["1700000000123"]),
        ("context.identity.sourceIp", BODY, &["192.0.2.7"]),
        ("context.identity.user", BODY, &[]),
        ("context.authorizer.principalId", BODY, &[]),
        ("stageVariables.env", BODY, &["blue"]),
        ("stageVariables.none", BODY, &[]),
        ("'static text'", BODY, &["static text"]),
    ] {
        let mapped = [("integration.request.header.X-Got", source)];
        let mut driver = driver(http("POST", URI, &mapped), &[]);
        let request = head_with_body(line, &fields, body.as_bytes());
        let ran = driver.runs(&request, body.as_bytes(), ok());
        assert_eq!(ran.call().sent.fields.all("X-Got"), want, "{source} of {body:?}");
    }
}

#[test]
fn values_go_into_path_and_query_encoded() {
    let mapped = [
        ("integration.request.path.name", "method.request.body.name"),
        ("integration.request.querystring.q", "method.request.multivaluequerystring.q"),
        ("integration.request.querystring.s", "'a b'"),
        ("integration.request.querystring.gone", "method.request.header.None"),
    ];
    let mut driver = driver(http("PUT", "http://up.example/{name}/{none}?own=1", &mapped), &[]);
    let body = br#"{"name": "a/b c?"}"#;
    let ran =
        driver.runs(&head_with_body("POST /prod/pets/7?q=1&q=%26&x=9", &[], body), body, ok());
    assert_eq!(ran.call().sent.target, "/a/b%20c%3F/%7Bnone%7D?own=1&q=1&q=%26&s=a%20b");
    let escaping = br#"{"name": "../admin"}"#;
    let ran = driver.runs(&head_with_body("POST /prod/pets/7", &[], escaping), escaping, ok());
    assert_eq!(ran.brief(), r#"400 {"message": "Invalid request parameter value"}"#);
    assert!(ran.called.is_none());
}

#[test]
fn a_body_that_begins_like_json_must_be_json_for_whoever_reads_it() {
    // 6.1, checked against AWS: also where the whole body is asked for.
    const INVALID: &str = r#"400 {"message": "Invalid JSON in request body"}"#;
    for source in ["method.request.body", "method.request.body.a"] {
        for body in ["{broken", "[1,", "'a'", "\"open", &"[".repeat(100_000)] {
            let mapped = [("integration.request.header.X", source)];
            let mut driver = driver(http("POST", URI, &mapped), &[]);
            let request = head_with_body("POST /prod/pets/7", &[], body.as_bytes());
            let ran = driver.runs(&request, body.as_bytes(), ok());
            assert_eq!(ran.brief(), INVALID, "{source} of {}", &body[..body.len().min(9)]);
            assert_eq!(ran.answer.failure, Some("DEFAULT_4XX"));
            assert_eq!(ran.answer.fields.one("x-amzn-ErrorType"), "BadRequestException");
        }
    }
    let mut unread = driver(http("POST", URI, &[]), &[]);
    let ran = unread.runs(&head_with_body("POST /prod/pets/7", &[], b"{broken"), b"{broken", ok());
    assert_eq!(ran.call().body, b"{broken");
}

#[test]
fn header_rules_of_mapped_requests() {
    // 4.3: reach HTTP backends, dropped after mapping, and illegal.
    let of = |name: &str| {
        let target = format!("integration.request.header.{name}");
        let mut driver = driver(http("GET", URI, &[(&target, "'mapped'")]), &[]);
        let ran = driver.runs(&head("GET /prod/pets/7", &[]), b"", ok());
        let sent = ran.called.as_ref().map(|c| c.sent.fields.all(name).join("|"));
        (ran.answer.status, sent)
    };
    for name in [
        "Content-MD5",
        "Date",
        "Max-Forwards",
        "Server",
        "Trailer",
        "Upgrade",
        "User-Agent",
        "WWW-Authenticate",
        "Range",
        "Authorization",
        "Referer",
        "Accept",
        "X-Any",
    ] {
        assert_eq!(of(name), (200, Some("mapped".into())), "{name} reaches the upstream");
    }
    for name in ["Expect", "Proxy-Authenticate", "TE", "Via", "Connection"] {
        assert_eq!(of(name), (200, Some(String::new())), "{name} is dropped");
    }
    for name in
        ["Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id"]
    {
        assert_eq!(of(name), (500, None), "{name} is illegal");
    }
}

#[test]
fn content_type_and_passthrough_choose_what_is_sent() {
    // 7.1. `>` is what the upstream gets.
    let json = [("application/json", "made")];
    let other = [("application/json", "made"), ("$default", "other")];
    let empty = [("application/json", "")];
    for (templates, passthrough, sent, want) in [
        (&json[..], "WHEN_NO_MATCH", None, "> made"),
        (&json, "WHEN_NO_MATCH", Some("application/json; charset=UTF-8"), "> made"),
        (&json, "WHEN_NO_MATCH", Some("APPLICATION/JSON"), "> made"),
        (&json, "WHEN_NO_MATCH", Some("text/plain"), "> body"),
        (&json, "", Some("text/plain"), "> body"),
        (&json, "WHEN_NO_TEMPLATES", None, "> made"),
        (&json, "WHEN_NO_TEMPLATES", Some("text/plain"), REFUSED),
        (&json, "NEVER", None, "> made"),
        (&json, "NEVER", Some("text/plain"), REFUSED),
        (&other, "NEVER", Some("text/plain"), "> other"),
        (&[], "WHEN_NO_MATCH", Some("text/plain"), "> body"),
        (&[], "WHEN_NO_TEMPLATES", Some("text/plain"), "> body"),
        (&[], "NEVER", Some("text/plain"), REFUSED),
        (&[], "NEVER", None, REFUSED),
        (&empty, "NEVER", None, "> body"),
    ] {
        let mut integration = http("POST", URI, &[]);
        integration.request_templates = pairs(templates);
        integration.passthrough_behavior = passthrough.into();
        let fields: Vec<_> = sent.map(|value| ("Content-Type", value)).into_iter().collect();
        let request = head_with_body("POST /prod/pets/7", &fields, b"body");
        let ran = driver(integration, &[]).runs(&request, b"body", ok());
        let got = match &ran.called {
            Some(call) => format!("> {}", String::from_utf8_lossy(&call.body)),
            None => ran.brief(),
        };
        assert_eq!(got, want, "{templates:?} {passthrough} {sent:?}");
    }
}

#[test]
fn a_refused_content_type_is_refused_before_its_body_is_waited_for() {
    let mut integration = http("POST", URI, &[]);
    integration.passthrough_behavior = "NEVER".into();
    let request = head_with_body("POST /prod/pets/7", &[], b"body");
    assert!(matches!(driver(integration, &[]).step(&request), Step::Answer(_)));
    let step = driver(http("POST", URI, &[]), &[]).step(&request);
    assert!(matches!(step, Step::Wait(Wait::Body(10_485_760, _))), "{step:?}");
}

#[test]
fn request_bodies_are_converted_by_the_table() {
    // 12.1; a template reads text only.
    const PNG: &str = "image/png";
    for (sent, handling, template, body, want) in [
        ("text/plain", "", None, &b"a\xffb"[..], "> a\\xef\\xbf\\xbdb"),
        ("text/plain", "CONVERT_TO_BINARY", None, b"aGk=", "> hi"),
        ("text/plain", "CONVERT_TO_BINARY", None, b"no base64", BROKEN),
        ("text/plain", "CONVERT_TO_TEXT", None, b"aGk=", "> aGk="),
        (PNG, "", None, b"a\xffb", "> a\\xffb"),
        (PNG, "CONVERT_TO_BINARY", None, b"aGk=", "> aGk="),
        (PNG, "CONVERT_TO_TEXT", None, b"hi", "> aGk="),
        ("image/png;q=1, text/plain", "CONVERT_TO_TEXT", None, b"hi", "> aGk="),
        (PNG, "", Some("made"), b"hi", BROKEN),
        (PNG, "CONVERT_TO_TEXT", Some("made"), b"hi", "> made"),
        ("text/plain", "CONVERT_TO_BINARY", Some("made"), b"aGk=", BROKEN),
        ("text/plain", "", Some("made"), b"aGk=", "> made"),
    ] {
        let mut integration = http("POST", URI, &[]);
        integration.content_handling = handling.into();
        integration.request_templates =
            template.map(|text| pairs(&[("$default", text)])).unwrap_or_default();
        let request = head_with_body("POST /prod/pets/7", &[("Content-Type", sent)], body);
        let ran = driver(integration, &[PNG]).runs(&request, body, ok());
        let got = match &ran.called {
            Some(call) => format!("> {}", call.body.escape_ascii()),
            None => ran.brief(),
        };
        assert_eq!(got, want, "{sent} {handling} {template:?}");
    }
}

#[test]
fn answers_are_converted_by_the_table() {
    // 12.2
    const PNG: &str = "image/png";
    for (binary, from, accept, handling, template, body, want) in [
        (&[PNG][..], "text/a", "text/b", "", None, &b"a\xff"[..], "200 a\\xef\\xbf\\xbd"),
        (&[PNG], "text/a", "text/b", "CONVERT_TO_BINARY", None, b"aGk=", "200 hi"),
        (&[PNG], "text/a", "text/b", "CONVERT_TO_BINARY", None, b"!", "500"),
        (&[PNG], "text/a", "text/b", "CONVERT_TO_TEXT", None, b"aGk=", "200 aGk="),
        (&[PNG], "text/a", PNG, "", None, b"aGk=", "200 hi"),
        (&[PNG], "text/a", PNG, "", None, b"plain", "500"),
        (&[PNG], "text/a", PNG, "CONVERT_TO_TEXT", None, b"plain", "200 plain"),
        (&[PNG], PNG, "text/b", "", None, b"hi", "200 aGk="),
        (&[PNG], PNG, "text/b", "CONVERT_TO_BINARY", None, b"\xff", "200 \\xff"),
        (&[PNG], PNG, "text/b", "CONVERT_TO_TEXT", None, b"hi", "200 aGk="),
        (&[PNG], PNG, PNG, "", None, b"\xff", "200 \\xff"),
        (&[PNG], PNG, "image/png;q=0.9, text/html", "", None, b"\xff", "200 \\xff"),
        (&[PNG], PNG, "text/html, image/png", "", None, b"hi", "200 aGk="),
        (&[PNG], PNG, PNG, "CONVERT_TO_TEXT", None, b"hi", "200 aGk="),
        (&[PNG], PNG, PNG, "", Some("made"), b"hi", "500"),
        (&[PNG], PNG, PNG, "CONVERT_TO_TEXT", Some("made"), b"hi", "200 made"),
        // Without binary media types everything is text.
        (&[], PNG, PNG, "", None, b"\xff", "200 \\xef\\xbf\\xbd"),
        (&[], PNG, PNG, "CONVERT_TO_BINARY", None, b"aGk=", "200 hi"),
        (&[], PNG, PNG, "CONVERT_TO_BINARY", None, b"!", "500"),
    ] {
        let mut answering = response("200", "");
        answering.content_handling = handling.into();
        answering.templates =
            template.map(|text| pairs(&[("application/json", text)])).unwrap_or_default();
        let mut integration = http("GET", URI, &[]);
        integration.responses = vec![answering];
        let request = head("GET /prod/pets/7", &[("Accept", accept)]);
        let got = Ok(whole(200, &[("Content-Type", from)], body));
        let ran = driver(integration, binary).runs(&request, b"", got);
        let shown = match ran.answer.status {
            200 => format!("200 {}", ran.answer.bytes.escape_ascii()),
            status => status.to_string(),
        };
        assert_eq!(shown, want, "{binary:?} {from} {accept} {handling} {template:?}");
    }
}

#[test]
fn the_status_selects_the_response_by_whole_match() {
    // 11
    for (responses, status, want) in [
        (vec![("200", ""), ("404", "404"), ("400", "4\\d{2}")], 404, "404"),
        (vec![("200", ""), ("404", "404"), ("400", "4\\d{2}")], 418, "400"),
        // The status is not passed on unless it is mapped.
        (vec![("200", ""), ("404", "404")], 400, "200"),
        (vec![("200", ""), ("500", "50")], 500, "200"),
        (vec![("500", ".*"), ("200", "")], 200, "500"),
        (vec![("200", "200")], 500, "500 API_CONFIGURATION_ERROR"),
        (vec![], 200, "500 API_CONFIGURATION_ERROR"),
        // One that the method does not declare.
        (vec![("302", "")], 200, "500 API_CONFIGURATION_ERROR"),
    ] {
        let mut integration = http("GET", URI, &[]);
        integration.responses = responses.iter().map(|(s, p)| response(s, p)).collect();
        let got = Ok(whole(status, &[], b"body"));
        let ran = driver(integration, &[]).runs(&head("GET /prod/pets/7", &[]), b"", got);
        let failure = ran.answer.failure.map(|name| format!(" {name}")).unwrap_or_default();
        assert_eq!(format!("{}{failure}", ran.answer.status), want, "{responses:?} {status}");
    }
}

#[test]
fn response_headers_come_from_where_the_expression_says() {
    // 6.2
    const BODY: &[u8] = br#"{"error":{"code":"E1","n":7}}"#;
    for (source, body, want) in [
        ("integration.response.header.ETag", BODY, Ok(&["b"][..])),
        ("integration.response.header.etag", BODY, Ok(&[])),
        ("integration.response.multivalueheader.ETag", BODY, Ok(&["a,b"])),
        ("integration.response.body.error.code", BODY, Ok(&["E1"])),
        ("integration.response.body.error", BODY, Ok(&[r#"{"code":"E1","n":7}"#])),
        ("integration.response.body.none", BODY, Ok(&[])),
        ("integration.response.body", b"text", Ok(&["text"])),
        ("integration.response.body", b"{broken", Err(500)),
        ("integration.response.body", b"two\r\nlines", Err(500)),
        ("context.requestTimeEpoch", BODY, Ok(&["1700000000123"])),
        ("stageVariables.env", BODY, Ok(&["blue"])),
        ("'static'", BODY, Ok(&["static"])),
    ] {
        let mut answering = response("200", "");
        answering.parameters = pairs(&[("method.response.header.X-Got", source)]);
        let mut integration = http("GET", URI, &[]);
        integration.responses = vec![answering];
        let got = Ok(whole(200, &[("ETag", "a"), ("ETag", "b")], body));
        let ran = driver(integration, &[]).runs(&head("GET /prod/pets/7", &[]), b"", got);
        match want {
            Ok(values) => assert_eq!(ran.answer.fields.all("X-Got"), values, "{source}"),
            Err(status) => assert_eq!(ran.answer.status, status, "{source}"),
        }
    }
}

#[test]
fn mapped_response_headers_are_renamed_dropped_or_pass() {
    // 4.4, the row of HTTP and AWS
    let of = |name: &str| {
        let target = format!("method.response.header.{name}");
        let mut answering = response("200", "");
        answering.parameters = pairs(&[(&target, "integration.response.header.X-From")]);
        let mut integration = http("GET", URI, &[]);
        integration.responses = vec![answering];
        let got = Ok(whole(200, &[("X-From", "sentinel")], b""));
        let ran = driver(integration, &[]).runs(&head("GET /prod/pets/7", &[]), b"", got);
        let found = ran.answer.fields.0.iter().find(|(_, value)| value == "sentinel");
        found.map(|(name, _)| name.clone())
    };
    for name in [
        "Authorization",
        "Connection",
        "Content-Length",
        "Content-MD5",
        "Date",
        "Expect",
        "Host",
        "Max-Forwards",
        "Proxy-Authenticate",
        "Server",
        "Trailer",
        "Upgrade",
        "User-Agent",
        "WWW-Authenticate",
    ] {
        assert_eq!(of(name), Some(format!("x-amzn-Remapped-{name}")));
    }
    assert_eq!(of("Transfer-Encoding"), None);
    for name in [
        "TE",
        "Via",
        "Warn",
        "Accept",
        "Accept-Charset",
        "Age",
        "Content-Encoding",
        "Content-Type",
        "Pragma",
        "Range",
        "Referer",
    ] {
        assert_eq!(of(name), Some(name.to_owned()));
    }
}

#[test]
fn an_answer_has_the_default_headers_and_none_of_the_upstreams() {
    // 6.2: "Unmapped backend headers are not returned"; 1.3 for the trace id.
    let got = Ok(whole(201, &[("Content-Type", "text/plain"), ("X-Theirs", "1")], b"theirs"));
    let ran = driver(http("GET", URI, &[]), &[]).runs(&head("GET /prod/pets/7", &[]), b"", got);
    assert_eq!(ran.brief(), "200 theirs");
    assert_eq!(ran.answer.fields.one("Content-Type"), "application/json");
    assert!(!ran.answer.fields.has("X-Theirs"));
    assert!(ran.answer.fields.one("X-Amzn-Trace-Id").starts_with("Root=1-6553f100-"));
    assert!(ran.answer.fields.has("x-amzn-RequestId") && ran.answer.fields.has("x-amz-apigw-id"));
}

#[test]
fn accept_selects_the_response_template() {
    // 7.2; an empty template passes the body.
    let both = [("application/json", "json"), ("application/xml", "<a/>")];
    let xml = [("application/xml", "<a/>"), ("text/html", "<p>")];
    let passing = [("application/json", ""), ("application/xml", "<a/>")];
    for (templates, accept, want, media) in [
        (&both[..], None, "json", "application/json"),
        (&both, Some("application/xml;q=0.9, text/html"), "<a/>", "application/xml"),
        (&both, Some("*/*"), "json", "application/json"),
        (&xml, Some("image/png"), "<a/>", "application/xml"),
        (&xml, Some("text/html"), "<p>", "text/html"),
        (&passing, None, "theirs", "application/json"),
        (&[], Some("text/html"), "theirs", "application/json"),
    ] {
        let mut answering = response("200", "");
        answering.templates = pairs(templates);
        let mut integration = http("GET", URI, &[]);
        integration.responses = vec![answering];
        let fields: Vec<_> = accept.map(|value| ("Accept", value)).into_iter().collect();
        let got = Ok(whole(200, &[], b"theirs"));
        let ran = driver(integration, &[]).runs(&head("GET /prod/pets/7", &fields), b"", got);
        assert_eq!(ran.answer.body, want, "{templates:?} {accept:?}");
        assert_eq!(ran.answer.fields.one("Content-Type"), media, "{templates:?} {accept:?}");
    }
}

#[test]
fn a_failed_call_and_a_failed_body_are_answered_in_awss_words() {
    // 10.1
    for (error, want) in [
        (CallError::Network, r#"504 {"message": "Network error communicating with endpoint"}"#),
        (CallError::Timeout, r#"504 {"message": "Endpoint request timed out"}"#),
        (CallError::Unresolved, BROKEN),
        (CallError::Denied, BROKEN),
        (CallError::ReplyTooLarge, BROKEN),
    ] {
        let mut driver = driver(http("GET", URI, &[]), &[]);
        let ran = driver.runs(&head("GET /prod/pets/7", &[]), b"", Err(error));
        assert_eq!(ran.brief(), want, "{error}");
    }
    let mut driver = driver(http("POST", URI, &[]), &[]);
    driver.listener.max_body = 10;
    let mut request = head_with_body("POST /prod/pets/7", &[], b"12345678901");
    request.body = tidegate_engine::head::BodySize::Unknown;
    let ran = driver.runs(&request, b"12345678901", ok());
    assert_eq!(ran.brief(), "413 HTTP content length exceeded 10 bytes.");
}

#[test]
fn a_mock_reads_its_status_from_a_body_that_passes() {
    // 10.2: "unless passthrough body itself supplies statusCode".
    let responses = || vec![response("200", ""), response("404", "404")];
    for (body, want) in [
        (r#"{"statusCode": 404}"#, "404 "),
        ("{statusCode: 200}", "200 "),
        ("nothing", BROKEN),
        ("", BROKEN),
    ] {
        let mut driver = driver(mock(&[], responses()), &[]);
        let request = head_with_body("POST /prod/pets/7", &[], body.as_bytes());
        let ran = driver.runs(&request, body.as_bytes(), ok());
        assert_eq!(ran.brief(), want, "{body}");
        assert!(!ran.answer.fields.has("X-Amzn-Trace-Id"), "1.3: not for MOCK");
    }
    // A template wins over the body, and then the body is not waited for.
    let templates = [("application/json", "{statusCode: 200}")];
    let request = head_with_body("POST /prod/pets/7", &[], b"{statusCode: 404}");
    let step = driver(mock(&templates, responses()), &[]).step(&request);
    assert!(matches!(step, Step::Answer(_)), "{step:?}");
}

#[test]
fn a_mock_among_binary_types_needs_conversion_to_text() {
    // 12.2, the last remark: `*/*` and a bodyless request to a method with a template.
    let templates = [("application/json", "{statusCode: 200}")];
    for (request_handling, response_handling, want) in [
        ("", "", BROKEN),
        ("CONVERT_TO_TEXT", "", BROKEN),
        ("CONVERT_TO_TEXT", "CONVERT_TO_TEXT", "200 made"),
    ] {
        let mut answering = response("200", "");
        answering.templates = pairs(&[("application/json", "made")]);
        answering.content_handling = response_handling.into();
        let mut integration = mock(&templates, vec![answering]);
        integration.content_handling = request_handling.into();
        let ran = driver(integration, &["*/*"]).runs(&head("OPTIONS /prod/pets/7", &[]), b"", ok());
        assert_eq!(ran.brief(), want, "{request_handling} {response_handling}");
    }
}

#[test]
fn an_http_proxy_whose_mapping_reads_the_body_is_called_with_the_whole_of_it() {
    // 6.1: applicability of mappings to HTTP_PROXY.
    let mut integration =
        http("POST", URI, &[("integration.request.header.X-Name", "method.request.body.name")]);
    integration.r#type = v1::IntegrationType::HttpProxy.into();
    let body = br#"{"name":"Rex"}"#;
    let fields = [("X-Mine", "1"), ("X-Name", "evil")];
    let got = Ok(whole(404, &[("Server", "s"), ("Content-Type", "text/plain")], b"theirs"));
    let mut driver = driver(integration, &[]);
    let ran = driver.runs(&head_with_body("POST /prod/pets/7?q=1", &fields, body), body, got);
    let call = ran.call();
    assert_eq!((call.sent.target.as_str(), &call.body[..]), ("/base?q=1", &body[..]));
    assert_eq!(call.sent.fields.one("X-Name"), "Rex");
    assert_eq!(call.sent.fields.one("X-Mine"), "1");
    assert_eq!(ran.brief(), "404 theirs");
    assert_eq!(ran.answer.fields.one("Content-Type"), "text/plain");
    assert_eq!(ran.answer.fields.one("x-amzn-Remapped-Server"), "s");
}
