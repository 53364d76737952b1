//! One node's stream of objects, without I/O: a cursor, what is to be sent before it, and a window of unacknowledged deltas.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tidegate_engine::snapshot::{Revision, SHARDS};
use tidegate_proto::{DIALECT, v1};

use super::catalog::{Catalog, Entry, Labels};
use super::log::Log;

/// What a node may not say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The first message is no greeting, or a later one is.
    #[error("a stream begins with one hello")]
    Hello,
    /// Names become parts of messages and of lists.
    #[error("node ids are 1 to 128 letters, digits, '-', '_' and '.'")]
    NodeId,
    /// More than a person would give.
    #[error("a node has at most 64 labels of at most 256 bytes")]
    Labels,
    /// No bundle would be understood.
    #[error(
        "this control plane compiles dialect {DIALECT}, which the node does not speak; update the node"
    )]
    Dialect,
    /// The store is older than what the node has seen.
    #[error(
        "the node holds revision {}.{}, newer than {}.{} of this store; if it was restored from a backup, begin a new epoch",
        have.epoch, have.sequence, head.epoch, head.sequence
    )]
    Ahead {
        /// The node's.
        have: Revision,
        /// Ours.
        head: Revision,
    },
    /// One acknowledgement per delta.
    #[error("an acknowledgement of nothing")]
    Ack,
    /// Not what was asked for.
    #[error("{SHARDS} digests of 16 bytes were asked for, once")]
    Digests,
}

/// A node's stream.
#[derive(Debug)]
pub struct Session {
    labels: Labels,
    phase: Phase,
    /// Deltas sent and not acknowledged.
    unacknowledged: usize,
}

#[derive(Debug)]
enum Phase {
    /// To be asked for its digests.
    Ask,
    /// Asked.
    Digests,
    /// On the way to a catalog.
    Sending { to: Arc<Catalog>, rest: Rest },
    /// Has everything up to a sequence.
    Following { cursor: u64 },
}

/// What is still to be sent.
#[derive(Debug)]
enum Rest {
    Shards(VecDeque<u8>),
    Keys(VecDeque<String>),
}

impl Session {
    /// Begins the stream of a node that greets.
    pub fn begin(hello: &v1::Hello, catalog: &Arc<Catalog>, log: &Log) -> Result<Self, Violation> {
        let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if hello.node_id.is_empty()
            || hello.node_id.len() > 128
            || !hello.node_id.bytes().all(sound)
        {
            return Err(Violation::NodeId);
        }
        let long = |label: &v1::Pair| label.name.len() > 256 || label.value.len() > 256;
        if hello.labels.len() > 64 || hello.labels.iter().any(long) {
            return Err(Violation::Labels);
        }
        if !hello.dialects.contains(&DIALECT) {
            return Err(Violation::Dialect);
        }
        let head = catalog.revision();
        let have = hello.have.map(|have| Revision { epoch: have.epoch, sequence: have.sequence });
        let phase = match have {
            None => {
                Phase::Sending { to: catalog.clone(), rest: Rest::Shards((0..=u8::MAX).collect()) }
            }
            Some(have) if have > head => return Err(Violation::Ahead { have, head }),
            Some(have) if have.epoch == head.epoch && have.sequence > 0 => {
                match log.since(have.sequence) {
                    // A delta is sent even if nothing changed, so that both sides know where they stand.
                    Some(keys) => Phase::Sending {
                        to: catalog.clone(),
                        rest: Rest::Keys(keys.into_iter().collect()),
                    },
                    None => Phase::Ask,
                }
            }
            Some(_) => Phase::Ask,
        };
        Ok(Self { labels: Labels::new(&hello.labels), phase, unacknowledged: 0 })
    }

    /// The greeting.
    pub fn welcome(catalog: &Catalog) -> v1::Welcome {
        let account = match &catalog.account().object.kind {
            Some(v1::object::Kind::Account(account)) => Some(account.clone()),
            _ => None,
        };
        v1::Welcome { account, version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// Takes an acknowledgement.
    pub fn acknowledge(&mut self) -> Result<(), Violation> {
        self.unacknowledged = self.unacknowledged.checked_sub(1).ok_or(Violation::Ack)?;
        Ok(())
    }

    /// Takes the digests that were asked for, and prepares what differs from the catalog.
    pub fn digests(
        &mut self,
        digests: &v1::Digests,
        catalog: &Arc<Catalog>,
    ) -> Result<(), Violation> {
        let asked = matches!(self.phase, Phase::Digests);
        if !asked
            || digests.shards.len() != SHARDS
            || digests.shards.iter().any(|digest| digest.len() != 16)
        {
            return Err(Violation::Digests);
        }
        let differs = |(shard, digest): (u8, &Vec<u8>)| {
            (*digest != catalog.digest(shard, &self.labels)).then_some(shard)
        };
        let shards: VecDeque<u8> = (0..=u8::MAX).zip(&digests.shards).filter_map(differs).collect();
        tracing::debug!(shards = shards.len(), "digests differ");
        self.phase = Phase::Sending { to: catalog.clone(), rest: Rest::Shards(shards) };
        Ok(())
    }

    /// Whether a node may have a bundle of this API.
    pub fn may_have(&self, api: &str, catalog: &Catalog) -> bool {
        catalog.api(api, &self.labels).is_some()
    }

    /// Whether the node is behind the catalog by revisions that change nothing for it.
    pub fn is_behind(&self, catalog: &Catalog) -> bool {
        matches!(self.phase, Phase::Following { cursor } if cursor < catalog.revision().sequence)
    }

    /// The next message, or `None` when there is nothing to say or the window is full. `idle` asks for a delta even when
    /// nothing changed for the node, so that it does not look older than it is.
    pub fn next(
        &mut self,
        catalog: &Arc<Catalog>,
        log: &Log,
        idle: bool,
    ) -> Option<v1::control_message::Kind> {
        use v1::control_message::Kind;
        if self.unacknowledged >= WINDOW {
            return None;
        }
        if let Phase::Following { cursor } = self.phase {
            if cursor >= catalog.revision().sequence {
                return None;
            }
            self.phase = match log.since(cursor) {
                Some(keys) if keys.is_empty() && !idle => return None,
                Some(keys) => Phase::Sending {
                    to: catalog.clone(),
                    rest: Rest::Keys(keys.into_iter().collect()),
                },
                // The node was too slow for the log.
                None => Phase::Ask,
            };
        }
        match &mut self.phase {
            Phase::Ask => {
                self.phase = Phase::Digests;
                Some(Kind::AskDigests(v1::AskDigests {}))
            }
            Phase::Digests | Phase::Following { .. } => None,
            Phase::Sending { to, rest } => {
                let mut delta = Draft::new(&self.labels, to);
                let more = match rest {
                    Rest::Shards(shards) => delta.shards(shards),
                    Rest::Keys(keys) => delta.keys(keys),
                };
                let delta = delta.finish(more);
                if !more {
                    self.phase = Phase::Following { cursor: to.revision().sequence };
                }
                self.unacknowledged += 1;
                Some(Kind::Delta(delta))
            }
        }
    }
}

/// A delta in the making.
struct Draft<'c> {
    labels: &'c Labels,
    catalog: &'c Catalog,
    delta: v1::Delta,
    bytes: usize,
    /// APIs sent whole, whose bindings need not be looked at again.
    whole: BTreeSet<String>,
}

impl<'c> Draft<'c> {
    fn new(labels: &'c Labels, catalog: &'c Catalog) -> Self {
        Self { labels, catalog, delta: v1::Delta::default(), bytes: 0, whole: BTreeSet::new() }
    }

    fn upsert(&mut self, entry: &Entry) {
        self.bytes += entry.bytes;
        self.delta.upserts.push(entry.object.clone());
    }

    /// Takes whole shards until the delta is full; true when some are left.
    fn shards(&mut self, shards: &mut VecDeque<u8>) -> bool {
        while self.bytes < FULL {
            let Some(shard) = shards.pop_front() else { return false };
            self.delta.replaces_shards.push(u32::from(shard));
            for entry in self.catalog.shard(shard, self.labels) {
                self.upsert(entry);
            }
        }
        !shards.is_empty()
    }

    /// Takes keys until the delta is full; true when some are left.
    fn keys(&mut self, keys: &mut VecDeque<String>) -> bool {
        while self.bytes < FULL {
            let Some(key) = keys.pop_front() else { return false };
            self.key(key);
        }
        !keys.is_empty()
    }

    fn key(&mut self, key: String) {
        let Some((kind, rest)) = key.split_once('/') else { return };
        if !matches!(kind, "api" | "binding") {
            match self.catalog.shared(&key) {
                Some(entry) => self.upsert(entry),
                None => self.delta.deletes.push(key),
            }
            return;
        }
        let id = rest.split('/').next().unwrap_or(rest);
        if self.whole.contains(id) {
            // A binding that is gone is not among those just sent.
            if kind == "binding"
                && !self
                    .catalog
                    .api(id, self.labels)
                    .is_some_and(|api| api.bindings.contains_key(&key))
            {
                self.delta.deletes.push(key);
            }
            return;
        }
        match (self.catalog.api(id, self.labels), kind) {
            (Some(api), "api") => {
                self.whole.insert(id.to_owned());
                self.upsert(&api.api);
                for entry in api.bindings.values() {
                    self.upsert(entry);
                }
            }
            (Some(api), _) => match api.bindings.get(&key) {
                Some(entry) => self.upsert(entry),
                None => self.delta.deletes.push(key),
            },
            // Gone, or placed elsewhere; it takes its bindings along.
            (None, _) => {
                self.whole.insert(id.to_owned());
                self.delta.deletes.push(format!("api/{id}"));
            }
        }
    }

    fn finish(mut self, more: bool) -> v1::Delta {
        let to = self.catalog.revision();
        self.delta.to = Some(v1::Revision { epoch: to.epoch, sequence: to.sequence });
        self.delta.more = more;
        if !more && self.delta.replaces_shards.is_empty() {
            // The account is a setting of this process and no row: no log tells when it changed.
            let account = self.catalog.account();
            if !self.delta.upserts.iter().any(|object| object.key == account.object.key) {
                self.delta.upserts.push(account.object.clone());
            }
        }
        self.delta
    }
}

/// Deltas under way to a node. What changes meanwhile waits as keys and is sent in its latest form.
const WINDOW: usize = 8;

/// Bytes of objects after which a delta is sent. Shards are never split: the last one may exceed it.
const FULL: usize = 256 << 10;
