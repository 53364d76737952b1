//! Every object of the stream at one revision, in 256 shards of which a change copies one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use prost::Message;
use sha2::{Digest, Sha256};
use tidegate_engine::snapshot::{
    Revision, SHARDS, ShardDigest, shard_digest, shard_of, shard_of_key,
};
use tidegate_proto::v1;

/// The objects at one revision. Immutable and shared by all sessions.
#[derive(Debug)]
pub struct Catalog {
    revision: Revision,
    account: Arc<Entry>,
    shards: Vec<Arc<Shard>>,
}

/// One object.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) object: v1::Object,
    pub(super) hash: [u8; 32],
    /// Encoded length in bytes.
    pub(super) bytes: usize,
}

/// The objects of one API.
#[derive(Debug, PartialEq)]
pub(super) struct ApiObjects {
    /// Labels a node must carry to have it.
    pub(super) placement: Vec<v1::Pair>,
    pub(super) api: Entry,
    /// By key.
    pub(super) bindings: BTreeMap<String, Entry>,
}

#[derive(Debug, Default)]
struct Shard {
    apis: BTreeMap<String, Arc<ApiObjects>>,
    /// Objects of no API, by key: every node has them.
    shared: BTreeMap<String, Arc<Entry>>,
    /// Of a shard that is the same for every node.
    digest: OnceLock<ShardDigest>,
}

impl Clone for Shard {
    /// A copy is made to be changed: it has no digest yet.
    fn clone(&self) -> Self {
        Self { apis: self.apis.clone(), shared: self.shared.clone(), digest: OnceLock::new() }
    }
}

impl Entry {
    pub(super) fn new(key: String, kind: v1::object::Kind) -> Self {
        let object = v1::Object { key, kind: Some(kind) };
        let encoded = object.encode_to_vec();
        Self { hash: Sha256::digest(&encoded).into(), bytes: encoded.len(), object }
    }
}

impl ApiObjects {
    /// Whether a node with these labels has the API.
    fn is_placed(&self, labels: &Labels) -> bool {
        self.placement
            .iter()
            .all(|wanted| labels.0.get(&wanted.name).is_some_and(|value| *value == wanted.value))
    }

    /// All objects, sorted by key: `api/...` sorts before `binding/...`.
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        std::iter::once(&self.api).chain(self.bindings.values())
    }
}

/// A node's labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Labels(BTreeMap<String, String>);

impl Labels {
    pub(super) fn new(pairs: &[v1::Pair]) -> Self {
        Self(pairs.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect())
    }
}

impl Catalog {
    pub(super) fn new(account: v1::Account) -> Self {
        let account = Entry::new("account".to_owned(), v1::object::Kind::Account(account));
        Self {
            revision: Revision::default(),
            account: Arc::new(account),
            shards: (0..SHARDS).map(|_| Arc::default()).collect(),
        }
    }

    /// Its revision.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// How many APIs there are.
    pub fn apis(&self) -> usize {
        self.shards.iter().map(|shard| shard.apis.len()).sum()
    }

    /// What the account object holds.
    pub(super) fn account(&self) -> &Entry {
        &self.account
    }

    /// An API's objects, if a node with these labels has it.
    pub(super) fn api(&self, id: &str, labels: &Labels) -> Option<&ApiObjects> {
        let api = self.shards[usize::from(shard_of(id))].apis.get(id)?;
        api.is_placed(labels).then_some(api)
    }

    /// An object of no API.
    pub(super) fn shared(&self, key: &str) -> Option<&Entry> {
        self.shards[usize::from(shard_of_key(key))].shared.get(key).map(|entry| &**entry)
    }

    /// The objects a node with these labels has in a shard, in no particular order.
    pub(super) fn shard(&self, shard: u8, labels: &Labels) -> impl Iterator<Item = &Entry> {
        let account = (shard_of_key("account") == shard).then_some(&*self.account);
        let held = &self.shards[usize::from(shard)];
        let apis = held.apis.values().filter(move |api| api.is_placed(labels));
        let shared = held.shared.values().map(|entry| &**entry);
        account.into_iter().chain(apis.flat_map(|api| api.entries())).chain(shared)
    }

    /// The digest of what a node with these labels has in a shard.
    pub(super) fn digest(&self, shard: u8, labels: &Labels) -> ShardDigest {
        let digest = || {
            let mut objects: Vec<_> =
                self.shard(shard, labels).map(|e| (e.object.key.as_str(), &e.hash)).collect();
            objects.sort_unstable_by_key(|(key, _)| *key);
            shard_digest(objects.into_iter())
        };
        let held = &self.shards[usize::from(shard)];
        if held.apis.values().any(|api| !api.placement.is_empty()) {
            return digest();
        }
        // Thousands of nodes may compare at once; this they share.
        *held.digest.get_or_init(digest)
    }

    /// Starts the next catalog.
    pub(super) fn edit(&self) -> Edit {
        Edit {
            catalog: Self {
                revision: self.revision,
                account: self.account.clone(),
                shards: self.shards.clone(),
            },
            changed: BTreeSet::new(),
        }
    }
}

/// A catalog in the making.
pub(super) struct Edit {
    catalog: Catalog,
    changed: BTreeSet<String>,
}

impl Edit {
    /// Sets what an API has become; `None` when it is gone. Notes the keys that changed.
    pub(super) fn set(&mut self, id: &str, api: Option<ApiObjects>) {
        let shard = &mut self.catalog.shards[usize::from(shard_of(id))];
        let before = shard.apis.get(id);
        if before.map(|held| &**held) == api.as_ref() {
            return;
        }
        match (before, &api) {
            (Some(before), Some(after)) if before.api == after.api => {
                let keys: BTreeSet<_> =
                    before.bindings.keys().chain(after.bindings.keys()).collect();
                let changed = keys
                    .into_iter()
                    .filter(|key| before.bindings.get(*key) != after.bindings.get(*key));
                self.changed.extend(changed.cloned());
            }
            // The API itself came, went or moved: its key stands for all of it.
            (before, _) => {
                self.changed.insert(format!("api/{id}"));
                self.changed.extend(before.iter().flat_map(|held| held.bindings.keys().cloned()));
            }
        }
        let apis = &mut Arc::make_mut(shard).apis;
        match api {
            Some(api) => drop(apis.insert(id.to_owned(), Arc::new(api))),
            None => drop(apis.remove(id)),
        }
    }

    /// Sets what an object of no API has become; `None` when it is gone. Notes its key if it changed.
    pub(super) fn set_shared(&mut self, key: &str, entry: Option<Entry>) {
        let shard = &mut self.catalog.shards[usize::from(shard_of_key(key))];
        if shard.shared.get(key).map(|held| &**held) == entry.as_ref() {
            return;
        }
        self.changed.insert(key.to_owned());
        let shared = &mut Arc::make_mut(shard).shared;
        match entry {
            Some(entry) => drop(shared.insert(key.to_owned(), Arc::new(entry))),
            None => drop(shared.remove(key)),
        }
    }

    /// The keys that changed.
    pub(super) fn take_changed(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn finish(mut self, revision: Revision) -> Catalog {
        self.catalog.revision = revision;
        self.catalog
    }
}
