//! HTTP on the wire: pure codecs, and the byte rules they share.

pub mod h1;
pub mod h2;
pub mod syntax;
