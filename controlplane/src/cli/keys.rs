//! `tidegate keys`.

use std::path::Path;

use serde_json::{Value, json};
use tidegate_proto::v1;

use super::client::Client;
use super::error::CliError;
use super::table::{Table, harmless};
use super::{Shown, time};

/// Arguments of `tidegate keys`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key and show its secret, this once
    Create {
        /// The user it acts as, in messages and in policies' ${aws:username}; several keys may share one
        #[arg(long)]
        name: Option<String>,
        /// What it may do: a file with a policy in AWS's language, or admin or read-only
        #[arg(long, value_name = "FILE|NAME", default_value = DEFAULT_POLICY)]
        policy: String,
    },
    /// List the keys
    List,
    /// Show a key and its policy
    Show(Address),
    /// Refuse calls with a key from now on
    Disable(Address),
    /// Accept calls with a key again
    Enable(Address),
    /// Give a key another policy
    Policy {
        #[command(flatten)]
        key: Address,
        /// What it may do: a file with a policy in AWS's language, or admin or read-only
        #[arg(long, value_name = "FILE|NAME")]
        policy: String,
    },
    /// Delete a key for good
    Delete(Address),
}

#[derive(Debug, clap::Args)]
struct Address {
    /// The key's id, AKIA...
    id: String,
}

pub(super) async fn run(client: &mut Client, arguments: Arguments) -> Result<Shown, CliError> {
    match arguments.command {
        Command::Create { name, policy } => create(client, name, policy).await,
        Command::List => list(client).await,
        Command::Show(key) => {
            let found = client.rpc().get_access_key(v1::AccessKeyAddress { id: key.id }).await;
            let key = client.told(found)?;
            let text = format!("{}\n\n{}", table([&key]).or(""), policy(&key));
            Ok(Shown { text, json: shown(&key) })
        }
        Command::Disable(key) => {
            let changed = change(client, key, Some(false), None).await?;
            told(&changed, "is disabled: calls with it are refused from now on")
        }
        Command::Enable(key) => {
            let changed = change(client, key, Some(true), None).await?;
            told(&changed, "is enabled")
        }
        Command::Policy { key, policy } => {
            let changed = change(client, key, None, Some(document(&policy)?)).await?;
            told(&changed, &format!("has the policy {} now", policy_name(&changed)))
        }
        Command::Delete(key) => {
            let address = v1::AccessKeyAddress { id: key.id.clone() };
            let deleted = client.rpc().delete_access_key(address).await;
            client.told(deleted)?;
            let text = format!("access key {} is deleted", harmless(&key.id));
            Ok(Shown { text, json: json!({ "id": key.id, "deleted": true }) })
        }
    }
}

async fn create(
    client: &mut Client,
    name: Option<String>,
    policy: String,
) -> Result<Shown, CliError> {
    let request =
        v1::CreateAccessKeyRequest { name: name.unwrap_or_default(), policy: document(&policy)? };
    let made = client.rpc().create_access_key(request).await;
    let v1::CreateAccessKeyResponse { access_key, secret_access_key } = client.told(made)?;
    let key = access_key.unwrap_or_default();
    let text = format!(
        "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={secret_access_key}\n\nThe secret is not shown again. The key's policy is {}; change it with `tidegate keys policy {} --policy FILE|NAME`.",
        key.id,
        policy_name(&key),
        key.id,
    );
    let mut json = shown(&key);
    json["secretAccessKey"] = secret_access_key.into();
    Ok(Shown { text, json })
}

async fn list(client: &mut Client) -> Result<Shown, CliError> {
    let listed = client.rpc().list_access_keys(v1::ListAccessKeysRequest {}).await;
    let keys = client.told(listed)?.access_keys;
    let text = table(&keys).or(
        "there are no access keys; make one with `tidegate keys create --name NAME --policy admin`",
    );
    Ok(Shown { text, json: keys.iter().map(shown).collect() })
}

async fn change(
    client: &mut Client,
    key: Address,
    enabled: Option<bool>,
    policy: Option<String>,
) -> Result<v1::AccessKey, CliError> {
    let request = v1::UpdateAccessKeyRequest { id: key.id, enabled, policy };
    let changed = client.rpc().update_access_key(request).await;
    client.told(changed)
}

fn told(key: &v1::AccessKey, what: &str) -> Result<Shown, CliError> {
    Ok(Shown { text: format!("access key {} {what}", key.id), json: shown(key) })
}

/// A file's text, unless it is a name that needs no file.
fn document(given: &str) -> Result<String, CliError> {
    let path = Path::new(given);
    let is_name = given.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !path.exists();
    if is_name {
        return Ok(given.to_owned());
    }
    std::fs::read_to_string(path).map_err(|cause| CliError::File { path: path.to_owned(), cause })
}

fn table<'k>(keys: impl IntoIterator<Item = &'k v1::AccessKey>) -> Table {
    let mut table = Table::new(&["ID", "NAME", "STATE", "POLICY", "CREATED", "LAST USED"]);
    for key in keys {
        table.row([
            key.id.clone(),
            key.name.clone(),
            if key.enabled { "enabled" } else { "disabled" }.to_owned(),
            policy_name(key).to_owned(),
            time::seconds(key.created_date),
            time::seconds(key.last_used_date),
        ]);
    }
    table
}

fn policy_name(key: &v1::AccessKey) -> &str {
    if key.policy_name.is_empty() { "its own" } else { &key.policy_name }
}

/// The document with the usual spacing.
fn policy(key: &v1::AccessKey) -> String {
    let value: Value = serde_json::from_str(&key.policy).unwrap_or_default();
    format!("{value:#}")
}

fn shown(key: &v1::AccessKey) -> Value {
    let policy: Value = serde_json::from_str(&key.policy).unwrap_or_default();
    json!({
        "id": key.id, "name": key.name, "enabled": key.enabled,
        "createdDate": time::seconds(key.created_date), "lastUsedDate": time::seconds(key.last_used_date),
        "policyName": key.policy_name, "policy": policy,
    })
}

/// Who forgets to say may look and not touch.
const DEFAULT_POLICY: &str = "read-only";
