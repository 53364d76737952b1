//! Exports.

use tidegate_proto::v1;

use super::Management;
use super::convert::optional;
use super::error::Refused;
use crate::app::exports::GetExport;

pub(super) async fn get_export(
    service: &Management,
    request: v1::GetExportRequest,
) -> Result<v1::Export, Refused> {
    let input = GetExport {
        export_type: request.export_type,
        extensions: request.extensions.join(","),
        accept: optional(request.accept),
    };
    let (api, stage) = (&request.rest_api_id, &request.stage_name);
    let export = service.app.get_export(api, stage, &input).await?;
    Ok(v1::Export { file_name: export.file_name, document: export.body })
}
