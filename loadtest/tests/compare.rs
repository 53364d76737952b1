//! A comparison with whatever peers this machine has: all are accounted for, none is dropped silently.

use std::{path::PathBuf, sync::atomic::AtomicBool};

use tidegate_load::{
    compare::{self, CompareError, Options, peer::TidegateOptions},
    scenario::Scenario,
};

#[test]
fn every_peer_is_measured_or_missing_with_a_reason() {
    let names = ["tidegate", "relay", "nginx", "haproxy", "envoy"];
    let options = Options {
        scenario: Scenario::Mock,
        peers: names.iter().filter_map(|name| compare::by_name(name)).collect(),
        pairs: 1,
        seconds: 0.2,
        connections: 4,
        cpu_proxy: 0,
        cpu_load: 0,
        dir: None,
        base: "tidegate".to_owned(),
        // Never the real one: other tests are about it.
        tidegate: TidegateOptions { program: Some(PathBuf::from("/nonexistent")), api_id: None },
    };
    match compare::execute(&options, &AtomicBool::new(false), |_| {}) {
        Ok(comparison) => {
            assert_eq!(comparison.peers.len() + comparison.missing.len(), names.len());
            assert!(comparison.cpu().values().all(|cpu| *cpu > 0.0), "{comparison:?}");
            let text = comparison.text();
            assert!(
                text.contains("not measured - tidegate: not installed; install: cargo build"),
                "{text}"
            );
            assert!(
                text.contains("not measured - relay: has no counterpart to this scenario"),
                "{text}"
            );
        }
        Err(CompareError::NoPeer(reasons)) => {
            assert!(reasons.contains("apt-get install nginx"), "{reasons}");
        }
        Err(other) => panic!("{other}"),
    }
}
