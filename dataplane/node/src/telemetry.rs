//! What the node says about itself: metrics, access log, helpful lines.

pub mod access_log;
pub mod hints;
pub mod metrics;
pub mod mismatches;

pub use access_log::AccessLog;
pub use hints::Hints;
pub use metrics::{Metrics, Scrape};
pub use mismatches::Mismatches;
