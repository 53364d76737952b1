//! Writes heads: a start line, the field lines the engine made, and the framing fields, which are the codec's alone.

use tidegate_engine::head::Method;

use super::Framing;
use crate::http::syntax;

/// What a head says about the connection behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// Nothing: HTTP/1.1 keeps it open.
    #[default]
    Implied,
    /// `keep-alive`, for an HTTP/1.0 caller that asked to keep it open.
    KeepAlive,
    /// `close`.
    Close,
}

/// Appends a request line. `path` starts with `/` or is `*`; `query` is without its `?`.
///
/// The caller has made sure that method and target are of the right bytes: a line written here is believed upstream.
pub fn write_request_line(out: &mut Vec<u8>, method: &[u8], path: &[u8], query: Option<&[u8]>) {
    debug_assert!(syntax::is_token(method));
    debug_assert!(!path.is_empty() && path.iter().all(|byte| syntax::is_target_byte(*byte)));
    debug_assert!(query.unwrap_or_default().iter().all(|byte| syntax::is_target_byte(*byte)));
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(path);
    if let Some(query) = query {
        out.push(b'?');
        out.extend_from_slice(query);
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
}

/// Appends a status line with the standard reason phrase, or none where the status has none.
pub fn write_status_line(out: &mut Vec<u8>, status: u16) {
    debug_assert!((100..=599).contains(&status));
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason(status).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends what ends a request head: `fields` as they are (lines of `name: value` CR LF, without framing fields), then how
/// long the body is, what becomes of the connection, and the empty line.
///
/// No body is said by silence, or by a length of 0 for the methods that usually have one (RFC 9110 section 8.6).
/// [`Framing::UntilClose`] cannot frame a request and counts as no body.
pub fn finish_request(
    out: &mut Vec<u8>,
    fields: &[u8],
    method: Method,
    framing: Framing,
    connection: Connection,
) {
    write_fields(out, fields);
    match framing {
        Framing::Length(bytes) => write_length(out, bytes),
        Framing::Chunked => out.extend_from_slice(CHUNKED),
        Framing::Empty | Framing::UntilClose => {
            debug_assert!(framing == Framing::Empty);
            if matches!(method, Method::Post | Method::Put | Method::Patch) {
                write_length(out, 0);
            }
        }
    }
    write_connection(out, connection);
    out.extend_from_slice(b"\r\n");
}

/// Appends what ends a response head: `fields` as they are (lines of `name: value` CR LF, without framing fields), then how
/// long the body is, what becomes of the connection, and the empty line.
///
/// For `HEAD` and 304, give the framing the body would have had. 1xx and 204 get none whatever is given (RFC 9110 section
/// 8.6, RFC 9112 section 6.1); [`Framing::UntilClose`] closes the connection whatever `connection` says.
pub fn finish_response(
    out: &mut Vec<u8>,
    fields: &[u8],
    status: u16,
    framing: Framing,
    connection: Connection,
) {
    write_fields(out, fields);
    let bodiless = status < 200 || status == 204;
    match framing {
        _ if bodiless => {}
        Framing::Length(bytes) => write_length(out, bytes),
        Framing::Chunked => out.extend_from_slice(CHUNKED),
        // A 304 without a known length must not claim one of 0.
        Framing::Empty if status == 304 => {}
        Framing::Empty => write_length(out, 0),
        Framing::UntilClose => {}
    }
    let until_close = framing == Framing::UntilClose && !bodiless;
    write_connection(out, if until_close { Connection::Close } else { connection });
    out.extend_from_slice(b"\r\n");
}

/// The interim response that invites a body.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

const CHUNKED: &[u8] = b"transfer-encoding: chunked\r\n";

fn write_fields(out: &mut Vec<u8>, fields: &[u8]) {
    debug_assert!(fields.is_empty() || fields.ends_with(b"\r\n"));
    debug_assert!(
        !fields.starts_with(b"\r\n") && memchr::memmem::find(fields, b"\r\n\r\n").is_none()
    );
    out.extend_from_slice(fields);
}

fn write_length(out: &mut Vec<u8>, bytes: u64) {
    out.extend_from_slice(b"content-length: ");
    out.extend_from_slice(itoa::Buffer::new().format(bytes).as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_connection(out: &mut Vec<u8>, connection: Connection) {
    out.extend_from_slice(match connection {
        Connection::Implied => b"",
        Connection::KeepAlive => b"connection: keep-alive\r\n",
        Connection::Close => b"connection: close\r\n",
    });
}

/// The reason phrase of a status; empty where the registry has none. Source: IANA HTTP Status Code Registry.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        510 => "Not Extended",
        511 => "Network Authentication Required",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
