//! The bytes of heads and shards.
//!
//! `TIDEGATE`, a version byte, SHA-256, payload. The hash covers version, the file's own name and the payload: no bit can
//! change unseen, and a file under another's name is not taken for it.

use bytes::Bytes;
use prost::Message;
use sha2::{Digest, Sha256};
use tidegate_engine::snapshot::{Revision, SHARDS, ShardDigest};

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("it is not a file of ours")]
    Foreign,
    #[error("it was written by another version ({0}) of the node")]
    Version(u8),
    #[error("its checksum is wrong")]
    Checksum,
    #[error("its content cannot be read")]
    Content,
}

/// The head: what the shards beside it add up to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    pub(super) revision: Revision,
    /// Whether the node holds less than the revision says: objects were refused or lost.
    pub(super) repair: bool,
    /// One per shard.
    pub(super) digests: Vec<ShardDigest>,
    /// Of the labels by which these objects were placed here.
    pub(super) labels: ShardDigest,
    /// For people who look at a copied directory; the node's name is in its own file.
    pub(super) node_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HeadFile {
    #[prost(uint64, tag = "1")]
    epoch: u64,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(bool, tag = "3")]
    repair: bool,
    #[prost(bytes = "bytes", tag = "4")]
    digests: Bytes,
    #[prost(string, tag = "5")]
    node_id: String,
    #[prost(bytes = "bytes", tag = "6")]
    labels: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ShardFile {
    /// Encoded `tidegate.v1.Object`s, sorted by key.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    objects: Vec<Bytes>,
}

impl Head {
    pub(super) fn encode(&self) -> Vec<u8> {
        let file = HeadFile {
            epoch: self.revision.epoch,
            sequence: self.revision.sequence,
            repair: self.repair,
            digests: self.digests.concat().into(),
            node_id: self.node_id.clone(),
            labels: Bytes::copy_from_slice(&self.labels),
        };
        seal(super::HEAD, &file.encode_to_vec())
    }

    pub(super) fn decode(bytes: &Bytes) -> Result<Self, Damage> {
        let file = HeadFile::decode(open(super::HEAD, bytes)?).map_err(|_| Damage::Content)?;
        let (digests, rest) = file.digests.as_chunks::<16>();
        if digests.len() != SHARDS || !rest.is_empty() {
            return Err(Damage::Content);
        }
        Ok(Self {
            revision: Revision { epoch: file.epoch, sequence: file.sequence },
            repair: file.repair,
            digests: digests.to_vec(),
            labels: (*file.labels).try_into().map_err(|_| Damage::Content)?,
            node_id: file.node_id,
        })
    }
}

/// The bytes of a shard's file.
pub(super) fn encode_shard(shard: u8, objects: Vec<Bytes>) -> Vec<u8> {
    seal(&super::shard_name(shard), &ShardFile { objects }.encode_to_vec())
}

/// The encoded objects in a shard's file.
pub(super) fn decode_shard(shard: u8, bytes: &Bytes) -> Result<Vec<Bytes>, Damage> {
    let payload = open(&super::shard_name(shard), bytes)?;
    ShardFile::decode(payload).map(|file| file.objects).map_err(|_| Damage::Content)
}

fn seal(name: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PAYLOAD + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.push(VERSION);
    bytes.extend_from_slice(&checksum(VERSION, name, payload));
    bytes.extend_from_slice(payload);
    bytes
}

fn open(name: &str, bytes: &Bytes) -> Result<Bytes, Damage> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(Damage::Foreign)?;
    let (version, rest) = rest.split_first().ok_or(Damage::Foreign)?;
    let (sum, payload) = rest.split_first_chunk::<32>().ok_or(Damage::Checksum)?;
    // A version nobody has written yet is more likely a flipped bit: the checksum says which.
    if *sum != checksum(*version, name, payload) {
        return Err(Damage::Checksum);
    }
    if *version != VERSION {
        return Err(Damage::Version(*version));
    }
    Ok(bytes.slice(PAYLOAD..))
}

fn checksum(version: u8, name: &str, payload: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update([version, name.len() as u8]);
    hasher.update(name.as_bytes());
    hasher.update(payload);
    hasher.finalize().into()
}

const MAGIC: &[u8; 8] = b"TIDEGATE";
const VERSION: u8 = 1;
const PAYLOAD: usize = MAGIC.len() + 1 + 32;
