//! What a function is asked, and what comes back.

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http_body_util::BodyExt as _;

use crate::error::FunctionError;

/// One invocation of a function.
#[derive(Debug)]
pub struct Request {
    /// A UUID; the function's logs and errors name it.
    pub id: String,
    /// JSON.
    pub event: Bytes,
    /// How the caller named the function, with its qualifier if there was one.
    pub arn: HeaderValue,
    /// `X-Amzn-Trace-Id`.
    pub trace: HeaderValue,
    /// JSON from the caller's SDK.
    pub client_context: Option<HeaderValue>,
}

/// A part of what comes back, in order.
#[derive(Debug)]
pub enum Piece {
    /// Bytes of the answer.
    Chunk(Bytes),
    /// Nothing follows.
    End(Ending),
}

/// How an invocation ended.
#[derive(Debug)]
pub struct Ending {
    /// What went wrong, if something did. What came before it is no answer.
    pub error: Option<FunctionError>,
    /// The last 4 KiB of the invocation's log.
    pub tail: Vec<u8>,
}

/// Why a body is not there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It has so many bytes, as far as one looked.
    TooLarge(u64),
    /// It ended before its end.
    Broken,
}

/// Reads a body of at most `limit` bytes. What is too long is read and forgotten, within reason, so that the sender gets to read
/// the answer.
pub(crate) async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let announced = body.size_hint().exact();
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut size = 0_u64;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        size += data.len() as u64;
        if size > limit as u64 {
            if size > FORGOTTEN {
                break;
            }
        } else if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(announced.map_or(0, |bytes| bytes.min(limit as u64) as usize));
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    if size > limit as u64 {
        return Err(BodyError::TooLarge(announced.unwrap_or(size).max(size)));
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

/// Reads a body that nobody wants: a connection with an unread body cannot go on.
pub(crate) async fn forget(body: Body) {
    // What becomes of it is the same to everybody.
    let _ = collect(body, 0).await;
}

/// Most bytes that are read only to be polite.
const FORGOTTEN: u64 = 64 << 20;
