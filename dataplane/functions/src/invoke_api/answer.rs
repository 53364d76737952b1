//! Answers to callers.

use axum::body::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::declaration::Declaration;
use crate::error::{CallError, FunctionError};
use crate::event_stream::{self, invoke_complete, payload_chunk};
use crate::invocation::{Ending, Piece};
use crate::runtime_api::{RESPONSE_LIMIT, response_too_large};

/// The answer of an invocation, when it is whole.
pub(super) async fn whole(
    id: &str,
    declaration: &Declaration,
    mut pieces: mpsc::Receiver<Piece>,
    tail: bool,
) -> Response<Body> {
    let mut body = Bytes::new();
    let mut more = BytesMut::new();
    let mut size = 0;
    // An ending always comes, unless the host itself has failed.
    let failed = FunctionError::new("Runtime.Unknown", "The function host failed");
    let mut ending = Ending { error: Some(failed), tail: Vec::new() };
    while let Some(piece) = pieces.recv().await {
        match piece {
            // Streams are read to their end, though no more of them is kept than fits.
            Piece::Chunk(chunk) => {
                size += chunk.len();
                if size > RESPONSE_LIMIT {
                    continue;
                }
                if body.is_empty() && more.is_empty() {
                    body = chunk;
                } else {
                    more.extend_from_slice(&std::mem::take(&mut body));
                    more.extend_from_slice(&chunk);
                }
            }
            Piece::End(end) => ending = end,
        }
    }
    if !more.is_empty() {
        body = more.freeze();
    }
    if size > RESPONSE_LIMIT && ending.error.is_none() {
        ending.error = Some(response_too_large(size as u64));
    }
    let mut response = executed(id);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    if let Some(error) = &ending.error {
        headers.insert("x-amz-function-error", HeaderValue::from_static(error.header()));
        body = error.body.clone();
    }
    if tail && let Ok(log) = HeaderValue::from_str(&log(id, declaration, &ending.tail)) {
        headers.insert("x-amz-log-result", log);
    }
    *response.body_mut() = Body::from(body);
    response
}

/// The answer of an invocation as it comes. `memory` is held until its end.
pub(super) fn streamed(
    id: &str,
    pieces: mpsc::Receiver<Piece>,
    tail: bool,
    memory: OwnedSemaphorePermit,
) -> Response<Body> {
    let messages = ReceiverStream::new(pieces).map(move |piece| {
        let _held = &memory;
        Ok::<_, std::convert::Infallible>(match piece {
            Piece::Chunk(chunk) => payload_chunk(&chunk),
            Piece::End(ending) => invoke_complete(&complete(&ending, tail)),
        })
    });
    let mut response = executed(id);
    *response.body_mut() = Body::from_stream(messages);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(event_stream::MEDIA_TYPE));
    response
}

/// What `InvokeComplete` says. Source: Lambda API Reference, `InvokeWithResponseStreamCompleteEvent`.
fn complete(ending: &Ending, tail: bool) -> Vec<u8> {
    let mut event = serde_json::Map::new();
    if let Some(FunctionError { kind, body }) = &ending.error {
        event.insert("ErrorCode".to_owned(), json!(kind));
        event.insert("ErrorDetails".to_owned(), json!(String::from_utf8_lossy(body)));
    }
    if tail {
        event.insert("LogResult".to_owned(), json!(BASE64_STANDARD.encode(&ending.tail)));
    }
    serde_json::Value::Object(event).to_string().into_bytes()
}

/// The end of an invocation's log in base64, framed as Lambda frames it.
fn log(id: &str, declaration: &Declaration, tail: &[u8]) -> String {
    let printed = String::from_utf8_lossy(tail);
    let memory = declaration.memory_mb;
    let text = format!(
        "START RequestId: {id} Version: $LATEST\n{printed}END RequestId: {id}\nREPORT RequestId: {id}\tMemory Size: {memory} MB\t\n"
    );
    let text = text.as_bytes();
    BASE64_STANDARD.encode(&text[text.len().saturating_sub(4096)..])
}

/// An answer without a body.
pub(super) fn empty(id: &str, status: u16) -> Response<Body> {
    let mut response = executed(id);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// JSON about functions.
pub(super) fn json(id: &str, value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    identify(&mut response, id);
    response
}

/// The answer to a call that no function gets to see.
pub(super) fn refuse(id: &str, error: &CallError) -> Response<Body> {
    let (status, kind, body) = error.answer();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
    identify(&mut response, id);
    response
}

fn executed(id: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
    identify(&mut response, id);
    response
}

fn identify(response: &mut Response<Body>, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
