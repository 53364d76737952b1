//! Custom domain names: create, show, change, delete. Changes take effect at once.

mod certificates;
mod patch;

use super::base_path_mappings::note_uses;
use super::patch::PatchOperation;
use super::rest_apis::{self, EndpointConfigurationInput};
use super::transaction::Transaction;
use super::{App, AppError, Page, Paging, Settings, arn, now, tags};
use crate::model::{
    DomainName, DomainNameAccessAssociation, DomainNameId, DomainNameRecord, DomainNameStatus,
    EndpointAccessMode, EndpointType, HostName, MutualTlsAuthentication, ResourceOwner,
    RoutingMode, SecurityPolicy, StringMap, UploadedCertificate, WireName,
};
use crate::store::{ChangeKind, keys};

/// Which domain name a call is about. A private one is known by name and id together, any other by its name alone.
#[derive(Debug, Clone, Copy)]
pub struct DomainNameAddress<'a> {
    /// The name.
    pub name: &'a str,
    /// The id of a private domain.
    pub id: Option<&'a str>,
}

/// What CreateDomainName is told.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is DomainName's of its name")]
pub struct CreateDomainName {
    pub domain_name: String,
    pub certificate_name: Option<String>,
    /// PEM; instead of an ARN.
    pub certificate_body: Option<String>,
    /// PEM; comes with `certificate_body`.
    pub certificate_private_key: Option<String>,
    /// PEM.
    pub certificate_chain: Option<String>,
    pub certificate_arn: Option<String>,
    pub regional_certificate_name: Option<String>,
    pub regional_certificate_arn: Option<String>,
    pub endpoint_configuration: Option<EndpointConfigurationInput>,
    pub tags: Option<StringMap>,
    pub security_policy: Option<SecurityPolicy>,
    pub endpoint_access_mode: Option<EndpointAccessMode>,
    pub mutual_tls_authentication: Option<MutualTlsAuthenticationInput>,
    pub ownership_verification_certificate_arn: Option<String>,
    pub policy: Option<String>,
    pub routing_mode: Option<RoutingMode>,
}

/// A trust store as given: everything may be missing.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each member is MutualTlsAuthentication's of its name")]
pub struct MutualTlsAuthenticationInput {
    pub truststore_uri: Option<String>,
    pub truststore_version: Option<String>,
}

impl DomainNameAddress<'_> {
    /// The row. Texts that are no names have none.
    pub(super) fn row(&self) -> Result<String, AppError> {
        let unknown = |_| AppError::InvalidDomainName;
        let name = HostName::parse(self.name).map_err(unknown)?;
        let Some(id) = self.id else { return Ok(keys::domain(name.as_str())) };
        let id = DomainNameId::parse(id).map_err(unknown)?;
        Ok(keys::domain(&format!("{name}+{id}")))
    }
}

impl App {
    /// CreateDomainName.
    pub async fn create_domain_name(
        &self,
        input: CreateDomainName,
    ) -> Result<DomainName, AppError> {
        let mut domain_name = described(&input)?;
        let uploaded = certificates::uploaded(&input)?;
        if domain_name.is_private() {
            let id = DomainNameId::draw(&mut rand::rng());
            domain_name.domain_name_arn =
                Some(arn::private_domain(&self.settings, &domain_name.domain_name, &id));
            domain_name.domain_name_id = Some(id);
        }
        let row = keys::domain(&domain_name.key());
        let certificate = uploaded.map(|pem| UploadedCertificate {
            private_key: self.vault.seal(&row, pem.private_key.as_bytes()),
            body: pem.body,
            chain: pem.chain,
        });
        let mut record =
            DomainNameRecord { domain_name, certificate, mappings: Default::default() };
        complete(&self.settings, &mut record);
        check(&record)?;
        for mut rows in self.transactions() {
            if rows.has(&row).await? {
                return Err(AppError::DomainNameExists);
            }
            rows.put(row.clone(), &record, ChangeKind::Domain);
            if rows.commit().await? {
                return Ok(record.domain_name);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// GetDomainName.
    pub async fn get_domain_name(
        &self,
        address: DomainNameAddress<'_>,
    ) -> Result<DomainName, AppError> {
        Ok(self.domain_name_record(address).await?.domain_name)
    }

    /// GetDomainNames, in the order of their names. There is one account, so those of others are none.
    pub async fn get_domain_names(
        &self,
        owner: Option<ResourceOwner>,
        paging: &Paging,
    ) -> Result<Page<DomainName>, AppError> {
        if owner == Some(ResourceOwner::OtherAccounts) {
            return paging.page([]);
        }
        let page = self.page_of_rows::<DomainNameRecord>(keys::DOMAINS, paging).await?;
        let items = page.items.into_iter().map(|record| record.domain_name).collect();
        Ok(Page { items, position: page.position })
    }

    /// UpdateDomainName: all steps or none.
    pub async fn update_domain_name(
        &self,
        address: DomainNameAddress<'_>,
        steps: &[PatchOperation],
    ) -> Result<DomainName, AppError> {
        self.change_domain_name(address, |record| {
            for step in steps {
                patch::apply(record, step)?;
            }
            complete(&self.settings, record);
            check(record)
        })
        .await
    }

    /// DeleteDomainName, with its base path mappings. Refused while VPC endpoints may reach it.
    ///
    /// Source: API Gateway Developer Guide, "Tutorial: Create and invoke a custom domain name for private APIs", step 7.
    pub async fn delete_domain_name(&self, address: DomainNameAddress<'_>) -> Result<(), AppError> {
        let row = address.row()?;
        for mut rows in self.transactions() {
            let record = rows.get(&row).await?.ok_or(AppError::InvalidDomainName)?;
            refuse_associated(&mut rows, &record).await?;
            note_uses(&mut rows, &record, &Default::default()).await?;
            rows.delete(row.clone(), ChangeKind::Domain);
            if rows.commit().await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// What the store keeps of a domain name.
    pub(super) async fn domain_name_record(
        &self,
        address: DomainNameAddress<'_>,
    ) -> Result<DomainNameRecord, AppError> {
        self.row(&address.row()?).await?.ok_or(AppError::InvalidDomainName)
    }

    async fn change_domain_name(
        &self,
        address: DomainNameAddress<'_>,
        decide: impl Fn(&mut DomainNameRecord) -> Result<(), AppError>,
    ) -> Result<DomainName, AppError> {
        let row = address.row()?;
        for mut rows in self.transactions() {
            let old: DomainNameRecord = rows.get(&row).await?.ok_or(AppError::InvalidDomainName)?;
            let mut record = old.clone();
            decide(&mut record)?;
            if record != old {
                rows.put(row.clone(), &record, ChangeKind::Domain);
            }
            if rows.commit().await? {
                return Ok(record.domain_name);
            }
        }
        Err(AppError::ConcurrentModification)
    }
}

async fn refuse_associated(
    rows: &mut Transaction<'_>,
    record: &DomainNameRecord,
) -> Result<(), AppError> {
    if !record.domain_name.is_private() {
        return Ok(());
    }
    let key = record.domain_name.key();
    let found: Vec<(String, DomainNameAccessAssociation)> =
        rows.scan(&keys::domain_associations(&key)).await?;
    if found.is_empty() {
        return Ok(());
    }
    let sources: Vec<String> =
        found.into_iter().map(|(_, association)| association.access_association_source).collect();
    Err(AppError::DomainNameInUse { name: key, sources: sources.join(", ") })
}

/// The domain name a caller describes, without what is generated for it.
fn described(input: &CreateDomainName) -> Result<DomainName, AppError> {
    let text = |member: &Option<String>| member.clone().filter(|text| !text.is_empty());
    let domain_name = HostName::parse(&input.domain_name)
        .map_err(|_| AppError::InvalidHostName { name: input.domain_name.clone() })?;
    let tags = input.tags.clone().filter(|tags| !tags.is_empty());
    tags.iter().try_for_each(tags::check)?;
    let mut endpoint_configuration =
        rest_apis::endpoint_configuration(input.endpoint_configuration.clone())?;
    // VPC endpoints reach private domains by access associations.
    endpoint_configuration.vpc_endpoint_ids = None;
    let mutual_tls = input.mutual_tls_authentication.as_ref();
    Ok(DomainName {
        domain_name,
        domain_name_id: None,
        domain_name_arn: None,
        certificate_name: text(&input.certificate_name),
        certificate_arn: text(&input.certificate_arn).map(certificate_arn).transpose()?,
        certificate_upload_date: None,
        regional_domain_name: None,
        regional_hosted_zone_id: None,
        regional_certificate_name: text(&input.regional_certificate_name),
        regional_certificate_arn: text(&input.regional_certificate_arn)
            .map(certificate_arn)
            .transpose()?,
        distribution_domain_name: None,
        distribution_hosted_zone_id: None,
        endpoint_configuration,
        domain_name_status: DomainNameStatus::Available,
        security_policy: input.security_policy.unwrap_or(SecurityPolicy::Tls12),
        endpoint_access_mode: input.endpoint_access_mode,
        tags,
        mutual_tls_authentication: mutual_tls.and_then(|given| {
            Some(MutualTlsAuthentication {
                truststore_uri: text(&given.truststore_uri)?,
                truststore_version: text(&given.truststore_version),
            })
        }),
        ownership_verification_certificate_arn: text(&input.ownership_verification_certificate_arn)
            .map(certificate_arn)
            .transpose()?,
        management_policy: None,
        policy: rest_apis::policy(input.policy.clone())?,
        routing_mode: input.routing_mode.unwrap_or(RoutingMode::BasePathMappingOnly),
    })
}

/// A certificate's ARN; there is nobody to ask whether it leads anywhere.
fn certificate_arn(arn: String) -> Result<String, AppError> {
    if arn::is_well_formed(&arn) { Ok(arn) } else { Err(AppError::InvalidArn) }
}

/// Generates what each type of endpoint has, once, and drops what belongs to a type that is gone.
fn complete(settings: &Settings, record: &mut DomainNameRecord) {
    let uploaded = record.certificate.is_some();
    let domain = &mut record.domain_name;
    let (edge, regional) = (domain.has(EndpointType::Edge), domain.has(EndpointType::Regional));
    let own = domain.certificate_arn.is_some() || uploaded;
    if (edge || domain.is_private()) && own {
        domain.certificate_upload_date.get_or_insert_with(now);
    } else {
        domain.certificate_upload_date = None;
    }
    let label = DomainNameId::draw(&mut rand::rng());
    if edge {
        domain.distribution_domain_name.get_or_insert_with(|| format!("d{label}.cloudfront.net"));
        domain.distribution_hosted_zone_id = Some(EDGE_ZONE.to_owned());
    } else {
        domain.distribution_domain_name = None;
        domain.distribution_hosted_zone_id = None;
    }
    if regional {
        domain.regional_domain_name.get_or_insert_with(|| {
            format!("d-{label}.execute-api.{}.amazonaws.com", settings.region)
        });
        domain.regional_hosted_zone_id = Some(REGIONAL_ZONE.to_owned());
    } else {
        domain.regional_domain_name = None;
        domain.regional_hosted_zone_id = None;
    }
}

/// The rules between a domain name's members.
fn check(record: &DomainNameRecord) -> Result<(), AppError> {
    let domain = &record.domain_name;
    for kind in &domain.endpoint_configuration.types {
        let named = match kind {
            EndpointType::Edge | EndpointType::Private => &domain.certificate_arn,
            EndpointType::Regional => &domain.regional_certificate_arn,
        };
        if named.is_none() && record.certificate.is_none() {
            return Err(AppError::CertificateMissing { kind: *kind });
        }
    }
    if !domain.is_private() {
        for (member, value) in
            [("policy", &domain.policy), ("managementPolicy", &domain.management_policy)]
        {
            if value.is_some() {
                return Err(AppError::PolicyOfPublicDomain { member });
            }
        }
    }
    if domain.endpoint_access_mode.is_some()
        && !domain.security_policy.name().starts_with("SecurityPolicy_")
    {
        return Err(AppError::EndpointAccessModeUnsupported);
    }
    if let Some(mutual_tls) = &domain.mutual_tls_authentication {
        if domain.endpoint_configuration.types != [EndpointType::Regional] {
            return Err(AppError::MutualTlsUnsupported);
        }
        let uri = &mutual_tls.truststore_uri;
        let object = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        if object.is_none_or(|(bucket, key)| bucket.is_empty() || key.is_empty()) {
            return Err(AppError::InvalidTruststoreUri { uri: uri.clone() });
        }
    }
    Ok(())
}

/// CloudFront's zone. Source: the service model, `distributionHostedZoneId`.
const EDGE_ZONE: &str = "Z2FDTNDATAQYW2";

/// The zone of `us-east-1`. Tools read the member and make DNS records with it; here no zone stands behind it, whatever the
/// region: the domain's DNS leads to the nodes.
const REGIONAL_ZONE: &str = "Z1UJRXOUMOOFQ8";
