//! All objects a node serves by, at one revision.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use tidegate_proto::v1;

use crate::respond::Tail;
use crate::route::address::{Address, Name};
use crate::route::path;
use crate::snapshot::{Integration, Link, LinkedMethod, Target, Upstream};

/// Orders worlds: (epoch, sequence) never goes down within a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision {
    /// Rises when a store is restored from a backup.
    pub epoch: u64,
    /// Rises by one with every change.
    pub sequence: u64,
}

/// Shards of the API table: a change copies one of them.
const SHARDS: usize = 256;

/// Which shard an API lives in: FNV-1a over its id, folded to a byte, so that it is the same everywhere and costs a request
/// ten nanoseconds.
pub fn shard_of(api_id: &str) -> u8 {
    let hash =
        api_id.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 8) ^ (hash >> 16) ^ (hash >> 24)) as u8
}

/// An immutable set of APIs and domains.
#[derive(Debug)]
pub struct World {
    /// What it is made of.
    pub revision: Revision,
    account_id: Arc<str>,
    region: Arc<str>,
    /// Slot of each API id. Looked up once a request; the keys come from the control plane, not from callers.
    shards: Box<[Arc<Shard>]>,
    domains: Arc<HashMap<Box<str>, Arc<Domain>>>,
    /// Targets of each VPC link, by its id.
    vpc_links: Arc<HashMap<Box<str>, Arc<[Target]>>>,
}

/// APIs whose ids fall into one of 256 classes, sorted by id.
type Shard = Vec<Arc<Api>>;

/// One API with its stages.
#[derive(Debug)]
pub struct Api {
    id: Box<str>,
    disabled_default_endpoint: bool,
    stages: Box<[Stage]>,
}

/// One stage: what serves now.
#[derive(Debug)]
pub struct Stage {
    /// Its name.
    pub name: Box<str>,
    deployment: Box<str>,
    link: Arc<Link>,
    canary: Option<Canary>,
}

#[derive(Debug)]
struct Canary {
    percent: f64,
    deployment: Box<str>,
    link: Arc<Link>,
}

/// Why an API's objects make no API.
#[derive(Debug, thiserror::Error)]
pub enum RefuseApi {
    /// A share of traffic that is none.
    #[error("stage {stage}: canary percentage {percent} is not within 0..=100")]
    Percent {
        /// Which stage.
        stage: String,
        /// What it says.
        percent: f64,
    },
}

impl Api {
    /// Puts an API together from its objects. Each binding comes with the links of its bundle and of its canary's.
    pub fn assemble<'b>(
        api: &v1::Api,
        bindings: impl Iterator<Item = (&'b v1::Binding, Arc<Link>, Option<Arc<Link>>)>,
    ) -> Result<Self, RefuseApi> {
        let mut stages = Vec::new();
        for (binding, link, canary) in bindings {
            let canary = match (&binding.canary, canary) {
                (Some(settings), Some(link)) => {
                    let percent = settings.percent;
                    if !(0.0..=100.0).contains(&percent) {
                        return Err(RefuseApi::Percent { stage: binding.stage.clone(), percent });
                    }
                    Some(Canary {
                        percent,
                        deployment: settings.deployment_id.as_str().into(),
                        link,
                    })
                }
                _ => None,
            };
            stages.push(Stage {
                name: binding.stage.as_str().into(),
                deployment: binding.deployment_id.as_str().into(),
                link,
                canary,
            });
        }
        Ok(Self {
            id: api.id.as_str().into(),
            disabled_default_endpoint: api.disable_execute_api_endpoint,
            stages: stages.into(),
        })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its stages.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }
}

impl Stage {
    /// What serves everyone but the canary's share.
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// What serves the canary's share.
    pub fn canary(&self) -> Option<&Arc<Link>> {
        self.canary.as_ref().map(|c| &c.link)
    }

    /// Percent of requests the canary takes, when the stage has one.
    pub fn canary_percent(&self) -> Option<f64> {
        self.canary.as_ref().map(|c| c.percent)
    }

    /// The deployment that serves a side.
    pub fn deployment(&self, canary: bool) -> &str {
        match &self.canary {
            Some(side) if canary => &side.deployment,
            _ => &self.deployment,
        }
    }
}

/// A custom domain with its base path mappings, longest first.
#[derive(Debug)]
pub struct Domain {
    mappings: Box<[v1::BasePathMapping]>,
}

impl Domain {
    /// Builds a domain.
    pub fn new(domain: &v1::Domain) -> Self {
        let mut mappings = domain.mappings.clone();
        mappings.sort_by_key(|m| std::cmp::Reverse(m.base_path.len()));
        Self { mappings: mappings.into() }
    }

    /// The mapping whose base path begins the path, segment by segment.
    pub(crate) fn find<'h>(
        &'h self,
        head: &'h crate::head::Head,
        from: usize,
        end: usize,
    ) -> Option<Address<'h>> {
        let sent = &head.buf[from..end];
        let (mapping, used) = self.mappings.iter().find_map(|mapping| {
            if mapping.base_path.is_empty() {
                return Some((mapping, 0));
            }
            path::behind(sent, &mapping.base_path).map(|used| (mapping, used))
        })?;
        Some(Address {
            api: Name::Exact(mapping.api_id.as_bytes()),
            stage: (!mapping.stage.is_empty()).then_some(mapping.stage.as_bytes()),
            from: from + used,
            default_endpoint: false,
        })
    }
}

/// A stage found in the world, by indices that stay good for that world only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    shard: u8,
    api: u32,
}

/// A method found in the world, by indices that stay good for that world only.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    at: At,
    stage: u32,
    canary: bool,
    method: Option<u32>,
}

/// What is known of a place: the names of things, for `$context`, logs and metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'w> {
    /// The account that owns the APIs.
    pub account_id: &'w str,
    /// The region in ARNs.
    pub region: &'w str,
    /// API id.
    pub api_id: &'w str,
    /// Stage name.
    pub stage: &'w str,
    /// Deployment that serves.
    pub deployment_id: &'w str,
    /// Whether the canary serves; `None` when the stage has no canary.
    pub canary: Option<bool>,
    /// Id of the matched resource.
    pub resource_id: &'w str,
    /// Path of the matched resource.
    pub resource_path: &'w str,
}

impl World {
    /// A world without APIs.
    pub fn empty(account_id: &str, region: &str) -> Self {
        Self {
            revision: Revision::default(),
            account_id: account_id.into(),
            region: region.into(),
            shards: (0..SHARDS).map(|_| Arc::default()).collect(),
            domains: Arc::default(),
            vpc_links: Arc::default(),
        }
    }

    /// Starts the next world: this one with some objects replaced.
    pub fn edit(&self) -> Edit {
        Edit {
            world: Self {
                revision: self.revision,
                account_id: self.account_id.clone(),
                region: self.region.clone(),
                shards: self.shards.clone(),
                domains: self.domains.clone(),
                vpc_links: self.vpc_links.clone(),
            },
        }
    }

    /// Every API, in no particular order.
    pub fn apis(&self) -> impl Iterator<Item = &Arc<Api>> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    /// An API by its exact id.
    pub fn api(&self, id: &str) -> Option<&Arc<Api>> {
        let at = self.locate(id)?;
        self.shards[usize::from(at.shard)].get(at.api as usize)
    }

    fn locate(&self, id: &str) -> Option<At> {
        let shard = shard_of(id);
        let held = &self.shards[usize::from(shard)];
        let api = held.binary_search_by(|api| (*api.id).cmp(id)).ok()? as u32;
        Some(At { shard, api })
    }

    /// Finds the API a request names.
    pub(crate) fn named(&self, name: Name<'_>) -> Option<At> {
        match name {
            Name::Exact(id) => self.locate(std::str::from_utf8(id).ok()?),
            Name::Host(label) => {
                // Ids are lower case; only a few bytes are folded, and none is allocated.
                let mut folded = [0; 64];
                let folded = folded.get_mut(..label.len())?;
                folded.copy_from_slice(label);
                folded.make_ascii_lowercase();
                self.locate(std::str::from_utf8(folded).ok()?)
            }
        }
    }

    pub(crate) fn at(&self, at: At) -> &Api {
        &self.shards[usize::from(at.shard)][at.api as usize]
    }

    pub(crate) fn default_endpoint_disabled(&self, at: At) -> bool {
        self.at(at).disabled_default_endpoint
    }

    /// The place of a stage, on the side that the draw falls.
    pub(crate) fn stage_place(
        &self,
        at: At,
        name: &[u8],
        draw: impl FnOnce() -> f64,
    ) -> Option<Place> {
        let stages = &self.at(at).stages;
        let stage = stages.iter().position(|s| s.name.as_bytes() == name)?;
        let canary = stages[stage].canary.as_ref().is_some_and(|c| choose_canary(c.percent, draw));
        Some(Place { at, stage: stage as u32, canary, method: None })
    }

    pub(crate) fn stage(&self, place: Place) -> &Stage {
        &self.at(place.at).stages[place.stage as usize]
    }

    pub(crate) fn link(&self, place: Place) -> &Arc<Link> {
        let stage = self.stage(place);
        match &stage.canary {
            Some(side) if place.canary => &side.link,
            _ => &stage.link,
        }
    }

    pub(crate) fn method(&self, place: Place) -> Option<&LinkedMethod> {
        self.link(place).methods.get(place.method? as usize)
    }

    /// The upstream of a proxying method.
    ///
    /// # Panics
    /// If the place is not one the engine gave out with a [`crate::Relay`] for this world.
    pub(crate) fn upstream(&self, place: Place) -> &Arc<Upstream> {
        match self.method(place).map(|m| &m.integration) {
            Some(Integration::HttpProxy(http)) => &http.upstream,
            other => panic!("a relay leads to a proxying method, not to {other:?}"),
        }
    }

    /// Where the connections to an upstream go that is reached through a VPC link: empty when that link is unknown or has no targets.
    /// `None` for any other upstream.
    pub fn targets(&self, upstream: &Upstream) -> Option<&Arc<[Target]>> {
        static NONE: LazyLock<Arc<[Target]>> = LazyLock::new(Arc::default);
        let id = upstream.vpc_link.as_deref()?;
        Some(self.vpc_links.get(id).unwrap_or(&NONE))
    }

    /// The body of a constant answer; empty when the place holds none.
    pub(crate) fn constant(&self, place: Place, tail: &Tail) -> &[u8] {
        match self.method(place).map(|m| &m.integration) {
            Some(Integration::Mapped(mapped)) => mapped.responses.constant(tail.constant),
            _ => &[],
        }
    }

    /// What is known of a place.
    pub fn facts(&self, place: Place) -> Facts<'_> {
        let stage = self.stage(place);
        let resource = self.method(place).map(|m| &self.link(place).resources[m.resource as usize]);
        Facts {
            account_id: &self.account_id,
            region: &self.region,
            api_id: &self.at(place.at).id,
            stage: &stage.name,
            deployment_id: stage.deployment(place.canary),
            canary: stage.canary.as_ref().map(|_| place.canary),
            resource_id: resource.map_or("", |r| &r.id),
            resource_path: resource.map_or("", |r| &r.path),
        }
    }

    /// The custom domain a host name belongs to: its own, else the wildcard above it.
    pub(crate) fn domain(&self, host: &[u8]) -> Option<&Domain> {
        if self.domains.is_empty() {
            return None;
        }
        let host = std::str::from_utf8(host).ok()?.to_ascii_lowercase();
        let wildcard = || self.domains.get(format!("*.{}", host.split_once('.')?.1).as_str());
        self.domains.get(host.as_str()).or_else(wildcard).map(|d| &**d)
    }
}

impl Place {
    pub(crate) fn with_method(self, method: u32) -> Self {
        Self { method: Some(method), ..self }
    }

    pub(crate) fn is_canary(self) -> bool {
        self.canary
    }
}

/// Chooses canary or base deployment for one request.
///
/// `percent` is `percentTraffic`, 0.0..=100.0; `draw` is uniform in [0, 100). Source: developer guide, "Set up an API Gateway
/// canary release deployment".
fn choose_canary(percent: f64, draw: impl FnOnce() -> f64) -> bool {
    draw() < percent
}

/// A world in the making.
#[derive(Debug)]
pub struct Edit {
    world: World,
}

impl Edit {
    /// Adds an API or replaces it.
    pub fn set_api(&mut self, api: Arc<Api>) {
        let shard = self.shard(&api.id);
        match shard.binary_search_by(|held| held.id.cmp(&api.id)) {
            Ok(at) => shard[at] = api,
            Err(at) => shard.insert(at, api),
        }
    }

    /// Removes an API, if it is there.
    pub fn remove_api(&mut self, id: &str) {
        let shard = self.shard(id);
        if let Ok(at) = shard.binary_search_by(|held| (*held.id).cmp(id)) {
            shard.remove(at);
        }
    }

    /// Adds a domain or replaces it.
    pub fn set_domain(&mut self, name: &str, domain: Domain) {
        Arc::make_mut(&mut self.world.domains)
            .insert(name.to_ascii_lowercase().into(), Arc::new(domain));
    }

    /// Removes a domain, if it is there.
    pub fn remove_domain(&mut self, name: &str) {
        Arc::make_mut(&mut self.world.domains).remove(name.to_ascii_lowercase().as_str());
    }

    /// Sets where a VPC link leads.
    pub fn set_vpc_link(&mut self, id: &str, targets: Arc<[Target]>) {
        Arc::make_mut(&mut self.world.vpc_links).insert(id.into(), targets);
    }

    /// Removes a VPC link, if it is there.
    pub fn remove_vpc_link(&mut self, id: &str) {
        Arc::make_mut(&mut self.world.vpc_links).remove(id);
    }

    /// Sets what ARNs name.
    pub fn set_account(&mut self, account_id: &str, region: &str) {
        self.world.account_id = account_id.into();
        self.world.region = region.into();
    }

    /// The finished world.
    pub fn finish(mut self, revision: Revision) -> World {
        self.world.revision = revision;
        self.world
    }

    fn shard(&mut self, id: &str) -> &mut Shard {
        Arc::make_mut(&mut self.world.shards[usize::from(shard_of(id))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canary_takes_its_percentage_and_its_bounds_hold() {
        for (percent, draw, want) in [
            (0.0, 0.0, false),
            (100.0, 99.999, true),
            (10.0, 9.99, true),
            (10.0, 10.0, false),
            (0.1, 0.05, true),
        ] {
            assert_eq!(choose_canary(percent, || draw), want, "{percent} {draw}");
        }
    }

    #[test]
    fn an_edit_replaces_one_api_and_leaves_the_world_before_alone() {
        let api = |id: &str| {
            let object = v1::Api { id: id.into(), ..Default::default() };
            Arc::new(Api::assemble(&object, std::iter::empty()).unwrap())
        };
        let before = World::empty("1", "r");
        let mut edit = before.edit();
        edit.set_api(api("a"));
        edit.set_api(api("b"));
        let after = edit.finish(Revision { epoch: 1, sequence: 1 });
        assert!(before.api("a").is_none() && after.api("a").is_some() && after.api("b").is_some());
        let mut edit = after.edit();
        edit.remove_api("a");
        let last = edit.finish(Revision { epoch: 1, sequence: 2 });
        assert!(last.api("a").is_none() && last.api("b").is_some() && after.api("a").is_some());
        assert!(
            after.named(Name::Host(b"A")).is_some() && after.named(Name::Exact(b"A")).is_none()
        );
    }
}
