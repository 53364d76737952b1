//! However a head is cut into reads, the answer is the same, errors included.

use proptest::prelude::*;
use tidegate_engine::head::{Head, Method};

use super::super::request;
use super::{Limits, view};

/// Lines that reach deep into the parsers more often than random bytes.
fn nearly_a_head(starts: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let lines: &[&str] = &[
        "Host: a\r\n",
        "Host: a\r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "X:\t y \r\n",
        " folded\r\n",
        "X : y\r\n",
        "X: y\n",
        "X: \r y\r\n",
        "\r\n",
        "\r\n",
        "body",
    ];
    let line = prop_oneof![
        8 => proptest::sample::select(lines).prop_map(|line| line.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    (proptest::sample::select(starts), proptest::collection::vec(line, 0..8))
        .prop_map(|(start, lines)| [start.as_bytes(), &lines.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn requests(
        bytes in nearly_a_head(&[
            "GET / HTTP/1.1\r\n", "POST /p?q HTTP/1.1\r\n", "\r\n\r\nGET / HTTP/1.0\r\n", "\r\n", "GET /", "G T",
        ]),
        mut cuts in proptest::collection::vec(0usize..120, 0..10),
    ) {
        cuts.sort_unstable();
        let every: Vec<usize> = (0..bytes.len()).collect();
        let whole = view::request(&bytes, &[]);
        prop_assert_eq!(&view::request(&bytes, &cuts), &whole);
        prop_assert_eq!(&view::request(&bytes, &every), &whole);
        if let Ok(Some(got)) = whole {
            view::judge_request(&bytes, &got);
        }
    }

    #[test]
    fn responses(
        bytes in nearly_a_head(&["HTTP/1.1 200 OK\r\n", "HTTP/1.0 404\r\n", "HTTP/1.1 100 C\r\n", "HTTP", "HTP"]),
        mut cuts in proptest::collection::vec(0usize..120, 0..10),
    ) {
        cuts.sort_unstable();
        let every: Vec<usize> = (0..bytes.len()).collect();
        for to in [Method::Get, Method::Head] {
            let whole = view::response(&bytes, to, &[]);
            prop_assert_eq!(&view::response(&bytes, to, &cuts), &whole);
            prop_assert_eq!(&view::response(&bytes, to, &every), &whole);
            if let Ok(Some(got)) = whole {
                view::judge_response(&bytes, to, &got);
            }
        }
    }

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let every: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(view::request(&bytes, &every), view::request(&bytes, &[]));
        prop_assert_eq!(view::response(&bytes, Method::Get, &every), view::response(&bytes, Method::Get, &[]));
    }
}

/// Limits too are told by place, not by how much came at once.
#[test]
fn limits_in_any_split() {
    let long = "a".repeat(12_000);
    for text in [
        format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET /{long}{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}{long}\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X:y\r\n".repeat(100)),
    ] {
        let whole = view::request(text.as_bytes(), &[]);
        assert!(matches!(whole, Err(error) if [414, 431].contains(&error.status())), "{whole:?}");
        for step in [1, 7, 1_000, 20_991, 20_992, 20_993] {
            let cuts: Vec<usize> = (0..text.len()).step_by(step).collect();
            assert_eq!(view::request(text.as_bytes(), &cuts), whole, "{step}");
        }
    }
}

/// A head that comes byte by byte is searched once: what was scanned is remembered.
#[test]
fn nothing_is_searched_twice() {
    let mut head = Head::default();
    head.buf.extend_from_slice(b"GET / HTTP/1.1\r\nHost: a\r\n");
    for byte in b"X: yyyyyyyyyyyyyyyyyyyyyy\r\n\r" {
        assert_eq!(request::parse(&mut head, &Limits::REQUEST), Ok(None));
        assert_eq!(head.scanned, head.buf.len());
        head.buf.push(*byte);
    }
    head.buf.push(b'\n');
    assert!(matches!(request::parse(&mut head, &Limits::REQUEST), Ok(Some(_))));
    assert_eq!(head.scanned, 0);
}
