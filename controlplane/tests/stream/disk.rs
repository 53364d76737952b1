//! Every kind of damage to a node's disk ends in the same world, and only what differs is sent.

use std::path::{Path, PathBuf};

use crate::rig::{Control, Edge, eventually};

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn shard(disk: &Path, api: &str) -> PathBuf {
    disk.join("objects").join(format!("shard-{:02x}", tidegate_engine::snapshot::shard_of(api)))
}

fn bundles(disk: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(disk.join("bundles")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_of_any_kind_is_repaired() {
    type Damage = fn(&Path);
    let kinds: [(&str, Damage); 8] = [
        ("shard flipped", |disk| flip(&shard(disk, "a"))),
        ("shard gone", |disk| std::fs::remove_file(shard(disk, "a")).unwrap()),
        ("head flipped", |disk| flip(&disk.join("objects/head"))),
        ("head gone", |disk| std::fs::remove_file(disk.join("objects/head")).unwrap()),
        ("one bundle flipped", |disk| flip(&bundles(disk)[0])),
        ("all bundles gone", |disk| {
            bundles(disk).iter().for_each(|path| std::fs::remove_file(path).unwrap());
        }),
        ("all objects gone", |disk| std::fs::remove_dir_all(disk.join("objects")).unwrap()),
        ("everything empty", |disk| {
            for entry in std::fs::read_dir(disk.join("objects")).unwrap() {
                std::fs::write(entry.unwrap().path(), b"").unwrap();
            }
        }),
    ];
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(&directory.path().join("control")).await;
    control.populate(&["a", "b", "c"]).await;
    for (index, (kind, damage)) in kinds.iter().enumerate() {
        let disk = directory.path().join(format!("node{index}"));
        let name = format!("n{index}");
        let node = Edge::start(&name, control.address, &disk);
        control.settled(&name).await;
        node.stop().await;
        damage(&disk);

        let node = Edge::start(&name, control.address, &disk);
        for api in ["a", "b", "c"] {
            node.serves(api, &format!("/{api}")).await;
        }
        eventually(&format!("nothing is refused after: {kind}"), || {
            node.agent.status().refusals.is_empty()
        })
        .await;
        control.settled(&name).await;
        node.stop().await;

        // What was repaired is whole on disk: it serves without a control plane.
        let nobody = "127.0.0.1:1".parse().unwrap();
        let node = Edge::start(&name, nobody, &disk);
        for api in ["a", "b", "c"] {
            node.serves(api, &format!("/{api}")).await;
        }
        node.stop().await;
    }
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_has_left_serves_while_the_rest_waits_for_the_control_plane() {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("node");
    let control = Control::start(&directory.path().join("control")).await;
    control.populate(&["a", "b"]).await;
    let node = Edge::start("n1", control.address, &disk);
    control.settled("n1").await;
    node.stop().await;
    flip(&shard(&disk, "a"));
    let node = Edge::start("n1", "127.0.0.1:1".parse().unwrap(), &disk);
    node.serves("b", "/b").await;
    assert_eq!(node.apis(), ["b"]);
    node.stop().await;
    control.stop().await;
}
