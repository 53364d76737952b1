//! Mapping templates on the path of a request: what they see, what they override, and what becomes of one that fails.
//!
//! Sources: rest-api-runtime.md sections 4.1, 7, 8.1, 8.4, 8.5, 8.9, 9.1, 10.2, 10.5 and 11; design.md section 6 for traces. A row's
//! comment names the part.

mod support;

use support::{Driver, Stage, head, head_with_body, method, mock, pairs, whole};
use tidegate_engine::explain::Trace;
use tidegate_engine::{CallError, Reply};
use tidegate_proto::v1;

const BROKEN: &str = r#"500 {"message": "Internal server error"}"#;
const OK: &str = r#"{"statusCode": 200}"#;

fn response(template: &str, mappings: &[(&str, &str)]) -> v1::IntegrationResponse {
    v1::IntegrationResponse {
        status_code: "200".into(),
        parameters: pairs(mappings),
        templates: pairs(&[("application/json", template)]),
        ..Default::default()
    }
}

fn upstream(r#type: v1::IntegrationType, uri: &str, template: &str) -> v1::Integration {
    v1::Integration {
        r#type: r#type.into(),
        http_method: "POST".into(),
        uri: uri.into(),
        request_templates: pairs(&[("application/json", template)]),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// An `HTTP` integration whose URI has a mapped part and one that is not.
fn http(template: &str) -> v1::Integration {
    let mut made =
        upstream(v1::IntegrationType::Http, "http://up.example/{id}/{own}?k=1", template);
    made.request_parameters = pairs(&[
        ("integration.request.path.id", "method.request.path.id"),
        ("integration.request.header.X-A", "'mapped'"),
        ("integration.request.querystring.q", "'mapped'"),
    ]);
    made
}

/// One integration on `ANY /pets/{id}`, with the stage variable `env`.
fn driver(integration: v1::Integration) -> Driver {
    let resource = v1::Resource {
        id: "r".into(),
        path: "/pets/{id}".into(),
        methods: vec![method("ANY", integration)],
    };
    let mut stage = Stage::of(vec![resource]);
    stage.variables = vec![("env", "blue")];
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

fn ok() -> Result<Reply, CallError> {
    Ok(whole(200, &[], b"{\"up\":[1,2]}"))
}

const LINE: &str = "POST /prod/pets/a%20b?q=1&q=2+3";
const FIELDS: [(&str, &str); 4] =
    [("X-Id", "h1"), ("X-Id", "h2"), ("Connection", "close"), ("User-Agent", "curl/8")];
const BODY: &[u8] = br#"{"name":"Rex","n":null,"list":[{"a":1}]}"#;

#[test]
fn request_templates_see_the_request() {
    for (template, body, want) in [
        // 8.1
        ("$input.body", BODY, std::str::from_utf8(BODY).unwrap()),
        ("$input.body", b"", "{}"),
        ("$input.body", b"text", "text"),
        (r#"{"n":$input.json('$.name')}"#, BODY, r#"{"n":"Rex"}"#),
        ("$input.json('$.none')", BODY, "\"\""),
        ("$input.json('$')", b"no json", "\"\""),
        ("$input.path('$.list')[0].a", BODY, "1"),
        ("[$input.path('$.n')]", BODY, "[]"),
        ("$input.params('id')", b"", "a b"),
        ("$input.params('q')", b"", "2 3"),
        ("$input.params('X-Id')", b"", "h2"),
        ("[$input.params('x-id')]", b"", "[]"),
        ("$input.params().querystring.q|$input.params().path.id", b"", "2 3|a b"),
        ("$input.params().header.get('X-Id')", b"", "h2"),
        // 4.1
        ("[$input.params('Connection')$input.params().header.get('Connection')]", b"", "[]"),
        // 8.4
        ("$stageVariables.env|${stageVariables['env']}|$stageVariables.none", b"", "blue|blue|"),
        // 9.1
        ("$context.apiId $context.stage $context.httpMethod", b"", "abcde12345 prod POST"),
        ("$context.resourcePath $context.path", b"", "/pets/{id} /prod/pets/a%20b"),
        ("$context.identity.sourceIp $context.identity.userAgent", b"", "192.0.2.7 curl/8"),
        ("$context.requestTimeEpoch", b"", "1700000000123"),
        ("[$context.identity.user$context.isCanaryRequest$context.nonsense]", b"", "[]"),
        ("#set($i = $context.identity)$i.sourceIp", b"", "192.0.2.7"),
        ("#foreach($k in $context.identity.keySet())x#end", b"", "xxxxxxxxxxxx"),
        (
            "$context.requestOverride|$context.responseOverride",
            b"",
            "{path={}, header={}, querystring={}}|{header={}}",
        ),
        // 8.9: the output need not be JSON.
        ("## only a comment", BODY, ""),
    ] {
        let mut driver = driver(http(template));
        let ran = driver.runs(&head_with_body(LINE, &FIELDS, body), body, ok());
        assert_eq!(String::from_utf8_lossy(&ran.call().body), want, "{template}");
    }
}

#[test]
fn response_templates_see_the_answer_and_the_request() {
    for (template, want) in [
        // 8.1: the body is the upstream's, the parameters are the caller's.
        ("$input.body", r#"{"up":[1,2]}"#),
        ("$input.json('$.up')", "[1,2]"),
        ("$input.path('$.up').size()", "2"),
        ("$input.params('id') $input.params('X-Id')", "a b h2"),
        ("$context.requestId", "07070707-0707-4707-8707-070707070707"),
        ("$stageVariables.env", "blue"),
    ] {
        let mut integration = http("$input.body");
        integration.responses = vec![response(template, &[])];
        let ran = driver(integration).runs(&head_with_body(LINE, &FIELDS, BODY), BODY, ok());
        assert_eq!(ran.answer.body, want, "{template}");
    }
}

#[test]
fn a_mock_chooses_by_what_its_template_renders() {
    // 10.2
    let choose =
        "#if($input.params('q') == 'no'){\"statusCode\": 404}#else{\"statusCode\": 200}#end";
    let not_found = v1::IntegrationResponse {
        status_code: "404".into(),
        selection_pattern: "404".into(),
        templates: pairs(&[("application/json", "no $input.params('id'): $input.body")]),
        ..Default::default()
    };
    let resource = |template| {
        let integration =
            mock(&[("application/json", template)], vec![response("yes", &[]), not_found.clone()]);
        let mut method = method("ANY", integration);
        method
            .responses
            .push(v1::MethodResponse { status_code: "404".into(), ..Default::default() });
        v1::Resource { id: "r".into(), path: "/pets/{id}".into(), methods: vec![method] }
    };
    for (template, line, want) in [
        (choose, "GET /prod/pets/7?q=no", "404 no 7: {}"),
        (choose, "GET /prod/pets/7", "200 yes"),
        ("{statusCode: $input.params('q')}", "GET /prod/pets/7?q=404", "404 no 7: {}"),
        ("{statusCode: $input.params('q')}", "GET /prod/pets/7", BROKEN),
        ("## nothing", "GET /prod/pets/7", BROKEN),
    ] {
        assert_eq!(
            Driver::new(vec![resource(template)]).decide(&head(line, &[])).brief(),
            want,
            "{template} {line}"
        );
    }
}

#[test]
fn request_overrides_win_over_mappings() {
    // 8.5; 4.3 for names that are dropped.
    const SET: &str = "#set($context.requestOverride";
    for (rest, target, fields) in [
        ("", "/a%20b/%7Bown%7D?k=1&q=mapped", &[("X-A", "mapped")][..]),
        (".header.X-A = 'mine')", "/a%20b/%7Bown%7D?k=1&q=mapped", &[("X-A", "mine")]),
        (
            "['header']['X-A'] = $input.params('q'))",
            "/a%20b/%7Bown%7D?k=1&q=mapped",
            &[("X-A", "2 3")],
        ),
        (
            ".header.x-a = 'mine')",
            "/a%20b/%7Bown%7D?k=1&q=mapped",
            &[("X-A", "mapped"), ("x-a", "mine")],
        ),
        (
            ".header.X-N = ['a', 'b'])",
            "/a%20b/%7Bown%7D?k=1&q=mapped",
            &[("X-A", "mapped"), ("X-N", "a"), ("X-N", "b")],
        ),
        (".header.X-A = '')", "/a%20b/%7Bown%7D?k=1&q=mapped", &[]),
        (".header.Host = 'evil.example')", "/a%20b/%7Bown%7D?k=1&q=mapped", &[("X-A", "mapped")]),
        (".path.id = 'x y%/z')", "/x%20y%25/z/%7Bown%7D?k=1&q=mapped", &[("X-A", "mapped")]),
        (".path.own = 7)", "/a%20b/7?k=1&q=mapped", &[("X-A", "mapped")]),
        (".querystring.q = 'a&b')", "/a%20b/%7Bown%7D?k=1&q=a%26b", &[("X-A", "mapped")]),
        (".querystring.n = [1, 2])", "/a%20b/%7Bown%7D?k=1&q=mapped&n=1&n=2", &[("X-A", "mapped")]),
    ] {
        let template = if rest.is_empty() { "x".to_owned() } else { format!("{SET}{rest}x") };
        let ran = driver(http(&template)).runs(&head(LINE, &FIELDS), b"", ok());
        let sent = &ran.call().sent;
        assert_eq!(sent.target, target, "{rest}");
        let mine = sent.fields.0.iter().filter(|(name, _)| {
            name.to_ascii_lowercase().starts_with("x-") && !name.starts_with("X-Amzn")
        });
        let mine: Vec<(&str, &str)> = mine.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(mine, fields, "{rest}");
        assert_eq!(sent.fields.one("Host"), "up.example", "{rest}");
    }
    for (rest, want) in [
        (
            ".header.X-A = $util.urlDecode('a%0D%0AX-Evil: 1'))",
            r#"400 {"message": "Invalid request parameter value"}"#,
        ),
        (".path.id = '..')", r#"400 {"message": "Invalid request parameter value"}"#),
        (".header.Content-Length = '0')", BROKEN),
        (".header.Transfer-Encoding = 'chunked')", BROKEN),
        ("['header']['a b'] = '0')", BROKEN),
        // Each key once.
        (".header.a = 1)#set($context.requestOverride.header.a = 2)", BROKEN),
    ] {
        let ran = driver(http(&format!("{SET}{rest}"))).runs(&head(LINE, &FIELDS), b"", ok());
        assert!(ran.called.is_none(), "{rest}");
        assert_eq!(ran.brief(), want, "{rest}");
    }
}

#[test]
fn response_overrides_win_over_mappings() {
    // 8.5; 4.4 for names that are remapped. The first template is the request's: what it overrides survives.
    const MAPPED: [(&str, &str); 2] = [
        ("method.response.header.X-Fixed", "'fixed'"),
        ("method.response.header.X-Id", "method.request.header.X-Id"),
    ];
    for (request, reply, status, fields) in [
        ("", "", 200, &[("X-Fixed", "fixed"), ("X-Id", "h2")][..]),
        (
            "",
            "#set($context.responseOverride.status = 418)",
            418,
            &[("X-Fixed", "fixed"), ("X-Id", "h2")],
        ),
        (
            "",
            "#set($context.responseOverride.status = 'x')",
            200,
            &[("X-Fixed", "fixed"), ("X-Id", "h2")],
        ),
        (
            "",
            "#set($context.responseOverride.status = 600)",
            200,
            &[("X-Fixed", "fixed"), ("X-Id", "h2")],
        ),
        (
            "",
            "#set($context.responseOverride.header.X-Fixed = 'mine')",
            200,
            &[("X-Id", "h2"), ("X-Fixed", "mine")],
        ),
        (
            "",
            "#set($context.responseOverride.header.X-Id = ['a', 'b'])",
            200,
            &[("X-Fixed", "fixed"), ("X-Id", "a"), ("X-Id", "b")],
        ),
        (
            "#set($context.responseOverride.status = 202)",
            "",
            202,
            &[("X-Fixed", "fixed"), ("X-Id", "h2")],
        ),
        (
            "#set($context.responseOverride.header.X-N = 'n')",
            "",
            200,
            &[("X-Fixed", "fixed"), ("X-Id", "h2"), ("X-N", "n")],
        ),
        (
            "#set($context.responseOverride.data = 203)",
            "#set($context.responseOverride.status = $context.responseOverride.data)",
            203,
            &[("X-Fixed", "fixed"), ("X-Id", "h2")],
        ),
    ] {
        let integration = mock(
            &[("application/json", &format!("{request}{OK}"))],
            vec![response(&format!("{reply}body"), &MAPPED)],
        );
        let answer = driver(integration).answers(&head("GET /prod/pets/7", &FIELDS));
        assert_eq!((answer.status, answer.body.as_str()), (status, "body"), "{request} {reply}");
        let mine = answer.fields.0.iter().filter(|(name, _)| name.starts_with("X-"));
        let mine: Vec<(&str, &str)> = mine.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(mine, fields, "{request} {reply}");
        assert_eq!(answer.fields.one("Content-Type"), "application/json");
    }
    let set = |name: &str| {
        let template = format!("#set($context.responseOverride.header.{name} = 'mine')");
        let integration = mock(&[("application/json", OK)], vec![response(&template, &[])]);
        driver(integration).answers(&head("GET /prod/pets/7", &[])).fields
    };
    assert_eq!(set("Content-Type").all("Content-Type"), ["mine"]);
    assert_eq!(set("Content-Length").one("x-amzn-Remapped-Content-Length"), "mine");
    assert!(!set("Content-Length").has("Content-Length"));
    assert!(!set("Transfer-Encoding").has("Transfer-Encoding"));
}

#[test]
fn overrides_of_the_request_template_survive_a_call() {
    // 8.5
    let template = "#set($context.responseOverride.status = 201)#set($context.responseOverride.header.X-N = 'n')x";
    let ran = driver(http(template)).runs(&head(LINE, &[]), b"", ok());
    assert_eq!(ran.brief(), r#"201 {"up":[1,2]}"#);
    assert_eq!(ran.answer.fields.one("X-N"), "n");
}

#[test]
fn functions_get_what_the_template_renders() {
    // 10.5
    const FUNCTION: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:f/invocations";
    let template = r#"{"pet":"$input.params('id')","body":$input.json('$.name')}"#;
    let mut integration = upstream(v1::IntegrationType::Aws, FUNCTION, template);
    integration.responses = vec![response("$input.path('$.up')[1]", &[])];
    let ran = driver(integration).runs(&head_with_body(LINE, &FIELDS, BODY), BODY, ok());
    assert_eq!(String::from_utf8_lossy(&ran.call().body), r#"{"pet":"a b","body":"Rex"}"#);
    assert_eq!(ran.brief(), "200 2");
}

#[test]
fn a_render_that_fails_is_a_configuration_error() {
    // 8.9; the limits are the template module's.
    let endless =
        "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])$a#end#end#end";
    for (request, reply) in [
        ("#set($s = 'abc')$s.substring(9)", ""),
        ("", "#set($s = 'abc')$s.substring(9)"),
        (endless, ""),
    ] {
        let integration =
            mock(&[("application/json", &format!("{request}{OK}"))], vec![response(reply, &[])]);
        let mut driver = driver(integration);
        driver.trace = Some(Trace::default());
        let answer = driver.answers(&head("GET /prod/pets/7", &[]));
        assert_eq!(
            (answer.status, answer.failure),
            (500, Some("API_CONFIGURATION_ERROR")),
            "{request}{reply}"
        );
        let trace = driver.trace.take().unwrap();
        let details: Vec<&String> = trace.phases.iter().flat_map(|phase| &phase.details).collect();
        assert!(
            details.iter().any(|text| text.starts_with("it failed at line 1, column")),
            "{details:?}"
        );
    }
}

#[test]
fn a_trace_says_which_template_was_used() {
    let mut integration = http("$input.body");
    integration.responses = vec![response("$input.body", &[])];
    let mut driver = driver(integration);
    driver.trace = Some(Trace::default());
    driver.runs(&head_with_body(LINE, &[], BODY), BODY, ok());
    let trace = driver.trace.take().unwrap();
    let told: Vec<&str> =
        trace.phases.iter().filter(|p| p.name == "mapping").map(|p| p.decision.as_str()).collect();
    assert_eq!(
        told,
        ["request template for application/json", "response template of 200 for application/json"]
    );
}
