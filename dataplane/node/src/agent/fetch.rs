//! Puts bundles together from their chunks. Nothing counts before its SHA-256 is its name.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use tidegate_engine::snapshot::BundleId;
use tidegate_proto::v1;

/// Bundles that were asked for and are not whole yet.
#[derive(Debug, Default)]
pub(super) struct Fetch {
    wanted: BTreeMap<BundleId, BytesMut>,
}

/// What the control plane may not send.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadChunk {
    #[error("a chunk of a bundle nobody asked for")]
    Unasked,
    #[error("a chunk at {got}, expected at {want}")]
    Offset { got: u64, want: u64 },
    #[error("a bundle of {0} bytes")]
    TooLarge(u64),
    #[error("a chunk that is empty, too long or past its bundle's end")]
    Length,
    #[error("bytes that are not bundle {0}")]
    WrongBytes(BundleId),
}

impl Fetch {
    pub(super) fn new(ids: impl IntoIterator<Item = BundleId>) -> Self {
        Self { wanted: ids.into_iter().map(|id| (id, BytesMut::new())).collect() }
    }

    /// Whether nothing is outstanding.
    pub(super) fn is_done(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Takes a chunk. Gives the bundle when it is whole.
    pub(super) fn chunk(
        &mut self,
        chunk: &v1::Chunk,
    ) -> Result<Option<(BundleId, Bytes)>, BadChunk> {
        let id = BundleId::from_slice(&chunk.bundle).ok_or(BadChunk::Unasked)?;
        let got = self.wanted.get_mut(&id).ok_or(BadChunk::Unasked)?;
        let want = got.len() as u64;
        if chunk.offset != want {
            return Err(BadChunk::Offset { got: chunk.offset, want });
        }
        if chunk.total > MAX_BUNDLE {
            return Err(BadChunk::TooLarge(chunk.total));
        }
        let end = want + chunk.data.len() as u64;
        if chunk.data.len() > MAX_CHUNK
            || end > chunk.total
            || (chunk.data.is_empty() && chunk.total > 0)
        {
            return Err(BadChunk::Length);
        }
        got.extend_from_slice(&chunk.data);
        if end < chunk.total {
            return Ok(None);
        }
        let bytes = self.wanted.remove(&id).unwrap_or_default().freeze();
        if BundleId::of(&bytes) == id {
            Ok(Some((id, bytes)))
        } else {
            Err(BadChunk::WrongBytes(id))
        }
    }

    /// Gives up on bundles the control plane does not have.
    pub(super) fn missing(&mut self, missing: &v1::Missing) {
        for id in missing.bundles.iter().filter_map(|id| BundleId::from_slice(id)) {
            self.wanted.remove(&id);
        }
    }
}

/// Bytes of the largest chunk.
const MAX_CHUNK: usize = 1 << 20;

/// Bytes of the largest bundle. An API of 10,000 resources with templates is some 20 MB.
const MAX_BUNDLE: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(id: BundleId, offset: u64, total: u64, data: &[u8]) -> v1::Chunk {
        v1::Chunk { bundle: id.0.into(), offset, total, data: Bytes::copy_from_slice(data) }
    }

    #[test]
    fn a_bundle_is_whole_when_its_hash_is_its_name() {
        let bytes = vec![7; 2_500_000];
        let id = BundleId::of(&bytes);
        let mut fetch = Fetch::new([id]);
        let mut whole = None;
        for (index, part) in bytes.chunks(MAX_CHUNK).enumerate() {
            assert!(whole.is_none() && !fetch.is_done());
            let at = (index * MAX_CHUNK) as u64;
            whole = fetch.chunk(&chunk(id, at, bytes.len() as u64, part)).unwrap();
        }
        assert!(whole.is_some_and(|(got, data)| got == id && data == bytes) && fetch.is_done());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let id = BundleId::of(b"abc");
        let other = BundleId::of(b"abd");
        for (bad, why) in [
            (chunk(other, 0, 3, b"abc"), BadChunk::Unasked),
            (chunk(id, 1, 3, b"bc"), BadChunk::Offset { got: 1, want: 0 }),
            (chunk(id, 0, 2, b"abc"), BadChunk::Length),
            (chunk(id, 0, 3, b""), BadChunk::Length),
            (chunk(id, 0, u64::MAX, b"abc"), BadChunk::TooLarge(u64::MAX)),
            (chunk(id, 0, 3, b"abd"), BadChunk::WrongBytes(id)),
        ] {
            assert_eq!(Fetch::new([id]).chunk(&bad), Err(why));
        }
        let mut fetch = Fetch::new([id, other]);
        fetch.missing(&v1::Missing { bundles: vec![other.0.into(), vec![1]] });
        assert!(fetch.chunk(&chunk(id, 0, 3, b"abc")).unwrap().is_some() && fetch.is_done());
    }
}
