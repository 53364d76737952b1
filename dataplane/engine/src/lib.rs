//! The gateway as a library that never does I/O.
#![warn(missing_docs)]

pub mod head;
