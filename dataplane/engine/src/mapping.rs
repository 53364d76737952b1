//! Reshape: what the caller sent into what the upstream gets, and what came back into what the caller gets.

pub mod body;
pub mod context;
pub mod heap;
pub mod json;
pub mod jsonpath;
pub mod media;
pub(crate) mod number;
pub mod parameter;
pub mod template;
pub(crate) mod transform;
pub mod xml;
