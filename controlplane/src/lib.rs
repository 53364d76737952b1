//! controlplane.
