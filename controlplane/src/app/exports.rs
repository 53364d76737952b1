//! GetExport: what a stage serves, as a document.

use std::collections::BTreeSet;

use super::{App, AppError};
use crate::model::WireName;
use crate::openapi::{self, ExportExtension, ExportOptions, ExportType};

/// What GetExport is told.
#[derive(Debug, Clone, Default)]
pub struct GetExport {
    /// `swagger` or `oas30`.
    pub export_type: String,
    /// Names of extensions, separated by commas.
    pub extensions: String,
    /// The header Accept; absent or empty: JSON.
    pub accept: Option<String>,
}

/// A document with the name AWS gives its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// `swagger_1.0.json`
    pub file_name: String,
    /// JSON or YAML, as asked for.
    pub body: Vec<u8>,
}

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    Json,
    Yaml,
}

impl App {
    /// GetExport, from the stage's deployment and the version of the documentation it shows. A canary is not looked at.
    pub async fn get_export(
        &self,
        api: &str,
        stage: &str,
        input: &GetExport,
    ) -> Result<Export, AppError> {
        let workspace = self.workspace(api).await?;
        let stage = &workspace.stage(stage)?.stage;
        let kind = ExportType::from_name(&input.export_type)
            .ok_or_else(|| AppError::InvalidExportType { value: input.export_type.clone() })?;
        let extensions = extensions(&input.extensions)?;
        let notation = notation(input.accept.as_deref().unwrap_or_default())?;
        let deployment = workspace.deployments.get(&stage.deployment_id);
        let deployment = deployment.ok_or(AppError::DeploymentDoesNotExist)?;
        let snapshot = self.deployed_snapshot(&deployment.snapshot).await?;
        let shown = stage.documentation_version.as_ref();
        let shown = shown.and_then(|name| workspace.documentation_versions.get(name));
        let parts = match shown {
            Some(record) => self.documented_parts(&record.parts).await?,
            None => Vec::new(),
        };
        let created = openapi::date(deployment.deployment.created_date);
        let version = snapshot.rest_api.version.clone().filter(|version| !version.is_empty());
        let options = ExportOptions {
            kind,
            extensions,
            host: format!(
                "{}.execute-api.{}.amazonaws.com",
                snapshot.rest_api.id, self.settings.region
            ),
            stage: stage.stage_name.as_str(),
            version: version.unwrap_or(created),
            documentation: shown.map(|record| (&record.version, &parts[..])),
        };
        let document = openapi::export(&snapshot, &options)
            .map_err(|error| AppError::ExportFailed { message: error.to_string() })?;
        let (ending, body) = match notation {
            Notation::Json => ("json", document.to_json()),
            Notation::Yaml => ("yaml", document.to_yaml()),
        };
        Ok(Export { file_name: format!("{kind}_{}.{ending}", options.version), body })
    }
}

fn extensions(text: &str) -> Result<BTreeSet<ExportExtension>, AppError> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let known = |word: &str| {
        ExportExtension::from_name(&word.to_ascii_lowercase()).ok_or_else(|| {
            let options: Vec<&str> =
                ExportExtension::ALL.iter().map(|known| known.name()).collect();
            let (value, options) = (word.to_owned(), options.join(","));
            AppError::InvalidExportExtension { value, options }
        })
    };
    words.map(known).collect()
}

/// The first notation of a list of media types that we write; clients that do not care send none or a wildcard.
fn notation(accept: &str) -> Result<Notation, AppError> {
    let mut types = accept.split(',').filter_map(|range| range.split(';').next()).map(str::trim);
    let known = types.find_map(|media_type| match media_type.to_ascii_lowercase().as_str() {
        "" | "*/*" | "application/*" | "application/json" => Some(Notation::Json),
        "application/yaml" => Some(Notation::Yaml),
        _ => None,
    });
    known.ok_or_else(|| AppError::InvalidExportAccept { value: accept.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_request() {
        for (accept, want) in [
            ("", Some(Notation::Json)),
            ("*/*", Some(Notation::Json)),
            ("application/json", Some(Notation::Json)),
            ("application/yaml", Some(Notation::Yaml)),
            ("text/html, Application/YAML;q=0.9, */*", Some(Notation::Yaml)),
            ("text/html", None),
        ] {
            assert_eq!(notation(accept).ok(), want, "{accept}");
        }
        assert_eq!(extensions("").unwrap().len(), 0);
        assert_eq!(extensions("integrations, AUTHORIZERS,").unwrap().len(), 2);
        assert_eq!(
            extensions("x").unwrap_err().to_string(),
            "Invalid extensions specified: x. Valid options are \
             apigateway,authorizers,documentation,gatewayresponses,integrations,postman,validators"
        );
    }
}
