//! Upstreams: whom the node may call, connections to them, and the pools they rest in between requests.

pub mod connect;
pub mod pool;
mod targets;
pub mod tls;

pub use pool::{Connection, Upstreams, Want};
pub use tidegate_engine::integration::guard::AddressPolicy;
