//! Domain name access associations: which VPC endpoints may reach a private custom domain.
//!
//! There is one account here, so associations of other accounts do not exist; rejecting one takes it away like deleting it.

use super::domain_names::DomainNameAddress;
use super::{App, AppError, Page, Paging, arn, tags};
use crate::model::{
    AccessAssociationSourceType, DomainNameAccessAssociation, DomainNameRecord, ResourceOwner,
    StringMap,
};
use crate::store::{ChangeKind, keys};

/// What CreateDomainNameAccessAssociation is told.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each member is DomainNameAccessAssociation's of its name")]
pub struct CreateAccessAssociation {
    pub domain_name_arn: String,
    pub access_association_source_type: AccessAssociationSourceType,
    pub access_association_source: String,
    pub tags: Option<StringMap>,
}

impl App {
    /// CreateDomainNameAccessAssociation.
    pub async fn create_access_association(
        &self,
        input: CreateAccessAssociation,
    ) -> Result<DomainNameAccessAssociation, AppError> {
        let source = input.access_association_source;
        if !is_vpc_endpoint(&source) {
            return Err(AppError::InvalidAccessAssociationSource { source_id: source });
        }
        let tags = input.tags.filter(|tags| !tags.is_empty());
        tags.iter().try_for_each(tags::check)?;
        let domain = self.domain_named(&input.domain_name_arn)?.row()?;
        for mut rows in self.transactions() {
            let record: Option<DomainNameRecord> = rows.get(&domain).await?;
            let record = record.ok_or(AppError::InvalidDomainName)?;
            let name = record.domain_name.key();
            let Some(domain_name_arn) = record.domain_name.domain_name_arn.clone() else {
                return Err(AppError::AssociationOfPublicDomain);
            };
            let row = keys::domain_association(&name, &source);
            if rows.has(&row).await? {
                return Err(AppError::AccessAssociationExists);
            }
            let association = DomainNameAccessAssociation {
                domain_name_access_association_arn: arn::access_association(
                    &self.settings,
                    &name,
                    &source,
                ),
                domain_name_arn,
                access_association_source_type: input.access_association_source_type,
                access_association_source: source.clone(),
                tags: tags.clone(),
            };
            rows.put(row, &association, ChangeKind::Domain);
            // As it was: whoever deletes the domain at the same time decides again, and finds the association.
            rows.put(domain.clone(), &record, ChangeKind::Domain);
            if rows.commit().await? {
                return Ok(association);
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// GetDomainNameAccessAssociations, in the order of domains and sources.
    pub async fn get_access_associations(
        &self,
        owner: Option<ResourceOwner>,
        paging: &Paging,
    ) -> Result<Page<DomainNameAccessAssociation>, AppError> {
        if owner == Some(ResourceOwner::OtherAccounts) {
            return paging.page([]);
        }
        self.page_of_rows(keys::DOMAIN_ASSOCIATIONS, paging).await
    }

    /// DeleteDomainNameAccessAssociation.
    pub async fn delete_access_association(&self, arn: &str) -> Result<(), AppError> {
        let parts = arn::access_association_parts(&self.settings, arn);
        let (domain, source) = parts.ok_or(AppError::InvalidAccessAssociation)?;
        let row = keys::domain_association(domain, source);
        for mut rows in self.transactions() {
            if !rows.has(&row).await? {
                return Err(AppError::InvalidAccessAssociation);
            }
            rows.delete(row.clone(), ChangeKind::Domain);
            if rows.commit().await? {
                return Ok(());
            }
        }
        Err(AppError::ConcurrentModification)
    }

    /// RejectDomainNameAccessAssociation: the domain's side takes the association away.
    pub async fn reject_access_association(
        &self,
        association: &str,
        domain: &str,
    ) -> Result<(), AppError> {
        let row = self.domain_named(domain)?.row()?;
        let parts = arn::access_association_parts(&self.settings, association);
        let (of, _) = parts.ok_or(AppError::InvalidAccessAssociation)?;
        if keys::domain(of) != row {
            return Err(AppError::InvalidAccessAssociation);
        }
        self.delete_access_association(association).await
    }

    /// The domain name an ARN names.
    fn domain_named<'a>(&self, arn: &'a str) -> Result<DomainNameAddress<'a>, AppError> {
        let path = arn::path(&self.settings, arn);
        let name = path.and_then(|path| path.strip_prefix("domainnames/"));
        let name = name.ok_or(AppError::InvalidDomainName)?;
        Ok(match name.split_once('+') {
            Some((name, id)) => DomainNameAddress { name, id: Some(id) },
            None => DomainNameAddress { name, id: None },
        })
    }
}

fn is_vpc_endpoint(id: &str) -> bool {
    let Some(id) = id.strip_prefix("vpce-") else { return false };
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}
