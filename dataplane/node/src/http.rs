//! HTTP on the wire: pure codecs, the byte rules they share, and what they agree on about bodies.

pub mod h1;
pub mod syntax;
