//! Client certificates.

use tidegate_proto::v1;

use super::Management;
use super::convert::{optional, optional_map, paging, patch};
use super::error::Refused;
use crate::model::ClientCertificate;

pub(super) async fn generate_client_certificate(
    service: &Management,
    request: v1::GenerateClientCertificateRequest,
) -> Result<v1::ClientCertificate, Refused> {
    let (description, tags) = (optional(request.description), optional_map(request.tags));
    Ok(shown(service.app.generate_client_certificate(description, tags).await?))
}

pub(super) async fn get_client_certificate(
    service: &Management,
    request: v1::ClientCertificateAddress,
) -> Result<v1::ClientCertificate, Refused> {
    Ok(shown(service.app.get_client_certificate(&request.client_certificate_id).await?))
}

pub(super) async fn get_client_certificates(
    service: &Management,
    request: v1::GetClientCertificatesRequest,
) -> Result<v1::GetClientCertificatesResponse, Refused> {
    let page = service.app.get_client_certificates(&paging(request.paging)).await?;
    Ok(v1::GetClientCertificatesResponse {
        items: page.items.into_iter().map(shown).collect(),
        position: page.position.unwrap_or_default(),
    })
}

pub(super) async fn update_client_certificate(
    service: &Management,
    request: v1::UpdateClientCertificateRequest,
) -> Result<v1::ClientCertificate, Refused> {
    let (id, steps) = (request.client_certificate_id, patch(request.patch_operations)?);
    Ok(shown(service.app.update_client_certificate(&id, &steps).await?))
}

pub(super) async fn delete_client_certificate(
    service: &Management,
    request: v1::ClientCertificateAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_client_certificate(&request.client_certificate_id).await?;
    Ok(v1::Done {})
}

fn shown(certificate: ClientCertificate) -> v1::ClientCertificate {
    v1::ClientCertificate {
        client_certificate_id: certificate.client_certificate_id.to_string(),
        description: certificate.description.unwrap_or_default(),
        pem_encoded_certificate: certificate.pem_encoded_certificate,
        created_date: certificate.created_date.0,
        expiration_date: certificate.expiration_date.0,
        tags: certificate.tags.unwrap_or_default(),
    }
}
