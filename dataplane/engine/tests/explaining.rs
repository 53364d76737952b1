//! Traces: what each phase decided and why, for explain and TestInvokeMethod.
//!
//! Source: design.md sections 2 (`trace`) and 6 (the helpful line).
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use support::{Driver, Stage, bundle, entropy_drawing, head, http_proxy, mock_ok, resource};
use tidegate_engine::explain::Trace;
use tidegate_proto::v1;

/// The trace of a request as `phase: decision` lines, details indented.
fn trace(driver: &mut Driver, line: &str) -> String {
    driver.trace = Some(Trace::default());
    drop(driver.step(&head(line, &[])));
    let trace = driver.trace.take().unwrap();
    let mut out = String::new();
    for phase in trace.phases {
        out += &format!("{}: {}\n", phase.name, phase.decision);
        for detail in phase.details {
            out += &format!("  {detail}\n");
        }
    }
    out
}

fn resources() -> Vec<v1::Resource> {
    vec![
        resource("/pets", "GET", mock_ok("pets")),
        resource("/pets/{id}", "GET", http_proxy("http://up.example/", &[])),
        resource("/{all+}", "ANY", mock_ok("rest")),
    ]
}

#[test]
fn a_trace_says_what_won_and_what_lost() {
    let mut driver = Driver::new(resources());
    assert_eq!(
        trace(&mut driver, "GET /prod/pets/7"),
        "address: API abcde12345\n\
         stage: stage prod serves deployment dep-base\n\
         route: GET /pets/{id}\n  id = 7\n  ANY /{all+} lost: less specific path\n\
         integration: HTTP_PROXY to up.example\n"
    );
    let text = trace(&mut driver, "GET /prod/pets");
    assert!(
        text.contains("integration: MOCK answers 200 from the template for application/json"),
        "{text}"
    );
}

#[test]
fn a_trace_says_which_side_the_draw_chose() {
    let mut stage = Stage::of(resources());
    stage.canary = Some((25.0, bundle(resources())));
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    driver.entropy = entropy_drawing(24.0, 25.0);
    let text = trace(&mut driver, "GET /prod/pets");
    assert!(
        text.contains("canary: canary, drawn 24.") && text.contains("against 25 percent"),
        "{text}"
    );
    assert!(text.contains("serves deployment dep-canary"), "{text}");
    driver.entropy = entropy_drawing(25.0, 26.0);
    let text = trace(&mut driver, "GET /prod/pets");
    assert!(
        text.contains("canary: stage, drawn 25.") && text.contains("deployment dep-base"),
        "{text}"
    );
}

#[test]
fn a_trace_of_a_refusal_ends_with_the_gateway_response_and_a_hint() {
    let mut driver = Driver::new(vec![resource("/pets", "GET", mock_ok("pets"))]);
    for (line, want) in [
        ("GET /prod/pet", "route: no match for /pet; nearest /pets\n"),
        (
            "GET /prod/pet",
            "respond: gateway response 403 MISSING_AUTHENTICATION_TOKEN: no such resource\n",
        ),
        (
            "PUT /prod/pets",
            "respond: gateway response 403 MISSING_AUTHENTICATION_TOKEN: the resource has no such method\n",
        ),
        ("GET /nope", "respond: gateway response 403 ACCESS_DENIED: the API has no such stage\n"),
        (
            "GET /prod/../x",
            "respond: gateway response 400 DEFAULT_4XX: the path holds `..`, `%00` or a broken escape\n",
        ),
    ] {
        let text = trace(&mut driver, line);
        assert!(text.contains(want), "{want} in {text}");
    }
}
