//! Conformance: every row of the reference's tables on the request path as a case in `conformance/*.json`.
//!
//! `conformance/README.md` says how a case is written. A case that is known to fail is listed in `conformance/gaps.txt` with a
//! reason; one listed there that holds fails the test.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

#[path = "conformance/case.rs"]
mod case;
#[path = "conformance/expect.rs"]
mod expect;
#[path = "conformance/setting.rs"]
mod setting;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use case::Case;

/// Reads the cases of every file.
fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    files.iter().flat_map(|path| case::read(path)).collect()
}

fn gaps() -> BTreeMap<String, String> {
    let lines = include_str!("conformance/gaps.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (id, reason) = line.split_once(" :: ").expect("a gap is `file: name :: reason`");
            (id.to_owned(), reason.to_owned())
        })
        .collect()
}

#[test]
fn every_case_holds_or_is_a_known_gap() {
    let gaps = gaps();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    let cases = cases();
    for case in &cases {
        if !seen.insert(case.id.clone()) {
            wrong.push(format!("{}: two cases are called so", case.id));
        }
        match (case.run(), gaps.contains_key(&case.id)) {
            (Ok(()), false) | (Err(_), true) => {}
            (Ok(()), true) => wrong.push(format!("{}: is listed as a gap and holds", case.id)),
            (Err(why), false) => wrong.push(format!("{} ({}):\n    {why}", case.id, case.source)),
        }
    }
    wrong.extend(
        gaps.keys().filter(|id| !seen.contains(*id)).map(|id| format!("{id}: no such case")),
    );
    println!("{} cases, {} known gaps", cases.len(), gaps.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
