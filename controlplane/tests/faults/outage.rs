//! The control plane is gone: nodes serve, restart from disk and serve, and catch up when it is back.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;

use crate::http::Connection;
use crate::owner::{Owner, number, number_on};
use crate::process::{ANY, control, converge, health, is_connected, node, revision, wait_for};

#[test]
fn a_node_serves_and_restarts_without_its_control_plane() {
    let directory = tempfile::tempdir().unwrap();
    let (data, disk) = (directory.path().join("control"), directory.path().join("node"));
    let running = control(&data, ANY);
    let grpc = running.address("grpc");
    let mut owner = Owner::of(&running);
    owner.create("a", 1);
    owner.create("b", 2);
    let (a, b) = (owner.host("a"), owner.host("b"));
    let edge = node(&disk, grpc);
    converge(&edge, &running);
    let held = revision(&edge);

    // A caller who stays notices nothing.
    let over = AtomicBool::new(false);
    let address = edge.address("http");
    std::thread::scope(|scope| {
        let calls = scope.spawn(|| {
            let mut connection = Connection::open(address).unwrap();
            let mut calls = 0_u64;
            while !over.load(Ordering::SeqCst) {
                assert_eq!(number_on(&mut connection, &a), Ok(1));
                calls += 1;
            }
            calls
        });
        running.end(Signal::KILL);
        wait_for("the node says so", || !is_connected(&edge));
        assert_eq!(revision(&edge), held);
        assert_eq!(number(&edge, &b), Ok(2));
        over.store(true, Ordering::SeqCst);
        assert!(calls.join().unwrap() > 0);
    });
    let told = health(edge.address("node-admin"));
    assert_eq!((&told["status"], &told["apis"]), (&"serving".into(), &2.into()), "{told}");
    assert!(told["control_plane"]["error"].is_string(), "{told}");

    // Restarted in order, and after a kill.
    let mut edge = edge;
    for signal in [Signal::TERM, Signal::KILL, Signal::KILL] {
        edge.end(signal);
        edge = node(&disk, grpc);
        assert_eq!((number(&edge, &a), number(&edge, &b)), (Ok(1), Ok(2)), "after {signal:?}");
        assert_eq!(revision(&edge), held, "after {signal:?}");
        assert!(!is_connected(&edge));
    }

    let running = control(&data, grpc);
    owner.reconnect(&running);
    owner.deploy("a", 11);
    converge(&edge, &running);
    assert_eq!((number(&edge, &a), number(&edge, &b)), (Ok(11), Ok(2)));
    assert!(is_connected(&edge) && revision(&edge) > held);
    // What serves is on disk within a second.
    std::thread::sleep(std::time::Duration::from_millis(1_200));

    // Killed right after it served something new, its disk may be one step behind, and never anything else.
    owner.deploy("b", 22);
    wait_for("the new deployment is served", || number(&edge, &b) == Ok(22));
    edge.end(Signal::KILL);
    running.end(Signal::KILL);
    let edge = node(&disk, grpc);
    assert_eq!(number(&edge, &a), Ok(11));
    assert!(matches!(number(&edge, &b), Ok(2 | 22)));
    assert!(
        revision(&edge) >= held,
        "changes that concern nothing it holds need not be on its disk"
    );

    let running = control(&data, grpc);
    converge(&edge, &running);
    assert_eq!((number(&edge, &a), number(&edge, &b)), (Ok(11), Ok(22)));
    edge.end(Signal::TERM);
    running.end(Signal::TERM);
}
