//! A request as far as a signature speaks of it.

use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// The body of a request as far as signing sees it.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// The whole body; hashed only when a signature has to be verified.
    Bytes(&'a [u8]),
    /// SHA-256 of the body, for callers that hashed it while reading.
    Sha256([u8; 32]),
}

impl Payload<'_> {
    pub(super) fn sha256(&self) -> [u8; 32] {
        match self {
            Self::Bytes(bytes) => Sha256::digest(bytes).into(),
            Self::Sha256(hash) => *hash,
        }
    }
}

/// A request as it came off the wire: nothing decoded, nothing normalised.
#[derive(Debug, Clone)]
pub struct RequestParts<'a> {
    /// The method in upper case.
    pub method: &'a str,
    /// The path as sent, still percent-encoded.
    pub path: &'a str,
    /// The query as sent, without `?`; empty when there was none.
    pub query: &'a str,
    headers: Vec<(&'a str, &'a [u8])>,
    /// The body or its hash.
    pub payload: Payload<'a>,
    /// The time at which the request is judged.
    pub now: SystemTime,
}

impl<'a> RequestParts<'a> {
    /// Collects the parts. Headers keep their order; a name may occur more than once and in any case.
    pub fn new(
        method: &'a str,
        path: &'a str,
        query: &'a str,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        payload: Payload<'a>,
        now: SystemTime,
    ) -> Self {
        Self { method, path, query, headers: headers.into_iter().collect(), payload, now }
    }

    /// The values of a header, in the order they were sent.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// The names of all headers, as sent.
    pub fn header_names(&self) -> impl Iterator<Item = &'a str> {
        self.headers.iter().map(|(name, _)| *name)
    }
}
