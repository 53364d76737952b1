//! ImportRestApi and PutRestApi on the wire: the body is a document, the query says how to read it.

use serde_json::json;

use super::call::Call;
use super::reply::Reply;
use super::{RestError, rest_apis};
use crate::app::App;
use crate::app::imports::PutMode;
use crate::model::WireName;

pub(super) async fn import(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, warnings) = app.import_rest_api(call.body, &call.query).await?;
    let mut shape = rest_apis::shape(&api);
    if !warnings.is_empty() {
        shape["warnings"] = json!(warnings);
    }
    Ok(Reply::json(call.status(), &shape))
}

pub(super) async fn put(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mode = mode(call)?;
    let (api, warnings) =
        app.put_rest_api(call.path("restapi_id"), mode, call.body, &call.query).await?;
    let mut shape = rest_apis::shape_with_tags(&api);
    if !warnings.is_empty() {
        shape["warnings"] = json!(warnings);
    }
    Ok(Reply::json(call.status(), &shape))
}

/// What happens to what the document does not speak of.
pub(super) fn mode(call: &Call<'_>) -> Result<PutMode, RestError> {
    match call.query("mode").filter(|mode| !mode.is_empty()) {
        None => Ok(PutMode::Merge),
        Some(mode) => PutMode::from_name(mode).ok_or_else(|| {
            RestError::Validation(vec![format!(
                "Value '{mode}' at 'mode' failed to satisfy constraint: \
                 Member must satisfy enum value set: [merge, overwrite]"
            )])
        }),
    }
}
