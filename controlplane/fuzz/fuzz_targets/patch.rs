//! Patches: any operations on any part of an API are done or refused, and what comes of them can be deployed or is told why not.
#![no_main]

mod control;

use std::cell::RefCell;

use control::Control;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const DOCUMENT: &str = r#"{"openapi":"3.0.1","info":{"title":"t","version":"1"},"paths":{"/p":{"get":{
"responses":{"200":{"description":"ok"}},"x-amazon-apigateway-integration":{"type":"http","httpMethod":"GET","uri":"http://127.0.0.1/",
"requestParameters":{"integration.request.header.a":"'b'"},"requestTemplates":{"application/json":"x"},
"responses":{"default":{"statusCode":"200"}}}}}},"x-amazon-apigateway-gateway-responses":{"DEFAULT_4XX":{"statusCode":404}}}"#;

/// An API with one of everything, and the paths of its parts.
struct Api {
    control: Control,
    id: String,
    parts: Vec<String>,
}

impl Api {
    fn start() -> Self {
        let mut control = Control::start();
        let mut made = |method: &str, target: &str, body: &str| {
            let (status, answer) = control.call(method, target, body.as_bytes());
            assert!(status < 300, "{method} {target}: {answer}");
            answer
        };
        let text = |value: &Value| value.as_str().expect("it is text").to_owned();
        let id = text(&made("POST", "/restapis?mode=import", DOCUMENT)["id"]);
        let api = format!("/restapis/{id}");
        let found = made("GET", &format!("{api}/resources"), "");
        let items = found["_embedded"]["item"].as_array().or_else(|| found["item"].as_array()).expect("resources").clone();
        let resource = items.iter().find(|item| item["path"] == "/p").map(|item| text(&item["id"])).expect("/p");
        made("POST", &format!("{api}/deployments"), r#"{"stageName":"s"}"#);
        let plan = text(&made("POST", "/usageplans", r#"{"name":"p"}"#)["id"]);
        let key = text(&made("POST", "/apikeys", r#"{"name":"k","enabled":true}"#)["id"]);
        let validator = text(&made("POST", &format!("{api}/requestvalidators"), r#"{"name":"v"}"#)["id"]);
        let method = format!("{api}/resources/{resource}/methods/GET");
        let parts = vec![
            api.clone(),
            format!("{api}/stages/s"),
            format!("{api}/resources/{resource}"),
            method.clone(),
            format!("{method}/integration"),
            format!("{method}/integration/responses/200"),
            format!("{method}/responses/200"),
            format!("{api}/gatewayresponses/DEFAULT_4XX"),
            format!("{api}/requestvalidators/{validator}"),
            format!("/usageplans/{plan}"),
            format!("/apikeys/{key}"),
            "/account".to_owned(),
        ];
        Self { control, id, parts }
    }
}

thread_local! {
    static API: RefCell<Api> = RefCell::new(Api::start());
}

/// Which part, by its first byte; then a line each: operation, path and value, separated by tabs.
fuzz_target!(|data: &[u8]| {
    let Some((which, lines)) = data.split_first() else { return };
    let lines = String::from_utf8_lossy(lines);
    let steps: Vec<Value> = lines
        .lines()
        .map(|line| {
            let mut parts = line.split('\t');
            let op = match parts.next() {
                Some("a") => "add",
                Some("d") => "remove",
                Some("m") => "move",
                Some("t") => "test",
                Some("c") => "copy",
                _ => "replace",
            };
            json!({"op": op, "path": parts.next(), "value": parts.next(), "from": parts.next()})
        })
        .collect();
    API.with_borrow_mut(|api| {
        if api.control.is_worn() {
            *api = Api::start();
        }
        let part = api.parts[usize::from(*which) % api.parts.len()].clone();
        let body = json!({"patchOperations": steps}).to_string();
        let (status, before) = api.control.call("PATCH", &part, body.as_bytes());
        if status < 300 {
            // What was answered is what is there, and it compiles or is refused in words.
            let moved = steps.iter().any(|step| step["path"] == "/name" || step["path"].is_null());
            let (status, after) = api.control.call("GET", &part, b"");
            if status == 200 && !moved {
                assert_eq!(before, after, "{part} {body}");
            }
            api.control.call("POST", &format!("/restapis/{}/deployments", api.id), b"{}");
        }
    });
});
