//! What is written is read; what is damaged is never taken for anything else.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tidegate_engine::snapshot::{BundleId, Revision, ShardDigest, shard_of};
use tidegate_proto::v1;

use super::format::{Damage, Head, decode_shard, encode_shard};
use super::*;
use crate::builder::thread::{First, State};
use crate::builder::{Builder, Bundles, ObjectSet};

fn set(id: &str) -> ObjectSet {
    let stage = v1::Binding { api_id: id.into(), stage: "prod".into(), ..Default::default() };
    ObjectSet::default()
        .api(v1::Api { id: id.into(), ..Default::default() })
        .stage(stage, &crate::builder::tests::bundle(id, "/x"))
}

fn node() -> Identity {
    Identity::new("n".into(), &[("zone".into(), "a".into())])
}

/// A data directory with a writer, and what a node would have built.
struct Rig {
    directory: tempfile::TempDir,
    bundles: Arc<Bundles>,
    builder: Builder,
    sequence: u64,
}

impl Rig {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bundles = Arc::new(Bundles::in_directory(directory.path().join(BUNDLES), []));
        Self { directory, builder: Builder::new(bundles.clone()), bundles, sequence: 0 }
    }

    /// Applies a set and writes it, with a writer that lives just for that.
    fn write(&mut self, set: ObjectSet) {
        self.sequence += 1;
        let revision = Revision { epoch: 1, sequence: self.sequence };
        let batch = crate::builder::Batch {
            to: revision,
            replaces: vec![],
            ..set.into_batch(&self.bundles)
        };
        assert_eq!(self.builder.apply(batch).unwrap().outcome.refusals, []);
        self.keep();
    }

    fn keep(&mut self) {
        let disk = Disk::open(self.directory.path()).unwrap();
        let writer =
            Writer::start(disk, node(), self.bundles.clone(), Duration::from_secs(60)).unwrap();
        let mut keep = writer.keep(self.bundles.clone());
        let revision = Some(Revision { epoch: 1, sequence: self.sequence });
        keep.keep(
            self.builder.take_dirty(),
            &State { revision, ..State::default() },
            self.builder.digests(),
        );
        drop(keep);
        // Closing writes what has collected, however long the delay is.
        writer.close();
    }

    fn load(&self) -> (Vec<String>, Option<First>) {
        let first = Disk::open(self.directory.path()).unwrap().load(&node()).first;
        let mut keys: Vec<_> =
            first.iter().flat_map(|f| &f.batch.upserts).map(|o| o.key.clone()).collect();
        keys.sort();
        (keys, first)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn shard(&self, api: &str) -> PathBuf {
        self.path(OBJECTS).join(shard_name(shard_of(api)))
    }
}

#[test]
fn what_was_written_is_read_after_a_restart() {
    let mut rig = Rig::new();
    assert!(rig.load().1.is_none(), "an empty directory holds nothing");
    rig.write(set("a"));
    rig.write(set("b"));
    let (keys, first) = rig.load();
    assert_eq!(keys, ["api/a", "api/b", "binding/a/prod", "binding/b/prod"]);
    let first = first.unwrap();
    assert_eq!((first.batch.to, first.repair), (Revision { epoch: 1, sequence: 2 }, false));

    let disk = Disk::open(rig.directory.path()).unwrap();
    let bundles = Arc::new(Bundles::in_directory(disk.bundles(), disk.load(&node()).bundles));
    let mut again = Builder::new(bundles);
    assert_eq!(again.apply(first.batch).unwrap().outcome.refusals, []);
    assert_eq!(again.world().apis().count(), 2);
    assert_eq!(again.digests(), rig.builder.digests());
}

#[test]
fn a_second_node_is_told_and_the_name_stays() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::open(directory.path()).unwrap();
    let id = disk.node_id().unwrap();
    assert!(matches!(Disk::open(directory.path()), Err(DiskError::Held(_))));
    drop(disk);
    let disk = Disk::open(directory.path()).unwrap();
    assert_eq!(disk.node_id().unwrap(), id);
    std::fs::write(directory.path().join("node-id"), "\0\0").unwrap();
    assert_ne!(disk.node_id().unwrap(), id);
}

#[test]
fn each_kind_of_damage_leaves_the_rest_and_asks_for_repair() {
    type Damaging = fn(&Rig);
    let cases: [(&str, Damaging, &[&str]); 6] = [
        ("shard flipped", |rig| flip(&rig.shard("a")), &["api/b", "binding/b/prod"]),
        ("shard cut", |rig| cut(&rig.shard("a")), &["api/b", "binding/b/prod"]),
        (
            "shard gone",
            |rig| std::fs::remove_file(rig.shard("a")).unwrap(),
            &["api/b", "binding/b/prod"],
        ),
        (
            "shard of another name",
            |rig| assert!(std::fs::copy(rig.shard("b"), rig.shard("a")).is_ok()),
            &["api/b", "binding/b/prod"],
        ),
        (
            "head flipped",
            |rig| flip(&rig.path(OBJECTS).join(HEAD)),
            &["api/a", "api/b", "binding/a/prod", "binding/b/prod"],
        ),
        (
            "head gone",
            |rig| std::fs::remove_file(rig.path(OBJECTS).join(HEAD)).unwrap(),
            &["api/a", "api/b", "binding/a/prod", "binding/b/prod"],
        ),
    ];
    for (name, damage, left) in cases {
        let mut rig = Rig::new();
        rig.write(set("a"));
        rig.write(set("b"));
        damage(&rig);
        let (keys, first) = rig.load();
        assert_eq!(keys, left, "{name}");
        assert!(first.is_some_and(|first| first.repair), "{name}");
    }
}

#[test]
fn an_older_shard_is_noticed() {
    let mut rig = Rig::new();
    rig.write(set("a"));
    let old = std::fs::read(rig.shard("a")).unwrap();
    let changed =
        v1::Api { id: "a".into(), disable_execute_api_endpoint: true, ..Default::default() };
    rig.write(ObjectSet::default().api(changed));
    std::fs::write(rig.shard("a"), old).unwrap();
    assert!(rig.load().1.unwrap().repair);
}

#[test]
fn a_node_with_other_labels_asks_what_belongs_to_it() {
    let mut rig = Rig::new();
    rig.write(set("a"));
    let disk = Disk::open(rig.directory.path()).unwrap();
    assert!(!disk.load(&node()).first.unwrap().repair);
    let moved = Identity::new("n".into(), &[("zone".into(), "b".into())]);
    assert!(disk.load(&moved).first.unwrap().repair);
}

#[test]
fn a_damaged_bundle_is_lost_alone_and_unused_ones_are_deleted() {
    let mut rig = Rig::new();
    rig.write(set("a"));
    rig.write(set("b"));
    let file = |id: &str| rig.bundles_file(id);
    flip(&file("a"));
    let bundles = Bundles::in_directory(
        rig.path(BUNDLES),
        Disk::open(rig.directory.path()).unwrap().load(&node()).bundles,
    );
    let id = |api: &str| BundleId::of(&set(api).bundles[0]);
    assert!(bundles.get(id("a")).is_none() && !bundles.has(id("a")));
    assert!(bundles.get(id("b")).is_some());

    let gone = crate::builder::Batch {
        to: Revision { epoch: 1, sequence: 3 },
        deletes: vec!["api/b".into()],
        ..Default::default()
    };
    rig.builder.apply(gone).unwrap();
    rig.sequence = 3;
    rig.keep();
    assert!(!rig.bundles_file("b").exists() && rig.bundles_file("a").exists());
}

impl Rig {
    fn bundles_file(&self, api: &str) -> PathBuf {
        crate::builder::file_of(&self.path(BUNDLES), BundleId::of(&set(api).bundles[0]))
    }
}

#[test]
fn half_written_files_are_removed() {
    let mut rig = Rig::new();
    rig.write(set("a"));
    let draft = rig.path(OBJECTS).join("shard-00.tmp");
    std::fs::write(&draft, b"half").unwrap();
    assert!(!rig.load().1.unwrap().repair && !draft.exists());
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

proptest::proptest! {
    /// Whatever happens to a file, it is read as it was written or not at all.
    #[test]
    fn no_bit_of_a_file_changes_unseen(
        objects in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..60), 0..6),
        flips in proptest::collection::vec((0_usize..4_000, 0_u8..8), 0..4),
        length in 0_usize..5_000,
        shard in 0_u8..=255,
    ) {
        let objects: Vec<Bytes> = objects.into_iter().map(Bytes::from).collect();
        let written = encode_shard(shard, objects.clone());
        proptest::prop_assert_eq!(decode_shard(shard, &written.clone().into()), Ok(objects));
        proptest::prop_assert!(decode_shard(shard.wrapping_add(1), &written.clone().into()).is_err());
        let mut damaged = written.clone();
        for (at, bit) in flips {
            let at = at % damaged.len();
            damaged[at] ^= 1 << bit;
        }
        damaged.truncate(length.max(1));
        if damaged != written {
            proptest::prop_assert!(decode_shard(shard, &damaged.into()).is_err());
        }
    }

    #[test]
    fn no_bit_of_a_head_changes_unseen(at in 0_usize..4_200, bit in 0_u8..8, sequence in proptest::num::u64::ANY) {
        let digests: Vec<ShardDigest> = (0..=u8::MAX).map(|n| [n; 16]).collect();
        let head = Head { revision: Revision { epoch: 7, sequence }, repair: false, digests, labels: [3; 16], node_id: "n".into() };
        let mut bytes = head.encode();
        proptest::prop_assert_eq!(Head::decode(&bytes.clone().into()), Ok(head));
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let read = Head::decode(&bytes.into());
        proptest::prop_assert!(matches!(read, Err(Damage::Foreign | Damage::Checksum)), "{read:?}");
    }

    #[test]
    fn random_bytes_are_no_file_and_no_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let bytes = Bytes::from(bytes);
        proptest::prop_assert!(Head::decode(&bytes).is_err());
        proptest::prop_assert!(decode_shard(0, &bytes).is_err());
        // Also where the checksum is right: a defect of ours, or of the disk's firmware, must not end the node.
        let _ = v1::Object::decode(bytes);
    }
}
