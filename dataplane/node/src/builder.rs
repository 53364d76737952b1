//! Makes worlds from objects: verifies each by itself, links what is new, and keeps the last good version of what is bad.
//!
//! A [`Builder`] holds every object the node has accepted. [`Builder::apply`] takes a [`Batch`] of changes and makes the next
//! world: an object that cannot be served is refused alone, with its reason, and what it was before goes on serving. Links are
//! built once per (bundle, variables) and shared by everything that uses both. Nothing here touches a socket or the clock;
//! [`thread`] runs a builder on the build thread.

mod batch;
mod bundles;
mod file;
mod held;
mod links;
mod object;
mod refuse;
pub mod thread;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use prost::Message;
use tidegate_engine::integration::endpoints::Endpoints;
use tidegate_engine::snapshot::{
    Api, BundleId, Domain, Linker, Revision, ShardDigest, World, shard_of_key, targets,
};
use tidegate_proto::v1;

pub(crate) use batch::wire;
pub use batch::{Backwards, BadShard, Batch, Outcome, Refusal};
pub use bundles::Bundles;
pub(crate) use bundles::file as file_of;
pub use file::{FileError, ObjectSet};
pub use refuse::Refuse;

use held::{Held, Kept};
use links::Links;
use object::Kind;

/// The objects a node holds, and the world they make.
pub struct Builder {
    held: Held,
    links: Links,
    /// Objects whose newest version is refused, by key.
    refused: BTreeMap<String, Refused>,
    /// How often each reason has refused an object since the start.
    rejected: BTreeMap<&'static str, u64>,
    world: Arc<World>,
    /// Shards that changed since they were last taken for the disk.
    dirty: BTreeSet<u8>,
}

struct Refused {
    label: &'static str,
    reason: String,
}

/// What a batch made.
#[derive(Debug)]
pub struct Applied {
    /// For the control plane.
    pub outcome: Outcome,
    /// The world to publish; `None` when it is the one before.
    pub world: Option<Arc<World>>,
}

impl Builder {
    /// A builder that holds nothing. Bundles that objects name are looked up in `bundles`.
    pub fn new(bundles: Arc<Bundles>) -> Self {
        Self::with_endpoints(bundles, Endpoints::default())
    }

    /// A builder whose integrations call AWS services where the operator says.
    pub fn with_endpoints(bundles: Arc<Bundles>, endpoints: Endpoints) -> Self {
        Self {
            held: Held::default(),
            links: Links::new(bundles, Linker::with_endpoints(endpoints)),
            refused: BTreeMap::new(),
            rejected: BTreeMap::new(),
            world: Arc::new(World::empty("", "")),
            dirty: BTreeSet::new(),
        }
    }

    /// Applies a batch. Objects that did not change cost a hash; one that cannot be served is refused alone. Refuses the
    /// batch as a whole only when it would take the node back.
    pub fn apply(&mut self, batch: Batch) -> Result<Applied, Backwards> {
        let held = self.world.revision;
        if batch.to < held {
            return Err(Backwards { held, offered: batch.to });
        }
        let revision = if batch.more { held } else { batch.to };
        let mut round = Round::default();
        for key in self.gone(&batch) {
            self.forget(&key, &mut round);
        }
        for object in &batch.upserts {
            self.take(object, &mut round);
        }
        let world = self.next_world(&round, revision);
        self.links.settle(&round.bundles);
        let outcome = Outcome {
            revision,
            refusals: self.refusals(),
            lacking: round.lacking.into_iter().collect(),
        };
        Ok(Applied { outcome, world })
    }

    /// The objects that cannot be served in their newest version, sorted by key.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused
            .iter()
            .map(|(key, held)| Refusal { key: key.clone(), reason: held.reason.clone() })
            .collect()
    }

    /// How often each reason has refused an object since the start.
    pub fn rejected(&self) -> &BTreeMap<&'static str, u64> {
        &self.rejected
    }

    /// The world of everything accepted so far.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Lets go of the bundles that no accepted object uses.
    pub fn sweep_bundles(&mut self) {
        self.links.sweep();
    }

    /// A digest of each shard, in order.
    pub fn digests(&mut self) -> Vec<ShardDigest> {
        self.held.digests()
    }

    /// The encoded objects of each shard that changed since the last call.
    pub fn take_dirty(&mut self) -> Vec<(u8, Vec<bytes::Bytes>)> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty.into_iter().map(|shard| (shard, self.held.encoded(shard))).collect()
    }

    /// Keys of the objects a batch removes.
    fn gone(&self, batch: &Batch) -> BTreeSet<String> {
        let mut gone: BTreeSet<String> = batch.deletes.iter().cloned().collect();
        for key in &batch.deletes {
            if let Some(api) = key.strip_prefix("api/") {
                gone.extend(self.held.bindings(api).map(|(key, _)| key.to_owned()));
            }
        }
        for shard in &batch.replaces {
            gone.extend(self.held.keys(*shard).map(str::to_owned));
            gone.extend(self.refused.keys().filter(|key| shard_of_key(key) == *shard).cloned());
        }
        for object in &batch.upserts {
            gone.remove(&object.key);
        }
        gone
    }

    fn forget(&mut self, key: &str, round: &mut Round) {
        self.refused.remove(key);
        if let Some(kept) = self.held.remove(key) {
            self.dirty.insert(shard_of_key(key));
            round.touch(key);
            self.links.release(&kept, &mut round.bundles);
        }
    }

    fn take(&mut self, object: &v1::Object, round: &mut Round) {
        let encoded = bytes::Bytes::from(object.encode_to_vec());
        let kept = Kept::new(encoded);
        if self.held.get(&object.key).is_some_and(|held| held.hash == kept.hash) {
            // The newest version is the one that serves; an older refusal is over.
            self.refused.remove(&object.key);
            return;
        }
        // Whatever a peer sends, the worst it may do is to be refused. The linker and the table of links only grow by whole
        // entries, so they stay sound when a build stops halfway.
        let built = catch_unwind(AssertUnwindSafe(|| self.build(object, round)));
        match built.unwrap_or(Err(Refuse::Panicked)) {
            Ok(links) => {
                self.refused.remove(&object.key);
                self.dirty.insert(shard_of_key(&object.key));
                round.touch(&object.key);
                let kept = Kept { links, ..kept };
                self.links.retain(&kept);
                if let Some(before) = self.held.insert(object.key.clone(), kept) {
                    self.links.release(&before, &mut round.bundles);
                }
            }
            Err(refuse) => self.refuse(&object.key, &refuse),
        }
    }

    fn refuse(&mut self, key: &str, refuse: &Refuse) {
        let (label, reason) = (refuse.label(), refuse.text());
        let key: String = key.chars().take(object::MAX_KEY).collect();
        tracing::warn!(object = %key, %reason, "object refused; its last good version goes on serving");
        *self.rejected.entry(label).or_default() += 1;
        if self.refused.len() < MAX_REFUSALS || self.refused.contains_key(&key) {
            self.refused.insert(key, Refused { label, reason });
        }
    }

    /// Verifies an object and links what it needs.
    fn build(
        &mut self,
        object: &v1::Object,
        round: &mut Round,
    ) -> Result<Option<held::Linked>, Refuse> {
        let Kind::Binding(binding) = object::kind(object)? else { return Ok(None) };
        let canary = binding.canary.as_ref();
        for id in [Some(&binding.bundle), canary.map(|c| &c.bundle)].into_iter().flatten() {
            round.bundles.extend(BundleId::from_slice(id));
        }
        let linked = self.links.link(binding).inspect_err(|refuse| {
            if let Refuse::NoBundle(id) = refuse {
                round.lacking.insert(*id);
            }
        })?;
        // What would refuse the API is found here, where it can be blamed on one binding.
        let api = v1::Api { id: binding.api_id.clone(), ..Default::default() };
        Api::assemble(
            &api,
            std::iter::once((binding, linked.base.clone(), linked.canary.clone())),
        )?;
        Ok(Some(linked))
    }

    fn next_world(&mut self, round: &Round, revision: Revision) -> Option<Arc<World>> {
        if round.touched.is_empty() && revision == self.world.revision {
            return None;
        }
        let mut edit = self.world.edit();
        for touched in &round.touched {
            match touched {
                Touched::Api(id) => match self.assemble(id) {
                    Some(api) => edit.set_api(Arc::new(api)),
                    None => edit.remove_api(id),
                },
                Touched::Domain(name) => {
                    match self.held.get(&format!("domain/{name}")).and_then(Kept::decode) {
                        Some(v1::Object {
                            kind: Some(v1::object::Kind::Domain(domain)), ..
                        }) => {
                            edit.set_domain(name, Domain::new(&domain));
                        }
                        _ => edit.remove_domain(name),
                    }
                }
                Touched::VpcLink(id) => {
                    let object = self.held.get(&format!("vpc-link/{id}")).and_then(Kept::decode);
                    // Read once before it was accepted.
                    let read = object.and_then(|object| match object.kind {
                        Some(v1::object::Kind::VpcLink(link)) => targets(&link).ok(),
                        _ => None,
                    });
                    match read {
                        Some(targets) => edit.set_vpc_link(id, targets),
                        None => edit.remove_vpc_link(id),
                    }
                }
                Touched::Account => {
                    if let Some(v1::Object {
                        kind: Some(v1::object::Kind::Account(account)), ..
                    }) = self.held.get("account").and_then(Kept::decode)
                    {
                        edit.set_account(&account.id, &account.region);
                    }
                }
            }
        }
        self.world = Arc::new(edit.finish(revision));
        Some(self.world.clone())
    }

    /// Puts an API together from the accepted objects; `None` when there is no such API.
    fn assemble(&self, id: &str) -> Option<Api> {
        let object = self.held.get(&format!("api/{id}"))?.decode()?;
        let Some(v1::object::Kind::Api(api)) = object.kind else { return None };
        let bindings: Vec<_> = self
            .held
            .bindings(id)
            .filter_map(|(_, kept)| {
                let Some(v1::object::Kind::Binding(binding)) = kept.decode()?.kind else {
                    return None;
                };
                let linked = kept.links.as_ref()?;
                Some((binding, linked.base.clone(), linked.canary.clone()))
            })
            .collect();
        let bindings =
            bindings.iter().map(|(binding, base, canary)| (binding, base.clone(), canary.clone()));
        // Each binding was assembled by itself before it was accepted.
        Api::assemble(&api, bindings)
            .inspect_err(|cause| tracing::error!(api = id, %cause, "accepted objects make no API"))
            .ok()
    }
}

impl Builder {
    /// Refusals by reason, for the log of what is refused now.
    pub fn refused_by_label(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for held in self.refused.values() {
            *counts.entry(held.label).or_default() += 1;
        }
        counts
    }
}

/// What one batch has done so far.
#[derive(Default)]
struct Round {
    touched: BTreeSet<Touched>,
    /// Bundles whose use may have changed.
    bundles: BTreeSet<BundleId>,
    lacking: BTreeSet<BundleId>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    Account,
    Api(String),
    Domain(String),
    VpcLink(String),
}

impl Round {
    fn touch(&mut self, key: &str) {
        let touched = match key.split_once('/') {
            Some(("api", id)) => Touched::Api(id.to_owned()),
            Some(("binding", rest)) => {
                Touched::Api(rest.split('/').next().unwrap_or(rest).to_owned())
            }
            Some(("domain", name)) => Touched::Domain(name.to_owned()),
            Some(("vpc-link", id)) => Touched::VpcLink(id.to_owned()),
            _ => Touched::Account,
        };
        self.touched.insert(touched);
    }
}

/// Refusals kept and reported. A control plane that sends more bad objects has one cause, and the first ones name it.
const MAX_REFUSALS: usize = 1_000;

#[cfg(test)]
pub(crate) mod tests;
