//! Well formed: what a method requires of a request before its integration is asked.
//!
//! Parameters are checked as soon as the head is there, and then the body against the model of its content type, for which
//! [`crate::pipeline`] waits as it does for integrations that need it.
//! Source: developer guide, "Request validation for REST APIs"; order and text of the names as recorded.

pub(crate) mod models;
pub(crate) mod responses;
pub mod schema;

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::Value;
use tidegate_proto::v1;

use crate::exchange::Ctx;
use crate::head::{Head, Known};
use crate::mapping::context::View;
use crate::mapping::heap::Heap;
use crate::mapping::json::JsonError;
use crate::mapping::media;
use crate::mapping::parameter::{Side, Source};
use crate::respond::{Failure, Refusal};
use models::Models;
pub use responses::{MAX_MESSAGE, Mismatch};
use schema::{Schema, Violation};

/// What a method's request validator checks.
#[derive(Debug)]
pub(crate) struct Validator {
    /// Names as AWS shows them, in the order of their full keys.
    required: Box<[(Box<str>, Source)]>,
    models: Box<[Model]>,
}

/// What bodies of one content type have to fit.
#[derive(Debug)]
pub(crate) struct Model {
    media: Box<str>,
    name: Box<str>,
    schema: Arc<Schema>,
}

impl Validator {
    /// Builds the validator of a method; `None` when there is nothing to check.
    pub(crate) fn link(
        method: &v1::Method,
        bundle: &v1::Bundle,
        models: &mut Models<'_>,
    ) -> Result<Option<Self>, String> {
        if method.request_validator_id.is_empty() {
            return Ok(None);
        }
        let id = &method.request_validator_id;
        let validator = bundle.request_validators.iter().find(|validator| validator.id == *id);
        let validator = validator.ok_or("its request validator does not exist")?;
        let mut checked = Vec::new();
        for pair in method.request_models.iter().filter(|_| validator.validate_body) {
            if let Some(schema) = models.schema(&pair.value)? {
                let media = pair.name.to_ascii_lowercase().into();
                checked.push(Model { media, name: pair.value.as_str().into(), schema });
            }
        }
        let mut required = Vec::new();
        let asked = method.request_parameters.iter().filter(|pair| pair.value == "true");
        for pair in asked.filter(|_| validator.validate_parameters) {
            let source = Source::parse(&pair.name, Side::Request, &|_| None)
                .map_err(|error| error.to_string())?;
            // `method.request.header.X-A` is shown as `X-A`.
            let name = pair.name.splitn(4, '.').nth(3).unwrap_or(&pair.name);
            required.push((name.into(), source));
        }
        let any = !required.is_empty() || !checked.is_empty();
        Ok(any.then(|| Self { required: required.into(), models: checked.into() }))
    }

    /// Whether any parameter must be there.
    pub(crate) fn checks_parameters(&self) -> bool {
        !self.required.is_empty()
    }

    /// Checks that each required parameter is there and not blank.
    pub(crate) fn parameters(&self, view: &View<'_>) -> Result<(), Refusal> {
        let is_there = |source: &Source| {
            let mut any = false;
            source.each(view, |value| any |= !value.trim_ascii().is_empty());
            any
        };
        let missing: Vec<&str> = self
            .required
            .iter()
            .filter(|(_, source)| !is_there(source))
            .map(|(name, _)| &**name)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("Missing required request parameters: [{}]", missing.join(", "));
        Err(Refusal::saying(Failure::MissingParameters, message))
    }

    /// The model for the content type of a request; `None` when its body may be anything.
    pub(crate) fn model(&self, head: &Head) -> Option<&Model> {
        let sent = media::first(head, Known::ContentType);
        let of = |media: &[u8]| {
            self.models.iter().find(|model| model.media.as_bytes().eq_ignore_ascii_case(media))
        };
        of(sent).or_else(|| of(b"$default"))
    }

    /// Checks a body against the model of its content type.
    pub(crate) fn body(&self, cx: &mut Ctx<'_>, head: &Head, body: &[u8]) -> Result<(), Refusal> {
        let Some(model) = self.model(head) else { return Ok(()) };
        let (wrong, cause): (Vec<String>, _) = match misfits(&model.schema, body) {
            Ok(wrong) => (wrong.into_iter().map(|violation| violation.message).collect(), None),
            // AWS's words for what is no JSON at all.
            Err(error) => (vec!["Unknown error parsing request body".to_owned()], Some(error)),
        };
        let (name, media) = (&model.name, &model.media);
        cx.note("validate", || match wrong.is_empty() {
            true => format!("the body fits model {name}, which is for {media}"),
            false => format!("the body does not fit model {name}, which is for {media}"),
        });
        if wrong.is_empty() {
            return Ok(());
        }
        wrong.iter().for_each(|text| cx.detail(|| text.clone()));
        if let Some(error) = cause {
            cx.value(|| format!("the body cannot be read: {error}"));
        }
        let validation = Some(told(&wrong));
        Err(Refusal { validation, ..Failure::InvalidBody.into() })
    }
}

/// What is wrong, as `$context.error.validationErrorString` has it: a list as Java prints it, escaped so that it can stand between
/// the quotes of a JSON string. Sources: answers of AWS in tests and documents of several public APIs, such as
/// `"errors": "[object has missing required properties ([\"name\"])]"`, and one with bare `[... (allowed: [\"integer\"])]` where the
/// template had no quotes.
fn told(wrong: &[String]) -> String {
    let quoted = Value::from(format!("[{}]", wrong.join(", "))).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// In what a body does not fit, in the words of AWS's validator. An empty body is an empty object.
fn misfits(schema: &Schema, body: &[u8]) -> Result<Vec<Violation>, JsonError> {
    HEAP.with_borrow_mut(|heap| {
        let found = schema.misfits(heap, body);
        heap.shrink();
        let mut found = found?;
        found.truncate(MAX_TOLD);
        Ok(found)
    })
}

/// What is wrong with a body as a whole.
fn whole(message: String) -> Vec<Violation> {
    vec![Violation { path: String::new(), message }]
}

thread_local! {
    /// Where bodies are read that are checked: a thread checks one at a time. It keeps little between them.
    static HEAP: RefCell<Heap> = RefCell::default();
}

/// A list with a million wrong items is told with the first of them.
const MAX_TOLD: usize = 100;
