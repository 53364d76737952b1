//! What an `HTTP_PROXY` upstream is sent: pass-through and mapped headers, target, query.
//!
//! Sources: rest-api-runtime.md sections 3, 4.1 to 4.3, 6.1 and 10.1; threats rows 4, 13 and 14.

mod support;

use support::{API, Driver, HOST, head, http_proxy, resource};

const URI: &str = "http://up.example:8080/base";

fn plain() -> Driver {
    Driver::new(vec![resource("/{p+}", "ANY", http_proxy(URI, &[]))])
}

fn mapped(uri: &str, mappings: &[(&str, &str)]) -> Driver {
    Driver::new(vec![resource("/pets/{id}", "ANY", http_proxy(uri, mappings))])
}

#[test]
fn a_bare_request_gets_what_the_gateway_adds_and_nothing_else() {
    // 4.3: defaults; X-Forwarded-* as recorded.
    let sent = plain().sends(&head("GET /prod/x", &[]));
    assert_eq!((sent.upstream.as_str(), sent.method), ("up.example:8080", "GET"));
    assert_eq!((sent.target.as_str(), sent.timeout_ms), ("/base", 29_000));
    let mut names: Vec<&str> = sent.fields.0.iter().map(|(n, _)| n.as_str()).collect();
    names.sort_unstable();
    let want = [
        "Accept",
        "Host",
        "User-Agent",
        "X-Amzn-Apigateway-Api-Id",
        "X-Amzn-Trace-Id",
        "X-Forwarded-For",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
    ];
    assert_eq!(names, want);
    for (name, value) in [
        ("Accept", "application/json"),
        ("Host", "up.example:8080"),
        ("User-Agent", "AmazonAPIGateway_abcde12345"),
        ("X-Amzn-Apigateway-Api-Id", API),
        ("X-Forwarded-For", "192.0.2.7"),
        ("X-Forwarded-Port", "80"),
        ("X-Forwarded-Proto", "http"),
    ] {
        assert_eq!(sent.fields.one(name), value);
    }
    assert!(sent.fields.one("X-Amzn-Trace-Id").starts_with("Root=1-6553f100-"));
}

#[test]
fn every_header_of_the_table_passes_or_is_dropped() {
    // 4.1, and 4.2's column for http_proxy.
    for name in [
        "Age",
        "Accept",
        "Accept-Charset",
        "Accept-Encoding",
        "Authorization",
        "Content-Type",
        "Date",
        "Pragma",
        "Range",
        "Referer",
        "User-Agent",
        "Warn",
        "Cookie",
        "Origin",
        "X-Api-Key",
        "X-Anything",
        "If-None-Match",
        "Cache-Control",
        "X-Under_score",
        "a.dotted.name",
    ] {
        let sent = plain().sends(&head("GET /prod/x", &[(name, "v a l")]));
        assert_eq!(sent.fields.one(name), "v a l", "{name} passes");
    }
    for name in [
        "Connection",
        "Content-Length",
        "Content-MD5",
        "Content-Encoding",
        "Expect",
        "Max-Forwards",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Keep-Alive",
        "Server",
        "TE",
        "Transfer-Encoding",
        "Trailer",
        "Upgrade",
        "Via",
        "WWW-Authenticate",
        "HTTP2-Settings",
        "x-amzn-RequestId",
        "x-amz-apigw-id",
    ] {
        let sent = plain().sends(&head("GET /prod/x", &[(name, "sentinel")]));
        assert!(!sent.fields.has(name), "{name} is dropped: {:?}", sent.fields);
    }
    for name in ["Host", "X-Amzn-Apigateway-Api-Id", "X-Forwarded-Port", "X-Forwarded-Proto"] {
        let value = if name == "Host" { HOST } else { "sentinel" };
        let sent = plain().sends(&head("GET /prod/x", &[(name, value)]));
        assert_ne!(sent.fields.one(name), value, "{name} is the gateway's");
    }
}

#[test]
fn a_signature_for_the_gateway_stays_here() {
    // 4.1: dropped toward the backend when it holds a SigV4 signature.
    for (value, passes) in [
        ("Bearer abc", true),
        ("AWS4", true),
        (
            "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/execute-api/aws4_request, Signature=0",
            false,
        ),
        ("aws4-ecdsa-p256-sha256 Credential=AKIA", false),
    ] {
        let sent = plain().sends(&head("GET /prod/x", &[("authorization", value)]));
        assert_eq!(sent.fields.has("Authorization"), passes, "{value}");
    }
}

#[test]
fn names_and_repeats_pass_as_they_came() {
    let fields = [("tEsT-HEADeR", "1"), ("X-Many", "a"), ("x-many", "b"), ("X-Empty", "")];
    let sent = plain().sends(&head("GET /prod/x", &fields));
    assert!(sent.fields.0.contains(&("tEsT-HEADeR".into(), "1".into())));
    assert_eq!(sent.fields.all("x-many"), ["a", "b"]);
    assert_eq!(sent.fields.one("X-Empty"), "");
}

#[test]
fn aliases_of_the_gateways_names_are_dropped() {
    // Threats row 13.
    for owned in [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Amzn-Apigateway-Api-Id",
        "X-Amzn-Trace-Id",
        "Transfer-Encoding",
        "Content-Length",
    ] {
        for separator in ["_", "."] {
            for name in [owned.replace('-', separator), owned.replacen('-', separator, 1)] {
                let sent = plain().sends(&head("GET /prod/x", &[(&name, "6.6.6.6")]));
                let leaked: Vec<_> =
                    sent.fields.0.iter().filter(|(_, v)| v.contains("6.6.6.6")).collect();
                assert!(leaked.is_empty(), "{name} leaks: {leaked:?}");
            }
        }
    }
}

#[test]
fn a_connection_field_removes_its_own_and_nothing_of_the_gateways() {
    // Threats row 4.
    let named = "close, X-Mine, X-Forwarded-For, X-Amzn-Trace-Id, Authorization, Cookie, Host, Content-Type, X-Forwarded-Host";
    let sent = plain().sends(&head(
        "GET /prod/x",
        &[
            ("Connection", named),
            ("X-Mine", "1"),
            ("x-mine", "2"),
            ("X-Other", "3"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("X-Forwarded-Host", "h"),
            ("Authorization", "Bearer t"),
            ("Cookie", "c=1"),
            ("Content-Type", "text/plain"),
        ],
    ));
    assert!(!sent.fields.has("X-Mine") && !sent.fields.has("Connection"));
    for (name, value) in [
        ("X-Other", "3"),
        ("X-Forwarded-For", "10.0.0.1, 192.0.2.7"),
        ("X-Forwarded-Host", "h"),
        ("Authorization", "Bearer t"),
        ("Cookie", "c=1"),
        ("Content-Type", "text/plain"),
        ("Host", "up.example:8080"),
    ] {
        assert_eq!(sent.fields.one(name), value);
    }
    assert!(sent.fields.has("X-Amzn-Trace-Id"));
}

#[test]
fn a_trace_header_is_honoured() {
    // 1.3: kept as it is with a parent; with Root alone, a parent is made.
    let full = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    let long = format!("Root={}", "x".repeat(300));
    let of = |value: &str| {
        let sent = plain().sends(&head("GET /prod/x", &[("x-amzn-trace-id", value)]));
        sent.fields.one("X-Amzn-Trace-Id").to_owned()
    };
    assert_eq!(of(full), full);
    assert!(of(root).starts_with(&format!("{root};Parent=")) && of(root).ends_with(";Sampled=0"));
    assert!(of("garbage").starts_with("Root=1-6553f100-"));
    assert!(of(&long).starts_with("Root=1-6553f100-"));
}

#[test]
fn the_uris_own_query_goes_first_then_the_callers_then_mapped_ones() {
    // 6.1, recorded: duplicates are all sent.
    let mappings = [
        ("integration.request.path.id", "method.request.path.id"),
        ("integration.request.querystring.a", "method.request.header.X-A"),
        ("integration.request.querystring.gone", "method.request.header.X-None"),
    ];
    let mut driver = mapped("http://up.example/r/{id}?v={id}&a=0", &mappings);
    let sent = driver.sends(&head("GET /prod/pets/7?a=1&b=2", &[("X-A", "3 4&5")]));
    assert_eq!(sent.target, "/r/7?v=7&a=0&a=1&b=2&a=3%204%265");
    let sent = driver.sends(&head("GET /prod/pets/7", &[]));
    assert_eq!(sent.target, "/r/7?v=7&a=0");
    let sent = driver.sends(&head("GET /prod/pets/7?", &[]));
    assert_eq!(sent.target, "/r/7?v=7&a=0");
    // A path segment may hold what would part a query.
    let sent = driver.sends(&head("GET /prod/pets/7&admin=1;x+y", &[]));
    assert_eq!(sent.target, "/r/7&admin=1;x+y?v=7%26admin=1%3Bx%2By&a=0");
}

#[test]
fn unmapped_and_absent_placeholders_stay_in_a_form_a_request_line_can_carry() {
    // 6.1: unmapped placeholders stay literally.
    let mappings = [("integration.request.path.who", "method.request.querystring.who")];
    let mut driver = mapped("http://up.example/{who}/{id}/a|b", &mappings);
    for (query, want) in
        [("", "/%7Bwho%7D/%7Bid%7D/a%7Cb"), ("?who=me", "/me/%7Bid%7D/a%7Cb?who=me")]
    {
        let sent = driver.sends(&head(&format!("GET /prod/pets/7{query}"), &[]));
        assert_eq!(sent.target, want);
    }
}

#[test]
fn mapped_values_come_from_where_the_expression_says() {
    // 6.1's table; 3: last of repeated, decoded once, header names exact.
    let target = "integration.request.header.X-Got";
    for (source, line, fields, want) in [
        ("method.request.path.id", "GET /prod/pets/a%20b", &[][..], &["a%20b"][..]),
        ("method.request.querystring.q", "GET /prod/pets/7?q=1&q=a+b%2B", &[], &["a b+"]),
        ("method.request.querystring.q", "GET /prod/pets/7?Q=1", &[], &[]),
        ("method.request.querystring.q", "GET /prod/pets/7?q=", &[], &[]),
        ("method.request.querystring.q", "GET /prod/pets/7?x=1;q=2", &[], &["2"]),
        ("method.request.multivaluequerystring.q", "GET /prod/pets/7?q=1&q=2", &[], &["1", "2"]),
        ("method.request.header.X-A", "GET /prod/pets/7", &[("X-A", "1"), ("X-A", "2")], &["2"]),
        ("method.request.header.X-A", "GET /prod/pets/7", &[("x-a", "1")], &[]),
        (
            "method.request.multivalueheader.X-A",
            "GET /prod/pets/7",
            &[("X-A", "1"), ("X-A", "2")],
            &["1,2"],
        ),
        ("context.apiId", "GET /prod/pets/7", &[], &[API]),
        ("context.stage", "GET /prod/pets/7", &[], &["prod"]),
        ("context.resourcePath", "GET /prod/pets/7", &[], &["/pets/{id}"]),
        ("context.path", "GET /prod/pets/7", &[], &["/prod/pets/7"]),
        ("context.httpMethod", "PATCH /prod/pets/7", &[], &["PATCH"]),
        ("context.identity.sourceIp", "GET /prod/pets/7", &[], &["192.0.2.7"]),
        ("context.accountId", "GET /prod/pets/7", &[], &["000000000000"]),
        ("context.domainName", "GET /prod/pets/7", &[], &[HOST]),
        ("context.domainPrefix", "GET /prod/pets/7", &[], &[API]),
        ("context.protocol", "GET /prod/pets/7", &[], &["HTTP/1.1"]),
        ("context.isCanaryRequest", "GET /prod/pets/7", &[], &[]),
        ("'fixed, text'", "GET /prod/pets/7", &[], &["fixed, text"]),
        ("stageVariables.none", "GET /prod/pets/7", &[], &[]),
    ] {
        let sent = mapped(URI, &[(target, source)]).sends(&head(line, fields));
        assert_eq!(sent.fields.all("X-Got"), want, "{source} of {line}");
    }
}

#[test]
fn a_mapped_header_replaces_the_callers_also_under_an_alias() {
    // 6.1: mapped headers override client ones. Threats row 13 for the aliases.
    let mappings = [("integration.request.header.X-User-Id", "method.request.querystring.user")];
    let mut driver = mapped(URI, &mappings);
    for name in ["X-User-Id", "x-user-id", "X_User_Id", "x.user-id"] {
        let sent = driver.sends(&head("GET /prod/pets/7?user=me", &[(name, "evil")]));
        assert_eq!(sent.fields.one("X-User-Id"), "me");
        assert!(!sent.fields.0.iter().any(|(_, v)| v == "evil"), "{name}: {:?}", sent.fields);
        // Without a value the mapping is skipped; an alias is no header that the caller might have meant.
        let sent = driver.sends(&head("GET /prod/pets/7", &[(name, "own")]));
        let passes = name.eq_ignore_ascii_case("X-User-Id");
        assert_eq!(
            sent.fields.0.iter().any(|(_, v)| v == "own"),
            passes,
            "{name}: {:?}",
            sent.fields
        );
    }
    // What the gateway would say is never the caller's to say.
    let mappings = [("integration.request.header.X-User-Id", "context.identity.user")];
    let sent = mapped(URI, &mappings).sends(&head("GET /prod/pets/7", &[("X-User-Id", "evil")]));
    assert!(!sent.fields.0.iter().any(|(_, v)| v == "evil"), "{:?}", sent.fields);
}

#[test]
fn mapped_headers_reach_the_upstream_but_for_those_dropped_after_mapping() {
    // 4.3, recorded.
    for name in [
        "Content-MD5",
        "Date",
        "Max-Forwards",
        "Server",
        "User-Agent",
        "WWW-Authenticate",
        "Range",
        "Authorization",
        "Accept",
        "Referer",
    ] {
        let target = format!("integration.request.header.{name}");
        let sent = mapped(URI, &[(&target, "'mapped'")])
            .sends(&head("GET /prod/pets/7", &[(name, "caller")]));
        assert_eq!(sent.fields.one(name), "mapped");
    }
    for name in ["Expect", "Proxy-Authenticate", "TE", "Via"] {
        let target = format!("integration.request.header.{name}");
        let sent = mapped(URI, &[(&target, "'mapped'")]).sends(&head("GET /prod/pets/7", &[]));
        assert!(!sent.fields.has(name), "{name}");
    }
    // A default is added where a mapping gave nothing.
    for (name, want) in
        [("Accept", "application/json"), ("User-Agent", "AmazonAPIGateway_abcde12345")]
    {
        let target = format!("integration.request.header.{name}");
        let mut driver = mapped(URI, &[(&target, "method.request.querystring.none")]);
        assert_eq!(driver.sends(&head("GET /prod/pets/7", &[])).fields.one(name), want);
    }
}

#[test]
fn a_value_cannot_break_out_of_its_place() {
    let header = ("integration.request.header.X-Got", "method.request.querystring.q");
    for query in ["a%0d%0aX-Evil:%201", "a%0a", "a%00", "%0d", "a%7f", "%1b"] {
        let answer =
            mapped(URI, &[header]).answers(&head(&format!("GET /prod/pets/7?q={query}"), &[]));
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.failure, Some("BAD_REQUEST_PARAMETERS"), "{query}");
        assert_eq!(answer.fields.one("x-amzn-ErrorType"), "BadRequestException");
    }
    let path = ("integration.request.path.id", "method.request.querystring.q");
    let mut driver = mapped("http://up.example/private/{id}/x", &[path]);
    for (value, want) in [
        ("a%0d%0ab%20HTTP/1.1", Some("/private/a%0D%0Ab%20HTTP/1.1/x")),
        ("a%3Fb%23c%25", Some("/private/a%3Fb%23c%25/x")),
        ("%25%32e%25%32e", Some("/private/%252e%252e/x")),
        ("%C3%A4", Some("/private/%C3%A4/x")),
        // Out of the URI's own path: refused.
        ("..", None),
        ("%2e%2e", None),
        (".", None),
        ("a/../../b", None),
        ("..;x", None),
    ] {
        let got = driver.decide(&head(&format!("GET /prod/pets/7?q={value}"), &[])).brief();
        let want = want
            .map_or(r#"400 {"message": "Invalid request parameter value"}"#.to_owned(), |target| {
                format!("> {target}?q={value}")
            });
        assert_eq!(got, want, "{value}");
    }
}

#[test]
fn static_text_of_a_path_stays_encoded_as_written() {
    let mappings = [("integration.request.path.id", "'a%20b c?d'")];
    let sent = mapped("http://up.example/{id}", &mappings).sends(&head("GET /prod/pets/7", &[]));
    assert_eq!(sent.target, "/a%20b%20c%3Fd");
}

#[test]
fn the_integrations_method_replaces_the_callers() {
    // 10.1
    for (integration, caller, want) in
        [("", "PUT", "PUT"), ("ANY", "PUT", "PUT"), ("POST", "GET", "POST")]
    {
        let mut proxy = http_proxy(URI, &[]);
        proxy.http_method = integration.into();
        let mut driver = Driver::new(vec![resource("/x", "ANY", proxy)]);
        assert_eq!(driver.sends(&head(&format!("{caller} /prod/x"), &[])).method, want);
    }
}

#[test]
fn the_limit_is_the_integrations_or_awss() {
    let mut proxy = http_proxy(URI, &[]);
    proxy.timeout_ms = 50;
    let mut driver = Driver::new(vec![resource("/x", "ANY", proxy)]);
    assert_eq!(driver.sends(&head("GET /prod/x", &[])).timeout_ms, 50);
}
