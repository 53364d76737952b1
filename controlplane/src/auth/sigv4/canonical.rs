//! The canonical request: what both sides hash, from a request whose encoding each client chooses a little differently.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{Claim, Form, RequestParts};

/// The canonical requests a claim may have signed, at most four and without repeats.
///
/// The path is taken with dot segments and doubled slashes resolved (botocore, Java, JavaScript) and as sent (Go). In
/// the query form the session token counts and, as SDKs may add it after signing, does not.
pub(super) fn requests(
    claim: &Claim,
    request: &RequestParts<'_>,
    payload_hash: &str,
) -> Vec<Vec<u8>> {
    let paths = distinct(path(&normalise(request.path)), path(request.path));
    let queries = match claim.form {
        Form::Header => vec![query(request.query, &[])],
        Form::Query { .. } => distinct(
            query(request.query, &["X-Amz-Signature"]),
            query(request.query, &["X-Amz-Signature", "X-Amz-Security-Token"]),
        ),
    };
    let mut tail = Vec::with_capacity(512);
    for name in &claim.signed_headers {
        tail.extend_from_slice(name.as_bytes());
        tail.push(b':');
        header_value(request, name, &mut tail);
        tail.push(b'\n');
    }
    tail.push(b'\n');
    tail.extend_from_slice(claim.signed_headers.join(";").as_bytes());
    tail.push(b'\n');
    tail.extend_from_slice(payload_hash.as_bytes());

    let mut all = Vec::with_capacity(4);
    for path in &paths {
        for query in &queries {
            let mut text = format!("{}\n{path}\n{query}\n", request.method).into_bytes();
            text.extend_from_slice(&tail);
            all.push(text);
        }
    }
    all
}

/// Percent-decodes; a `%` that starts no escape stays as it is.
pub(super) fn decode(text: &str) -> Cow<'_, [u8]> {
    percent_decode_str(text).into()
}

fn distinct(first: String, second: String) -> Vec<String> {
    if first == second { vec![first] } else { vec![first, second] }
}

/// Encodes the path as sent once more: for every service but S3 the canonical path is encoded twice.
fn path(sent: &str) -> String {
    if sent.is_empty() {
        return "/".to_owned();
    }
    let mut out = String::with_capacity(sent.len() + 16);
    encode(sent.as_bytes(), true, &mut out);
    out
}

/// RFC 3986, section 5.2.4, and runs of slashes become one.
fn normalise(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name),
        }
    }
    let ends_in_slash = path.ends_with('/') && !kept.is_empty();
    format!("/{}{}", kept.join("/"), if ends_in_slash { "/" } else { "" })
}

/// Pairs decoded, encoded by AWS's rule, and sorted by name, then value.
fn query(sent: &str, without: &[&str]) -> String {
    let mut pairs: Vec<(String, String)> = sent
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let canonical = |raw| {
                let mut out = String::new();
                encode(&decode(raw), false, &mut out);
                out
            };
            (canonical(name), canonical(value))
        })
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .collect();
    pairs.sort();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// All values of a header joined by commas, each trimmed and with runs of white space made one space.
fn header_value(request: &RequestParts<'_>, name: &str, out: &mut Vec<u8>) {
    for (index, value) in request.header(name).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let words = value
            .split(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
            .filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
}

/// AWS's UriEncode: everything but `A-Z a-z 0-9 - . _ ~` as upper-case escapes, slashes kept in paths.
fn encode(bytes: &[u8], keep_slash: bool, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if keep_slash => out.push('/'),
            _ => {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
}
