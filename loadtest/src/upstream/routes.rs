//! What the origin answers on which path.

use std::{fmt::Write as _, time::Duration};

use sha2::{Digest, Sha256};

use super::pets;
use crate::http1::Request;

/// `/echo` repeats at most this much of a body.
pub const ECHO_BYTES: usize = 64 * 1024;

const JSON: &str = "application/json";

/// The answers that are prepared once.
#[derive(Debug)]
pub struct Site {
    plain: Vec<u8>,
    plain_body: usize,
    function: Vec<u8>,
}

/// Which answer a request gets, decided from its head; the body comes after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Plain,
    Echo(String),
    Upload,
    Status(u16),
    Delay(Duration),
    /// This many pattern bytes, in chunks or by length.
    Bytes {
        count: u64,
        chunked: bool,
    },
    Close,
    Reset,
    Hang,
    Json(u16, String),
    /// The plain answer, as a function of a proxy integration says it.
    Function,
}

/// What is known of a request's body once it is complete.
#[derive(Debug, Default)]
pub struct Received {
    pub bytes: u64,
    /// The first [`ECHO_BYTES`], kept for `/echo` only.
    pub text: Vec<u8>,
    /// Kept for `/upload` only.
    pub sha256: Option<Sha256>,
}

impl Site {
    pub fn new(body_bytes: usize) -> Self {
        let body = plain_body(body_bytes);
        let said = serde_json::json!({
            "statusCode": 200, "headers": { "Content-Type": JSON }, "body": body,
        });
        let function = said.to_string().into_bytes();
        let mut plain = Vec::new();
        write_response(&mut plain, 200, JSON, body.as_bytes(), true);
        Self { plain, plain_body: body.len(), function }
    }

    /// Writes the prepared answer. `head_only` for HEAD; closing ones are written by hand.
    pub fn write_plain(&self, out: &mut Vec<u8>, head_only: bool) {
        let end = if head_only { self.plain.len() - self.plain_body } else { self.plain.len() };
        out.extend_from_slice(&self.plain[..end]);
    }

    /// What the Invoke API says of a function that answers the plain body.
    pub fn function(&self) -> &[u8] {
        &self.function
    }

    pub fn plain_body(&self) -> &[u8] {
        &self.plain[self.plain.len() - self.plain_body..]
    }
}

/// Decides by path. Unknown paths are [`Route::Plain`]: any URL can be load-tested.
pub fn find(request: &Request<'_>) -> Route {
    let (first, rest) = match request.path.strip_prefix('/').unwrap_or("").split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (request.path.strip_prefix('/').unwrap_or(""), None),
    };
    let wrong = |hint: &str| Route::Json(400, format!("{{\"error\": \"{hint}\"}}\n"));
    match (first, rest) {
        ("echo", _) => Route::Echo(echo(request)),
        ("upload", None) => Route::Upload,
        ("close", None) => Route::Close,
        ("reset", None) => Route::Reset,
        ("hang", None) => Route::Hang,
        ("status", Some(code)) => match code.parse() {
            Ok(code @ 200..=599) => Route::Status(code),
            _ => wrong("status is a number from 200 to 599"),
        },
        ("delay", Some(ms)) => match ms.parse() {
            Ok(ms @ 0..=600_000) => Route::Delay(Duration::from_millis(ms)),
            _ => wrong("delay is milliseconds, at most 600000"),
        },
        ("bytes" | "chunked", Some(count)) => match count.parse() {
            Ok(count) => Route::Bytes { count, chunked: first == "chunked" },
            Err(_) => wrong("give a number of bytes"),
        },
        ("pets", None | Some("")) => Route::Json(200, pets::list()),
        ("pets", Some(id)) => match pets::one(id) {
            Some(pet) => Route::Json(200, pet),
            None => Route::Json(404, "{\"message\": \"no such pet\"}\n".to_owned()),
        },
        ("2015-03-31", Some(rest)) if rest.ends_with("/invocations") => Route::Function,
        _ => Route::Plain,
    }
}

/// The part of the echo that the head knows; [`finish_echo`] adds the body.
fn echo(request: &Request<'_>) -> String {
    let mut headers = serde_json::Map::new();
    let mut lines = request.headers;
    // Framing has read these lines before: they parse.
    while let Ok(Some((name, value))) = lines.next_header() {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let value = String::from_utf8_lossy(value).into_owned();
        match headers.entry(name) {
            serde_json::map::Entry::Vacant(slot) => {
                slot.insert(value.into());
            }
            serde_json::map::Entry::Occupied(mut seen) => {
                let joined = format!("{}, {value}", seen.get().as_str().unwrap_or_default());
                seen.insert(joined.into());
            }
        }
    }
    let (method, path, query) = (request.method, request.path, request.query);
    serde_json::json!({ "method": method, "path": path, "query": query, "headers": headers })
        .to_string()
}

pub fn finish_echo(head: &str, received: &Received) -> String {
    let body = serde_json::json!(String::from_utf8_lossy(&received.text));
    let open = head.strip_suffix('}').unwrap_or(head);
    format!("{open},\"bodyLength\":{},\"body\":{body}}}\n", received.bytes)
}

pub fn finish_upload(received: Received) -> String {
    let sum = received.sha256.unwrap_or_default().finalize();
    format!("{{\"length\": {}, \"sha256\": \"{}\"}}\n", received.bytes, hex::encode(sum))
}

/// Body for `/status/{code}`.
pub fn status_body(code: u16) -> String {
    format!("{{\"status\": {code}}}\n")
}

/// Writes a complete JSON answer; without its body for HEAD, and for statuses that have none.
pub fn write_json(out: &mut Vec<u8>, status: u16, body: &[u8], keep_alive: bool, head_only: bool) {
    let bare = matches!(status, 204 | 304);
    let start = out.len();
    if bare {
        write_head(out, status, "", keep_alive);
    } else {
        write_response(out, status, JSON, body, keep_alive);
        if head_only {
            out.truncate(out.len() - body.len());
        }
    }
    debug_assert!(out.len() > start);
}

/// Writes a head for a body that is produced later.
pub fn write_stream_head(out: &mut Vec<u8>, count: u64, chunked: bool, keep_alive: bool) {
    let mut fields = String::from("Content-Type: application/octet-stream\r\n");
    let written = match chunked {
        true => write!(fields, "Transfer-Encoding: chunked\r\n"),
        false => write!(fields, "Content-Length: {count}\r\n"),
    };
    debug_assert!(written.is_ok(), "writing to a String does not fail");
    write_head(out, 200, &fields, keep_alive);
}

/// Byte `n` of `/bytes` and `/chunked` is byte `n mod 64` of this, so that a shifted or lost part shows.
pub const PATTERN: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";

fn write_response(out: &mut Vec<u8>, status: u16, kind: &str, body: &[u8], keep_alive: bool) {
    write_head(
        out,
        status,
        &format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len()),
        keep_alive,
    );
    out.extend_from_slice(body);
}

fn write_head(out: &mut Vec<u8>, status: u16, fields: &str, keep_alive: bool) {
    let close = if keep_alive { "" } else { "Connection: close\r\n" };
    out.extend_from_slice(
        format!("HTTP/1.1 {status} {}\r\n{fields}{close}\r\n", reason(status)).as_bytes(),
    );
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

/// JSON of exactly `bytes` bytes where that is possible, else as many `x`.
fn plain_body(bytes: usize) -> String {
    const OPEN: &str = r#"{"message":"hello from the upstream","pad":""#;
    const CLOSE: &str = "\"}\n";
    match bytes.checked_sub(OPEN.len() + CLOSE.len()) {
        Some(pad) => format!("{OPEN}{}{CLOSE}", ".".repeat(pad)),
        None => "x".repeat(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_bodies_have_the_asked_size() {
        for bytes in [0, 1, 46, 47, 117, 4096] {
            assert_eq!(Site::new(bytes).plain_body().len(), bytes);
        }
        serde_json::from_slice::<serde_json::Value>(Site::new(117).plain_body()).unwrap();
    }
}
