//! AWS services: their URIs, actions and paths, called with a signature.
//!
//! Sources: API Gateway API Reference, `PutIntegration`, `uri`; developer guide, "Set up an integration request using the API Gateway
//! console" and the tutorials for AWS services; recorded header rules of type `AWS`.

use std::sync::Arc;

use tidegate_proto::v1;

use super::endpoints::{ServiceApi, ServiceUri};
use super::http::{callers_content_type, takes_body, timeout_ms, trace_line, user_agent};
use super::mappings::{HeaderRules, Mappings, Seen, put_headers, tell};
use super::services;
use super::sigv4::{self, Keys, PathStyle, Signer, Subject};
use super::target::Target;
use crate::exchange::Ctx;
use crate::head::{Known, Method};
use crate::mapping::body::Document;
use crate::mapping::context::View;
use crate::mapping::parameter::Source;
use crate::respond::{Failure, line, lines};
use crate::snapshot::{Linker, Settings, Unfit, Upstream, Variables};
use crate::step::{Call, Fields, MAX_REPLY, Outgoing, Purpose};

/// A service, or a function of Lambda, with its variables folded in.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) upstream: Arc<Upstream>,
    region: Box<str>,
    signing_name: Box<str>,
    path_style: PathStyle,
    /// As whom it is called.
    as_whom: AsWhom,
    /// `None`: the caller's.
    pub(crate) method: Option<Method>,
    target: Target,
    headers: Box<[(Box<str>, Known, Source)]>,
    /// Whether a mapping reads the request's body.
    pub(crate) reads_body: bool,
    /// The content type of a service that speaks JSON, whatever the caller sent.
    pub(crate) content_type: Option<&'static str>,
    /// `Host`, API id, `X-Amz-Target` and other lines that never change.
    fixed: Box<[u8]>,
    user_agent: Box<str>,
    timeout_ms: u32,
}

/// As whom a service is called.
#[derive(Debug)]
enum AsWhom {
    /// The role of an ARN; where that is empty, the gateway itself.
    Role(Box<str>),
    /// Whoever calls the method. Source: API Gateway API Reference, `PutIntegration`, `credentials`.
    Caller,
}

impl AsWhom {
    /// `arn:aws:iam::*:user/*` means the caller.
    fn of(credentials: &str) -> Self {
        match credentials.ends_with(":iam::*:user/*") {
            true => Self::Caller,
            false => Self::Role(credentials.into()),
        }
    }
}

/// Builds the call of an integration. The mappings are the integration's own, or none for `AWS_PROXY`, which has none.
pub(crate) fn link(
    from: &v1::Integration,
    mappings: Mappings,
    variables: Variables<'_>,
    linker: &mut Linker,
    settings: &Settings,
    api_id: &str,
) -> Result<Service, Unfit> {
    let (uri, varies) = variables.fold(&from.uri);
    let unfit = |what: String| if varies { Unfit::Here(what) } else { Unfit::Always(what) };
    let uri = ServiceUri::parse(&uri).map_err(|e| unfit(format!("{e}: '{uri}'")))?;
    let method = match from.http_method.as_str() {
        "" | "ANY" => None,
        text => match Method::from_bytes(text.as_bytes()) {
            Method::Other => return Err(Unfit::Always(format!("'{text}' is no method"))),
            known => Some(known),
        },
    };
    let endpoint = linker.endpoints.of(&uri, &settings.endpoints);
    let verify = !from.insecure_skip_verification;
    let upstream = linker.upstreams.intern(endpoint.scheme, &endpoint.host, endpoint.port, verify);
    let mut fixed = Vec::new();
    line(&mut fixed, b"Host", upstream.authority.as_bytes());
    line(&mut fixed, b"X-Amzn-Apigateway-Api-Id", api_id.as_bytes());
    let mut content_type = None;
    let (path, query) = match uri.api {
        ServiceApi::Path(path) => {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            (format!("{}/{path}", endpoint.base), query.to_owned())
        }
        ServiceApi::Action(action, parameters) => {
            let query = match services::json_protocol(uri.subdomain, uri.service) {
                Some((prefix, media)) => {
                    line(&mut fixed, b"X-Amz-Target", format!("{prefix}.{action}").as_bytes());
                    content_type = Some(media);
                    parameters.to_owned()
                }
                None if parameters.is_empty() => format!("Action={action}"),
                None => format!("Action={action}&{parameters}"),
            };
            (format!("{}/", endpoint.base), query)
        }
    };
    let sound = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
    if !sound(&path) || !sound(&query) {
        return Err(unfit(format!("Invalid ARN specified in the request: '{}'", from.uri)));
    }
    Ok(Service {
        upstream,
        region: uri.signing_region().into(),
        signing_name: uri.signing_name().into(),
        path_style: if uri.service == "s3" { PathStyle::AsSent } else { PathStyle::Normalised },
        as_whom: AsWhom::of(&variables.fold(&from.credentials).0),
        method,
        reads_body: mappings.read_body(),
        target: Target::parse(&path, &query, &mappings.paths, mappings.queries),
        headers: mappings.headers,
        content_type,
        fixed: fixed.into(),
        user_agent: user_agent(api_id),
        timeout_ms: timeout_ms(from)?,
    })
}

/// Reads the mappings of an integration of type `AWS` or `AWS_PROXY`.
pub(crate) fn mappings(
    from: &v1::Integration,
    variables: Variables<'_>,
) -> Result<Mappings, Unfit> {
    Mappings::read(&from.request_parameters, variables, &HEADER_RULES)
}

/// What a service may not be sent, as recorded.
const HEADER_RULES: HeaderRules = HeaderRules {
    is_illegal: |known| {
        matches!(
            known,
            Known::ContentLength
                | Known::TransferEncoding
                | Known::AmznTraceId
                | Known::AmznApigatewayApiId
                | Known::Authorization
                | Known::Connection
                | Known::Expect
                | Known::ProxyAuthenticate
                | Known::Te
        )
    },
    is_dropped: |known| {
        matches!(known, Known::Referer | Known::Host | Known::KeepAlive | Known::ProxyConnection)
    },
};

/// The function that a URI of Lambda invokes; `None` when it is no such URI.
pub(crate) fn is_lambda(uri: &str) -> bool {
    uri.contains(":lambda:path/")
}

impl Service {
    /// Tells what its mappings give, and which key signs.
    pub(crate) fn tell(&self, cx: &mut Ctx<'_>, view: &View<'_>) {
        tell(cx, view, &self.headers, &self.target);
        let keys = self.keys(cx, view);
        cx.detail(|| match keys {
            Ok(Some(keys)) => {
                format!("signed with key {} for {} in {}", keys.id, self.signing_name, self.region)
            }
            Ok(None) => "not signed: there is no key".to_owned(),
            Err(_) => {
                "it is called as its caller, whom only methods with authorization AWS_IAM know"
                    .to_owned()
            }
        });
    }

    /// What a call is signed with, if with anything.
    fn keys<'w>(&self, cx: &Ctx<'w>, view: &View<'w>) -> Result<Option<&'w Keys>, Failure> {
        match &self.as_whom {
            AsWhom::Role(role) => Ok(cx.credentials.of(role)),
            AsWhom::Caller => {
                view.caller.map(|caller| Some(&caller.keys)).ok_or(Failure::Misconfigured)
            }
        }
    }

    /// Writes the call that passes the caller's body on.
    pub(crate) fn pass(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        body: Vec<u8>,
    ) -> Result<Call, Failure> {
        let document = if self.reads_body {
            Some(Document::read(&body).map_err(|_| Failure::BadJson)?)
        } else {
            None
        };
        let view = &View { body: document.as_ref(), ..*view };
        cx.note("integration", || format!("AWS_PROXY, {}", self.upstream.authority));
        self.tell(cx, view);
        self.call(cx, view, body)
    }

    /// Writes the call, signed if there are keys.
    pub(crate) fn call(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        body: Vec<u8>,
    ) -> Result<Call, Failure> {
        let method = self.method.unwrap_or(view.head.method);
        let body = if takes_body(method) { body } else { Vec::new() };
        let mut sound = true;
        let target = lines(cx, |out| sound = self.target.write(out, view, &[]));
        let mut put = Ok(());
        if !sound {
            return Err(Failure::BadParameter);
        }
        let fields = lines(cx, |out| {
            out.extend_from_slice(&self.fixed);
            let mut seen = Seen::default();
            put = put_headers(&self.headers, &HEADER_RULES, out, view, &mut seen);
            if !seen.accept {
                line(out, b"Accept", b"application/json");
            }
            if !seen.user_agent {
                line(out, b"User-Agent", self.user_agent.as_bytes());
            }
            match self.content_type {
                _ if seen.content_type || !takes_body(method) => {}
                Some(media) => line(out, b"Content-Type", media.as_bytes()),
                None => callers_content_type(out, view.head),
            }
            trace_line(out, view.head, view.ids);
        });
        put?;
        let fields = match self.keys(cx, view)? {
            Some(keys) => self.signed(cx, keys, method, &target, fields, &body),
            None => fields,
        };
        let request = Outgoing { method, target, fields, timeout_ms: self.timeout_ms };
        let (purpose, upstream) = (Purpose::Integrate, self.upstream.clone());
        Ok(Call { purpose, upstream, request, body, max_reply: MAX_REPLY })
    }

    /// Adds the lines of a signature to those of a head.
    fn signed(
        &self,
        cx: &mut Ctx<'_>,
        keys: &Keys,
        method: Method,
        target: &Fields,
        fields: Fields,
        body: &[u8],
    ) -> Fields {
        let signer = Signer {
            keys,
            region: &self.region,
            service: &self.signing_name,
            unix_ms: cx.now.unix_ms,
        };
        let payload = sigv4::digest(body);
        let dated = lines(cx, |out| {
            line(out, b"X-Amz-Date", signer.date().as_bytes());
            if let Some(token) = &keys.token {
                line(out, b"X-Amz-Security-Token", token.as_bytes());
            }
            if self.path_style == PathStyle::AsSent {
                line(out, b"X-Amz-Content-Sha256", payload.as_bytes());
            }
        });
        let all = Fields::spanning(&fields, &dated);
        let authorization = {
            let (target, head) = (target.of(cx.scratch), all.of(cx.scratch));
            let question = memchr::memchr(b'?', target);
            let (path, query) = target.split_at(question.unwrap_or(target.len()));
            let to_sign: Vec<(&[u8], &[u8])> = signable(head).collect();
            signer.authorization(&Subject {
                method: method.as_str(),
                path,
                query: query.get(1..).unwrap_or_default(),
                fields: &to_sign,
                payload: &payload,
                path_style: self.path_style,
            })
        };
        let last = lines(cx, |out| line(out, b"Authorization", authorization.as_bytes()));
        Fields::spanning(&all, &last)
    }
}

/// The lines of a head that a signature covers: those that say what is asked, and none that a proxy may change.
fn signable(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.split(|b| *b == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r")?;
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let signed = matches!(Known::of(name), Known::Host | Known::ContentType)
            || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"x-amz-"));
        signed.then_some((name, value))
    })
}
