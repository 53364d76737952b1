//! node.

pub mod http;
