//! `tidegate stages`.

use serde_json::json;
use tidegate_proto::v1;

use super::client::Client;
use super::error::CliError;
use super::table::Table;
use super::{Shown, time};

/// Arguments of `tidegate stages`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The API's id or its name
    api: String,
    /// Also say what the undeployed changes are
    #[arg(long)]
    changes: bool,
}

pub(super) async fn run(client: &mut Client, arguments: Arguments) -> Result<Shown, CliError> {
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
        let changes = client.rpc().list_undeployed_changes(address).await;
        let changes = client.told(changes)?.changes;
        let lines: Vec<String> = changes.iter().flat_map(words).collect();
        if arguments.changes && !lines.is_empty() {
            told.push(format!("\n{}:\n  {}", stage.stage_name, lines.join("\n  ")));
        }
        let canary = stage.canary.as_ref();
        let created = time::seconds(stage.created_date);
        list.push(json!({
            "stage": stage.stage_name, "deployment": stage.deployment_id,
            "canary": canary.map(|c| json!({ "deployment": c.deployment_id, "percent": c.percent_traffic })),
            "createdDate": created, "variables": stage.variables,
            "undeployedChanges": changes.iter().map(shown).collect::<Vec<_>>(),
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

fn sign(change: &v1::UndeployedChange) -> &'static str {
    match change.difference() {
        v1::Difference::Added => "added",
        v1::Difference::Removed => "removed",
        v1::Difference::Changed | v1::Difference::Unspecified => "changed",
    }
}

fn words(change: &v1::UndeployedChange) -> Vec<String> {
    let mut lines = vec![format!("{} {}", sign(change), change.subject)];
    lines.extend(change.members.iter().map(|member| {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        format!("  {}: {} -> {}", member.member, side(&member.old), side(&member.new))
    }));
    lines
}

fn shown(change: &v1::UndeployedChange) -> serde_json::Value {
    let value = |text: &Option<String>| -> serde_json::Value {
        text.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    let members = change.members.iter().map(|member| {
        json!({ "member": member.member, "old": value(&member.old), "new": value(&member.new) })
    });
    json!({
        "subject": change.subject, "difference": sign(change),
        "members": members.collect::<Vec<_>>(),
    })
}
