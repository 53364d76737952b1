//! The event of a proxy integration, format 1.0.
//!
//! Source: developer guide, "Input format of a Lambda function for proxy integration"; recorded shapes of absent parts.

use std::collections::HashMap;

use crate::exchange::Listener;
use crate::head::{Head, Known};
use crate::integration::http::{forwarded_for, is_alias, is_signature, put_trace};
use crate::mapping::context::{Context, View};
use crate::mapping::parameter::query_pairs;
use crate::mapping::{json, media};

/// Writes the event of a request. `variables` is the stage's variables as JSON.
pub(super) fn write(
    listener: &Listener,
    view: &View<'_>,
    variables: &[u8],
    body: &[u8],
    binary: bool,
) -> Vec<u8> {
    let mut event = Object::open(Vec::with_capacity(2048 + body.len()));
    event.text("resource", &view.context(Context::ResourcePath));
    event.text("path", &path(view));
    event.text("httpMethod", &view.context(Context::HttpMethod));
    let headers = Multi::headers(listener, view);
    headers.write(&mut event, "headers", "multiValueHeaders");
    let mut query = Multi::default();
    for (name, value) in query_pairs(view.head.query()) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        query.push(&text(&name), text(&value));
    }
    query.write(&mut event, "queryStringParameters", "multiValueQueryStringParameters");
    let mut parameters = Multi::default();
    for (at, name) in view.names.iter().enumerate() {
        if let Some(value) = view.values.get(at) {
            parameters.push(name, String::from_utf8_lossy(view.head.bytes(value)).into_owned());
        }
    }
    parameters.write_single(&mut event, "pathParameters");
    event.raw("stageVariables", variables);
    event.raw("requestContext", &context(view));
    if body.is_empty() {
        event.raw("body", b"null");
        event.raw("isBase64Encoded", b"false");
    } else if binary {
        event.text("body", &String::from_utf8_lossy(&media::encode(body)));
        event.raw("isBase64Encoded", b"true");
    } else {
        event.text("body", &String::from_utf8_lossy(body));
        event.raw("isBase64Encoded", b"false");
    }
    event.close()
}

/// The path without the stage; leading slashes are one, as recorded.
fn path(view: &View<'_>) -> String {
    let rest = &view.head.buf[view.path_from..view.head.path.range().end];
    let from = rest.iter().position(|b| *b != b'/').unwrap_or(rest.len());
    format!("/{}", String::from_utf8_lossy(&rest[from..]))
}

fn context(view: &View<'_>) -> Vec<u8> {
    let mut out = Object::open(Vec::with_capacity(1024));
    for (name, variable) in [
        ("resourceId", Context::ResourceId),
        ("resourcePath", Context::ResourcePath),
        ("httpMethod", Context::HttpMethod),
        ("extendedRequestId", Context::ExtendedRequestId),
        ("requestTime", Context::RequestTime),
        ("path", Context::Path),
        ("accountId", Context::AccountId),
        ("protocol", Context::Protocol),
        ("stage", Context::Stage),
        ("domainPrefix", Context::DomainPrefix),
    ] {
        out.text(name, &view.context(variable));
    }
    out.raw("requestTimeEpoch", view.context(Context::RequestTimeEpoch).as_bytes());
    for (name, variable) in [
        ("requestId", Context::RequestId),
        ("domainName", Context::DomainName),
        ("deploymentId", Context::DeploymentId),
        ("apiId", Context::ApiId),
    ] {
        out.text(name, &view.context(variable));
    }
    let canary = view.context(Context::IsCanaryRequest);
    if !canary.is_empty() {
        out.raw("isCanaryRequest", canary.as_bytes());
    }
    out.raw("identity", &identity(view));
    out.close()
}

fn identity(view: &View<'_>) -> Vec<u8> {
    let mut out = Object::open(Vec::with_capacity(512));
    let signed_by = |out: &mut Object, name: &str, variable: Context| match view.signed_by(variable)
    {
        Some(told) => out.text(name, told),
        None => out.raw(name, b"null"),
    };
    out.raw("cognitoIdentityPoolId", b"null");
    signed_by(&mut out, "accountId", Context::CallersAccount);
    out.raw("cognitoIdentityId", b"null");
    signed_by(&mut out, "caller", Context::Caller);
    out.text("sourceIp", &view.context(Context::SourceIp));
    out.raw("principalOrgId", b"null");
    signed_by(&mut out, "accessKey", Context::AccessKey);
    out.raw("cognitoAuthenticationType", b"null");
    out.raw("cognitoAuthenticationProvider", b"null");
    signed_by(&mut out, "userArn", Context::UserArn);
    match view.head.last(Known::UserAgent) {
        Some(agent) => out.text("userAgent", &String::from_utf8_lossy(agent)),
        None => out.raw("userAgent", b"null"),
    }
    signed_by(&mut out, "user", Context::User);
    out.close()
}

/// Names with their values, in the order they were first met.
#[derive(Default)]
struct Multi {
    all: Vec<(String, Vec<String>)>,
    /// Where a name stands; those of headers in lower case.
    index: HashMap<String, usize>,
}

impl Multi {
    /// The caller's headers as functions see them, and what the gateway adds. One name in several spellings is one header.
    fn headers(listener: &Listener, view: &View<'_>) -> Self {
        let mut all = Self::default();
        for (name, value, known) in view.head.iter() {
            if !view.sees(known) || !is_shown(view.head, known, name) {
                continue;
            }
            if known == Known::Authorization && is_signature(value) {
                continue;
            }
            let name = match known {
                // These two come in their own spelling, whatever was sent; recorded.
                Known::Authorization => "Authorization".to_owned(),
                Known::UserAgent => "User-Agent".to_owned(),
                _ => String::from_utf8_lossy(name).into_owned(),
            };
            all.push_header(&name, String::from_utf8_lossy(value).into_owned());
        }
        let text = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        let trace = text(&|out| put_trace(out, view.head, view.ids));
        all.push_header("X-Amzn-Trace-Id", trace);
        let peers = text(&|out| forwarded_for(out, view.head, view.peer));
        all.push_header("X-Forwarded-For", peers);
        all.push_header("X-Forwarded-Port", listener.port.to_string());
        all.push_header("X-Forwarded-Proto", listener.scheme.to_owned());
        all
    }

    /// Adds a value of a header: its case does not count.
    fn push_header(&mut self, name: &str, value: String) {
        self.push_as(name.to_ascii_lowercase(), name, value);
    }

    /// Adds a value of a parameter.
    fn push(&mut self, name: &str, value: String) {
        self.push_as(name.to_owned(), name, value);
    }

    fn push_as(&mut self, key: String, name: &str, value: String) {
        let at = *self.index.entry(key).or_insert_with(|| {
            self.all.push((name.to_owned(), Vec::new()));
            self.all.len() - 1
        });
        self.all[at].1.push(value);
    }

    fn write(&self, event: &mut Object, single: &str, multi: &str) {
        self.write_single(event, single);
        if self.all.is_empty() {
            return event.raw(multi, b"null");
        }
        let mut out = Object::open(Vec::new());
        for (name, values) in &self.all {
            let mut list = vec![b'['];
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    list.push(b',');
                }
                json::put(&mut list, Some(value));
            }
            list.push(b']');
            out.raw(name, &list);
        }
        event.raw(multi, &out.close());
    }

    /// The last value of each name.
    fn write_single(&self, event: &mut Object, name: &str) {
        if self.all.is_empty() {
            return event.raw(name, b"null");
        }
        let mut out = Object::open(Vec::new());
        for (name, values) in &self.all {
            out.text(name, values.last().map_or("", String::as_str));
        }
        event.raw(name, &out.close());
    }
}

/// Whether a field that mappings see reaches functions, too. What is left out belongs to the hop, or is written by the gateway itself.
fn is_shown(head: &Head, known: Known, name: &[u8]) -> bool {
    match known {
        Known::KeepAlive
        | Known::ProxyConnection
        | Known::ProxyAuthorization
        | Known::Http2Settings
        | Known::AmznTraceId
        | Known::XForwardedFor
        | Known::XForwardedPort
        | Known::XForwardedProto => false,
        Known::Other => !head.nominated(name) && !is_alias(name),
        _ => true,
    }
}

/// A JSON object that is being written.
struct Object(Vec<u8>);

impl Object {
    fn open(mut out: Vec<u8>) -> Self {
        out.push(b'{');
        Self(out)
    }

    /// Adds a member whose value is JSON already.
    fn raw(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.0.extend_from_slice(value);
    }

    /// Adds a text.
    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        json::put(&mut self.0, Some(value));
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        json::put(&mut self.0, Some(name));
        self.0.push(b':');
    }

    fn close(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}
