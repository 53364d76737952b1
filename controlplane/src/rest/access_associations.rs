//! Domain name access associations on the wire.

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::access_associations::CreateAccessAssociation;
use crate::model::AccessAssociationSourceType;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let domain_name_arn = members.required("domainNameArn")?;
    let kind = members.required_one_of("accessAssociationSourceType")?;
    let input = CreateAccessAssociation {
        domain_name_arn,
        // There is but one; where it is missing or another, `finish` says so.
        access_association_source_type: kind.unwrap_or(AccessAssociationSourceType::Vpce),
        access_association_source: members.required("accessAssociationSource")?,
        tags: members.map("tags")?,
    };
    members.finish()?;
    Ok(Reply::json(call.status(), &app.create_access_association(input).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let owner = call.query_one_of("resourceOwner")?;
    let page = app.get_access_associations(owner, &call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |association| value(&association)))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_access_association(call.path("domain_name_access_association_arn")).await?;
    Ok(Reply::empty(call.status()))
}

pub(super) async fn reject(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let names = ["domainNameAccessAssociationArn", "domainNameArn"];
    let [association, domain] = names.map(|name| arn(call, name));
    let (Some(association), Some(domain)) = (&association, &domain) else {
        let given = names.into_iter().zip([&association, &domain]);
        let missing = given.filter(|(_, arn)| arn.is_none());
        return Err(RestError::Validation(missing.map(|(name, _)| null(name)).collect()));
    };
    app.reject_access_association(association, domain).await?;
    Ok(Reply::empty(call.status()))
}

/// A query parameter that is an ARN. ARNs of private domains hold a plus, which callers may send as it is; a space never occurs.
fn arn(call: &Call<'_>, name: &str) -> Option<String> {
    let text = call.query(name).filter(|text| !text.is_empty())?;
    Some(text.replace(' ', "+"))
}

fn null(name: &str) -> String {
    format!("Value null at '{name}' failed to satisfy constraint: Member must not be null")
}
