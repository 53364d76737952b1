//! Call: what to send to an upstream, or what to answer in its place.

pub(crate) mod aws;
pub mod credentials;
pub mod endpoints;
pub mod guard;
pub mod http;
pub(crate) mod lambda;
pub(crate) mod mapped;
pub(crate) mod mappings;
mod mock;
mod services;
pub mod sigv4;
mod target;

pub(crate) use mappings::static_fits;
