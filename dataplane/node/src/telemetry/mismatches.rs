//! Lines about answers that do not fit their response models: a sample, since a backend that drifts does so with every answer.
//! How many there were is in the metrics.

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tidegate_engine::Record;
use tidegate_engine::head::Method;
use tidegate_engine::validate::Mismatch;

use super::hints::Print;

/// Where they are told.
#[derive(Clone)]
pub struct Mismatches {
    seen: SyncSender<Seen>,
}

/// One mismatch, and what tells it from others.
struct Seen {
    kind: Kind,
    model: Box<str>,
    message: String,
    count: usize,
}

/// Mismatches of one kind are told once in a while only.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    api: String,
    stage: String,
    method: &'static str,
    route: String,
    status: u16,
    path: String,
}

impl Mismatches {
    /// Starts the thread that tells.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(print: Print) -> std::io::Result<Self> {
        // No worker waits for a log: what does not fit is counted all the same.
        let (seen, queue) = sync_channel::<Seen>(64);
        std::thread::Builder::new().name("mismatches".into()).spawn(move || {
            let mut told = HashMap::new();
            for seen in queue {
                if is_due(&mut told, &seen.kind, Instant::now()) {
                    print(&seen.line());
                }
            }
        })?;
        Ok(Self { seen })
    }

    /// Tells of a mismatch, unless one of its kind was told of just now. `status` is the integration's.
    pub fn say(&self, record: &Record<'_>, method: Method, mismatch: &Mismatch) {
        let _ = self.seen.try_send(Seen {
            kind: Kind {
                api: record.api.to_owned(),
                stage: record.stage.to_owned(),
                method: method.as_str(),
                route: record.route.to_owned(),
                status: mismatch.status,
                path: mismatch.path.clone(),
            },
            model: mismatch.model.clone(),
            message: mismatch.message.clone(),
            count: mismatch.count,
        });
    }
}

impl Seen {
    fn line(&self) -> String {
        let Kind { api, stage, method, route, status, path } = &self.kind;
        let at = if path.is_empty() { "the whole body" } else { path };
        let more = match self.count {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        format!(
            "response mismatch: {method} {route} {status} does not fit model {}: at {at}: {}{more} [api={api} stage={stage}]",
            self.model, self.message
        )
    }
}

/// Whether a kind was not told of for a while; it counts as told then.
fn is_due(told: &mut HashMap<Kind, Instant>, kind: &Kind, now: Instant) -> bool {
    if let Some(last) = told.get_mut(kind) {
        let due = now.duration_since(*last) >= PAUSE;
        if due {
            *last = now;
        }
        return due;
    }
    if told.len() >= MAX_KINDS {
        told.retain(|_, last| now.duration_since(*last) < PAUSE);
    }
    let room = told.len() < MAX_KINDS;
    if room {
        told.insert(kind.clone(), now);
    }
    room
}

/// Between two lines of one kind.
const PAUSE: Duration = Duration::from_secs(60);

/// Kinds that are told apart; JSON pointers are made by upstreams and may be many.
const MAX_KINDS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str) -> Kind {
        Kind {
            api: "abc".into(),
            stage: "prod".into(),
            method: "GET",
            route: "/pets".into(),
            status: 200,
            path: path.into(),
        }
    }

    #[test]
    fn each_kind_is_told_once_a_minute_and_not_too_many_kinds() {
        let (mut told, began) = (HashMap::new(), Instant::now());
        assert!(is_due(&mut told, &kind("/a"), began));
        assert!(!is_due(&mut told, &kind("/a"), began + PAUSE / 2));
        assert!(is_due(&mut told, &kind("/b"), began));
        assert!(is_due(&mut told, &kind("/a"), began + PAUSE));
        for number in 0..2 * MAX_KINDS {
            is_due(&mut told, &kind(&format!("/{number}")), began + PAUSE);
        }
        assert_eq!(told.len(), MAX_KINDS);
        assert!(!is_due(&mut told, &kind("/new"), began + PAUSE));
        assert!(is_due(&mut told, &kind("/new"), began + PAUSE * 3));
    }

    #[test]
    fn a_line_says_where_and_why() {
        let mut seen =
            Seen { kind: kind("/0/name"), model: "Pet".into(), message: "why".into(), count: 3 };
        assert_eq!(
            seen.line(),
            "response mismatch: GET /pets 200 does not fit model Pet: at /0/name: why and 2 more [api=abc stage=prod]"
        );
        (seen.kind.path, seen.count) = (String::new(), 1);
        assert!(seen.line().contains("at the whole body: why [api"), "{}", seen.line());
    }
}
