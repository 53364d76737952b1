//! Secrets at rest: everything in the store that would let its reader act as somebody is sealed with one key.
//!
//! AES-256-GCM with a fresh nonce for each secret. The place a secret is kept at is authenticated with it, so that rows
//! cannot be exchanged for one another. The key is `TIDEGATE_SECRET_KEY` (64 hex digits) or the file `secret.key` beside the
//! store, made on first use; whoever copies the store without it has no secrets.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};

/// A sealed secret, as it is stored: base64 of nonce, ciphertext and tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

/// Why secrets cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Neither of two forms of the key.
    #[error("{0} does not hold 64 hex digits; it is the key of the secrets in the store")]
    Malformed(String),
    /// The file cannot be made or read.
    #[error("secret key file {path} cannot be used")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// Sealed with another key, or damaged.
    #[error("the secret at {0} cannot be opened with this secret key")]
    Unreadable(String),
}

/// Seals and opens secrets.
pub struct Vault {
    key: LessSafeKey,
}

impl Vault {
    /// The vault of a store in `directory`. `given` is the key as the environment has it; else the directory's own is
    /// read, or made.
    pub fn open(directory: &Path, given: Option<&str>) -> Result<Self, VaultError> {
        if let Some(text) = given {
            return Self::from_hex(text)
                .ok_or_else(|| VaultError::Malformed("TIDEGATE_SECRET_KEY".to_owned()));
        }
        let path = directory.join(FILE);
        let unusable = |cause| VaultError::Unusable { path: path.clone(), cause };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(missing) if missing.kind() == ErrorKind::NotFound => {
                make(&path).map_err(unusable)?
            }
            Err(cause) => return Err(unusable(cause)),
        };
        Self::from_hex(text.trim()).ok_or_else(|| VaultError::Malformed(path.display().to_string()))
    }

    /// A vault whose key is kept nowhere.
    pub fn ephemeral() -> Self {
        Self::new(&rand::random())
    }

    fn from_hex(text: &str) -> Option<Self> {
        let mut key = [0; KEY_BYTES];
        hex::decode_to_slice(text, &mut key).ok()?;
        Some(Self::new(&key))
    }

    fn new(key: &[u8; KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are a key of AES-256");
        Self { key: LessSafeKey::new(key) }
    }

    /// Seals a secret for the row it is kept in.
    pub fn seal(&self, place: &str, secret: &[u8]) -> Sealed {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut bytes = secret.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut bytes,
            )
            .expect("a secret is shorter than 64 GB");
        Sealed(STANDARD.encode([&nonce[..], &bytes].concat()))
    }

    /// The secret that was sealed for the same row.
    pub fn open_sealed(&self, place: &str, sealed: &Sealed) -> Result<Vec<u8>, VaultError> {
        let unreadable = || VaultError::Unreadable(place.to_owned());
        let mut bytes = STANDARD.decode(&sealed.0).map_err(|_| unreadable())?;
        let (nonce, secret) = bytes.split_at_mut_checked(NONCE_LEN).ok_or_else(unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unreadable())?;
        let opened = self.key.open_in_place(nonce, Aad::from(place), secret);
        opened.map(|secret| secret.to_vec()).map_err(|_| unreadable())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

/// Makes the key file, readable by its owner alone. One process holds the directory, so nobody makes it at the same time.
fn make(path: &Path) -> std::io::Result<String> {
    let text = hex::encode(rand::random::<[u8; KEY_BYTES]>());
    // Written whole under another name first: half a key must never be taken for one.
    let draft = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    if let Some(directory) = path.parent() {
        std::fs::File::open(directory)?.sync_all()?;
    }
    Ok(text)
}

/// Name of the key file.
const FILE: &str = "secret.key";

/// Bytes of a key.
const KEY_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_place_open_a_secret() {
        let vault = Vault::ephemeral();
        let sealed = vault.seal("row/a", b"secret");
        assert_ne!(sealed, vault.seal("row/a", b"secret"), "nonces differ");
        assert_eq!(vault.open_sealed("row/a", &sealed).unwrap(), b"secret");
        assert!(vault.open_sealed("row/b", &sealed).is_err());
        assert!(Vault::ephemeral().open_sealed("row/a", &sealed).is_err());
        for damaged in ["", "AAAA", "%"] {
            assert!(vault.open_sealed("row/a", &Sealed(damaged.to_owned())).is_err());
        }
    }

    #[test]
    fn the_key_is_made_once_and_kept_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let sealed = Vault::open(directory.path(), None).unwrap().seal("p", b"s");
        let again = Vault::open(directory.path(), None).unwrap();
        assert_eq!(again.open_sealed("p", &sealed).unwrap(), b"s");
        let mode = std::fs::metadata(directory.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(directory.path().join(FILE), "short").unwrap();
        assert!(Vault::open(directory.path(), None).unwrap_err().to_string().contains(FILE));
        assert!(Vault::open(directory.path(), Some(&"ab".repeat(32))).is_ok());
    }
}
