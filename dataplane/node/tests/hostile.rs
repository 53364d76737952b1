//! Requests made to be read in two ways, through a real node: refused with the documented status, the connection closed, and
//! nothing of them upstream.
//!
//! Source: reliability-and-threats.md section 2, rows 1 to 4, 7 and 9.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use support::{API, Answer, Gateway, Upstream, http_proxy, on_both, request, resource};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/// A proxying gateway on every path, and its upstream.
fn proxying(driver: tidegate_node::rt::Driver) -> (Gateway, Upstream) {
    let upstream = Upstream::answering(OK);
    let gateway =
        Gateway::start(driver, vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))]);
    (gateway, upstream)
}

/// Sends bytes with a second request behind them: exactly one answer comes, it says that the connection ends, and the upstream
/// saw neither request.
fn check_refused(gateway: &Gateway, upstream: &Upstream, bytes: &[u8], status: u16) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
    let mut all = bytes.to_vec();
    all.extend_from_slice(request("GET", "/smuggled", "", "").as_bytes());
    let text = gateway.raw(&all);
    let answers = Answer::all(&text);
    assert_eq!(answers.len(), 1, "{shown:?} gave {text:?}");
    assert_eq!(answers[0].status, status, "{shown:?} gave {text:?}");
    assert_eq!(answers[0].field("connection"), Some("close"), "{shown:?} gave {text:?}");
    if let Ok(seen) = upstream.seen.try_recv() {
        panic!("{shown:?} let the upstream see {seen:?}");
    }
}

#[test]
fn bodies_of_two_lengths_are_refused() {
    // Row 1: CL.TE, TE.CL, TE.TE, duplicate and list lengths, odd numbers, HTTP/1.0 with a coding.
    on_both(|driver| {
        let (gateway, upstream) = proxying(driver);
        let chunks = "0\r\n\r\n";
        for (fields, body, status) in [
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunks, 400),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunks, 400),
            ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", chunks, 400),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunks, 400),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunks, 400),
            ("Transfer-Encoding: chunked, identity\r\n", chunks, 400),
            ("Transfer-Encoding: gzip, chunked\r\n", chunks, 400),
            ("Transfer-Encoding: chunked, chunked\r\n", chunks, 400),
            ("Transfer-Encoding: ,chunked\r\n", chunks, 400),
            ("Transfer-Encoding: \"chunked\"\r\n", chunks, 400),
            ("Transfer-Encoding: chunked;q=1\r\n", chunks, 400),
            ("Transfer-Encoding:\r\n", chunks, 400),
            ("Transfer-Encoding: xchunked\r\n", chunks, 501),
            ("Transfer-Encoding: identity\r\n", chunks, 501),
            ("Transfer-Encoding: gzip\r\n", chunks, 501),
            ("Transfer-Encoding: \x0bchunked\r\n", chunks, 400),
            ("Transfer-Encoding : chunked\r\n", chunks, 400),
            ("Transfer-Encoding\t: chunked\r\n", chunks, 400),
            (" Transfer-Encoding: chunked\r\n", chunks, 400),
            ("X: y\r\n\tTransfer-Encoding: chunked\r\n", chunks, 400),
            ("X: y\rTransfer-Encoding: chunked\r\n", chunks, 400),
            ("X: y\nTransfer-Encoding: chunked\r\n", chunks, 400),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", chunks, 400),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", chunks, 400),
            ("Content-Length: 5, 5\r\n", chunks, 400),
            ("Content-Length: 5,6\r\n", chunks, 400),
            ("Content-Length: +5\r\n", chunks, 400),
            ("Content-Length: -5\r\n", chunks, 400),
            ("Content-Length: 0x5\r\n", chunks, 400),
            ("Content-Length: 5 \r\n 0\r\n", chunks, 400),
            ("Content-Length: 5 0\r\n", chunks, 400),
            ("Content-Length:\r\n", chunks, 400),
            ("Content-Length: 18446744073709551621\r\n", chunks, 400),
            ("Content-Length: 9223372036854775808\r\n", chunks, 400),
            ("Content-Length: 5\r\nContent-Length : 0\r\n", chunks, 400),
        ] {
            check_refused(
                &gateway,
                &upstream,
                request("POST", "/x", fields, body).as_bytes(),
                status,
            );
        }
        let old = request(
            "POST",
            "/x",
            "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n",
            chunks,
        );
        check_refused(&gateway, &upstream, old.replace("HTTP/1.1", "HTTP/1.0").as_bytes(), 400);
    });
}

#[test]
fn lines_that_parsers_part_differently_are_refused() {
    // Row 2: bare line ends, folding, spaces before colons, NUL, vertical tabs.
    on_both(|driver| {
        let (gateway, upstream) = proxying(driver);
        let host = format!("Host: {API}.execute-api.localhost\r\n");
        for text in [
            format!("GET /prod/x HTTP/1.1\n{host}\r\n"),
            format!("GET /prod/x HTTP/1.1\r{host}\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X: y\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X: a\r b\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X: a\r\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X: a\r\n b\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X: a\r\n\tb\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n X: a\r\n{host}\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X : a\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}: a\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X: a\0b\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X\0: a\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X: a\x0bb\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X: a\x7f\r\n\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}X\u{e9}: a\r\n\r\n"),
            format!("GET  /prod/x HTTP/1.1\r\n{host}\r\n"),
            format!("GET /prod/x  HTTP/1.1\r\n{host}\r\n"),
            format!("GET\t/prod/x HTTP/1.1\r\n{host}\r\n"),
            format!("GET /prod/x HTTP/1.1 \r\n{host}\r\n"),
            format!("GET /prod/x\x0b HTTP/1.1\r\n{host}\r\n"),
            format!("GET /prod/x#f HTTP/1.1\r\n{host}\r\n"),
            format!("GET /prod/\\x HTTP/1.1\r\n{host}\r\n"),
            format!("GET /prod/\u{e9} HTTP/1.1\r\n{host}\r\n"),
            format!("GET prod/x HTTP/1.1\r\n{host}\r\n"),
            format!("GET /prod/x\r\n{host}\r\n"),
            format!("GET /prod/x http/1.1\r\n{host}\r\n"),
            format!("GET /prod/x HTTP/1.10\r\n{host}\r\n"),
            format!("\r\n\r\n\r\nGET /prod/x HTTP/1.1\r\n{host}\r\n"),
            format!(" GET /prod/x HTTP/1.1\r\n{host}\r\n"),
            "GET /prod/x HTTP/1.1\r\n\r\n".into(),
            format!("GET /prod/x HTTP/1.1\r\n{host}{host}\r\n"),
            format!("GET /prod/x HTTP/1.1\r\n{host}Host: other\r\n\r\n"),
            "GET /prod/x HTTP/1.1\r\nHost: a b\r\n\r\n".into(),
            "GET /prod/x HTTP/1.1\r\nHost: a@b\r\n\r\n".into(),
            format!("GET http://other/prod/x HTTP/1.1\r\n{host}\r\n"),
            format!("GET http://u@{API}.execute-api.localhost/prod/x HTTP/1.1\r\n{host}\r\n"),
            format!("GET ftp://{API}.execute-api.localhost/prod/x HTTP/1.1\r\n{host}\r\n"),
            format!("GET * HTTP/1.1\r\n{host}\r\n"),
        ] {
            check_refused(&gateway, &upstream, text.as_bytes(), 400);
        }
    });
}

#[test]
fn malformed_chunks_are_refused_before_the_upstream_has_the_whole() {
    // Row 3. Some of the body may be on its way already: what counts is that no upstream takes it for complete.
    on_both(|driver| {
        let (gateway, upstream) = proxying(driver);
        let huge = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(300));
        let spread = "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n"
            .repeat(5)
            + "0\r\n\r\n";
        let trailers = format!("0\r\n{}\r\n", "X: y\r\n".repeat(40));
        for body in [
            "0x5\r\nhello\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "-5\r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5;a\nhello\r\n0\r\n\r\n",
            "5;a\rb\r\nhello\r\n0\r\n\r\n",
            "5;a\0\r\nhello\r\n0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n",
            ";a\r\nhello\r\n0\r\n\r\n",
            "g\r\nhello\r\n0\r\n\r\n",
            "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
            "10000000000000005\r\nhello\r\n0\r\n\r\n",
            "00000000000000005\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
            "5\r\nhello\r\n0\r\n X: y\r\n\r\n",
            "5\r\nhello\r\n0\r\nX: y\n\r\n",
            &huge,
            &spread,
            &trailers,
        ] {
            let bytes = request("POST", "/x", "Transfer-Encoding: chunked\r\n", body);
            check_refused(&gateway, &upstream, bytes.as_bytes(), 400);
        }
        // What is only odd is passed on plainly: extensions and trailers are gone, digits are ours.
        let odd = "00005;ext=\"v\"\r\nhello\r\n000\r\nX-Trailer: y\r\n\r\n";
        let fields = "Transfer-Encoding: chunked\r\nTrailer: X-Trailer\r\nConnection: close\r\n";
        let answer = Answer::parse(&gateway.raw(request("POST", "/x", fields, odd).as_bytes()));
        assert_eq!(answer.status, 200);
        let seen = upstream.next();
        assert!(seen.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{seen:?}");
        assert!(!seen.contains("railer"), "{seen:?}");
    });
}

#[test]
fn a_connection_field_cannot_take_framing_or_the_callers_address_away() {
    // Row 4.
    on_both(|driver| {
        let (gateway, upstream) = proxying(driver);
        for (fields, body, ends) in [
            (
                "Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
                "3\r\nabc\r\n0\r\n\r\n",
                "\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            ),
            ("Connection: close, Content-Length\r\nContent-Length: 3\r\n", "abc", "\r\n\r\nabc"),
            (
                "Connection: close, X-Forwarded-For, X-Forwarded-Proto, Host\r\nContent-Length: 3\r\n",
                "abc",
                "\r\n\r\nabc",
            ),
        ] {
            let answer =
                Answer::parse(&gateway.raw(request("POST", "/x", fields, body).as_bytes()));
            assert_eq!(answer.status, 200);
            let seen = upstream.next();
            assert!(seen.ends_with(ends), "{seen:?}");
            for line in [
                "X-Forwarded-For: 127.0.0.1",
                "X-Forwarded-Proto: http",
                "X-Amzn-Apigateway-Api-Id: abcde12345",
            ] {
                assert!(seen.lines().any(|l| l == line), "{line} in {seen:?}");
            }
            assert!(!seen.to_ascii_lowercase().contains("connection:"), "{seen:?}");
        }
    });
}

#[test]
fn no_upgrade_and_no_tunnel() {
    // Rows 7 and 9: CONNECT is refused, h2c and other upgrades are not passed on.
    on_both(|driver| {
        let (gateway, upstream) = proxying(driver);
        check_refused(
            &gateway,
            &upstream,
            b"CONNECT up.example:443 HTTP/1.1\r\nHost: up.example:443\r\n\r\n",
            501,
        );
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        let text = gateway.raw(preface);
        assert!(Answer::parse(&text).status >= 400, "{text:?}");
        upstream.saw_nothing();
        for fields in [
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        ] {
            let two = request("GET", "/x", fields, "")
                + &request("GET", "/last", "Connection: close\r\n", "");
            let answers = Answer::all(&gateway.raw(two.as_bytes()));
            assert_eq!(answers.iter().map(|a| a.status).collect::<Vec<_>>(), [200, 200]);
            let seen = upstream.next().to_ascii_lowercase();
            assert!(!seen.contains("upgrade") && !seen.contains("http2-settings"), "{seen:?}");
            upstream.next();
        }
    });
}

#[test]
fn what_is_too_large_has_its_own_status() {
    on_both(|driver| {
        let (gateway, upstream) = proxying(driver);
        let long = "a".repeat(10_300);
        check_refused(
            &gateway,
            &upstream,
            request("GET", &format!("/{long}"), "", "").as_bytes(),
            414,
        );
        check_refused(
            &gateway,
            &upstream,
            request("GET", &format!("/x?{long}"), "", "").as_bytes(),
            414,
        );
        check_refused(
            &gateway,
            &upstream,
            request("GET", &format!("/{}", "a".repeat(30_000)), "", "").as_bytes(),
            414,
        );
        check_refused(
            &gateway,
            &upstream,
            request("GET", "/x", &format!("X: {long}\r\n"), "").as_bytes(),
            431,
        );
        check_refused(
            &gateway,
            &upstream,
            request("GET", "/x", &format!("X: {}\r\n", "a".repeat(40_000)), "").as_bytes(),
            431,
        );
        check_refused(
            &gateway,
            &upstream,
            request("GET", "/x", &"X: y\r\n".repeat(101), "").as_bytes(),
            431,
        );
        check_refused(
            &gateway,
            &upstream,
            request("GET", "/x", "Expect: 200-ok\r\n", "").as_bytes(),
            417,
        );
        let old = request("GET", "/x", "", "").replace("HTTP/1.1", "HTTP/3.0");
        check_refused(&gateway, &upstream, old.as_bytes(), 505);
    });
}

#[test]
fn bytes_that_are_no_http_are_answered_once_and_dropped() {
    on_both(|driver| {
        let (gateway, upstream) = proxying(driver);
        for bytes in [
            // A TLS hello on the plain port, an SSH banner, zeroes, noise.
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
            b"\0\0\0\0\r\n\r\n",
            b"\xff\xfe\r\n\r\n",
            b"{\"a\":1}\r\n\r\n",
        ] {
            let text = gateway.raw(bytes);
            assert_eq!(Answer::parse(&text).status, 400, "{bytes:?} gave {text:?}");
        }
        upstream.saw_nothing();
        assert_eq!(gateway.get("/x").status, 200);
    });
}
