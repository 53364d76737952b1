//! Call: what to send to an upstream, or what to answer in its place.

pub mod http;
pub(crate) mod mapped;
mod mappings;
mod mock;
mod target;

pub(crate) use mappings::static_fits;
