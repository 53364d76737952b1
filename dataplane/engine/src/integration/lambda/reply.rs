//! What a function of a proxy integration may answer.
//!
//! Source: developer guide, "Output format of a Lambda function for proxy integration"; recorded behaviour of each malformed form.

use serde_json::value::RawValue;

use crate::exchange::{Ctx, Ids};
use crate::head::Known;
use crate::integration::http::trace_line;
use crate::mapping::context::View;
use crate::mapping::parameter::{is_header_value, is_token};
use crate::mapping::raw;
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

/// Reads an answer; `None` when it is malformed.
pub(super) fn read(payload: &[u8]) -> Option<Said> {
    let members = raw::members(raw::read(std::str::from_utf8(payload).ok()?)?)?;
    let mut said = Said { status: 200, ..Said::default() };
    let mut single = Vec::new();
    for (name, value) in members {
        let given = !raw::is_null(value);
        match name.as_str() {
            "statusCode" if given => said.status = status(value)?,
            "headers" if given => single = headers(value, one)?,
            "multiValueHeaders" if given => said.headers = headers(value, several)?,
            "body" if given => said.body = raw::string(value)?,
            "isBase64Encoded" if given => said.is_base64 = value.get().parse().ok()?,
            "statusCode" | "headers" | "multiValueHeaders" | "body" | "isBase64Encoded" => {}
            _ => return None,
        }
    }
    said.headers.append(&mut single);
    Some(said)
}

/// Reads what a function that streams its answer says before the body; `None` when it is malformed. Source: developer guide, "Set up a
/// Lambda proxy integration with payload response streaming in API Gateway".
pub(super) fn metadata(text: &[u8]) -> Option<Said> {
    let members = raw::members(raw::read(std::str::from_utf8(text).ok()?)?)?;
    let mut said = Said { status: 200, ..Said::default() };
    let (mut single, mut cookies) = (Vec::new(), Vec::new());
    for (name, value) in members {
        let given = !raw::is_null(value);
        match name.as_str() {
            "statusCode" if given => said.status = status(value)?,
            "headers" if given => single = headers(value, one)?,
            "multiValueHeaders" if given => said.headers = headers(value, several)?,
            "cookies" if given => {
                cookies = several(value)?;
                if !cookies.iter().all(|cookie| is_header_value(cookie.as_bytes())) {
                    return None;
                }
            }
            "statusCode" | "headers" | "multiValueHeaders" | "cookies" => {}
            _ => return None,
        }
    }
    said.headers.append(&mut single);
    said.headers.extend(cookies.into_iter().map(|cookie| ("Set-Cookie".to_owned(), cookie)));
    Some(said)
}

fn one(value: &RawValue) -> Option<Vec<String>> {
    Some(vec![text(value)?])
}

fn several(value: &RawValue) -> Option<Vec<String>> {
    raw::elements(value)?.into_iter().map(text).collect()
}

/// A status as a number or as the text of one.
fn status(value: &RawValue) -> Option<u16> {
    let digits = raw::string(value).unwrap_or_else(|| value.get().to_owned());
    digits.parse().ok().filter(|status| (100..600).contains(status))
}

/// The members of a map of headers; absent when one of them cannot stand in a head.
fn headers(
    value: &RawValue,
    values: impl Fn(&RawValue) -> Option<Vec<String>>,
) -> Option<Vec<(String, String)>> {
    let mut all = Vec::new();
    for (name, value) in raw::members(value)? {
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        if raw::is_null(value) {
            continue;
        }
        for value in values(value)? {
            if !is_header_value(value.as_bytes()) {
                return None;
            }
            all.push((name.clone(), value));
        }
    }
    Some(all)
}

/// A text, a number or a boolean as a header carries it.
fn text(value: &RawValue) -> Option<String> {
    let json = value.get();
    match json.as_bytes().first()? {
        b'"' => raw::string(value),
        b'{' | b'[' | b'n' => None,
        _ => Some(json.to_owned()),
    }
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
