//! Call: what to send to an upstream, or what to answer in its place.

pub mod guard;
pub mod http;
pub mod mock;
