//! The runs that use the admin API, against a stand-in that publishes late: what they send and what they measure.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tidegate_load::{
    changes,
    http1::{Body, request},
    operations,
    place::Place,
    propagation,
    upstream::{Options, Upstream},
};

/// How long the stand-in keeps serving the old revision after it has answered.
const DELAY: Duration = Duration::from_millis(30);

/// One process's worth of API Gateway: enough for these runs, strict about what it is sent.
#[derive(Default)]
struct Stand {
    apis: usize,
    resources: usize,
    /// Per API: the edited answer, and what was deployed when.
    edited: HashMap<String, String>,
    deployed: HashMap<String, Vec<(Instant, String)>>,
    calls: Vec<String>,
}

impl Stand {
    fn admin(&mut self, method: &str, path: &str, query: &str, body: &[u8]) -> (u16, Value) {
        let parsed: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        self.calls.push(format!("{method} /{}", parts[parts.len().min(3) - 1..].join("/")));
        match (method, &parts[..]) {
            ("POST", ["restapis"]) => {
                assert!(if query.is_empty() {
                    parsed["name"].is_string()
                } else {
                    query == "mode=import" && parsed["openapi"].is_string()
                });
                self.apis += 1;
                (201, json!({ "id": format!("api{}", self.apis), "rootResourceId": "root" }))
            }
            ("GET", ["restapis"]) => {
                assert!(["limit=25", "limit=25&position=a%2Fb%3D"].contains(&query), "{query}");
                (200, json!({ "item": [], "position": "a/b=" }))
            }
            ("GET", ["restapis", _]) => (200, json!({})),
            ("PATCH", ["restapis", _]) => {
                assert_eq!(parsed["patchOperations"][0]["path"], "/description");
                (200, json!({}))
            }
            ("POST", ["restapis", _, "resources", "root"]) => {
                self.resources += 1;
                (201, json!({ "id": format!("r{}", self.resources) }))
            }
            ("PUT", ["restapis", _, "resources", resource, "methods", "GET", rest @ ..])
                if *resource != "r1" || rest != ["integration", "responses", "200"] =>
            {
                (201, json!({}))
            }
            ("GET", ["restapis", api, "resources"]) if query == "embed=methods&limit=500" => {
                assert!(api.starts_with("api"));
                (200, json!({ "item": [{}, {}, {}, {}] }))
            }
            ("GET", ["restapis", _, "resources"]) => (
                200,
                json!({ "item": [{ "id": "r1", "path": "/item" }, { "id": "r1", "path": "/mock" }] }),
            ),
            (
                "PUT",
                [
                    "restapis",
                    api,
                    "resources",
                    "r1",
                    "methods",
                    "GET",
                    "integration",
                    "responses",
                    "200",
                ],
            ) => {
                let template = parsed["responseTemplates"]["application/json"].as_str().unwrap();
                self.edited.insert((*api).to_owned(), template.to_owned());
                (201, json!({ "statusCode": "200" }))
            }
            ("PATCH", ["restapis", _, "resources", "r1", "methods", "GET", "integration"]) => {
                assert_eq!(parsed["patchOperations"][0]["path"], "/timeoutInMillis");
                (200, json!({}))
            }
            ("POST", ["restapis", api, "deployments"]) => {
                if parsed["stageName"] == "prod" {
                    let revision =
                        self.edited.get(*api).cloned().unwrap_or_else(|| "{}".to_owned());
                    self.deployed
                        .entry((*api).to_owned())
                        .or_default()
                        .push((Instant::now() + DELAY, revision));
                }
                (201, json!({ "id": "d1" }))
            }
            other => (404, json!({ "message": format!("the stand-in has no {other:?}") })),
        }
    }

    fn gateway(&self, host: &str) -> (u16, String) {
        let api = host.strip_suffix(".execute-api.localhost").unwrap_or(host);
        let live =
            self.deployed.get(api).into_iter().flatten().rfind(|(at, _)| *at <= Instant::now());
        live.map_or_else(|| (403, "{}".to_owned()), |(_, answer)| (200, answer.clone()))
    }
}

fn serve(stand: &Arc<Mutex<Stand>>, admin: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, stand) = (listener.local_addr().unwrap(), Arc::clone(stand));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stand = Arc::clone(&stand);
            thread::spawn(move || converse(stream.unwrap(), &stand, admin));
        }
    });
    address
}

fn converse(mut stream: TcpStream, stand: &Mutex<Stand>, admin: bool) {
    let (mut input, mut buffer) = (Vec::new(), [0; 65536]);
    loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        if count == 0 {
            return;
        }
        input.extend_from_slice(&buffer[..count]);
        while let Ok(Some(head)) = request::parse(&input) {
            let Body::Length(length) = head.body else { panic!("a length was expected") };
            let end = head.head_bytes + usize::try_from(length).unwrap();
            if input.len() < end {
                break;
            }
            let mut lines = head.headers;
            let mut headers = HashMap::new();
            while let Some((name, value)) = lines.next_header().unwrap() {
                let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
                headers.insert(name.to_lowercase(), value.into_owned());
            }
            let (status, body) = if admin {
                assert!(headers["authorization"].starts_with("AWS4-HMAC-SHA256 Credential="));
                let body = &input[head.head_bytes..end];
                let (status, answer) =
                    stand.lock().unwrap().admin(head.method, head.path, head.query, body);
                (status, answer.to_string())
            } else {
                assert!(head.path.starts_with("/prod/"));
                stand.lock().unwrap().gateway(&headers["host"])
            };
            let answer =
                format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).unwrap();
            input.drain(..end);
        }
    }
}

#[test]
fn propagation_counts_from_the_answer_to_the_effect() {
    let stand = Arc::new(Mutex::new(Stand::default()));
    let place = Place::at(serve(&stand, true), serve(&stand, false));
    let report = propagation::execute(&place, 5, &AtomicBool::new(false)).unwrap();
    assert_eq!(
        (report.changes, report.lost, report.went_back, report.failed_requests),
        (5, 0, 0, 0)
    );
    let delay = DELAY.as_micros() as f64;
    for (name, us) in &report.propagation_us {
        assert!((delay * 0.9..delay * 3.0).contains(us), "{name}: {us} us");
    }
}

#[test]
fn changes_pair_the_same_work() {
    let stand = Arc::new(Mutex::new(Stand::default()));
    let place = Place::at(serve(&stand, true), serve(&stand, false));
    let upstream = Upstream::start(&Options::default()).unwrap();
    let options = changes::Options {
        changes: 10,
        pairs: 2,
        duration: Duration::from_millis(300),
        connections: 2,
        load: 0.1,
        cpu_load: None,
    };
    let report =
        changes::execute(&place, upstream.address(), &options, &AtomicBool::new(false), |_| {})
            .unwrap();
    assert_eq!((report.pairs.len(), report.failed_changes), (2, 0), "{}", report.text());
    assert_eq!(report.failed_requests, 0, "{}", report.text());
    let stand = stand.lock().unwrap();
    let count = |api: &str, call: &str| {
        stand.calls.iter().filter(|made| **made == format!("{call} /{api}")).count()
    };
    assert_eq!(
        count("deployments", "POST"),
        1 + 4 * 10,
        "the first one, then ten on each side of each pair"
    );
    assert_eq!(stand.deployed["api1"].len(), 1 + 20);
    assert!(!stand.deployed.contains_key("api2"), "the other API has no stage");
}

#[test]
fn operations_are_counted_and_compared() {
    let stand = Arc::new(Mutex::new(Stand::default()));
    let options = operations::Options {
        callers: vec![1, 3],
        duration: Duration::from_millis(100),
        methods: 3,
        samples: 4,
        apis: 20,
    };
    let admin = serve(&stand, true);
    let report = operations::execute(admin, &options, &AtomicBool::new(false), |_| {}).unwrap();
    let mixes: Vec<_> = report.mix.iter().map(|mix| (mix.callers, mix.shared)).collect();
    assert_eq!(mixes, [(1, false), (1, true), (3, false), (3, true)]);
    assert!(report.mix.iter().all(|mix| mix.changes > 0 && mix.per_second > 0.0));
    assert_eq!(report.large.as_ref().unwrap().methods, 3);
    let sizes: Vec<_> = report.many.iter().map(|point| point.apis).collect();
    assert_eq!(sizes, [0, 10, 20]);
    let text = report.text();
    for part in ["3 callers", "API of 3 methods", "20 APIs", "GetRestApi ", "ratio"] {
        assert!(text.contains(part), "{text}");
    }
    // A page that is not whole is no measurement.
    let options = operations::Options { callers: Vec::new(), methods: 7, apis: 0, ..options };
    let short = operations::execute(admin, &options, &AtomicBool::new(false), |_| {});
    assert_eq!(short.unwrap_err().to_string(), "a page of 8 resources had 4");
}
