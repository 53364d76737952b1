//! Lambda end to end: a double of the Invoke API stands where `AWS_ENDPOINT_URL_LAMBDA` says, and runs a function of a few lines.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use serde_json::{Value, json};
use support::{
    Answer, Gateway, Options, Upstream, bundle, objects, on_both, pairs, read_request, request,
    resource,
};
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::integration::endpoints::Endpoints;
use tidegate_engine::integration::sigv4::Keys;
use tidegate_node::rt::Driver;
use tidegate_proto::v1;

/// Invoke as Lambda answers it: 200 with the function's answer, and a header when the function failed; 202 for events; 403 and 429
/// where the function's name asks for them.
fn invoke_api() -> Upstream {
    Upstream::scripted(Arc::new(|_, stream: &mut TcpStream, seen: &Sender<String>| {
        while let Some(request) = read_request(stream) {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            let name = head.split(['/', ' ', ':']).skip_while(|part| *part != "function").nth(1);
            let (status, field, answer) = match name.unwrap() {
                "echo" => ("200 OK", "", echo(body)),
                "fails" => (
                    "200 OK",
                    "X-Amz-Function-Error: Unhandled\r\n",
                    r#"{"errorMessage":"boom","errorType":"Error"}"#.to_owned(),
                ),
                "denied" => ("403 Forbidden", "", r#"{"Message":"no"}"#.to_owned()),
                "busy" => {
                    ("429 Too Many Requests", "", r#"{"message":"Rate Exceeded"}"#.to_owned())
                }
                "later" => ("202 Accepted", "", String::new()),
                _ => ("200 OK", "", "not what API Gateway expects".to_owned()),
            };
            let length = answer.len();
            let text = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{field}Content-Length: {length}\r\n\r\n{answer}"
            );
            seen.send(request.clone()).unwrap_or_default();
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }))
}

/// A function that answers 201 with what it got.
fn echo(event: &str) -> String {
    let event: Value = serde_json::from_str(event).unwrap();
    let shown = json!({
        "method": event["httpMethod"], "path": event["path"], "query": event["queryStringParameters"],
        "body": event["body"], "base64": event["isBase64Encoded"],
    });
    let (body, is_base64) = match event["isBase64Encoded"] {
        Value::Bool(true) => (event["body"].clone(), true),
        _ => (Value::String(shown.to_string()), false),
    };
    json!({
        "statusCode": 201,
        "headers": {"X-Function": "echo", "Content-Type": event["headers"]["Content-Type"]},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": body,
        "isBase64Encoded": is_base64,
    })
    .to_string()
}

fn function(r#type: v1::IntegrationType, name: &str) -> v1::Integration {
    v1::Integration {
        r#type: r#type.into(),
        http_method: "POST".into(),
        uri: format!(
            "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:{name}/invocations"
        ),
        timeout_ms: 2_000,
        ..Default::default()
    }
}

fn gateway(driver: Driver, lambda: &Upstream, resources: Vec<v1::Resource>) -> Gateway {
    let mut options = Options::on(driver);
    let variable = ("AWS_ENDPOINT_URL_LAMBDA".to_owned(), lambda.url(""));
    options.endpoints = Endpoints::read([variable].into_iter()).unwrap();
    let keys = Keys { id: "AKIDEXAMPLE".into(), secret: "secret".into(), token: None };
    options.credentials = Credentials { own: Some(keys), ..Credentials::default() };
    let mut made = bundle(resources);
    made.binary_media_types = vec!["image/png".into()];
    Gateway::serving(options, objects(&made))
}

#[test]
fn a_function_answers_for_the_whole_api() {
    on_both(|driver| {
        let lambda = invoke_api();
        let echo = function(v1::IntegrationType::AwsProxy, "echo");
        let gateway = gateway(driver, &lambda, vec![resource("/{proxy+}", "ANY", echo)]);
        let fields = "Content-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n";
        let text = request("PUT", "/a/b?q=1&q=2", fields, "hello");
        let answer = Answer::parse(&gateway.raw(text.as_bytes()));
        assert_eq!(answer.status, 201, "{answer:?}");
        let shown: Value = serde_json::from_str(&answer.body).unwrap();
        let want = json!({
            "method": "PUT", "path": "/a/b", "query": {"q": "2"}, "body": "hello", "base64": false,
        });
        assert_eq!(shown, want);
        assert_eq!(answer.field("x-function"), Some("echo"));
        assert_eq!(answer.field("content-type"), Some("text/plain"));
        let cookies: Vec<_> = answer
            .fields
            .iter()
            .filter(|(n, _)| n == "set-cookie")
            .map(|(_, v)| v.as_str())
            .collect();
        assert_eq!(cookies, ["a=1", "b=2"]);

        let seen = lambda.next();
        assert!(seen.starts_with(
            "POST /2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:echo/invocations HTTP/1.1\r\n"
        ));
        assert!(seen.contains("Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{seen}");
        assert!(seen.contains("/us-east-1/lambda/aws4_request"), "{seen}");
    });
}

#[test]
fn binary_goes_both_ways_as_base64() {
    on_both(|driver| {
        let lambda = invoke_api();
        let echo = function(v1::IntegrationType::AwsProxy, "echo");
        let gateway = gateway(driver, &lambda, vec![resource("/image", "ANY", echo)]);
        let fields = "Content-Type: image/png\r\nAccept: image/png\r\nContent-Length: 3\r\nConnection: close\r\n";
        let answer =
            Answer::parse(&gateway.raw(request("POST", "/image", fields, "png").as_bytes()));
        assert_eq!((answer.status, answer.body.as_str()), (201, "png"));
        assert!(lambda.next().contains(r#""body":"cG5n","isBase64Encoded":true"#));
    });
}

#[test]
fn each_way_of_failing_has_its_status() {
    on_both(|driver| {
        let lambda = invoke_api();
        let resources = ["fails", "denied", "busy", "nonsense"]
            .map(|name| {
                let function = function(v1::IntegrationType::AwsProxy, name);
                resource(&format!("/{name}"), "GET", function)
            })
            .into();
        let gateway = gateway(driver, &lambda, resources);
        for (path, status) in
            [("/fails", 502), ("/denied", 500), ("/busy", 500), ("/nonsense", 502)]
        {
            let answer = gateway.get(path);
            assert_eq!(answer.status, status, "{path}");
            assert_eq!(answer.body, r#"{"message": "Internal server error"}"#, "{path}");
        }
    });
}

#[test]
fn a_custom_integration_maps_errors_and_invokes_events() {
    on_both(|driver| {
        let lambda = invoke_api();
        let response = |status: &str, pattern: &str| v1::IntegrationResponse {
            status_code: status.into(),
            selection_pattern: pattern.into(),
            ..Default::default()
        };
        let mut failing = function(v1::IntegrationType::Aws, "fails");
        failing.responses = vec![response("200", ""), response("400", ".*oo.*")];
        let mut later = function(v1::IntegrationType::Aws, "later");
        later.responses = vec![response("200", "")];
        later.request_parameters =
            pairs(&[("integration.request.header.X-Amz-Invocation-Type", "'Event'")]);
        let mut resources =
            vec![resource("/fails", "POST", failing), resource("/later", "POST", later)];
        resources[0].methods[0]
            .responses
            .push(v1::MethodResponse { status_code: "400".into(), ..Default::default() });
        let gateway = gateway(driver, &lambda, resources);
        let fields = "Content-Length: 7\r\nConnection: close\r\n";
        let send = |path: &str| {
            Answer::parse(&gateway.raw(request("POST", path, fields, r#"{"a":1}"#).as_bytes()))
        };
        let failed = send("/fails");
        assert_eq!(failed.status, 400, "{failed:?}");
        assert!(failed.body.contains("boom"));
        assert!(lambda.next().ends_with(r#"{"a":1}"#));
        let accepted = send("/later");
        assert_eq!((accepted.status, accepted.body.as_str()), (200, ""));
        assert!(lambda.next().contains("X-Amz-Invocation-Type: Event\r\n"));
    });
}
