//! The keys in memory, as of a revision of the store: what every call is judged by.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Record, Use};
use crate::app::{AppError, workspace};
use crate::auth::policy::Policy;
use crate::auth::{self, Keyring, Rights, Secret};
use crate::model::Timestamp;
use crate::store::{Rev, Row, Store, keys};
use crate::vault::Vault;

/// Follows the store's log of changes when it is told to, so that a key which was disabled before a call came in is refused.
#[derive(Default)]
pub(in crate::app) struct Ring {
    held: RwLock<Held>,
    /// One reads the log, the others wait for what it finds.
    following: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    /// What `keys` is as of; `None` before the first reading.
    rev: Option<Rev>,
    keys: HashMap<String, Known>,
}

struct Known {
    key: auth::AccessKey,
    /// Epoch seconds; 0 is never.
    last_used: AtomicI64,
    /// The last use that is in the store.
    saved: AtomicI64,
}

impl Ring {
    /// Reads what changed since the last time.
    pub(super) async fn follow(&self, store: &dyn Store, vault: &Vault) -> Result<(), AppError> {
        // The hint is given before a writer is answered.
        let newest = *store.watch().borrow();
        if self.is_at(newest) {
            return Ok(());
        }
        let _turn = self.following.lock().await;
        if self.is_at(newest) {
            return Ok(());
        }
        let from = self.read().rev;
        let Some(mut from) = from else { return self.load(store, vault, newest).await };
        loop {
            let changes = store.changes(from, PAGE).await?;
            let Some(last) = changes.last() else { break };
            let last = last.rev;
            for logged in &changes {
                if let Some(id) = logged.change.key.strip_prefix(keys::ACCESS_KEYS) {
                    let known = match store.get(&logged.change.key).await? {
                        Some(row) => Some(known(id, &row, store, vault).await?),
                        None => None,
                    };
                    self.set(id, known);
                }
            }
            from = last;
            self.write().rev = Some(from);
            if from >= newest {
                break;
            }
        }
        Ok(())
    }

    async fn load(&self, store: &dyn Store, vault: &Vault, newest: Rev) -> Result<(), AppError> {
        for row in store.scan(keys::ACCESS_KEYS, None, usize::MAX).await? {
            let Some(id) = row.key.strip_prefix(keys::ACCESS_KEYS) else { continue };
            self.set(id, Some(known(id, &row, store, vault).await?));
        }
        self.write().rev = Some(newest);
        Ok(())
    }

    fn set(&self, id: &str, known: Option<Known>) {
        let mut held = self.write();
        let before = held.keys.remove(id);
        if let Some(known) = known {
            // What is not saved yet goes on counting.
            let used = before.map_or(0, |before| before.last_used.into_inner());
            known.last_used.fetch_max(used, Ordering::Relaxed);
            held.keys.insert(id.to_owned(), known);
        }
    }

    pub(super) fn used(&self, id: &str, at: Timestamp) {
        if let Some(known) = self.read().keys.get(id) {
            known.last_used.fetch_max(at.0, Ordering::Relaxed);
        }
    }

    pub(super) fn last_used(&self, id: &str) -> Option<Timestamp> {
        let seconds = self.read().keys.get(id)?.last_used.load(Ordering::Relaxed);
        (seconds != 0).then_some(Timestamp(seconds))
    }

    /// Keys whose last use is not in the store.
    pub(super) fn unsaved(&self) -> Vec<(String, Timestamp)> {
        let held = self.read();
        let each = held.keys.iter().filter_map(|(id, known)| {
            let used = known.last_used.load(Ordering::Relaxed);
            (used > known.saved.load(Ordering::Relaxed)).then(|| (id.clone(), Timestamp(used)))
        });
        each.collect()
    }

    pub(super) fn saved(&self, id: &str, at: Timestamp) {
        if let Some(known) = self.read().keys.get(id) {
            known.saved.fetch_max(at.0, Ordering::Relaxed);
        }
    }

    fn is_at(&self, newest: Rev) -> bool {
        self.read().rev.is_some_and(|rev| rev >= newest)
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keyring for Ring {
    fn access_key(&self, id: &str) -> Option<auth::AccessKey> {
        self.read().keys.get(id).map(|known| known.key.clone())
    }
}

/// The key of a row. One that cannot be read is kept as a disabled key: on loopback an unknown one would be let in.
async fn known(id: &str, row: &Row, store: &dyn Store, vault: &Vault) -> Result<Known, AppError> {
    let saved = store.get(&keys::access_key_use(id)).await?;
    let saved = saved.and_then(|row| workspace::decode::<Use>(&row).ok());
    let saved = saved.map_or(0, |used| used.last_used_date.0);
    let key = match read(id, row, vault) {
        Ok(key) => key,
        Err(error) => {
            tracing::error!(access_key = id, error, "access key cannot be read; it is refused");
            let rights = Rights::Policy { user: id.into(), policy: Arc::default() };
            auth::AccessKey { id: id.to_owned(), secret: Secret::new(""), enabled: false, rights }
        }
    };
    Ok(Known { key, last_used: AtomicI64::new(saved), saved: AtomicI64::new(saved) })
}

fn read(id: &str, row: &Row, vault: &Vault) -> Result<auth::AccessKey, String> {
    let record: Record = serde_json::from_slice(&row.value).map_err(|cause| cause.to_string())?;
    let secret = vault.open_sealed(&row.key, &record.secret).map_err(|cause| cause.to_string())?;
    let secret = String::from_utf8(secret).map_err(|cause| cause.to_string())?;
    let policy = Policy::parse(&record.policy).map_err(|cause| cause.to_string())?;
    let user = record.name.as_deref().unwrap_or(id).into();
    Ok(auth::AccessKey {
        id: id.to_owned(),
        secret: Secret::new(secret),
        enabled: record.enabled,
        rights: Rights::Policy { user, policy: Arc::new(policy) },
    })
}

/// Changes read at once.
const PAGE: usize = 1_000;
