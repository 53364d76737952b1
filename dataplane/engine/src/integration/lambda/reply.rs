//! What a function of a proxy integration may answer.
//!
//! Source: developer guide, "Output format of a Lambda function for proxy integration"; recorded behaviour of each malformed form.

use crate::exchange::{Ctx, Ids};
use crate::head::Known;
use crate::integration::http::trace_line;
use crate::mapping::context::View;
use crate::mapping::heap::{Heap, Pair, Value};
use crate::mapping::json;
use crate::mapping::parameter::{is_header_value, is_token};
use crate::respond::{id_lines, line, lines, upstream};
use crate::step::Fields;

/// An answer in the form it must have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) status: u16,
    /// In the order they are sent: those with several values first.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) is_base64: bool,
}

/// Where an answer is read: room for any that Lambda gives.
pub(super) fn heap() -> Heap {
    Heap::for_document(u64::MAX, u32::MAX as usize)
}

/// Reads an answer; `None` when it is malformed.
pub(super) fn read(payload: &[u8]) -> Option<Said> {
    let mut heap = heap();
    let members = members(&mut heap, payload)?;
    let mut said = Said { status: 200, ..Said::default() };
    let mut single = Vec::new();
    for (name, value) in members {
        let name = heap.str(name);
        match (name, value) {
            (
                "statusCode" | "headers" | "multiValueHeaders" | "body" | "isBase64Encoded",
                Value::Null,
            ) => {}
            ("statusCode", _) => said.status = status(&heap, value)?,
            ("headers", _) => single = headers(&heap, value, one)?,
            ("multiValueHeaders", _) => said.headers = headers(&heap, value, several)?,
            ("body", Value::Text(body)) => said.body = heap.str(body).to_owned(),
            ("isBase64Encoded", Value::Bool(yes)) => said.is_base64 = yes.holds(),
            _ => return None,
        }
    }
    said.headers.append(&mut single);
    Some(said)
}

/// Reads what a function that streams its answer says before the body; `None` when it is malformed. Source: developer guide, "Set up a
/// Lambda proxy integration with payload response streaming in API Gateway".
pub(super) fn metadata(text: &[u8]) -> Option<Said> {
    let mut heap = heap();
    let members = members(&mut heap, text)?;
    let mut said = Said { status: 200, ..Said::default() };
    let (mut single, mut cookies) = (Vec::new(), Vec::new());
    for (name, value) in members {
        match (heap.str(name), value) {
            ("statusCode" | "headers" | "multiValueHeaders" | "cookies", Value::Null) => {}
            ("statusCode", _) => said.status = status(&heap, value)?,
            ("headers", _) => single = headers(&heap, value, one)?,
            ("multiValueHeaders", _) => said.headers = headers(&heap, value, several)?,
            ("cookies", _) => {
                cookies = several(&heap, value)?;
                if !cookies.iter().all(|cookie| is_header_value(cookie.as_bytes())) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    said.headers.append(&mut single);
    said.headers.extend(cookies.into_iter().map(|cookie| ("Set-Cookie".to_owned(), cookie)));
    Some(said)
}

/// The members of an answer, in their order; `None` when it is no object.
fn members(heap: &mut Heap, payload: &[u8]) -> Option<Vec<Pair>> {
    let text = heap.store(std::str::from_utf8(payload).ok()?).ok()?;
    let Value::Map(members) = json::read(heap, text).ok()? else { return None };
    Some(heap.pairs(members).to_vec())
}

fn one(heap: &Heap, value: Value) -> Option<Vec<String>> {
    Some(vec![text_of(heap, value)?])
}

fn several(heap: &Heap, value: Value) -> Option<Vec<String>> {
    let Value::List(list) = value else { return None };
    heap.items(list).iter().map(|value| text_of(heap, *value)).collect()
}

/// A status as a number or as the text of one. One below 200 ends no exchange.
fn status(heap: &Heap, value: Value) -> Option<u16> {
    let digits = match value {
        Value::Bool(_) => return None,
        value => text_of(heap, value)?,
    };
    digits.parse().ok().filter(|status| (200..600).contains(status))
}

/// The members of a map of headers; absent when one of them cannot stand in a head.
fn headers(
    heap: &Heap,
    value: Value,
    values: impl Fn(&Heap, Value) -> Option<Vec<String>>,
) -> Option<Vec<(String, String)>> {
    let Value::Map(members) = value else { return None };
    let mut all = Vec::new();
    for (name, value) in heap.pairs(members) {
        let name = heap.str(*name);
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        if let Value::Null = value {
            continue;
        }
        for value in values(heap, *value)? {
            if !is_header_value(value.as_bytes()) {
                return None;
            }
            all.push((name.to_owned(), value));
        }
    }
    Some(all)
}

/// A text, a number as it is written, or a boolean, as a header carries it.
fn text_of(heap: &Heap, value: Value) -> Option<String> {
    Some(match value {
        Value::Text(text) | Value::Number(text) => heap.str(text).to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Bool(yes) => yes.holds().to_string(),
        _ => return None,
    })
}

/// Writes the head of an answer.
pub(super) fn head(
    cx: &mut Ctx<'_>,
    view: &View<'_>,
    ids: &Ids,
    headers: &[(String, String)],
) -> Fields {
    lines(cx, |out| {
        let (mut typed, mut traced) = (false, false);
        for (name, value) in headers {
            let known = Known::of(name.as_bytes());
            typed |= known == Known::ContentType;
            traced |= known == Known::AmznTraceId;
            upstream::put(out, known, name.as_bytes(), value.as_bytes());
        }
        if !typed {
            line(out, b"Content-Type", b"application/json");
        }
        id_lines(out, ids);
        if !traced {
            trace_line(out, view.head, ids);
        }
    })
}
