//! What linking refuses, names and folds: problems of a bundle, stage variables, methods that variables break.
//!
//! Sources: design.md section 3 ("Link"); rest-api-runtime.md sections 4.3, 6.1, 10 and 22.

mod support;

use support::{
    Driver, Stage, bundle, head, http_proxy, link, method, mock, mock_ok, pairs, resource,
};
use tidegate_engine::snapshot::RefuseBundle;
use tidegate_proto::v1;

const URI: &str = "http://up.example/";

/// The problems of a bundle, as their owner reads them.
fn problems(bundle: &v1::Bundle) -> Vec<String> {
    match link(bundle, &[]) {
        Err(RefuseBundle::Problems(found)) => found.iter().map(ToString::to_string).collect(),
        other => panic!("not refused for problems: {other:?}"),
    }
}

#[test]
fn problems_name_resource_and_method_and_are_all_listed() {
    let mut two = resource("/two", "GET", http_proxy("ftp://up.example/", &[]));
    two.methods.push(method("FETCH", mock_ok("")));
    let of_type = |r#type: v1::IntegrationType| v1::Integration {
        r#type: r#type.into(),
        ..http_proxy(URI, &[])
    };
    let found = problems(&bundle(vec![
        resource("/good", "GET", mock_ok("")),
        two,
        resource("/lambda", "POST", of_type(v1::IntegrationType::Aws)),
        resource("/map", "ANY", http_proxy(URI, &[("integration.request.header.X", "nonsense")])),
        resource("/target", "GET", http_proxy(URI, &[("integration.request.cookie.X", "'a'")])),
        resource("/name", "GET", http_proxy(URI, &[("integration.request.header.a b", "'a'")])),
        resource("/text", "GET", http_proxy(URI, &[("integration.request.header.X", "'a\r\nb'")])),
        resource("/vtl", "GET", mock(&[("application/json", "{\n  #if($a)1")], vec![])),
        resource("/a{b}", "GET", mock_ok("")),
        resource("/p/{x}", "GET", mock_ok("")),
        resource("/p/{y}", "GET", mock_ok("")),
    ]));
    for want in [
        "GET /two: Invalid HTTP endpoint specified for URI: 'ftp://up.example/'",
        "FETCH /two: 'FETCH' is no method",
        "POST /lambda: Invalid ARN specified in the request: 'http://up.example/'",
        "ANY /map: Invalid mapping expression specified: nonsense",
        "GET /target: Invalid mapping expression specified: integration.request.cookie.X",
        "GET /name: Invalid mapping expression specified: integration.request.header.a b",
        "GET /text: X holds characters that cannot stand in a header",
        "GET /vtl: request template for application/json: line 2, column 3: #if has no #end",
        "GET /a{b}: '/a{b}' is not a resource path",
        "GET /p/{y}: '/p/{y}' has a sibling with another variable path part",
    ] {
        assert!(found.iter().any(|f| f == want), "{want:?} among {found:#?}");
    }
    assert_eq!(found.len(), 10, "{found:#?}");
}

#[test]
fn what_this_version_cannot_honour_is_refused_rather_than_skipped() {
    let change = |change: fn(&mut v1::Bundle)| {
        let mut bundle = bundle(vec![resource("/x", "GET", mock_ok(""))]);
        change(&mut bundle);
        problems(&bundle).join("; ")
    };
    for (got, want) in [
        (change(|b| b.policy = "{}".into()), "API : resource policies are not supported yet"),
        (
            change(|b| b.resources[0].methods[0].api_key_required = true),
            "GET /x: apiKeyRequired is not supported yet",
        ),
        (
            change(|b| b.resources[0].methods[0].authorization_type = "JWT".into()),
            "GET /x: authorization type JWT is not supported yet",
        ),
        (
            change(|b| b.resources[0].methods[0].authorization_type = "CUSTOM".into()),
            "GET /x: its authorizer does not exist",
        ),
        (
            change(|b| b.resources[0].methods[0].request_validator_id = "v".into()),
            "GET /x: its request validator does not exist",
        ),
        (
            change(|b| b.resources[0].methods[0].integration = None),
            "GET /x: No integration defined for method",
        ),
        (change(|b| b.routing = None), "API : only REST APIs are served yet"),
    ] {
        assert_eq!(got, want);
    }
}

#[test]
fn a_media_type_cannot_add_lines_to_a_head() {
    let templates = pairs(&[("text/plain\r\nX-Evil: 1", "body")]);
    let response =
        v1::IntegrationResponse { status_code: "200".into(), templates, ..Default::default() };
    let integration = mock(&[("application/json", "{statusCode: 200}")], vec![response]);
    let found = problems(&bundle(vec![resource("/x", "GET", integration)]));
    assert!(found[0].contains("is no media type"), "{found:?}");
}

fn staged(resources: Vec<v1::Resource>, variables: &[(&'static str, &'static str)]) -> Driver {
    let mut stage = Stage::of(resources);
    stage.variables = variables.to_vec();
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

#[test]
fn stage_variables_are_folded_into_uris_and_mappings() {
    let uri = "http://${stageVariables.host}:${stageVariables.port}/${stageVariables.path}/v${stageVariables.none}?k=${stageVariables.key}";
    let map = [("integration.request.header.X-Env", "stageVariables.env")];
    let variables =
        [("host", "one.example"), ("port", "8080"), ("path", "a/b"), ("key", "1"), ("env", "blue")];
    let mut driver = staged(vec![resource("/x", "GET", http_proxy(uri, &map))], &variables);
    let sent = driver.sends(&head("GET /prod/x", &[]));
    assert_eq!((sent.upstream.as_str(), sent.target.as_str()), ("one.example:8080", "/a/b/v?k=1"));
    assert_eq!(sent.fields.one("X-Env"), "blue");
}

#[test]
fn a_variable_that_makes_no_sense_breaks_its_method_and_no_other() {
    let uri = "http://${stageVariables.host}/";
    let header = [("integration.request.header.X-Env", "stageVariables.env")];
    let resources = || {
        vec![
            resource("/uri", "GET", http_proxy(uri, &[])),
            resource("/header", "GET", http_proxy(URI, &header)),
            resource("/good", "GET", http_proxy(URI, &[])),
        ]
    };
    for host in ["", "a b", "evil@host", "h:port", "\r\nX: y", "{id}"] {
        let variables = [("host", host), ("env", "a\r\nX-Evil: 1")];
        let mut driver = staged(resources(), &variables);
        for (path, want) in [
            ("uri", r#"500 {"message": "Internal server error"}"#),
            ("header", r#"500 {"message": "Internal server error"}"#),
            ("good", "> /"),
        ] {
            assert_eq!(
                driver.decide(&head(&format!("GET /prod/{path}"), &[])).brief(),
                want,
                "{path} {host:?}"
            );
        }
        let answer = driver.answers(&head("GET /prod/uri", &[]));
        assert_eq!(answer.failure, Some("API_CONFIGURATION_ERROR"));
    }
    let linked = link(&bundle(resources()), &[("host", "a b"), ("env", "ok")]).unwrap();
    let broken: Vec<String> = linked.broken.iter().map(ToString::to_string).collect();
    assert_eq!(broken, ["GET /uri: Invalid HTTP endpoint specified for URI: 'http://a b/'"]);
}

#[test]
fn header_names_no_mapping_may_set_fail_the_request_and_not_the_bundle() {
    // 4.3: 500 at run time, recorded; the log says "header already present".
    for name in
        ["Content-Length", "transfer-encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id"]
    {
        let target = format!("integration.request.header.{name}");
        let resources = vec![resource("/x", "GET", http_proxy(URI, &[(&target, "'1'")]))];
        let linked = link(&bundle(resources.clone()), &[]).unwrap();
        assert_eq!(linked.broken[0].what, format!("{name} header already present"));
        assert_eq!(Driver::new(resources).answers(&head("GET /prod/x", &[])).status, 500);
    }
}
