//! Documentation versions on the wire.

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::documentation_versions::CreateDocumentationVersion;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateDocumentationVersion {
        documentation_version: members.required("documentationVersion")?,
        stage_name: members.text("stageName")?,
        description: members.text("description")?,
    };
    members.finish()?;
    let version = app.create_documentation_version(call.path("restapi_id"), input).await?;
    Ok(Reply::json(call.status(), &version))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, version) = place(call);
    Ok(Reply::json(call.status(), &app.get_documentation_version(api, version).await?))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_documentation_versions(call.path("restapi_id"), &call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |version| value(&version)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, version) = place(call);
    let patch = call.patch()?;
    Ok(Reply::json(call.status(), &app.update_documentation_version(api, version, &patch).await?))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, version) = place(call);
    app.delete_documentation_version(api, version).await?;
    Ok(Reply::empty(call.status()))
}

fn place<'c>(call: &'c Call<'_>) -> (&'c str, &'c str) {
    (call.path("restapi_id"), call.path("doc_version"))
}
