//! Answer: gateway responses, and what every answer carries.

pub(crate) mod compress;
pub(crate) mod cors;
pub(crate) mod custom;
mod failure;
pub mod gateway;
pub(crate) mod responses;
pub mod upstream;

pub use failure::Failure;
pub(crate) use failure::Refusal;
pub use gateway::ResponseType;

use crate::exchange::{Ctx, Ids};
use crate::snapshot::Place;
use crate::step::Fields;
use crate::validate::Mismatch;

/// What an answer remembers for its end: where it was decided, and why the gateway made it, if it did.
#[derive(Clone, Debug)]
pub struct Tail {
    pub(crate) ids: Ids,
    pub(crate) place: Option<Place>,
    pub(crate) failure: Option<Failure>,
    /// Which of a method's constant answers this is.
    pub(crate) constant: u16,
    /// In what the integration's answer did not fit its model.
    pub(crate) mismatch: Option<Box<Mismatch>>,
}

impl Tail {
    pub(crate) fn new(ids: Ids, place: Option<Place>) -> Self {
        Self { ids, place, failure: None, constant: 0, mismatch: None }
    }
}

/// Writes lines of a head into the scratch buffer and returns where they are.
pub(crate) fn lines(cx: &mut Ctx<'_>, write: impl FnOnce(&mut Vec<u8>)) -> Fields {
    let start = cx.scratch.len() as u32;
    write(cx.scratch);
    Fields(start..cx.scratch.len() as u32)
}

/// Appends one line. The caller knows that name and value hold no control characters.
// Always inline: it writes every line of every head, and out of line costs `reply` 18% of its instructions (benches).
#[inline(always)]
pub(crate) fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends the two id lines every answer carries.
pub(crate) fn id_lines(out: &mut Vec<u8>, ids: &Ids) {
    let (request, extended) = ids.header_values();
    line(out, b"x-amzn-RequestId", request);
    line(out, b"x-amz-apigw-id", extended);
}
