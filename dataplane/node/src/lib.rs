//! node.

pub mod agent;
pub mod builder;
pub mod config;
pub mod http;
pub mod node;
pub mod publication;
#[allow(unsafe_code, reason = "sockets and rings: the only place that talks to the kernel by hand")]
pub mod rt;
pub mod drive;
pub mod telemetry;
pub mod upstream;
pub mod worker;
