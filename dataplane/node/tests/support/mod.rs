//! A node with objects given by hand, upstreams that say what they are told to, and a plain client.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::integration::endpoints::Endpoints;
use tidegate_node::builder::ObjectSet;
use tidegate_node::node::{Bound, Listen, Node};
use tidegate_node::publication::Publication;
use tidegate_node::rt::Driver;
use tidegate_node::telemetry::Mismatches;
use tidegate_node::upstream::AddressPolicy;
use tidegate_node::worker::{Limits, NameLookup, Settings};
use tidegate_proto::v1;
use tidegate_trust::Trust;

/// The API of these tests.
pub const API: &str = "abcde12345";

/// A resource with one method.
pub fn resource(path: &str, verb: &str, integration: v1::Integration) -> v1::Resource {
    let responses = vec![v1::MethodResponse { status_code: "200".into(), ..Default::default() }];
    let method = v1::Method {
        verb: verb.into(),
        authorization_type: "NONE".into(),
        integration: Some(integration),
        responses,
        ..Default::default()
    };
    v1::Resource { id: "res001".into(), path: path.into(), methods: vec![method] }
}

/// An `HTTP_PROXY` integration that passes the caller's method.
pub fn http_proxy(uri: &str, mappings: &[(&str, &str)]) -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::HttpProxy.into(),
        http_method: "ANY".into(),
        uri: uri.into(),
        request_parameters: pairs(mappings),
        timeout_ms: 2_000,
        ..Default::default()
    }
}

/// A constant `MOCK` integration.
pub fn mock(body: &str) -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::Mock.into(),
        request_templates: pairs(&[("application/json", r#"{"statusCode": 200}"#)]),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            templates: pairs(&[("application/json", body)]),
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub fn pairs(of: &[(&str, &str)]) -> Vec<v1::Pair> {
    of.iter()
        .map(|(name, value)| v1::Pair { name: (*name).into(), value: (*value).into() })
        .collect()
}

/// A bundle of the resources.
pub fn bundle(resources: Vec<v1::Resource>) -> v1::Bundle {
    v1::Bundle {
        dialect: tidegate_proto::DIALECT,
        api_id: API.into(),
        routing: Some(v1::Routing { protocol: v1::Protocol::Rest.into(), ..Default::default() }),
        resources,
        ..Default::default()
    }
}

/// The API with the bundle on stage `prod`.
pub fn objects(bundle: &v1::Bundle) -> ObjectSet {
    let binding = v1::Binding {
        api_id: API.into(),
        stage: "prod".into(),
        deployment_id: "dep001".into(),
        ..Default::default()
    };
    ObjectSet::default()
        .account(v1::Account {
            id: "000000000000".into(),
            region: "us-east-1".into(),
            ..Default::default()
        })
        .api(v1::Api { id: API.into(), name: "test".into(), ..Default::default() })
        .stage(binding, bundle)
}

/// A node of one worker that serves the resources. It stops when dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub publication: Arc<Publication>,
    node: Option<Node>,
}

/// How a test's node differs from others.
pub struct Options {
    pub driver: Driver,
    pub limits: Limits,
    pub policy: AddressPolicy,
    pub max_body: u64,
    pub h2c: bool,
    pub upstream_ca: Option<std::path::PathBuf>,
    pub credentials: Credentials,
    pub endpoints: Endpoints,
    pub mismatches: Option<Mismatches>,
}

impl Options {
    pub fn on(driver: Driver) -> Self {
        Self {
            driver,
            limits: Limits { drain: Duration::from_secs(5), ..Limits::default() },
            policy: AddressPolicy::default().with_loopback(),
            max_body: 10_485_760,
            h2c: false,
            upstream_ca: None,
            credentials: Credentials::default(),
            endpoints: Endpoints::default(),
            mismatches: None,
        }
    }
}

impl Gateway {
    pub fn start(driver: Driver, resources: Vec<v1::Resource>) -> Self {
        Self::with(Options::on(driver), resources)
    }

    pub fn with(options: Options, resources: Vec<v1::Resource>) -> Self {
        Self::serving(options, objects(&bundle(resources)))
    }

    pub fn serving(options: Options, objects: ObjectSet) -> Self {
        let publication = Arc::new(Publication::new());
        let refused = objects.publish_with(&publication, options.endpoints);
        assert!(refused.is_empty(), "{refused:?}");
        let settings = Settings {
            driver: options.driver,
            policy: options.policy,
            credentials: Arc::new(options.credentials),
            trust: Trust::new(options.upstream_ca.as_deref()).unwrap(),
            limits: options.limits,
            access_log: None,
            hints: None,
            mismatches: options.mismatches,
            pin: false,
        };
        let listen = Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            path_forms: true,
            max_body: options.max_body,
            h2c: options.h2c,
        };
        let lookup: NameLookup = Arc::new(|name, done| {
            done(match name {
                "upstream.test" | "localhost" => Some(vec![[127, 0, 0, 1].into()]),
                "metadata.test" => Some(vec![[169, 254, 169, 254].into()]),
                // The system reads numbers as addresses in more forms than one.
                name if name.starts_with(|c: char| c.is_ascii_digit()) => {
                    (name, 0).to_socket_addrs().ok().map(|found| found.map(|a| a.ip()).collect())
                }
                _ => None,
            });
        });
        let node =
            Bound::open(&[listen], 1).unwrap().start(&settings, &publication, &lookup).unwrap();
        Self { address: node.addresses[0], publication, node: Some(node) }
    }

    pub fn node(&self) -> &Node {
        self.node.as_ref().unwrap()
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// Sends raw bytes on a connection of its own and returns all that comes until the gateway closes.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        String::from_utf8_lossy(&all).into_owned()
    }

    /// `GET` of a path of the stage, on a connection of its own.
    pub fn get(&self, path: &str) -> Answer {
        Answer::parse(&self.raw(request("GET", path, "Connection: close\r\n", "").as_bytes()))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(node) = self.node.take() {
            node.stop();
        }
    }
}

/// A request to stage `prod`, by Host.
pub fn request(method: &str, path: &str, fields: &str, body: &str) -> String {
    format!(
        "{method} /prod{path} HTTP/1.1\r\nHost: {API}.execute-api.localhost\r\n{fields}\r\n{body}"
    )
}

/// An answer taken apart.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: String,
    /// What came behind it.
    pub rest: String,
}

impl Answer {
    pub fn parse(text: &str) -> Self {
        let (head, body) =
            text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer in {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields: Vec<(String, String)> = lines
            .map(|l| l.split_once(": ").unwrap())
            .map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()))
            .collect();
        let length = fields
            .iter()
            .find(|(n, _)| n == "content-length")
            .map(|(_, v)| v.parse::<usize>().unwrap());
        let (body, rest) = body.split_at(length.unwrap_or(body.len()).min(body.len()));
        Self { status, fields, body: body.into(), rest: rest.into() }
    }

    /// Every answer in a text, one after the other.
    pub fn all(text: &str) -> Vec<Self> {
        let mut found = Vec::new();
        let mut left = text.to_owned();
        while !left.is_empty() {
            let answer = Self::parse(&left);
            left = answer.rest.clone();
            found.push(answer);
        }
        found
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// An upstream that reports each request it gets and answers as told.
pub struct Upstream {
    pub address: SocketAddr,
    pub seen: Receiver<String>,
}

/// What an upstream does with a connection: gets the connection's number and the stream.
pub type Script = Arc<dyn Fn(usize, &mut TcpStream, &Sender<String>) + Send + Sync>;

impl Upstream {
    /// Answers every request with the same bytes, after reading its head and a body with a length.
    pub fn answering(answer: &'static str) -> Self {
        Self::scripted(Arc::new(move |_, stream, seen| {
            while let Some(request) = read_request(stream) {
                seen.send(request).unwrap_or_default();
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        }))
    }

    pub fn scripted(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (send, seen) = channel();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let (script, send) = (script.clone(), send.clone());
                let mut stream = stream;
                std::thread::spawn(move || script(number, &mut stream, &send));
            }
        });
        Self { address, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request that arrived.
    pub fn next(&self) -> String {
        self.seen.recv_timeout(Duration::from_secs(10)).expect("a request reaches the upstream")
    }

    /// Asserts that nothing arrived.
    pub fn saw_nothing(&self) {
        if let Ok(request) = self.seen.recv_timeout(Duration::from_millis(50)) {
            panic!("the upstream saw {request:?}");
        }
    }
}

/// Reads one request with its body, by length or chunks; `None` at the end of the connection.
pub fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut all = Vec::new();
    let mut byte = [0];
    while !all.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        all.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&all).to_ascii_lowercase();
    if let Some(at) = head.find("content-length: ") {
        let length: usize = head[at + 16..].split("\r\n").next()?.parse().ok()?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        all.extend(body);
    } else if head.contains("transfer-encoding: chunked") {
        while !all.ends_with(b"0\r\n\r\n") {
            if stream.read(&mut byte).ok()? == 0 {
                return None;
            }
            all.push(byte[0]);
        }
    }
    Some(String::from_utf8_lossy(&all).into_owned())
}

/// Runs a test on both drivers.
pub fn on_both(test: impl Fn(Driver)) {
    for driver in [Driver::Uring, Driver::Epoll] {
        test(driver);
    }
}
