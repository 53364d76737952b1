//! The canonical request: what both sides hash, from a request whose encoding each client chooses a little differently.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{Claim, Form, RequestParts};
use crate::integration::sigv4;

/// The canonical requests a claim may have signed, at most four and without repeats.
///
/// The path is taken with dot segments and doubled slashes resolved (botocore, Java, JavaScript) and as sent (Go). In
/// the query form the session token counts and, as SDKs may add it after signing, does not.
pub(super) fn requests(
    claim: &Claim,
    request: &RequestParts<'_>,
    payload_hash: &str,
) -> Vec<Vec<u8>> {
    let sent = if request.path.is_empty() { "/" } else { request.path }.as_bytes();
    let paths = distinct(sigv4::encoded_path(&sigv4::normalised(sent)), sigv4::encoded_path(sent));
    let queries = match claim.form {
        Form::Header => vec![sigv4::canonical_query(request.query.as_bytes(), &[])],
        Form::Query { .. } => distinct(
            sigv4::canonical_query(request.query.as_bytes(), &["X-Amz-Signature"]),
            sigv4::canonical_query(
                request.query.as_bytes(),
                &["X-Amz-Signature", "X-Amz-Security-Token"],
            ),
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
