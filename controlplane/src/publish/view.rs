//! An API's objects for readers inside the control plane.

use tidegate_proto::v1;
use tidegate_proto::v1::object::Kind;

use super::objects;
use crate::model::ApiId;
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
