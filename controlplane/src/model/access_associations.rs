//! A domain name access association: what lets a VPC endpoint reach a private custom domain.

use serde::{Deserialize, Serialize};

use super::StringMap;
use super::wire::wire_enum;

/// An association as GetDomainNameAccessAssociations shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DomainNameAccessAssociation {
    /// `arn:{partition}:apigateway:{region}:{account}:/domainnameaccessassociations/domainname/{name}+{id}/vpcesource/{source}`.
    pub domain_name_access_association_arn: String,
    /// The private domain's ARN.
    pub domain_name_arn: String,
    /// What kind of source it is.
    pub access_association_source_type: AccessAssociationSourceType,
    /// A VPC endpoint's id.
    pub access_association_source: String,
    /// Absent if none was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<StringMap>,
}

wire_enum! {
    /// What may reach a private domain.
    AccessAssociationSourceType { Vpce = "VPCE" }
}
