//! Lambda: `AWS_PROXY`, whose function gets the request as an event and answers for the whole API, and what an invocation that
//! failed means.
//!
//! Sources: developer guide, "Lambda proxy integrations in API Gateway" and "Set up Lambda custom integrations"; Lambda API
//! Reference, `Invoke`; recorded behaviour of malformed answers.

mod event;
mod eventstream;
mod reply;
mod streamed;

pub use streamed::{Broken, Streamed};

use std::sync::Arc;

use super::aws::Service;
use crate::exchange::{Ctx, Ids};
use crate::head::{Known, Method};
use crate::mapping::context::View;
use crate::mapping::heap::Value;
use crate::mapping::json;
use crate::mapping::media::{self, BinaryTypes};
use crate::respond::{Failure, Refusal, Tail};
use crate::snapshot::Place;
use crate::step::{Answer, Body, Call, Opened, Reply};

/// An `AWS_PROXY` integration of a function.
#[derive(Debug)]
pub(crate) struct LambdaProxy {
    pub(crate) service: Service,
    /// The stage's variables as a JSON object, or `null`.
    pub(crate) variables: Arc<[u8]>,
    pub(crate) binary: Arc<BinaryTypes>,
    /// Whether its answer is passed on while it comes.
    pub(crate) streams: bool,
}

impl LambdaProxy {
    /// Writes the invocation.
    pub(crate) fn invoke(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        body: &[u8],
    ) -> Result<Call, Failure> {
        if self.service.method != Some(Method::Post) {
            return Err(Failure::NotPost);
        }
        let binary = self.binary.holds(media::first(view.head, Known::ContentType));
        let event = event::write(cx.listener, view, &self.variables, body, binary);
        cx.note("integration", || format!("AWS_PROXY, {}", self.service.upstream.authority));
        self.service.tell(cx, view);
        self.service.call(cx, view, event)
    }

    /// Answers with what the function said.
    pub(crate) fn answer(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        ids: &Ids,
        place: Place,
        reply: &Reply,
    ) -> Result<Answer, Refusal> {
        match reply.head.status {
            200..300 => {}
            403 | 429 | 500.. => return Err(Failure::LambdaRefused.into()),
            _ => return Err(Failure::LambdaInvalid.into()),
        }
        if failed(reply) {
            return Err(Failure::LambdaFailed.into());
        }
        // One that meant to stream is heard out up to its body.
        let said = reply::read(&reply.body).or_else(|| streamed::begun(&reply.body));
        let said = said.ok_or(Failure::LambdaMalformed)?;
        let binary = said.is_base64 && self.binary.holds(media::first(view.head, Known::Accept));
        let body = if binary {
            media::decode(said.body.as_bytes()).map_err(|_| Failure::LambdaMalformed)?
        } else {
            said.body.into_bytes()
        };
        let fields = reply::head(cx, view, ids, &said.headers);
        let body = if body.is_empty() { Body::Empty } else { Body::Whole(body) };
        Ok(Answer { status: said.status, fields, body, tail: Tail::new(*ids, Some(place)) })
    }
}

impl LambdaProxy {
    /// Answers with what the function has begun to say.
    pub(crate) fn answer_streamed(
        &self,
        cx: &mut Ctx<'_>,
        view: &View<'_>,
        ids: &Ids,
        place: Place,
        opened: Opened,
    ) -> Result<Answer, Refusal> {
        let said = opened.body.said()?;
        let (status, fields) = (said.status, reply::head(cx, view, ids, &said.headers));
        let body = Body::Streamed(Box::new(opened.body));
        Ok(Answer { status, fields, body, tail: Tail::new(*ids, Some(place)) })
    }
}

/// What selects the integration response of a function that was invoked by type `AWS`: the `errorMessage` of its answer.
pub(crate) fn selection(reply: &Reply) -> Result<String, Refusal> {
    let mut heap = reply::heap();
    let read = json::read_body(&mut heap, &reply.body);
    let member = |name: &str| match read {
        Ok(Value::Map(map)) => match heap.get(map, name.as_bytes()) {
            Some(Value::Text(text)) => Some(heap.str(text).to_owned()),
            _ => None,
        },
        _ => None,
    };
    match reply.head.status {
        200..300 => Ok(member("errorMessage").unwrap_or_default()),
        400 if error_type(reply) == b"InvalidRequestContentException" => {
            let said = member("message").or_else(|| member("Message")).unwrap_or_default();
            let usual = "Could not parse request body into json";
            let message = if said.starts_with(usual) { said } else { format!("{usual}: {said}") };
            Err(Refusal::saying(Failure::NotJsonPayload, message))
        }
        _ => Err(Failure::LambdaRefused.into()),
    }
}

/// Whether the function itself failed.
fn failed(reply: &Reply) -> bool {
    reply.head.iter().any(|(name, _, _)| name.eq_ignore_ascii_case(b"x-amz-function-error"))
}

/// What Lambda calls an error, without what may follow the name.
fn error_type(reply: &Reply) -> &[u8] {
    let value = reply.head.last(Known::AmznErrorType).unwrap_or_default();
    value.split(|b| *b == b':').next().unwrap_or_default()
}
