//! Tidegate's control plane: from an admin call to a published snapshot.
//!
//! - [`model`]: RestApi, Resource, Method, Integration, Stage, Deployment ...; no HTTP, no SQL, no protobuf

pub mod model;
