//! Lambda: the event a function gets, what it may answer, and what every way of failing comes to; `AWS_PROXY` and `AWS`.
//!
//! Sources: rest-api-runtime.md sections 10.3, 10.4, 10.5, 11, 12 and 5.3; 4.3 and 4.4 for headers.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use support::{API, Driver, HOST, Ran, Stage, head, head_with_body, method, pairs, whole};
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::integration::sigv4::Keys;
use tidegate_engine::{CallError, Reply};
use tidegate_proto::v1;

const FUNCTION: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:f/invocations";
const BROKEN: &str = r#"{"message": "Internal server error"}"#;

fn lambda(r#type: v1::IntegrationType, mappings: &[(&str, &str)]) -> v1::Integration {
    v1::Integration {
        r#type: r#type.into(),
        http_method: "POST".into(),
        uri: FUNCTION.into(),
        request_parameters: pairs(mappings),
        ..Default::default()
    }
}

fn proxy() -> v1::Integration {
    lambda(v1::IntegrationType::AwsProxy, &[])
}

/// One function on `ANY /{proxy+}`, with binary media types and stage variables; declares 200, 400 and 500.
fn driver_with(
    integration: v1::Integration,
    binary: &[&str],
    variables: &[(&'static str, &'static str)],
) -> Driver {
    let mut method = method("ANY", integration);
    method.responses = ["200", "400", "500"]
        .map(|code| v1::MethodResponse { status_code: code.into(), ..Default::default() })
        .into();
    let resource =
        v1::Resource { id: "res001".into(), path: "/{proxy+}".into(), methods: vec![method] };
    let mut stage = Stage::of(vec![resource]);
    stage.bundle.binary_media_types = binary.iter().map(|t| (*t).to_owned()).collect();
    stage.variables = variables.to_vec();
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

fn driver(integration: v1::Integration) -> Driver {
    driver_with(integration, &[], &[])
}

fn said(payload: &str) -> Result<Reply, CallError> {
    Ok(whole(200, &[("Content-Type", "application/json")], payload.as_bytes()))
}

/// The event of a request.
fn event(driver: &mut Driver, request: &tidegate_engine::head::Head, body: &[u8]) -> String {
    let ran = driver.runs(request, body, said(r#"{"statusCode":200}"#));
    String::from_utf8(ran.call().body.clone()).unwrap()
}

#[test]
fn the_event_has_the_recorded_shape_to_the_byte() {
    // 10.3; ids are made of the test's entropy.
    let mut driver = driver(proxy());
    let request = head("GET /prod/a/b", &[("User-Agent", "curl")]);
    let ids = tidegate_engine::exchange::Ids::new(
        [7; 16],
        tidegate_engine::Now { unix_ms: 1_700_000_000_123 },
    );
    let (id, extended, trace) = (ids.request(), ids.extended(), ids.trace());
    let want = format!(
        concat!(
            r#"{{"resource":"/{{proxy+}}","path":"/a/b","httpMethod":"GET","#,
            r#""headers":{{"Host":"{host}","User-Agent":"curl","X-Amzn-Trace-Id":"Root={trace}","#,
            r#""X-Forwarded-For":"192.0.2.7","X-Forwarded-Port":"80","X-Forwarded-Proto":"http"}},"#,
            r#""multiValueHeaders":{{"Host":["{host}"],"User-Agent":["curl"],"X-Amzn-Trace-Id":["Root={trace}"],"#,
            r#""X-Forwarded-For":["192.0.2.7"],"X-Forwarded-Port":["80"],"X-Forwarded-Proto":["http"]}},"#,
            r#""queryStringParameters":null,"multiValueQueryStringParameters":null,"#,
            r#""pathParameters":{{"proxy":"a/b"}},"stageVariables":null,"#,
            r#""requestContext":{{"resourceId":"res001","resourcePath":"/{{proxy+}}","httpMethod":"GET","#,
            r#""extendedRequestId":"{extended}","requestTime":"14/Nov/2023:22:13:20 +0000","#,
            r#""path":"/prod/a/b","accountId":"000000000000","protocol":"HTTP/1.1","stage":"prod","#,
            r#""domainPrefix":"{api}","requestTimeEpoch":1700000000123,"requestId":"{id}","#,
            r#""domainName":"{host}","deploymentId":"dep-base","apiId":"{api}","#,
            r#""identity":{{"cognitoIdentityPoolId":null,"accountId":null,"cognitoIdentityId":null,"caller":null,"#,
            r#""sourceIp":"192.0.2.7","principalOrgId":null,"accessKey":null,"cognitoAuthenticationType":null,"#,
            r#""cognitoAuthenticationProvider":null,"userArn":null,"userAgent":"curl","user":null}}}},"#,
            r#""body":null,"isBase64Encoded":false}}"#,
        ),
        host = HOST,
        api = API,
        trace = trace,
        extended = extended,
        id = id,
    );
    assert_eq!(event(&mut driver, &request, b""), want);
}

/// Asserts that members of the event of a request are these.
fn check(
    driver: &mut Driver,
    request: &tidegate_engine::head::Head,
    body: &[u8],
    want: &[(&str, &str)],
) {
    let text = event(driver, request, body);
    let event: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (pointer, value) in want {
        let found = event.pointer(pointer).map_or("absent".to_owned(), ToString::to_string);
        assert_eq!(found, *value, "{pointer} in {text}");
    }
}

#[test]
fn parts_of_the_event_are_what_was_sent() {
    // 3, 4.1, 10.3 and 28.18
    let variables = [("env", "blue"), ("quote", "\"q\"")];
    let mut driver = driver_with(proxy(), &[], &variables);
    for (line, fields, body, want) in [
        (
            "GET /prod/x?a=1&a=2&b=x+y&c=%2B&d",
            &[][..],
            &b""[..],
            &[
                ("/queryStringParameters", r#"{"a":"2","b":"x y","c":"+","d":""}"#),
                (
                    "/multiValueQueryStringParameters",
                    r#"{"a":["1","2"],"b":["x y"],"c":["+"],"d":[""]}"#,
                ),
            ][..],
        ),
        ("GET /prod/x?A=1&a=2", &[], b"", &[("/queryStringParameters", r#"{"A":"1","a":"2"}"#)]),
        (
            "GET /prod/test%2Balias+x",
            &[],
            b"",
            &[("/pathParameters/proxy", r#""test%2Balias+x""#), ("/path", r#""/test%2Balias+x""#)],
        ),
        ("GET /prod/x/", &[], b"", &[("/path", r#""/x/""#), ("/pathParameters/proxy", r#""x""#)]),
        (
            "GET /prod//hard",
            &[],
            b"",
            &[("/path", r#""/hard""#), ("/requestContext/path", r#""/prod//hard""#)],
        ),
        (
            "GET /prod/a//b",
            &[],
            b"",
            &[("/path", r#""/a//b""#), ("/pathParameters/proxy", r#""a//b""#)],
        ),
        (
            "GET /prod/x",
            &[("tEsT-HEADeR", "1"), ("test-header", "2")],
            b"",
            &[
                ("/headers/tEsT-HEADeR", r#""2""#),
                ("/multiValueHeaders/tEsT-HEADeR", r#"["1","2"]"#),
                ("/headers/test-header", "absent"),
            ],
        ),
        (
            "GET /prod/x",
            &[("authorization", "Bearer t"), ("user-agent", "h2")],
            b"",
            &[
                ("/headers/Authorization", r#""Bearer t""#),
                ("/headers/User-Agent", r#""h2""#),
                ("/requestContext/identity/userAgent", r#""h2""#),
            ],
        ),
        (
            "GET /prod/x",
            &[("Authorization", "AWS4-HMAC-SHA256 Credential=A")],
            b"",
            &[("/headers/Authorization", "absent")],
        ),
        (
            "GET /prod/x",
            &[
                ("X-Forwarded-For", "10.0.0.1"),
                ("X-Forwarded-Proto", "evil"),
                ("X_Forwarded_For", "evil"),
            ],
            b"",
            &[
                ("/headers/X-Forwarded-For", r#""10.0.0.1, 192.0.2.7""#),
                ("/multiValueHeaders/X-Forwarded-Proto", r#"["http"]"#),
                ("/headers/X_Forwarded_For", "absent"),
            ],
        ),
        (
            "POST /prod/x",
            &[("Content-Type", "application/json")],
            r#"{"a": "ä"}"#.as_bytes(),
            &[
                ("/body", r#""{\"a\": \"ä\"}""#),
                ("/isBase64Encoded", "false"),
                ("/httpMethod", r#""POST""#),
                ("/headers/Content-Type", r#""application/json""#),
            ],
        ),
        ("POST /prod/x", &[], b"\xff\x00", &[("/body", "\"\u{fffd}\\u0000\"")]),
        (
            "GET /prod/x",
            &[],
            b"",
            &[
                ("/stageVariables", r#"{"env":"blue","quote":"\"q\""}"#),
                ("/requestContext/identity/userAgent", "null"),
                ("/requestContext/isCanaryRequest", "absent"),
                ("/version", "absent"),
            ],
        ),
    ] {
        let request = head_with_body(line, fields, body);
        check(&mut driver, &request, body, want);
    }
    // 4.1: dropped at ingress.
    for name in [
        "Connection",
        "Content-Length",
        "Content-MD5",
        "Expect",
        "Max-Forwards",
        "Proxy-Authenticate",
        "Server",
        "TE",
        "Transfer-Encoding",
        "Trailer",
        "Upgrade",
        "WWW-Authenticate",
    ] {
        let pointer = format!("/headers/{name}");
        check(&mut driver, &head("GET /prod/x", &[(name, "v")]), b"", &[(&pointer, "absent")]);
    }
    for name in ["Via", "Date", "Referer", "Content-Encoding", "Accept-Language", "Range", "Pragma"]
    {
        let pointer = format!("/headers/{name}");
        check(&mut driver, &head("GET /prod/x", &[(name, "v")]), b"", &[(&pointer, r#""v""#)]);
    }
}

#[test]
fn a_body_is_base64_where_its_content_type_is_binary() {
    // 10.3 and 12
    for (binary, sent, body, want, encoded) in [
        (&["image/png"][..], Some("image/png"), &b"hi"[..], r#""aGk=""#, "true"),
        (&["image/png"], Some("text/plain"), b"hi", r#""hi""#, "false"),
        (&["*/*"], None, b"hi", r#""aGk=""#, "true"),
        (&["*/*"], None, b"", "null", "false"),
        (&[], Some("image/png"), b"hi", r#""hi""#, "false"),
    ] {
        let fields: Vec<_> = sent.map(|value| ("Content-Type", value)).into_iter().collect();
        let request = head_with_body("POST /prod/x", &fields, body);
        let mut driver = driver_with(proxy(), binary, &[]);
        check(&mut driver, &request, body, &[("/body", want), ("/isBase64Encoded", encoded)]);
    }
}

#[test]
fn a_custom_domains_base_path_stays_in_the_path() {
    let mapping =
        v1::BasePathMapping { base_path: "v1".into(), api_id: API.into(), stage: "prod".into() };
    let domain =
        v1::Domain { name: "api.example".into(), mappings: vec![mapping], ..Default::default() };
    let resource = support::resource("/{proxy+}", "ANY", proxy());
    let mut driver =
        Driver::serving(v1::Api::default(), vec![Stage::of(vec![resource])], &[domain]);
    let request = head("GET /v1/a/b", &[("Host", "api.example")]);
    check(
        &mut driver,
        &request,
        b"",
        &[
            ("/path", r#""/v1/a/b""#),
            ("/requestContext/path", r#""/v1/a/b""#),
            ("/requestContext/domainName", r#""api.example""#),
            ("/requestContext/stage", r#""prod""#),
        ],
    );
}

#[test]
fn a_canary_is_told() {
    let resource = support::resource("/{proxy+}", "ANY", proxy());
    let mut stage = Stage::of(vec![resource]);
    stage.canary = Some((100.0, stage.bundle.clone()));
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    check(
        &mut driver,
        &head("GET /prod/x", &[]),
        b"",
        &[
            ("/requestContext/isCanaryRequest", "true"),
            ("/requestContext/deploymentId", r#""dep-canary""#),
        ],
    );
}

#[test]
fn an_invocation_is_a_signed_post_to_the_regions_lambda() {
    let mut driver = driver(proxy());
    let ran = driver.runs(&head("PUT /prod/x?q=1", &[("X-Mine", "1")]), b"", said("{}"));
    let sent = &ran.call().sent;
    assert_eq!((sent.upstream.as_str(), sent.method), ("lambda.eu-west-1.amazonaws.com", "POST"));
    assert_eq!(
        sent.target,
        "/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:f/invocations"
    );
    assert_eq!(sent.fields.one("Content-Type"), "application/json");
    assert!(
        !sent.fields.has("X-Mine") && !sent.fields.has("Authorization"),
        "no keys, no signature"
    );

    let keys = |id: &str, token: Option<&str>| Keys {
        id: id.into(),
        secret: "s".into(),
        token: token.map(str::to_owned),
    };
    driver.credentials = Credentials {
        own: Some(keys("AKOWN", Some("tok"))),
        roles: vec![("arn:aws:iam::1:role/r".into(), keys("AKROLE", None))],
        ..Credentials::default()
    };
    let ran = driver.runs(&head("PUT /prod/x", &[]), b"", said("{}"));
    let fields = &ran.call().sent.fields;
    assert_eq!(fields.one("X-Amz-Date"), "20231114T221320Z");
    assert_eq!(fields.one("X-Amz-Security-Token"), "tok");
    assert!(fields.one("Authorization").starts_with(
        "AWS4-HMAC-SHA256 Credential=AKOWN/20231114/eu-west-1/lambda/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
    ));

    let mut of_role = proxy();
    of_role.credentials = "arn:aws:iam::1:role/r".into();
    let mut named = driver_with(of_role, &[], &[]);
    named.credentials = driver.credentials.clone();
    let ran = named.runs(&head("GET /prod/x", &[]), b"", said("{}"));
    assert!(ran.call().sent.fields.one("Authorization").contains("Credential=AKROLE/"));
}

#[test]
fn every_answer_of_a_function_is_what_the_contract_says() {
    // 10.4. `malformed` is 502 of DEFAULT_5XX.
    for (payload, want) in [
        (r#"{"statusCode":200}"#, "200 "),
        (r#"{"headers":{"X-A":"1"}}"#, "200 "),
        ("{}", "200 "),
        (r#"{"statusCode":"201"}"#, "201 "),
        (r#"{"statusCode":"abc"}"#, "malformed"),
        (r#"{"statusCode":200.5}"#, "malformed"),
        (r#"{"statusCode":99}"#, "malformed"),
        (r#"{"statusCode":600}"#, "malformed"),
        (r#"{"statusCode":true}"#, "malformed"),
        (r#"{"statusCode":200,"foo":"bar"}"#, "malformed"),
        (r#""a bare string""#, "malformed"),
        ("[]", "malformed"),
        ("null", "malformed"),
        ("12", "malformed"),
        ("not json", "malformed"),
        ("", "malformed"),
        (r#"{"statusCode":200,"headers":null,"multiValueHeaders":null,"body":null}"#, "200 "),
        (r#"{"statusCode":200,"body":"text"}"#, "200 text"),
        (r#"{"statusCode":200,"body":"\u00e4\n"}"#, "200 ä\n"),
        (r#"{"statusCode":200,"body":{"a":1}}"#, "malformed"),
        (r#"{"statusCode":200,"body":7}"#, "malformed"),
        (r#"{"statusCode":200,"headers":"x"}"#, "malformed"),
        (r#"{"statusCode":200,"headers":{"X-A":["1"]}}"#, "malformed"),
        (r#"{"statusCode":200,"headers":{"X A":"1"}}"#, "malformed"),
        (r#"{"statusCode":200,"headers":{"X-A":"1\r\nX-Evil: 2"}}"#, "malformed"),
        (r#"{"statusCode":200,"multiValueHeaders":{"X-A":"1"}}"#, "malformed"),
        (r#"{"statusCode":200,"multiValueHeaders":[]}"#, "malformed"),
        (r#"{"statusCode":200,"isBase64Encoded":"yes"}"#, "malformed"),
        (r#"{"statusCode":200,"isBase64Encoded":true,"body":"aGk="}"#, "200 aGk="),
        (r#"{"errorMessage":"boom","errorType":"Error"}"#, "malformed"),
    ] {
        let ran = driver(proxy()).runs(&head("GET /prod/x", &[]), b"", said(payload));
        match want {
            "malformed" => {
                assert_eq!(ran.brief(), format!("502 {BROKEN}"), "{payload}");
                assert_eq!(ran.answer.failure, Some("DEFAULT_5XX"), "{payload}");
                let exception = ran.answer.fields.one("x-amzn-ErrorType");
                assert_eq!(exception, "InternalServerErrorException", "{payload}");
            }
            want => {
                assert_eq!(ran.brief(), want, "{payload}");
                assert_eq!(ran.answer.fields.one("Content-Type"), "application/json", "{payload}");
                assert!(ran.answer.fields.has("X-Amzn-Trace-Id"), "1.3");
            }
        }
    }
}

#[test]
fn headers_of_both_kinds_are_sent_multi_values_first() {
    // 10.4 and 28.15; values of other types as text; 4.4 for the names.
    let payload = r#"{"headers":{"x-many":"c","X-Bool":true,"X-Number":1.50,"X-Null":null,"Content-Type":"text/a",
        "Server":"s","Date":"d","Connection":"close","Content-Length":"1","Transfer-Encoding":"chunked","Set-Cookie":"z"},
        "multiValueHeaders":{"X-Many":["a","b"],"Set-Cookie":["x","y"],"X-None":[]}}"#;
    let ran = driver(proxy()).runs(&head("GET /prod/x", &[]), b"", said(payload));
    let fields = &ran.answer.fields;
    let many: Vec<_> = fields.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case("x-many")).collect();
    let shown: Vec<String> = many.iter().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(shown, ["X-Many=a", "X-Many=b", "x-many=c"]);
    assert_eq!(fields.all("Set-Cookie"), ["x", "y", "z"]);
    for (name, value) in [
        ("X-Bool", "true"),
        ("X-Number", "1.50"),
        ("Content-Type", "text/a"),
        ("x-amzn-Remapped-Server", "s"),
        ("x-amzn-Remapped-Date", "d"),
        ("x-amzn-Remapped-Connection", "close"),
        ("x-amzn-Remapped-Content-Length", "1"),
    ] {
        assert_eq!(fields.one(name), value);
    }
    for name in ["X-Null", "X-None", "Transfer-Encoding", "Server", "Connection"] {
        assert!(!fields.has(name), "{name}");
    }
}

#[test]
fn a_base64_body_is_decoded_where_the_caller_accepts_binary() {
    // 10.4, the last paragraph
    let payload = r#"{"body":"aGk=","isBase64Encoded":true}"#;
    for (binary, accept, payload, want) in [
        (&["image/png"][..], Some("image/png"), payload, "200 hi"),
        (&["image/png"], Some("image/png;q=1, text/html"), payload, "200 hi"),
        (&["image/png"], Some("text/html, image/png"), payload, "200 aGk="),
        (&["image/png"], None, payload, "200 aGk="),
        (&["*/*"], None, payload, "200 hi"),
        (&["*/*"], Some("text/html"), r#"{"body":"hi"}"#, "200 hi"),
        (&["*/*"], None, r#"{"body":"no base64","isBase64Encoded":true}"#, "502"),
    ] {
        let fields: Vec<_> = accept.map(|value| ("Accept", value)).into_iter().collect();
        let mut driver = driver_with(proxy(), binary, &[]);
        let ran = driver.runs(&head("GET /prod/x", &fields), b"", said(payload));
        assert!(ran.brief().starts_with(want), "{binary:?} {accept:?}: {}", ran.brief());
    }
}

#[test]
fn an_invocation_that_fails_is_answered_by_its_cause() {
    // 10.4, 5.3 and 28.9
    let function_error =
        || Ok(whole(200, &[("X-Amz-Function-Error", "Unhandled")], br#"{"errorMessage":"boom"}"#));
    for (got, status, kind) in [
        (function_error(), 502, "DEFAULT_5XX"),
        (Ok(whole(403, &[], b"{}")), 500, "INTEGRATION_FAILURE"),
        (Ok(whole(429, &[], b"{}")), 500, "INTEGRATION_FAILURE"),
        (Ok(whole(500, &[], b"{}")), 500, "INTEGRATION_FAILURE"),
        (Ok(whole(503, &[], b"{}")), 500, "INTEGRATION_FAILURE"),
        (Ok(whole(404, &[], b"{}")), 502, "INTEGRATION_FAILURE"),
        (Ok(whole(413, &[], b"{}")), 502, "INTEGRATION_FAILURE"),
        (Err(CallError::Timeout), 504, "INTEGRATION_TIMEOUT"),
        (Err(CallError::Network), 504, "INTEGRATION_FAILURE"),
    ] {
        let shown = format!("{got:?}");
        let ran = driver(proxy()).runs(&head("GET /prod/x", &[]), b"", got);
        assert_eq!((ran.answer.status, ran.answer.failure), (status, Some(kind)), "{shown}");
        if status < 504 {
            assert_eq!(ran.answer.body, BROKEN, "{shown}");
        }
    }
    for verb in ["GET", "PUT", "", "ANY"] {
        for kind in [v1::IntegrationType::AwsProxy, v1::IntegrationType::Aws] {
            let integration = v1::Integration { http_method: verb.into(), ..lambda(kind, &[]) };
            let ran = driver(integration).runs(&head("GET /prod/x", &[]), b"", said("{}"));
            assert_eq!(ran.brief(), format!("500 {BROKEN}"), "{verb}");
            assert!(ran.called.is_none(), "{verb}");
        }
    }
}

#[test]
fn mappings_of_a_proxy_change_nothing_but_are_checked() {
    // 6.1 and 28.13; 4.3 for the illegal names.
    let mapped = [
        ("integration.request.header.X-Amz-Invocation-Type", "'Event'"),
        ("integration.request.querystring.q", "'1'"),
    ];
    let integration = lambda(v1::IntegrationType::AwsProxy, &mapped);
    let ran = driver(integration).runs(&head("GET /prod/x", &[]), b"", said("{}"));
    assert!(!ran.call().sent.fields.has("X-Amz-Invocation-Type"));
    assert!(!ran.call().sent.target.contains('?'));
    for name in [
        "Content-Length",
        "Transfer-Encoding",
        "X-Amzn-Trace-Id",
        "X-Amzn-Apigateway-Api-Id",
        "Authorization",
        "Connection",
        "Expect",
        "Proxy-Authenticate",
        "TE",
    ] {
        let target = format!("integration.request.header.{name}");
        for kind in [v1::IntegrationType::AwsProxy, v1::IntegrationType::Aws] {
            let integration = lambda(kind, &[(&target, "'1'")]);
            let ran = driver(integration).runs(&head("GET /prod/x", &[]), b"", said("{}"));
            assert_eq!(ran.brief(), format!("500 {BROKEN}"), "{name}");
        }
    }
}

/// A custom integration with responses for errors.
fn custom(mappings: &[(&str, &str)]) -> v1::Integration {
    let response = |status: &str, pattern: &str| v1::IntegrationResponse {
        status_code: status.into(),
        selection_pattern: pattern.into(),
        ..Default::default()
    };
    v1::Integration {
        responses: vec![
            response("200", ""),
            response("400", ".*Bad Request.*"),
            response("500", "(?s)Fatal.*"),
        ],
        ..lambda(v1::IntegrationType::Aws, mappings)
    }
}

fn runs_custom(integration: v1::Integration, body: &[u8], got: Result<Reply, CallError>) -> Ran {
    let request = head_with_body("PUT /prod/x", &[("Content-Type", "application/json")], body);
    driver(integration).runs(&request, body, got)
}

#[test]
fn a_custom_integration_is_selected_by_the_error_message() {
    // 10.5 and 11
    for (payload, status) in [
        (r#"{"any":"answer"}"#, 200),
        ("\"text\"", 200),
        ("", 200),
        (r#"{"errorMessage":"a Bad Request here","errorType":"E"}"#, 400),
        (r#"{"errorMessage":"Bad\nRequest"}"#, 200),
        (r#"{"errorMessage":"two\nlines, Bad Request"}"#, 200),
        (r#"{"errorMessage":"Fatal\nlines"}"#, 500),
        (r#"{"errorMessage":"other"}"#, 200),
        (r#"{"errorMessage":null}"#, 200),
    ] {
        let ran = runs_custom(custom(&[]), b"{}", said(payload));
        assert_eq!((ran.answer.status, ran.answer.body.as_str()), (status, payload), "{payload}");
    }
    let none = v1::Integration { responses: vec![], ..custom(&[]) };
    assert_eq!(runs_custom(none, b"{}", said("{}")).brief(), format!("500 {BROKEN}"));
}

#[test]
fn a_custom_integrations_payload_is_the_body_and_its_headers_are_mapped() {
    let event = [("integration.request.header.X-Amz-Invocation-Type", "'Event'")];
    let ran = runs_custom(custom(&event), br#"{"a":1}"#, Ok(whole(202, &[], b"")));
    assert_eq!(ran.call().body, br#"{"a":1}"#);
    assert_eq!(ran.call().sent.fields.one("X-Amz-Invocation-Type"), "Event");
    assert_eq!(ran.call().sent.fields.one("Content-Type"), "application/json");
    assert_eq!(ran.brief(), "200 ");
}

#[test]
fn a_custom_invocation_that_fails_is_answered_by_its_cause() {
    // 10.5 and 5.3
    let bad_json = |message: &str| {
        let body = format!(r#"{{"Type":"User","message":"{message}"}}"#);
        let kind = [("x-amzn-ErrorType", "InvalidRequestContentException:http://x")];
        Ok(whole(400, &kind, body.as_bytes()))
    };
    for (got, want) in [
        (
            bad_json("Could not parse request body into json: Unrecognized token"),
            r#"400 {"message": "Could not parse request body into json: Unrecognized token"}"#.to_owned(),
        ),
        (
            bad_json("Could not parse payload into json: x"),
            r#"400 {"message": "Could not parse request body into json: Could not parse payload into json: x"}"#.to_owned(),
        ),
        (Ok(whole(403, &[], b"{}")), format!("500 {BROKEN}")),
        (Ok(whole(429, &[], b"{}")), format!("500 {BROKEN}")),
        (Ok(whole(500, &[], b"{}")), format!("500 {BROKEN}")),
        (Ok(whole(404, &[], b"{}")), format!("500 {BROKEN}")),
    ] {
        let shown = format!("{got:?}");
        assert_eq!(runs_custom(custom(&[]), b"no json", got).brief(), want, "{shown}");
    }
}
