//! Tidegate's load tools: an origin to call, a generator that asks at a fixed rate, and comparisons side by side.
//!
//! - [`http1`]: incremental HTTP/1.1 framing, bytes in and values out; both ends use it.
//! - [`upstream`]: the origin. [`run`]: the generator. [`idle`]: memory of kept connections.
//! - [`host`]: what the machine tells: CPU and memory of a process, pinning, limits, facts for a report.
//! - [`report`]: tables, percentiles, intervals and SVG plots.

pub mod cli;
pub mod host;
pub mod http1;
pub mod report;
pub mod run;
pub mod upstream;
