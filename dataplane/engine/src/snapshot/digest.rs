//! Digests of what a node holds, so that a control plane sends only the shards that differ.

use sha2::{Digest, Sha256};

use crate::snapshot::shard_of;

/// How many shards the objects are in; every shard number is a `u8`.
pub const SHARDS: usize = 256;

/// What two sides compare: SHA-256, cut to 16 bytes, over the sorted keys of a shard and the SHA-256 of each object.
pub type ShardDigest = [u8; 16];

/// The shard an object is in: that of its API, or of its whole key when it belongs to none.
pub fn shard_of_key(key: &str) -> u8 {
    let of_api = key.strip_prefix("api/").or_else(|| key.strip_prefix("binding/"));
    shard_of(of_api.map_or(key, |rest| rest.split('/').next().unwrap_or(rest)))
}

/// The digest of a shard's objects, each as its key and the SHA-256 of its encoding. They must come sorted by key.
pub fn shard_digest<'a>(objects: impl Iterator<Item = (&'a str, &'a [u8; 32])>) -> ShardDigest {
    let mut hasher = Sha256::new();
    for (key, hash) in objects {
        // The length keeps two neighbours from being read as one.
        hasher.update((key.len() as u32).to_le_bytes());
        hasher.update(key.as_bytes());
        hasher.update(hash);
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&hasher.finalize()[..16]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_an_api_is_in_its_shard() {
        assert_eq!(shard_of_key("api/a1b2"), shard_of("a1b2"));
        assert_eq!(shard_of_key("binding/a1b2/prod"), shard_of("a1b2"));
        assert_eq!(shard_of_key("account"), shard_of("account"));
    }

    #[test]
    fn a_digest_sees_keys_hashes_and_order() {
        let digest = |objects: &[(&str, [u8; 32])]| {
            shard_digest(objects.iter().map(|(key, hash)| (*key, hash)))
        };
        let whole = digest(&[("a", [1; 32]), ("b", [2; 32])]);
        for other in [
            &[][..],
            &[("a", [1; 32])],
            &[("a", [2; 32]), ("b", [1; 32])],
            &[("ab", [1; 32]), ("", [2; 32])],
        ] {
            assert_ne!(whole, digest(other));
        }
    }
}
