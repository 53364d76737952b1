//! Answers, and the shapes lists have.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::app::Page;

/// An answer before it becomes HTTP.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    /// A JSON body.
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        // Models have string keys and no failing serializer; an empty body would be the honest answer to one.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { status, content_type: JSON, headers: Vec::new(), body: body.into() }
    }

    /// No body, as deletes and tag calls answer.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, content_type: "", headers: Vec::new(), body: Bytes::new() }
    }

    /// A file to be kept, whatever its notation, as AWS answers exports.
    pub(super) fn file(status: u16, name: &str, body: Vec<u8>) -> Self {
        // A quote would end the name, and what is no visible ASCII cannot stand in a header.
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') { c } else { '_' })
            .collect();
        let disposition = format!("attachment; filename=\"{name}\"");
        Self {
            status,
            content_type: "application/octet-stream",
            headers: vec![("content-disposition", disposition)],
            body: body.into(),
        }
    }

    /// A list: `item`, and `position` only where there is more.
    pub(super) fn list<T, S: Serialize>(
        status: u16,
        page: Page<T>,
        shape: impl FnMut(T) -> S,
    ) -> Self {
        let item = page.items.into_iter().map(shape).collect();
        Self::json(status, &List { item, position: page.position })
    }
}

#[derive(Serialize)]
struct List<S> {
    item: Vec<S>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

/// A model as JSON, to be reshaped.
pub(super) fn value(model: &impl Serialize) -> Value {
    serde_json::to_value(model).unwrap_or_default()
}

const JSON: &str = "application/json";
