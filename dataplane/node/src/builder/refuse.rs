//! Why an object is refused, in a text for people and a word for metrics.

use tidegate_engine::snapshot::{BadTarget, BundleId, RefuseApi, RefuseBundle};

/// Why an object is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refuse {
    /// Its key does not say what it holds.
    #[error("the key does not name what the object holds")]
    Key,
    /// An identifier that no request can name.
    #[error("'{0}' is no identifier")]
    Identifier(String),
    /// This version of the node does not know the kind.
    #[error("this version of the node does not know this kind of object")]
    UnknownKind,
    /// This version of the node does not serve the kind. Ignoring it would admit what it forbids.
    #[error("{0} are not supported yet")]
    Unsupported(&'static str),
    /// Not 32 bytes.
    #[error("the bundle id is malformed")]
    BundleId,
    /// The control plane did not have it either, or the disk lost it.
    #[error("bundle {0} is not there")]
    NoBundle(BundleId),
    /// A binding may only use its own API's bundles.
    #[error("bundle {bundle} belongs to API '{owner}'")]
    ForeignBundle {
        /// Which bundle.
        bundle: BundleId,
        /// Whose it is.
        owner: String,
    },
    /// The bundle cannot be served.
    #[error(transparent)]
    Bundle(#[from] RefuseBundle),
    /// The stage cannot be served.
    #[error(transparent)]
    Api(#[from] RefuseApi),
    /// The VPC link leads nowhere.
    #[error(transparent)]
    VpcLink(#[from] BadTarget),
    /// A defect of ours.
    #[error("building it panicked; the node's log has the place")]
    Panicked,
}

impl Refuse {
    /// The word in `gateway_snapshot_rejected_total{reason}`.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Key | Self::Identifier(_) | Self::BundleId => "malformed",
            Self::UnknownKind | Self::Unsupported(_) => "unsupported",
            Self::NoBundle(_) => "no_bundle",
            Self::ForeignBundle { .. } => "foreign_bundle",
            Self::Bundle(_) => "bundle",
            Self::Api(_) => "stage",
            Self::VpcLink(_) => "vpc_link",
            Self::Panicked => "panic",
        }
    }

    /// The whole chain in one line, bounded.
    pub(super) fn text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        if text.len() > MAX_TEXT {
            let cut = text.floor_char_boundary(MAX_TEXT);
            text.truncate(cut);
            text.push('…');
        }
        text
    }
}

/// Bytes of one reason: room for some twenty problems of a bundle.
const MAX_TEXT: usize = 2_000;
