//! The patch paths of a domain name. Source: `admin-api` section 6.1.

use super::certificate_arn;
use crate::app::patch::{PatchOp, PatchOperation};
use crate::app::{AppError, rest_apis};
use crate::model::{
    DomainName, DomainNameRecord, EndpointType, IpAddressType, MutualTlsAuthentication, WireName,
};

/// One step of UpdateDomainName.
pub(super) fn apply(record: &mut DomainNameRecord, step: &PatchOperation) -> Result<(), AppError> {
    let parts = step.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let domain = &mut record.domain_name;
    match parts[..] {
        ["certificateName"] => domain.certificate_name = text(step)?,
        ["certificateArn"] => {
            domain.certificate_arn = text(step)?.map(certificate_arn).transpose()?;
            domain.certificate_upload_date = None;
            if domain.certificate_arn.is_some() {
                record.certificate = None;
            }
        }
        ["regionalCertificateName"] => domain.regional_certificate_name = text(step)?,
        ["regionalCertificateArn"] => {
            domain.regional_certificate_arn = text(step)?.map(certificate_arn).transpose()?;
            // An uploaded certificate goes on serving an EDGE endpoint, if there is one.
            if domain.regional_certificate_arn.is_some() && !domain.has(EndpointType::Edge) {
                record.certificate = None;
            }
        }
        ["securityPolicy"] => {
            step.replace_only()?;
            domain.security_policy = step.one_of()?;
        }
        ["endpointAccessMode"] => {
            let given = text(step)?;
            domain.endpoint_access_mode = given.map(|_| step.one_of()).transpose()?;
        }
        ["endpointConfiguration", "types", ..] if parts.len() <= 3 => endpoint_type(domain, step)?,
        ["endpointConfiguration", "ipAddressType"] => {
            step.replace_only()?;
            let named = step.value.as_deref().and_then(IpAddressType::from_name);
            let named = named.ok_or(AppError::InvalidIpAddressType)?;
            if domain.is_private() && named == IpAddressType::Ipv4 {
                return Err(AppError::PrivateNeedsDualstack);
            }
            domain.endpoint_configuration.ip_address_type = named;
        }
        ["mutualTlsAuthentication", "truststoreUri"] => {
            let known = domain.mutual_tls_authentication.take();
            domain.mutual_tls_authentication =
                text(step)?.map(|truststore_uri| MutualTlsAuthentication {
                    truststore_uri,
                    truststore_version: known.and_then(|known| known.truststore_version),
                });
        }
        ["mutualTlsAuthentication", "truststoreVersion"] => {
            let version = text(step)?;
            let known = domain.mutual_tls_authentication.as_mut();
            known.ok_or_else(|| step.bad_path())?.truststore_version = version;
        }
        ["ownershipVerificationCertificateArn"] => {
            domain.ownership_verification_certificate_arn =
                text(step)?.map(certificate_arn).transpose()?;
        }
        ["managementPolicy"] => domain.management_policy = rest_apis::policy(text(step)?)?,
        ["policy"] => domain.policy = rest_apis::policy(text(step)?)?,
        ["routingMode"] => {
            step.replace_only()?;
            domain.routing_mode = step.one_of()?;
        }
        _ => return Err(step.bad_path()),
    }
    Ok(())
}

/// What a member that may be absent becomes. AWS documents `add` and `replace` for setting and, for policies, `remove`.
fn text(step: &PatchOperation) -> Result<Option<String>, AppError> {
    match step.op {
        PatchOp::Add | PatchOp::Replace => Ok(step.nullable()),
        PatchOp::Remove => Ok(None),
        _ => Err(AppError::PatchReplaceOnly),
    }
}

/// Replace sets the one type; add and remove move a domain between EDGE and REGIONAL without a gap.
///
/// Source: API Gateway Developer Guide, "Migrate a custom domain name to a different API endpoint type".
fn endpoint_type(domain: &mut DomainName, step: &PatchOperation) -> Result<(), AppError> {
    let kind = step.value.as_deref().and_then(EndpointType::from_name);
    let kind = kind.ok_or(AppError::InvalidEndpointType)?;
    if (kind == EndpointType::Private) != domain.is_private() {
        return Err(AppError::PrivateDomainIsFixed);
    }
    let types = &mut domain.endpoint_configuration.types;
    match step.op {
        PatchOp::Replace => *types = vec![kind],
        PatchOp::Add if types.contains(&kind) => {}
        PatchOp::Add => types.push(kind),
        PatchOp::Remove => {
            types.retain(|known| *known != kind);
            if types.is_empty() {
                return Err(AppError::NoEndpointType);
            }
        }
        _ => return Err(AppError::PatchOpOfTypes),
    }
    Ok(())
}
