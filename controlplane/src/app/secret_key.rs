//! The check of the secret key: whether the vault's key is the one the store's secrets were sealed with.

use super::{App, AppError};
use crate::store::{ChangeKind, keys};
use crate::vault::Sealed;

impl App {
    /// Whether the vault opens what it sealed when the store was new. A new store is given something to know its key by. To be
    /// asked before anything is served: a wrong key would fail call by call, and seal new secrets that the right one cannot
    /// open.
    pub async fn knows_secret_key(&self) -> Result<bool, AppError> {
        for mut rows in self.transactions() {
            if let Some(sealed) = rows.get::<Sealed>(keys::SECRET_KEY_CHECK).await? {
                return Ok(self.vault.open_sealed(keys::SECRET_KEY_CHECK, &sealed).is_ok());
            }
            let sealed = self.vault.seal(keys::SECRET_KEY_CHECK, WORD);
            rows.put(keys::SECRET_KEY_CHECK.to_owned(), &sealed, ChangeKind::Account);
            if rows.commit().await? {
                return Ok(true);
            }
        }
        Err(AppError::ConcurrentModification)
    }
}

/// What is sealed; only that it opens matters.
const WORD: &[u8] = b"tidegate";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::app::{App, Settings};
    use crate::compile::EngineCompiler;
    use crate::store::SqliteStore;
    use crate::vault::Vault;

    #[tokio::test]
    async fn another_key_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(directory.path()).unwrap());
        let app = |key: &str| {
            let vault = Vault::open(directory.path(), Some(key)).unwrap();
            App::new(store.clone(), Arc::new(EngineCompiler), Arc::new(vault), Settings::default())
        };
        let (right, wrong) = ("ab".repeat(32), "cd".repeat(32));
        for (key, known) in [(&right, true), (&right, true), (&wrong, false), (&right, true)] {
            assert_eq!(app(key).knows_secret_key().await.unwrap(), known);
        }
    }
}
