//! The official test suite of JSON Schema draft 4 (`json-schema-draft4/`, with its licence): all cases, required
//! and optional.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tidegate_engine::mapping::heap::Heap;
use tidegate_engine::mapping::json::read_body;
use tidegate_engine::validate::schema::Schema;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json-schema-draft4")
}

/// The suite's own server of documents.
fn remote(uri: &str) -> Option<Arc<Value>> {
    let path = directory().join("remotes").join(uri.strip_prefix("http://localhost:1234/")?);
    serde_json::from_slice(&std::fs::read(path).ok()?).ok().map(Arc::new)
}

#[derive(Deserialize)]
struct Group {
    description: String,
    schema: Value,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    description: String,
    /// As written: a number keeps its digits.
    data: Box<RawValue>,
    valid: bool,
}

/// Cases of a file that fail, as `file: group: case`.
fn failures(path: &Path) -> Vec<String> {
    let groups: Vec<Group> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let file = path.file_stem().unwrap().to_string_lossy();
    let mut failures = Vec::new();
    for group in groups {
        let compiled = Schema::compile_with(&group.schema, remote);
        for case in group.tests {
            let name = format!("{file}: {}: {}", group.description, case.description);
            let found = match &compiled {
                Ok(schema) => {
                    let mut heap = Heap::for_document(1 << 20, 1 << 24);
                    let data = read_body(&mut heap, case.data.get().as_bytes()).unwrap();
                    schema.check(&heap, data, 100_000).map_err(|e| e.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            if found.as_ref().map(Result::is_ok) != Ok(case.valid) {
                failures.push(format!("{name}: {found:?}"));
            }
        }
    }
    failures
}

fn files(below: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory().join(below)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

#[test]
fn required_cases() {
    let files = files("");
    assert!(files.len() > 25);
    let failures: Vec<_> = files.iter().flat_map(|path| failures(path)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn optional_cases() {
    let failures: Vec<_> = ["optional", "optional/format"]
        .into_iter()
        .flat_map(files)
        .flat_map(|path| failures(&path))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
