//! Response heads one rule at a time; combinations are in `h1/tests/`.

use tidegate_engine::head::BodySize;

use super::*;

fn parse_all(method: Method, bytes: &[u8]) -> (Head, Result<Option<ResponseInfo>, ResponseError>) {
    let mut head = Head::with_capacity(bytes.len());
    head.buf.extend_from_slice(bytes);
    let got = parse(&mut head, method, &Limits::RESPONSE);
    (head, got)
}

#[test]
fn a_whole_response() {
    let (head, got) = parse_all(
        Method::Get,
        b"HTTP/1.1 404 Not \xe9 Found\r\nServer: x\r\nContent-Length: 3\r\nConnection: x-a\r\n\r\nabcHTTP",
    );
    let info = got.unwrap().unwrap();
    assert_eq!(
        info,
        ResponseInfo {
            framing: Framing::Length(3),
            interim: false,
            reusable: true,
            length: Some(3)
        }
    );
    assert_eq!((head.status, head.body, head.nominates), (404, BodySize::Known(3), true));
    assert_eq!(head.rest(), b"abcHTTP");
    assert_eq!(head.iter().map(|(name, ..)| name.len()).collect::<Vec<_>>(), [6, 14, 10]);
}

#[test]
fn bodies_and_reuse() {
    use Framing::{Chunked, Empty, Length, UntilClose};
    let (get, is_head) = (Method::Get, Method::Head);
    for (method, line, fields, framing, reusable) in [
        (get, "1.1 200 OK", "", UntilClose, false),
        (get, "1.1 200 OK", "Content-Length: 0", Empty, true),
        (get, "1.1 200 OK", "Content-Length: 9", Length(9), true),
        (get, "1.1 200 OK", "Transfer-Encoding: Chunked", Chunked, true),
        (get, "1.1 200 OK", "Content-Length: 9|Connection: close", Length(9), false),
        (get, "1.0 200 OK", "Content-Length: 9", Length(9), false),
        (get, "1.0 200 OK", "Content-Length: 9|Connection: keep-alive", Length(9), true),
        (get, "1.0 200 OK", "Connection: keep-alive", UntilClose, false),
        (get, "1.1 204 No Content", "", Empty, true),
        (get, "1.1 204 No Content", "Content-Length: 0", Empty, true),
        (get, "1.1 204 No Content", "Content-Length: 5", Empty, false),
        (get, "1.1 204 No Content", "Transfer-Encoding: chunked", Empty, false),
        (get, "1.1 205 Reset Content", "", UntilClose, false),
        (get, "1.1 304 Not Modified", "Content-Length: 5", Empty, true),
        (get, "1.1 304 Not Modified", "Transfer-Encoding: chunked", Empty, true),
        (is_head, "1.1 200 OK", "", Empty, true),
        (is_head, "1.1 200 OK", "Content-Length: 5", Empty, true),
        (is_head, "1.1 200 OK", "Transfer-Encoding: chunked", Empty, true),
        (get, "1.1 100 Continue", "", Empty, true),
        (get, "1.1 103 Early Hints", "Link: x", Empty, true),
        (get, "1.1 500 ", "Content-Length: 1", Length(1), true),
        (get, "1.1 599", "Content-Length: 1", Length(1), true),
    ] {
        let fields = fields.replace('|', "\r\n");
        let end = if fields.is_empty() { "" } else { "\r\n" };
        let text = format!("HTTP/{line}\r\n{fields}{end}\r\n");
        let (head, got) = parse_all(method, text.as_bytes());
        let info = got.unwrap_or_else(|error| panic!("{text:?}: {error}")).expect("whole");
        assert_eq!((info.framing, info.reusable), (framing, reusable), "{text:?}");
        assert_eq!(info.interim, head.status < 200, "{text:?}");
    }
}

#[test]
fn refusals() {
    for (text, want) in [
        ("HTTP/1.1 101 Switching Protocols|Upgrade: x", ResponseError::SwitchingProtocols),
        ("HTTP/1.1 100 Continue|Content-Length: 1", ResponseError::InterimBody),
        ("HTTP/1.1 103 Early Hints|Transfer-Encoding: chunked", ResponseError::InterimBody),
        ("HTTP/2.0 200 OK", ResponseError::BadVersion),
        ("HTTP/1.2 200 OK", ResponseError::BadVersion),
        ("HTTP/1.1  200 OK", ResponseError::BadStatus),
        ("HTTP/1.1\t200 OK", ResponseError::BadVersion),
        (" HTTP/1.1 200 OK", ResponseError::BadVersion),
        ("|HTTP/1.1 200 OK", ResponseError::BadVersion),
        ("http/1.1 200 OK", ResponseError::BadVersion),
        ("ICY 200 OK", ResponseError::BadVersion),
        ("HTTP/1.1 099 x", ResponseError::BadStatus),
        ("HTTP/1.1 600 x", ResponseError::BadStatus),
        ("HTTP/1.1 20 x", ResponseError::BadStatus),
        ("HTTP/1.1 2000 x", ResponseError::BadStatus),
        ("HTTP/1.1 +20 x", ResponseError::BadStatus),
        ("HTTP/1.1 200\tx", ResponseError::BadStatus),
        ("HTTP/1.1 ", ResponseError::BadStatus),
        ("HTTP/1.1 200 \0", ResponseError::ReasonByte { byte: 0 }),
        ("HTTP/1.1 200 a\rb", HeadError::BareCarriageReturn.into()),
        ("HTTP/1.1 200 a\nb", HeadError::BareLineFeed.into()),
        ("HTTP/1.1 200 OK|X: a| b", HeadError::Folded.into()),
        ("HTTP/1.1 200 OK|X : a", HeadError::SpaceBeforeColon.into()),
        ("HTTP/1.1 200 OK|X: \0", HeadError::ValueByte { byte: 0 }.into()),
        ("HTTP/1.1 200 OK|X: a\rb", HeadError::BareCarriageReturn.into()),
        (
            "HTTP/1.1 200 OK|Content-Length: 1|Transfer-Encoding: chunked",
            FramingError::LengthAndCoding.into(),
        ),
        (
            "HTTP/1.1 200 OK|Content-Length: 1|Content-Length: 1",
            FramingError::DuplicateLength.into(),
        ),
        ("HTTP/1.1 200 OK|Content-Length: 1, 1", FramingError::BadLength.into()),
        ("HTTP/1.1 200 OK|Transfer-Encoding: gzip, chunked", FramingError::BadCoding.into()),
        ("HTTP/1.0 200 OK|Transfer-Encoding: chunked", FramingError::CodingInHttp10.into()),
    ] {
        let text = format!("{}\r\n\r\n", text.replace('|', "\r\n"));
        assert_eq!(parse_all(Method::Get, text.as_bytes()).1, Err(want), "{text:?}");
    }
}

#[test]
fn the_head_of_the_next_response_is_read_from_the_same_buffer() {
    let mut head = Head::default();
    head.buf.extend_from_slice(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r",
    );
    let interim = parse(&mut head, Method::Post, &Limits::RESPONSE).unwrap().unwrap();
    assert!(interim.interim);
    head.consume(head.len);
    assert_eq!(parse(&mut head, Method::Post, &Limits::RESPONSE), Ok(None));
    head.buf.push(b'\n');
    let last = parse(&mut head, Method::Post, &Limits::RESPONSE).unwrap().unwrap();
    assert_eq!((last.interim, head.status, last.reusable), (false, 201, true));
}
