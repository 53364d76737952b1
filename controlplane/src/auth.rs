//! Who calls the admin API and what they may do: the browser guard, access keys and their policies, without any I/O. How a
//! signature is verified and a policy read is the engine's, where callers of APIs are judged in the same way.
//!
//! [`Authenticator::check`] is the one entry point. It answers from the parts of a request, the time inside them and
//! a key lookup; it opens nothing and waits for nothing.

pub mod guard;
pub mod keys;

pub use guard::Guard;
pub use keys::{AccessKey, Keyring, Keys, NoKeys, Rights, Secret};
pub use tidegate_engine::identity::{AuthError, Payload, RequestParts, policy, sigv4};

/// The signing name of the admin API. Source: botocore service model `apigateway` (v1 and v2 share it).
pub const SERVICE: &str = "apigateway";

/// What a caller without a stored access key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The admin API listens on loopback only. A well-formed signature by an unknown key is let in unverified, since
    /// there is no secret to verify it with; a known key is verified in full.
    Loopback,
    /// Only stored, enabled keys are let in.
    Strict,
}

/// A caller that was let in.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The key named in the credential scope.
    pub access_key_id: String,
    /// The region named in the credential scope.
    pub region: String,
    /// Whether the signature was checked against a stored secret; false only in [`Mode::Loopback`].
    pub verified: bool,
    /// What the caller may do.
    pub rights: Rights,
}

/// Decides who may call the admin API.
#[derive(Debug, Clone)]
pub struct Authenticator<K> {
    mode: Mode,
    guard: Guard,
    keys: K,
}

impl<K: Keyring> Authenticator<K> {
    /// An authenticator that looks keys up in `keys` on every request, so that a revoked key is refused at once.
    pub fn new(mode: Mode, guard: Guard, keys: K) -> Self {
        Self { mode, guard, keys }
    }

    /// Lets a request in or says why not. Costs a key lookup, five HMACs and one hash of the body.
    ///
    /// The browser guard comes first, so a web page learns nothing about keys. An unknown key needs a well-formed
    /// signature in every mode: that is what a form, an image or a link of a web page cannot produce by accident.
    pub fn check(&self, request: &RequestParts<'_>) -> Result<Identity, AuthError> {
        self.guard.check(request)?;
        let claim = sigv4::parse(request, SERVICE)?;
        let rights = match (self.keys.access_key(claim.access_key_id()), self.mode) {
            (Some(key), _) if !key.enabled => return Err(AuthError::UnrecognizedClient),
            (Some(key), _) => {
                sigv4::verify(&claim, request, key.secret.expose())?;
                Some(key.rights)
            }
            (None, Mode::Loopback) => None,
            (None, Mode::Strict) => return Err(AuthError::UnrecognizedClient),
        };
        Ok(Identity {
            access_key_id: claim.access_key_id().to_owned(),
            region: claim.region().to_owned(),
            verified: rights.is_some(),
            // Whoever is let in unverified is the machine's own user.
            rights: rights.unwrap_or(Rights::All),
        })
    }
}

#[cfg(test)]
mod tests;
