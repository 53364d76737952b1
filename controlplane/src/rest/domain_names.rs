//! Custom domain names on the wire.

use super::RestError;
use super::call::Call;
use super::members::Members;
use super::reply::{Reply, value};
use super::rest_apis::endpoint_configuration;
use crate::app::App;
use crate::app::domain_names::{CreateDomainName, DomainNameAddress, MutualTlsAuthenticationInput};

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateDomainName {
        domain_name: members.required("domainName")?,
        certificate_name: members.text("certificateName")?,
        certificate_body: members.text("certificateBody")?,
        certificate_private_key: members.text("certificatePrivateKey")?,
        certificate_chain: members.text("certificateChain")?,
        certificate_arn: members.text("certificateArn")?,
        regional_certificate_name: members.text("regionalCertificateName")?,
        regional_certificate_arn: members.text("regionalCertificateArn")?,
        endpoint_configuration: endpoint_configuration(&mut members)?,
        tags: members.map("tags")?,
        security_policy: members.one_of("securityPolicy")?,
        endpoint_access_mode: members.one_of("endpointAccessMode")?,
        mutual_tls_authentication: mutual_tls_authentication(&mut members)?,
        ownership_verification_certificate_arn: members
            .text("ownershipVerificationCertificateArn")?,
        policy: members.text("policy")?,
        routing_mode: members.one_of("routingMode")?,
    };
    members.finish()?;
    Ok(Reply::json(call.status(), &app.create_domain_name(input).await?))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    Ok(Reply::json(call.status(), &app.get_domain_name(address(call)).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let owner = call.query_one_of("resourceOwner")?;
    let page = app.get_domain_names(owner, &call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |domain| value(&domain)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let domain = app.update_domain_name(address(call), &call.patch()?).await?;
    Ok(Reply::json(call.status(), &domain))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_domain_name(address(call)).await?;
    Ok(Reply::empty(call.status()))
}

/// The domain a call is about.
pub(super) fn address<'c>(call: &'c Call<'_>) -> DomainNameAddress<'c> {
    DomainNameAddress {
        name: call.path("domain_name"),
        id: call.query("domainNameId").filter(|id| !id.is_empty()),
    }
}

fn mutual_tls_authentication(
    members: &mut Members,
) -> Result<Option<MutualTlsAuthenticationInput>, RestError> {
    let Some(mut nested) = members.object("mutualTlsAuthentication")? else { return Ok(None) };
    let input = MutualTlsAuthenticationInput {
        truststore_uri: nested.text("truststoreUri")?,
        truststore_version: nested.text("truststoreVersion")?,
    };
    members.absorb(nested);
    Ok(Some(input))
}
