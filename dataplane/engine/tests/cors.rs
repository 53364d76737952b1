//! CORS as a setting of an API: preflights, and the headers of every answer, whoever makes it.
//!
//! Source: http-and-websocket-apis.md section 8, which is AWS's behaviour for HTTP APIs; the cases beyond it say so.

mod support;

use support::{
    Answered, Driver, Stage, head, head_with_body, http_proxy, link, method, mock, mock_ok, pairs,
    reply, resource, whole,
};
use tidegate_engine::CallError;
use tidegate_engine::head::{BodySize, Head};
use tidegate_proto::v1;

const APP: &str = "https://app.example";

fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}

/// Two sites with credentials, and everything else that can be set.
fn strict() -> v1::Cors {
    v1::Cors {
        allow_origins: texts(&[APP, "https://*.app.example"]),
        allow_methods: texts(&["GET", "POST"]),
        allow_headers: texts(&["content-type", "x-a"]),
        expose_headers: texts(&["x-total"]),
        allow_credentials: true,
        max_age_seconds: Some(600),
    }
}

/// Everything for everybody.
fn open() -> v1::Cors {
    v1::Cors {
        allow_origins: texts(&["*"]),
        allow_methods: texts(&["*"]),
        allow_headers: texts(&["*"]),
        ..Default::default()
    }
}

fn lambda() -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::AwsProxy.into(),
        http_method: "POST".into(),
        uri: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function:f/invocations".into(),
        ..Default::default()
    }
}

/// What each method of AWS's way would answer to `OPTIONS`.
fn own_options() -> v1::Integration {
    let answer = v1::IntegrationResponse {
        status_code: "200".into(),
        parameters: pairs(&[
            ("method.response.header.Access-Control-Allow-Methods", "'DELETE'"),
            ("method.response.header.Access-Control-Allow-Origin", "'https://own.example'"),
        ]),
        ..Default::default()
    };
    mock(&[("application/json", r#"{"statusCode": 200}"#)], vec![answer])
}

fn driver(cors: Option<v1::Cors>) -> Driver {
    let mut own = resource("/own", "OPTIONS", own_options());
    own.methods.push(method("GET", mock_ok("own")));
    let mut guarded = resource("/guarded", "ANY", mock_ok("guarded"));
    guarded.methods[0].authorization_type = "CUSTOM".into();
    guarded.methods[0].authorizer_id = "auth01".into();
    let mut stage = Stage::of(vec![
        resource("/mock", "GET", mock_ok("mock")),
        resource("/proxy", "ANY", http_proxy("http://up.example/", &[])),
        resource("/function", "GET", lambda()),
        own,
        guarded,
    ]);
    stage.bundle.authorizers = vec![v1::Authorizer {
        id: "auth01".into(),
        r#type: "HTTP".into(),
        uri: "http://auth.example/".into(),
        ..Default::default()
    }];
    stage.bundle.settings = Some(v1::ApiSettings { cors, ..Default::default() });
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

/// The CORS lines of an answer, and `Vary`, in their order.
fn told(answer: &Answered) -> Vec<String> {
    let lines = answer.fields.0.iter().filter(|(name, _)| {
        let name = name.to_ascii_lowercase();
        name.starts_with("access-control-") || name == "vary"
    });
    lines.map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase())).collect()
}

fn preflight(path: &str, origin: &str) -> Head {
    let fields = [
        ("Origin", origin),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "authorization,x-b"),
    ];
    head(&format!("OPTIONS {path}"), &fields)
}

#[test]
fn preflights_are_answered_before_anyone_asks_who_calls() {
    let mut driver = driver(Some(strict()));
    // The last is no resource: scripts may still read the 403 of the request itself. Not told by AWS.
    for path in ["/prod/mock", "/prod/proxy", "/prod/guarded", "/prod/nope"] {
        let answer = driver.answers(&preflight(path, APP));
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
        assert_eq!(
            told(&answer),
            [
                "vary: Origin",
                "access-control-allow-origin: https://app.example",
                "access-control-allow-credentials: true",
                "access-control-allow-methods: GET,POST",
                "access-control-allow-headers: content-type,x-a",
                "access-control-max-age: 600",
            ],
            "{path}"
        );
        assert!(answer.fields.has("x-amzn-RequestId") && !answer.fields.has("Content-Type"));
        // No header for whom it is not.
        let answer = driver.answers(&preflight(path, "https://evil.example"));
        assert_eq!((answer.status, told(&answer)), (204, texts(&["vary: Origin"])), "{path}");
    }
}

#[test]
fn everything_for_everybody_is_told_in_words_that_browsers_take() {
    // Beyond AWS: `*` for headers would leave Authorization out, so what is asked for is allowed by name.
    let answer = driver(Some(open())).answers(&preflight("/prod/mock", APP));
    assert_eq!(
        told(&answer),
        [
            "access-control-allow-origin: *",
            "access-control-allow-methods: DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT",
            "access-control-allow-headers: authorization,x-b",
        ]
    );
    let asks = |headers: &str| {
        let fields = [
            ("Origin", APP),
            ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Headers", headers),
        ];
        let answer = driver(Some(open())).answers(&head("OPTIONS /prod/mock", &fields));
        answer.fields.one("Access-Control-Allow-Headers").to_owned()
    };
    for (headers, want) in [("x-a, x-b", "x-a, x-b"), ("x\u{7f}", "*"), (&"a".repeat(1_025), "*")] {
        assert_eq!(asks(headers), want);
    }
}

#[test]
fn what_is_no_preflight_is_a_request() {
    let mut driver = driver(Some(strict()));
    for fields in [&[("Origin", APP)][..], &[("Access-Control-Request-Method", "GET")], &[]] {
        let answer = driver.answers(&head("OPTIONS /prod/mock", fields));
        assert_eq!((answer.status, answer.failure), (403, Some("MISSING_AUTHENTICATION_TOKEN")));
        let sent = driver.sends(&head("OPTIONS /prod/proxy", fields));
        assert_eq!(sent.method, "OPTIONS");
    }
}

#[test]
fn a_method_for_options_answers_itself_and_the_setting_says_for_whom() {
    let answer = driver(Some(strict())).answers(&preflight("/prod/own", APP));
    assert_eq!(answer.status, 200);
    assert_eq!(
        told(&answer),
        [
            "access-control-allow-methods: DELETE",
            "vary: Origin",
            "access-control-allow-origin: https://app.example",
            "access-control-allow-credentials: true",
            "access-control-expose-headers: x-total",
        ]
    );
}

#[test]
fn every_answer_says_for_whom_it_is() {
    let mut driver = driver(Some(strict()));
    let allowed = [
        "vary: Origin",
        "access-control-allow-origin: https://sub.app.example",
        "access-control-allow-credentials: true",
        "access-control-expose-headers: x-total",
    ];
    let with = |line: &str, origin: &str| head(line, &[("Origin", origin)]);
    for (origin, want) in
        [("https://sub.app.example", &allowed[..]), ("https://evil.example", &["vary: Origin"])]
    {
        let mut seen = Vec::new();
        // The gateway's own: constant, unknown path and method, too large, bad body, misconfigured authorizer.
        for line in ["GET /prod/mock", "GET /prod/nope", "PUT /prod/mock"] {
            seen.push(driver.answers(&with(line, origin)));
        }
        let mut large = with("POST /prod/proxy", origin);
        large.body = BodySize::Known(10_485_761);
        seen.push(driver.answers(&large));
        let refused =
            driver.runs(&with("GET /prod/guarded", origin), b"", Ok(whole(403, &[], b"")));
        seen.push(refused.answer);
        let down = driver.runs(&with("GET /prod/guarded", origin), b"", Err(CallError::Network));
        seen.push(down.answer);
        // Relayed, and failed to be.
        let upstream = reply(
            200,
            BodySize::Known(2),
            &[
                ("Access-Control-Allow-Origin", "*"),
                ("access-control-allow-credentials", "false"),
                ("Access-Control-Expose-Headers", "x-other"),
                ("X-Kept", "1"),
            ],
        );
        let proxied = with("GET /prod/proxy", origin);
        let relayed = driver.replies(&proxied, Ok(&upstream));
        assert_eq!(relayed.fields.one("X-Kept"), "1");
        seen.push(relayed);
        for error in [CallError::Timeout, CallError::Network, CallError::Denied] {
            seen.push(driver.replies(&proxied, Err(error)));
        }
        // A function's, and a function's failure.
        let said =
            br#"{"headers":{"Access-Control-Allow-Origin":"https://own.example"},"body":"x"}"#;
        let function = with("GET /prod/function", origin);
        seen.push(driver.runs(&function, b"", Ok(whole(200, &[], said))).answer);
        seen.push(driver.runs(&function, b"", Ok(whole(200, &[], b"broken"))).answer);
        let statuses: Vec<u16> = seen.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 403, 403, 413, 401, 500, 200, 504, 504, 500, 200, 502]);
        for answer in seen {
            assert_eq!(told(&answer), want, "{origin} {} {:?}", answer.status, answer.failure);
        }
    }
    // Without an origin nobody is told, but caches are.
    assert_eq!(told(&driver.answers(&head("GET /prod/mock", &[]))), ["vary: Origin"]);
    // Nothing is said of what is no stage of the API.
    assert_eq!(told(&driver.answers(&with("GET /nope/mock", APP))), [""; 0]);
}

#[test]
fn customised_gateway_responses_and_compressed_answers_have_the_headers_too() {
    let mut stage = Stage::of(vec![resource("/mock", "GET", mock_ok(&"x".repeat(500)))]);
    stage.bundle.minimum_compression_size = Some(0);
    stage.bundle.gateway_responses = vec![v1::GatewayResponse {
        r#type: "DEFAULT_4XX".into(),
        parameters: pairs(&[("gatewayresponse.header.Access-Control-Allow-Origin", "'*'")]),
        templates: pairs(&[("application/json", "custom")]),
        ..Default::default()
    }];
    stage.bundle.settings = Some(v1::ApiSettings { cors: Some(strict()), ..Default::default() });
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    let fields = [("Origin", APP), ("Accept-Encoding", "gzip")];
    let custom = driver.answers(&head("GET /prod/nope", &fields));
    assert_eq!(custom.body, "custom");
    let coded = driver.answers(&head("GET /prod/mock", &fields));
    assert_eq!(coded.fields.one("Content-Encoding"), "gzip");
    for answer in [custom, coded] {
        assert_eq!(answer.fields.one("Access-Control-Allow-Origin"), APP);
    }
}

#[test]
fn without_the_setting_nothing_changes() {
    let mut driver = driver(None);
    let answer = driver.answers(&preflight("/prod/mock", APP));
    assert_eq!((answer.status, told(&answer)), (403, Vec::new()));
    let upstream = reply(200, BodySize::Known(2), &[("Access-Control-Allow-Origin", "*")]);
    let answer = driver.replies(&head("GET /prod/proxy", &[("Origin", APP)]), Ok(&upstream));
    assert_eq!(told(&answer), ["access-control-allow-origin: *"]);
    let sent = driver.sends(&preflight("/prod/proxy", APP));
    assert_eq!(sent.method, "OPTIONS");
    let body = head_with_body("POST /prod/proxy", &[], b"{}");
    assert_eq!(driver.sends(&body).method, "POST");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let with = |change: &dyn Fn(&mut v1::Cors)| {
        let mut cors = strict();
        change(&mut cors);
        let mut bundle = support::bundle(vec![resource("/mock", "GET", mock_ok("x"))]);
        bundle.settings = Some(v1::ApiSettings { cors: Some(cors), ..Default::default() });
        link(&bundle, &[]).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(with(&|_| {}), Ok(()));
    for (change, want) in [
        (
            &(|cors: &mut v1::Cors| cors.allow_origins = texts(&["app.example"]))
                as &dyn Fn(&mut v1::Cors),
            "cors.allowOrigins: 'app.example' is no origin",
        ),
        (&|cors| cors.allow_origins.clear(), "cors.allowOrigins must name an origin"),
        (&|cors| cors.allow_origins = texts(&["*"]), "cors.allowCredentials cannot be true"),
        (
            &|cors| cors.allow_origins = texts(&["https://*"]),
            "cors.allowCredentials cannot be true",
        ),
        (&|cors| cors.allow_methods = texts(&["get"]), "cors.allowMethods: 'get' is no method"),
        (
            &|cors| cors.allow_headers = texts(&["a b"]),
            "cors.allowHeaders: 'a b' is no header name",
        ),
        (&|cors| cors.expose_headers = texts(&["a\r\nb"]), "cors.exposeHeaders: 'a\r\nb' is no"),
        (&|cors| cors.expose_headers = texts(&["*"]), "cors.exposeHeaders cannot hold '*'"),
        (
            &|cors| cors.max_age_seconds = Some(86_401),
            "cors.maxAge: 86401 is not within -1..=86400",
        ),
    ] {
        let told = with(change).unwrap_err();
        assert!(told.contains(&format!("settings: {want}")), "{told}");
    }
}
