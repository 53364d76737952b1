//! VPC links as nodes have them: where they lead.

use tidegate_proto::v1;

use super::decode;
use crate::app::vpc_links::targets;
use crate::model::VpcLink;
use crate::publish::catalog::Entry;
use crate::store::{Row, Store, StoreError, keys};

/// Every VPC link, with its key.
pub(in crate::publish) async fn vpc_links(
    store: &dyn Store,
) -> Result<Vec<(String, Entry)>, StoreError> {
    let rows = store.scan(keys::VPC_LINKS, None, usize::MAX).await?;
    Ok(rows.iter().filter_map(|row| Some((row.key.clone(), entry(row)?))).collect())
}

/// A VPC link as the store has it now; `None` when there is none. Rows and objects have the same keys.
pub(in crate::publish) async fn vpc_link(
    store: &dyn Store,
    key: &str,
) -> Result<Option<Entry>, StoreError> {
    Ok(store.get(key).await?.as_ref().and_then(entry))
}

fn entry(row: &Row) -> Option<Entry> {
    let link: VpcLink = decode(row)?;
    // They were checked when they came in; a link made before that leads nowhere, and says so when it is called.
    let targets = targets(link.tags.as_ref()).unwrap_or_default();
    let object = v1::VpcLink { id: link.id.to_string(), targets };
    Some(Entry::new(row.key.clone(), v1::object::Kind::VpcLink(object)))
}
