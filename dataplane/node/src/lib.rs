//! node.

pub mod agent;
pub mod builder;
pub mod http;
pub mod publication;
#[allow(unsafe_code, reason = "sockets and rings: the only place that talks to the kernel by hand")]
pub mod rt;
