//! Small cases per hot step of a request, and two ways to measure them.
//!
//! - [`cases`]: the steps, each with inputs a gateway meets and a check that it does what it is named after.
//! - [`gateway`]: one API with the buffers a worker keeps warm, for the cases that ask the engine.
//! - [`callgrind`]: instructions per iteration, which repeat exactly; [`budgets`] says how many there may be.
//! - [`clock`]: nanoseconds per iteration, to look at.
//! - [`cli`]: the `tidegate-benches` command.

pub mod budgets;
pub mod callgrind;
pub mod cases;
pub mod cli;
pub mod clock;
pub mod gateway;
