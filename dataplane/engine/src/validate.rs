//! Phase 6, well formed: whether a body is what its model says.

pub mod schema;
