//! Reshape: what the caller sent into what the upstream gets, and what came back into what the caller gets.

pub mod heap;
pub mod json;
pub mod jsonpath;
mod number;
pub mod parameter;
pub mod template;
