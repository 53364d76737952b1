//! `tidegate diff`.

use serde_json::json;
use tidegate_proto::v1;

use super::changes::Paint;
use super::client::Client;
use super::error::CliError;
use super::{Shown, changes};

/// Arguments of `tidegate diff`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["stage", "from"]))]
pub(super) struct Arguments {
    /// The API's id or its name
    api: String,
    /// What a deployment to this stage would change
    #[arg(long, conflicts_with = "to")]
    stage: Option<String>,
    /// A deployment, see `tidegate deployments`; the one to begin with
    #[arg(long, value_name = "DEPLOYMENT", requires = "to")]
    from: Option<String>,
    /// The deployment to arrive at
    #[arg(long, value_name = "DEPLOYMENT", requires = "from")]
    to: Option<String>,
}

pub(super) async fn run(
    client: &mut Client,
    arguments: Arguments,
    colour: bool,
) -> Result<Shown, CliError> {
    let api = client.api(&arguments.api).await?;
    let compared = match (arguments.stage, arguments.from, arguments.to) {
        (Some(stage), ..) => undeployed(client, &api, stage).await?,
        (None, from, to) => {
            deployments(client, &api, from.unwrap_or_default(), to.unwrap_or_default()).await?
        }
    };
    let Compared { old, new, same, from, to, changes } = compared;
    let text = if changes.is_empty() {
        same
    } else {
        let mut lines = vec![
            Paint::Red.on(&format!("--- {old}"), colour),
            Paint::Green.on(&format!("+++ {new}"), colour),
        ];
        lines.extend(changes::lines(&changes, colour));
        lines.push(changes::count(&changes));
        lines.join("\n")
    };
    let json = json!({ "api": api.id, "from": from, "to": to, "changes": changes::json(&changes) });
    Ok(Shown { text, json })
}

/// Two configurations and what they differ in.
struct Compared {
    /// What they are, in words.
    old: String,
    new: String,
    /// What to say if they do not differ.
    same: String,
    /// Their deployments' ids; none of what is not deployed.
    from: String,
    to: Option<String>,
    changes: Vec<v1::UndeployedChange>,
}

async fn undeployed(
    client: &mut Client,
    api: &v1::RestApi,
    stage: String,
) -> Result<Compared, CliError> {
    let address = v1::StageAddress { rest_api_id: api.id.clone(), stage_name: stage.clone() };
    let found = client.rpc().list_undeployed_changes(address).await;
    let v1::UndeployedChanges { deployment_id, changes } = client.told(found)?;
    Ok(Compared {
        old: format!("deployment {deployment_id} (stage {stage})"),
        new: format!("{} ({}) as it is now", api.name, api.id),
        same: format!(
            "nothing to deploy: stage {stage} has deployment {deployment_id}, which is the API as it is now"
        ),
        from: deployment_id,
        to: None,
        changes,
    })
}

async fn deployments(
    client: &mut Client,
    api: &v1::RestApi,
    from: String,
    to: String,
) -> Result<Compared, CliError> {
    let request = v1::CompareDeploymentsRequest {
        rest_api_id: api.id.clone(),
        from_deployment_id: from.clone(),
        to_deployment_id: to.clone(),
    };
    let found = client.rpc().compare_deployments(request).await;
    Ok(Compared {
        old: format!("deployment {from}"),
        new: format!("deployment {to}"),
        same: format!("deployments {from} and {to} serve the same"),
        from,
        to: Some(to),
        changes: client.told(found)?.changes,
    })
}
