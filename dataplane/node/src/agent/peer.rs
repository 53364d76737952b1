//! The stream for what is for this node alone: explain and, later, tests and posts to connections.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tidegate_proto::v1::{self, peer_reply::Kind as Up, peer_request::Kind as Down};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use super::Shared;

/// Keeps the stream for as long as its session lasts.
pub(super) async fn run(
    shared: &Arc<Shared>,
    mut client: v1::sync_client::SyncClient<Channel>,
    hello: v1::Hello,
) -> Infallible {
    loop {
        if let Err(status) = talk(shared, &mut client, hello.clone()).await {
            tracing::debug!(%status, "the peer stream ended");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn talk(
    shared: &Arc<Shared>,
    client: &mut v1::sync_client::SyncClient<Channel>,
    hello: v1::Hello,
) -> Result<(), Box<tonic::Status>> {
    let (out, replies) = mpsc::channel(OUT);
    let send = |id, kind| {
        let unread =
            || tonic::Status::resource_exhausted("the control plane does not read replies");
        out.try_send(v1::PeerReply { id, kind: Some(kind) }).map_err(|_| Box::new(unread()))
    };
    send(0, Up::Hello(hello))?;
    let mut requests = client.peer(ReceiverStream::new(replies)).await?.into_inner();
    while let Some(request) = requests.message().await? {
        let reply = match request.kind {
            Some(Down::Explain(ask)) => explain(shared, ask).unwrap_or_else(Up::Refused),
            Some(Down::Post(_)) => Up::Refused("this node has no WebSocket connections".to_owned()),
            // An answer to a question this node never asks.
            Some(Down::Lease(_)) => continue,
            None => Up::Refused("this version of the node does not know the request".to_owned()),
        };
        send(request.id, reply)?;
    }
    Ok(())
}

fn explain(shared: &Shared, ask: v1::ExplainOnNode) -> Result<Up, String> {
    let explain = shared.config.explain.as_ref().ok_or("this node does not explain")?;
    let request = ask.request.ok_or("there is no request to explain")?;
    let world = shared.publication.load();
    // The request comes from a person; whatever it does to the engine must stay here.
    let run = std::panic::AssertUnwindSafe(|| explain(&world, request));
    std::panic::catch_unwind(run)
        .unwrap_or_else(|_| Err("explaining it panicked; the node's log has the place".to_owned()))
        .map(Up::Explained)
}

/// Replies that may wait.
const OUT: usize = 16;

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(5);
