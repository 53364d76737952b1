//! `tidegate deployments`.

use serde_json::json;
use tidegate_proto::v1;

use super::client::Client;
use super::error::CliError;
use super::table::Table;
use super::{Shown, time};

/// Arguments of `tidegate deployments`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The API's id or its name
    api: String,
}

pub(super) async fn run(client: &mut Client, arguments: Arguments) -> Result<Shown, CliError> {
    let api = client.api(&arguments.api).await?;
    let address = v1::RestApiAddress { rest_api_id: api.id.clone() };
    let history = client.rpc().list_deployment_history(address).await;
    let mut table = Table::new(&["DEPLOYMENT", "CREATED", "SERVES", "DESCRIPTION"]);
    let mut list = Vec::new();
    for used in client.told(history)?.deployments {
        let deployment = used.deployment.unwrap_or_default();
        let created = time::seconds(deployment.created_date);
        let canaries = used.canary_of.iter().map(|stage| format!("{stage} (canary)"));
        let serves: Vec<String> = used.stages.iter().cloned().chain(canaries).collect();
        list.push(json!({
            "deployment": deployment.id, "createdDate": created, "stages": used.stages,
            "canaryOf": used.canary_of, "description": deployment.description,
        }));
        table.row([deployment.id, created, serves.join(", "), deployment.description]);
    }
    let nothing = format!(
        "{} ({}) was never deployed; serve it with `tidegate deploy {} --stage prod`",
        api.name, api.id, api.id
    );
    Ok(Shown { text: table.or(&nothing), json: list.into() })
}
