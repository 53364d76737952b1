//! Access keys of the admin API.

use tidegate_proto::v1;

use super::Management;
use super::convert::optional;
use super::error::Refused;
use crate::app::access_keys::AccessKey;

pub(super) async fn create_access_key(
    service: &Management,
    request: v1::CreateAccessKeyRequest,
) -> Result<v1::CreateAccessKeyResponse, Refused> {
    let name = optional(request.name);
    let made = service.app.create_access_key(name.as_deref(), &request.policy).await;
    let (key, secret) = made?;
    Ok(v1::CreateAccessKeyResponse {
        access_key: Some(shown(key)),
        secret_access_key: secret.expose().to_owned(),
    })
}

pub(super) async fn get_access_key(
    service: &Management,
    request: v1::AccessKeyAddress,
) -> Result<v1::AccessKey, Refused> {
    Ok(shown(service.app.get_access_key(&request.id).await?))
}

pub(super) async fn list_access_keys(
    service: &Management,
    _: v1::ListAccessKeysRequest,
) -> Result<v1::ListAccessKeysResponse, Refused> {
    let all = service.app.list_access_keys().await?;
    Ok(v1::ListAccessKeysResponse { access_keys: all.into_iter().map(shown).collect() })
}

pub(super) async fn update_access_key(
    service: &Management,
    request: v1::UpdateAccessKeyRequest,
) -> Result<v1::AccessKey, Refused> {
    let v1::UpdateAccessKeyRequest { id, enabled, policy } = request;
    Ok(shown(service.app.update_access_key(&id, enabled, policy.as_deref()).await?))
}

pub(super) async fn delete_access_key(
    service: &Management,
    request: v1::AccessKeyAddress,
) -> Result<v1::Done, Refused> {
    service.app.delete_access_key(&request.id).await?;
    Ok(v1::Done {})
}

fn shown(key: AccessKey) -> v1::AccessKey {
    v1::AccessKey {
        id: key.id,
        name: key.name.unwrap_or_default(),
        enabled: key.enabled,
        created_date: key.created_date.0,
        last_used_date: key.last_used_date.map_or(0, |date| date.0),
        policy: key.policy,
        policy_name: key.policy_name.unwrap_or_default().to_owned(),
    }
}
