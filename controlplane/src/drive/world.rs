//! A world with one API, from what the store has.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::mapping::context::host_without_port;
use tidegate_engine::route::address::{self, Name};
use tidegate_engine::snapshot::{Api, BundleId, Domain, Link, Linker, Revision, World, targets};
use tidegate_engine::{Ctx, Now};
use tidegate_proto::v1;

use super::ExplainError;
use super::describe::Described;
use crate::app::{CompiledBundle, Settings};
use crate::model::{ApiId, ContentHash, StringMap};
use crate::publish;
use crate::store::Store;

/// An API's objects with the bundles they name.
pub(super) struct Objects {
    api: v1::Api,
    bindings: Vec<v1::Binding>,
    bundles: HashMap<Vec<u8>, Vec<u8>>,
    vpc_links: Vec<v1::VpcLink>,
}

/// The custom domain a request is for, if it is for one.
pub(super) async fn domain(
    store: &Arc<dyn Store>,
    described: &Described,
) -> Result<Option<v1::Domain>, ExplainError> {
    match std::str::from_utf8(host_without_port(described.head.authority())) {
        Ok(host) => Ok(publish::domain_object(&**store, host).await?),
        Err(_) => Ok(None),
    }
}

/// A world with a custom domain in it.
pub(super) fn with_domain(world: World, domain: Option<&v1::Domain>) -> World {
    let Some(domain) = domain else { return world };
    let mut edit = world.edit();
    edit.set_domain(&domain.name, Domain::new(domain));
    edit.finish(world.revision)
}

impl Objects {
    /// An API with one stage that serves a bundle.
    pub(super) fn single(
        stage: &str,
        api_id: &ApiId,
        bundle: CompiledBundle,
        variables: &StringMap,
        vpc_links: Vec<v1::VpcLink>,
    ) -> Self {
        let id = bundle.id.0.to_vec();
        Self {
            api: v1::Api { id: api_id.to_string(), ..v1::Api::default() },
            bindings: vec![v1::Binding {
                api_id: api_id.to_string(),
                stage: stage.to_owned(),
                bundle: id.clone(),
                variables: variables
                    .iter()
                    .map(|(name, value)| v1::Pair { name: name.clone(), value: value.clone() })
                    .collect(),
                ..v1::Binding::default()
            }],
            bundles: HashMap::from([(id, bundle.bytes)]),
            vpc_links,
        }
    }
}

/// The API a request is for, found by the engine's own rules.
pub(super) fn named(described: &Described, domain: Option<&v1::Domain>) -> Option<ApiId> {
    let world = with_domain(World::empty("", ""), domain);
    let cx = Ctx {
        world: &world,
        listener: &described.listener,
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        now: Now { unix_ms: 0 },
        entropy: [0; 16],
        credentials: Credentials::NONE,
        patience: Ctx::UNHURRIED,
        scratch: &mut Vec::new(),
        trace: None,
    };
    let id = match address::find(&cx, &described.head).ok()?.api {
        Name::Host(id) => id.to_ascii_lowercase(),
        Name::Exact(id) => id.to_owned(),
    };
    ApiId::parse(std::str::from_utf8(&id).ok()?).ok()
}

/// Reads an API's objects; `None` when there is no such API.
pub(super) async fn load(
    store: &Arc<dyn Store>,
    id: &ApiId,
) -> Result<Option<Objects>, ExplainError> {
    let Some((api, bindings)) = publish::api_objects(&**store, id).await? else { return Ok(None) };
    let mut bundles = HashMap::new();
    for binding in &bindings {
        let canary = binding.canary.as_ref().map(|canary| &canary.bundle);
        for bundle in canary.into_iter().chain([&binding.bundle]) {
            let missing = || ExplainError::NoBundle(binding.stage.clone());
            let hash: [u8; 32] = bundle.as_slice().try_into().map_err(|_| missing())?;
            let bytes = store.blob(ContentHash(hash)).await?.ok_or_else(missing)?;
            bundles.insert(bundle.clone(), bytes);
        }
    }
    let vpc_links = publish::vpc_link_objects(&**store).await?;
    Ok(Some(Objects { api, bindings, bundles, vpc_links }))
}

/// Links the objects as a node does.
pub(super) fn build(settings: &Settings, objects: Option<Objects>) -> Result<World, ExplainError> {
    let world = World::empty(&settings.account_id, &settings.region);
    let Some(objects) = objects else { return Ok(world) };
    let mut linker = Linker::with_endpoints(settings.aws.endpoints.clone());
    let mut linked = Vec::new();
    for binding in &objects.bindings {
        let mut variables: BTreeMap<&str, &str> = pairs(&binding.variables).collect();
        let mut link = |bundle: &Vec<u8>, variables: &BTreeMap<&str, &str>| {
            let missing = || ExplainError::NoBundle(binding.stage.clone());
            let id = BundleId::from_slice(bundle).ok_or_else(missing)?;
            let bytes = objects.bundles.get(bundle).ok_or_else(missing)?;
            let variables: Vec<(String, String)> = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let built = Link::build(id, bytes, &variables, &mut linker);
            let refused = |cause| ExplainError::Bundle { stage: binding.stage.clone(), cause };
            built.map(Arc::new).map_err(refused)
        };
        let base = link(&binding.bundle, &variables)?;
        let canary = match &binding.canary {
            Some(canary) => {
                variables.extend(pairs(&canary.variable_overrides));
                Some(link(&canary.bundle, &variables)?)
            }
            None => None,
        };
        linked.push((binding, base, canary));
    }
    let api = Api::assemble(&objects.api, linked.into_iter())?;
    let mut edit = world.edit();
    edit.set_api(Arc::new(api));
    for link in &objects.vpc_links {
        // One that leads nowhere says so when it is called.
        edit.set_vpc_link(&link.id, targets(link).unwrap_or_default());
    }
    Ok(edit.finish(Revision::default()))
}

fn pairs(pairs: &[v1::Pair]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|pair| (pair.name.as_str(), pair.value.as_str()))
}
