//! Access keys of the admin API: create, list, show, change, delete. AWS keeps them in IAM; here they are the gateway's own.
//!
//! A key's row holds its policy and, sealed, its secret. When it was last used is kept in a row of its own, written now and
//! then by [`App::save_access_key_use`], so that a call costs no write and a policy's change meets no race.

mod ring;
mod tags;

use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::{App, AppError, now};
use crate::auth::policy::{BUILT_IN, Policy};
use crate::auth::{Keyring, Secret};
use crate::model::Timestamp;
use crate::store::{ChangeKind, keys};
use crate::vault::Sealed;

pub(super) use ring::Ring;

/// An access key without its secret.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessKey {
    /// `AKIA` and 16 of `A-Z2-7`.
    pub id: String,
    /// The user it acts as; keys may share one. `None`: its id stands for it.
    pub name: Option<String>,
    /// A key that is not enabled is refused.
    pub enabled: bool,
    /// When it was created.
    pub created_date: Timestamp,
    /// When a call was last let in with it.
    pub last_used_date: Option<Timestamp>,
    /// What it may do, in AWS's policy language.
    pub policy: String,
    /// The policy's name if it is one of [`BUILT_IN`].
    pub policy_name: Option<&'static str>,
}

/// What the store keeps of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    enabled: bool,
    created_date: Timestamp,
    policy: String,
    secret: Sealed,
}

/// What the store keeps of a key's use.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Use {
    last_used_date: Timestamp,
}

impl App {
    /// A new key, enabled, and its secret, which is never shown again. `policy` is a document or the name of one of
    /// [`BUILT_IN`].
    pub async fn create_access_key(
        &self,
        name: Option<&str>,
        policy: &str,
    ) -> Result<(AccessKey, Secret), AppError> {
        let name = name.map(checked_name).transpose()?;
        let policy = checked_policy(policy)?;
        for mut rows in self.transactions() {
            if self.store.scan(keys::ACCESS_KEYS, None, MAX_KEYS).await?.len() >= MAX_KEYS {
                return Err(AppError::TooManyAccessKeys { limit: MAX_KEYS });
            }
            let id = draw(ID_PREFIX, ID_ALPHABET, ID_DRAWN);
            let key = keys::access_key(&id);
            if rows.has(&key).await? {
                continue;
            }
            let secret = draw("", SECRET_ALPHABET, SECRET_LENGTH);
            let record = Record {
                id,
                name: name.clone(),
                enabled: true,
                created_date: now(),
                policy: policy.clone(),
                secret: self.vault.seal(&key, secret.as_bytes()),
            };
            rows.put(key, &record, ChangeKind::AccessKey);
            if rows.commit().await? {
                return Ok((record.shown(None), Secret::new(secret)));
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// One key.
    pub async fn get_access_key(&self, id: &str) -> Result<AccessKey, AppError> {
        let row = self.store.get(&keys::access_key(id)).await?;
        let row = row.ok_or_else(|| AppError::InvalidAccessKey { id: id.to_owned() })?;
        let record: Record = super::workspace::decode(&row)?;
        let used = self.last_used(&record.id).await?;
        Ok(record.shown(used))
    }

    /// All keys, in the order of their ids.
    pub async fn list_access_keys(&self) -> Result<Vec<AccessKey>, AppError> {
        let mut all = Vec::new();
        for row in self.store.scan(keys::ACCESS_KEYS, None, usize::MAX).await? {
            let record: Record = super::workspace::decode(&row)?;
            let used = self.last_used(&record.id).await?;
            all.push(record.shown(used));
        }
        Ok(all)
    }

    /// Enables or disables a key, or gives it another policy; what is `None` stays. Calls that come in after the answer are
    /// judged by it.
    pub async fn update_access_key(
        &self,
        id: &str,
        enabled: Option<bool>,
        policy: Option<&str>,
    ) -> Result<AccessKey, AppError> {
        let policy = policy.map(checked_policy).transpose()?;
        let key = keys::access_key(id);
        for mut rows in self.transactions() {
            let record: Option<Record> = rows.get(&key).await?;
            let mut record =
                record.ok_or_else(|| AppError::InvalidAccessKey { id: id.to_owned() })?;
            record.enabled = enabled.unwrap_or(record.enabled);
            record.policy = policy.clone().unwrap_or(record.policy);
            rows.put(key.clone(), &record, ChangeKind::AccessKey);
            if rows.commit().await? {
                let used = self.last_used(id).await?;
                return Ok(record.shown(used));
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// Deletes a key for good.
    pub async fn delete_access_key(&self, id: &str) -> Result<(), AppError> {
        let key = keys::access_key(id);
        for mut rows in self.transactions() {
            if !rows.has(&key).await? {
                return Err(AppError::InvalidAccessKey { id: id.to_owned() });
            }
            rows.delete(key.clone(), ChangeKind::AccessKey);
            rows.delete(keys::access_key_use(id), ChangeKind::AccessKey);
            if rows.commit().await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// Brings the keys in memory up to what is durable now. Costs next to nothing when nothing changed; to be called before a
    /// key is looked up.
    pub async fn follow_access_keys(&self) -> Result<(), AppError> {
        self.access_keys.follow(&*self.store, &self.vault).await
    }

    /// Where [`auth`](crate::auth) looks keys up.
    pub fn keyring(&self) -> impl Keyring + Send + Sync + 'static {
        self.access_keys.clone()
    }

    /// Notes that a key was used now, in memory.
    pub fn access_key_used(&self, id: &str) {
        self.access_keys.used(id, now());
    }

    /// Writes down when keys were last used, as far as that is not written yet.
    pub async fn save_access_key_use(&self) -> Result<(), AppError> {
        for (id, last_used_date) in self.access_keys.unsaved() {
            for mut rows in self.transactions() {
                // A key that was deleted meanwhile leaves nothing behind.
                if rows.has(&keys::access_key(&id)).await? {
                    let key = keys::access_key_use(&id);
                    rows.put(key, &Use { last_used_date }, ChangeKind::AccessKey);
                }
                if rows.commit().await? {
                    self.access_keys.saved(&id, last_used_date);
                    break;
                }
            }
        }
        Ok(())
    }

    async fn last_used(&self, id: &str) -> Result<Option<Timestamp>, AppError> {
        let saved: Option<Use> = match self.store.get(&keys::access_key_use(id)).await? {
            Some(row) => Some(super::workspace::decode(&row)?),
            None => None,
        };
        Ok(self.access_keys.last_used(id).max(saved.map(|used| used.last_used_date)))
    }
}

impl Record {
    fn shown(self, last_used_date: Option<Timestamp>) -> AccessKey {
        let named = BUILT_IN.iter().find(|(_, document)| *document == self.policy);
        AccessKey {
            id: self.id,
            name: self.name,
            enabled: self.enabled,
            created_date: self.created_date,
            last_used_date,
            policy_name: named.map(|(name, _)| *name),
            policy: self.policy,
        }
    }
}

/// A user's name. Source: IAM API reference, CreateUser: `[\w+=,.@-]+`, at most 64 characters.
fn checked_name(name: &str) -> Result<String, AppError> {
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    let valid = !name.is_empty() && name.len() <= 64 && name.bytes().all(in_name);
    if valid { Ok(name.to_owned()) } else { Err(AppError::InvalidAccessKeyName) }
}

/// The document that is meant, if it is one.
fn checked_policy(given: &str) -> Result<String, AppError> {
    let given = given.trim();
    if let Some(document) = Policy::built_in(given) {
        return Ok(document.to_owned());
    }
    if !given.starts_with('{') {
        let known = BUILT_IN.map(|(name, _)| name).join(", ");
        return Err(AppError::UnknownPolicyName { name: given.to_owned(), known });
    }
    match Policy::parse(given) {
        Ok(_) => Ok(given.to_owned()),
        Err(malformed) => Err(AppError::MalformedPolicy { reason: malformed.to_string() }),
    }
}

fn draw(prefix: &str, alphabet: &[u8], length: usize) -> String {
    let mut rng = rand::rng();
    let mut text = prefix.to_owned();
    text.extend((0..length).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])));
    text
}

/// What AWS's long-term keys begin with. Source: IAM User Guide, "Understanding unique ID prefixes".
const ID_PREFIX: &str = "AKIA";

/// What AWS draws the rest of an id from.
const ID_ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Characters drawn for an id: 80 bits.
const ID_DRAWN: usize = 16;

/// What AWS draws secrets from: base64's.
const SECRET_ALPHABET: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Characters of a secret: 240 bits.
const SECRET_LENGTH: usize = 40;

/// All of them are in memory, and each has a policy of up to 64 KB.
const MAX_KEYS: usize = 1_000;

#[cfg(test)]
mod tests;
