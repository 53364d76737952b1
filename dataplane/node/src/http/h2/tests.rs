//! Heads of streams, without a connection.

use http::Request;

use super::*;

fn parts(method: &str, uri: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn read(uri: &str, fields: &[(&str, &str)], ended: bool) -> Result<(Head, RequestInfo), HeadError> {
    let mut head = Head::with_capacity(64);
    let info = read_head(&parts("POST", uri, fields), ended, &mut head)?;
    Ok((head, info))
}

#[test]
fn a_head_reads_as_if_it_had_come_by_http_1() {
    let fields = [("cookie", "a=1"), ("x-a", " b "), ("cookie", "c=2"), ("content-length", "5")];
    let (head, info) = read("http://api.test:81/p/x?q=1", &fields, false).unwrap();
    assert_eq!(
        (head.path(), head.query(), head.authority()),
        (&b"/p/x"[..], &b"q=1"[..], &b"api.test:81"[..])
    );
    assert_eq!((head.method, head.version), (Method::Post, Version::Http2));
    assert_eq!(info, RequestInfo { framing: Framing::Length(5), expect_continue: false });
    let shown: Vec<_> = head.iter().map(|(n, v, _)| (n, v)).collect();
    let want: [(&[u8], &[u8]); 4] = [
        (b"Host", b"api.test:81"),
        (b"x-a", b"b"),
        (b"content-length", b"5"),
        (b"cookie", b"a=1; c=2"),
    ];
    assert_eq!(shown, want);
}

#[test]
fn framing_follows_length_and_end() {
    for (length, ended, want) in [
        (None, true, Ok(Framing::Empty)),
        (None, false, Ok(Framing::Chunked)),
        (Some("0"), true, Ok(Framing::Empty)),
        (Some("0"), false, Ok(Framing::Empty)),
        (Some("7"), false, Ok(Framing::Length(7))),
        (Some("7"), true, Err(HeadError::BadLength)),
        (Some("+7"), false, Err(HeadError::BadLength)),
        (Some("7, 7"), false, Err(HeadError::BadLength)),
        (Some("9999999999999999999"), false, Err(HeadError::BadLength)),
    ] {
        let fields: Vec<_> = length.map(|l| ("content-length", l)).into_iter().collect();
        let got = read("http://a/", &fields, ended).map(|(_, info)| info.framing);
        assert_eq!(got, want, "{length:?} {ended}");
    }
    let twice = [("content-length", "7"), ("content-length", "7")];
    assert_eq!(read("http://a/", &twice, false).unwrap_err(), HeadError::BadLength);
}

#[test]
fn doubtful_heads_are_refused() {
    for (uri, fields, want) in [
        ("http://a/", &[("host", "b")][..], HeadError::BadAuthority),
        ("http://a/", &[("host", "a"), ("host", "a")], HeadError::BadAuthority),
        ("http://u@a/", &[], HeadError::BadAuthority),
        ("/x", &[], HeadError::BadAuthority),
        ("/x", &[("host", "a b")], HeadError::BadAuthority),
        ("http://a/%7b{x}", &[], HeadError::BadTarget),
        ("http://a/x?a|b", &[], HeadError::BadTarget),
        ("*", &[("host", "a")], HeadError::BadTarget),
        ("http://a/", &[("expect", "200-ok")], HeadError::Expectation),
    ] {
        assert_eq!(read(uri, fields, true).unwrap_err(), want, "{uri} {fields:?}");
    }
    assert!(read("http://A/", &[("host", "a")], true).is_ok(), "case does not count in a host");
    let long = format!("http://a/{}", "x".repeat(10_300));
    assert_eq!(read(&long, &[], true).unwrap_err().status(), 414);
    let crumbs = vec![("cookie", "a=1"); 101];
    assert_eq!(read("http://a/", &crumbs, true).unwrap_err().status(), 431);
    let large = "v".repeat(10_300);
    assert_eq!(read("http://a/", &[("x", &large)], true).unwrap_err().status(), 431);
    let connect = read_head(&parts("CONNECT", "a:1", &[]), true, &mut Head::default());
    assert_eq!(connect.unwrap_err().status(), 501);
}
