//! Content types, `Accept` and codings: whatever a caller names, a body is converted, mapped and compressed or refused.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use support::{Driver, Stage, head_with_body, pairs, whole};
use tidegate_proto::v1;

thread_local! {
    static DRIVERS: RefCell<Vec<Driver>> = RefCell::new(drivers());
}

/// One for each way that a request or an answer may be converted.
fn drivers() -> Vec<Driver> {
    let mut all = Vec::new();
    for (binary, asks, answers) in [
        (&[][..], "", ""),
        (&["image/*", "multipart/form-data"], "", ""),
        (&["*/*"], "CONVERT_TO_TEXT", "CONVERT_TO_TEXT"),
        (&["image/png"], "CONVERT_TO_BINARY", "CONVERT_TO_BINARY"),
    ] {
        let answering = v1::IntegrationResponse {
            status_code: "200".into(),
            templates: pairs(&[("application/json", "$input.body"), ("application/xml", "")]),
            content_handling: answers.into(),
            ..Default::default()
        };
        let integration = v1::Integration {
            r#type: v1::IntegrationType::Http.into(),
            http_method: "POST".into(),
            uri: "http://up.example/".into(),
            request_templates: pairs(&[("application/json", "$input.body"), ("multipart/form-data", "")]),
            content_handling: asks.into(),
            responses: vec![answering],
            ..Default::default()
        };
        let mut stage = Stage::of(vec![support::resource("/x", "ANY", integration)]);
        stage.bundle.binary_media_types = binary.iter().map(|t| String::from(*t)).collect();
        stage.bundle.minimum_compression_size = Some(0);
        all.push(Driver::serving(v1::Api::default(), vec![stage], &[]));
    }
    all
}

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(5, |b| *b == b'\n');
    // What the node's codec would not let in cannot come.
    let mut field = || {
        let bytes = parts.next().unwrap_or_default();
        let text = std::str::from_utf8(bytes).ok()?;
        (!text.bytes().any(|b| b < 0x20 || b == 0x7f)).then_some(text)
    };
    let fields = [("Content-Type", field()), ("Accept", field()), ("Accept-Encoding", field()), ("Content-Encoding", field())];
    let body = parts.next().unwrap_or_default();
    let fields: Vec<(&str, &str)> =
        fields.into_iter().filter_map(|(name, value)| Some((name, value.filter(|v| !v.is_empty())?))).collect();
    let head = head_with_body("POST /prod/x", &fields, body);
    let media = fields.first().map_or("text/plain", |(_, value)| value);
    DRIVERS.with_borrow_mut(|drivers| {
        for driver in drivers {
            let ran = driver.runs(&head, body, Ok(whole(200, &[("Content-Type", media)], body)));
            assert!(matches!(ran.answer.status, 200 | 413 | 415 | 500), "{}", ran.answer.status);
        }
    });
});
