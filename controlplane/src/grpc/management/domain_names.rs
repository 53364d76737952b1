//! Custom domain names, their base path mappings and who may reach private ones.

use tidegate_proto::v1;

use super::Management;
use super::convert::{name, named, optional, optional_map, paging, patch, text};
use super::error::Refused;
use crate::app::access_associations::CreateAccessAssociation;
use crate::app::base_path_mappings::CreateBasePathMapping;
use crate::app::domain_names::{CreateDomainName, DomainNameAddress, MutualTlsAuthenticationInput};
use crate::app::rest_apis::EndpointConfigurationInput;
use crate::model::{
    AccessAssociationSourceType, BasePathMapping, DomainName, DomainNameAccessAssociation,
};

pub(super) async fn create_domain_name(
    service: &Management,
    request: v1::CreateDomainNameRequest,
) -> Result<v1::DomainName, Refused> {
    let domain = request.domain_name.ok_or_else(|| Refused::missing("domain_name"))?;
    let types = domain.endpoint_types.iter().map(|kind| named("domain_name.endpoint_types", kind));
    let types = types.collect::<Result<Option<Vec<_>>, _>>()?;
    let endpoint_configuration = EndpointConfigurationInput {
        types: types.filter(|types| !types.is_empty()),
        ip_address_type: named("domain_name.ip_address_type", &domain.ip_address_type)?,
        vpc_endpoint_ids: None,
    };
    let input = CreateDomainName {
        domain_name: domain.domain_name,
        certificate_name: optional(domain.certificate_name),
        certificate_body: optional(request.certificate_body),
        certificate_private_key: optional(request.certificate_private_key),
        certificate_chain: optional(request.certificate_chain),
        certificate_arn: optional(domain.certificate_arn),
        regional_certificate_name: optional(domain.regional_certificate_name),
        regional_certificate_arn: optional(domain.regional_certificate_arn),
        endpoint_configuration: Some(endpoint_configuration),
        tags: optional_map(domain.tags),
        security_policy: named("domain_name.security_policy", &domain.security_policy)?,
        endpoint_access_mode: named(
            "domain_name.endpoint_access_mode",
            &domain.endpoint_access_mode,
        )?,
        mutual_tls_authentication: domain.mutual_tls_authentication.map(|given| {
            MutualTlsAuthenticationInput {
                truststore_uri: optional(given.truststore_uri),
                truststore_version: optional(given.truststore_version),
            }
        }),
        ownership_verification_certificate_arn: optional(
            domain.ownership_verification_certificate_arn,
        ),
        policy: optional(domain.policy),
        routing_mode: named("domain_name.routing_mode", &domain.routing_mode)?,
    };
    Ok(domain_name(service.app.create_domain_name(input).await?))
}

pub(super) async fn get_domain_name(
    service: &Management,
    request: v1::DomainNameAddress,
) -> Result<v1::DomainName, Refused> {
    Ok(domain_name(service.app.get_domain_name(address(&request)).await?))
}

pub(super) async fn get_domain_names(
    service: &Management,
    request: v1::GetDomainNamesRequest,
) -> Result<v1::GetDomainNamesResponse, Refused> {
    let owner = named("resource_owner", &request.resource_owner)?;
    let page = service.app.get_domain_names(owner, &paging(request.paging)).await?;
    Ok(v1::GetDomainNamesResponse {
        items: page.items.into_iter().map(domain_name).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_domain_name(
    service: &Management,
    request: v1::UpdateDomainNameRequest,
) -> Result<v1::DomainName, Refused> {
    let (of, steps) = (request.address.unwrap_or_default(), patch(request.patch_operations)?);
    Ok(domain_name(service.app.update_domain_name(address(&of), &steps).await?))
}

pub(super) async fn delete_domain_name(
    service: &Management,
    request: v1::DomainNameAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_domain_name(address(&request)).await?;
    Ok(v1::Done {})
}

pub(super) async fn create_base_path_mapping(
    service: &Management,
    request: v1::CreateBasePathMappingRequest,
) -> Result<v1::DomainNameMapping, Refused> {
    let (of, given) = (request.address.unwrap_or_default(), request.mapping.unwrap_or_default());
    let input = CreateBasePathMapping {
        base_path: Some(given.base_path),
        rest_api_id: given.rest_api_id,
        stage: optional(given.stage),
    };
    Ok(mapping(service.app.create_base_path_mapping(address(&of), &input).await?))
}

pub(super) async fn get_base_path_mapping(
    service: &Management,
    request: v1::BasePathMappingAddress,
) -> Result<v1::DomainNameMapping, Refused> {
    let of = request.domain_name.unwrap_or_default();
    Ok(mapping(service.app.get_base_path_mapping(address(&of), &request.base_path).await?))
}

pub(super) async fn get_base_path_mappings(
    service: &Management,
    request: v1::GetBasePathMappingsRequest,
) -> Result<v1::GetBasePathMappingsResponse, Refused> {
    let (of, paging) = (request.address.unwrap_or_default(), paging(request.paging));
    let page = service.app.get_base_path_mappings(address(&of), &paging).await?;
    Ok(v1::GetBasePathMappingsResponse {
        items: page.items.into_iter().map(mapping).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_base_path_mapping(
    service: &Management,
    request: v1::UpdateBasePathMappingRequest,
) -> Result<v1::DomainNameMapping, Refused> {
    let (at, steps) = (request.address.unwrap_or_default(), patch(request.patch_operations)?);
    let of = at.domain_name.unwrap_or_default();
    let updated = service.app.update_base_path_mapping(address(&of), &at.base_path, &steps);
    Ok(mapping(updated.await?))
}

pub(super) async fn delete_base_path_mapping(
    service: &Management,
    request: v1::BasePathMappingAddress,
) -> Result<v1::Done, Refused> {
    let of = request.domain_name.unwrap_or_default();
    service.app.delete_base_path_mapping(address(&of), &request.base_path).await?;
    Ok(v1::Done {})
}

pub(super) async fn create_domain_name_access_association(
    service: &Management,
    request: v1::CreateDomainNameAccessAssociationRequest,
) -> Result<v1::DomainNameAccessAssociation, Refused> {
    let given = request.association.ok_or_else(|| Refused::missing("association"))?;
    let kind = "association.access_association_source_type";
    let input = CreateAccessAssociation {
        domain_name_arn: given.domain_name_arn,
        access_association_source_type: named(kind, &given.access_association_source_type)?
            .unwrap_or(AccessAssociationSourceType::Vpce),
        access_association_source: given.access_association_source,
        tags: optional_map(given.tags),
    };
    Ok(association(service.app.create_access_association(input).await?))
}

pub(super) async fn get_domain_name_access_associations(
    service: &Management,
    request: v1::GetDomainNameAccessAssociationsRequest,
) -> Result<v1::GetDomainNameAccessAssociationsResponse, Refused> {
    let owner = named("resource_owner", &request.resource_owner)?;
    let page = service.app.get_access_associations(owner, &paging(request.paging)).await?;
    Ok(v1::GetDomainNameAccessAssociationsResponse {
        items: page.items.into_iter().map(association).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn delete_domain_name_access_association(
    service: &Management,
    request: v1::DomainNameAccessAssociationAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_access_association(&request.domain_name_access_association_arn).await?;
    Ok(v1::Done {})
}

pub(super) async fn reject_domain_name_access_association(
    service: &Management,
    request: v1::RejectDomainNameAccessAssociationRequest,
) -> Result<v1::Done, Refused> {
    let association = &request.domain_name_access_association_arn;
    service.app.reject_access_association(association, &request.domain_name_arn).await?;
    Ok(v1::Done {})
}

fn address(address: &v1::DomainNameAddress) -> DomainNameAddress<'_> {
    let id = Some(address.domain_name_id.as_str()).filter(|id| !id.is_empty());
    DomainNameAddress { name: &address.domain_name, id }
}

fn domain_name(domain: DomainName) -> v1::DomainName {
    let endpoint = domain.endpoint_configuration;
    v1::DomainName {
        domain_name: domain.domain_name.to_string(),
        domain_name_id: text(domain.domain_name_id),
        domain_name_arn: domain.domain_name_arn.unwrap_or_default(),
        certificate_name: domain.certificate_name.unwrap_or_default(),
        certificate_arn: domain.certificate_arn.unwrap_or_default(),
        certificate_upload_date: domain.certificate_upload_date.unwrap_or_default().0,
        regional_domain_name: domain.regional_domain_name.unwrap_or_default(),
        regional_hosted_zone_id: domain.regional_hosted_zone_id.unwrap_or_default(),
        regional_certificate_name: domain.regional_certificate_name.unwrap_or_default(),
        regional_certificate_arn: domain.regional_certificate_arn.unwrap_or_default(),
        distribution_domain_name: domain.distribution_domain_name.unwrap_or_default(),
        distribution_hosted_zone_id: domain.distribution_hosted_zone_id.unwrap_or_default(),
        endpoint_types: endpoint.types.iter().map(ToString::to_string).collect(),
        ip_address_type: endpoint.ip_address_type.to_string(),
        domain_name_status: domain.domain_name_status.to_string(),
        security_policy: domain.security_policy.to_string(),
        endpoint_access_mode: name(domain.endpoint_access_mode),
        tags: domain.tags.unwrap_or_default(),
        mutual_tls_authentication: domain.mutual_tls_authentication.map(|mutual_tls| {
            v1::MutualTlsAuthentication {
                truststore_uri: mutual_tls.truststore_uri,
                truststore_version: mutual_tls.truststore_version.unwrap_or_default(),
            }
        }),
        ownership_verification_certificate_arn: domain
            .ownership_verification_certificate_arn
            .unwrap_or_default(),
        management_policy: domain.management_policy.unwrap_or_default(),
        policy: domain.policy.unwrap_or_default(),
        routing_mode: domain.routing_mode.to_string(),
    }
}

fn mapping(mapping: BasePathMapping) -> v1::DomainNameMapping {
    v1::DomainNameMapping {
        base_path: mapping.base_path,
        rest_api_id: mapping.rest_api_id.to_string(),
        stage: text(mapping.stage),
    }
}

fn association(association: DomainNameAccessAssociation) -> v1::DomainNameAccessAssociation {
    v1::DomainNameAccessAssociation {
        domain_name_access_association_arn: association.domain_name_access_association_arn,
        domain_name_arn: association.domain_name_arn,
        access_association_source_type: association.access_association_source_type.to_string(),
        access_association_source: association.access_association_source,
        tags: association.tags.unwrap_or_default(),
    }
}
