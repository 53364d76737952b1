//! The nodes, as their streams show them.

use tidegate_proto::v1;

use super::Management;
use super::error::Refused;
use crate::app::AppError;

/// ListNodes.
pub(super) async fn list_nodes(
    service: &Management,
    _: v1::ListNodesRequest,
) -> Result<v1::ListNodesResponse, Refused> {
    let store = service.app.store();
    let sequence = store.head().await.map_err(AppError::Store)?;
    let head = v1::Revision { epoch: store.epoch(), sequence };
    Ok(v1::ListNodesResponse { nodes: service.nodes.list(), head: Some(head) })
}
