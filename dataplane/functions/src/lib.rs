//! Runs Lambda functions on this machine.
//!
//! | module | holds |
//! |---|---|
//! | `declaration` | the TOML file |
//! | `host`, `function`, `process` | all functions; one and its processes; one process |
//! | `keeper` | the small process that lets nothing of a function outlive the host |
//! | `runtime_api` | what a process calls: Lambda's Runtime API |
//! | `invoke_api`, `event_stream` | what callers call: Lambda's Invoke API, and how it frames streams |
//! | `listener` | serving both |
//! | `queue`, `watch`, `log` | events for later; new code; what functions print |
//! | `error`, `invocation` | AWS's errors; what goes in and comes out |

pub mod declaration;
pub mod error;
mod event_stream;
pub mod function;
pub mod host;
pub mod invocation;
pub mod invoke_api;
pub mod keeper;
mod listener;
pub mod log;
mod process;
pub mod queue;
mod runtime_api;
pub mod watch;

pub use process::Surroundings;
