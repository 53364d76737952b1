//! Serving a router over HTTP/1.1, the only version that runtimes, AWS's SDKs and the gateway speak to this host.

use std::convert::Infallible;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

/// Serves for ever. Connections are tasks of their own and outlive this one.
pub(crate) async fn serve(mut listener: TcpListener, router: Router) -> Infallible {
    let service = TowerToHyperService::new(router);
    loop {
        // axum's listener sits out what accepting can fail of.
        let (stream, _) = Listener::accept(&mut listener).await;
        // Small writes each way: waiting to fill a packet would cost 40 ms.
        let _ = stream.set_nodelay(true);
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
        // A peer that leaves is no concern of ours.
        tokio::spawn(async { drop(connection.await) });
    }
}
