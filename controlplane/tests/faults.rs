//! Faults the real binaries survive: kills at random moments, a control plane that is gone, damaged disks, rollouts under load.
//!
//! A killed process loses what it kept in its own memory and nothing else: the kernel still has what was written to files, flushed
//! or not. So these tests show that no acknowledgement comes before the write and that no write is half of a change; they do not
//! show what a power loss leaves. `TIDEGATE_LONG=1` asks for the full numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "faults/client.rs"]
mod client;
#[path = "faults/crash.rs"]
mod crash;
#[path = "faults/damage.rs"]
mod damage;
#[path = "faults/http.rs"]
mod http;
#[path = "faults/model.rs"]
mod model;
#[path = "faults/operation.rs"]
mod operation;
#[path = "faults/outage.rs"]
mod outage;
#[path = "faults/owner.rs"]
mod owner;
#[path = "faults/process.rs"]
mod process;
#[path = "faults/rollout.rs"]
mod rollout;
#[path = "support/sign.rs"]
mod sign;
#[path = "faults/store.rs"]
mod store;

/// Whether the full numbers are asked for.
fn is_long() -> bool {
    std::env::var("TIDEGATE_LONG").is_ok_and(|value| value == "1")
}
