//! Control planes and nodes come back, in any order, and agree again.

use tidegate_control::store::SqliteStore;

use crate::rig::{Control, Edge, UNFIT, config, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_serves_from_disk_without_a_control_plane_and_catches_up_later() {
    let directory = tempfile::tempdir().unwrap();
    let (store, disk) = (directory.path().join("control"), directory.path().join("node"));
    let control = Control::start(&store).await;
    control.populate(&["a", "b"]).await;
    let node = Edge::start("n1", control.address, &disk);
    control.settled("n1").await;
    let address = control.address;
    control.stop().await;
    eventually("the loss is noticed", || {
        let held = node.agent.status().control_plane.unwrap();
        held.link == tidegate_node::agent::Link::Disconnected && held.error.is_some()
    })
    .await;
    assert_eq!(node.routes("a", "prod"), ["/a"], "it serves on");
    let revision = node.agent.status().revision;
    node.stop().await;

    let node = Edge::start("n1", address, &disk);
    node.serves("a", "/a").await;
    node.serves("b", "/b").await;
    assert_eq!(node.agent.status().revision, revision);

    let control = Control::start_on(&store, address).await;
    control.deploy("b", "prod", "/later", "1").await;
    node.serves("b", "/later").await;
    control.settled("n1").await;
    node.stop().await;
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_control_plane_learns_what_nodes_refuse() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    control.populate(&["a"]).await;
    let node = Edge::with(config("n1", control.address));
    control.settled("n1").await;
    control.deploy("a", "prod", "/bad", UNFIT).await;
    assert_eq!(control.settled("n1").await.refusals.len(), 1);
    let address = control.address;
    control.stop().await;
    let control = Control::start_on(directory.path(), address).await;
    // It says so with its first acknowledgement; its greeting only says which revision it has.
    let refusals = || control.publisher.nodes.node("n1").map_or(0, |node| node.refusals.len());
    eventually("the refusal is known", || refusals() == 1).await;
    node.stop().await;
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_is_offered_again_to_a_restarted_node() {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("node");
    let control = Control::start(&directory.path().join("control")).await;
    control.populate(&["a", "b"]).await;
    let node = Edge::start("n1", control.address, &disk);
    control.settled("n1").await;
    control.deploy("a", "prod", "/bad", UNFIT).await;
    assert_eq!(control.settled("n1").await.refusals.len(), 1);
    node.stop().await;
    // The next version of the node may know what this one does not: it is asked, and says no again.
    let node = Edge::start("n1", control.address, &disk);
    eventually("it refuses again", || node.agent.status().refusals.len() == 1).await;
    assert_eq!(
        (node.routes("a", "prod"), node.routes("b", "prod")),
        (vec!["/a".into()], vec!["/b".into()])
    );
    node.stop().await;
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_epoch_is_followed_and_a_store_without_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (store, backup) = (directory.path().join("control"), directory.path().join("backup"));
    let control = Control::start(&store).await;
    control.populate(&["a"]).await;
    let address = control.address;
    control.stop().await;
    copy(&store, &backup);

    let control = Control::start_on(&store, address).await;
    let node = Edge::start("n1", address, &directory.path().join("node"));
    control.deploy("a", "prod", "/lost", "1").await;
    control.populate(&["b"]).await;
    node.serves("b", "/b").await;
    control.settled("n1").await;
    let before = node.agent.status().revision.unwrap();
    control.stop().await;

    // Restored without a new epoch: its revisions would be taken for others.
    let control = Control::start_on(&backup, address).await;
    eventually("the node is told", || {
        let held = node.agent.status().control_plane.unwrap();
        held.error.is_some_and(|error| error.contains("begin a new epoch"))
    })
    .await;
    assert_eq!(node.routes("a", "prod"), ["/lost"], "it serves what it has");
    control.stop().await;

    SqliteStore::begin_epoch(&backup).unwrap();
    let control = Control::start_on(&backup, address).await;
    node.serves("a", "/a").await;
    eventually("what the backup lacks is gone", || node.apis() == ["a"]).await;
    control.settled("n1").await;
    assert!(node.agent.status().revision.unwrap() > before);
    node.stop().await;
    control.stop().await;
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
