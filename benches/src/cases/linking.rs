//! What a node does once with each bundle and stage.

use std::hint::black_box;

use anyhow::ensure;
use prost::Message;
use tidegate_engine::snapshot::{BundleId, Link, Linker};
use tidegate_load::scenario::github;

use super::{Work, repeat};
use crate::gateway;

pub(super) fn many_routes() -> anyhow::Result<Work> {
    let routes = github::routes();
    let resources = routes.iter().map(|route| gateway::route(&route.template)).collect();
    let bytes = gateway::bundle(resources).encode_to_vec();
    let id = BundleId::of(&bytes);
    let link = Link::build(id, &bytes, &[], &mut Linker::default())?;
    ensure!(link.broken.is_empty() && link.routes().count() > routes.len());
    Ok(repeat(move || {
        let _ = black_box(Link::build(id, black_box(&bytes), &[], &mut Linker::default()));
    }))
}
