//! Cases of the admin API, as data: see `conformance/README.md` for their form.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use support::Control;
use tidegate_control::rest::Operation;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    source: String,
    #[serde(default)]
    given: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    call: String,
    #[serde(default)]
    body: Value,
    /// Sent as it is.
    raw: Option<String>,
    /// The media types that are asked for.
    accept: Option<String>,
    status: u16,
    error: Option<String>,
    message: Option<String>,
    /// Members the answer has, among others.
    has: Option<Value>,
    /// The whole answer.
    is: Option<Value>,
    /// A text within an answer that is no JSON.
    says: Option<String>,
    /// Headers of the answer, among others.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    lacks: Vec<String>,
    /// Variable to JSON pointer.
    #[serde(default)]
    save: BTreeMap<String, String>,
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn cases() -> Vec<(String, Case)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let cases: Vec<Case> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        cases.into_iter().map(move |case| (file.clone(), case))
    };
    files.into_iter().flat_map(read).collect()
}

/// What cases start from.
fn fixture(name: &str) -> Step {
    let (call, body, save): (&str, Value, &[(&str, &str)]) = match name {
        "api" => (
            "POST /restapis",
            serde_json::json!({ "name": "n" }),
            &[("api", "/id"), ("root", "/rootResourceId")],
        ),
        "child" => (
            "POST /restapis/${api}/resources/${root}",
            serde_json::json!({ "pathPart": "child" }),
            &[("child", "/id")],
        ),
        "method" => (
            "PUT /restapis/${api}/resources/${root}/methods/GET",
            serde_json::json!({ "authorizationType": "NONE" }),
            &[],
        ),
        "response" => (
            "PUT /restapis/${api}/resources/${root}/methods/GET/responses/200",
            serde_json::json!({}),
            &[],
        ),
        "mock" => (
            "PUT /restapis/${api}/resources/${root}/methods/GET/integration",
            serde_json::json!({ "type": "MOCK" }),
            &[],
        ),
        "deployment" => {
            ("POST /restapis/${api}/deployments", serde_json::json!({}), &[("deployment", "/id")])
        }
        "second" => {
            ("POST /restapis/${api}/deployments", serde_json::json!({}), &[("second", "/id")])
        }
        "stage" => (
            "POST /restapis/${api}/stages",
            serde_json::json!({ "stageName": "s", "deploymentId": "${deployment}" }),
            &[],
        ),
        other => panic!("unknown fixture {other}"),
    };
    let save =
        save.iter().map(|(name, pointer)| ((*name).to_owned(), (*pointer).to_owned())).collect();
    Step {
        call: call.to_owned(),
        body,
        raw: None,
        accept: None,
        status: 201,
        error: None,
        message: None,
        has: None,
        is: None,
        says: None,
        headers: BTreeMap::new(),
        lacks: Vec::new(),
        save,
    }
}

fn fill(text: &str, variables: &BTreeMap<String, String>) -> String {
    variables
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

fn fill_value(value: &Value, variables: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, variables)),
        Value::Array(values) => values.iter().map(|value| fill_value(value, variables)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (fill(key, variables), fill_value(value, variables)))
            .collect(),
        other => other.clone(),
    }
}

/// Whether `found` is as wanted: `"*"` stands for anything, and with `partly` objects may have further members.
fn fits(wanted: &Value, found: &Value, partly: bool) -> bool {
    match (wanted, found) {
        (Value::String(any), _) if any == "*" => true,
        (Value::Object(wanted), Value::Object(found)) => {
            (partly || wanted.len() == found.len())
                && wanted.iter().all(|(key, wanted)| {
                    found.get(key).is_some_and(|found| fits(wanted, found, partly))
                })
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted.iter().zip(found).all(|(wanted, found)| fits(wanted, found, partly))
        }
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        (wanted, found) => wanted == found,
    }
}

fn run(control: &Control, upstream: SocketAddr, case: &Case) -> Vec<String> {
    let mut variables = BTreeMap::from([("upstream".to_owned(), upstream.to_string())]);
    let mut complaints = Vec::new();
    let given: Vec<Step> = case.given.iter().map(|name| fixture(name)).collect();
    for (index, step) in given.iter().chain(&case.steps).enumerate() {
        let call = fill(&step.call, &variables);
        let (method, target) = call.split_once(' ').unwrap();
        let body = match (&step.raw, &step.body) {
            (Some(raw), _) => fill(raw, &variables),
            (None, Value::Null) => String::new(),
            (None, body) => fill_value(body, &variables).to_string(),
        };
        let accept = step.accept.iter().map(|types| format!("accept: {types}\r\n"));
        let answer = control.send_with(method, target, &accept.collect::<String>(), &body);
        let mut complain = |what: String| {
            complaints.push(format!(
                "{} step {index} {call}: {what}\n    {} {}",
                case.name, answer.status, answer.body
            ));
        };
        if answer.status != step.status {
            complain(format!("status {} wanted", step.status));
            break;
        }
        if answer.header("x-amzn-requestid").is_none() || answer.header("x-amz-apigw-id").is_none()
        {
            complain("request ids missing".to_owned());
        }
        if answer.header("x-amzn-errortype") != step.error.as_deref() {
            complain(format!(
                "error type {:?} wanted, {:?} found",
                step.error,
                answer.header("x-amzn-errortype")
            ));
        }
        for (name, value) in &step.headers {
            let value = fill(value, &variables);
            if answer.header(name) != Some(&value) {
                complain(format!("{name}: {value} wanted, {:?} found", answer.header(name)));
            }
        }
        if let Some(text) = &step.says {
            let text = fill(text, &variables);
            if !answer.body.contains(&text) {
                complain(format!("wanted {text}"));
            }
            continue;
        }
        let found = answer.json();
        if let Some(message) = &step.message {
            let message = fill(message, &variables);
            if found != serde_json::json!({ "message": message }) {
                complain(format!("message wanted: {message}"));
            }
        }
        for (wanted, partly) in [(&step.has, true), (&step.is, false)] {
            if let Some(wanted) = wanted.as_ref().map(|wanted| fill_value(wanted, &variables))
                && !fits(&wanted, &found, partly)
            {
                complain(format!("wanted {wanted}"));
            }
        }
        for pointer in step.lacks.iter().filter(|pointer| found.pointer(pointer).is_some()) {
            complain(format!("{pointer} is there"));
        }
        for (name, pointer) in &step.save {
            match found.pointer(pointer).and_then(Value::as_str) {
                Some(value) => drop(variables.insert(name.clone(), value.to_owned())),
                None => complain(format!("nothing at {pointer}")),
            }
        }
    }
    complaints
}

#[test]
fn cases_hold() {
    let control = Control::start();
    let upstream = support::upstream::start();
    let cases = cases();
    assert!(cases.iter().all(|(_, case)| !case.source.is_empty() && !case.steps.is_empty()));
    let complaints: Vec<String> =
        cases.iter().flat_map(|(_, case)| run(&control, upstream, case)).collect();
    assert!(complaints.is_empty(), "{} complaints\n{}", complaints.len(), complaints.join("\n"));
}

/// Every operation of the contract has a case or is listed as a gap, and no gap is stale.
#[test]
fn every_operation_has_a_case() {
    let mut seen = BTreeSet::new();
    for (_, case) in cases() {
        let given = case.given.iter().map(|name| fixture(name).call);
        for call in given
            .chain(case.steps.into_iter().filter(|step| step.status < 300).map(|step| step.call))
        {
            let (method, target) = call.split_once(' ').unwrap();
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            seen.extend(
                Operation::find(method, path, query).map(|(operation, _)| operation.name()),
            );
        }
    }
    let gaps = std::fs::read_to_string(directory().join("gaps.txt")).unwrap();
    let gaps: BTreeSet<&str> = gaps
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once(':').expect("a gap has a reason").0)
        .collect();
    let all: BTreeSet<&str> = Operation::ALL.iter().map(|operation| operation.name()).collect();
    let missing: Vec<_> =
        all.iter().filter(|name| !seen.contains(*name) && !gaps.contains(*name)).collect();
    let stale: Vec<_> =
        gaps.iter().filter(|name| seen.contains(*name) || !all.contains(*name)).collect();
    assert!(missing.is_empty(), "without a case: {missing:?}");
    assert!(stale.is_empty(), "no longer gaps: {stale:?}");
}
