//! Tidegate's control plane: from an admin call to a published snapshot.
//!
//! - [`app`]: the operations: check, change, log; the only place with business rules
//! - [`auth`]: admin credentials, SigV4 verification, the browser guard; no I/O
//! - [`cli`]: the `tidegate` command line
//! - [`compile`]: deployment to bundle; a pure function that refuses what a node would refuse
//! - [`config`]: start-up settings: command line, environment, TOML file
//! - [`drive`]: runs the engine to explain what it would do with a request
//! - [`grpc`]: the gRPC port: streams to nodes, health, reflection; thin
//! - [`model`]: RestApi, Resource, Method, Integration, Stage, Deployment ...; no HTTP, no SQL, no protobuf
//! - [`openapi`]: import of OpenAPI 3.0 and Swagger 2.0 documents; a pure function
//! - [`publish`]: from the log of changes to the objects every node has
//! - [`rest`]: the admin API on AWS's wire, a file per family; thin
//! - [`store`]: rows, a gap-free log of changes, blobs by content; a trait and its SQLite backend
//! - [`vault`]: seals the secrets that are stored

pub mod app;
pub mod auth;
pub mod cli;
pub mod compile;
pub mod config;
pub mod drive;
pub mod grpc;
pub mod model;
pub mod openapi;
pub mod publish;
pub mod rest;
pub mod store;
pub mod vault;
