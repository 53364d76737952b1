//! The request target in its three forms: a path, a URL, or `*`.

use tidegate_engine::head::Span;

use super::RequestError;
use crate::http::syntax;

/// Where the parts of a target are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// From its first `/`; `*` for the asterisk form.
    pub(super) path: Span,
    /// Without the `?`.
    pub(super) query: Option<Span>,
    /// Of an absolute target.
    pub(super) authority: Option<Span>,
}

/// Reads the target at `start`; returns it and the place of the byte behind it.
///
/// Authority form exists for CONNECT only and is refused. Source: RFC 9112 section 3.2.
pub(super) fn read(
    buf: &[u8],
    start: usize,
    method: &[u8],
) -> Result<(Target, usize), RequestError> {
    let end = start + syntax::target_len(&buf[start..]);
    // What follows must be the space before the version; an unusable byte is reported as such.
    if buf[end] != b' ' {
        return Err(match buf[end] {
            b'\r' if end > start && buf[end + 1] == b'\n' => RequestError::BadVersion,
            byte => RequestError::TargetByte { byte },
        });
    }
    let text = &buf[start..end];
    let target = match text {
        [b'/', ..] => origin_form(text, start, start, None),
        b"*" if method == b"OPTIONS" => {
            Target { path: Span::new(start, end), query: None, authority: None }
        }
        _ => absolute_form(text, start)?,
    };
    Ok((target, end))
}

/// Splits `text`, whose first byte is at `base`, into the path that starts at `path` and a query.
fn origin_form(text: &[u8], base: usize, path: usize, authority: Option<Span>) -> Target {
    let end = base + text.len();
    match memchr::memchr(b'?', text) {
        Some(mark) => Target {
            path: Span::new(path, base + mark),
            query: Some(Span::new(base + mark + 1, end)),
            authority,
        },
        None => Target { path: Span::new(path, end), query: None, authority },
    }
}

/// Reads a URL. User information is refused, as RFC 9110 section 4.2.4 advises; an empty path is `/`.
fn absolute_form(text: &[u8], base: usize) -> Result<Target, RequestError> {
    let scheme = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| {
            text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
        .ok_or(RequestError::TargetForm)?
        .len();
    let rest = &text[scheme..];
    let length = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
    if !syntax::is_authority(&rest[..length]) {
        return Err(RequestError::BadHost);
    }
    let from = base + scheme + length;
    let authority = Some(Span::new(base + scheme, from));
    let mut target = origin_form(&rest[length..], from, from, authority);
    if target.path.is_empty() {
        // The missing `/` is borrowed from the `//` before the authority: every path starts with one.
        target.path = Span::new(base + scheme - 1, base + scheme);
    }
    Ok(target)
}
