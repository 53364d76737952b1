//! The last good copy: what a node starts from when nobody is there to ask.
//!
//! ```text
//! {data dir}/node-id            the node's name, a UUID as text
//! {data dir}/node.lock          held while a node runs
//! {data dir}/objects/head       revision and shard digests; written after everything it speaks of
//! {data dir}/objects/shard-xx   the objects of one of 256 shards
//! {data dir}/bundles/{sha256}   one bundle each, named by its content
//! ```
//!
//! Every file is written beside its name, flushed, renamed, and its directory flushed. Heads and shards carry a SHA-256 over
//! all they hold and over what they are, so a file is read whole and right or not at all. A file that is damaged or missing is
//! discarded with one line in the log; the node serves what is left and has the control plane compare digests.

mod format;
mod load;
mod writer;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tidegate_engine::snapshot::{ShardDigest, shard_digest};

pub use writer::Writer;

/// Why a data directory cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Another node has it.
    #[error(
        "data directory {0} is in use by another node; stop it or choose another with --data-dir"
    )]
    Held(PathBuf),
    /// The system refuses.
    #[error("data directory {directory} cannot be used")]
    Io {
        /// The directory, as given.
        directory: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
}

/// Whose copy it is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The node's id.
    pub node_id: String,
    labels: ShardDigest,
}

impl Identity {
    /// A node with these labels.
    pub fn new(node_id: String, labels: &[(String, String)]) -> Self {
        let hashes: BTreeMap<&str, [u8; 32]> = labels
            .iter()
            .map(|(name, value)| (name.as_str(), Sha256::digest(value).into()))
            .collect();
        Self { node_id, labels: shard_digest(hashes.iter().map(|(name, hash)| (*name, hash))) }
    }
}

/// A data directory that is ours.
pub struct Disk {
    directory: PathBuf,
    _lock: File,
}

impl Disk {
    /// Takes a directory, making it if need be. Never waits for another node.
    pub fn open(directory: &Path) -> Result<Self, DiskError> {
        let failed = |cause| DiskError::Io { directory: directory.to_owned(), cause };
        for part in [BUNDLES, OBJECTS] {
            std::fs::create_dir_all(directory.join(part)).map_err(failed)?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join("node.lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory: directory.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DiskError::Held(directory.to_owned())),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }

    /// The node's id: the one kept here, or a new one that is kept from now on.
    pub fn node_id(&self) -> Result<String, DiskError> {
        let path = self.directory.join("node-id");
        let failed = |cause| DiskError::Io { directory: self.directory.clone(), cause };
        match std::fs::read_to_string(&path) {
            Ok(text) if is_node_id(text.trim()) => return Ok(text.trim().to_owned()),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
            Ok(_) | Err(_) => {
                tracing::warn!(file = %path.display(), "node id is damaged; this node gets a new one");
            }
        }
        let id = new_node_id();
        writer::replace(&path, id.as_bytes())
            .and_then(|()| writer::flush(&self.directory))
            .map_err(failed)?;
        Ok(id)
    }

    /// Where bundles are.
    pub fn bundles(&self) -> PathBuf {
        self.directory.join(BUNDLES)
    }

    fn objects(&self) -> PathBuf {
        self.directory.join(OBJECTS)
    }

    fn head(&self) -> PathBuf {
        self.objects().join(HEAD)
    }

    fn shard(&self, shard: u8) -> PathBuf {
        self.objects().join(shard_name(shard))
    }
}

/// A name no other node has: a random UUID.
pub(super) fn new_node_id() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
    }
    text
}

fn is_node_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn shard_name(shard: u8) -> String {
    format!("shard-{shard:02x}")
}

const BUNDLES: &str = "bundles";
const OBJECTS: &str = "objects";
const HEAD: &str = "head";

#[cfg(test)]
mod tests;
