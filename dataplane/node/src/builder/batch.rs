//! What goes into a builder and what comes out.

use tidegate_engine::snapshot::{BundleId, Revision};
use tidegate_proto::v1;

/// Changes that take a node from one revision to another.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Where the changes lead.
    pub to: Revision,
    /// Whether more batches follow before `to` is reached. The objects serve at once; the revision stays.
    pub more: bool,
    /// Objects that come or change.
    pub upserts: Vec<v1::Object>,
    /// Keys of objects that go. An API takes its bindings along.
    pub deletes: Vec<String>,
    /// Shards whose objects go unless `upserts` names them.
    pub replaces: Vec<u8>,
}

impl TryFrom<v1::Delta> for Batch {
    type Error = BadShard;

    fn try_from(delta: v1::Delta) -> Result<Self, BadShard> {
        let replaces = delta
            .replaces_shards
            .iter()
            .map(|shard| u8::try_from(*shard).map_err(|_| BadShard(*shard)));
        Ok(Self {
            to: revision(delta.to.unwrap_or_default()),
            more: delta.more,
            replaces: replaces.collect::<Result<_, _>>()?,
            upserts: delta.upserts,
            deletes: delta.deletes,
        })
    }
}

/// A delta names a shard that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no shard {0}")]
pub struct BadShard(u32);

/// What became of a batch.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The revision that serves now.
    pub revision: Revision,
    /// Everything the node refuses now, not only of this batch, sorted by key.
    pub refusals: Vec<Refusal>,
    /// Bundles without which objects of this batch were refused.
    pub lacking: Vec<BundleId>,
}

/// An object whose newest version does not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its key.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// A batch would take the node back in time: its store was restored without a new epoch, or belongs to another installation.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("offered revision {}.{}, older than {}.{} which serves", offered.epoch, offered.sequence, held.epoch, held.sequence)]
pub struct Backwards {
    /// What the node serves.
    pub held: Revision,
    /// What it was offered.
    pub offered: Revision,
}

/// A revision from the wire.
pub(crate) fn revision(wire: v1::Revision) -> Revision {
    Revision { epoch: wire.epoch, sequence: wire.sequence }
}

/// A revision for the wire.
pub(crate) fn wire(revision: Revision) -> v1::Revision {
    v1::Revision { epoch: revision.epoch, sequence: revision.sequence }
}
