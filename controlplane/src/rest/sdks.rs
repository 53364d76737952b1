//! SDKs and their types on the wire.

use super::RestError;
use super::call::Call;
use super::reply::{Reply, value};
use crate::app::App;

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, stage) = (call.path("restapi_id"), call.path("stage_name"));
    app.get_sdk(api, stage, call.path("sdk_type")).await?;
    Ok(Reply::empty(call.status()))
}

pub(super) fn get_type(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    Ok(Reply::json(call.status(), &app.get_sdk_type(call.path("sdktype_id"))?))
}

pub(super) fn list_types(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_sdk_types(&call.paging()?)?;
    Ok(Reply::list(call.status(), page, |sdk| value(&sdk)))
}
