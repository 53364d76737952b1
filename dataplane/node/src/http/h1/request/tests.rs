//! Request heads one rule at a time; combinations are in `h1/tests/`.

use tidegate_engine::head::{BodySize, Head, Method, Version};

use super::*;

fn parse_all(bytes: &[u8]) -> (Head, Result<Option<RequestInfo>, RequestError>) {
    let mut head = Head::with_capacity(bytes.len());
    head.buf.extend_from_slice(bytes);
    let got = parse(&mut head, &Limits::REQUEST);
    (head, got)
}

fn good(text: &str) -> (Head, RequestInfo) {
    let (head, got) = parse_all(text.as_bytes());
    match got {
        Ok(Some(info)) => (head, info),
        other => panic!("{text:?}: {other:?}"),
    }
}

fn refused(text: &str, want: RequestError) {
    let (_, got) = parse_all(text.as_bytes());
    assert_eq!(got, Err(want), "{text:?}");
}

#[test]
fn a_whole_request() {
    let (head, info) = good(
        "POST /prod/pets/1?a=1&b[]=%20? HTTP/1.1\r\nHost: api.example:8443\r\nX-Empty:\r\nAccept:\t */* \t\r\n\
         content-LENGTH: 5\r\nExpect: 100-Continue\r\n\r\nhelloGET",
    );
    assert_eq!(head.method, Method::Post);
    assert_eq!(head.bytes(head.method_text), b"POST");
    assert_eq!(head.version, Version::Http11);
    assert_eq!(head.path(), b"/prod/pets/1");
    assert_eq!(head.query(), b"a=1&b[]=%20?");
    assert_eq!(head.authority(), b"api.example:8443");
    assert_eq!(head.body, BodySize::Known(5));
    assert_eq!(head.rest(), b"helloGET");
    let fields: Vec<_> = head.iter().collect();
    assert_eq!(
        fields,
        [
            (&b"Host"[..], &b"api.example:8443"[..], Known::Host),
            (b"X-Empty", b"", Known::Other),
            (b"Accept", b"*/*", Known::Accept),
            (b"content-LENGTH", b"5", Known::ContentLength),
            (b"Expect", b"100-Continue", Known::Expect),
        ]
    );
    assert_eq!(
        info,
        RequestInfo { framing: Framing::Length(5), keep_alive: true, expect_continue: true }
    );
}

#[test]
fn pipelined_requests_follow_each_other_in_one_head() {
    let mut head = Head::default();
    head.buf.extend_from_slice(
        b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: x-a\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET /3 HT",
    );
    let first = parse(&mut head, &Limits::REQUEST).unwrap().unwrap();
    assert_eq!((head.path(), first.keep_alive, head.nominates), (&b"/1"[..], true, true));
    head.consume(head.len);
    let second = parse(&mut head, &Limits::REQUEST).unwrap().unwrap();
    assert_eq!((head.path(), second.keep_alive, head.nominates), (&b"/2"[..], false, false));
    assert!(head.authority.is_empty() && head.fields.is_empty());
    head.consume(head.len);
    assert_eq!(parse(&mut head, &Limits::REQUEST), Ok(None));
    head.buf.extend_from_slice(b"TP/1.1\r\nhost:b\r\n\r");
    assert_eq!(parse(&mut head, &Limits::REQUEST), Ok(None));
    head.buf.push(b'\n');
    assert!(parse(&mut head, &Limits::REQUEST).unwrap().is_some());
    assert_eq!((head.path(), head.authority()), (&b"/3"[..], &b"b"[..]));
}

#[test]
fn parsing_again_gives_the_same() {
    let (mut head, info) = good("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest");
    assert_eq!(parse(&mut head, &Limits::REQUEST), Ok(Some(info)));
    assert_eq!(head.rest(), b"rest");
}

#[test]
fn empty_lines_in_front() {
    for lead in ["", "\r\n", "\r\n\r\n"] {
        let (head, _) = good(&format!("{lead}GET /p HTTP/1.1\r\nHost: a\r\n\r\nrest"));
        assert_eq!((head.path(), head.rest()), (&b"/p"[..], &b"rest"[..]));
    }
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    refused(&format!("\r\n\r\n\r\n{request}"), RequestError::NotARequest { byte: b'\r' });
    refused(&format!("\n{request}"), HeadError::BareLineFeed.into());
    refused(&format!("\r{request}"), HeadError::BareCarriageReturn.into());
    refused(&format!(" {request}"), RequestError::NotARequest { byte: b' ' });
    refused("\x16\x03\x01", RequestError::NotARequest { byte: 0x16 });
}

#[test]
fn targets() {
    for (method, target, path, query, authority) in [
        ("GET", "/", "/", None, "a"),
        ("GET", "/?", "/", Some(""), "a"),
        ("GET", "//x//", "//x//", None, "a"),
        ("GET", "/a/../b/;p=1,2:@!$&'()*+~?/?x", "/a/../b/;p=1,2:@!$&'()*+~", Some("/?x"), "a"),
        ("GET", "/%zz", "/%zz", None, "a"),
        ("GET", "http://a", "/", None, "a"),
        ("GET", "http://a?q", "/", Some("q"), "a"),
        ("GET", "HTTPS://A/p?q", "/p", Some("q"), "A"),
        ("GET", "/http://b/", "/http://b/", None, "a"),
        ("OPTIONS", "*", "*", None, "a"),
        ("OPTIONS", "/", "/", None, "a"),
        ("PROPFIND", "/", "/", None, "a"),
    ] {
        let (head, _) = good(&format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(head.path(), path.as_bytes(), "{target}");
        assert_eq!(head.query.map(|span| head.bytes(span)), query.map(str::as_bytes), "{target}");
        assert_eq!(head.authority(), authority.as_bytes(), "{target}");
        assert_eq!(head.bytes(head.method_text), method.as_bytes());
    }
    for (line, want) in [
        ("GET * HTTP/1.1", RequestError::TargetForm),
        ("PRI * HTTP/1.1", RequestError::TargetForm),
        ("OPTIONS ** HTTP/1.1", RequestError::TargetForm),
        ("GET a:80 HTTP/1.1", RequestError::TargetForm),
        ("GET p HTTP/1.1", RequestError::TargetForm),
        ("GET ?q HTTP/1.1", RequestError::TargetForm),
        ("GET ftp://a/ HTTP/1.1", RequestError::TargetForm),
        ("GET http:/a HTTP/1.1", RequestError::TargetForm),
        ("GET  / HTTP/1.1", RequestError::TargetForm),
        ("GET  HTTP/1.1", RequestError::TargetForm),
        ("GET http:/// HTTP/1.1", RequestError::BadHost),
        ("GET http://u@a/ HTTP/1.1", RequestError::BadHost),
        ("GET http://a:/ HTTP/1.1", RequestError::BadHost),
        ("GET http://b/ HTTP/1.1", RequestError::HostMismatch),
        ("GET http://a:80/ HTTP/1.1", RequestError::HostMismatch),
        ("CONNECT a:443 HTTP/1.1", RequestError::Connect),
        ("CONNECT / HTTP/1.1", RequestError::Connect),
        ("GET /\t HTTP/1.1", RequestError::TargetByte { byte: b'\t' }),
        ("GET /\0 HTTP/1.1", RequestError::TargetByte { byte: 0 }),
        ("GET /# HTTP/1.1", RequestError::TargetByte { byte: b'#' }),
        ("GET /| HTTP/1.1", RequestError::TargetByte { byte: b'|' }),
        ("GET /?{ HTTP/1.1", RequestError::TargetByte { byte: b'{' }),
        ("GET /\\ HTTP/1.1", RequestError::TargetByte { byte: b'\\' }),
        ("GET /\u{e9} HTTP/1.1", RequestError::TargetByte { byte: 0xc3 }),
        ("GET /\r HTTP/1.1", RequestError::TargetByte { byte: b'\r' }),
        ("GET\t/ HTTP/1.1", RequestError::MethodByte { byte: b'\t' }),
        ("G(T / HTTP/1.1", RequestError::MethodByte { byte: b'(' }),
        ("GET", RequestError::MethodByte { byte: b'\r' }),
        ("GET /", RequestError::BadVersion),
        ("GET / ", RequestError::BadVersion),
        ("GET / HTTP/1.1 ", RequestError::BadVersion),
        ("GET /  HTTP/1.1", RequestError::BadVersion),
        ("GET / http/1.1", RequestError::BadVersion),
        ("GET / HTTP/1", RequestError::BadVersion),
        ("GET / HTTP/1.10", RequestError::BadVersion),
        ("GET / HTTP/+.1", RequestError::BadVersion),
        ("GET / HTTP/1.2", RequestError::UnknownVersion),
        ("GET / HTTP/0.9", RequestError::UnknownVersion),
        ("GET / HTTP/2.0", RequestError::UnknownVersion),
    ] {
        refused(&format!("{line}\r\nHost: a\r\n\r\n"), want);
    }
    refused(
        &format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(33)),
        RequestError::MethodTooLong,
    );
}

#[test]
fn fields_and_framing() {
    let ok = |framing, keep_alive, expect_continue| {
        Ok(RequestInfo { framing, keep_alive, expect_continue })
    };
    let empty = || ok(Framing::Empty, true, false);
    for (fields, want) in [
        ("Host: a", empty()),
        ("Host: a|X: \u{80}\u{ff}", empty()),
        ("Host: a|X:a\tb", empty()),
        ("Host: a|Content-Length: 0", empty()),
        ("Host: a|Content-Length: 7", ok(Framing::Length(7), true, false)),
        ("Host: a|Content-Length: \t7\t ", ok(Framing::Length(7), true, false)),
        ("Host: a|Transfer-Encoding: chunked", ok(Framing::Chunked, true, false)),
        ("Host: a|transfer-ENCODING:CHUNKED", ok(Framing::Chunked, true, false)),
        ("Host: a|Content_Length: 7|Transfer-Encoding-: chunked", empty()),
        ("Host: a|Connection: close", ok(Framing::Empty, false, false)),
        ("Host: a|Connection: keep-alive|Connection: Close", ok(Framing::Empty, false, false)),
        ("Host: a|Upgrade: h2c|Connection: Upgrade", empty()),
        ("Host: a|Expect: 100-continue", empty()),
        ("Host: a|Expect: 100-continue|Content-Length: 1", ok(Framing::Length(1), true, true)),
        (
            "Host: a|Expect: 100-continue|Transfer-Encoding: chunked",
            ok(Framing::Chunked, true, true),
        ),
        ("Host: a|Expect: 200-ok", Err(RequestError::Expectation)),
        ("Host: a|Expect:", Err(RequestError::Expectation)),
        ("Host: a|Expect: 100-continue, x", Err(RequestError::Expectation)),
        ("X: y", Err(RequestError::NoHost)),
        ("Host: a|Host: a", Err(RequestError::DuplicateHost)),
        ("Host:", Err(RequestError::BadHost)),
        ("Host: a, b", Err(RequestError::BadHost)),
        ("Host: a b", Err(RequestError::BadHost)),
        ("Host: a/", Err(RequestError::BadHost)),
        ("Content-Length: 1|Content-Length: 1|Host: a", Err(FramingError::DuplicateLength.into())),
        ("Host: a|Content-Length: 1, 1", Err(FramingError::BadLength.into())),
        ("Host: a|Content-Length:", Err(FramingError::BadLength.into())),
        ("Host: a|Content-Length: 99999999999999999999", Err(FramingError::LengthOverflow.into())),
        (
            "Host: a|Content-Length: 1|Transfer-Encoding: chunked",
            Err(FramingError::LengthAndCoding.into()),
        ),
        (
            "Host: a|Transfer-Encoding: chunked|Content-Length: 0",
            Err(FramingError::LengthAndCoding.into()),
        ),
        (
            "Host: a|Transfer-Encoding: chunked|Transfer-Encoding: chunked",
            Err(FramingError::DuplicateCoding.into()),
        ),
        (
            "Host: a|Transfer-Encoding: chunked|Transfer-Encoding: identity",
            Err(FramingError::DuplicateCoding.into()),
        ),
        ("Host: a|Transfer-Encoding: gzip", Err(FramingError::UnknownCoding.into())),
        ("Host: a|Transfer-Encoding: identity", Err(FramingError::UnknownCoding.into())),
        ("Host: a|Transfer-Encoding: xchunked", Err(FramingError::UnknownCoding.into())),
        ("Host: a|Transfer-Encoding: gzip, chunked", Err(FramingError::BadCoding.into())),
        ("Host: a|Transfer-Encoding: chunked, chunked", Err(FramingError::BadCoding.into())),
        ("Host: a|Transfer-Encoding: chunked;q=1", Err(FramingError::BadCoding.into())),
        ("Host: a|Transfer-Encoding: \"chunked\"", Err(FramingError::BadCoding.into())),
        ("Host: a|Transfer-Encoding:", Err(FramingError::BadCoding.into())),
        ("Host: a|Connection: a b", Err(FramingError::BadConnection.into())),
        (" Host: a", Err(HeadError::Folded.into())),
        ("Host: a| folded", Err(HeadError::Folded.into())),
        ("Host: a|\tfolded", Err(HeadError::Folded.into())),
        ("Host : a", Err(HeadError::SpaceBeforeColon.into())),
        ("Host\t: a", Err(HeadError::SpaceBeforeColon.into())),
        ("Host: a|: x", Err(HeadError::EmptyName.into())),
        ("Host: a|no colon", Err(HeadError::SpaceBeforeColon.into())),
        ("Host: a|nocolon", Err(HeadError::NameByte { byte: b'\r' }.into())),
        ("Host: a|X\u{b}: y", Err(HeadError::NameByte { byte: 0xb }.into())),
        ("Host: a|X\0: y", Err(HeadError::NameByte { byte: 0 }.into())),
        ("Host: a|X(): y", Err(HeadError::NameByte { byte: b'(' }.into())),
        ("Host: a|X\u{e9}: y", Err(HeadError::NameByte { byte: 0xc3 }.into())),
        ("Host: a|X: \0", Err(HeadError::ValueByte { byte: 0 }.into())),
        ("Host: a|X: y\u{b}", Err(HeadError::ValueByte { byte: 0xb }.into())),
        ("Host: a|X: \u{7f}", Err(HeadError::ValueByte { byte: 0x7f }.into())),
        ("Host: a|X: a\rb", Err(HeadError::BareCarriageReturn.into())),
        ("Host: a|X: a\r", Err(HeadError::BareCarriageReturn.into())),
        ("Host: a|X\r: a", Err(HeadError::BareCarriageReturn.into())),
        ("Host: a|X: a\nb", Err(HeadError::BareLineFeed.into())),
    ] {
        let text = format!("GET / HTTP/1.1\r\n{}\r\n\r\n", fields.replace('|', "\r\n"));
        let (_, got) = parse_all(text.as_bytes());
        assert_eq!(got, want.map(Some), "{fields:?}");
    }
}

#[test]
fn http_1_0() {
    for (fields, want) in [
        ("", Ok((Framing::Empty, false))),
        ("Host: a\r\n", Ok((Framing::Empty, false))),
        ("Connection: Keep-Alive\r\n", Ok((Framing::Empty, true))),
        ("Connection: keep-alive, close\r\n", Ok((Framing::Empty, false))),
        ("Content-Length: 3\r\n", Ok((Framing::Length(3), false))),
        ("Expect: 100-continue\r\nContent-Length: 3\r\n", Ok((Framing::Length(3), false))),
        ("Host: a\r\nHost: a\r\n", Err(RequestError::DuplicateHost)),
        ("Transfer-Encoding: chunked\r\n", Err(FramingError::CodingInHttp10.into())),
    ] {
        let (_, got) = parse_all(format!("GET / HTTP/1.0\r\n{fields}\r\n").as_bytes());
        let got = got.map(|info| info.expect("whole"));
        assert!(got.is_err() || got.is_ok_and(|info| !info.expect_continue));
        assert_eq!(got.map(|info| (info.framing, info.keep_alive)), want, "{fields:?}");
    }
}

#[test]
fn limits_are_exact() {
    let limits = Limits { head_bytes: 96, target_bytes: 20, fields_bytes: 60, fields: 3 };
    let parse_with = |text: &str| {
        let mut head = Head::default();
        head.buf.extend_from_slice(text.as_bytes());
        parse(&mut head, &limits).map(|info| info.is_some())
    };
    let target = |len: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "p".repeat(len - 1));
    assert_eq!(parse_with(&target(20)), Ok(true));
    assert_eq!(parse_with(&target(21)), Err(RequestError::TargetTooLong { limit: 20 }));
    assert_eq!(parse_with(&target(500)), Err(RequestError::TargetTooLong { limit: 20 }));
    // "Host: a" and its line end are 9 bytes, "X: " and its line end are 5.
    let fields =
        |len: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "v".repeat(len - 14));
    assert_eq!(parse_with(&fields(60)), Ok(true));
    assert_eq!(parse_with(&fields(61)), Err(HeadError::FieldsTooLarge { limit: 60 }.into()));
    assert_eq!(parse_with(&fields(500)), Err(HeadError::TooLarge { limit: 96 }.into()));
    let count = |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X:\r\n".repeat(n - 1));
    assert_eq!(parse_with(&count(3)), Ok(true));
    assert_eq!(parse_with(&count(4)), Err(HeadError::TooManyFields { limit: 3 }.into()));
    // A head of exactly the limit passes; an unfinished one of that many bytes cannot.
    let exact =
        format!("GET /{} HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "p".repeat(19), "v".repeat(46));
    assert_eq!(
        (exact.len(), parse_with(&exact)),
        (97, Err(HeadError::TooLarge { limit: 96 }.into()))
    );
    let exact = exact.replacen('v', "", 1);
    assert_eq!((exact.len(), parse_with(&exact)), (96, Ok(true)));
    assert_eq!(parse_with(&exact[..95]), Ok(false));
}

#[test]
fn errors_become_statuses() {
    for (error, status) in [
        (RequestError::NoHost, 400),
        (HeadError::Folded.into(), 400),
        (FramingError::LengthAndCoding.into(), 400),
        (FramingError::BadCoding.into(), 400),
        (RequestError::TargetTooLong { limit: 1 }, 414),
        (RequestError::Expectation, 417),
        (HeadError::TooLarge { limit: 1 }.into(), 431),
        (HeadError::FieldsTooLarge { limit: 1 }.into(), 431),
        (HeadError::TooManyFields { limit: 1 }.into(), 431),
        (FramingError::UnknownCoding.into(), 501),
        (RequestError::Connect, 501),
        (RequestError::UnknownVersion, 505),
    ] {
        assert_eq!(error.status(), status, "{error:?}");
    }
}
