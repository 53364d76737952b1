//! Client certificates on the wire.

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::App;

pub(super) async fn generate(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let (description, tags) = (members.text("description")?, members.map("tags")?);
    members.finish()?;
    let certificate = app.generate_client_certificate(description, tags).await?;
    Ok(Reply::json(call.status(), &certificate))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    Ok(Reply::json(call.status(), &app.get_client_certificate(id(call)).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_client_certificates(&call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |certificate| value(&certificate)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let certificate = app.update_client_certificate(id(call), &call.patch()?).await?;
    Ok(Reply::json(call.status(), &certificate))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_client_certificate(id(call)).await?;
    Ok(Reply::empty(call.status()))
}

fn id<'c>(call: &'c Call<'_>) -> &'c str {
    call.path("clientcertificate_id")
}
