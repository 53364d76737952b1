//! What Apache Velocity 1.7 was recorded to render, and where API Gateway is recorded to do otherwise.
//!
//! `tests/velocity/README.md` says where the cases come from. `deviations.json` lists those in which API Gateway wins.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

use std::collections::HashMap;

use serde_json::Value;
use tidegate_engine::mapping::template::{
    Case, Did, Limits, Overrides, Position, Scope, Scratch, Template, Trace,
};

/// Listens and says nothing.
struct Silent;

impl Trace for Silent {
    fn step(&mut self, _: Position, _: Did<'_>) {}
}

/// What a case comes to: its output, or what stopped it.
fn render(case: &Case, traced: bool) -> Result<String, String> {
    let template =
        Template::compile_as(&case.template, case.dialect).map_err(|error| error.to_string())?;
    let mut silent = Silent;
    let mut scope = Scope {
        source: &case.given,
        scratch: &mut Scratch::default(),
        overrides: &mut Overrides::default(),
        trace: if traced { Some(&mut silent) } else { None },
    };
    let mut out = Vec::new();
    let rendered = template.render(&mut scope, &Limits::API_GATEWAY, &mut out);
    rendered.map_err(|error| error.to_string())?;
    String::from_utf8(out).map_err(|error| error.to_string())
}

#[test]
fn recorded_cases_render_as_in_velocity() {
    let cases = include_str!("velocity/cases.jsonl");
    let deviations: Vec<Value> =
        serde_json::from_str(include_str!("velocity/deviations.json")).unwrap();
    let mut deviations: HashMap<&str, &Value> =
        deviations.iter().filter_map(|d| Some((d["case"].as_str()?, d))).collect();
    let mut failed = Vec::new();
    for line in cases.lines() {
        let case = Case::read(line).unwrap();
        let recorded: Value = serde_json::from_str(line).unwrap();
        let deviation = deviations.remove(recorded["id"].as_str().unwrap());
        let expected = deviation.map_or(&recorded["expected"], |deviation| &deviation["expected"]);
        let got = render(&case, false);
        // `explain` and a test show what is served.
        assert_eq!(render(&case, true), got, "{} traced", case.id);
        if got.as_ref().ok().map(String::as_str) != expected.as_str() {
            failed.push(format!(
                "{} {:?}\n  want {expected}\n  got  {got:?}",
                case.id, case.template
            ));
        }
    }
    assert!(failed.is_empty(), "{} failed\n{}", failed.len(), failed.join("\n"));
    assert!(deviations.is_empty(), "no such cases: {:?}", deviations.keys());
}
