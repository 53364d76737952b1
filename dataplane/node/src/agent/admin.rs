//! The node's admin port: health and metrics over HTTP/1.1.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{Link, Shared, Status};

/// Serves the port until the runtime ends.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(cause) => {
            tracing::error!(%cause, "the node admin port cannot be served");
            return;
        }
    };
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(cause) => {
                // Out of descriptors, as a rule: a pause lets some come back.
                tracing::debug!(%cause, "the node admin port cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move { Ok::<_, Infallible>(answer(&shared, &request).await) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .max_buf_size(MAX_HEAD)
                .serve_connection(TokioIo::new(stream), service);
            // A scraper that breaks off is its own affair.
            let _ = tokio::time::timeout(LIFETIME, served).await;
            drop(permit);
        });
    }
}

async fn answer(shared: &Arc<Shared>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response =
            text(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "method not allowed\n".to_owned());
        response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/_tidegate/health" => {
            let status = shared.status();
            let code = match () {
                () if status.ready && !status.draining => StatusCode::OK,
                () => StatusCode::SERVICE_UNAVAILABLE,
            };
            text(code, "application/json", health(&status, &shared.config.driver))
        }
        "/metrics" | "/_tidegate/metrics" => {
            // Renderers may wait for workers; the streams do not.
            let shared = shared.clone();
            let rendered = tokio::task::spawn_blocking(move || {
                let mut out = String::new();
                shared.render(&mut out);
                shared.renderers.iter().for_each(|render| render(&mut out));
                out
            });
            let Ok(out) = rendered.await else {
                return text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "text/plain",
                    "metrics cannot be rendered\n".to_owned(),
                );
            };
            text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", out)
        }
        _ => text(
            StatusCode::NOT_FOUND,
            "text/plain",
            "try /_tidegate/health or /metrics\n".to_owned(),
        ),
    }
}

fn health(status: &Status, driver: &str) -> String {
    let word = match status {
        Status { draining: true, .. } => "draining",
        Status { ready: true, .. } => "serving",
        _ => "starting",
    };
    let revision =
        status.revision.map(|held| json!({ "epoch": held.epoch, "sequence": held.sequence }));
    let refusals: Vec<_> = status
        .refusals
        .iter()
        .map(|held| json!({ "key": held.key, "reason": held.reason }))
        .collect();
    let control_plane = status.control_plane.as_ref().map(|held| {
        json!({
            "state": match held.link { Link::Connected => "connected", Link::Disconnected => "disconnected" },
            "since_ms": held.since_ms,
            "error": held.error,
        })
    });
    let mut body = json!({
        "status": word,
        "node": status.node,
        "revision": revision,
        "apis": status.apis,
        "refusals": refusals,
        "control_plane": control_plane,
        "driver": driver,
    })
    .to_string();
    body.push('\n');
    body
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
    response
}

/// Connections at once: a few scrapers and a load balancer's probes.
const CONNECTIONS: usize = 64;

/// Most a caller may take to send its head.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection is closed after this, whoever holds it.
const LIFETIME: Duration = Duration::from_secs(300);

/// Bytes of a request's head; hyper asks for at least 8,192.
const MAX_HEAD: usize = 16 << 10;
