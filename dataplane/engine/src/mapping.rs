//! Reshape: what the caller sent into what the upstream gets, and what came back into what the caller gets.

pub mod body;
pub mod context;
pub(crate) mod media;
pub mod parameter;
pub(crate) mod raw;
pub(crate) mod transform;
