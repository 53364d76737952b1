//! Gateway responses that an API customises: which one answers, with which status, headers and body.
//!
//! Sources: rest-api-runtime.md sections 5.1, 5.2 and 1.2.

mod support;

use support::{Driver, HOST, Stage, head, http_proxy, mock, pairs, resource};
use tidegate_engine::CallError;
use tidegate_proto::v1;

const URI: &str = "http://up.example/";

/// What is sent that each of these becomes a failure.
fn failing(of: &str, driver: &mut Driver) -> support::Answered {
    let relayed = |driver: &mut Driver, error| {
        driver.replies(&head("GET /prod/pets/7?q=1&q=2", &[("Origin", "o")]), Err(error))
    };
    match of {
        "no route" => driver.answers(&head("GET /prod/none", &[("Origin", "o")])),
        "no stage" => driver.answers(&head("GET /none/x", &[])),
        "no api" => driver.answers(&head("GET /prod/x", &[("Host", "zzz.execute-api.localhost")])),
        "media" => driver.answers(&head("POST /prod/strict", &[("Content-Type", "text/a")])),
        "parameter" => driver.answers(&head("GET /prod/pets/7?h=%0a", &[])),
        "broken" => driver.answers(&head("GET /prod/broken", &[])),
        "network" => relayed(driver, CallError::Network),
        "timeout" => relayed(driver, CallError::Timeout),
        "address" => relayed(driver, CallError::Denied),
        "too large" => relayed(driver, CallError::RequestTooLarge),
        "body" => relayed(driver, CallError::BadRequestBody),
        other => panic!("{other}"),
    }
}

fn driver(responses: Vec<v1::GatewayResponse>) -> Driver {
    let mapped = [("integration.request.header.X", "method.request.querystring.h")];
    let mut strict = mock(&[], vec![]);
    strict.passthrough_behavior = "NEVER".into();
    let mut stage = Stage::of(vec![
        resource("/pets/{id}", "ANY", http_proxy(URI, &mapped)),
        resource("/strict", "ANY", strict),
        resource("/broken", "ANY", http_proxy("http://${stageVariables.none}/", &[])),
    ]);
    stage.variables = vec![("env", "blue")];
    stage.bundle.gateway_responses = responses;
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

fn custom(r#type: &str, status: Option<u32>) -> v1::GatewayResponse {
    v1::GatewayResponse { r#type: r#type.into(), status_code: status, ..Default::default() }
}

/// Every failure a request can come to now, with its type, its status, its body in AWS's voice and its exception.
const FAILURES: [(&str, &str, u16, &str, &str); 11] = [
    (
        "no route",
        "MISSING_AUTHENTICATION_TOKEN",
        403,
        r#"{"message":"Missing Authentication Token"}"#,
        "MissingAuthenticationTokenException",
    ),
    ("no stage", "ACCESS_DENIED", 403, r#"{"message":"Forbidden"}"#, "ForbiddenException"),
    ("no api", "ACCESS_DENIED", 403, r#"{"message":"Forbidden"}"#, "ForbiddenException"),
    (
        "media",
        "UNSUPPORTED_MEDIA_TYPE",
        415,
        r#"{"message": "Unsupported Media Type"}"#,
        "BadRequestException",
    ),
    (
        "parameter",
        "BAD_REQUEST_PARAMETERS",
        400,
        r#"{"message": "Invalid request parameter value"}"#,
        "BadRequestException",
    ),
    (
        "broken",
        "API_CONFIGURATION_ERROR",
        500,
        r#"{"message": "Internal server error"}"#,
        "InternalServerErrorException",
    ),
    (
        "network",
        "INTEGRATION_FAILURE",
        504,
        r#"{"message": "Network error communicating with endpoint"}"#,
        "InternalServerErrorException",
    ),
    (
        "timeout",
        "INTEGRATION_TIMEOUT",
        504,
        r#"{"message": "Endpoint request timed out"}"#,
        "InternalServerErrorException",
    ),
    (
        "address",
        "API_CONFIGURATION_ERROR",
        500,
        r#"{"message": "Internal server error"}"#,
        "InternalServerErrorException",
    ),
    (
        "too large",
        "REQUEST_TOO_LARGE",
        413,
        "HTTP content length exceeded 10485760 bytes.",
        "RequestTooLargeException",
    ),
    ("body", "DEFAULT_4XX", 400, r#"{"message": "Bad Request"}"#, "BadRequestException"),
];

#[test]
fn without_customisation_each_has_awss_status_body_and_exception() {
    let mut driver = driver(Vec::new());
    for (of, kind, status, body, exception) in FAILURES {
        let answer = failing(of, &mut driver);
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{of}");
        assert_eq!(answer.failure, Some(kind), "{of}");
        assert_eq!(answer.fields.one("x-amzn-ErrorType"), exception, "{of}");
    }
}

#[test]
fn its_own_type_wins_then_the_default_of_its_class_and_some_cannot_be_customised() {
    // 5.2: 1 to 3. DEFAULT_5XX=599 makes INTEGRATION_TIMEOUT 599, recorded.
    let own: Vec<_> = FAILURES.iter().map(|(_, kind, ..)| custom(kind, Some(299))).collect();
    let defaults = || vec![custom("DEFAULT_4XX", Some(499)), custom("DEFAULT_5XX", Some(599))];
    let both = own.iter().filter(|r| !r.r#type.starts_with("DEFAULT")).cloned();
    let both: Vec<_> = both.chain(defaults()).collect();
    for (of, kind, status, body, exception) in FAILURES {
        let fixed = matches!(of, "no stage" | "no api" | "too large");
        let class = if status < 500 { 499 } else { 599 };
        let default_own = kind == "DEFAULT_4XX";
        for (responses, want) in [
            (own.clone(), 299),
            (defaults(), class),
            (both.clone(), if default_own { class } else { 299 }),
        ] {
            let answer = failing(of, &mut driver(responses));
            if fixed {
                assert_eq!((answer.status, answer.body.as_str()), (status, body), "{of}");
                continue;
            }
            assert_eq!(answer.status, want, "{of}");
            // The voice is the template's once someone has customised the answer.
            assert_eq!(answer.body, body.replace("\": \"", "\":\""), "{of}");
            assert_eq!(answer.fields.one("x-amzn-ErrorType"), exception, "kept for {of}");
            assert_eq!(answer.fields.one("Content-Type"), "application/json");
        }
    }
}

#[test]
fn a_status_that_is_not_set_is_the_types_own() {
    for (responses, of, want) in [
        (vec![custom("INTEGRATION_TIMEOUT", None)], "timeout", 504),
        (vec![custom("DEFAULT_5XX", None)], "timeout", 504),
        // A type of its own ignores the default entirely.
        (
            vec![custom("INTEGRATION_TIMEOUT", None), custom("DEFAULT_5XX", Some(599))],
            "timeout",
            504,
        ),
        (
            vec![custom("INTEGRATION_TIMEOUT", None), custom("DEFAULT_5XX", Some(599))],
            "network",
            599,
        ),
        (vec![custom("DEFAULT_4XX", Some(404))], "no route", 404),
        (vec![custom("DEFAULT_4XX", Some(404))], "broken", 500),
    ] {
        assert_eq!(failing(of, &mut driver(responses.clone())).status, want, "{of} {responses:?}");
    }
}

#[test]
fn headers_come_from_expressions() {
    for (source, of, want) in [
        ("'*'", "no route", &["*"][..]),
        ("method.request.header.Origin", "no route", &["o"]),
        ("method.request.header.Origin", "network", &["o"]),
        ("method.request.header.origin", "network", &[]),
        ("method.request.path.id", "network", &["7"]),
        // When routing failed there are no path parameters.
        ("method.request.path.id", "no route", &[]),
        ("method.request.querystring.q", "network", &["2"]),
        ("method.request.multivaluequerystring.q", "network", &["1", "2"]),
        ("context.requestTimeEpoch", "network", &["1700000000123"]),
        ("context.error.responseType", "network", &["INTEGRATION_FAILURE"]),
        ("context.error.message", "timeout", &["Endpoint request timed out"]),
        ("context.error.messageString", "timeout", &["\"Endpoint request timed out\""]),
        ("context.resourcePath", "network", &["/pets/{id}"]),
        ("context.resourcePath", "no route", &[]),
        ("context.stage", "no route", &["prod"]),
        ("context.domainName", "no route", &[HOST]),
        ("context.nonsense", "no route", &[]),
        ("stageVariables.env", "no route", &["blue"]),
        ("stageVariables.none", "no route", &[]),
    ] {
        let responses = ["DEFAULT_4XX", "DEFAULT_5XX"].map(|kind| v1::GatewayResponse {
            parameters: pairs(&[
                ("gatewayresponse.header.X-Got", source),
                ("gatewayresponse.path.id", "'nothing shows'"),
                ("gatewayresponse.querystring.id", "'nothing shows'"),
            ]),
            ..custom(kind, None)
        });
        let answer = failing(of, &mut driver(responses.into()));
        assert_eq!(answer.fields.all("X-Got"), want, "{source} of {of}");
    }
}

#[test]
fn a_header_cannot_break_the_head_nor_frame_the_body() {
    let response = v1::GatewayResponse {
        parameters: pairs(&[
            ("gatewayresponse.header.Content-Length", "'0'"),
            ("gatewayresponse.header.Transfer-Encoding", "'chunked'"),
            ("gatewayresponse.header.X-Evil", "method.request.querystring.e"),
            ("gatewayresponse.header.X-Static", "'a\r\nb'"),
        ]),
        ..custom("DEFAULT_4XX", None)
    };
    let answer = driver(vec![response]).answers(&head("GET /prod/none?e=a%0d%0aX:1", &[]));
    for name in ["Content-Length", "Transfer-Encoding", "X-Evil", "X-Static"] {
        assert!(!answer.fields.has(name), "{name}");
    }
}

#[test]
fn bodies_are_templates_of_variables_and_not_vtl() {
    for (template, want) in [
        (
            r#"{"message":$context.error.messageString}"#,
            r#"{"message":"Network error communicating with endpoint"}"#,
        ),
        ("$context.error.message.", "Network error communicating with endpoint."),
        ("${context.error.responseType}!", "INTEGRATION_FAILURE!"),
        ("$context.httpMethod $context.path", "GET /prod/pets/7"),
        ("[$context.nope]", "[]"),
        ("[$context.identity.user]", "[]"),
        ("$stageVariables.env-${stageVariables.none}", "blue-"),
        ("$method.request.path.id method.request.header.Origin", "7 o"),
        ("$method.request.querystring.q,$method.request.multivaluequerystring.q", "2,1,2"),
        ("$input.body $util.escapeJavaScript('a')", "$input.body $util.escapeJavaScript('a')"),
        ("#if(true)$context.stage#end", "#if(true)prod#end"),
        ("", ""),
    ] {
        let response = v1::GatewayResponse {
            templates: pairs(&[("text/plain", template)]),
            ..custom("INTEGRATION_FAILURE", None)
        };
        let answer = failing("network", &mut driver(vec![response]));
        assert_eq!(answer.body, want, "{template}");
        assert_eq!(answer.fields.one("Content-Type"), "text/plain");
    }
}

#[test]
fn accept_chooses_the_template_and_a_header_its_type() {
    let both = [("application/json", "{}"), ("application/xml", "<a/>")];
    let others = [("text/html", "<p>"), ("text/plain", "p")];
    for (templates, accept, header, want) in [
        (&both[..], None, None, "application/json {}"),
        (&both, Some("application/xml;q=1, text/html"), None, "application/xml <a/>"),
        (&both, Some("*/*"), None, "application/json {}"),
        (&others, Some("image/png"), None, "text/html <p>"),
        (&others, Some("text/plain"), Some("'text/x'"), "text/x p"),
    ] {
        let parameters = header.map(|h| pairs(&[("gatewayresponse.header.content-type", h)]));
        let response = v1::GatewayResponse {
            templates: pairs(templates),
            parameters: parameters.unwrap_or_default(),
            ..custom("DEFAULT_4XX", None)
        };
        let fields: Vec<_> = accept.map(|value| ("Accept", value)).into_iter().collect();
        let answer = driver(vec![response]).answers(&head("GET /prod/none", &fields));
        let got = format!("{} {}", answer.fields.one("Content-Type"), answer.body);
        assert_eq!(got, want, "{templates:?} {accept:?}");
    }
}

#[test]
fn what_makes_no_gateway_response_refuses_the_bundle() {
    let bad = |change: fn(&mut v1::GatewayResponse)| {
        let mut response = custom("DEFAULT_4XX", None);
        change(&mut response);
        let mut bundle = support::bundle(vec![resource("/x", "GET", http_proxy(URI, &[]))]);
        bundle.gateway_responses = vec![response];
        support::link(&bundle, &[]).unwrap_err().to_string()
    };
    for (got, want) in [
        (bad(|r| r.r#type = "NOPE".into()), "API : gateway response NOPE: there is no such type"),
        (
            bad(|r| r.status_code = Some(99)),
            "API : gateway response DEFAULT_4XX: '99' is no status code",
        ),
        (
            bad(|r| r.parameters = pairs(&[("gatewayresponse.header.a b", "'x'")])),
            "API : gateway response DEFAULT_4XX: Invalid mapping expression specified: gatewayresponse.header.a b",
        ),
        (
            bad(|r| r.parameters = pairs(&[("gatewayresponse.header.a", "x")])),
            "API : gateway response DEFAULT_4XX: Invalid mapping expression specified: x",
        ),
        (
            bad(|r| r.templates = pairs(&[("a\r\nb", "x")])),
            "API : gateway response DEFAULT_4XX: 'a\r\nb' is no media type",
        ),
    ] {
        assert_eq!(got, want);
    }
}
