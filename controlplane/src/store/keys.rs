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
//! part/{id}/documentation-part/{d}  DocumentationPart
//! part/{id}/documentation-version/{v}  DocumentationVersionRecord; `v` is the author's and may hold slashes
//! part/{id}/gateway-response/{t}   GatewayResponse
//! part/{id}/model/{name}           Model
//! part/{id}/request-validator/{v}  RequestValidator
//! part/{id}/resource/{rid}         Resource with its methods, integrations and their responses
//! part/{id}/stage/{name}           StageRecord
//!
//! client-certificate/{id}          ClientCertificateRecord
//! domain/{name}                    DomainNameRecord of a public domain, with its base path mappings
//! domain/{name}+{domainNameId}     DomainNameRecord of a private domain
//! domain-association/{name}+{domainNameId}/{source}  DomainNameAccessAssociation
//! domain-use/{api}                 MappingsOfApi: where domains name the API; absent when none does
//! vpc-link/{id}                    VpcLink
//! api-key/{id}                     ApiKeyRecord
//! api-key-value/{hash}             id of the API key whose value has this SHA-256
//! usage-plan/{id}                  UsagePlanRecord
//! usage-plan-key/{plan}/{key}      id of an API key in a usage plan
//! usage-plan-stage/{api}/{stage}/{plan}  id of a usage plan that covers a stage
//! usage/{plan}/{key}/{YYYY-MM-DD}  UsageDay
//! count/...                        how many rows there are; also moves whenever one comes or goes
//! ```

use time::Date;

use crate::model::{ApiId, ContentHash};

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

/// All custom domain names.
pub const DOMAINS: &str = "domain/";

/// The row of a custom domain, as [`DomainName::key`](crate::model::DomainName::key) has it.
pub fn domain(key: &str) -> String {
    format!("{DOMAINS}{key}")
}

/// All domain name access associations.
pub const DOMAIN_ASSOCIATIONS: &str = "domain-association/";

/// All access associations of a private domain.
pub fn domain_associations(domain: &str) -> String {
    format!("{DOMAIN_ASSOCIATIONS}{domain}/")
}

/// The row of an access association.
pub fn domain_association(domain: &str, source: &str) -> String {
    format!("{DOMAIN_ASSOCIATIONS}{domain}/{source}")
}

/// The row that says where custom domains name an API.
pub fn domain_use(api: &str) -> String {
    format!("domain-use/{api}")
}

/// All VPC links.
pub const VPC_LINKS: &str = "vpc-link/";

/// The row of a VPC link.
pub fn vpc_link(id: &str) -> String {
    format!("{VPC_LINKS}{id}")
}

/// All client certificates.
pub const CLIENT_CERTIFICATES: &str = "client-certificate/";

/// The row of a client certificate.
pub fn client_certificate(id: &str) -> String {
    format!("{CLIENT_CERTIFICATES}{id}")
}

/// All API keys.
pub const API_KEYS: &str = "api-key/";

/// The row of an API key.
pub fn api_key(id: &str) -> String {
    format!("{API_KEYS}{id}")
}

/// The row that keeps a value of API keys unique.
pub fn api_key_value(hash: ContentHash) -> String {
    format!("api-key-value/{hash}")
}

/// All usage plans.
pub const USAGE_PLANS: &str = "usage-plan/";

/// The row of a usage plan.
pub fn usage_plan(id: &str) -> String {
    format!("{USAGE_PLANS}{id}")
}

/// All API keys of a usage plan.
pub fn usage_plan_keys(plan: &str) -> String {
    format!("usage-plan-key/{plan}/")
}

/// The row that says an API key is in a usage plan.
pub fn usage_plan_key(plan: &str, key: &str) -> String {
    format!("usage-plan-key/{plan}/{key}")
}

/// All usage plans that cover a stage.
pub fn usage_plan_stages(api: &str, stage: &str) -> String {
    format!("usage-plan-stage/{api}/{stage}/")
}

/// The row that says a usage plan covers a stage.
pub fn usage_plan_stage(api: &str, stage: &str, plan: &str) -> String {
    format!("usage-plan-stage/{api}/{stage}/{plan}")
}

/// All days of all API keys of a usage plan.
pub fn usage(plan: &str) -> String {
    format!("usage/{plan}/")
}

/// All days of an API key in a usage plan, in their order.
pub fn usage_days(plan: &str, key: &str) -> String {
    format!("usage/{plan}/{key}/")
}

/// One day of an API key in a usage plan.
pub fn usage_day(plan: &str, key: &str, day: Date) -> String {
    format!("usage/{plan}/{key}/{day}")
}

/// Names of counters.
pub mod count {
    /// All API keys.
    pub const API_KEYS: &str = "count/api-key";

    /// All usage plans.
    pub const USAGE_PLANS: &str = "count/usage-plan";

    /// The API keys of a usage plan.
    pub fn usage_plan_keys(plan: &str) -> String {
        format!("count/usage-plan-key/{plan}")
    }

    /// The usage plans that cover a stage.
    pub fn usage_plan_stages(api: &str, stage: &str) -> String {
        format!("count/usage-plan-stage/{api}/{stage}")
    }
}

/// Kinds of rows an API has many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// See [`Authorizer`](crate::model::Authorizer).
    Authorizer,
    /// See [`DeploymentRecord`](crate::model::DeploymentRecord).
    Deployment,
    /// See [`DocumentationPart`](crate::model::DocumentationPart).
    DocumentationPart,
    /// See [`DocumentationVersionRecord`](crate::model::DocumentationVersionRecord).
    DocumentationVersion,
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
    const ALL: [Self; 9] = [
        Self::Authorizer,
        Self::Deployment,
        Self::DocumentationPart,
        Self::DocumentationVersion,
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
            Self::DocumentationPart => "documentation-part",
            Self::DocumentationVersion => "documentation-version",
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
