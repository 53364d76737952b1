//! GetExport on the wire: the answer is the document itself, as a file.

use super::RestError;
use super::call::Call;
use super::reply::Reply;
use crate::app::App;
use crate::app::exports::GetExport;

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let extensions: Vec<&str> = call.query_all("extensions").collect();
    let input = GetExport {
        export_type: call.path("export_type").to_owned(),
        extensions: extensions.join(","),
        accept: call.accept().map(str::to_owned),
    };
    let (api, stage) = (call.path("restapi_id"), call.path("stage_name"));
    let export = app.get_export(api, stage, &input).await?;
    Ok(Reply::file(call.status(), &export.file_name, export.body))
}
