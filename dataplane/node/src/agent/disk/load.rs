//! Reads the last good copy. Never fails: what cannot be read is discarded and had again from the control plane.

use std::io::ErrorKind;
use std::path::Path;

use bytes::Bytes;
use prost::Message;
use sha2::{Digest, Sha256};
use tidegate_engine::snapshot::{BundleId, Revision, ShardDigest, shard_digest, shard_of_key};
use tidegate_proto::v1;

use super::format::{Damage, Head, decode_shard};
use super::{Disk, Identity};
use crate::builder::Batch;
use crate::builder::thread::First;

/// What was on disk.
pub struct Loaded {
    /// The objects; `None` when there were none.
    pub first: Option<First>,
    /// Bundles that have a file. Their bytes are checked when they are read.
    pub bundles: Vec<BundleId>,
}

impl Disk {
    /// Reads everything but the bundles' bytes. Objects that were placed by other labels than `node` has now are served until
    /// the control plane says which of them belong here.
    pub fn load(&self, node: &Identity) -> Loaded {
        remove_drafts(&self.objects());
        remove_drafts(&self.bundles());
        let bundles = names(&self.bundles()).iter().filter_map(|name| bundle_id(name)).collect();

        let head = read(&self.head(), Head::decode);
        let (mut objects, mut digests) = (Vec::new(), Vec::with_capacity(256));
        for shard in 0..=u8::MAX {
            let held =
                read(&self.shard(shard), |bytes| decode_shard(shard, bytes)).and_then(|encoded| {
                    let decoded = decode(shard, &encoded);
                    if decoded.is_none() {
                        discard(&self.shard(shard), &Damage::Content.to_string());
                    }
                    decoded
                });
            let held = held.unwrap_or_default();
            digests.push(digest(&held));
            objects.extend(held.into_iter().map(|(_, object)| object));
        }

        // A shard that is not the one the head speaks of was lost, or written just before the node died: either way only the
        // control plane knows what is right.
        let whole = head.as_ref().is_some_and(|head| {
            !head.repair && head.labels == node.labels && head.digests == digests
        });
        if objects.is_empty() && !whole {
            if head.is_some() {
                tracing::warn!("no objects are left on disk; waiting for the control plane");
            }
            return Loaded { first: None, bundles };
        }
        if !whole {
            tracing::warn!(
                objects = objects.len(),
                "the copy on disk is not whole; serving it and asking for what differs"
            );
        }
        let to = head.map_or(Revision::default(), |head| head.revision);
        let batch = Batch { to, upserts: objects, ..Batch::default() };
        Loaded { first: Some(First { batch, repair: !whole }), bundles }
    }
}

/// The objects of a shard with their encodings; `None` if one is none or belongs elsewhere.
fn decode(shard: u8, encoded: &[Bytes]) -> Option<Vec<(Bytes, v1::Object)>> {
    let decoded = encoded.iter().map(|bytes| {
        let object = v1::Object::decode(bytes.clone()).ok()?;
        (shard_of_key(&object.key) == shard).then(|| (bytes.clone(), object))
    });
    decoded.collect()
}

fn digest(objects: &[(Bytes, v1::Object)]) -> ShardDigest {
    let hashes: Vec<[u8; 32]> =
        objects.iter().map(|(bytes, _)| Sha256::digest(bytes).into()).collect();
    shard_digest(objects.iter().map(|(_, object)| object.key.as_str()).zip(&hashes))
}

/// The content of a file; `None` when there is none or it is damaged, and then it is gone.
fn read<T>(path: &Path, decode: impl FnOnce(&Bytes) -> Result<T, Damage>) -> Option<T> {
    let problem = match std::fs::read(path) {
        Ok(bytes) => match decode(&bytes.into()) {
            Ok(content) => return Some(content),
            Err(damage) => damage.to_string(),
        },
        Err(cause) if cause.kind() == ErrorKind::NotFound => return None,
        Err(cause) => cause.to_string(),
    };
    discard(path, &problem);
    None
}

fn discard(path: &Path, problem: &str) {
    tracing::warn!(file = %path.display(), %problem, "discarded; its objects are asked for again");
    // If it stays, the next start says the same again.
    let _ = std::fs::remove_file(path);
}

/// Removes what a dying node left half written.
fn remove_drafts(directory: &Path) {
    for name in names(directory).iter().filter(|name| name.ends_with(super::writer::DRAFT)) {
        let _ = std::fs::remove_file(directory.join(name));
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

fn bundle_id(name: &str) -> Option<BundleId> {
    let digits = name.as_bytes().as_chunks::<2>();
    if digits.0.len() != 32 || !digits.1.is_empty() {
        return None;
    }
    let mut id = [0; 32];
    for (byte, pair) in id.iter_mut().zip(digits.0) {
        // Names are written in lower case; others are not ours.
        let text = std::str::from_utf8(pair)
            .ok()
            .filter(|t| t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))?;
        *byte = u8::from_str_radix(text, 16).ok()?;
    }
    Some(BundleId(id))
}
