//! Objects from one file, so that a node serves without any control plane (`--objects FILE`).
//!
//! The file is one protobuf message:
//!
//! ```text
//! message ObjectSet {
//!   repeated tidegate.v1.Object objects = 1;
//!   repeated bytes bundles = 2;              // encoded tidegate.v1.Bundle, named by SHA-256 of their bytes
//! }
//! ```

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use tidegate_engine::integration::endpoints::Endpoints;
use tidegate_engine::snapshot::{BundleId, Revision};
use tidegate_proto::v1;

use super::{Batch, Builder, Bundles, Refusal};
use crate::publication::Publication;

/// A whole configuration in one value.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ObjectSet {
    /// APIs, bindings and what else there is.
    #[prost(message, repeated, tag = "1")]
    pub objects: Vec<v1::Object>,
    /// Encoded bundles.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub bundles: Vec<Bytes>,
}

/// Why a file gives no objects.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error("objects file {path} cannot be used")]
    Io {
        /// Which file.
        path: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// It holds something else.
    #[error("objects file {path} holds no objects")]
    Malformed {
        /// Which file.
        path: String,
        /// Where decoding stopped.
        #[source]
        cause: prost::DecodeError,
    },
}

impl ObjectSet {
    /// Adds an API.
    pub fn api(mut self, api: v1::Api) -> Self {
        let key = format!("api/{}", api.id);
        self.objects.push(v1::Object { key, kind: Some(v1::object::Kind::Api(api)) });
        self
    }

    /// Adds a stage of an API that is served by `bundle`; the binding's `bundle` is filled in.
    pub fn stage(mut self, mut binding: v1::Binding, bundle: &v1::Bundle) -> Self {
        let bytes = Bytes::from(bundle.encode_to_vec());
        binding.bundle = BundleId::of(&bytes).0.into();
        self.bundles.push(bytes);
        let key = format!("binding/{}/{}", binding.api_id, binding.stage);
        self.objects.push(v1::Object { key, kind: Some(v1::object::Kind::Binding(binding)) });
        self
    }

    /// Sets the account.
    pub fn account(mut self, account: v1::Account) -> Self {
        self.objects.push(v1::Object {
            key: "account".into(),
            kind: Some(v1::object::Kind::Account(account)),
        });
        self
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let shown = path.display().to_string();
        let bytes =
            std::fs::read(path).map_err(|cause| FileError::Io { path: shown.clone(), cause })?;
        Self::decode(&*bytes).map_err(|cause| FileError::Malformed { path: shown, cause })
    }

    /// Writes a file.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        std::fs::write(path, self.encode_to_vec())
            .map_err(|cause| FileError::Io { path: path.display().to_string(), cause })
    }

    /// Adds the bundles to those of a node and gives the batch that makes it serve exactly these objects.
    pub fn into_batch(self, bundles: &Bundles) -> Batch {
        for bytes in self.bundles {
            bundles.put(BundleId::of(&bytes), bytes);
        }
        Batch {
            to: Revision { epoch: 0, sequence: 1 },
            upserts: self.objects,
            replaces: (0..=u8::MAX).collect(),
            ..Batch::default()
        }
    }

    /// Publishes the world of these objects, on the calling thread, and says what was refused.
    pub fn publish(self, publication: &Publication) -> Vec<Refusal> {
        self.publish_with(publication, Endpoints::default())
    }

    /// As [`Self::publish`], with AWS services where `endpoints` says.
    pub fn publish_with(self, publication: &Publication, endpoints: Endpoints) -> Vec<Refusal> {
        let bundles = Arc::new(Bundles::in_memory());
        let batch = self.into_batch(&bundles);
        let mut builder = Builder::with_endpoints(bundles, endpoints);
        let applied = builder.apply(batch).expect("nothing is older than a new builder");
        if let Some(world) = applied.world {
            publication.publish(world);
        }
        applied.outcome.refusals
    }
}
