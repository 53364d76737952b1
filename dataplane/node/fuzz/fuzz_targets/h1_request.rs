//! Request heads: no panic, no dependence on splits, and one meaning for what is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_engine::head::{Head, Method, Version};
use tidegate_node::http::h1::{Framing, Limits, RequestError, RequestInfo, request, write};

fuzz_target!(|data: &[u8]| {
    let (whole, answer) = parse(data, data.len().max(1), &Limits::REQUEST);
    let (_, bytewise) = parse(data, 1, &Limits::REQUEST);
    assert_eq!(answer, bytewise);
    let Ok(Some(info)) = answer else { return };

    assert!(whole.len <= data.len() && info.framing != Framing::UntilClose);
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut other = httparse::Request::new(&mut fields);
    assert_eq!(other.parse(data), Ok(httparse::Status::Complete(whole.len)));
    assert_eq!(other.headers.len(), whole.fields.len());
    for ((name, value, _), theirs) in whole.iter().zip(other.headers.iter()) {
        assert_eq!((name, value), (theirs.name.as_bytes(), theirs.value.trim_ascii()));
        assert!(value.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control()));
    }

    // Written anew, it is the same request. It may be longer: the writer says what the caller left unsaid.
    let limits = Limits { fields: 103, fields_bytes: 10_400, ..Limits::REQUEST };
    let wire = rewrite(&whole, info);
    let (again, answer) = parse(&wire, wire.len(), &limits);
    let again_info = answer.expect("our own request is good").expect("and whole");
    assert_eq!(
        (again.len, again_info.framing, again_info.keep_alive),
        (wire.len(), info.framing, info.keep_alive)
    );
    assert_eq!((again.path(), again.query()), (whole.path(), whole.query()));
    assert_eq!(again.bytes(again.method_text), whole.bytes(whole.method_text));
});

fn parse(
    data: &[u8],
    step: usize,
    limits: &Limits,
) -> (Head, Result<Option<RequestInfo>, RequestError>) {
    let mut head = Head::default();
    for piece in data.chunks(step) {
        head.buf.extend_from_slice(piece);
        match request::parse(&mut head, limits) {
            Ok(None) => {}
            answer => return (head, answer),
        }
    }
    (head, Ok(None))
}

fn rewrite(head: &Head, info: RequestInfo) -> Vec<u8> {
    const OWN: [&[u8]; 5] =
        [b"host", b"content-length", b"transfer-encoding", b"connection", b"expect"];
    // HTTP/1.0 may come without a host, and we do not send it on like that.
    let host = if head.authority().is_empty() { b"default" } else { head.authority() };
    assert!(head.version == Version::Http10 || !head.authority().is_empty());
    let mut lines = [b"Host: ", host, b"\r\n"].concat();
    for (name, value, _) in head.iter() {
        if !OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            lines.extend_from_slice(&[name, b": ", value, b"\r\n"].concat());
        }
    }
    let mut out = Vec::new();
    let method = head.bytes(head.method_text);
    write::write_request_line(
        &mut out,
        method,
        head.path(),
        head.query.map(|span| head.bytes(span)),
    );
    let connection =
        if info.keep_alive { write::Connection::Implied } else { write::Connection::Close };
    write::finish_request(&mut out, &lines, Method::from_bytes(method), info.framing, connection);
    out
}
