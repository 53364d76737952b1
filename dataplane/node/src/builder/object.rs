//! Reads what an object is, and checks that its key says so.

use tidegate_engine::snapshot::targets;
use tidegate_proto::v1;

use super::Refuse;

/// An object this version of the node can serve.
pub(super) enum Kind<'o> {
    Api,
    Binding(&'o v1::Binding),
    Domain,
    VpcLink,
    Account,
}

/// The kind of an object whose key and identifiers are sound.
pub(super) fn kind(object: &v1::Object) -> Result<Kind<'_>, Refuse> {
    use v1::object::Kind as Wire;
    let key = object.key.as_str();
    if key.len() > MAX_KEY {
        return Err(Refuse::Key);
    }
    let (kind, wanted) = match object.kind.as_ref().ok_or(Refuse::UnknownKind)? {
        Wire::Api(api) => {
            identifier(&api.id)?;
            (Kind::Api, format!("api/{}", api.id))
        }
        Wire::Binding(binding) => {
            identifier(&binding.api_id)?;
            identifier(&binding.stage)?;
            (Kind::Binding(binding), format!("binding/{}/{}", binding.api_id, binding.stage))
        }
        Wire::Domain(domain) => {
            identifier(&domain.name)?;
            if !domain.trust_store.is_empty() {
                // Served without it, the domain would be open to everyone.
                return Err(Refuse::Unsupported("trust stores of domains"));
            }
            (Kind::Domain, format!("domain/{}", domain.name))
        }
        Wire::Account(_) => (Kind::Account, "account".to_owned()),
        Wire::Plan(_) => return Err(Refuse::Unsupported("usage plans")),
        Wire::KeyShard(_) => return Err(Refuse::Unsupported("API keys")),
        Wire::VpcLink(link) => {
            identifier(&link.id)?;
            targets(link)?;
            (Kind::VpcLink, format!("vpc-link/{}", link.id))
        }
    };
    if key == wanted { Ok(kind) } else { Err(Refuse::Key) }
}

/// Names become parts of keys and of paths.
fn identifier(text: &str) -> Result<(), Refuse> {
    let sound = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    if sound { Ok(()) } else { Err(Refuse::Identifier(text.chars().take(64).collect())) }
}

/// Bytes of the longest key.
pub(super) const MAX_KEY: usize = 512;
