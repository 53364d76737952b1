//! Access keys of the admin API: what one is, where they are looked up, and the bootstrap key from the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::policy::Policy;

/// Names the environment variable with the bootstrap key's id.
pub const BOOTSTRAP_ID: &str = "TIDEGATE_ACCESS_KEY_ID";
/// Names the environment variable with the bootstrap key's secret.
pub const BOOTSTRAP_SECRET: &str = "TIDEGATE_SECRET_ACCESS_KEY";

/// A secret access key. It prints as `***`, so that no log or panic text can hold it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for signing and for the store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What the holder of an access key may do.
#[derive(Debug, Clone, PartialEq)]
pub enum Rights {
    /// Everything.
    All,
    /// What a policy allows.
    Policy {
        /// The caller's name in ARNs and in policies' `${aws:username}`.
        user: Arc<str>,
        /// What is allowed.
        policy: Arc<Policy>,
    },
}

/// One access key.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessKey {
    /// What the caller names in its credential scope.
    pub id: String,
    /// What the caller signs with.
    pub secret: Secret,
    /// A disabled key is refused in every mode, as if it did not exist in [`Strict`](super::Mode::Strict) mode.
    pub enabled: bool,
    /// What its holder may do.
    pub rights: Rights,
}

/// Where access keys are looked up. Called on every request: answer from memory.
pub trait Keyring {
    /// The key with exactly this id.
    fn access_key(&self, id: &str) -> Option<AccessKey>;
}

impl<K: Keyring + ?Sized> Keyring for Arc<K> {
    fn access_key(&self, id: &str) -> Option<AccessKey> {
        (**self).access_key(id)
    }
}

/// No stored keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeys;

impl Keyring for NoKeys {
    fn access_key(&self, _: &str) -> Option<AccessKey> {
        None
    }
}

impl Keyring for BTreeMap<String, AccessKey> {
    fn access_key(&self, id: &str) -> Option<AccessKey> {
        self.get(id).cloned()
    }
}

/// The bootstrap key in front of the stored ones: it works before the store holds any key, and wins over a stored key
/// of the same id, so that an operator can always get in. Its holder may do everything.
#[derive(Debug, Clone)]
pub struct Keys<K> {
    /// From settings or the environment; see [`bootstrap`].
    pub bootstrap: Option<AccessKey>,
    /// The rest.
    pub stored: K,
}

impl<K: Keyring> Keyring for Keys<K> {
    fn access_key(&self, id: &str) -> Option<AccessKey> {
        match &self.bootstrap {
            Some(key) if key.id == id => Some(key.clone()),
            _ => self.stored.access_key(id),
        }
    }
}

/// Why the bootstrap key in the settings cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BootstrapError {
    /// Half a key would leave the operator believing that there is one.
    #[error("{BOOTSTRAP_ID} and {BOOTSTRAP_SECRET} must be set together")]
    Half,
    /// A `/` would end the id within a credential scope, and other characters do not survive the header.
    #[error("{BOOTSTRAP_ID} may hold letters, digits, '_' and '-' only")]
    Id,
}

/// Reads the bootstrap key through `get`, for example `|name| std::env::var(name).ok()`. Empty counts as unset.
pub fn bootstrap(
    get: impl Fn(&str) -> Option<String>,
) -> Result<Option<AccessKey>, BootstrapError> {
    let read = |name| get(name).filter(|value| !value.is_empty());
    match (read(BOOTSTRAP_ID), read(BOOTSTRAP_SECRET)) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => {
            if !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
                return Err(BootstrapError::Id);
            }
            let secret = Secret::new(secret);
            Ok(Some(AccessKey { id, secret, enabled: true, rights: Rights::All }))
        }
        _ => Err(BootstrapError::Half),
    }
}
