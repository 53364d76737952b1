//! `tidegate nodes`.

use serde_json::json;
use tidegate_proto::v1;

use super::client::Client;
use super::error::CliError;
use super::table::Table;
use super::{Shown, time};

pub(super) async fn run(client: &mut Client) -> Result<Shown, CliError> {
    let listed = client.rpc().list_nodes(v1::ListNodesRequest {}).await;
    let listed = client.told(listed)?;
    let head = listed.head.unwrap_or_default();
    let mut table =
        Table::new(&["NODE", "STATE", "SERVES", "VERSION", "LISTENERS", "LABELS", "LAST SEEN"]);
    let (mut list, mut refused) = (Vec::new(), Vec::new());
    for node in listed.nodes {
        let state = if node.connected { "connected" } else { "gone" };
        let revision = node.revision.unwrap_or_default();
        let serves = if revision == head {
            "newest".to_owned()
        } else {
            format!("{} of {}", revision.sequence, head.sequence)
        };
        let seen = time::seconds(node.last_seen_ms / 1_000);
        let labels: Vec<String> =
            node.labels.iter().map(|label| format!("{}={}", label.name, label.value)).collect();
        for refusal in &node.refusals {
            refused.push(format!("{} refuses {}: {}", node.id, refusal.key, refusal.reason));
        }
        list.push(json!({
            "id": node.id, "connected": node.connected, "version": node.version,
            "revision": { "epoch": revision.epoch, "sequence": revision.sequence },
            "newest": revision == head, "listeners": node.listeners, "labels": labels,
            "lastSeen": seen,
            "refusals": node.refusals.iter().map(|r| json!({ "key": r.key, "reason": r.reason })).collect::<Vec<_>>(),
        }));
        table.row([
            node.id,
            state.to_owned(),
            serves,
            node.version,
            node.listeners.join(" "),
            labels.join(" "),
            seen,
        ]);
    }
    let mut text = table.or(
        "no node was ever connected; start one with `tidegate-node --control URL`, or everything with `tidegate up`",
    );
    if !refused.is_empty() {
        text = format!("{text}\n\n{}", refused.join("\n"));
    }
    Ok(Shown { text, json: list.into() })
}
