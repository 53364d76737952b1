//! Links, each built once per bundle and variables, and the count of who uses which bundle.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use prost::Message;
use tidegate_engine::snapshot::{BundleId, Link, Linker};
use tidegate_proto::v1;

use super::held::{Kept, Linked};
use super::{Bundles, Refuse};

/// Builds links and shares them.
pub(super) struct Links {
    bundles: Arc<Bundles>,
    linker: Linker,
    made: HashMap<Key, Made>,
    /// How many accepted bindings use a bundle; a bundle without an entry is used by none.
    uses: HashMap<BundleId, usize>,
    /// When `made` is this large, entries of links that are gone are removed.
    sweep_at: usize,
}

type Key = (BundleId, Vec<(String, String)>);

struct Made {
    link: Weak<Link>,
    owner: Box<str>,
}

/// The beginning of a bundle: enough to know whose it is without decoding the rest.
#[derive(Clone, PartialEq, prost::Message)]
struct Owner {
    #[prost(string, tag = "2")]
    api_id: String,
}

impl Links {
    pub(super) fn new(bundles: Arc<Bundles>, linker: Linker) -> Self {
        Self { bundles, linker, made: HashMap::new(), uses: HashMap::new(), sweep_at: 64 }
    }

    /// The links of a binding: those in use, or new ones.
    pub(super) fn link(&mut self, binding: &v1::Binding) -> Result<Linked, Refuse> {
        let mut variables: BTreeMap<&str, &str> = pairs(&binding.variables).collect();
        let base = self.one(&binding.bundle, &variables, &binding.api_id)?;
        let canary = match &binding.canary {
            Some(canary) => {
                variables.extend(pairs(&canary.variable_overrides));
                Some(self.one(&canary.bundle, &variables, &binding.api_id)?)
            }
            None => None,
        };
        Ok(Linked { base, canary })
    }

    fn one(
        &mut self,
        bundle: &[u8],
        variables: &BTreeMap<&str, &str>,
        api: &str,
    ) -> Result<Arc<Link>, Refuse> {
        let id = BundleId::from_slice(bundle).ok_or(Refuse::BundleId)?;
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let key: Key = (id, variables);
        if let Some(made) = self.made.get(&key)
            && let Some(link) = made.link.upgrade()
        {
            return owned(id, &made.owner, api).map(|()| link);
        }
        let bytes = self.bundles.get(id).ok_or(Refuse::NoBundle(id))?;
        let owner = Owner::decode(bytes.clone())
            .map_err(tidegate_engine::snapshot::RefuseBundle::from)?
            .api_id;
        owned(id, &owner, api)?;
        let link = Arc::new(Link::build(id, &bytes, &key.1, &mut self.linker)?);
        for problem in &link.broken {
            tracing::warn!(api, %problem, "method answers 500 until its stage variables are set right");
        }
        if self.made.len() >= self.sweep_at {
            self.made.retain(|_, made| made.link.strong_count() > 0);
            self.sweep_at = (self.made.len() * 2).max(64);
        }
        self.made.insert(key, Made { link: Arc::downgrade(&link), owner: owner.into() });
        Ok(link)
    }

    /// Counts the bundles of an object that is accepted.
    pub(super) fn retain(&mut self, kept: &Kept) {
        for id in kept.links.iter().flat_map(Linked::bundles) {
            *self.uses.entry(id).or_default() += 1;
        }
    }

    /// Counts the bundles of an object that went, and notes them for [`Self::settle`].
    pub(super) fn release(&mut self, kept: &Kept, noted: &mut BTreeSet<BundleId>) {
        for id in kept.links.iter().flat_map(Linked::bundles) {
            noted.insert(id);
            if let Some(count) = self.uses.get_mut(&id) {
                *count -= 1;
                if *count == 0 {
                    self.uses.remove(&id);
                }
            }
        }
    }

    /// Lets go of every bundle that nobody uses: what earlier lives of the node left behind.
    pub(super) fn sweep(&mut self) {
        let all = self.bundles.all().into_iter().collect();
        self.settle(&all);
    }

    /// Lets go of the noted bundles that nobody uses.
    pub(super) fn settle(&mut self, noted: &BTreeSet<BundleId>) {
        for id in noted.iter().filter(|id| !self.uses.contains_key(id)) {
            self.bundles.release(*id);
        }
    }
}

fn owned(bundle: BundleId, owner: &str, api: &str) -> Result<(), Refuse> {
    if owner == api {
        Ok(())
    } else {
        Err(Refuse::ForeignBundle { bundle, owner: owner.to_owned() })
    }
}

fn pairs(pairs: &[v1::Pair]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|pair| (pair.name.as_str(), pair.value.as_str()))
}
