//! What takes too long where it came up is put off, and goes on where it may take its time.

use super::{answer, decode, encode, identify, refuse, sent_on, settle};
use crate::exchange::{Ctx, Ids};
use crate::head::Head;
use crate::integration::mapped::{Unanswered, Unsent};
use crate::mapping::context::View;
use crate::mapping::template::Overrides;
use crate::respond::Failure;
use crate::route::Routed;
use crate::snapshot::Integration;
use crate::step::{Abandoned, Answer, Next, Reply, Step, Wait};

/// A request that goes on elsewhere.
#[derive(Debug)]
pub struct Postponed {
    routed: Routed,
    ids: Ids,
    work: Work,
}

/// What takes too long where it was.
#[derive(Debug)]
pub(super) enum Work {
    /// A long body, or a coded one. It may have been waited for because it is signed.
    Body {
        body: Vec<u8>,
        identifies: bool,
    },
    RequestTemplate(Box<Unsent>),
    /// A long answer of the integration.
    Reply(Reply, Overrides),
    ResponseTemplate(Box<Unanswered>),
    /// An answer that is made, and still to be compressed.
    Encoding(Answer),
}

/// Puts off what takes too long here.
pub(super) fn postpone(routed: Routed, ids: Ids, work: Work) -> Step {
    Step::Wait(Wait::Elsewhere(Next::new(Postponed { routed, ids, work })))
}

/// Goes on with what took too long where it was.
pub(crate) fn go_on(
    postponed: Postponed,
    cx: &mut Ctx<'_>,
    head: &Head,
    got: Result<(), Abandoned>,
) -> Step {
    let Postponed { routed, ids, work } = postponed;
    if got.is_err() {
        return refuse(cx, head, &routed, ids, Failure::Abandoned);
    }
    let view = View::new(cx, head, &routed, &ids);
    let method = cx.world.method(routed.place);
    let mapped = match method.map(|method| &method.integration) {
        Some(Integration::Mapped(mapped)) => Ok(mapped),
        _ => Err(Failure::Misconfigured),
    };
    let made = match work {
        Work::Body { body, identifies: true } => return identify(cx, head, routed, ids, body),
        Work::Body { body, identifies: false } => return decode(cx, head, routed, ids, body),
        Work::RequestTemplate(unsent) => {
            let sent = mapped.and_then(|mapped| mapped.send_on(cx, &view, *unsent));
            return sent_on(cx, head, routed, ids, sent);
        }
        Work::Reply(reply, overrides) => answer(cx, head, &routed, &ids, reply, overrides),
        Work::ResponseTemplate(unanswered) => match mapped {
            Ok(mapped) => mapped.answer_on(cx, &view, &ids, routed.place, *unanswered),
            Err(failure) => Err(failure.into()),
        },
        Work::Encoding(answer) => return encode(cx, head, &routed, ids, answer),
    };
    settle(cx, head, &routed, ids, made)
}
