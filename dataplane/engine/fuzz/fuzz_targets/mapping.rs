//! Parameter mapping and URIs: any expression is refused as the bundle is linked or gives heads that no value breaks out of.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use support::{Driver, Stage, head_with_body, pairs, whole};
use tidegate_proto::v1;

/// Values that a stage variable may have, chosen by the length of the third line.
const VARIABLES: [&str; 8] =
    ["up.example", "", "a/b?c#d", "x@y", "169.254.169.254:80/latest", "..", "[::1]:80", "a\r\nb"];

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split('\n');
    let mut next = || parts.next().unwrap_or_default();
    let (expression, uri, variable, query, body) = (next(), next(), next(), next(), next());
    let aws = uri.starts_with("arn:");
    for kind in [v1::IntegrationType::Http, v1::IntegrationType::HttpProxy, v1::IntegrationType::Aws] {
        if aws != (kind == v1::IntegrationType::Aws) {
            continue;
        }
        let answering = v1::IntegrationResponse {
            status_code: "200".into(),
            parameters: pairs(&[("method.response.header.X", expression)]),
            ..Default::default()
        };
        let mut integration = v1::Integration {
            r#type: kind.into(),
            http_method: "POST".into(),
            uri: uri.into(),
            request_parameters: pairs(&[
                ("integration.request.header.X", expression),
                ("integration.request.path.p", expression),
                ("integration.request.querystring.q", expression),
            ]),
            responses: vec![answering],
            ..Default::default()
        };
        if expression.starts_with("integration.") {
            integration.request_parameters.clear();
        } else if expression.contains("none") {
            integration.responses[0].parameters.clear();
        }
        let mut stage = Stage::of(vec![support::resource("/pets/{id}", "ANY", integration)]);
        let held = VARIABLES[variable.len() % VARIABLES.len()];
        stage.variables = vec![("v", held)];
        if support::link(&stage.bundle, &stage.variables).is_err() {
            continue;
        }
        let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
        // What a codec lets into a target.
        let sent = query.bytes().filter(|b| b.is_ascii_graphic() && *b != b'#');
        let escaped: String = sent.map(char::from).collect();
        let line = format!("POST /prod/pets/7?q={escaped}");
        let head = head_with_body(&line, &[("X-A", "1"), ("X-A", "2")], body.as_bytes());
        // Reading the lines of both heads checks that they are lines.
        let got = Ok(whole(200, &[("ETag", "a")], body.as_bytes()));
        let ran = driver.runs(&head, body.as_bytes(), got);
        if let Some(call) = &ran.called {
            let target = &call.sent.target;
            assert!(target.starts_with('/') && target.bytes().all(|b| b.is_ascii_graphic()), "{target}");
            assert!(!target.contains('#'), "{target}");
        }
        assert!((100..600).contains(&ran.answer.status));
    }
});
