//! Tidegate's load tools: an origin to call, a generator that asks at a fixed rate, and comparisons side by side.
//!
//! - [`http1`]: incremental HTTP/1.1 framing, bytes in and values out; both ends use it.
//! - [`upstream`]: the origin. [`run`]: the generator. [`idle`]: memory of kept connections.
//! - [`compare`]: peers side by side, on the traffic of a [`scenario`].
//! - [`changes`], [`propagation`]: what a deployment costs traffic and how soon it shows, at a [`place`].
//! - [`operations`]: how fast the admin API is.
//! - [`admin`] with [`sigv4`]: the admin API, as AWS's tools speak it, over [`client`].
//! - [`host`]: what the machine tells: CPU and memory of a process, pinning, limits, facts for a report.
//! - [`report`]: tables, percentiles, intervals and SVG plots.

pub mod admin;
pub mod changes;
pub mod cli;
pub mod client;
pub mod compare;
pub mod host;
pub mod http1;
pub mod idle;
pub mod operations;
pub mod place;
pub mod propagation;
pub mod report;
pub mod run;
pub mod scenario;
pub mod sigv4;
pub mod upstream;
