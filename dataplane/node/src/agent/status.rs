//! What an agent knows of itself, for health, metrics and people.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tidegate_engine::snapshot::Revision;

use super::Shared;
use crate::builder::Refusal;

/// A node's state.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its id.
    pub node: String,
    /// Whether it has something to serve by.
    pub ready: bool,
    /// Whether it is about to end.
    pub draining: bool,
    /// The revision that serves; `None` before the first complete one.
    pub revision: Option<Revision>,
    /// How many APIs it serves.
    pub apis: usize,
    /// Objects whose newest version it refuses.
    pub refusals: Vec<Refusal>,
    /// The way to the control plane; `None` when the node has none.
    pub control_plane: Option<Connection>,
}

/// The way to the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Whether it is open.
    pub link: Link,
    /// Since when, Unix time in milliseconds.
    pub since_ms: u64,
    /// Why it was last lost or not had.
    pub error: Option<String>,
}

/// Whether a way is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The control plane has greeted us.
    Connected,
    /// It has not, or not lately.
    Disconnected,
}

pub(super) struct LinkState(Option<Mutex<Connection>>);

impl LinkState {
    pub(super) fn new(has_control_plane: bool) -> Self {
        let start = || Connection { link: Link::Disconnected, since_ms: unix_ms(), error: None };
        Self(has_control_plane.then(|| Mutex::new(start())))
    }

    pub(super) fn connected(&self) {
        self.set(Link::Connected, None);
    }

    pub(super) fn disconnected(&self, error: String) {
        self.set(Link::Disconnected, Some(error));
    }

    fn set(&self, link: Link, error: Option<String>) {
        let Some(mutex) = &self.0 else { return };
        let mut held = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        if held.link != link {
            held.since_ms = unix_ms();
        }
        (held.link, held.error) = (link, error);
    }

    fn get(&self) -> Option<Connection> {
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Shared {
    pub(super) fn status(&self) -> Status {
        let state = self.state.get();
        Status {
            node: self.node_id.clone(),
            ready: self.publication.generation() > 0,
            draining: self.draining.load(Ordering::Relaxed),
            revision: state.revision,
            apis: self.publication.load().apis().count(),
            refusals: state.refusals,
            control_plane: self.link.get(),
        }
    }

    /// The agent's own metrics.
    pub(super) fn render(&self, out: &mut String) {
        use std::fmt::Write;
        let state = self.state.get();
        let revision = state.revision.unwrap_or_default();
        let connected = self.link.get().is_some_and(|held| held.link == Link::Connected);
        for (name, help, value) in [
            (
                "gateway_snapshot_revision",
                "Sequence of the revision that serves.",
                revision.sequence,
            ),
            ("gateway_snapshot_epoch", "Epoch of the revision that serves.", revision.epoch),
            (
                "gateway_snapshot_refusals",
                "Objects whose newest version is refused now.",
                state.refusals.len() as u64,
            ),
            (
                "gateway_control_plane_connected",
                "Whether the stream of objects is open.",
                u64::from(connected),
            ),
        ] {
            // Writing to a string cannot fail.
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
        }
        let name = "gateway_snapshot_rejected_total";
        let _ =
            write!(out, "# HELP {name} Objects refused since the start.\n# TYPE {name} counter\n");
        for (reason, count) in &state.rejected {
            let _ = writeln!(out, "{name}{{reason=\"{reason}\"}} {count}");
        }
    }
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
