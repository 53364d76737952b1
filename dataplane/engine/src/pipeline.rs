//! The phases of a request, in the order it meets them.
//!
//! Each phase takes what the one before proved. The order is AWS's: an address before a stage, a route before who may call it,
//! and the integration last. Source: the observable precedence of AWS's answers.

mod find;
mod postpone;

use self::find::find;
pub use self::postpone::Postponed;
pub(crate) use self::postpone::go_on;
use self::postpone::{Work, postpone};
use crate::exchange::{Ctx, Ids};
use crate::head::{BodySize, Head, Known, Method};
use crate::identity;
use crate::integration::http;
use crate::integration::mapped::{NoAnswer, Sent};
use crate::mapping::body::Document;
use crate::mapping::context::View;
use crate::mapping::template::Overrides;
use crate::respond::compress::{self, Coding};
use crate::respond::gateway::{self, Refused};
use crate::respond::{self, Failure, Refusal, Tail, id_lines, line, lines};
use crate::route::{Captures, Routed};
use crate::snapshot::{Authorize, Integration, Place};
use crate::step::{
    Answer, Body, BodyError, Call, CallError, Counts, Fields, MAX_REPLY, Next, Opened, Outgoing,
    Purpose, Record, Relay, Reply, Step, Wait,
};

/// Decides what to do with a request whose head has arrived.
pub fn begin(cx: &mut Ctx<'_>, head: &Head) -> Step {
    let mut ids = Ids::new(cx.entropy, cx.now);
    if let Some(sent) = head.last(Known::AmznRequestId) {
        ids.adopt(sent);
    }
    match find(cx, head) {
        Ok(routed) => {
            if head.method == Method::Options
                && let Some(answer) = preflight(cx, head, routed.place, ids)
            {
                return Step::Answer(answer);
            }
            authorize(cx, head, routed, ids)
        }
        Err((place, failure)) => {
            if matches!(failure, Failure::NoRoute | Failure::NoMethod)
                && let Some(answer) = place.and_then(|stage| preflight(cx, head, stage, ids))
            {
                return Step::Answer(answer);
            }
            let refused = Refused { head, ids, place, values: Captures::default() };
            Step::Answer(gateway::answer(cx, refused, identity::instead(cx, head, failure)))
        }
    }
}

/// Answers a preflight where the API has a setting for it and no method for `OPTIONS` itself: before anyone asks who calls, since
/// browsers show no credentials then, and for any path, so that scripts may read why the request itself is refused.
fn preflight(cx: &mut Ctx<'_>, head: &Head, place: Place, ids: Ids) -> Option<Answer> {
    let world = cx.world;
    let cors = world.link(place).cors.as_ref()?;
    if world.method(place).is_some_and(|method| method.verb.is_some()) {
        return None;
    }
    cors.preflight(cx, head, place, ids)
}

/// Largest body of a request to a stage, bytes: the API's own limit, within the listener's.
fn payload(cx: &Ctx<'_>, place: Place) -> u64 {
    cx.world.link(place).payload.min(cx.listener.max_body)
}

/// A request that waits for a call, with all it needs to go on. Offsets only: nothing here borrows.
#[derive(Debug)]
pub struct Calling {
    purpose: Purpose,
    routed: Routed,
    ids: Ids,
    /// What the request template overrides.
    overrides: Overrides,
}

/// A request that waits for its body, which its validator or the integration needs.
#[derive(Debug)]
pub struct Receiving {
    routed: Routed,
    ids: Ids,
    /// Whether the body is waited for because it is signed.
    identifies: bool,
}

/// Phase 4: who.
fn authorize(cx: &mut Ctx<'_>, head: &Head, routed: Routed, ids: Ids) -> Step {
    let world = cx.world;
    let Some(method) = world.method(routed.place) else {
        return refuse(cx, head, &routed, ids, Failure::Misconfigured);
    };
    let auth = match &method.authorize {
        Authorize::Anyone => return integrate(cx, head, routed, ids, None),
        Authorize::Iam => {
            return match identity::expects(cx, head) {
                Err(refusal) => refuse(cx, head, &routed, ids, refusal),
                Ok(()) if head.body == BodySize::Empty => {
                    identify(cx, head, routed, ids, Vec::new())
                }
                Ok(()) => {
                    let limit = payload(cx, routed.place);
                    let receiving = Receiving { routed, ids, identifies: true };
                    Step::Wait(Wait::Body(limit, Next::new(receiving)))
                }
            };
        }
        Authorize::Forward(auth) => auth,
    };
    cx.note("authorize", || format!("ask {}", auth.upstream.authority));
    let target = lines(cx, |out| out.extend_from_slice(&auth.target));
    let fields = lines(cx, |out| {
        line(out, b"Host", auth.upstream.authority.as_bytes());
        line(out, b"X-Forwarded-Method", head.bytes(head.method_text));
        line(out, b"X-Forwarded-Uri", head.path());
        // Every one of them: the authorizer must judge what the upstream will read, not the last of several.
        for (_, value, known) in head.iter() {
            match known {
                Known::Authorization => line(out, b"Authorization", value),
                Known::Cookie => line(out, b"Cookie", value),
                _ => {}
            }
        }
        http::trace_line(out, head, &ids);
    });
    let request =
        Outgoing { method: Method::Get, target, fields, timeout_ms: AUTHORIZER_TIMEOUT_MS };
    let (purpose, overrides) = (Purpose::Authorize, Overrides::default());
    let call = Call {
        purpose,
        upstream: auth.upstream.clone(),
        request,
        body: Vec::new(),
        max_reply: 8 * 1024,
    };
    Step::Wait(Wait::Call(call, Next::new(Calling { purpose, routed, ids, overrides })))
}

/// Phase 4 of a request that has to be signed, once its whole body is there.
fn identify(cx: &mut Ctx<'_>, head: &Head, routed: Routed, mut ids: Ids, body: Vec<u8>) -> Step {
    match identity::identify(cx, head, &routed, &body) {
        Ok(caller) => {
            ids.caller = Some(caller);
            integrate(cx, head, routed, ids, Some(body))
        }
        Err(refusal) => refuse(cx, head, &routed, ids, refusal),
    }
}

/// Goes on with what a call came to.
pub(crate) fn replied(
    parked: Calling,
    cx: &mut Ctx<'_>,
    head: &Head,
    got: Result<Reply, CallError>,
) -> Step {
    let Calling { purpose, routed, ids, overrides } = parked;
    match purpose {
        Purpose::Authorize => {
            let failure = match got {
                Ok(reply) if (200..300).contains(&reply.head.status) => {
                    return integrate(cx, head, routed, ids, None);
                }
                Ok(reply) if reply.head.status < 500 => Failure::Unauthorized,
                // An authorizer that is down admits nobody.
                Ok(_) | Err(_) => Failure::AuthorizerFailed,
            };
            refuse(cx, head, &routed, ids, failure)
        }
        Purpose::Integrate => {
            let made = match got {
                Ok(reply) if cx.is_too_long(reading_steps(reply.body.len())) => {
                    return postpone(routed, ids, Work::Reply(reply, overrides));
                }
                Ok(reply) => answer(cx, head, &routed, &ids, reply, overrides),
                Err(error) => Err(failed(cx, routed.place, error).into()),
            };
            settle(cx, head, &routed, ids, made)
        }
    }
}

/// Goes on with the beginning of an answer that is streamed.
pub(crate) fn opened(
    parked: Calling,
    cx: &mut Ctx<'_>,
    head: &Head,
    got: Result<Opened, CallError>,
) -> Step {
    let Calling { routed, ids, .. } = parked;
    let view = View::new(cx, head, &routed, &ids);
    let method = cx.world.method(routed.place);
    let made = match (method.map(|method| &method.integration), got) {
        (Some(Integration::LambdaProxy(proxy)), Ok(opened)) => {
            proxy.answer_streamed(cx, &view, &ids, routed.place, opened)
        }
        (_, Ok(_)) => Err(Failure::Misconfigured.into()),
        (_, Err(error)) => Err(failed(cx, routed.place, error).into()),
    };
    settle(cx, head, &routed, ids, made.map_err(NoAnswer::Refused))
}

/// Goes on with the request's body.
pub(crate) fn received(
    parked: Receiving,
    cx: &mut Ctx<'_>,
    head: &Head,
    got: Result<Vec<u8>, BodyError>,
) -> Step {
    let Receiving { routed, ids, identifies } = parked;
    match got {
        Ok(body) if cx.is_too_long(body_steps(cx, head, routed.place, body.len())) => {
            postpone(routed, ids, Work::Body { body, identifies })
        }
        Ok(body) if identifies => identify(cx, head, routed, ids, body),
        Ok(body) => decode(cx, head, routed, ids, body),
        Err(BodyError::TooLarge) => {
            let limit = payload(cx, routed.place);
            refuse(cx, head, &routed, ids, Failure::TooLarge(limit))
        }
        Err(BodyError::Broken) => refuse(cx, head, &routed, ids, Failure::BadBody),
    }
}

/// Steps that it takes to look through so many bytes, whatever is done with them.
fn reading_steps(bytes: usize) -> u64 {
    bytes.div_ceil(16) as u64
}

/// Steps that it takes to read a request's body, at most.
fn body_steps(cx: &Ctx<'_>, head: &Head, place: Place, bytes: usize) -> u64 {
    let coded = cx.world.link(place).compression.is_some() && compress::is_coded(head);
    let decoding = if coded { compress::decoding_steps(bytes, payload(cx, place)) } else { 0 };
    reading_steps(bytes) + decoding
}

/// Goes on with the body as it was before its content coding.
fn decode(cx: &mut Ctx<'_>, head: &Head, routed: Routed, mut ids: Ids, body: Vec<u8>) -> Step {
    let limit = payload(cx, routed.place);
    let decoded = match cx.world.link(routed.place).compression {
        Some(threshold) => compress::decoded(head, &body, threshold, limit),
        None => Ok(None),
    };
    match decoded {
        Ok(None) => send(cx, head, routed, ids, body),
        Ok(Some(body)) => {
            ids.decoded = true;
            send(cx, head, routed, ids, body)
        }
        Err(failure) => refuse(cx, head, &routed, ids, failure),
    }
}

/// Phases 5 to 7: whether the request is well formed, and then what to send, or what to answer in its place. The body is there
/// already if who calls was told by it.
fn integrate(
    cx: &mut Ctx<'_>,
    head: &Head,
    routed: Routed,
    ids: Ids,
    body: Option<Vec<u8>>,
) -> Step {
    let world = cx.world;
    let place = routed.place;
    let Some(method) = world.method(place) else {
        return refuse(cx, head, &routed, ids, Failure::Misconfigured);
    };
    let view = View::new(cx, head, &routed, &ids);
    if let Some(validator) = &method.validator
        && let Err(refusal) = validator.parameters(&view)
    {
        cx.note("validate", || refusal.message.clone().unwrap_or_default());
        return refuse(cx, head, &routed, ids, refusal);
    }
    if let Some(validator) = &method.validator
        && validator.checks_parameters()
    {
        cx.note("validate", || "the required parameters are there".to_owned());
    }
    let checks_body = method.validator.as_ref().is_some_and(|v| v.model(head).is_some());
    let wants_body = match &method.integration {
        Integration::Broken(why) => {
            cx.note("integration", || format!("cannot be carried out: {why}"));
            Err(Failure::Misconfigured)
        }
        _ if checks_body => Ok(head.body != BodySize::Empty),
        Integration::HttpProxy(http)
            if http.reads_body
                || http.whole
                || (body.is_some() && head.body != BodySize::Empty)
                || http.conversion.is_some()
                || (head.body != BodySize::Empty && !http.takes_body(head))
                || is_coded(cx, head, http, place) =>
        {
            Ok(head.body != BodySize::Empty)
        }
        Integration::HttpProxy(http) => {
            return match http.reach(cx, "HTTP_PROXY").and_then(|()| http.passed(cx, &view)) {
                Ok(request) => {
                    http.tell(cx, &view);
                    let max_body = http.payload.min(cx.listener.max_body);
                    Step::Relay(Relay { request, max_body, cors: http.cors, routed, ids })
                }
                Err(failure) => refuse(cx, head, &routed, ids, failure),
            };
        }
        Integration::Mapped(mapped) => {
            if let Some(made) = mapped.constant(cx, &view, place, &ids) {
                return match made {
                    Ok(answer) if method.responses.is_none() => {
                        answered(cx, head, &routed, ids, answer)
                    }
                    made => settle(cx, head, &routed, ids, made.map_err(NoAnswer::from)),
                };
            }
            mapped.wants_body(head)
        }
        Integration::LambdaProxy(_) | Integration::ServiceProxy(_) => {
            Ok(head.body != BodySize::Empty)
        }
    };
    match wants_body {
        Ok(true) => match body {
            Some(body) => decode(cx, head, routed, ids, body),
            None => {
                let receiving = Receiving { routed, ids, identifies: false };
                Step::Wait(Wait::Body(payload(cx, place), Next::new(receiving)))
            }
        },
        Ok(false) => send(cx, head, routed, ids, Vec::new()),
        Err(failure) => refuse(cx, head, &routed, ids, failure),
    }
}

/// Largest answer that is collected, bytes: the API's own limit. A node's bound on requests is not taken for one below AWS's here.
fn max_reply(cx: &Ctx<'_>, place: Place) -> usize {
    let limit = cx.world.link(place).payload.min(cx.listener.max_body.max(MAX_REPLY as u64));
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Whether an `HTTP_PROXY` exchange has a body that compression concerns, so that it cannot be streamed.
fn is_coded(cx: &Ctx<'_>, head: &Head, http: &http::Http, place: Place) -> bool {
    cx.world.link(place).compression.is_some()
        && !http.streams
        && (Coding::wanted(head).is_some() || compress::is_coded(head))
}

/// Phases 6 and 7 where the whole body is needed: whether it is well formed, and what to send.
fn send(cx: &mut Ctx<'_>, head: &Head, routed: Routed, ids: Ids, body: Vec<u8>) -> Step {
    let view = View::new(cx, head, &routed, &ids);
    let method = cx.world.method(routed.place);
    if let Some(validator) = method.and_then(|method| method.validator.as_ref())
        && let Err(refusal) = validator.body(cx, head, &body)
    {
        return refuse(cx, head, &routed, ids, refusal);
    }
    let sent = match method.map(|method| &method.integration) {
        Some(Integration::Mapped(mapped)) => mapped.send(cx, &view, body),
        Some(Integration::HttpProxy(http)) => pass(cx, http, &view, body),
        Some(Integration::LambdaProxy(proxy)) => {
            proxy.invoke(cx, &view, &body).map(|call| Sent::Call(call, Overrides::default()))
        }
        Some(Integration::ServiceProxy(service)) => {
            service.pass(cx, &view, body).map(|call| Sent::Call(call, Overrides::default()))
        }
        _ => Err(Failure::Misconfigured),
    };
    sent_on(cx, head, routed, ids, sent)
}

/// What is done with what is to be sent.
fn sent_on(
    cx: &mut Ctx<'_>,
    head: &Head,
    routed: Routed,
    ids: Ids,
    sent: Result<Sent<'_>, Failure>,
) -> Step {
    let made = match sent {
        Ok(Sent::Call(mut call, overrides)) => {
            let purpose = Purpose::Integrate;
            call.max_reply = max_reply(cx, routed.place);
            let streams = matches!(
                cx.world.method(routed.place).map(|method| &method.integration),
                Some(Integration::LambdaProxy(proxy)) if proxy.streams
            );
            let calling = Calling { purpose, routed, ids, overrides };
            if streams {
                return Step::Wait(Wait::Open(call, Next::new(calling)));
            }
            return Step::Wait(Wait::Call(call, Next::new(calling)));
        }
        Ok(Sent::Selected(mapped, value, overrides)) => {
            let view = View::new(cx, head, &routed, &ids);
            mapped.answer_selected(cx, &view, &ids, routed.place, &value, overrides)
        }
        Ok(Sent::Hurried(unsent)) => {
            return postpone(routed, ids, Work::RequestTemplate(unsent));
        }
        Err(failure) => Err(failure.into()),
    };
    settle(cx, head, &routed, ids, made)
}

/// An `HTTP_PROXY` request that cannot be streamed: a mapping reads its body, or compression changes one.
fn pass(
    cx: &mut Ctx<'_>,
    http: &http::Http,
    view: &View<'_>,
    body: Vec<u8>,
) -> Result<Sent<'static>, Failure> {
    let document = if http.reads_body {
        Some(Document::read(&body).map_err(|_| Failure::BadJson)?)
    } else {
        None
    };
    let view = &View { body: document.as_ref(), ..*view };
    let body = match &http.conversion {
        _ if !http.takes_body(view.head) => Vec::new(),
        Some(conversion) => conversion.request(view.head, body)?,
        None => body,
    };
    http.reach(cx, "HTTP_PROXY")?;
    let request = http.passed(cx, view)?;
    http.tell(cx, view);
    let upstream = http.upstream.clone();
    let (purpose, max_reply) = (Purpose::Integrate, MAX_REPLY);
    let call = Call { purpose, upstream, request, body, max_reply };
    Ok(Sent::Call(call, Overrides::default()))
}

/// Phase 8 of an integration that was called: what the caller gets of its answer.
fn answer(
    cx: &mut Ctx<'_>,
    head: &Head,
    routed: &Routed,
    ids: &Ids,
    reply: Reply,
    overrides: Overrides,
) -> Result<Answer, NoAnswer> {
    let view = View::new(cx, head, routed, ids);
    match cx.world.method(routed.place).map(|method| &method.integration) {
        Some(Integration::Mapped(mapped)) => {
            mapped.answer(cx, &view, ids, routed.place, reply, overrides)
        }
        Some(Integration::LambdaProxy(proxy)) => {
            Ok(proxy.answer(cx, &view, ids, routed.place, &reply)?)
        }
        other => {
            let body = match other {
                Some(Integration::HttpProxy(http)) => match &http.conversion {
                    Some(conversion) => conversion.reply(head, &reply.head, reply.body)?,
                    None => reply.body,
                },
                _ => reply.body,
            };
            let fields = passed_on(cx, &reply.head, ids);
            let tail = Tail::new(*ids, Some(routed.place));
            Ok(Answer { status: reply.head.status, fields, body: Body::Whole(body), tail })
        }
    }
}

/// The answer that was made and fits its model, or the one that says why there is none.
fn settle(
    cx: &mut Ctx<'_>,
    head: &Head,
    routed: &Routed,
    ids: Ids,
    made: Result<Answer, NoAnswer>,
) -> Step {
    let world = cx.world;
    let models = world.method(routed.place).and_then(|method| method.responses.as_ref());
    let made = match (models, made) {
        (Some(models), Ok(answer)) => models.check(cx, head, answer),
        (_, Ok(answer)) => Ok(answer),
        (_, Err(NoAnswer::Refused(refusal))) => Err(refusal),
        (_, Err(NoAnswer::Hurried(unanswered))) => {
            return postpone(*routed, ids, Work::ResponseTemplate(unanswered));
        }
    };
    match made {
        Ok(answer) => answered(cx, head, routed, ids, answer),
        Err(refusal) => refuse(cx, head, routed, ids, refusal),
    }
}

/// The answer that was made, with what the API adds to every answer, compressed if the caller asks for it.
fn answered(cx: &mut Ctx<'_>, head: &Head, routed: &Routed, ids: Ids, answer: Answer) -> Step {
    let world = cx.world;
    let answer = match &world.link(routed.place).cors {
        Some(cors) => cors.applied(cx, head, answer),
        None => answer,
    };
    encode(cx, head, routed, ids, answer)
}

/// The answer, compressed if the caller asks for it.
fn encode(cx: &mut Ctx<'_>, head: &Head, routed: &Routed, ids: Ids, answer: Answer) -> Step {
    let Some(threshold) = cx.world.link(routed.place).compression else {
        return Step::Answer(answer);
    };
    let wanted = cx.is_hurried() && Coding::wanted(head).is_some();
    if wanted && cx.is_too_long(compress::encoding_steps(answer.bytes(cx).len())) {
        return postpone(*routed, ids, Work::Encoding(answer));
    }
    Step::Answer(compress::encoded(cx, head, answer, threshold))
}

/// What a failed call means to the caller.
fn failed(cx: &Ctx<'_>, place: Place, error: CallError) -> Failure {
    match error {
        CallError::Network => Failure::UpstreamNetwork,
        CallError::Timeout => Failure::UpstreamTimeout,
        CallError::Unresolved | CallError::Denied => Failure::BadAddress,
        CallError::ReplyTooLarge => Failure::ReplyTooLarge,
        CallError::RequestTooLarge => Failure::TooLarge(payload(cx, place)),
        CallError::BadRequestBody => Failure::BadBody,
    }
}

/// The head of an answer that is passed on.
fn passed_on(cx: &mut Ctx<'_>, reply: &Head, ids: &Ids) -> Fields {
    lines(cx, |out| {
        respond::upstream::fields(out, reply);
        id_lines(out, ids);
    })
}

fn refuse(
    cx: &mut Ctx<'_>,
    head: &Head,
    routed: &Routed,
    ids: Ids,
    why: impl Into<Refusal>,
) -> Step {
    let refused = Refused { head, ids, place: Some(routed.place), values: routed.values };
    Step::Answer(gateway::answer(cx, refused, why))
}

/// Phase 8 of a relayed request: what the caller gets of the upstream's answer.
pub(crate) fn reply(
    relay: Relay,
    cx: &mut Ctx<'_>,
    head: &Head,
    got: Result<&Head, CallError>,
) -> Answer {
    let Relay { routed, ids, cors, .. } = relay;
    let reply = match got {
        Ok(reply) => reply,
        Err(error) => {
            let refused = Refused { head, ids, place: Some(routed.place), values: routed.values };
            let failure = failed(cx, routed.place, error);
            return gateway::answer(cx, refused, failure);
        }
    };
    let fields = passed_on(cx, reply, &ids);
    let body = if reply.body == BodySize::Empty { Body::Empty } else { Body::Upstream };
    let tail = Tail::new(ids, Some(routed.place));
    let answer = Answer { status: reply.status, fields, body, tail };
    if !cors {
        return answer;
    }
    let world = cx.world;
    match &world.link(routed.place).cors {
        Some(cors) => cors.applied(cx, head, answer),
        None => answer,
    }
}

/// The end of an exchange.
pub(crate) fn finish<'w>(answer: &Answer, cx: &Ctx<'w>, _head: &Head, sent: Counts) -> Record<'w> {
    let facts = answer.tail.place.map(|place| cx.world.facts(place)).unwrap_or_default();
    Record {
        api: facts.api_id,
        stage: facts.stage,
        route: facts.resource_path,
        deployment: facts.deployment_id,
        canary: facts.canary.unwrap_or(false),
        status: answer.status,
        error: answer.tail.failure.map(|f| f.response_type().name()),
        mismatch: answer.tail.mismatch.is_some(),
        counts: sent,
    }
}

/// AWS gives a Lambda authorizer as long as an integration; a service asked before every request has to be quicker.
const AUTHORIZER_TIMEOUT_MS: u32 = 10_000;
