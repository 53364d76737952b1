//! What is on the wire, seen by a client that is no node of ours.

use std::time::Duration;

use tidegate_engine::snapshot::{shard_digest, shard_of};
use tidegate_proto::v1::{
    self, control_message::Kind as Down, node_message::Kind as Up, sync_client::SyncClient,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use crate::rig::{Control, LARGE, eventually};

struct Raw {
    out: mpsc::Sender<v1::NodeMessage>,
    inbound: Streaming<v1::ControlMessage>,
}

impl Raw {
    async fn connect(control: &Control, hello: v1::Hello) -> Result<Self, tonic::Status> {
        let mut client = SyncClient::connect(format!("http://{}", control.address)).await.unwrap();
        let (out, messages) = mpsc::channel(64);
        out.try_send(v1::NodeMessage { kind: Some(Up::Hello(hello)) }).unwrap();
        let mut raw = Self {
            out,
            inbound: client.objects(ReceiverStream::new(messages)).await?.into_inner(),
        };
        match raw.next().await? {
            Down::Welcome(welcome) => assert_eq!(welcome.account.unwrap().region, "us-east-1"),
            other => panic!("{other:?}"),
        }
        Ok(raw)
    }

    async fn next(&mut self) -> Result<Down, tonic::Status> {
        let message = tokio::time::timeout(Duration::from_secs(10), self.inbound.message())
            .await
            .expect("a message");
        message.map(|message| message.and_then(|message| message.kind).expect("an open stream"))
    }

    async fn delta(&mut self) -> v1::Delta {
        match self.next().await.unwrap() {
            Down::Delta(delta) => delta,
            other => panic!("{other:?}"),
        }
    }

    async fn send(&self, kind: Up) {
        self.out.send(v1::NodeMessage { kind: Some(kind) }).await.unwrap();
    }

    async fn ack(&self, delta: &v1::Delta) {
        self.send(Up::Ack(v1::Ack { revision: delta.to, refusals: vec![] })).await;
    }
}

fn hello(have: Option<v1::Revision>) -> v1::Hello {
    v1::Hello {
        node_id: "raw".into(),
        have,
        dialects: vec![tidegate_proto::DIALECT],
        ..Default::default()
    }
}

fn keys(delta: &v1::Delta) -> Vec<&str> {
    let mut keys: Vec<_> = delta.upserts.iter().map(|object| object.key.as_str()).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_gets_what_changed_since_and_digests_get_the_shards_that_differ() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    control.populate(&["a", "b"]).await;
    control.published().await;
    let mut raw = Raw::connect(&control, hello(None)).await.unwrap();
    let first = raw.delta().await;
    assert_eq!(keys(&first), ["account", "api/a", "api/b", "binding/a/prod", "binding/b/prod"]);
    assert_eq!((first.replaces_shards.len(), first.more), (256, false));
    raw.ack(&first).await;
    drop(raw);

    control.deploy("b", "prod", "/later", "1").await;
    control.published().await;
    let mut raw = Raw::connect(&control, hello(first.to)).await.unwrap();
    let second = raw.delta().await;
    assert!(
        keys(&second).contains(&"binding/b/prod")
            && !keys(&second).iter().any(|key| key.contains("/a"))
    );
    assert!(second.replaces_shards.is_empty());
    drop(raw);

    // The node holds no objects but says it does: all shards that are not empty differ.
    let unsure = v1::Revision { sequence: 0, ..first.to.unwrap() };
    let mut raw = Raw::connect(&control, hello(Some(unsure))).await.unwrap();
    assert!(matches!(raw.next().await, Ok(Down::AskDigests(_))));
    let empty = shard_digest(std::iter::empty()).to_vec();
    raw.send(Up::Digests(v1::Digests { shards: vec![empty; 256] })).await;
    let repair = raw.delta().await;
    let mut shards = repair.replaces_shards.clone();
    shards.sort_unstable();
    let mut want: Vec<u32> = [shard_of("a"), shard_of("b"), shard_of("account")]
        .iter()
        .map(|shard| u32::from(*shard))
        .collect();
    want.sort_unstable();
    assert_eq!(shards, want);
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bundles_come_in_chunks_and_only_to_who_may_have_them() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    control.create("a", &[]).await;
    control.deploy("a", "prod", "/x", LARGE).await;
    control.create("placed", &[("tidegate:placement:zone", "eu")]).await;
    control.deploy("placed", "prod", "/x", "1").await;
    control.published().await;
    let mut raw = Raw::connect(&control, hello(None)).await.unwrap();
    let delta = raw.delta().await;
    let Some(v1::object::Kind::Binding(binding)) = delta
        .upserts
        .iter()
        .find(|object| object.key == "binding/a/prod")
        .and_then(|object| object.kind.clone())
    else {
        panic!("{delta:?}")
    };
    assert!(!keys(&delta).contains(&"api/placed"));
    let deployments = control.app.get_deployments("placed", &Default::default()).await.unwrap();
    let record =
        control.app.deployment_record("placed", deployments.items[0].id.as_str()).await.unwrap();
    // Another API's bundle, a blob that is no bundle, and one that never was.
    let others =
        [record.bundle_id.0.to_vec(), record.snapshot.0.to_vec(), vec![7; 32], vec![1, 2, 3]];
    let bundles = std::iter::once(binding.bundle.clone()).chain(others.clone()).collect();
    raw.send(Up::Fetch(v1::Fetch { bundles })).await;
    let mut got = Vec::new();
    loop {
        match raw.next().await.unwrap() {
            Down::Chunk(chunk) => {
                assert!(chunk.data.len() <= 1 << 20 && chunk.offset == got.len() as u64);
                got.extend_from_slice(&chunk.data);
            }
            Down::Missing(missing) => {
                assert_eq!(missing.bundles, others);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(tidegate_control::model::ContentHash::of(&got).0.to_vec(), binding.bundle);
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_ends_the_stream_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    control.populate(&["a"]).await;
    control.published().await;
    let future = v1::Revision { epoch: u64::MAX, sequence: 1 };
    for (bad, code) in [
        (v1::Hello { dialects: vec![99], ..hello(None) }, Code::FailedPrecondition),
        (hello(Some(future)), Code::FailedPrecondition),
        (v1::Hello { node_id: "a/b".into(), ..hello(None) }, Code::InvalidArgument),
    ] {
        let told = Raw::connect(&control, bad).await.err().unwrap();
        assert_eq!(told.code(), code, "{told}");
    }
    let mut raw = Raw::connect(&control, hello(None)).await.unwrap();
    let delta = raw.delta().await;
    raw.ack(&delta).await;
    raw.ack(&delta).await;
    assert_eq!(raw.next().await.unwrap_err().code(), Code::InvalidArgument);
    let mut raw = Raw::connect(&control, hello(None)).await.unwrap();
    raw.send(Up::Digests(v1::Digests { shards: vec![] })).await;
    raw.delta().await;
    assert_eq!(raw.next().await.unwrap_err().code(), Code::InvalidArgument);
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_connects_again_takes_its_own_place() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    let mut old = Raw::connect(&control, hello(None)).await.unwrap();
    old.delta().await;
    let mut new = Raw::connect(&control, hello(None)).await.unwrap();
    new.delta().await;
    assert_eq!(old.next().await.unwrap_err().code(), Code::Aborted);
    assert_eq!(control.publisher.nodes.connected(), 1);
    drop(new);
    eventually("it is gone", || control.publisher.nodes.connected() == 0).await;
    assert_eq!(control.publisher.nodes.list().len(), 1, "and remembered");
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_never_acknowledges_has_a_window_of_deltas_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    control.populate(&["a"]).await;
    let mut raw = Raw::connect(&control, hello(None)).await.unwrap();
    for n in 0..40 {
        control.deploy("a", "prod", &format!("/{n}"), "1").await;
    }
    let mut last = None;
    let mut count = 0;
    while let Ok(message) = tokio::time::timeout(Duration::from_millis(600), raw.next()).await {
        let Down::Delta(delta) = message.unwrap() else { panic!() };
        (last, count) = (Some(delta), count + 1);
    }
    assert!((1..=8).contains(&count), "{count}");
    // What it missed comes once, in its latest form.
    raw.ack(&last.unwrap()).await;
    let head = control.head().await;
    let next = raw.delta().await;
    assert_eq!(next.to.unwrap().sequence, head);
    control.stop().await;
}
