//! What hostile bytes come to on the whole way of a request: refused or bounded, in AWS's words, and soon.
//!
//! What the readers themselves hold stands beside them: bombs of templates, deep documents, schemas. Bytes that are no HTTP are the
//! node's tests.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::write::GzEncoder;
use support::{Driver, Ran, Stage, head_with_body, method, pairs, whole};
use tidegate_engine::{CallError, Reply};
use tidegate_proto::v1;

const BROKEN: &str = r#"500 {"message": "Internal server error"}"#;
const MALFORMED: &str = r#"502 {"message": "Internal server error"}"#;
const INVALID: &str = r#"400 {"message": "Invalid request body"}"#;
const FUNCTION: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:f/invocations";

/// Longer than any step may take, even unoptimised on a busy machine; without bounds they take hours, or all memory.
const SOON: Duration = Duration::from_secs(20);

fn integration(kind: v1::IntegrationType, uri: &str) -> v1::Integration {
    v1::Integration {
        r#type: kind.into(),
        http_method: "POST".into(),
        uri: uri.into(),
        responses: vec![response("200", "")],
        ..Default::default()
    }
}

fn http() -> v1::Integration {
    integration(v1::IntegrationType::Http, "http://up.example/")
}

fn response(status: &str, pattern: &str) -> v1::IntegrationResponse {
    v1::IntegrationResponse {
        status_code: status.into(),
        selection_pattern: pattern.into(),
        ..Default::default()
    }
}

/// `POST /x`, which declares 200 and 500, with what a test adds to its stage.
fn driver(integration: v1::Integration, add: impl FnOnce(&mut Stage)) -> Driver {
    let mut method = method("POST", integration);
    method.responses = ["200", "500"]
        .map(|code| v1::MethodResponse { status_code: code.into(), ..Default::default() })
        .into();
    let resource = v1::Resource { id: "r".into(), path: "/x".into(), methods: vec![method] };
    let mut stage = Stage::of(vec![resource]);
    add(&mut stage);
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

fn runs(driver: &mut Driver, body: &[u8], got: Result<Reply, CallError>) -> Ran {
    let begun = Instant::now();
    let ran = driver.runs(&head_with_body("POST /prod/x", &[], body), body, got);
    let took = begun.elapsed();
    assert!(took < SOON, "{} bytes took {took:?}", body.len());
    ran
}

fn ok() -> Result<Reply, CallError> {
    Ok(whole(200, &[], b"{}"))
}

#[test]
fn template_bombs_end_as_failed_templates() {
    for bomb in [
        "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])$c#end#end#end",
        "#set($x = 'xxxxxxxxxxxxxxxx')#foreach($i in [1..1000])#set($x = \"$x$x\")#end$x",
        "#set($l = [])#foreach($i in [1..1000])$!l.addAll($l)$!l.add(1)#end$l",
        "#set($l = [])$!l.add([$l])$l",
        "#set($a = [1..2000000000])$a.size()",
        "#set($l = $input.path('$'))#foreach($i in [1..1000])#foreach($j in [1..1000])$input.json('$')#end#end",
        "#set($s = 'aaaaaaaa')#foreach($i in [1..1000])#set($s = $s.replaceAll('a', '$0$0$0'))#end$s",
    ] {
        let mut request = http();
        request.request_templates = pairs(&[("application/json", bomb)]);
        let body = format!("[{}]", vec!["1"; 1_000].join(","));
        let ran = runs(&mut driver(request, |_| ()), body.as_bytes(), ok());
        assert_eq!(ran.brief(), BROKEN, "{bomb}");
        assert!(ran.called.is_none(), "{bomb}");

        let mut answer = http();
        answer.responses[0].templates = pairs(&[("application/json", bomb)]);
        let ran = runs(&mut driver(answer, |_| ()), b"{}", Ok(whole(200, &[], body.as_bytes())));
        assert_eq!(ran.brief(), BROKEN, "{bomb}");
    }
    // These render nothing but themselves, and take as long as any other text.
    let quiet = "#define($d)$d$d#end$d.length()";
    let mut request = http();
    request.request_templates = pairs(&[("application/json", quiet)]);
    assert_eq!(runs(&mut driver(request, |_| ()), b"{}", ok()).answer.status, 200);
}

#[test]
fn patterns_that_backtrack_forever_elsewhere_do_not() {
    let bomb = "(a+)+$";
    let text = format!("{}!", "a".repeat(100_000));
    let mut function = integration(v1::IntegrationType::Aws, FUNCTION);
    function.responses.push(response("500", bomb));
    let said = format!(r#"{{"errorMessage": "{text}"}}"#);
    let ran = runs(&mut driver(function, |_| ()), b"{}", Ok(whole(200, &[], said.as_bytes())));
    assert_eq!(ran.answer.status, 200);

    let mut template = http();
    let replace = format!("$input.path('$.v').replaceAll('{bomb}', '').length()");
    template.request_templates = pairs(&[("application/json", &replace)]);
    let body = format!(r#"{{"v": "{text}"}}"#);
    let ran = runs(&mut driver(template, |_| ()), body.as_bytes(), ok());
    assert_eq!(ran.call().body, b"100001");

    let schema = format!(r#"{{"properties": {{"v": {{"pattern": "^{bomb}"}}}}}}"#);
    let ran = runs(&mut driver(http(), |stage| checked(stage, &schema)), body.as_bytes(), ok());
    assert_eq!(ran.brief(), INVALID);
}

/// Has the stage's bodies checked against a model.
fn checked(stage: &mut Stage, schema: &str) {
    let method = &mut stage.bundle.resources[0].methods[0];
    method.request_validator_id = "val001".into();
    method.request_models = pairs(&[("$default", "M")]);
    stage.bundle.request_validators = vec![v1::RequestValidator {
        id: "val001".into(),
        validate_body: true,
        validate_parameters: false,
    }];
    stage.bundle.models = vec![v1::Model {
        name: "M".into(),
        content_type: "application/json".into(),
        schema: schema.into(),
    }];
}

#[test]
fn models_with_exponentially_many_ways_are_bounded() {
    // Each level asks twice for the next: 2^40 ways to fail.
    let level = |n: u32| {
        let next = format!(r##"{{"$ref": "#/definitions/d{}"}}"##, n + 1);
        format!(r#""d{n}": {{"anyOf": [{next}, {next}]}}"#)
    };
    let levels: Vec<String> = (0..40).map(level).collect();
    let definitions = format!(r#"{}, "d40": {{"type": "string"}}"#, levels.join(", "));
    let schema = format!(r##"{{"$ref": "#/definitions/d0", "definitions": {{{definitions}}}}}"##);
    let mut driver = driver(http(), |stage| checked(stage, &schema));
    assert_eq!(runs(&mut driver, b"1", ok()).brief(), INVALID);
}

#[test]
fn documents_of_depth_100_000_are_refused_by_whoever_reads_them() {
    let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat().into_bytes();
    let ran = runs(&mut driver(http(), |stage| checked(stage, "{}")), &deep, ok());
    assert_eq!(ran.brief(), INVALID);

    let mut mapped = http();
    mapped.request_parameters =
        pairs(&[("integration.request.header.X", "method.request.body.a.b")]);
    let ran = runs(&mut driver(mapped, |_| ()), &deep, ok());
    assert_eq!(ran.brief(), r#"400 {"message": "Invalid JSON in request body"}"#);

    let proxy = integration(v1::IntegrationType::AwsProxy, FUNCTION);
    let ran = runs(&mut driver(proxy.clone(), |_| ()), b"", Ok(whole(200, &[], &deep)));
    assert_eq!(ran.brief(), MALFORMED);
    // To a function it is text like any other.
    let ran = runs(&mut driver(proxy, |_| ()), &deep, Ok(whole(200, &[], b"{}")));
    assert_eq!(ran.answer.status, 200);
    assert!(ran.call().body.len() > deep.len());
}

#[test]
fn ten_megabytes_are_mapped_and_a_byte_more_is_refused() {
    const LIMIT: usize = 10 * 1024 * 1024;
    let mut mapped = http();
    mapped.request_templates = pairs(&[(
        "application/json",
        r#"{"first": $input.json('$[0]'), "n": $input.path('$').size()}"#,
    )]);
    let mut driver = driver(mapped, |_| ());
    let mut body = format!("[{}", "7,".repeat(LIMIT / 2 - 2)).into_bytes();
    body.extend_from_slice(b"77]");
    assert_eq!(body.len(), LIMIT);
    let ran = runs(&mut driver, &body, ok());
    let want = format!(r#"{{"first": 7, "n": {}}}"#, LIMIT / 2 - 1);
    assert_eq!(String::from_utf8_lossy(&ran.call().body), want);
    body.push(b' ');
    let ran = runs(&mut driver, &body, ok());
    assert_eq!(ran.brief(), "413 HTTP content length exceeded 10485760 bytes.");
}

#[test]
fn a_bomb_of_gzip_is_not_unpacked() {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeroes = vec![b'0'; 1 << 20];
    for _ in 0..200 {
        encoder.write_all(&zeroes).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 18);

    let mut request = driver(http(), |stage| stage.bundle.minimum_compression_size = Some(0));
    let head = head_with_body("POST /prod/x", &[("Content-Encoding", "gzip")], &bomb);
    let begun = Instant::now();
    let ran = request.runs(&head, &bomb, ok());
    assert_eq!(ran.brief(), "413 HTTP content length exceeded 10485760 bytes.");
    assert!(ran.called.is_none() && begun.elapsed() < SOON);

    // An answer that is checked against its model is unpacked for that, and no further than a body may be long.
    let proxy = integration(v1::IntegrationType::HttpProxy, "http://up.example/");
    let mut answer = driver(proxy, |stage| {
        checked(stage, "{}");
        let method = &mut stage.bundle.resources[0].methods[0];
        method.request_validator_id.clear();
        method.response_validation = "enforce".into();
        method.responses[0].models = pairs(&[("$default", "M")]);
    });
    let got = whole(200, &[("Content-Encoding", "gzip"), ("Content-Type", "a/b")], &bomb);
    assert_eq!(runs(&mut answer, b"", Ok(got)).answer.status, 502);
}

/// Values that would end a line, end a head, or end a C string.
const BREAKING: [&str; 5] =
    ["a\\r\\nX-Evil: 1", "a\\nX-Evil: 1", "a\\rb", "a\\u0000b", "\\r\\n\\r\\nbody"];

#[test]
fn nothing_mapped_can_break_a_head() {
    // `support::Lines` fails on any head that would not be read as it was meant.
    for value in BREAKING {
        let body = format!(r#"{{"v": "{value}"}}"#).into_bytes();
        let plain = |ran: &Ran| {
            if let Some(called) = &ran.called {
                assert!(!called.sent.fields.has("X-Evil"), "{value:?}: {called:?}");
            }
            assert!(!ran.answer.fields.has("X-Evil"), "{value:?}: {:?}", ran.answer);
        };

        let mut mapped = http();
        mapped.request_parameters =
            pairs(&[("integration.request.header.X-Got", "method.request.body.v")]);
        plain(&runs(&mut driver(mapped, |_| ()), &body, ok()));

        let mut template = http();
        let with = "#set($context.requestOverride.header.X-Got = $input.path('$.v')){}";
        template.request_templates = pairs(&[("application/json", with)]);
        plain(&runs(&mut driver(template, |_| ()), &body, ok()));

        let mut path = http();
        path.uri = "http://up.example/{name}".into();
        path.request_parameters = pairs(&[
            ("integration.request.path.name", "method.request.body.v"),
            ("integration.request.querystring.q", "method.request.body.v"),
        ]);
        let ran = runs(&mut driver(path, |_| ()), &body, ok());
        if let Some(called) = &ran.called {
            assert!(called.sent.target.bytes().all(|b| b.is_ascii_graphic()), "{called:?}");
        }

        let mut answer = http();
        answer.responses[0].parameters =
            pairs(&[("method.response.header.X-Got", "integration.response.body.v")]);
        let declare = |stage: &mut Stage| {
            stage.bundle.resources[0].methods[0].responses[0].parameters =
                pairs(&[("method.response.header.X-Got", "false")]);
        };
        plain(&runs(&mut driver(answer, declare), b"{}", Ok(whole(200, &[], &body))));

        let mut answer = http();
        let with = "#set($context.responseOverride.header.X-Got = $input.path('$.v'))\
                    #set($context.responseOverride.header[$input.path('$.v')] = 'x'){}";
        answer.responses[0].templates = pairs(&[("application/json", with)]);
        plain(&runs(&mut driver(answer, |_| ()), b"{}", Ok(whole(200, &[], &body))));

        let proxy = integration(v1::IntegrationType::AwsProxy, FUNCTION);
        for headers in [
            format!(r#""headers": {{"X-Got": "{value}"}}"#),
            format!(r#""headers": {{"{value}": "x"}}"#),
            format!(r#""multiValueHeaders": {{"X-Got": ["fine", "{value}"]}}"#),
        ] {
            let said = format!(r#"{{"statusCode": 200, {headers}}}"#);
            let ran =
                runs(&mut driver(proxy.clone(), |_| ()), b"", Ok(whole(200, &[], said.as_bytes())));
            assert_eq!(ran.brief(), MALFORMED, "{said}");
        }
    }
}

#[test]
fn overrides_give_no_status_that_http_has_not() {
    for status in ["99", "600", "1000", "-1", "2147483648", "'abc'", "200.5", "[200]", "''"] {
        let mut answer = http();
        let with = format!("#set($context.responseOverride.status = {status}){{}}");
        answer.responses[0].templates = pairs(&[("application/json", &with)]);
        let ran = runs(&mut driver(answer, |_| ()), b"{}", ok());
        assert!((200..600).contains(&ran.answer.status), "{status}: {}", ran.brief());
    }
}
