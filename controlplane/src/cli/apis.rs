//! `tidegate apis`.

use serde_json::json;

use super::client::Client;
use super::error::CliError;
use super::table::Table;
use super::{Shown, time};

pub(super) async fn run(client: &mut Client) -> Result<Shown, CliError> {
    let apis = client.apis().await?;
    let mut table = Table::new(&["ID", "NAME", "ENDPOINT", "CREATED", "DESCRIPTION"]);
    let mut list = Vec::new();
    for api in apis {
        let endpoint = api.endpoint_configuration.unwrap_or_default().r#type;
        let created = time::seconds(api.created_date);
        list.push(json!({
            "id": api.id, "name": api.name, "endpointType": endpoint, "createdDate": created,
            "description": api.description, "version": api.version, "tags": api.tags,
        }));
        table.row([api.id, api.name, endpoint, created, api.description]);
    }
    let text =
        table.or("there are no APIs yet; bring one in with `tidegate import FILE --stage prod`");
    Ok(Shown { text, json: list.into() })
}
