//! The contract between control plane, nodes and operators: protobuf messages and, with the feature `grpc`, services.
//!
//! The sources are `proto/tidegate/v1/*.proto`; each field's unit, range and meaning when absent stands there.

/// Version 1 of the contract.
pub mod v1 {
    #![allow(clippy::all, clippy::unwrap_used, clippy::large_futures, unused_qualifications)]
    include!(concat!(env!("OUT_DIR"), "/tidegate.v1.rs"));
}

/// The encoded descriptors of all files, for gRPC reflection and for generated reference pages.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The dialect of [`v1::Bundle`] that this version compiles and serves.
pub const DIALECT: u32 = 1;
