//! Random sequences of admin operations beside a simple model in memory: patches of every kind, canaries, tags, clones, documents
//! and pages; after every few operations, and after the store was reopened, both hold the same.
//!
//! `properties.rs` is about the tree of resources; this is about what hangs on it. `TIDEGATE_LONG=1` asks for more.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod action;
mod document;
mod look;
mod model;
mod steps;
#[path = "../support/mod.rs"]
mod support;

use action::{Action, act, action};
use look::compare;
use model::Model;
use proptest::prelude::*;

fn cases() -> u32 {
    if std::env::var("TIDEGATE_LONG").is_ok_and(|value| value == "1") { 300 } else { 40 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_leaves_what_the_model_holds(
        actions in proptest::collection::vec(action(), 1..60),
        limit in 1_i64..5,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut app = support::app(directory.path());
        let mut model = Model::default();
        runtime.block_on(async {
            for action in &actions {
                if matches!(action, Action::Reopen) {
                    compare(&app, &model, limit).await;
                    drop(app);
                    app = support::app(directory.path());
                    compare(&app, &model, limit).await;
                }
                act(&app, &mut model, action).await;
            }
            compare(&app, &model, limit).await;
            drop(app);
            let app = support::app(directory.path());
            compare(&app, &model, limit).await;
        });
    }
}
