//! Verifies a bundle: what a node would refuse, the control plane refuses at deploy time by the same code.

use prost::Message;
use sha2::{Digest, Sha256};
use tidegate_proto::{DIALECT, v1};

use crate::snapshot::{Link, Linker};

/// Names a bundle: SHA-256 of its encoded bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BundleId(pub [u8; 32]);

impl BundleId {
    /// The id of encoded bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads an id from the wire; `None` unless it has 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for BundleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for BundleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BundleId({self})")
    }
}

/// Something in a bundle that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{verb} {resource}: {what}")]
pub struct Problem {
    /// Resource path, or empty for the API as a whole.
    pub resource: String,
    /// The method's verb.
    pub verb: String,
    /// What is wrong, for the one who configured it.
    pub what: String,
}

impl Problem {
    /// One of the API as a whole.
    pub(crate) fn of_api(what: String) -> Self {
        Self { resource: String::new(), verb: "API".into(), what }
    }
}

/// Why a bundle is refused.
#[derive(Debug, thiserror::Error)]
pub enum RefuseBundle {
    /// The bytes are not a bundle.
    #[error("the bundle cannot be decoded")]
    Malformed(#[from] prost::DecodeError),
    /// The bytes are not those the id names.
    #[error("the bundle's bytes do not match its id {0}")]
    WrongId(BundleId),
    /// Made for other nodes.
    #[error("the bundle has dialect {0}; this node speaks {DIALECT}")]
    Dialect(u32),
    /// Too much of something.
    #[error("the bundle has {count} {what}, more than {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Parts of it cannot be served; all of them are listed.
    #[error("{}", list(.0))]
    Problems(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Most resources a bundle may have. AWS allows 300; documents with more exist and are served.
const MAX_RESOURCES: usize = 10_000;

/// Decodes a bundle and bounds its size.
pub(crate) fn decode(bytes: &[u8]) -> Result<v1::Bundle, RefuseBundle> {
    let bundle = v1::Bundle::decode(bytes)?;
    if bundle.dialect != DIALECT {
        return Err(RefuseBundle::Dialect(bundle.dialect));
    }
    if bundle.resources.len() > MAX_RESOURCES {
        let count = bundle.resources.len();
        return Err(RefuseBundle::TooMany { what: "resources", count, limit: MAX_RESOURCES });
    }
    Ok(bundle)
}

/// Checks that a node can serve a bundle, by building it as a node does and dropping the result.
pub fn check(bytes: &[u8]) -> Result<(), RefuseBundle> {
    let id = BundleId::of(bytes);
    Link::build(id, bytes, &[], &mut Linker::default()).map(drop)
}
