//! A web application of axum as a Lambda function of `lambda_http`: what `runtime = "bootstrap"` runs.
//!
//! With `STREAM=1` it answers bit by bit, for integrations whose response transfer mode is `STREAM`. `lambda_http` puts the stage
//! before the path, unless `AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH=true`.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let app = Router::new()
        .route("/echo/{name}", post(echo))
        .route("/reverse", post(reverse))
        .route("/boom", get(boom))
        .route("/ticks", get(ticks));
    if std::env::var_os("STREAM").is_some() {
        lambda_http::run_with_streaming_response(app).await
    } else {
        lambda_http::run(app).await
    }
}

/// What was asked, as JSON; and two cookies.
async fn echo(
    Path(name): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> impl IntoResponse {
    let of = |name: &str| {
        headers.get_all(name).iter().map(|v| v.to_str().unwrap_or_default()).collect::<Vec<_>>()
    };
    let cookies = AppendHeaders([(header::SET_COOKIE, "a=1"), (header::SET_COOKIE, "b=2; Path=/")]);
    let said = json!({ "name": name, "query": query, "x": of("x-test").join(","), "cookie": of("cookie").join(";"), "body": body });
    (StatusCode::CREATED, cookies, [(HeaderName::from_static("x-app"), "axum")], Json(said))
}

/// The bytes backwards.
async fn reverse(body: Bytes) -> impl IntoResponse {
    let reversed: Vec<u8> = body.iter().rev().copied().collect();
    ([(header::CONTENT_TYPE, "image/png")], reversed)
}

/// An application that fails by itself.
async fn boom() -> impl IntoResponse {
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "boom" })))
}

/// A line each tenth of a second.
async fn ticks() -> impl IntoResponse {
    let lines = tokio_stream::iter(0..5).throttle(Duration::from_millis(100));
    let body =
        Body::from_stream(lines.map(|n| Ok::<_, std::convert::Infallible>(format!("tick {n}\n"))));
    let cookies = AppendHeaders([(header::SET_COOKIE, "a=1"), (header::SET_COOKIE, "b=2")]);
    (StatusCode::CREATED, cookies, [(header::CONTENT_TYPE, "text/plain")], body)
}
