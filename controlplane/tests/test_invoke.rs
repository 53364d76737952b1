//! Test calls of methods, with real upstreams on loopback: good, slow, dead, huge and malformed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Control, upstream};

/// An API with `ANY /pets/{id}` that proxies to a path of an upstream.
struct Tested {
    control: Control,
    method: String,
}

impl Tested {
    fn new(upstream: SocketAddr, path: &str, timeout_ms: u32) -> Self {
        let control = Control::start();
        let made = |method: &str, target: &str, body: Value| {
            let answer = control.send(method, target, &body.to_string());
            assert_eq!(answer.status, 201, "{target}: {}", answer.body);
            answer.json()
        };
        let api = made("POST", "/restapis", json!({ "name": "pets" }));
        let (id, root) = (api["id"].as_str().unwrap(), api["rootResourceId"].as_str().unwrap());
        let at = format!("/restapis/{id}/resources");
        let pets = made("POST", &format!("{at}/{root}"), json!({ "pathPart": "pets" }));
        let pets = pets["id"].as_str().unwrap();
        let pet = made("POST", &format!("{at}/{pets}"), json!({ "pathPart": "{id}" }));
        let method = format!("{at}/{}/methods/ANY", pet["id"].as_str().unwrap());
        let parameters = json!({ "method.request.path.id": true });
        made(
            "PUT",
            &method,
            json!({ "authorizationType": "AWS_IAM", "apiKeyRequired": true, "requestParameters": parameters }),
        );
        made(
            "PUT",
            &format!("{method}/integration"),
            json!({
                "type": "HTTP_PROXY",
                "httpMethod": "ANY",
                "uri": format!("http://{upstream}{path}"),
                "timeoutInMillis": timeout_ms,
                "requestParameters": { "integration.request.path.id": "method.request.path.id" },
            }),
        );
        // A method without an integration, which is not tested.
        made("PUT", &format!("{at}/{pets}/methods/GET"), json!({ "authorizationType": "NONE" }));
        Self { control, method }
    }

    fn invoke(&self, verb: &str, request: &Value) -> Value {
        let target = self.method.replace("ANY", verb);
        let answer = self.control.send("POST", &target, &request.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }
}

/// The events of a log, without their times, the request id and the upstream's port.
fn events(invoked: &Value, upstream: SocketAddr) -> Vec<String> {
    let log = invoked["log"].as_str().unwrap();
    assert!(log.ends_with('\n'), "{log}");
    let mut lines = log.lines();
    let first = lines.next().unwrap();
    let id = first.strip_prefix("Execution log for request ").unwrap();
    assert_eq!(id.len(), 36, "{first}");
    let event = |line: &str| {
        let (time, event) = line.split_once(" : ").unwrap();
        assert!(time.len() == 28 && time.contains(" UTC "), "{time}");
        event.replace(id, "ID").replace(&upstream.to_string(), "UPSTREAM")
    };
    lines.map(event).collect()
}

#[test]
fn a_proxied_call_is_made_and_told_in_full() {
    let address = upstream::start();
    let tested = Tested::new(address, "/echo/{id}?own=1", 5_000);
    let invoked = tested.invoke(
        "ANY",
        &json!({
            "pathWithQueryString": "/pets/7?page=2&page=3",
            "body": "{\"a\": 1}",
            "headers": { "X-One": "1", "Authorization": "Bearer abcdefghijklmnop", "Content-Type": "text/plain" },
            "multiValueHeaders": { "X-Two": ["2", "3"], "x-one": ["4"] },
        }),
    );
    assert_eq!(invoked["status"], 200);
    assert_eq!(invoked["headers"]["Content-Type"], "application/json");
    assert!(invoked["headers"].get("x-amzn-RequestId").is_none(), "{}", invoked["headers"]);
    assert!(invoked["headers"].get("Content-Length").is_none(), "{}", invoked["headers"]);
    assert!(invoked["latency"].is_u64());
    let seen: Value = serde_json::from_str(invoked["body"].as_str().unwrap()).unwrap();
    assert_eq!(seen["line"], "POST /echo/7?own=1&page=2&page=3 HTTP/1.1");
    assert_eq!(seen["body"], "{\"a\": 1}");
    assert_eq!(seen["headers"]["host"], address.to_string());
    assert_eq!(seen["headers"]["content-type"], "application/json");
    assert_eq!((&seen["headers"]["x-one"], &seen["headers"]["x-two"]), (&json!("4"), &json!("3")));

    let told = events(&invoked, address);
    let shown: Vec<&str> = told
        .iter()
        .map(|event| match event.split_once(": ") {
            // Whose values hold the trace id, the time or the latency.
            Some((name, _)) if name.starts_with("Endpoint re") || name.contains("after") => name,
            Some((name, _))
                if name.starts_with("Received") || name == "Method response headers" =>
            {
                name
            }
            _ => event,
        })
        .collect();
    assert_eq!(
        shown,
        [
            "Starting execution for request: ID",
            "HTTP Method: POST, Resource Path: /pets/7",
            "Method request path: {id=7}",
            "Method request query string: {page=3}",
            "Method request headers: {Authorization=*****************klmnop, Content-Type=text/plain, X-Two=2,3, x-one=4}",
            "Method request body before transformations: {\"a\": 1}",
            "Endpoint request URI",
            "Endpoint request headers",
            "Endpoint request body after transformations",
            "Sending request to http://UPSTREAM/echo/7?own=1&page=2&page=3",
            "Received response. Status",
            "Endpoint response headers",
            "Endpoint response body before transformations",
            "Method response body after transformations",
            "Method response headers",
            "Successfully completed execution",
            "Method completed with status: 200",
        ]
    );
    assert!(told[6].ends_with("http://UPSTREAM/echo/7?own=1&page=2&page=3"), "{}", told[6]);
    assert!(told[7].contains("Authorization=*****************klmnop"), "{}", told[7]);
    assert!(told[10].starts_with("Received response. Status: 200, Integration latency: "));
}

#[test]
fn what_the_upstream_says_is_what_the_caller_gets() {
    let address = upstream::start();
    let tested = Tested::new(address, "/teapot", 5_000);
    // A path of another resource: its parameters stay as they stand in the resource's path.
    let invoked = tested.invoke("PATCH", &json!({ "pathWithQueryString": "/cats" }));
    assert_eq!((&invoked["status"], &invoked["body"]), (&json!(418), &json!("short")));
    assert_eq!(invoked["headers"]["X-Twice"], "2");
    assert_eq!(invoked["multiValueHeaders"]["X-Twice"], json!(["1", "2"]));
    let told = events(&invoked, address);
    assert_eq!(told[1], "HTTP Method: PATCH, Resource Path: /pets/{id}");
    assert_eq!(told[2], "Method request path: {}");
}

#[test]
fn bad_upstreams_are_told_apart() {
    let address = upstream::start();
    let network = "Execution failed due to a network error communicating with endpoint";
    let timeout = "Execution failed due to a timeout error";
    let large =
        "Execution failed due to configuration error: Integration response of reported length ";
    let (broken, late) = (
        "{\"message\": \"Network error communicating with endpoint\"}",
        "{\"message\": \"Endpoint request timed out\"}",
    );
    let internal = "{\"message\": \"Internal server error\"}";
    for (path, status, line, body) in [
        ("/silent", 504, timeout, late),
        ("/stalled", 504, timeout, late),
        ("/huge", 500, large, internal),
        ("/endless", 500, large, internal),
        ("/half", 504, network, broken),
        ("/malformed", 504, network, broken),
        ("/interim", 504, network, broken),
    ] {
        let tested = Tested::new(address, path, if status == 504 { 300 } else { 10_000 });
        let since = Instant::now();
        let invoked = tested.invoke("GET", &json!({ "pathWithQueryString": "/pets/1" }));
        assert!(since.elapsed() < Duration::from_secs(8), "{path}");
        assert_eq!(
            (&invoked["status"], &invoked["body"]),
            (&json!(status), &json!(body)),
            "{path}"
        );
        assert_eq!(
            invoked["headers"],
            json!({ "x-amzn-ErrorType": "InternalServerErrorException" }),
            "{path}"
        );
        let told = events(&invoked, address);
        let [.., failed, ended] = &told[..] else { panic!("{told:?}") };
        assert!(failed.starts_with(line), "{path}: {failed}");
        assert_eq!(*ended, format!("Method completed with status: {status}"), "{path}");
    }
    let dead = upstream::dead();
    let invoked = Tested::new(dead, "/", 2_000).invoke("GET", &json!({}));
    assert_eq!(invoked["status"], 504);
    assert!(events(&invoked, dead).contains(&network.to_owned()), "{}", invoked["log"]);
}

#[test]
fn addresses_that_must_not_be_called_are_not() {
    for (host, wanted) in [
        ("169.254.169.254", "Invalid endpoint address (test calls may not reach it from here)"),
        ("[fd00:ec2::254]", "Invalid endpoint address (test calls may not reach it from here)"),
        ("no-such-name.invalid", "Invalid endpoint address"),
    ] {
        let tested = Tested::new(upstream::dead(), "/", 5_000);
        let body = json!({ "patchOperations": [{ "op": "replace", "path": "/uri", "value": format!("http://{host}/latest") }] });
        let target = format!("{}/integration", tested.method);
        assert_eq!(tested.control.send("PATCH", &target, &body.to_string()).status, 200);
        let invoked = tested.invoke("GET", &json!({}));
        assert_eq!(invoked["status"], 500);
        assert_eq!(invoked["body"], "{\"message\": \"Internal server error\"}");
        let line = format!("Execution failed due to configuration error: {wanted}\n");
        assert!(invoked["log"].as_str().unwrap().contains(&line), "{host}: {}", invoked["log"]);
    }
}

#[test]
fn certificates_must_verify_unless_told_otherwise() {
    let address = upstream::start_tls();
    let tested = Tested::new(address, "/", 5_000);
    let target = format!("{}/integration", tested.method);
    let patch = |path: &str, value: &str| {
        let step = json!({ "op": "replace", "path": path, "value": value });
        let body = json!({ "patchOperations": [step] }).to_string();
        assert_eq!(tested.control.send("PATCH", &target, &body).status, 200);
    };
    patch("/uri", &format!("https://localhost:{}/teapot", address.port()));
    assert_eq!(tested.invoke("GET", &json!({}))["status"], 504);
    patch("/tlsConfig/insecureSkipVerification", "true");
    assert_eq!(tested.invoke("GET", &json!({}))["status"], 418);
}

#[test]
fn stage_variables_are_the_callers() {
    let address = upstream::start();
    let tested = Tested::new(address, "/", 5_000);
    let patch = json!({ "patchOperations": [{ "op": "replace", "path": "/uri", "value": "http://${stageVariables.host}/echo" }] });
    let target = format!("{}/integration", tested.method);
    assert_eq!(tested.control.send("PATCH", &target, &patch.to_string()).status, 200);
    let variables = json!({ "stageVariables": { "host": address.to_string() } });
    assert_eq!(tested.invoke("GET", &variables)["status"], 200);
    let without = tested.invoke("GET", &json!({}));
    assert_eq!(without["status"], 500);
    let line = "Execution failed due to configuration error: ";
    assert!(without["log"].as_str().unwrap().contains(line), "{}", without["log"]);
}

#[test]
fn hostile_requests_are_refused_or_answered() {
    let address = upstream::start();
    let tested = Tested::new(address, "/echo", 5_000);
    let send = |request: &Value| tested.control.send("POST", &tested.method, &request.to_string());
    for (request, status) in [
        (json!({ "headers": { "x y": "1" } }), 400),
        (json!({ "headers": { "x": "1\r\ny: 2" } }), 400),
        (json!({ "headers": { "": "1" } }), 400),
        (json!({ "multiValueHeaders": { "x": "1" } }), 400),
        (json!({ "multiValueHeaders": { "x": [1] } }), 400),
        (json!({ "stageVariables": { "a b": "1" } }), 400),
        (json!({ "clientCertificateId": "abc" }), 400),
        (json!({ "pathWithQueryString": "/pets/a b?q=\u{1}\u{e9}#frag" }), 200),
        (json!({ "pathWithQueryString": "?q" }), 200),
        (json!({ "pathWithQueryString": "x".repeat(100_000) }), 200),
        (
            json!({ "headers": { "Host": "elsewhere", "Content-Length": "7", "Transfer-Encoding": "chunked" } }),
            200,
        ),
        (json!({ "body": "[".repeat(1 << 20) }), 200),
        (json!({ "body": null, "headers": null }), 200),
    ] {
        let answer = send(&request);
        let shown: String = request.to_string().chars().take(80).collect();
        assert_eq!(answer.status, status, "{shown}: {}", answer.body);
    }
    // What would lead out of the resource is refused by the engine, as a node would.
    let answer = send(&json!({ "pathWithQueryString": "/pets/.." }));
    assert_eq!(answer.json()["status"], 400, "{}", answer.body);
}

/// A `POST /` of type `MOCK` or `HTTP`, with a model for its body.
fn mapped(upstream: SocketAddr, integration: &Value, status: &str) -> Tested {
    let control = Control::start();
    let made = |method: &str, target: &str, body: Value| {
        let answer = control.send(method, target, &body.to_string());
        assert_eq!(answer.status, 201, "{target}: {}", answer.body);
        answer.json()
    };
    let api = made("POST", "/restapis", json!({ "name": "mapped" }));
    let (id, root) = (api["id"].as_str().unwrap(), api["rootResourceId"].as_str().unwrap());
    let schema = r#"{"type": "object", "required": ["name"]}"#;
    let model = json!({ "name": "Pet", "contentType": "application/json", "schema": schema });
    made("POST", &format!("/restapis/{id}/models"), model);
    let validator = json!({ "name": "body", "validateRequestBody": true });
    let validator = made("POST", &format!("/restapis/{id}/requestvalidators"), validator);
    let method = format!("/restapis/{id}/resources/{root}/methods/POST");
    made(
        "PUT",
        &method,
        json!({
            "authorizationType": "NONE",
            "requestModels": { "application/json": "Pet" },
            "requestValidatorId": validator["id"],
        }),
    );
    made("PUT", &format!("{method}/responses/200"), json!({}));
    let mut integration = integration.clone();
    if integration["type"] == "HTTP" {
        integration["httpMethod"] = "POST".into();
        integration["uri"] = format!("http://{upstream}/teapot").into();
    }
    let template = integration["answer"].take();
    integration.as_object_mut().unwrap().remove("answer");
    made("PUT", &format!("{method}/integration"), integration);
    if template != Value::Null {
        let templates = json!({ "responseTemplates": { "application/json": template } });
        made("PUT", &format!("{method}/integration/responses/{status}"), templates);
    }
    Tested { control, method: method.replace("POST", "ANY") }
}

/// Lines as recorded of a mock; those between are an integration's.
#[test]
fn a_mock_is_told_without_an_endpoint() {
    let template = r#"{"statusCode": 200}"#;
    let mock = json!({
        "type": "MOCK", "requestTemplates": { "application/json": template }, "answer": "{\"name\": \"$context.stage\"}",
    });
    let invoked = mapped(upstream::dead(), &mock, "200")
        .invoke("POST", &json!({ "body": "{\"name\": \"Rex\"}" }));
    assert_eq!(invoked["body"], "{\"name\": \"test-invoke-stage\"}");
    assert_eq!(invoked["headers"], json!({ "Content-Type": "application/json" }));
    assert_eq!(
        events(&invoked, upstream::dead()),
        [
            "Starting execution for request: ID",
            "HTTP Method: POST, Resource Path: /",
            "Method request path: {}",
            "Method request query string: {}",
            "Method request headers: {}",
            "Method request body before transformations: {\"name\": \"Rex\"}",
            "Request validation succeeded for content type application/json",
            "Method response body after transformations: {\"name\": \"test-invoke-stage\"}",
            "Method response headers: {Content-Type=application/json}",
            "Successfully completed execution",
            "Method completed with status: 200",
        ]
    );
}

#[test]
fn what_a_mapping_does_is_told() {
    let address = upstream::start();
    let http = json!({
        "type": "HTTP", "requestTemplates": { "application/json": "<pet>$input.path('$.name')</pet>" },
        "answer": "$input.body and more",
    });
    let invoked =
        mapped(address, &http, "200").invoke("POST", &json!({ "body": "{\"name\": \"Rex\"}" }));
    assert_eq!((&invoked["status"], &invoked["body"]), (&json!(200), &json!("short and more")));
    let told = events(&invoked, address);
    for line in [
        "Method request body before transformations: {\"name\": \"Rex\"}",
        "Endpoint request URI: http://UPSTREAM/teapot",
        "Endpoint request body after transformations: <pet>Rex</pet>",
        "Endpoint response body before transformations: short",
        "Method response body after transformations: short and more",
    ] {
        assert!(told.contains(&line.to_owned()), "{line}: {told:?}");
    }
    // In the order that was recorded.
    let headers = told.iter().find(|event| event.starts_with("Method response headers: "));
    assert!(headers.unwrap().starts_with("Method response headers: {X-Amzn-Trace-Id=Root="));
}

/// 12.2: what a template cannot read is not shown either.
#[test]
fn a_binary_body_is_not_shown() {
    let mock = json!({ "type": "MOCK", "requestTemplates": { "application/json": "$input.body" }, "answer": "" });
    let tested = mapped(upstream::dead(), &mock, "200");
    let api = tested.method.split("/resources").next().unwrap();
    let patch = json!({ "patchOperations": [{ "op": "add", "path": "/binaryMediaTypes/*~1*" }] });
    assert_eq!(tested.control.send("PATCH", api, &patch.to_string()).status, 200);
    let invoked = tested.invoke("POST", &json!({ "body": "{\"name\": \"Rex\"}" }));
    let told = events(&invoked, upstream::dead());
    let shown = "Method request body before transformations: [Binary Data]";
    assert!(told.iter().any(|event| event == shown), "{told:?}");
    let failed = "Execution failed due to configuration error: Unable to transform request (a template reads a binary body";
    assert!(told.iter().any(|event| event.starts_with(failed)), "{told:?}");
}

#[test]
fn what_a_mapping_fails_at_is_told_in_awss_words() {
    let address = upstream::start();
    let config = "Execution failed due to configuration error: ";
    let pet = "{\"name\": \"Rex\"}";
    let mock = |template: &str| json!({ "type": "MOCK", "requestTemplates": { "application/json": template }, "answer": "" });
    let http = |answer: Value| json!({ "type": "HTTP", "answer": answer });
    for (integration, response, body, status, line) in [
        (
            mock("{\"statusCode\": 200}"),
            "200",
            "{}",
            400,
            "Request body does not match model schema for content type application/json: [object has missing required properties ([\"name\"])]".to_owned(),
        ),
        (
            mock("{\"statusCode\": 200}"),
            "200",
            "no",
            400,
            "Request body does not match model schema for content type application/json: [Unknown error parsing request body]".to_owned(),
        ),
        (
            mock("$input.path('$.name')"),
            "200",
            pet,
            500,
            format!("{config}Unable to parse statusCode. It should be an integer that is defined in the request template."),
        ),
        (
            mock("\n#set($l = [1])$l[7]"),
            "200",
            pet,
            500,
            format!("{config}Unable to transform request (request template for application/json: it failed at line 2"),
        ),
        (
            http("#set($l = [1])$l[7]".into()),
            "200",
            pet,
            500,
            format!("{config}Unable to transform response (response template of 200 for application/json: it failed at line 1"),
        ),
        (
            http(Value::Null),
            "200",
            pet,
            500,
            format!("{config}No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 418"),
        ),
        (
            json!({ "type": "MOCK", "requestTemplates": { "application/json": "{\"statusCode\": 201}" } }),
            "200",
            pet,
            500,
            format!("{config}No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 201"),
        ),
    ] {
        let tested = mapped(address, &integration, response);
        let invoked = tested.invoke("POST", &json!({ "body": body }));
        assert_eq!(invoked["status"], status, "{line}: {}", invoked["log"]);
        let told = events(&invoked, address);
        let [.., failed, ended] = &told[..] else { panic!("{told:?}") };
        assert!(failed.starts_with(&line), "wanted {line}\nfound  {failed}");
        assert_eq!(*ended, format!("Method completed with status: {status}"));
        let valid = "Request validation succeeded for content type application/json";
        assert_eq!(told.iter().any(|event| event == valid), status == 500, "{told:?}");
    }
}
