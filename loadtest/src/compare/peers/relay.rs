//! A bare TCP relay: HAProxy in `mode tcp`, which reads no request. The floor for anything that proxies.

use super::haproxy;
use crate::{compare::Peer, scenario::Scenario};

pub(super) const PEER: Peer = Peer {
    name: "relay",
    about: "HAProxy, mode tcp, one thread",
    install: "apt-get install haproxy",
    fits: |scenario| scenario != Scenario::Mock,
    launch: |site| haproxy::launch(site, haproxy::Mode::Tcp),
};
