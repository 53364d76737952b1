//! Answers against the response models of their method, which AWS never checks: what a backend really says, beside what the API
//! promises.
//!
//! A model is found by status and content type. Only what has been promised is checked: a status or a content type without a
//! model may be anything, and so may what model `Empty` stands for, which AWS's console puts on every method.

use std::sync::Arc;

use tidegate_proto::v1;

use super::models::Models;
use super::schema::{Schema, Violation};
use super::{misfits, told, whole};
use crate::exchange::Ctx;
use crate::head::{Head, Known, Method};
use crate::mapping::media;
use crate::respond::{Failure, Refusal, compress};
use crate::step::Answer;

/// The response models of a method, and what becomes of an answer that does not fit.
#[derive(Debug)]
pub(crate) struct ResponseModels {
    enforced: bool,
    models: Box<[ResponseModel]>,
}

#[derive(Debug)]
struct ResponseModel {
    status: u16,
    media: Box<str>,
    name: Box<str>,
    schema: Arc<Schema>,
}

/// An answer that does not fit its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The answer's status.
    pub status: u16,
    /// The model's name.
    pub model: Box<str>,
    /// JSON pointer of the first value that does not fit; empty is the whole body.
    pub path: String,
    /// Why, in the words of AWS's validator, which may quote the value. At most [`MAX_MESSAGE`] bytes.
    pub message: String,
    /// How many values do not fit, as far as they were counted.
    pub count: usize,
}

/// Longest text about a mismatch, bytes.
pub const MAX_MESSAGE: usize = 300;

impl ResponseModels {
    /// Builds the models of a method; `None` when nothing is checked.
    pub(crate) fn link(
        method: &v1::Method,
        models: &mut Models<'_>,
    ) -> Result<Option<Self>, String> {
        let enforced = match method.response_validation.as_str() {
            "" | "off" => return Ok(None),
            "log" => false,
            "enforce" => true,
            other => return Err(format!("'{other}' is no mode of response validation")),
        };
        let mut checked = Vec::new();
        for response in &method.responses {
            let Ok(status) = response.status_code.parse() else { continue };
            for pair in response.models.iter().filter(|pair| pair.value != "Empty") {
                if let Some(schema) = models.schema(&pair.value)? {
                    let media = pair.name.to_ascii_lowercase().into();
                    let name = pair.value.as_str().into();
                    checked.push(ResponseModel { status, media, name, schema });
                }
            }
        }
        Ok((!checked.is_empty()).then(|| Self { enforced, models: checked.into() }))
    }

    /// Checks an answer that is there as a whole. Where mismatches are logged only, it comes back with its own; where they are
    /// refused, the refusal has it.
    pub(crate) fn check(
        &self,
        cx: &mut Ctx<'_>,
        head: &Head,
        mut answer: Answer,
    ) -> Result<Answer, Refusal> {
        if head.method == Method::Head || matches!(answer.status, 100..200 | 204 | 304) {
            return Ok(answer);
        }
        let fields = answer.fields.of(cx.scratch);
        let Some(model) = self.model(answer.status, media_of(fields)) else { return Ok(answer) };
        let found = match value(fields, Known::ContentEncoding) {
            Some(coding) => match compress::plain(coding, answer.bytes(cx), MAX_DECODED) {
                Some(body) => mismatches(&model.schema, &body),
                None => whole(format!(
                    "the body cannot be read: Content-Encoding is {}",
                    String::from_utf8_lossy(coding)
                )),
            },
            None => mismatches(&model.schema, answer.bytes(cx)),
        };
        let (status, name, media) = (answer.status, &model.name, &model.media);
        cx.note("validate", || match found.is_empty() {
            true => format!("the answer {status} fits model {name}, which is for {media}"),
            false => format!("the answer {status} does not fit model {name}, which is for {media}"),
        });
        for violation in &found {
            cx.detail(|| format!("{}: {}", violation.path, violation.message));
        }
        let Some(first) = found.first() else { return Ok(answer) };
        let mismatch = Box::new(Mismatch {
            status,
            model: name.clone(),
            path: first.path.clone(),
            message: short(&first.message),
            count: found.len(),
        });
        if self.enforced {
            let texts: Vec<String> = found.into_iter().map(|violation| violation.message).collect();
            let validation = Some(told(&texts));
            let mismatch = Some(mismatch);
            return Err(Refusal { validation, mismatch, ..Failure::InvalidReply.into() });
        }
        answer.tail.mismatch = Some(mismatch);
        Ok(answer)
    }

    fn model(&self, status: u16, media: &[u8]) -> Option<&ResponseModel> {
        let of = |media: &[u8]| {
            self.models.iter().find(|model| {
                model.status == status && model.media.as_bytes().eq_ignore_ascii_case(media)
            })
        };
        of(media).or_else(|| of(b"$default"))
    }
}

/// In what a body does not fit. Unlike a request's, an answer's empty body is no empty object: whoever reads it finds nothing.
fn mismatches(schema: &Schema, body: &[u8]) -> Vec<Violation> {
    match body {
        [] => whole("the body is empty".to_owned()),
        body => misfits(schema, body)
            .unwrap_or_else(|error| whole(format!("the body cannot be read: {error}"))),
    }
}

fn short(message: &str) -> String {
    message[..message.floor_char_boundary(MAX_MESSAGE)].to_owned()
}

/// The content type among the lines of a head, without its parameters.
fn media_of(fields: &[u8]) -> &[u8] {
    value(fields, Known::ContentType).map_or(media::JSON, media::of_value)
}

/// The value of a name among the lines of a head; the last one, if there are several.
fn value(fields: &[u8], wanted: Known) -> Option<&[u8]> {
    let lines = fields.rsplit(|b| *b == b'\n');
    let pairs = lines.filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    });
    pairs.into_iter().find(|(name, _)| Known::of(name) == wanted).map(|(_, value)| value)
}

/// Largest body that is decoded to be checked, bytes: a small one must not become an endless one.
const MAX_DECODED: u64 = 10_485_760;
