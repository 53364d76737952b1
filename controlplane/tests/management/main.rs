//! The management service in process: every operation once, typed errors, reflection and health.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod access_keys;
mod documents;
mod domains;
mod invoke;
mod operations;
mod operators;
mod parts;
mod rig;
mod settings;
#[path = "../support/mod.rs"]
mod support;
mod usage;
