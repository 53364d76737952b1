//! A scripted driver: one API's objects by hand, heads by hand, and what the engine decided taken apart.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

use std::net::IpAddr;
use std::sync::Arc;

use prost::Message;
use tidegate_engine::explain::Trace;
use tidegate_engine::head::{BodySize, Head, Known, Method, Version};
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::snapshot::{
    Api, BundleId, Domain, Link, Linker, RefuseBundle, Revision, World,
};
use tidegate_engine::{
    Answer, Body, BodyError, Call, CallError, Ctx, Listener, Next, Now, Opened, Relay, Reply, Step,
    Streamed, Wait, begin,
};
use tidegate_proto::v1;

/// The API of these tests.
pub const API: &str = "abcde12345";

/// Its host.
pub const HOST: &str = "abcde12345.execute-api.localhost";

pub fn pairs(of: &[(&str, &str)]) -> Vec<v1::Pair> {
    of.iter()
        .map(|(name, value)| v1::Pair { name: (*name).into(), value: (*value).into() })
        .collect()
}

/// A method that anyone may call and that declares a 200.
pub fn method(verb: &str, integration: v1::Integration) -> v1::Method {
    v1::Method {
        verb: verb.into(),
        authorization_type: "NONE".into(),
        integration: Some(integration),
        responses: vec![v1::MethodResponse { status_code: "200".into(), ..Default::default() }],
        ..Default::default()
    }
}

/// A resource with one method.
pub fn resource(path: &str, verb: &str, integration: v1::Integration) -> v1::Resource {
    v1::Resource {
        id: format!("res{}", path.len()),
        path: path.into(),
        methods: vec![method(verb, integration)],
    }
}

/// An `HTTP_PROXY` integration that passes the caller's method.
pub fn http_proxy(uri: &str, mappings: &[(&str, &str)]) -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::HttpProxy.into(),
        http_method: "ANY".into(),
        uri: uri.into(),
        request_parameters: pairs(mappings),
        ..Default::default()
    }
}

/// A `MOCK` integration: request templates by media type, and responses.
pub fn mock(
    templates: &[(&str, &str)],
    responses: Vec<v1::IntegrationResponse>,
) -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::Mock.into(),
        request_templates: pairs(templates),
        responses,
        ..Default::default()
    }
}

/// A `MOCK` that answers 200 with a body.
pub fn mock_ok(body: &str) -> v1::Integration {
    let templates = pairs(&[("application/json", body)]);
    let response =
        v1::IntegrationResponse { status_code: "200".into(), templates, ..Default::default() };
    mock(&[("application/json", r#"{"statusCode": 200}"#)], vec![response])
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

/// Links a bundle with stage variables.
pub fn link(bundle: &v1::Bundle, variables: &[(&str, &str)]) -> Result<Link, RefuseBundle> {
    let bytes = bundle.encode_to_vec();
    let held: Vec<(String, String)> =
        variables.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
    Link::build(BundleId::of(&bytes), &bytes, &held, &mut Linker::default())
}

/// One stage of the API.
pub struct Stage {
    pub name: &'static str,
    pub bundle: v1::Bundle,
    pub canary: Option<(f64, v1::Bundle)>,
    pub variables: Vec<(&'static str, &'static str)>,
}

impl Stage {
    pub fn of(resources: Vec<v1::Resource>) -> Self {
        Self { name: "prod", bundle: bundle(resources), canary: None, variables: Vec::new() }
    }
}

/// A driver that performs nothing: it keeps what the engine may look at, and hands out what it decided.
pub struct Driver {
    pub world: World,
    pub listener: Listener,
    pub peer: IpAddr,
    pub entropy: [u8; 16],
    pub patience: u64,
    pub credentials: Credentials,
    pub scratch: Vec<u8>,
    pub trace: Option<Trace>,
}

impl Driver {
    /// The resources on stage `prod`.
    pub fn new(resources: Vec<v1::Resource>) -> Self {
        Self::serving(v1::Api::default(), vec![Stage::of(resources)], &[])
    }

    /// An API with stages and domains.
    pub fn serving(mut api: v1::Api, stages: Vec<Stage>, domains: &[v1::Domain]) -> Self {
        api.id = API.into();
        let built: Vec<_> = stages
            .iter()
            .map(|stage| {
                let canary = stage.canary.as_ref().map(|(percent, _)| v1::Canary {
                    percent: *percent,
                    deployment_id: "dep-canary".into(),
                    ..Default::default()
                });
                let binding = v1::Binding {
                    api_id: API.into(),
                    stage: stage.name.into(),
                    deployment_id: "dep-base".into(),
                    canary,
                    ..Default::default()
                };
                let base = Arc::new(link(&stage.bundle, &stage.variables).unwrap());
                let side = stage.canary.as_ref();
                let side = side.map(|(_, b)| Arc::new(link(b, &stage.variables).unwrap()));
                (binding, base, side)
            })
            .collect();
        let objects = built.iter().map(|(b, base, side)| (b, base.clone(), side.clone()));
        let mut edit = World::empty("000000000000", "eu-west-1").edit();
        edit.set_api(Arc::new(Api::assemble(&api, objects).unwrap()));
        for domain in domains {
            edit.set_domain(&domain.name, Domain::new(domain));
        }
        Self {
            world: edit.finish(Revision { epoch: 1, sequence: 1 }),
            listener: Listener::default(),
            peer: [192, 0, 2, 7].into(),
            entropy: [7; 16],
            credentials: Credentials::default(),
            patience: Ctx::UNHURRIED,
            scratch: Vec::new(),
            trace: None,
        }
    }

    pub fn cx(&mut self) -> Ctx<'_> {
        Ctx {
            world: &self.world,
            listener: &self.listener,
            peer: self.peer,
            now: Now { unix_ms: 1_700_000_000_123 },
            entropy: self.entropy,
            credentials: &self.credentials,
            patience: self.patience,
            scratch: &mut self.scratch,
            trace: self.trace.as_mut(),
        }
    }

    pub fn step(&mut self, head: &Head) -> Step {
        self.scratch.clear();
        begin(&mut self.cx(), head)
    }

    /// What becomes of a request; panics when the engine wants to wait.
    pub fn decide(&mut self, head: &Head) -> Decided {
        let step = self.step(head);
        self.take_apart(step)
    }

    pub fn take_apart(&mut self, step: Step) -> Decided {
        match step {
            Step::Relay(relay) => Decided::Sent(self.sent(&relay)),
            Step::Answer(answer) => Decided::Answered(self.answered(&answer)),
            Step::Wait(wait) => panic!("the engine waits: {wait:?}"),
        }
    }

    /// What becomes of a request whose body is this one, and whose call, if one is made, is answered so. What is streamed is
    /// taken as if it had been collected. Bodies of an even length take too long where they come and go on elsewhere; of others it is
    /// the templates. Unless a trace is kept: whoever keeps one has time.
    pub fn runs(&mut self, head: &Head, body: &[u8], got: Result<Reply, CallError>) -> Ran {
        let mut called = None;
        let mut got = Some(got);
        let patience = match self.trace {
            Some(_) => Ctx::UNHURRIED,
            None if body.len().is_multiple_of(2) => 0,
            None => body.len() as u64,
        };
        self.patience = patience;
        let mut step = self.step(head);
        loop {
            step = match step {
                Step::Wait(Wait::Elsewhere(next)) => {
                    self.patience = Ctx::UNHURRIED;
                    let step = next.give(&mut self.cx(), head, Ok(()));
                    self.patience = patience;
                    step
                }
                Step::Wait(Wait::Body(limit, next)) => {
                    let fits = body.len() as u64 <= limit;
                    let body = if fits { Ok(body.to_vec()) } else { Err(BodyError::TooLarge) };
                    next.give(&mut self.cx(), head, body)
                }
                Step::Wait(Wait::Open(call, next)) => {
                    called = Some(self.called(&call));
                    let got = got.take().expect("one call is made").map(|reply| {
                        let mut body = Streamed::new(&reply.head);
                        body.read(&reply.body);
                        body.finish();
                        Opened { body }
                    });
                    next.give(&mut self.cx(), head, got)
                }
                Step::Wait(Wait::Call(call, next)) => {
                    called = Some(self.called(&call));
                    next.give(&mut self.cx(), head, got.take().expect("one call is made"))
                }
                Step::Answer(answer) => return Ran { called, answer: self.answered(&answer) },
                Step::Relay(relay) => {
                    called = Some(Called { sent: self.sent(&relay), body: body.to_vec() });
                    let got = got.take().expect("one call is made");
                    let answer = relay.reply(
                        &mut self.cx(),
                        head,
                        got.as_ref().map(|r| &r.head).map_err(|e| *e),
                    );
                    let mut answer_read = self.answered(&answer);
                    if let (Body::Upstream, Ok(reply)) = (&answer.body, got) {
                        answer_read.body = String::from_utf8_lossy(&reply.body).into_owned();
                        answer_read.bytes = reply.body;
                    }
                    return Ran { called, answer: answer_read };
                }
            }
        }
    }

    fn called(&self, call: &Call) -> Called {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Called {
            sent: Sent {
                upstream: call.upstream.authority.to_string(),
                method: call.request.method.as_str(),
                target: text(call.request.target.of(&self.scratch)),
                fields: Lines::read(call.request.fields.of(&self.scratch)),
                timeout_ms: call.request.timeout_ms,
            },
            body: call.body.clone(),
        }
    }

    /// What is sent upstream for `GET {path}`.
    pub fn sends(&mut self, head: &Head) -> Sent {
        match self.decide(head) {
            Decided::Sent(sent) => sent,
            Decided::Answered(answer) => panic!("answered {answer:?}"),
        }
    }

    /// What the gateway answers itself.
    pub fn answers(&mut self, head: &Head) -> Answered {
        match self.decide(head) {
            Decided::Answered(answer) => answer,
            Decided::Sent(sent) => panic!("sent {sent:?}"),
        }
    }

    /// The relay of a request that has one.
    pub fn relay(&mut self, head: &Head) -> Relay {
        match self.step(head) {
            Step::Relay(relay) => relay,
            other => panic!("no relay: {other:?}"),
        }
    }

    /// What the caller gets when the upstream's part came to this.
    pub fn replies(&mut self, head: &Head, got: Result<&Head, CallError>) -> Answered {
        let relay = self.relay(head);
        let answer = relay.reply(&mut self.cx(), head, got);
        self.answered(&answer)
    }

    fn sent(&self, relay: &Relay) -> Sent {
        let upstream = relay.upstream(&self.world).authority.to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Sent {
            upstream,
            method: relay.request.method.as_str(),
            target: text(relay.request.target.of(&self.scratch)),
            fields: Lines::read(relay.request.fields.of(&self.scratch)),
            timeout_ms: relay.request.timeout_ms,
        }
    }

    pub fn answered(&mut self, answer: &Answer) -> Answered {
        let fields = Lines::read(answer.fields.of(&self.scratch));
        let failure = answer.failure().map(|f| f.response_type().name());
        let cx = self.cx();
        let bytes = answer.bytes(&cx).to_vec();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answered { status: answer.status, fields, body, bytes, failure }
    }
}

/// What the engine came to.
#[derive(Debug)]
pub enum Decided {
    Sent(Sent),
    Answered(Answered),
}

impl Decided {
    /// `200 body` or `> target`, so that cases fit on a line.
    pub fn brief(&self) -> String {
        match self {
            Self::Sent(sent) => format!("> {}", sent.target),
            Self::Answered(answer) => format!("{} {}", answer.status, answer.body),
        }
    }
}

#[derive(Debug)]
pub struct Sent {
    pub upstream: String,
    pub method: &'static str,
    pub target: String,
    pub fields: Lines,
    pub timeout_ms: u32,
}

/// A call that was made.
#[derive(Debug)]
pub struct Called {
    pub sent: Sent,
    pub body: Vec<u8>,
}

/// What became of a request that may wait.
#[derive(Debug)]
pub struct Ran {
    pub called: Option<Called>,
    pub answer: Answered,
}

impl Ran {
    /// The call, which must have been made.
    pub fn call(&self) -> &Called {
        self.called.as_ref().unwrap_or_else(|| panic!("nothing was called: {:?}", self.answer))
    }

    /// `200 body`, so that cases fit on a line.
    pub fn brief(&self) -> String {
        format!("{} {}", self.answer.status, self.answer.body)
    }
}

#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub fields: Lines,
    pub body: String,
    pub bytes: Vec<u8>,
    pub failure: Option<&'static str>,
}

/// Head lines, names as written.
#[derive(Debug, PartialEq, Eq)]
pub struct Lines(pub Vec<(String, String)>);

impl Lines {
    /// Reads lines and checks their shape on the way: what breaks it would break a message on the wire.
    pub fn read(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let mut lines = Vec::new();
        while !rest.is_empty() {
            let end = rest.windows(2).position(|w| w == b"\r\n").expect("every line ends in CR LF");
            let (line, behind) = rest.split_at(end);
            let colon = line.iter().position(|b| *b == b':').expect("a line has a colon");
            let (name, value) = (&line[..colon], &line[colon + 1..]);
            assert!(!name.is_empty() && name.iter().all(u8::is_ascii_graphic), "{line:?}");
            assert!(value.starts_with(b" "), "{line:?}");
            assert!(!value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)), "{line:?}");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            lines.push((text(name), text(&value[1..])));
            rest = &behind[2..];
        }
        Self(lines)
    }

    /// All values of a name, in any case.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a name that must stand once.
    pub fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {self:?}");
        all[0]
    }

    pub fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }
}

/// A request's head: `GET /path?query`, and fields. `Host` goes first unless the fields hold one.
pub fn head(line: &str, fields: &[(&str, &str)]) -> Head {
    let (method, target) = line.split_once(' ').unwrap();
    let mut head = Head::with_capacity(1024);
    head.version = Version::Http11;
    head.method = Method::from_bytes(method.as_bytes());
    head.method_text = head.push_bytes(method.as_bytes());
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    head.path = head.push_bytes(path.as_bytes());
    head.query = query.map(|q| head.push_bytes(q.as_bytes()));
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_field(b"Host", HOST.as_bytes());
    }
    for (name, value) in fields {
        head.push_field(name.as_bytes(), value.as_bytes());
    }
    let host = head.fields.iter().find(|f| f.known == Known::Host).unwrap();
    head.authority = host.value;
    head
}

/// An upstream's head.
pub fn reply(status: u16, body: BodySize, fields: &[(&str, &str)]) -> Head {
    let mut head = Head { status, body, ..Head::with_capacity(1024) };
    for (name, value) in fields {
        head.push_field(name.as_bytes(), value.as_bytes());
    }
    head
}

/// Entropy that draws a canary share of about `percent`. Searched, because the draw is a mix of the bytes.
pub fn entropy_drawing(at_least: f64, below: f64) -> [u8; 16] {
    (0u64..)
        .map(|n| {
            let mut entropy = [3; 16];
            entropy[4..12].copy_from_slice(&n.to_le_bytes());
            entropy
        })
        .find(|e| (at_least..below).contains(&tidegate_engine::exchange::draw(*e)))
        .unwrap()
}

/// The call a step waits for.
pub fn waits(step: Step) -> (Call, Next<Result<Reply, CallError>>) {
    match step {
        Step::Wait(Wait::Call(call, next)) => (call, next),
        other => panic!("the engine does not wait for a call: {other:?}"),
    }
}

/// An upstream's whole answer.
pub fn whole(status: u16, fields: &[(&str, &str)], body: &[u8]) -> Reply {
    Reply { head: reply(status, BodySize::Known(body.len() as u64), fields), body: body.to_vec() }
}

/// A request with a body: `POST /path`, and fields.
pub fn head_with_body(line: &str, fields: &[(&str, &str)], body: &[u8]) -> Head {
    let mut made = head(line, fields);
    made.body = match body.len() {
        0 => BodySize::Empty,
        bytes => BodySize::Known(bytes as u64),
    };
    made
}
