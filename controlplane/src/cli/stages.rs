//! `tidegate stages`.

use serde_json::json;
use tidegate_proto::v1;

use super::client::Client;
use super::error::CliError;
use super::table::Table;
use super::{Shown, changes, time};

/// Arguments of `tidegate stages`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The API's id or its name
    api: String,
    /// Also say what the undeployed changes are
    #[arg(long)]
    changes: bool,
}

pub(super) async fn run(
    client: &mut Client,
    arguments: Arguments,
    colour: bool,
) -> Result<Shown, CliError> {
    let api = client.api(&arguments.api).await?;
    let request =
        v1::GetStagesRequest { rest_api_id: api.id.clone(), deployment_id: String::new() };
    let stages = client.rpc().get_stages(request).await;
    let stages = client.told(stages)?.items;
    let mut table = Table::new(&["STAGE", "DEPLOYMENT", "CANARY", "CREATED", "UNDEPLOYED CHANGES"]);
    let (mut list, mut told) = (Vec::new(), Vec::new());
    for stage in stages {
        let address =
            v1::StageAddress { rest_api_id: api.id.clone(), stage_name: stage.stage_name.clone() };
        let undeployed = client.rpc().list_undeployed_changes(address).await;
        let changes = client.told(undeployed)?.changes;
        if arguments.changes && !changes.is_empty() {
            let lines = changes::lines(&changes, colour);
            told.push(format!("\n{}:\n{}", stage.stage_name, lines.join("\n")));
        }
        let canary = stage.canary.as_ref();
        let created = time::seconds(stage.created_date);
        list.push(json!({
            "stage": stage.stage_name, "deployment": stage.deployment_id,
            "canary": canary.map(|c| json!({ "deployment": c.deployment_id, "percent": c.percent_traffic })),
            "createdDate": created, "variables": stage.variables,
            "undeployedChanges": changes::json(&changes),
        }));
        table.row([
            stage.stage_name,
            stage.deployment_id,
            canary
                .map(|c| format!("{} ({}%)", c.deployment_id, c.percent_traffic))
                .unwrap_or_default(),
            created,
            changes.len().to_string(),
        ]);
    }
    let nothing = format!(
        "{} ({}) has no stages; serve it with `tidegate deploy {} --stage prod`",
        api.name, api.id, api.id
    );
    let text = std::iter::once(table.or(&nothing)).chain(told).collect::<Vec<_>>().join("\n");
    Ok(Shown { text, json: list.into() })
}
