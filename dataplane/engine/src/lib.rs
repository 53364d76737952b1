//! The gateway as a library that never does I/O: it decides what happens to a request, and a driver does it.
//!
//! A driver (a node with io_uring, the control plane with tokio, a test with a script) parses a head, calls [`begin`] and carries
//! out the [`Step`] it gets. In the order a request meets them:
//!
//! | module | decides |
//! |---|---|
//! | [`head`] | what the caller sent, as offsets into one buffer |
//! | [`exchange`] | the request's context and its ids |
//! | [`route`] | which API, stage, resource and method it is for |
//! | [`identity`] | who calls, and what they may do |
//! | [`validate`] | whether it is well formed |
//! | [`mapping`] | how its parts become parts of the upstream request |
//! | [`integration`] | what to send, or what to answer in its place |
//! | [`respond`] | what the caller gets, also when the gateway answers itself |
//! | [`snapshot`] | all of the above as data, built from the objects of the stream |
//! | [`explain`] | why, when someone asks |
#![warn(missing_docs)]

pub mod exchange;
pub mod explain;
pub mod head;
pub mod identity;
pub mod integration;
pub mod mapping;
mod pipeline;
pub mod regex;
pub mod respond;
pub mod route;
pub mod snapshot;
mod step;
pub mod validate;

pub use exchange::{Ctx, Listener, Now};
pub use integration::lambda::{Broken, Streamed};
pub use pipeline::begin;
pub use step::{
    Abandoned, Answer, Answers, Body, BodyError, Call, CallError, Counts, Fields, Next, Opened,
    Outgoing, Purpose, Record, Relay, Reply, Step, Wait,
};
