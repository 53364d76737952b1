//! One API on stage `prod`, what callers and upstreams send, and the buffers a worker keeps warm.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use anyhow::Context;
use prost::Message;
use tidegate_engine::head::{Head, Method};
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::integration::sigv4::Keys;
use tidegate_engine::snapshot::{Api, BundleId, Link, Linker, Revision, World};
use tidegate_engine::{Ctx, Listener, Now, Step, begin};
use tidegate_node::http::h1::{Limits, request, response};
use tidegate_proto::v1;

/// Where proxied requests go.
pub const UPSTREAM: &str = "10.0.0.1:8080";

/// The same moment for all requests, so that counts repeat.
pub const NOW: Now = Now { unix_ms: 1_700_000_000_123 };

/// The same random bytes for all requests.
pub const ENTROPY: [u8; 16] = [7; 16];

/// What an upstream answers.
pub const RESPONSE: &str = "HTTP/1.1 200 OK\r\n\
     Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n\
     Content-Type: application/json\r\n\
     Content-Length: 117\r\n\
     Connection: keep-alive\r\n\
     Server: upstream/1.0\r\n\
     ETag: W/\"75-9fcfb1b2e0c1d9a4\"\r\n\
     Cache-Control: max-age=0, private, must-revalidate\r\n\
     Vary: Accept-Encoding\r\n\r\n";

const API: &str = "abcde12345";

/// What a browser sends: ten fields.
pub fn browser_request(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\n\
         Host: {API}.execute-api.localhost\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/126.0.0.0 Safari/537.36\r\n\
         Accept: application/json, text/plain, */*\r\n\
         Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\n\
         Referer: https://shop.example/pets/1347\r\n\
         Origin: https://shop.example\r\n\
         Connection: keep-alive\r\n\
         Cookie: session=0f8fad5bd9cb469fa16570867728950e; theme=dark; \
         cart=6fa2b9c0d1e24f3a8b7c5d6e; consent=no; region=eu; view=list\r\n\
         Sec-Fetch-Site: cross-site\r\n\r\n"
    )
}

/// Reads a request's head as a node would.
pub fn parsed_request(bytes: &[u8]) -> anyhow::Result<Head> {
    let mut head = received(bytes);
    request::parse(&mut head, &Limits::REQUEST)?.context("the head is incomplete")?;
    Ok(head)
}

/// Reads the head of an answer to `GET` as a node would.
pub fn parsed_response(bytes: &[u8]) -> anyhow::Result<Head> {
    let mut head = received(bytes);
    response::parse(&mut head, Method::Get, &Limits::RESPONSE)?
        .context("the head is incomplete")?;
    Ok(head)
}

fn received(bytes: &[u8]) -> Head {
    let mut head = Head::with_capacity(4096);
    head.buf.extend_from_slice(bytes);
    head
}

/// A resource whose methods all have the same integration.
pub fn resource(path: &str, verbs: &[&str], integration: &v1::Integration) -> v1::Resource {
    let method = |verb: &&str| v1::Method {
        verb: (*verb).to_owned(),
        authorization_type: "NONE".to_owned(),
        integration: Some(integration.clone()),
        responses: vec![v1::MethodResponse { status_code: "200".to_owned(), ..Default::default() }],
        ..Default::default()
    };
    v1::Resource {
        id: String::new(),
        path: path.to_owned(),
        methods: verbs.iter().map(method).collect(),
    }
}

/// A resource of the large API: each path parameter goes where it came from, as `tidegate-load scenario routes` has it.
pub fn route(template: &str) -> v1::Resource {
    let names: Vec<&str> = template
        .split('/')
        .filter_map(|part| part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')))
        .collect();
    let verbs: &[&str] =
        if template.ends_with('}') { &["DELETE", "GET", "PATCH"] } else { &["GET", "POST"] };
    resource(template, verbs, &http_proxy(template, &names))
}

/// An `HTTP_PROXY` integration that passes the named path parameters on under their names.
pub fn http_proxy(path: &str, parameters: &[&str]) -> v1::Integration {
    let mapped = parameters.iter().map(|name| {
        pair(&format!("integration.request.path.{name}"), &format!("method.request.path.{name}"))
    });
    v1::Integration {
        r#type: v1::IntegrationType::HttpProxy.into(),
        http_method: "ANY".to_owned(),
        uri: format!("http://{UPSTREAM}{path}"),
        request_parameters: mapped.collect(),
        ..Default::default()
    }
}

/// A `MOCK` integration that answers 200 with a constant body.
pub fn mock(body: &str) -> v1::Integration {
    v1::Integration {
        r#type: v1::IntegrationType::Mock.into(),
        request_templates: vec![pair("application/json", r#"{"statusCode": 200}"#)],
        responses: vec![v1::IntegrationResponse {
            status_code: "200".to_owned(),
            templates: vec![pair("application/json", body)],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// An `AWS_PROXY` integration of a Lambda function.
pub fn function() -> v1::Integration {
    let function = "arn:aws:lambda:eu-west-1:000000000000:function:pets/invocations";
    v1::Integration {
        r#type: v1::IntegrationType::AwsProxy.into(),
        http_method: "POST".to_owned(),
        uri: format!("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{function}"),
        ..Default::default()
    }
}

fn pair(name: &str, value: &str) -> v1::Pair {
    v1::Pair { name: name.to_owned(), value: value.to_owned() }
}

/// A bundle of the resources, which get ids.
pub fn bundle(mut resources: Vec<v1::Resource>) -> v1::Bundle {
    for (number, resource) in resources.iter_mut().enumerate() {
        resource.id = format!("res{number:03}");
    }
    v1::Bundle {
        dialect: tidegate_proto::DIALECT,
        api_id: API.to_owned(),
        routing: Some(v1::Routing { protocol: v1::Protocol::Rest.into(), ..Default::default() }),
        resources,
        ..Default::default()
    }
}

/// A driver that performs nothing.
pub struct Gateway {
    /// The one API.
    pub world: World,
    /// What the engine wrote for the last request.
    pub scratch: Vec<u8>,
    listener: Listener,
    credentials: Credentials,
}

impl Gateway {
    /// The resources, deployed on stage `prod` of an API without a canary.
    pub fn serving(resources: Vec<v1::Resource>) -> anyhow::Result<Self> {
        let bytes = bundle(resources).encode_to_vec();
        let link = Link::build(BundleId::of(&bytes), &bytes, &[], &mut Linker::default())?;
        let binding = v1::Binding {
            api_id: API.to_owned(),
            stage: "prod".to_owned(),
            deployment_id: "dep001".to_owned(),
            ..Default::default()
        };
        let api = v1::Api { id: API.to_owned(), ..Default::default() };
        let api = Api::assemble(&api, [(&binding, Arc::new(link), None)].into_iter())?;
        let mut edit = World::empty("000000000000", "eu-west-1").edit();
        edit.set_api(Arc::new(api));
        Ok(Self {
            world: edit.finish(Revision { epoch: 1, sequence: 1 }),
            scratch: Vec::with_capacity(4096),
            listener: Listener::default(),
            credentials: Credentials {
                own: Some(Keys {
                    id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
                    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
                    token: None,
                }),
                ..Credentials::default()
            },
        })
    }

    /// What the engine may look at.
    pub fn cx(&mut self) -> Ctx<'_> {
        Ctx {
            world: &self.world,
            listener: &self.listener,
            peer: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
            now: NOW,
            entropy: ENTROPY,
            credentials: &self.credentials,
            patience: Ctx::UNHURRIED,
            scratch: &mut self.scratch,
            trace: None,
        }
    }

    /// Lets the engine decide. Never inlined, so that it costs the same in each case that calls it.
    #[inline(never)]
    pub fn begin(&mut self, head: &Head) -> Step {
        self.scratch.clear();
        begin(&mut self.cx(), head)
    }
}
