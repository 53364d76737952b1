//! The generator against the origin, in process and at small scale.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use tidegate_load::{
    run::{self, Arrival, Load, Outcome, Plan, RunError},
    upstream::{Options, Upstream},
};

fn load(upstream: &Upstream, path: &str, arrival: Arrival) -> Load {
    Load {
        plan: Arc::new(Plan::get(&format!("http://{}{path}", upstream.address()), None).unwrap()),
        arrival,
        connections: 4,
        threads: 2,
        cpu: None,
        warmup: Duration::from_millis(50),
        duration: Duration::from_millis(400),
        timeout: Duration::from_secs(5),
        pids: vec![std::process::id()],
    }
}

fn measure(path: &str, arrival: Arrival) -> Outcome {
    let upstream = Upstream::start(&Options { threads: 2, ..Options::default() }).unwrap();
    run::execute(&load(&upstream, path, arrival), &AtomicBool::new(false)).unwrap()
}

#[test]
fn open_loop_keeps_its_rate() {
    let outcome = measure("/", Arrival::Open { per_second: 500.0 });
    assert!(outcome.clean(), "{outcome:?}");
    assert_eq!(
        outcome.histogram.len(),
        200,
        "every request intended inside the window is accounted for"
    );
    assert_eq!(outcome.statuses[&200], 200);
}

#[test]
fn closed_loop_reads_any_framing() {
    for path in ["/", "/chunked/100000", "/bytes/300000", "/close", "/pets/1", "/status/204"] {
        let outcome = measure(path, Arrival::Closed);
        assert!(outcome.clean() && outcome.completed > 10, "{path}: {outcome:?}");
        assert!(outcome.proxy.as_ref().unwrap().memory.resident > 0);
    }
}

#[test]
fn errors_by_kind() {
    let outcome = measure("/reset", Arrival::Closed);
    assert!(outcome.errors.reset > 0 && outcome.completed == 0, "{outcome:?}");
    let outcome = measure("/status/503", Arrival::Closed);
    assert!(outcome.refused > 0 && outcome.refused == outcome.statuses[&503]);
}

#[test]
fn hung_requests_are_timeouts_and_the_rest_is_unsent() {
    let upstream = Upstream::start(&Options::default()).unwrap();
    let timeout = Duration::from_millis(800);
    let load = Load { timeout, ..load(&upstream, "/hang", Arrival::Open { per_second: 100.0 }) };
    let outcome = run::execute(&load, &AtomicBool::new(false)).unwrap();
    // The four connections hang in the warm-up, so all 40 measured requests wait for them.
    assert_eq!((outcome.completed, outcome.histogram.len()), (0, 0));
    assert_eq!(outcome.errors.timeout + outcome.errors.unsent, 40, "{outcome:?}");
}

#[test]
fn slow_answers_do_not_slow_the_questions() {
    // 4 connections answering in 100 ms give 40 a second; asked for 80, the queue and so the latency grows.
    let outcome = measure("/delay/100", Arrival::Open { per_second: 80.0 });
    assert_eq!(outcome.histogram.len(), 32);
    assert!(outcome.percentile_us(0.99) > 300_000.0, "{outcome:?}");
}

#[test]
fn nobody_listens() {
    let upstream = Upstream::start(&Options::default()).unwrap();
    let load = load(&upstream, "/", Arrival::Closed);
    drop(upstream);
    assert!(matches!(run::execute(&load, &AtomicBool::new(false)), Err(RunError::Connect { .. })));
}
