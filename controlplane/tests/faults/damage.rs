//! A node's last good copy is damaged while the node is down: what is sound serves, what is not is told once and had again.

use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rustix::process::Signal;
use tidegate_engine::snapshot::shard_of;

use crate::owner::{Owner, number};
use crate::process::{
    ANY, NOBODY, Process, bare_node, control, converge, health, is_connected, node, wait_for,
};

#[derive(Clone, Copy, Debug)]
enum Kind {
    NodeId,
    Lock,
    Head,
    /// The shard of API `a`.
    Shard,
    /// Any of the bundles.
    Bundle,
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip,
    Truncate,
    Empty,
    Garbage,
    Delete,
}

#[test]
fn what_is_sound_serves_and_what_is_not_is_had_again() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let good = directory.path().join("good");
    let running = control(&directory.path().join("control"), ANY);
    let mut owner = Owner::of(&running);
    let names = ["a", "b", "c"];
    for (api, number) in names.iter().zip(1..) {
        owner.create(api, number);
    }
    let hosts = names.map(|api| owner.host(api));
    let edge = node(&good, running.address("grpc"));
    converge(&edge, &running);
    edge.end(Signal::TERM);

    let mut cases = Vec::new();
    for kind in [Kind::NodeId, Kind::Lock, Kind::Head, Kind::Shard, Kind::Bundle] {
        let all = [Damage::Flip, Damage::Truncate, Damage::Empty, Damage::Garbage, Damage::Delete];
        cases.extend(all.map(|damage| (kind, damage)));
    }
    for (index, (kind, damage)) in cases.into_iter().enumerate() {
        let disk = directory.path().join(format!("node{index}"));
        copy(&good, &disk);
        let path = file(&disk, kind, owner.id("a"));
        spoil(&path, damage, &mut rng);
        println!("{kind:?} {damage:?}");

        // Alone: never a wrong answer, and as many right ones as there can be.
        let edge = bare_node(&disk, NOBODY);
        wait_for("it has looked at its disk", || {
            health(edge.address("node-admin"))["status"] == "serving"
        });
        let served = served(&edge, &hosts);
        let lost = match kind {
            Kind::NodeId | Kind::Lock | Kind::Head => 0,
            // What shares its shard is lost with it.
            Kind::Shard => names
                .iter()
                .filter(|api| shard_of(owner.id(api)) == shard_of(owner.id("a")))
                .count(),
            Kind::Bundle => 1,
        };
        assert_eq!(served, hosts.len() - lost, "{kind:?} {damage:?}: {}", edge.stderr());
        check_words(kind, damage, &path, &edge.stderr());
        assert!(!is_connected(&edge));
        edge.end(Signal::TERM);

        // With its control plane: everything, also on disk.
        let edge = bare_node(&disk, running.address("grpc"));
        converge(&edge, &running);
        // A bundle that is lost leaves the revision as it was: what counts is that everything serves again.
        wait_for("everything is had again", || self::served(&edge, &hosts) == hosts.len());
        edge.end(Signal::TERM);
        let edge = bare_node(&disk, NOBODY);
        wait_for("it serves", || health(edge.address("node-admin"))["status"] == "serving");
        assert_eq!(self::served(&edge, &hosts), hosts.len());
        assert!(!edge.stderr().contains("discarded"), "{}", edge.stderr());
        edge.end(Signal::TERM);
    }
    running.end(Signal::TERM);
}

#[test]
fn a_node_that_lost_everything_waits() {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("node");
    let running = control(&directory.path().join("control"), ANY);
    let mut owner = Owner::of(&running);
    owner.create("a", 1);
    let edge = node(&disk, running.address("grpc"));
    converge(&edge, &running);
    edge.end(Signal::TERM);
    let objects = std::fs::read_dir(disk.join("objects")).unwrap();
    for path in objects.map(|entry| entry.unwrap().path()) {
        std::fs::write(path, "not what it was").unwrap();
    }
    let edge = bare_node(&disk, NOBODY);
    let told = health(edge.address("node-admin"));
    assert_eq!((&told["status"], &told["revision"]), (&"starting".into(), &None::<u64>.into()));
    assert!(number(&edge, &owner.host("a")).is_err());
    edge.end(Signal::TERM);
    let edge = bare_node(&disk, running.address("grpc"));
    converge(&edge, &running);
    assert_eq!(number(&edge, &owner.host("a")), Ok(1));
    edge.end(Signal::TERM);
    running.end(Signal::TERM);
}

/// How many answer; those that do must answer right.
fn served(node: &Process, hosts: &[String]) -> usize {
    let right = |(host, want): (&String, u64)| match number(node, host) {
        Ok(number) => {
            assert_eq!(number, want, "{host} answers for another");
            true
        }
        Err(status) => {
            assert!(matches!(status, 403 | 404 | 500..=599), "{host}: {status}");
            false
        }
    };
    hosts.iter().zip(1..).filter(|pair| right(*pair)).count()
}

/// One line, with the file's name where there is a file and somebody reads it.
fn check_words(kind: Kind, damage: Damage, path: &Path, said: &str) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let about = said.lines().filter(|line| line.contains(name)).count();
    let want = match (kind, damage) {
        // Nobody reads what is in the lock; and a node without an id is a new one.
        (Kind::Lock, _) | (Kind::NodeId, Damage::Delete) => 0,
        // What is left of an id is an id, unless nothing is.
        (Kind::NodeId, Damage::Truncate) => return,
        // Missing files are told of together.
        (Kind::Head | Kind::Shard, Damage::Delete) => {
            assert_eq!(said.matches("the copy on disk is not whole").count(), 1, "{said}");
            0
        }
        // The file, and the stage that cannot be served without it.
        (Kind::Bundle, damage) if !matches!(damage, Damage::Delete) => 2,
        _ => 1,
    };
    assert_eq!(about, want, "{kind:?} {damage:?}: {said}");
}

fn file(disk: &Path, kind: Kind, api: &str) -> PathBuf {
    match kind {
        Kind::NodeId => disk.join("node-id"),
        Kind::Lock => disk.join("node.lock"),
        Kind::Head => disk.join("objects/head"),
        Kind::Shard => disk.join(format!("objects/shard-{:02x}", shard_of(api))),
        Kind::Bundle => {
            let mut bundles = std::fs::read_dir(disk.join("bundles")).unwrap();
            bundles.next().unwrap().unwrap().path()
        }
    }
}

fn spoil(path: &Path, damage: Damage, rng: &mut StdRng) {
    let mut bytes = std::fs::read(path).unwrap();
    match damage {
        Damage::Delete => return std::fs::remove_file(path).unwrap(),
        Damage::Flip if !bytes.is_empty() => {
            let at = rng.random_range(0..bytes.len());
            // The highest bit too: an id whose letter becomes another letter is an id.
            bytes[at] ^= 0x80 | rng.random_range(0..0x80);
        }
        Damage::Truncate if !bytes.is_empty() => bytes.truncate(rng.random_range(0..bytes.len())),
        Damage::Empty => bytes.clear(),
        Damage::Flip | Damage::Truncate | Damage::Garbage => {
            bytes = (0..rng.random_range(1..300)).map(|_| rng.random::<u8>() | 0x80).collect();
        }
    }
    std::fs::write(path, bytes).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
