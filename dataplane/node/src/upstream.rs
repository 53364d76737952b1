//! Upstreams: whom the node may call, connections to them, and the pools they rest in between requests.

pub mod connect;
pub mod guard;
pub mod pool;
pub mod tls;

pub use guard::AddressPolicy;
pub use pool::{Connection, Upstreams, Want};
pub use tls::TlsSettings;
