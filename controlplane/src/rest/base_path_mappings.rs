//! Base path mappings on the wire.

use super::RestError;
use super::call::Call;
use super::domain_names::address;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::base_path_mappings::CreateBasePathMapping;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateBasePathMapping {
        base_path: members.text("basePath")?,
        rest_api_id: members.required("restApiId")?,
        stage: members.text("stage")?,
    };
    members.finish()?;
    let mapping = app.create_base_path_mapping(address(call), &input).await?;
    Ok(Reply::json(call.status(), &mapping))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mapping = app.get_base_path_mapping(address(call), call.path("base_path")).await?;
    Ok(Reply::json(call.status(), &mapping))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_base_path_mappings(address(call), &call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |mapping| value(&mapping)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (base_path, steps) = (call.path("base_path"), call.patch()?);
    let mapping = app.update_base_path_mapping(address(call), base_path, &steps).await?;
    Ok(Reply::json(call.status(), &mapping))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_base_path_mapping(address(call), call.path("base_path")).await?;
    Ok(Reply::empty(call.status()))
}
