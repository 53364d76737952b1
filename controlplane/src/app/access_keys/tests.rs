//! The life of a key, and what calls are judged by meanwhile.

use std::sync::Arc;

use super::*;
use crate::app::Settings;
use crate::auth::Rights;
use crate::compile::EngineCompiler;
use crate::store::{SqliteStore, Store};
use crate::vault::Vault;

struct Rig {
    store: Arc<SqliteStore>,
    vault: Arc<Vault>,
    app: App,
    _directory: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(directory.path()).unwrap());
        let vault = Arc::new(Vault::ephemeral());
        let app = Self::app(&store, &vault);
        Self { store, vault, app, _directory: directory }
    }

    fn app(store: &Arc<SqliteStore>, vault: &Arc<Vault>) -> App {
        App::new(store.clone(), Arc::new(EngineCompiler), vault.clone(), Settings::default())
    }

    /// As after a restart.
    fn again(&self) -> App {
        Self::app(&self.store, &self.vault)
    }
}

/// What a call with the key would find now.
async fn found(app: &App, id: &str) -> Option<crate::auth::AccessKey> {
    app.follow_access_keys().await.unwrap();
    app.keyring().access_key(id)
}

#[tokio::test]
async fn a_key_lives() {
    let rig = Rig::new();
    let app = &rig.app;
    assert!(found(app, "AKIA").await.is_none());
    let (key, secret) = app.create_access_key(Some("ann"), "read-only").await.unwrap();
    assert!(key.id.len() == 20 && key.id.starts_with("AKIA"), "{key:?}");
    assert!(key.id.bytes().skip(4).all(|b| ID_ALPHABET.contains(&b)), "{key:?}");
    assert_eq!(
        (secret.expose().len(), key.enabled, key.policy_name),
        (40, true, Some("read-only"))
    );
    assert_eq!(app.get_access_key(&key.id).await.unwrap(), key);
    assert_eq!(app.list_access_keys().await.unwrap(), std::slice::from_ref(&key));

    let known = found(app, &key.id).await.unwrap();
    assert_eq!((&known.secret, known.enabled), (&secret, true));
    assert!(matches!(known.rights, Rights::Policy { user, .. } if &*user == "ann"));

    let disabled = app.update_access_key(&key.id, Some(false), None).await.unwrap();
    assert!(!disabled.enabled && disabled.policy == key.policy);
    assert!(!found(app, &key.id).await.unwrap().enabled);
    let own = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let changed = app.update_access_key(&key.id, Some(true), Some(own)).await.unwrap();
    assert_eq!((changed.enabled, changed.policy.as_str(), changed.policy_name), (true, own, None));
    assert!(found(&rig.again(), &key.id).await.unwrap().enabled);

    app.delete_access_key(&key.id).await.unwrap();
    assert!(found(app, &key.id).await.is_none());
    assert!(rig.store.scan("access-key", None, 9).await.unwrap().is_empty());
    for refused in [
        app.get_access_key(&key.id).await.err(),
        app.update_access_key(&key.id, None, None).await.err(),
        app.delete_access_key(&key.id).await.err(),
    ] {
        let text = refused.unwrap().to_string();
        assert_eq!(text, format!("The Access Key with id {} cannot be found.", key.id));
    }
}

#[tokio::test]
async fn the_store_has_no_readable_secret() {
    let rig = Rig::new();
    let (key, secret) = rig.app.create_access_key(None, "admin").await.unwrap();
    let row = rig.store.get(&keys::access_key(&key.id)).await.unwrap().unwrap();
    assert!(!String::from_utf8(row.value).unwrap().contains(secret.expose()));
    // With another vault the key is known and refused, for unknown keys may be let in.
    let app = Rig::app(&rig.store, &Arc::new(Vault::ephemeral()));
    assert!(!found(&app, &key.id).await.unwrap().enabled);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let rig = Rig::new();
    let long = "x".repeat(65);
    for (name, policy, want) in [
        (Some("a b"), "admin", "The specified value for name is invalid."),
        (Some(long.as_str()), "admin", "at most 64"),
        (None, "", "Give a policy document, or one of the names admin, read-only"),
        (None, "root", "No policy is named \"root\""),
        (None, "{}", "Malformed policy document: Statement must be"),
    ] {
        let text = rig.app.create_access_key(name, policy).await.unwrap_err().to_string();
        assert!(text.contains(want), "{text}");
    }
    assert!(rig.app.list_access_keys().await.unwrap().is_empty());
    let (key, _) = rig.app.create_access_key(None, "admin").await.unwrap();
    assert!(rig.app.update_access_key(&key.id, Some(false), Some("{")).await.is_err());
    assert!(rig.app.get_access_key(&key.id).await.unwrap().enabled, "all or nothing");
}

#[tokio::test]
async fn the_last_use_is_written_now_and_then() {
    let rig = Rig::new();
    let (key, _) = rig.app.create_access_key(None, "admin").await.unwrap();
    found(&rig.app, &key.id).await;
    let head = rig.store.head().await.unwrap();
    for _ in 0..100 {
        rig.app.access_key_used(&key.id);
        rig.app.access_key_used("AKIANOBODY");
    }
    assert_eq!(rig.store.head().await.unwrap(), head, "a call costs no write");
    let used = rig.app.get_access_key(&key.id).await.unwrap().last_used_date;
    assert!(used.is_some());
    assert_eq!(rig.again().get_access_key(&key.id).await.unwrap().last_used_date, None);
    for _ in 0..2 {
        rig.app.save_access_key_use().await.unwrap();
        assert_eq!(rig.store.head().await.unwrap(), head + 1, "and one when it is saved");
    }
    assert_eq!(rig.again().get_access_key(&key.id).await.unwrap().last_used_date, used);
    // A changed key does not forget it.
    rig.app.update_access_key(&key.id, Some(false), None).await.unwrap();
    found(&rig.app, &key.id).await;
    assert_eq!(rig.app.get_access_key(&key.id).await.unwrap().last_used_date, used);
}
