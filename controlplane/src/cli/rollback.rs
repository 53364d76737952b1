//! `tidegate rollback`.

use serde_json::json;
use tidegate_proto::v1;

use super::Shown;
use super::client::{Client, SETTLE};
use super::error::CliError;

/// Arguments of `tidegate rollback`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The API's id or its name
    api: String,
    /// The stage
    #[arg(long)]
    stage: String,
    /// The deployment to serve, see `tidegate deployments`; the one made before the stage's own if not given
    #[arg(long, value_name = "DEPLOYMENT")]
    to: Option<String>,
}

pub(super) async fn run(client: &mut Client, arguments: Arguments) -> Result<Shown, CliError> {
    let api = client.api(&arguments.api).await?;
    let request = v1::RollbackRequest {
        rest_api_id: api.id.clone(),
        stage_name: arguments.stage,
        deployment_id: arguments.to.unwrap_or_default(),
    };
    let done = client.rpc().rollback(request).await;
    let done = client.told(done)?;
    let stage = done.stage.unwrap_or_default();
    let settled = client.settled(0, SETTLE).await?;
    let text = format!(
        "stage {} of {} ({}) is back at deployment {}, {}; `tidegate rollback {} --stage {} --to {}` undoes this",
        stage.stage_name,
        api.name,
        api.id,
        stage.deployment_id,
        settled.words(),
        api.id,
        stage.stage_name,
        done.replaced_deployment_id,
    );
    let json = json!({
        "api": api.id, "stage": stage.stage_name, "deployment": stage.deployment_id,
        "replaced": done.replaced_deployment_id,
        "nodes": { "serving": settled.serving, "connected": settled.connected },
    });
    Ok(Shown { text, json })
}
