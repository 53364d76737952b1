//! Deployments and stage updates under load: no request fails, and no connection is answered by an older one after a newer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use crate::http::Connection;
use crate::operation::Change;
use crate::owner::{Owner, number, number_on};
use crate::process::{ANY, control, converge, node, wait_for};

#[test]
fn rollouts_fail_no_request_and_never_go_back() {
    let rollouts = if crate::is_long() { 1_000 } else { 100 };
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let running = control(&directory.path().join("control"), ANY);
    let mut owner = Owner::of(&running);
    owner.create("a", 0);
    let host = owner.host("a");
    let edge = node(&directory.path().join("node"), running.address("grpc"));
    converge(&edge, &running);

    let (over, address) = (AtomicBool::new(false), edge.address("http"));
    let counts: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let call = || {
            let mut connection = Connection::open(address).unwrap();
            let (mut calls, mut seen, mut newest) = (0_u64, 1_u64, 0);
            while !over.load(Ordering::SeqCst) {
                let answer = number_on(&mut connection, &host).expect("no request fails");
                assert!(answer >= newest, "{answer} came after {newest}");
                seen += u64::from(answer > newest);
                newest = answer;
                calls += 1;
                // Callers that ask without a pause take the whole machine, and then a rollout takes a second.
                std::thread::sleep(PAUSE);
            }
            (calls, seen)
        };
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        let ended = Over(&over);
        for number in 1..=rollouts {
            if number % 2 == 0 {
                owner.deploy("a", number);
            } else {
                // The same in two steps: the stage is moved to a deployment that is there already.
                let stage = "prod".to_owned();
                owner.change("a", Change::Answer("/n".to_owned(), number));
                owner.change("a", Change::Deploy(number.to_string(), None, number));
                owner.change("a", Change::Stage(stage, number.to_string(), number));
            }
            assert!(callers.iter().all(|caller| !caller.is_finished()), "a caller gave up");
        }
        wait_for("the last one is served", || number(&edge, &host) == Ok(rollouts));
        drop(ended);
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    converge(&edge, &running);
    let calls: u64 = counts.iter().map(|(calls, _)| calls).sum();
    let seen = counts.iter().map(|(_, seen)| seen).max().unwrap();
    println!("{rollouts} rollouts, {calls} requests, 0 failed; one connection saw {seen} of them");
    assert!(*seen > rollouts / 10, "the load was not there while things changed");
    edge.end(Signal::TERM);
    running.end(Signal::TERM);
}

/// Ends the callers, also when this thread fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

const CALLERS: usize = 8;
const PAUSE: Duration = Duration::from_millis(2);
