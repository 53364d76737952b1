//! Which API, stage, side and method a request is for, through `begin`: addresses, canary draws, route precedence.
//!
//! Sources: design.md section 4 ("Addresses"); rest-api-runtime.md sections 1.1, 2 and 21.

mod support;

use support::{
    API, Driver, HOST, Stage, bundle, entropy_drawing, head, http_proxy, method, mock_ok, resource,
};
use tidegate_proto::v1;

const FORBIDDEN: &str = r#"403 {"message":"Forbidden"}"#;
const NO_TOKEN: &str = r#"403 {"message":"Missing Authentication Token"}"#;

fn check(driver: &mut Driver, host: &str, line: &str, want: &str) {
    let got = driver.decide(&head(line, &[("Host", host)]));
    assert_eq!(got.brief(), want, "{line} at {host}");
}

fn domain(name: &str, mappings: &[(&str, &str, &str)]) -> v1::Domain {
    let mapping = |(base, api, stage): &(&str, &str, &str)| v1::BasePathMapping {
        base_path: (*base).into(),
        api_id: (*api).into(),
        stage: (*stage).into(),
    };
    v1::Domain {
        name: name.into(),
        mappings: mappings.iter().map(mapping).collect(),
        ..Default::default()
    }
}

/// Two stages that say their names, and a second one reached by domains.
fn addressed(disabled: bool) -> Driver {
    let api = v1::Api { disable_execute_api_endpoint: disabled, ..Default::default() };
    let stage = |name: &'static str| Stage {
        name,
        ..Stage::of(vec![resource("/x", "GET", mock_ok(name))])
    };
    let domains = [
        domain("api.example.com", &[("", API, "prod"), ("v1", API, "test"), ("v1/deep", API, "")]),
        domain("*.example.com", &[("", API, "test")]),
        domain("only.example.org", &[("base", API, "prod")]),
        // Even a name that reads like the default endpoint's is a custom domain's if someone owns it.
        domain("own.execute-api.example.net", &[("", API, "prod")]),
    ];
    Driver::serving(api, vec![stage("prod"), stage("test")], &domains)
}

#[test]
fn the_default_endpoint_is_found_in_every_spelling() {
    let mut driver = addressed(false);
    for (host, line, want) in [
        (HOST, "GET /prod/x", "200 prod"),
        (HOST, "GET /test/x", "200 test"),
        ("abcde12345.execute-api.localhost:4780", "GET /prod/x", "200 prod"),
        ("ABCDE12345.Execute-API.eu-west-1.AmazonAWS.com:443", "GET /prod/x", "200 prod"),
        ("abcde12345-vpce-0a1b2c.execute-api.eu-west-1.amazonaws.com", "GET /prod/x", "200 prod"),
        ("abcde12345.execute-api", "GET /prod/x", "200 prod"),
        // 2.1: extra leading slashes before the stage are tolerated.
        (HOST, "GET //prod/x", "200 prod"),
        (HOST, "GET ////test//x/", "200 test"),
        (HOST, "GET /", FORBIDDEN),
        (HOST, "GET ///", FORBIDDEN),
        (HOST, "GET /Prod/x", FORBIDDEN),
        (HOST, "GET /nope/x", FORBIDDEN),
        (HOST, "GET /prod", NO_TOKEN),
        ("zzzzz.execute-api.localhost", "GET /prod/x", FORBIDDEN),
        ("abcde12345.execute-apis.localhost", "GET /prod/x", FORBIDDEN),
        ("localhost", "GET /prod/x", FORBIDDEN),
        ("", "GET /prod/x", FORBIDDEN),
        ("[::1]:80", "GET /prod/x", FORBIDDEN),
    ] {
        check(&mut driver, host, line, want);
    }
}

#[test]
fn a_custom_domain_comes_first_its_own_name_before_the_wildcard() {
    let mut driver = addressed(false);
    for (host, line, want) in [
        ("api.example.com", "GET /x", "200 prod"),
        ("API.Example.COM:443", "GET /x", "200 prod"),
        ("api.example.com", "GET /v1/x", "200 test"),
        ("api.example.com", "GET /v1", NO_TOKEN),
        ("api.example.com", "GET /v12/x", NO_TOKEN),
        // A mapping without a stage takes it from the path.
        ("api.example.com", "GET /v1/deep/prod/x", "200 prod"),
        ("api.example.com", "GET /v1/deep/nope/x", FORBIDDEN),
        ("other.example.com", "GET /x", "200 test"),
        ("a.b.example.com", "GET /x", FORBIDDEN),
        ("example.com", "GET /x", FORBIDDEN),
        ("only.example.org", "GET /base/x", "200 prod"),
        ("only.example.org", "GET /x", FORBIDDEN),
        ("own.execute-api.example.net", "GET /x", "200 prod"),
    ] {
        check(&mut driver, host, line, want);
    }
}

#[test]
fn a_base_path_means_what_its_escapes_mean() {
    // Threats row 14: one path, read one way. An escaped base path must not slip past its mapping into the root's.
    let mut driver = addressed(false);
    check(&mut driver, "api.example.com", "GET /%761/x", "200 test");
    check(&mut driver, "api.example.com", "GET /v%31/de%65p/prod/x", "200 prod");
}

#[test]
fn path_forms_are_understood_where_the_listener_has_them_and_host_names_no_api() {
    let mut driver = addressed(false);
    let aws = "GET /_aws/execute-api/abcde12345/prod/x";
    let rest = "GET /restapis/abcde12345/test/_user_request_/x";
    for (host, line, want) in [
        ("localhost:4780", aws, "200 prod"),
        ("127.0.0.1", rest, "200 test"),
        ("localhost", "GET /_aws/execute-api/ABCDE12345/prod/x", FORBIDDEN),
        ("localhost", "GET /_aws/execute-api/abcde12345/nope/x", FORBIDDEN),
        ("localhost", "GET /_aws/execute-api/abcde12345", FORBIDDEN),
        ("localhost", "GET /restapis/abcde12345/test/x", FORBIDDEN),
        ("localhost", "GET /_aws/execute-apis/abcde12345/prod/x", FORBIDDEN),
        // Host names an API or a domain: the path is only a path.
        (HOST, aws, FORBIDDEN),
        ("api.example.com", aws, NO_TOKEN),
    ] {
        check(&mut driver, host, line, want);
    }
    driver.listener.path_forms = false;
    check(&mut driver, "localhost", aws, FORBIDDEN);
    check(&mut driver, "localhost", rest, FORBIDDEN);
}

#[test]
fn a_disabled_default_endpoint_is_off_in_all_its_forms_and_domains_go_on() {
    let mut driver = addressed(true);
    for (host, line, want) in [
        (HOST, "GET /prod/x", FORBIDDEN),
        ("abcde12345-vpce-0a.execute-api.localhost", "GET /prod/x", FORBIDDEN),
        ("localhost", "GET /_aws/execute-api/abcde12345/prod/x", FORBIDDEN),
        ("localhost", "GET /restapis/abcde12345/prod/_user_request_/x", FORBIDDEN),
        ("api.example.com", "GET /x", "200 prod"),
    ] {
        check(&mut driver, host, line, want);
    }
}

#[test]
fn the_canary_takes_what_the_recorded_entropy_draws() {
    let side = |name| vec![resource("/x", "GET", mock_ok(name))];
    let mut stage = Stage::of(side("base"));
    stage.canary = Some((10.0, bundle(side("canary"))));
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    for (low, high, want) in [
        (0.0, 1.0, "200 canary"),
        (9.9, 10.0, "200 canary"),
        (10.0, 10.1, "200 base"),
        (99.0, 100.0, "200 base"),
    ] {
        driver.entropy = entropy_drawing(low, high);
        for _ in 0..3 {
            check(&mut driver, HOST, "GET /prod/x", want);
        }
    }
    let mut canaries = 0;
    for n in 0..2_000u64 {
        driver.entropy[4..12].copy_from_slice(&n.to_le_bytes());
        let got = driver.decide(&head("GET /prod/x", &[])).brief();
        canaries += usize::from(got == "200 canary");
    }
    assert!((140..260).contains(&canaries), "{canaries} of 2,000 went to a canary of 10 percent");
}

#[test]
fn the_most_specific_route_wins_and_methods_do_not_fall_back() {
    let mut both = resource("/both", "ANY", mock_ok("any"));
    both.methods.insert(0, method("GET", mock_ok("get")));
    let mut driver = Driver::new(vec![
        resource("/", "GET", mock_ok("root")),
        resource("/pets", "GET", mock_ok("pets")),
        resource("/pets/{id}", "GET", mock_ok("pet")),
        resource("/pets/mine", "POST", mock_ok("mine")),
        resource("/proxy/bar/{param}", "GET", mock_ok("param")),
        resource("/proxy/{proxy+}", "ANY", mock_ok("greedy")),
        both,
    ]);
    for (line, want) in [
        // 2.3, in its order.
        ("GET /prod", "200 root"),
        ("GET /prod/", "200 root"),
        ("GET /prod/pets", "200 pets"),
        ("GET /prod/pets/", "200 pets"),
        ("GET /prod//pets", "200 pets"),
        ("GET /prod/pets/7", "200 pet"),
        ("GET /prod/pets/7%2F8", "200 pet"),
        ("GET /prod/Pets", NO_TOKEN),
        ("GET /prod/pets/mine", NO_TOKEN),
        ("POST /prod/pets/mine", "200 mine"),
        ("POST /prod/pets/m%69ne", "200 mine"),
        ("GET /prod/proxy/bar/foobar", "200 param"),
        ("GET /prod/proxy/bar/foobar/extra", "200 greedy"),
        ("GET /prod/proxy/bar", "200 greedy"),
        ("GET /prod/proxy", NO_TOKEN),
        ("GET /prod/proxy/a//b", "200 greedy"),
        ("GET /prod/both", "200 get"),
        ("DELETE /prod/both", "200 any"),
        // 2.5: ANY stands for seven methods, HEAD is not derived from GET.
        ("TRACE /prod/both", NO_TOKEN),
        ("HEAD /prod/pets", NO_TOKEN),
        ("POST /prod/pets", NO_TOKEN),
        ("get /prod/pets", NO_TOKEN),
    ] {
        check(&mut driver, HOST, line, want);
    }
}

#[test]
fn path_values_keep_their_encoding_and_greedy_ones_their_slashes() {
    // 2.1 and 3, recorded.
    let uri = "http://up.example/{proxy}";
    let map = [("integration.request.path.proxy", "method.request.path.proxy")];
    let mut driver = Driver::new(vec![resource("/a/{proxy+}", "GET", http_proxy(uri, &map))]);
    for (path, want) in [
        ("/prod/a/proxy-value/", "> /proxy-value"),
        ("/prod/a/proxy-value//double-slash", "> /proxy-value//double-slash"),
        ("/prod/a/test%2Balias@gmail.com", "> /test%2Balias@gmail.com"),
        ("/prod/a/test+alias", "> /test+alias"),
    ] {
        check(&mut driver, HOST, &format!("GET {path}"), want);
    }
}

#[test]
fn unsound_paths_are_refused_before_anything_is_looked_up() {
    let mut driver = Driver::new(vec![resource("/{p+}", "ANY", mock_ok("x"))]);
    for path in
        ["/prod/a/../b", "/prod/%2e%2e/b", "/prod/a%00", "/prod/a%", "/prod/..;/b", "/prod/./a"]
    {
        let answer = driver.answers(&head(&format!("GET {path}"), &[]));
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.fields.one("x-amzn-ErrorType"), "BadRequestException", "{path}");
    }
}
