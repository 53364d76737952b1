//! The accepted objects, by shard and key.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use sha2::{Digest, Sha256};
use tidegate_engine::snapshot::{
    BundleId, Link, SHARDS, ShardDigest, shard_digest, shard_of, shard_of_key,
};
use tidegate_proto::v1;

/// One accepted object.
pub(super) struct Kept {
    /// As the stream sent it; decoded when needed, because most objects are read once.
    pub(super) encoded: Bytes,
    pub(super) hash: [u8; 32],
    /// What a binding serves by.
    pub(super) links: Option<Linked>,
}

/// The links of a binding.
pub(super) struct Linked {
    pub(super) base: Arc<Link>,
    pub(super) canary: Option<Arc<Link>>,
}

impl Linked {
    /// The bundles a binding needs.
    pub(super) fn bundles(&self) -> impl Iterator<Item = BundleId> + '_ {
        std::iter::once(&self.base).chain(&self.canary).map(|link| link.bundle)
    }
}

impl Kept {
    pub(super) fn new(encoded: Bytes) -> Self {
        let hash = Sha256::digest(&encoded).into();
        Self { encoded, hash, links: None }
    }

    pub(super) fn decode(&self) -> Option<v1::Object> {
        v1::Object::decode(self.encoded.clone()).ok()
    }
}

/// All accepted objects.
pub(super) struct Held {
    shards: Vec<Shard>,
}

#[derive(Default)]
struct Shard {
    objects: BTreeMap<String, Kept>,
    /// Absent since the last change.
    digest: Option<ShardDigest>,
}

impl Default for Held {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }
}

impl Held {
    pub(super) fn get(&self, key: &str) -> Option<&Kept> {
        self.shards[usize::from(shard_of_key(key))].objects.get(key)
    }

    /// Sets an object and gives back the one before.
    pub(super) fn insert(&mut self, key: String, kept: Kept) -> Option<Kept> {
        let shard = &mut self.shards[usize::from(shard_of_key(&key))];
        shard.digest = None;
        shard.objects.insert(key, kept)
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Kept> {
        let shard = &mut self.shards[usize::from(shard_of_key(key))];
        shard.digest = None;
        shard.objects.remove(key)
    }

    /// Keys of a shard.
    pub(super) fn keys(&self, shard: u8) -> impl Iterator<Item = &str> {
        self.shards[usize::from(shard)].objects.keys().map(String::as_str)
    }

    /// The bindings of an API, sorted by stage.
    pub(super) fn bindings(&self, api: &str) -> impl Iterator<Item = (&str, &Kept)> {
        let prefix = format!("binding/{api}/");
        self.shards[usize::from(shard_of(api))]
            .objects
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .map(|(key, kept)| (key.as_str(), kept))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The encoded objects of a shard, sorted by key.
    pub(super) fn encoded(&self, shard: u8) -> Vec<Bytes> {
        self.shards[usize::from(shard)].objects.values().map(|kept| kept.encoded.clone()).collect()
    }

    pub(super) fn digests(&mut self) -> Vec<ShardDigest> {
        self.shards
            .iter_mut()
            .map(|shard| {
                let objects = shard.objects.iter().map(|(key, kept)| (key.as_str(), &kept.hash));
                *shard.digest.get_or_insert_with(|| shard_digest(objects))
            })
            .collect()
    }
}
