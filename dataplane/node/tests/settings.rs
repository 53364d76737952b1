//! What an API is given beyond AWS, end to end: its own payload limit, CORS, and answers checked against models.

mod support;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use support::{
    Answer, Gateway, Options, Upstream, bundle, http_proxy, objects, on_both, pairs, request,
    resource,
};
use tidegate_node::telemetry::Mismatches;
use tidegate_proto::v1;

#[test]
fn a_body_without_a_length_ends_at_the_apis_own_limit() {
    on_both(|driver| {
        let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        let mut bundle =
            bundle(vec![resource("/in", "POST", http_proxy(&upstream.url("/in"), &[]))]);
        let limits = v1::ApiLimits { payload_bytes: Some(1_000), ..Default::default() };
        bundle.settings = Some(v1::ApiSettings { limits: Some(limits), ..Default::default() });
        let gateway = Gateway::serving(Options::on(driver), objects(&bundle));
        // With the head, and in many reads.
        for (bytes, want) in [(1_000, 200), (1_001, 413), (200_000, 413)] {
            let body = format!("{bytes:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(bytes));
            let fields = "Transfer-Encoding: chunked\r\nConnection: close\r\n";
            let answer =
                Answer::parse(&gateway.raw(request("POST", "/in", fields, &body).as_bytes()));
            assert_eq!(answer.status, want, "{bytes}");
            if want == 413 {
                assert_eq!(answer.body, "HTTP content length exceeded 1000 bytes.");
            } else {
                upstream.next();
            }
        }
        // An upstream never takes a part for the whole.
        upstream.saw_nothing();
    });
}

#[test]
fn preflights_have_no_body_and_no_length_and_the_connection_goes_on() {
    on_both(|driver| {
        let mut bundle = bundle(vec![resource("/in", "POST", support::mock("fine"))]);
        let cors =
            v1::Cors { allow_origins: vec!["https://app.example".into()], ..Default::default() };
        bundle.settings = Some(v1::ApiSettings { cors: Some(cors), ..Default::default() });
        let gateway = Gateway::serving(Options::on(driver), objects(&bundle));
        let origin = "Origin: https://app.example\r\n";
        let asks = format!("{origin}Access-Control-Request-Method: POST\r\n");
        let two = request("OPTIONS", "/in", &asks, "")
            + &request("GET", "/nope", &format!("{origin}Connection: close\r\n"), "");
        let text = gateway.raw(two.as_bytes());
        let (preflight, rest) = text.split_once("\r\n\r\n").unwrap();
        assert!(preflight.starts_with("HTTP/1.1 204 No Content\r\n"), "{preflight}");
        assert!(!preflight.to_ascii_lowercase().contains("content-length"), "{preflight}");
        let refused = Answer::parse(rest);
        assert_eq!(refused.status, 403);
        for seen in [preflight, rest] {
            assert!(
                seen.contains("Access-Control-Allow-Origin: https://app.example\r\n"),
                "{seen}"
            );
        }
    });
}

#[test]
fn answers_that_do_not_fit_are_told_of_and_counted() {
    on_both(|driver| {
        let upstream = Upstream::answering(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
             4\r\n{\"na\r\n6\r\nme\":1}\r\n0\r\n\r\n",
        );
        let checked = |path: &str, mode: &str| {
            let mut made = resource(path, "GET", http_proxy(&upstream.url("/"), &[]));
            made.methods[0].response_validation = mode.into();
            made.methods[0].responses[0].models = pairs(&[("application/json", "Pet")]);
            made
        };
        let mut bundle = bundle(vec![checked("/enforced", "enforce"), checked("/logged", "log")]);
        bundle.models = vec![v1::Model {
            name: "Pet".into(),
            content_type: "application/json".into(),
            schema: r#"{"type":"object","properties":{"name":{"type":"string"}}}"#.into(),
        }];
        let (lines, told) = channel();
        let lines = std::sync::Mutex::new(lines);
        let print = Arc::new(move |line: &str| {
            lines.lock().unwrap().send(line.to_owned()).unwrap_or_default();
        });
        let mismatches = Some(Mismatches::start(print).unwrap());
        let options = Options { mismatches, ..Options::on(driver) };
        let gateway = Gateway::serving(options, objects(&bundle));
        for (path, status, body) in [
            ("/logged", 200, r#"{"name":1}"#),
            ("/enforced", 502, r#"{"message": "Invalid response body"}"#),
            ("/logged", 200, r#"{"name":1}"#),
        ] {
            let answer = gateway.get(path);
            assert_eq!((answer.status, answer.body.as_str()), (status, body));
        }
        for path in ["/logged", "/enforced"] {
            let line = told.recv_timeout(Duration::from_secs(10)).unwrap();
            let want =
                format!("response mismatch: GET {path} 200 does not fit model Pet: at /name: ");
            assert!(line.starts_with(&want), "{line}");
        }
        let mut text = String::new();
        gateway.node().render_metrics(&mut text);
        let api = support::API;
        for want in [
            format!(
                "gateway_response_mismatches_total{{api=\"{api}\",stage=\"prod\",http_request_method=\"GET\",http_response_status_code=\"200\"}} 2"
            ),
            format!(
                "gateway_response_mismatches_total{{api=\"{api}\",stage=\"prod\",http_request_method=\"GET\",http_response_status_code=\"502\",error_type=\"BAD_RESPONSE_BODY\"}} 1"
            ),
        ] {
            assert!(text.lines().any(|line| line == want), "{want} is not in\n{text}");
        }
        assert!(told.try_recv().is_err(), "the second of a kind is not told of");
    });
}
