//! Keeps a session with the control plane, from the first to the last minute of the node.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tonic::transport::Endpoint;

use super::{Backoff, Shared, session};
use crate::builder::thread::Build;

/// Connects, serves a session, waits and connects again, until told to stop.
pub(super) async fn run(
    shared: &Arc<Shared>,
    build: &Build,
    endpoint: &Endpoint,
    mut stop: watch::Receiver<bool>,
) {
    let timing = &shared.config.timing;
    let mut backoff = Backoff::new(timing.reconnect_base, timing.reconnect_cap);
    let mut said = String::new();
    // What is on disk is built before the first greeting speaks of it.
    if let Ok(built) = build.digests() {
        let _ = built.await;
    }
    loop {
        let mut applied = 0;
        let ended = tokio::select! {
            ended = session::run(shared, build, endpoint, &mut applied) => ended,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let error = chain(&ended);
        shared.link.disconnected(error.clone());
        if applied > 0 {
            backoff.reset();
        }
        let wait = backoff.next(&mut rand::rng());
        // The same trouble is said once, not with every try.
        if applied > 0 || error != said {
            tracing::warn!(%error, "control plane lost; serving on with what is held");
        } else {
            tracing::debug!(%error, ?wait, "control plane still out of reach");
        }
        said = error;
        tokio::select! {
            () = tokio::time::sleep(wait.max(LEAST)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // tonic repeats its causes.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

/// Even the luckiest draw leaves room for other work of the thread.
const LEAST: Duration = Duration::from_millis(1);
