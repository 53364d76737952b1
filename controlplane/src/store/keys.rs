//! The layout of rows, and the names objects have in the log of changes.
//!
//! ```text
//! api/{id}                         RestApi; listed in id order, so nothing else shares the prefix
//! version/{id}                     eight bytes: the API's version, raised by every operation on the API
//! access-key/{id}                  an access key of the admin API, its secret sealed
//! access-key-use/{id}              when it was last used
//! secret-key-check                 a text sealed with the vault's key, to know that key by
//! part/{id}/authorizer/{aid}       Authorizer
//! part/{id}/deployment/{did}       DeploymentRecord
//! part/{id}/gateway-response/{t}   GatewayResponse
//! part/{id}/model/{name}           Model
//! part/{id}/request-validator/{v}  RequestValidator
//! part/{id}/resource/{rid}         Resource with its methods, integrations and their responses
//! part/{id}/stage/{name}           StageRecord
//! ```

use crate::model::ApiId;

/// All REST APIs.
pub const APIS: &str = "api/";

/// The row of a REST API.
pub fn api(id: &str) -> String {
    format!("{APIS}{id}")
}

/// The row of an API's version.
pub fn version(id: &str) -> String {
    format!("version/{id}")
}

/// All access keys of the admin API.
pub const ACCESS_KEYS: &str = "access-key/";

/// The row of an access key.
pub fn access_key(id: &str) -> String {
    format!("{ACCESS_KEYS}{id}")
}

/// The row that says when an access key was last used.
pub fn access_key_use(id: &str) -> String {
    format!("access-key-use/{id}")
}

/// The row the secret key is known by.
pub const SECRET_KEY_CHECK: &str = "secret-key-check";

/// All rows of an API but its own and its version.
pub fn parts(id: &ApiId) -> String {
    format!("part/{id}/")
}

/// All rows of one kind of an API.
pub fn kind(id: &str, part: Part) -> String {
    format!("part/{id}/{}/", part.name())
}

/// One row of an API.
pub fn part(id: &str, part: Part, name: &str) -> String {
    format!("part/{id}/{}/{name}", part.name())
}

/// The kind and name within the API of a row under [`parts`].
pub fn split_part<'k>(id: &ApiId, key: &'k str) -> Option<(Part, &'k str)> {
    let rest = key.strip_prefix("part/")?.strip_prefix(id.as_str())?.strip_prefix('/')?;
    let (kind, name) = rest.split_once('/')?;
    Some((Part::ALL.into_iter().find(|part| part.name() == kind)?, name))
}

/// Kinds of rows an API has many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// See [`Authorizer`](crate::model::Authorizer).
    Authorizer,
    /// See [`DeploymentRecord`](crate::model::DeploymentRecord).
    Deployment,
    /// See [`GatewayResponse`](crate::model::GatewayResponse).
    GatewayResponse,
    /// See [`Model`](crate::model::Model).
    Model,
    /// See [`RequestValidator`](crate::model::RequestValidator).
    RequestValidator,
    /// See [`Resource`](crate::model::Resource).
    Resource,
    /// See [`StageRecord`](crate::model::StageRecord).
    Stage,
}

impl Part {
    const ALL: [Self; 7] = [
        Self::Authorizer,
        Self::Deployment,
        Self::GatewayResponse,
        Self::Model,
        Self::RequestValidator,
        Self::Resource,
        Self::Stage,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Authorizer => "authorizer",
            Self::Deployment => "deployment",
            Self::GatewayResponse => "gateway-response",
            Self::Model => "model",
            Self::RequestValidator => "request-validator",
            Self::Resource => "resource",
            Self::Stage => "stage",
        }
    }
}

/// Names objects have in the log of changes.
pub mod change {
    use crate::model::{ApiId, DeploymentId, StageName};

    /// An API.
    pub fn api(id: &ApiId) -> String {
        format!("api/{id}")
    }

    /// A stage's binding.
    pub fn stage(id: &ApiId, name: &StageName) -> String {
        format!("api/{id}/stage/{name}")
    }

    /// A deployment.
    pub fn deployment(id: &ApiId, deployment: &DeploymentId) -> String {
        format!("api/{id}/deployment/{deployment}")
    }
}

/// The smallest text that sorts after everything starting with `prefix`, which ends with an ASCII character below DEL.
pub(super) fn after_prefix(prefix: &str) -> String {
    let mut end = prefix.to_owned();
    if let Some(last) = end.pop() {
        end.push(char::from_u32(last as u32 + 1).unwrap_or(char::MAX));
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_splits_into_what_it_was_made_of() {
        let id = ApiId::parse("abc").unwrap();
        let key = part(id.as_str(), Part::GatewayResponse, "DEFAULT_4XX");
        assert_eq!(split_part(&id, &key), Some((Part::GatewayResponse, "DEFAULT_4XX")));
        assert_eq!(split_part(&ApiId::parse("ab").unwrap(), &key), None);
        assert_eq!(after_prefix("part/abc/"), "part/abc0");
    }
}
