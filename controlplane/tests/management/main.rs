//! The management service in process: every operation once, typed errors, reflection and health.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod access_keys;
mod operations;
mod operators;
mod rig;
#[path = "../support/mod.rs"]
mod support;
