//! Objects for readers inside the control plane.

use tidegate_proto::v1;
use tidegate_proto::v1::object::Kind;

use super::objects;
use crate::model::{ApiId, HostName};
use crate::store::{Store, StoreError};

/// An API's own object and its stages' bindings, as nodes would get them now; `None` when there is no such API.
pub async fn api_objects(
    store: &dyn Store,
    id: &ApiId,
) -> Result<Option<(v1::Api, Vec<v1::Binding>)>, StoreError> {
    let Some(found) = objects::read(store, id).await? else { return Ok(None) };
    let Some(Kind::Api(api)) = found.api.object.kind else { return Ok(None) };
    let kinds = found.bindings.into_values().map(|entry| entry.object.kind);
    let bindings = kinds.filter_map(|kind| match kind {
        Some(Kind::Binding(binding)) => Some(binding),
        _ => None,
    });
    Ok(Some((api, bindings.collect())))
}

/// The custom domain a host belongs to, as nodes would get it now: its own, else the wildcard above it.
pub async fn domain_object(
    store: &dyn Store,
    host: &str,
) -> Result<Option<v1::Domain>, StoreError> {
    let host = host.to_ascii_lowercase();
    let wildcard = host.split_once('.').map(|(_, above)| format!("*.{above}"));
    for name in [Some(host), wildcard].into_iter().flatten() {
        let Ok(name) = HostName::parse(&name) else { continue };
        let found = objects::domain(store, &name).await?;
        if let Some(Kind::Domain(domain)) = found.and_then(|entry| entry.object.kind) {
            return Ok(Some(domain));
        }
    }
    Ok(None)
}

/// Every VPC link, as nodes would get them now.
pub async fn vpc_link_objects(store: &dyn Store) -> Result<Vec<v1::VpcLink>, StoreError> {
    let links = objects::vpc_links(store).await?.into_iter();
    let kinds = links.map(|(_, entry)| entry.object.kind);
    Ok(kinds
        .filter_map(|kind| match kind {
            Some(Kind::VpcLink(link)) => Some(link),
            _ => None,
        })
        .collect())
}
