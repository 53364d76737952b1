//! `tidegate deploy`.

use serde_json::json;
use tidegate_proto::v1;

use super::Shown;
use super::client::{Client, SETTLE};
use super::error::CliError;

/// Arguments of `tidegate deploy`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The API's id or its name
    api: String,
    /// The stage; made if there is none of that name
    #[arg(long)]
    stage: String,
    /// Why, for the history
    #[arg(long)]
    description: Option<String>,
}

pub(super) async fn run(client: &mut Client, arguments: Arguments) -> Result<Shown, CliError> {
    let api = client.api(&arguments.api).await?;
    let request = v1::CreateDeploymentRequest {
        rest_api_id: api.id.clone(),
        stage_name: arguments.stage.clone(),
        description: arguments.description.unwrap_or_default(),
        ..v1::CreateDeploymentRequest::default()
    };
    let deployment = client.rpc().create_deployment(request).await;
    let deployment = client.told(deployment)?.id;
    let stage = v1::StageAddress { rest_api_id: api.id.clone(), stage_name: arguments.stage };
    let stage = client.rpc().get_stage(stage).await;
    let stage = client.told(stage)?;
    let canary = stage.canary.as_ref().filter(|canary| canary.deployment_id == deployment);
    let role = match canary {
        Some(canary) => format!(
            "is the canary of stage {} with {} percent",
            stage.stage_name, canary.percent_traffic
        ),
        None => format!("serves stage {}", stage.stage_name),
    };
    let settled = client.settled(0, SETTLE).await?;
    let text =
        format!("deployment {deployment} of {} ({}) {role}, {}", api.name, api.id, settled.words());
    let json = json!({
        "api": api.id, "deployment": deployment, "stage": stage.stage_name, "canary": canary.is_some(),
        "nodes": { "serving": settled.serving, "connected": settled.connected },
    });
    Ok(Shown { text, json })
}
