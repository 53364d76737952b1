//! `tidegate settings`: what an API has beyond AWS.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use tidegate_proto::v1;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use crate::compile::settings;
use crate::model::ApiSettings;

/// Arguments of `tidegate settings`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The API's id or its name
    api: String,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show them as JSON; also what happens without a command
    Get,
    /// Replace all of them by a JSON file
    Set {
        /// The file; `-` is standard input
        file: PathBuf,
    },
    /// Take one back
    Unset {
        /// Which one
        #[arg(value_parser = ["cors", "endpoints", "limits", "responseValidation"])]
        name: String,
    },
}

pub(super) async fn run(client: &mut Client, arguments: Arguments) -> Result<Shown, CliError> {
    let api = client.api(&arguments.api).await?;
    let (settings, done) = match arguments.command {
        None | Some(Command::Get) => {
            let found = client.rpc().get_api_settings(address(&api)).await;
            (client.told(found)?, None)
        }
        Some(Command::Set { file }) => {
            let given: ApiSettings = serde_json::from_str(&text(&file)?)
                .map_err(|why| CliError::Usage(format!("{}: {why}", file.display())))?;
            let settings = Some(settings::message(&given));
            let request = v1::PutApiSettingsRequest { rest_api_id: api.id.clone(), settings };
            let put = client.rpc().put_api_settings(request).await;
            (client.told(put)?, Some("set"))
        }
        Some(Command::Unset { name }) => {
            let step = v1::PatchOperation {
                op: "remove".into(),
                path: format!("/tidegate/{name}"),
                ..Default::default()
            };
            let request = v1::UpdateRestApiRequest {
                rest_api_id: api.id.clone(),
                patch_operations: vec![step],
            };
            let changed = client.rpc().update_rest_api(request).await;
            (client.told(changed)?.settings.unwrap_or_default(), Some("taken back"))
        }
    };
    let json = json!(settings::read(settings).map_err(CliError::Usage)?);
    let shown = format!("{json:#}");
    let text = match done {
        Some(done) => format!(
            "{shown}\n{done} for {} ({}); takes effect with `tidegate deploy {} --stage STAGE`",
            api.name, api.id, api.id
        ),
        None => shown,
    };
    Ok(Shown { text, json })
}

fn address(api: &v1::RestApi) -> v1::RestApiAddress {
    v1::RestApiAddress { rest_api_id: api.id.clone() }
}

fn text(file: &Path) -> Result<String, CliError> {
    let read = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|cause| CliError::File { path: file.to_owned(), cause })
}
