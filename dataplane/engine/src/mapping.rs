//! Reshape: what the caller sent into what the upstream gets.

pub mod parameter;
