//! `HTTP_PROXY` and `HTTP`: what an HTTP upstream is sent. The first passes the caller's request on, the second sends only what is
//! mapped.
//!
//! Sources: recorded header behaviour of both; developer guide, "Set up HTTP integrations" and "known issues".

use std::net::IpAddr;
use std::sync::Arc;

use tidegate_proto::v1;

use super::mappings::{HeaderRules, Mappings, Seen, put_headers, tell};
use super::target::Target;
pub use super::target::{BadUrl, Url};
use crate::exchange::{Ctx, Ids};
use crate::head::{Head, Known, Method};
use crate::mapping::context::View;
use crate::mapping::media::{self, BinaryTypes, Handling, Payload};
use crate::mapping::parameter::Source;
use crate::respond::responses::accepted;
use crate::respond::{Failure, line, lines};
use crate::snapshot::{Settings, Unfit, Upstream, Upstreams, Variables};
use crate::step::Outgoing;

/// An HTTP upstream with its variables folded in.
#[derive(Debug)]
pub struct Http {
    pub(crate) upstream: Arc<Upstream>,
    /// `None`: the caller's.
    method: Option<Method>,
    target: Target,
    headers: Box<[(Box<str>, Known, Source)]>,
    /// Whether a mapping reads the request's body.
    pub(crate) reads_body: bool,
    /// Whether its answer is streamed whatever the caller would rather have.
    pub(crate) streams: bool,
    /// Whether all of its answer has to be there, and in no coding, because it is checked or converted.
    pub(crate) whole: bool,
    /// What becomes of bodies that are passed on; `None`: nothing.
    pub(crate) conversion: Option<Box<Conversion>>,
    /// Largest body of a request that is passed on, bytes.
    pub(crate) payload: u64,
    /// Whether the API has headers of its own for answers.
    pub(crate) cors: bool,
    /// `Host`, API id and other lines that never change.
    fixed: Box<[u8]>,
    user_agent: Box<str>,
    timeout_ms: u32,
}

/// How `HTTP_PROXY` converts bodies between bytes and base64. Source: developer guide, "Content type conversions in API Gateway".
#[derive(Debug)]
pub(crate) struct Conversion {
    request: Handling,
    reply: Handling,
    binary: Arc<BinaryTypes>,
}

impl Conversion {
    /// Reads what an integration asks for: for requests itself, for answers its default response. `None` when neither asks.
    pub(crate) fn link(
        from: &v1::Integration,
        binary: &Arc<BinaryTypes>,
    ) -> Result<Option<Box<Self>>, Unfit> {
        let response = from.responses.iter().find(|r| r.selection_pattern.is_empty());
        let request = Handling::parse(&from.content_handling)?;
        let reply = Handling::parse(response.map_or("", |r| &r.content_handling))?;
        if request == Handling::AsItComes && reply == Handling::AsItComes {
            return Ok(None);
        }
        if from.response_transfer_mode == "STREAM" {
            return Err(Unfit::Always(
                "contentHandling needs whole bodies, and responseTransferMode is STREAM".into(),
            ));
        }
        Ok(Some(Box::new(Self { request, reply, binary: binary.clone() })))
    }

    /// Whether answers change.
    pub(crate) fn changes_replies(&self) -> bool {
        self.reply != Handling::AsItComes
    }

    /// A request's body as the upstream gets it.
    pub(crate) fn request(&self, head: &Head, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
        if self.request == Handling::AsItComes {
            return Ok(body);
        }
        let binary = self.binary.holds(media::first(head, Known::ContentType));
        let made = Payload::of_request(body, binary, self.request);
        made.map(Payload::into_bytes).map_err(|_| Failure::BadConversion)
    }

    /// An answer's body as the caller gets it.
    pub(crate) fn reply(
        &self,
        head: &Head,
        reply: &Head,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, Failure> {
        if self.reply == Handling::AsItComes {
            return Ok(body);
        }
        let binary = self.binary.holds(media::first(reply, Known::ContentType));
        let wanted = self.binary.holds(accepted(head));
        let made = Payload::of_reply(body, binary, wanted, self.reply);
        made.map(Payload::into_bytes).map_err(|_| Failure::BadConversion)
    }
}

/// Builds the upstream of an integration.
pub(crate) fn link(
    from: &v1::Integration,
    variables: Variables<'_>,
    upstreams: &mut Upstreams,
    settings: &Settings,
    whole: bool,
    api_id: &str,
) -> Result<Http, Unfit> {
    let vpc_link = vpc_link(from, variables)?;
    let (uri, varies) = variables.fold(&from.uri);
    let unfit = |what: String| if varies { Unfit::Here(what) } else { Unfit::Always(what) };
    let url = Url::parse(&uri).map_err(|e| unfit(format!("{e}: '{uri}'")))?;
    let method = match from.http_method.as_str() {
        "" | "ANY" => None,
        text => match Method::from_bytes(text.as_bytes()) {
            Method::Other => return Err(Unfit::Always(format!("'{text}' is no method"))),
            known => Some(known),
        },
    };
    let mappings = Mappings::read(&from.request_parameters, variables, &HEADER_RULES)?;
    let reads_body = mappings.read_body();
    let verify = !from.insecure_skip_verification;
    let upstream =
        upstreams.intern_behind(vpc_link.as_deref(), url.scheme, url.host, url.port, verify);
    let mut fixed = Vec::new();
    line(&mut fixed, b"Host", upstream.authority.as_bytes());
    line(&mut fixed, b"X-Amzn-Apigateway-Api-Id", api_id.as_bytes());
    let mapped = |wanted| mappings.headers.iter().any(|(_, known, _)| *known == wanted);
    if whole && !mapped(Known::AcceptEncoding) {
        line(&mut fixed, b"Accept-Encoding", b"identity");
    }
    Ok(Http {
        upstream,
        method,
        target: Target::parse(url.path, url.query, &mappings.paths, mappings.queries),
        headers: mappings.headers,
        reads_body,
        streams: from.response_transfer_mode == "STREAM",
        whole,
        conversion: None,
        payload: settings.payload,
        cors: settings.cors.is_some(),
        fixed: fixed.into(),
        user_agent: user_agent(api_id),
        timeout_ms: timeout_ms(from)?,
    })
}

/// The id of the VPC link that an integration connects through. The URI then only names the upstream, for `Host` and TLS. Source:
/// API Gateway API Reference, `PutIntegration`, `connectionId`.
fn vpc_link(from: &v1::Integration, variables: Variables<'_>) -> Result<Option<String>, Unfit> {
    match from.connection_type.as_str() {
        "" | "INTERNET" => return Ok(None),
        "VPC_LINK" => {}
        other => return Err(Unfit::Always(format!("'{other}' is no connection type"))),
    }
    let (id, varies) = variables.fold(&from.connection_id);
    match (id.is_empty(), varies) {
        (false, _) => Ok(Some(id)),
        (true, true) => Err(Unfit::Here(format!("no VPC link: '{}' is empty", from.connection_id))),
        (true, false) => {
            Err(Unfit::Always("connectionType is VPC_LINK, and there is no connectionId".into()))
        }
    }
}

/// What the gateway calls itself towards upstreams.
pub(crate) fn user_agent(api_id: &str) -> Box<str> {
    format!("AmazonAPIGateway_{api_id}").into()
}

/// An integration's time limit, AWS's where it sets none. Which limits an API may set is decided before it is deployed.
pub(crate) fn timeout_ms(from: &v1::Integration) -> Result<u32, Unfit> {
    match from.timeout_ms {
        0 => Ok(29_000),
        ms @ 50..=900_000 => Ok(ms),
        ms => Err(Unfit::Always(format!("its time-out of {ms} ms is not within 50..=900000"))),
    }
}

/// What an HTTP upstream may not be sent.
const HEADER_RULES: HeaderRules = HeaderRules { is_illegal, is_dropped };

/// Names no mapping may set: the request fails at run time, as recorded.
fn is_illegal(known: Known) -> bool {
    matches!(
        known,
        Known::ContentLength
            | Known::TransferEncoding
            | Known::AmznTraceId
            | Known::AmznApigatewayApiId
    )
}

/// Names that are dropped after mapping, silently.
fn is_dropped(known: Known) -> bool {
    matches!(
        known,
        Known::Expect
            | Known::ProxyAuthenticate
            | Known::Te
            | Known::Via
            // The connection's own.
            | Known::Host
            | Known::Connection
            | Known::KeepAlive
            | Known::ProxyConnection
    )
}

impl Http {
    /// Makes sure that there is something to connect to, and tells what.
    ///
    /// # Errors
    /// [`Failure::NoTargets`] when a VPC link leads nowhere.
    pub(crate) fn reach(&self, cx: &mut Ctx<'_>, kind: &str) -> Result<(), Failure> {
        let (world, upstream) = (cx.world, &self.upstream);
        let Some(targets) = world.targets(upstream) else {
            cx.note("integration", || format!("{kind} to {}", upstream.authority));
            return Ok(());
        };
        let link = upstream.vpc_link.as_deref().unwrap_or_default();
        cx.note("integration", || {
            format!("{kind} to {} through VPC link {link}", upstream.authority)
        });
        if targets.is_empty() {
            cx.detail(|| format!("VPC link {link} does not exist or has no targets"));
            return Err(Failure::NoTargets);
        }
        for target in targets.iter() {
            cx.detail(|| format!("target {target}"));
        }
        Ok(())
    }

    /// Whether the upstream gets a body at all: not by `GET`, `HEAD` or `OPTIONS`.
    pub(crate) fn takes_body(&self, head: &Head) -> bool {
        takes_body(self.method.unwrap_or(head.method))
    }

    /// Tells what its mappings give.
    pub(crate) fn tell(&self, cx: &mut Ctx<'_>, view: &View<'_>) {
        tell(cx, view, &self.headers, &self.target);
    }

    /// Writes the request that passes the caller's on.
    pub(crate) fn passed(&self, cx: &mut Ctx<'_>, view: &View<'_>) -> Result<Outgoing, Failure> {
        let (peer, listener) = (cx.peer, cx.listener);
        self.request(cx, view, view.head.query(), |out| {
            let mut seen = self.pass(out, view);
            let put = put_headers(&self.headers, &HEADER_RULES, out, view, &mut seen);
            self.defaults(out, &seen);
            forwarded(out, view.head, peer, listener);
            put
        })
    }

    /// Writes the request that holds only what is mapped, and what the gateway adds.
    pub(crate) fn mapped(&self, cx: &mut Ctx<'_>, view: &View<'_>) -> Result<Outgoing, Failure> {
        self.request(cx, view, &[], |out| {
            let mut seen = Seen::default();
            let put = put_headers(&self.headers, &HEADER_RULES, out, view, &mut seen);
            self.defaults(out, &seen);
            if !seen.content_type && self.takes_body(view.head) {
                callers_content_type(out, view.head);
            }
            put
        })
    }

    fn request(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        callers_query: &[u8],
        fields: impl FnOnce(&mut Vec<u8>) -> Result<(), Failure>,
    ) -> Result<Outgoing, Failure> {
        let mut sound = true;
        let target = lines(cx, |out| sound = self.target.write(out, view, callers_query));
        if !sound {
            return Err(Failure::BadParameter);
        }
        let mut put = Ok(());
        let fields = lines(cx, |out| {
            out.extend_from_slice(&self.fixed);
            put = fields(out);
            trace_line(out, view.head, view.ids);
        });
        put?;
        Ok(Outgoing {
            method: self.method.unwrap_or(view.head.method),
            target,
            fields,
            timeout_ms: self.timeout_ms,
        })
    }

    fn defaults(&self, out: &mut Vec<u8>, seen: &Seen) {
        if !seen.accept {
            line(out, b"Accept", b"application/json");
        }
        if !seen.user_agent {
            line(out, b"User-Agent", self.user_agent.as_bytes());
        }
    }

    /// Passes the caller's fields that the upstream may see.
    fn pass(&self, out: &mut Vec<u8>, view: &View<'_>) -> Seen {
        let head = view.head;
        let mut seen = Seen::default();
        for field in &head.fields {
            if !passes(field.known) || (field.known == Known::AcceptEncoding && self.whole) {
                continue;
            }
            let name = head.bytes(field.name);
            // Aliases that upstreams fold into a name of ours (`X_Forwarded_For`) are not the caller's to send.
            if field.known == Known::Other && (head.nominated(name) || is_alias(name)) {
                continue;
            }
            // What a mapping sets stands in its place. A mapping without a value is skipped; but what the gateway says of a caller is
            // never the caller's to say, nor is an alias of it.
            let replaces = |to: &str, source: &Source| {
                !name.eq_ignore_ascii_case(to.as_bytes())
                    || !source.is_callers()
                    || source.each(view, |_| {})
            };
            let mut mapped = self.headers.iter().filter(|(to, ..)| reads_as(name, to.as_bytes()));
            if mapped.any(|(to, _, source)| replaces(to, source)) {
                continue;
            }
            let value = head.bytes(field.value);
            // A signature was made for this gateway; it is no credential for anyone behind it.
            if field.known == Known::Authorization && is_signature(value) {
                continue;
            }
            head.put_line(field, out);
            seen.mark(field.known);
        }
        seen
    }
}

/// Whether an upstream request of this method has a body.
pub(crate) fn takes_body(method: Method) -> bool {
    !matches!(method, Method::Get | Method::Head | Method::Options)
}

/// The caller's `Content-Type`, if it sent one.
pub(crate) fn callers_content_type(out: &mut Vec<u8>, head: &Head) {
    if let Some(sent) = head.last(Known::ContentType) {
        line(out, b"Content-Type", sent);
    }
}

/// Whether a field of the caller reaches an `HTTP_PROXY` upstream. What is left out is dropped at ingress, belongs to the hop,
/// or is written by the gateway itself.
fn passes(known: Known) -> bool {
    !matches!(
        known,
        Known::Host
            | Known::Connection
            | Known::ContentLength
            | Known::ContentMd5
            | Known::ContentEncoding
            | Known::Expect
            | Known::MaxForwards
            | Known::ProxyAuthenticate
            | Known::ProxyAuthorization
            | Known::ProxyConnection
            | Known::KeepAlive
            | Known::Http2Settings
            | Known::Server
            | Known::Te
            | Known::TransferEncoding
            | Known::Trailer
            | Known::Upgrade
            | Known::Via
            | Known::WwwAuthenticate
            | Known::XForwardedFor
            | Known::XForwardedPort
            | Known::XForwardedProto
            | Known::AmznTraceId
            | Known::AmznApigatewayApiId
            | Known::AmznRequestId
            | Known::AmzApigwId
    )
}

/// Whether a name with `_` or `.` reads as a name of the gateway's own to an upstream that folds them (CVE-2026-54763).
pub(crate) fn is_alias(name: &[u8]) -> bool {
    if memchr::memchr2(b'_', b'.', name).is_none() || name.len() > 32 {
        return false;
    }
    let mut folded = [0; 32];
    for (to, from) in folded.iter_mut().zip(name) {
        *to = if matches!(from, b'_' | b'.') { b'-' } else { *from };
    }
    let known = Known::of(&folded[..name.len()]);
    known != Known::Other && !passes(known)
}

/// Whether an upstream that folds `_` and `.` into `-`, and case, reads one name as the other.
fn reads_as(name: &[u8], other: &[u8]) -> bool {
    let fold = |b: &u8| if matches!(b, b'_' | b'.') { b'-' } else { b.to_ascii_lowercase() };
    name.len() == other.len() && name.iter().map(fold).eq(other.iter().map(fold))
}

/// Whether an `Authorization` holds a SigV4 signature. Source: developer guide, "known issues": it is dropped.
pub(crate) fn is_signature(value: &[u8]) -> bool {
    const SCHEME: &[u8] = b"AWS4-";
    value.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// `X-Forwarded-For`, `-Port` and `-Proto`: what callers claimed, and behind it who was really there.
fn forwarded(out: &mut Vec<u8>, head: &Head, peer: IpAddr, listener: &crate::exchange::Listener) {
    out.extend_from_slice(b"X-Forwarded-For: ");
    forwarded_for(out, head, peer);
    out.extend_from_slice(b"\r\nX-Forwarded-Port: ");
    out.extend_from_slice(itoa::Buffer::new().format(listener.port).as_bytes());
    line(out, b"\r\nX-Forwarded-Proto", listener.scheme.as_bytes());
}

/// The value of `X-Forwarded-For`.
pub(crate) fn forwarded_for(out: &mut Vec<u8>, head: &Head, peer: IpAddr) {
    for field in head.fields.iter().filter(|f| f.known == Known::XForwardedFor) {
        out.extend_from_slice(head.bytes(field.value));
        out.extend_from_slice(b", ");
    }
    address(out, peer);
}

/// Appends an address as text. The usual one without the formatting machinery.
fn address(out: &mut Vec<u8>, peer: IpAddr) {
    let IpAddr::V4(v4) = peer else {
        use std::io::Write;
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{peer}");
        return;
    };
    for (i, octet) in v4.octets().into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
    }
}

/// The trace header.
pub(crate) fn trace_line(out: &mut Vec<u8>, head: &Head, ids: &Ids) {
    out.extend_from_slice(b"X-Amzn-Trace-Id: ");
    put_trace(out, head, ids);
    out.extend_from_slice(b"\r\n");
}

/// The caller's trace header and the root in it, if there is one.
fn sent_trace(head: &Head) -> Option<(&[u8], &[u8])> {
    let value = head.last(Known::AmznTraceId).filter(|value| value.len() <= 256)?;
    let mut members = value.split(|b| *b == b';').map(<[u8]>::trim_ascii);
    Some((value, members.find_map(|member| member.strip_prefix(b"Root="))?))
}

/// The root of the trace, as answers that follow a failed invocation tell it.
pub(crate) fn put_trace_root(out: &mut Vec<u8>, head: &Head, ids: &Ids) {
    out.extend_from_slice(b"Root=");
    out.extend_from_slice(sent_trace(head).map_or(ids.trace_value(), |(_, root)| root));
}

/// The value of the trace header: a caller's is honoured, with a parent of ours if it has none. Source: recorded.
pub(crate) fn put_trace(out: &mut Vec<u8>, head: &Head, ids: &Ids) {
    match sent_trace(head).map(|(value, _)| value) {
        Some(value) => {
            out.extend_from_slice(value);
            if memchr::memmem::find(value, b"Parent=").is_none() {
                out.extend_from_slice(b";Parent=");
                out.extend_from_slice(&ids.trace_value()[11..27]);
                out.extend_from_slice(b";Sampled=0");
            }
        }
        None => {
            out.extend_from_slice(b"Root=");
            out.extend_from_slice(ids.trace_value());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_of_our_own_names_are_known() {
        for name in [
            "X_Forwarded_For",
            "x.forwarded.proto",
            "Content_Length",
            "x-amzn_apigateway.api-id",
            "Transfer_Encoding",
        ] {
            assert!(is_alias(name.as_bytes()), "{name}");
        }
        for name in ["x-forwarded-for", "my_header", "x_api_key", "user_agent"] {
            assert!(!is_alias(name.as_bytes()), "{name}");
        }
    }
}
