//! The peers, one file each.

mod envoy;
mod haproxy;
mod nginx;
mod relay;
pub(crate) mod tidegate;

use super::Peer;

/// Every peer there is, in the order of the report.
pub const ALL: [&Peer; 8] = [
    &tidegate::PEER,
    &tidegate::SAME_PATH,
    &tidegate::ONE_ROUTE,
    &tidegate::NO_FUNCTION,
    &relay::PEER,
    &nginx::PEER,
    &haproxy::PEER,
    &envoy::PEER,
];

pub fn by_name(name: &str) -> Option<&'static Peer> {
    ALL.into_iter().find(|peer| peer.name == name)
}
