//! What tests compare: messages as owned values, the promises every accepted message keeps, and a second judge.

use tidegate_engine::head::{Head, Method, Version};

use super::super::{request, response, write};
use super::*;
use crate::http::syntax;

/// An accepted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) query: Option<Vec<u8>>,
    pub(super) authority: Vec<u8>,
    pub(super) version: Version,
    pub(super) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) info: RequestInfo,
    pub(super) len: usize,
}

/// An accepted response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) version: Version,
    pub(super) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) info: ResponseInfo,
    pub(super) len: usize,
}

/// What a parser made of some bytes: a message, too few bytes, or an error.
pub(super) type Answer<T, E> = Result<Option<T>, E>;

/// Parses a request that arrives in pieces ending at `cuts` (ascending; the end of `bytes` is added).
pub(super) fn request(bytes: &[u8], cuts: &[usize]) -> Answer<Request, RequestError> {
    in_pieces(bytes, cuts, |head| {
        Ok(request::parse(head, &Limits::REQUEST)?.map(|info| Request {
            method: head.bytes(head.method_text).to_vec(),
            path: head.path().to_vec(),
            query: head.query.map(|span| head.bytes(span).to_vec()),
            authority: head.authority().to_vec(),
            version: head.version,
            fields: fields(head),
            info,
            len: head.len,
        }))
    })
}

/// Parses a response as [`request`] does a request.
pub(super) fn response(
    bytes: &[u8],
    to: Method,
    cuts: &[usize],
) -> Answer<Response, ResponseError> {
    in_pieces(bytes, cuts, |head| {
        Ok(response::parse(head, to, &Limits::RESPONSE)?.map(|info| Response {
            status: head.status,
            version: head.version,
            fields: fields(head),
            info,
            len: head.len,
        }))
    })
}

fn in_pieces<T, E>(
    bytes: &[u8],
    cuts: &[usize],
    mut parse: impl FnMut(&mut Head) -> Answer<T, E>,
) -> Answer<T, E> {
    let mut head = Head::default();
    for end in cuts.iter().copied().filter(|cut| *cut < bytes.len()).chain([bytes.len()]) {
        head.buf.extend_from_slice(&bytes[head.buf.len()..end]);
        match parse(&mut head) {
            Ok(None) => {}
            answer => return answer,
        }
    }
    Ok(None)
}

fn fields(head: &Head) -> Vec<(Vec<u8>, Vec<u8>)> {
    head.iter().map(|(name, value, _)| (name.to_vec(), value.to_vec())).collect()
}

/// The values of a field, in order.
fn values<'a>(fields: &'a [(Vec<u8>, Vec<u8>)], name: &str) -> Vec<&'a [u8]> {
    fields
        .iter()
        .filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| value.as_slice())
        .collect()
}

/// Panics unless an accepted request keeps every promise of the parser, means the same when written anew, and is read the
/// same way by another parser.
pub(super) fn judge_request(bytes: &[u8], got: &Request) {
    assert!(syntax::is_token(&got.method));
    assert!(got.path.first() == Some(&b'/') || (got.path == b"*" && got.method == b"OPTIONS"));
    let target = got.path.iter().chain(got.query.iter().flatten());
    assert!(target.clone().all(|byte| byte.is_ascii_graphic() && *byte != b'#'));
    assert!(!got.path.contains(&b'?'));
    judge_fields(&got.fields);
    let hosts = values(&got.fields, "host");
    assert!(hosts.len() == 1 || (hosts.is_empty() && got.version == Version::Http10));
    assert!(hosts.is_empty() || got.authority.eq_ignore_ascii_case(hosts[0]));
    assert!(got.info.framing != Framing::UntilClose);
    judge_framing(&got.fields, got.version, got.info.framing);

    let wire = rewrite(got);
    let again = request(&wire, &[])
        .unwrap_or_else(|error| panic!("{error}: {:?}", wire.escape_ascii()))
        .unwrap_or_else(|| panic!("unfinished: {:?}", wire.escape_ascii()));
    assert_eq!(again.len, wire.len());
    assert_eq!(
        (&again.method, &again.path, &again.query, again.info.framing, again.info.keep_alive),
        (&got.method, &got.path, &got.query, got.info.framing, got.info.keep_alive)
    );
    assert_eq!(forwarded(&again.fields), forwarded(&got.fields));

    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut other = httparse::Request::new(&mut fields);
    assert_eq!(other.parse(bytes), Ok(httparse::Status::Complete(got.len)));
    assert_eq!(other.method.map(str::as_bytes), Some(got.method.as_slice()));
    assert_eq!(other.version, Some(u8::from(got.version == Version::Http11)));
    let target = other.path.expect("a target").as_bytes();
    let mut suffix = got.path.clone();
    suffix.extend(got.query.iter().flat_map(|query| [b"?", query.as_slice()].concat()));
    // An absolute target with an empty path differs by the slash it lacks.
    assert!(
        target.ends_with(&suffix) || target.starts_with(b"http"),
        "{:?}",
        target.escape_ascii()
    );
    judge_same_fields(&got.fields, other.headers);
}

/// As [`judge_request`], for a response to `to`.
pub(super) fn judge_response(bytes: &[u8], to: Method, got: &Response) {
    assert!((100..600).contains(&got.status) && got.status != 101);
    assert_eq!(got.info.interim, got.status < 200);
    judge_fields(&got.fields);
    let bodiless = got.info.interim || matches!(got.status, 204 | 304) || to == Method::Head;
    if bodiless {
        assert_eq!(got.info.framing, Framing::Empty);
    } else if got.info.framing == Framing::UntilClose {
        assert!(!got.info.reusable && values(&got.fields, "content-length").is_empty());
        assert!(values(&got.fields, "transfer-encoding").is_empty());
    } else {
        judge_framing(&got.fields, got.version, got.info.framing);
    }
    let mut fields = [httparse::EMPTY_HEADER; 256];
    let mut other = httparse::Response::new(&mut fields);
    assert_eq!(other.parse(bytes), Ok(httparse::Status::Complete(got.len)));
    assert_eq!(
        (other.code, other.version),
        (Some(got.status), Some(u8::from(got.version == Version::Http11)))
    );
    judge_same_fields(&got.fields, other.headers);
}

fn judge_fields(fields: &[(Vec<u8>, Vec<u8>)]) {
    for (name, value) in fields {
        assert!(syntax::is_token(name));
        assert!(value.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control()));
        assert!(value.trim_ascii() == value);
    }
}

/// Says where the body ends from the fields alone, in the bluntest way, and compares.
fn judge_framing(fields: &[(Vec<u8>, Vec<u8>)], version: Version, framing: Framing) {
    let lengths = values(fields, "content-length");
    let codings = values(fields, "transfer-encoding");
    assert!(lengths.len() + codings.len() <= 1, "{fields:?}");
    let want = match (lengths.first(), codings.first()) {
        (Some(length), _) => {
            assert!(length.iter().all(u8::is_ascii_digit));
            match std::str::from_utf8(length).expect("ascii").parse().expect("a number") {
                0 => Framing::Empty,
                bytes => Framing::Length(bytes),
            }
        }
        (None, Some(coding)) => {
            assert!(coding.eq_ignore_ascii_case(b"chunked") && version == Version::Http11);
            Framing::Chunked
        }
        (None, None) => Framing::Empty,
    };
    assert_eq!(framing, want);
}

fn judge_same_fields(ours: &[(Vec<u8>, Vec<u8>)], theirs: &[httparse::Header<'_>]) {
    assert_eq!(ours.len(), theirs.len());
    for ((name, value), other) in ours.iter().zip(theirs) {
        assert_eq!(name, other.name.as_bytes());
        assert_eq!(value, other.value.trim_ascii());
    }
}

/// The fields that go on: all but the codec's own.
fn forwarded(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<&(Vec<u8>, Vec<u8>)> {
    const OWN: [&[u8]; 5] =
        [b"host", b"content-length", b"transfer-encoding", b"connection", b"expect"];
    fields
        .iter()
        .filter(|(name, _)| !OWN.iter().any(|own| name.eq_ignore_ascii_case(own)))
        .collect()
}

/// Writes a request the way a driver does.
fn rewrite(got: &Request) -> Vec<u8> {
    let mut lines = Vec::new();
    let host = if got.authority.is_empty() { b"default".as_slice() } else { &got.authority };
    let host = (b"Host".to_vec(), host.to_vec());
    for (name, value) in forwarded(&got.fields).into_iter().chain([&host]) {
        lines.extend_from_slice(&[name.as_slice(), b": ", value, b"\r\n"].concat());
    }
    let mut out = Vec::new();
    write::write_request_line(&mut out, &got.method, &got.path, got.query.as_deref());
    let connection =
        if got.info.keep_alive { write::Connection::Implied } else { write::Connection::Close };
    let method = Method::from_bytes(&got.method);
    write::finish_request(&mut out, &lines, method, got.info.framing, connection);
    out
}
