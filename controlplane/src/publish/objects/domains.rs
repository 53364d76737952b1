//! Custom domains as nodes have them: the public ones, with where their base paths lead.

use tidegate_proto::v1;

use super::decode;
use crate::model::{BasePathMapping, DomainNameRecord, HostName, RoutingMode};
use crate::publish::catalog::Entry;
use crate::store::{Row, Store, StoreError, keys};

/// Every public domain, with its key.
pub(in crate::publish) async fn domains(
    store: &dyn Store,
) -> Result<Vec<(String, Entry)>, StoreError> {
    let rows = store.scan(keys::DOMAINS, None, usize::MAX).await?;
    Ok(rows.iter().filter_map(|row| Some((row.key.clone(), entry(row)?))).collect())
}

/// A domain as the store has it now; `None` when there is no such public domain. Rows and objects have the same keys.
pub(in crate::publish) async fn domain(
    store: &dyn Store,
    name: &HostName,
) -> Result<Option<Entry>, StoreError> {
    Ok(store.get(&keys::domain(name.as_str())).await?.as_ref().and_then(entry))
}

fn entry(row: &Row) -> Option<Entry> {
    let record: DomainNameRecord = decode(row)?;
    // Private domains are reached through VPC endpoints, of which nodes know nothing.
    if record.domain_name.is_private() {
        return None;
    }
    Some(Entry::new(row.key.clone(), v1::object::Kind::Domain(object(record))))
}

fn object(record: DomainNameRecord) -> v1::Domain {
    let domain = record.domain_name;
    // Nodes cannot ask callers for certificates yet. Served all the same, the domain would be open to everyone; without
    // mappings it refuses them. So does one that routes by rules alone, as there are none.
    let serves = domain.mutual_tls_authentication.is_none()
        && domain.routing_mode != RoutingMode::RoutingRuleOnly;
    let mappings = if serves { record.mappings } else { Default::default() };
    v1::Domain {
        name: domain.domain_name.to_string(),
        mappings: mappings.into_values().map(mapping).collect(),
        trust_store: Vec::new(),
    }
}

fn mapping(mapping: BasePathMapping) -> v1::BasePathMapping {
    let is_root = mapping.base_path == BasePathMapping::ROOT;
    v1::BasePathMapping {
        base_path: if is_root { String::new() } else { mapping.base_path },
        api_id: mapping.rest_api_id.to_string(),
        stage: mapping.stage.map(|stage| stage.to_string()).unwrap_or_default(),
    }
}
