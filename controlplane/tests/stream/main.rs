//! From a committed change to a published world: a real store, a real gRPC port, real nodes' agents.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changes;
mod disk;
mod domains;
mod outside;
mod raw;
mod restarts;
mod rig;
