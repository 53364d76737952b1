//! `tidegate import`: a document becomes an API, or an API becomes what its document says now.

use std::path::{Path, PathBuf};

use serde_json::json;
use tidegate_proto::v1;

use super::Shown;
use super::client::{Client, SETTLE};
use super::error::CliError;

/// Arguments of `tidegate import`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// OpenAPI 3.0 or Swagger 2.0, JSON or YAML
    file: PathBuf,
    /// Also deploy to this stage, if that changes anything there
    #[arg(long)]
    stage: Option<String>,
    /// Name of the API in place of the document's title; the API of this name is brought up to date
    #[arg(long)]
    name: Option<String>,
}

/// What an import did.
#[derive(Debug)]
pub(super) struct Imported {
    /// The API as it is now.
    pub(super) api: v1::RestApi,
    created: bool,
    warnings: Vec<String>,
    /// The new deployment, if one was needed.
    pub(super) deployment: Option<String>,
}

impl Imported {
    /// In one line.
    pub(super) fn words(&self, stage: Option<&str>) -> String {
        let done = if self.created { "created" } else { "brought up to date" };
        let line = format!("API {} ({}) {done}", self.api.id, self.api.name);
        match (stage, &self.deployment) {
            (None, _) => line,
            (Some(stage), Some(deployment)) => {
                format!("{line}; deployment {deployment} serves stage {stage}")
            }
            (Some(stage), None) => format!("{line}; stage {stage} serves it already"),
        }
    }
}

/// Applies the document and deploys what it changed.
pub(super) async fn apply(
    client: &mut Client,
    file: &Path,
    name: Option<String>,
    stage: Option<&str>,
) -> Result<Imported, CliError> {
    let document = std::fs::read(file);
    let document = document.map_err(|cause| CliError::File { path: file.to_owned(), cause })?;
    let request = v1::ApplyDocumentRequest { document, name: name.unwrap_or_default() };
    let applied = client.rpc().apply_document(request).await;
    let applied = client.told(applied)?;
    let api = applied.rest_api.unwrap_or_default();
    for warning in &applied.warnings {
        eprintln!("tidegate: warning: {warning}");
    }
    let mut imported =
        Imported { api, created: applied.created, warnings: applied.warnings, deployment: None };
    if let Some(stage) = stage
        && differs(client, &imported.api.id, stage).await?
    {
        let request = v1::CreateDeploymentRequest {
            rest_api_id: imported.api.id.clone(),
            stage_name: stage.to_owned(),
            description: format!("import of {}", file.display()),
            ..v1::CreateDeploymentRequest::default()
        };
        let deployment = client.rpc().create_deployment(request).await;
        imported.deployment = Some(client.told(deployment)?.id);
    }
    Ok(imported)
}

/// Whether a deployment would change what the stage serves; a stage that is not there serves nothing.
async fn differs(client: &mut Client, api: &str, stage: &str) -> Result<bool, CliError> {
    let address = v1::StageAddress { rest_api_id: api.to_owned(), stage_name: stage.to_owned() };
    let changes = client.rpc().list_undeployed_changes(address).await;
    match client.told(changes) {
        Ok(found) => Ok(!found.changes.is_empty()),
        Err(CliError::Refused { name, .. }) if name == "NotFoundException" => Ok(true),
        Err(other) => Err(other),
    }
}

pub(super) async fn run(client: &mut Client, arguments: Arguments) -> Result<Shown, CliError> {
    let stage = arguments.stage.as_deref();
    let imported = apply(client, &arguments.file, arguments.name, stage).await?;
    let mut text = imported.words(stage);
    if imported.deployment.is_some() {
        text = format!("{text}, {}", client.settled(0, SETTLE).await?.words());
    }
    if stage.is_none() {
        text.push_str(&format!(
            "; serve it with `tidegate deploy {} --stage prod`",
            imported.api.id
        ));
    }
    let json = json!({
        "id": imported.api.id, "name": imported.api.name, "created": imported.created,
        "warnings": imported.warnings, "stage": stage, "deployment": imported.deployment,
    });
    Ok(Shown { text, json })
}
