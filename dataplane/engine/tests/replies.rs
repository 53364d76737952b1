//! What a caller gets of an upstream's answer, and of every way a call or a request can fail.
//!
//! Sources: rest-api-runtime.md sections 1.2, 1.3, 4.4 and 5; 10.1 for problems of integrations.

mod support;

use support::{API, Driver, head, http_proxy, mock, reply, resource};
use tidegate_engine::CallError;
use tidegate_engine::head::BodySize;

fn driver() -> Driver {
    Driver::new(vec![resource("/x", "ANY", http_proxy("http://up.example/", &[]))])
}

#[test]
fn recorded_names_are_remapped_dropped_or_passed() {
    for name in ["Connection", "Content-Length", "Date", "Server"] {
        let upstream = reply(200, BodySize::Known(3), &[(name, "sentinel")]);
        let answer = driver().replies(&head("GET /prod/x", &[]), Ok(&upstream));
        assert!(!answer.fields.has(name), "{name}: {:?}", answer.fields);
        let renamed = format!("x-amzn-Remapped-{name}");
        assert!(
            answer.fields.0.contains(&(renamed, "sentinel".into())),
            "{name}: {:?}",
            answer.fields
        );
    }
    for name in ["Transfer-Encoding", "Via", "Keep-Alive", "Proxy-Connection", "Trailer", "Upgrade"]
    {
        let upstream = reply(200, BodySize::Known(3), &[(name, "sentinel")]);
        let answer = driver().replies(&head("GET /prod/x", &[]), Ok(&upstream));
        assert!(
            !answer.fields.0.iter().any(|(_, v)| v == "sentinel"),
            "{name}: {:?}",
            answer.fields
        );
    }
    for name in [
        "Age",
        "Accept",
        "Accept-Charset",
        "Accept-Encoding",
        "Authorization",
        "Cache-Control",
        "Content-Encoding",
        "Content-MD5",
        "Content-Type",
        "ETag",
        "Location",
        "Pragma",
        "Range",
        "Referer",
        "Set-Cookie",
        "User-Agent",
        "WWW-Authenticate",
        "Warn",
        "X-Amzn-Trace-Id",
        "X-Anything",
    ] {
        let upstream = reply(200, BodySize::Known(3), &[(name, "sentinel")]);
        let answer = driver().replies(&head("GET /prod/x", &[]), Ok(&upstream));
        assert_eq!(answer.fields.one(name), "sentinel", "{name}");
    }
}

#[test]
fn an_answer_carries_the_gateways_ids_and_the_upstreams_under_another_name() {
    // 1.3; 4.4: a backend's x-amzn-RequestId is remapped.
    let upstream = reply(
        201,
        BodySize::Known(3),
        &[("x-amzn-RequestId", "theirs"), ("Set-Cookie", "a"), ("Set-Cookie", "b")],
    );
    let answer = driver().replies(&head("GET /prod/x", &[]), Ok(&upstream));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.fields.one("x-amzn-Remapped-x-amzn-RequestId"), "theirs");
    assert_eq!(answer.fields.one("x-amzn-RequestId").len(), 36);
    assert!(answer.fields.one("x-amz-apigw-id").ends_with('='));
    assert_eq!(answer.fields.all("Set-Cookie"), ["a", "b"]);
    assert_eq!(answer.fields.one("Content-Type"), "application/json", "the default");
    assert!(!answer.fields.has("X-Amzn-Trace-Id"), "not for HTTP_PROXY");
    assert!(!answer.fields.has("x-amzn-ErrorType"));
}

#[test]
fn a_callers_request_id_is_taken_over_if_it_is_a_uuid() {
    // 1.3
    let sent = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let upstream = reply(200, BodySize::Empty, &[]);
    for (value, taken) in [(sent, true), ("nonsense", false)] {
        let answer =
            driver().replies(&head("GET /prod/x", &[("x-amzn-RequestId", value)]), Ok(&upstream));
        assert_eq!(answer.fields.one("x-amzn-RequestId") == value, taken, "{value}");
    }
}

#[test]
fn an_upstreams_connection_field_removes_its_own() {
    let fields = [("Connection", "X-Hop"), ("X-Hop", "1"), ("X-End", "2")];
    let answer =
        driver().replies(&head("GET /prod/x", &[]), Ok(&reply(200, BodySize::Known(1), &fields)));
    assert!(!answer.fields.has("X-Hop"));
    assert_eq!(answer.fields.one("X-End"), "2");
}

#[test]
fn every_failed_call_is_answered_in_awss_words() {
    // 10.1
    for (error, status, kind, body) in [
        (
            CallError::Network,
            504,
            "INTEGRATION_FAILURE",
            r#"{"message": "Network error communicating with endpoint"}"#,
        ),
        (
            CallError::Timeout,
            504,
            "INTEGRATION_TIMEOUT",
            r#"{"message": "Endpoint request timed out"}"#,
        ),
        (
            CallError::Unresolved,
            500,
            "API_CONFIGURATION_ERROR",
            r#"{"message": "Internal server error"}"#,
        ),
        (
            CallError::Denied,
            500,
            "API_CONFIGURATION_ERROR",
            r#"{"message": "Internal server error"}"#,
        ),
        (
            CallError::RequestTooLarge,
            413,
            "REQUEST_TOO_LARGE",
            "HTTP content length exceeded 10485760 bytes.",
        ),
        (CallError::BadRequestBody, 400, "DEFAULT_4XX", r#"{"message": "Bad Request"}"#),
    ] {
        let answer = driver().replies(&head("GET /prod/x", &[]), Err(error));
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{error:?}");
        assert_eq!(answer.failure, Some(kind), "{error:?}");
        let error_type = match status {
            413 => "RequestTooLargeException",
            400 => "BadRequestException",
            _ => "InternalServerErrorException",
        };
        assert_eq!(answer.fields.one("x-amzn-ErrorType"), error_type);
        let media = if status == 413 { "text/plain" } else { "application/json" };
        assert_eq!(answer.fields.one("Content-Type"), media);
        assert_eq!(answer.fields.one("x-amzn-RequestId").len(), 36);
        assert!(answer.fields.has("x-amz-apigw-id"));
    }
}

#[test]
fn every_refusal_of_a_request_has_its_status_body_and_type() {
    // 5.1, 5.3; 1.2 for the spacing of the two voices.
    let mut never = mock(&[], vec![]);
    never.passthrough_behavior = "NEVER".into();
    let bad = http_proxy(
        "http://up.example/",
        &[("integration.request.header.X", "method.request.querystring.q")],
    );
    let broken =
        http_proxy("http://up.example/", &[("integration.request.header.Content-Length", "'1'")]);
    let mut driver = Driver::new(vec![
        resource("/x", "GET", http_proxy("http://up.example/", &[])),
        resource("/never", "GET", never),
        resource("/bad", "GET", bad),
        resource("/broken", "GET", broken),
    ]);
    let other = [("Host", "zzz.execute-api.localhost")];
    for (line, fields, status, error, body) in [
        ("GET /prod/x", &other[..], 403, "ForbiddenException", r#"{"message":"Forbidden"}"#),
        ("GET /nope/x", &[], 403, "ForbiddenException", r#"{"message":"Forbidden"}"#),
        (
            "GET /prod/nope",
            &[],
            403,
            "MissingAuthenticationTokenException",
            r#"{"message":"Missing Authentication Token"}"#,
        ),
        (
            "PUT /prod/x",
            &[],
            403,
            "MissingAuthenticationTokenException",
            r#"{"message":"Missing Authentication Token"}"#,
        ),
        ("GET /prod/../x", &[], 400, "BadRequestException", r#"{"message":"Bad Request"}"#),
        (
            "GET /prod/bad?q=%0a",
            &[],
            400,
            "BadRequestException",
            r#"{"message": "Invalid request parameter value"}"#,
        ),
        (
            "GET /prod/never",
            &[],
            415,
            "BadRequestException",
            r#"{"message": "Unsupported Media Type"}"#,
        ),
        (
            "GET /prod/broken",
            &[],
            500,
            "InternalServerErrorException",
            r#"{"message": "Internal server error"}"#,
        ),
    ] {
        let answer = driver.answers(&head(line, fields));
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{line}");
        assert_eq!(answer.fields.one("x-amzn-ErrorType"), error, "{line}");
        assert_eq!(answer.fields.one("Content-Type"), "application/json", "{line}");
        assert_eq!(answer.fields.one("x-amzn-RequestId").len(), 36);
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_by_its_length_behind_the_api_and_before_the_stage() {
    // 1.1, rows 1 to 3; 5.3 for the plain text.
    let mut driver = driver();
    driver.listener.max_body = 10;
    for (host, line, length, want) in [
        (None, "POST /prod/x", 10, "> /"),
        (None, "POST /prod/x", 11, "413 HTTP content length exceeded 10 bytes."),
        (None, "POST /nope/x", 11, "413 HTTP content length exceeded 10 bytes."),
        (Some("zzz.execute-api.localhost"), "POST /prod/x", 11, r#"403 {"message":"Forbidden"}"#),
    ] {
        let fields: Vec<_> = host.map(|h| ("Host", h)).into_iter().collect();
        let mut head = head(line, &fields);
        head.body = BodySize::Known(length);
        assert_eq!(driver.decide(&head).brief(), want, "{line} {length}");
    }
}

#[test]
fn the_record_of_an_exchange_names_what_served() {
    let mut driver = driver();
    let request = head("GET /prod/x", &[]);
    let relay = driver.relay(&request);
    let upstream = reply(200, BodySize::Known(3), &[]);
    let answer = relay.reply(&mut driver.cx(), &request, Ok(&upstream));
    let cx = driver.cx();
    let record = answer.finish(&cx, &request, tidegate_engine::Counts::default());
    assert_eq!((record.api, record.stage, record.route), (API, "prod", "/x"));
    assert_eq!((record.deployment, record.status, record.error), ("dep-base", 200, None));
}
