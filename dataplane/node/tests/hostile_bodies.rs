//! Bodies that nobody reads, that come late or never, and answers that come before them: a second request on the connection is
//! never read from the first one's body, and an upstream connection is used again only at a message boundary.
//!
//! Source: reliability-and-threats.md section 2, rows 5 and 6.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::{
    Answer, Gateway, Options, Upstream, http_proxy, mock, on_both, read_request, request, resource,
};
use tidegate_node::rt::Driver;
use tidegate_proto::v1;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/// What a body pretends to be.
const EVIL: &str = "GET /prod/evil HTTP/1.1\r\nHost: abcde12345.execute-api.localhost\r\nX: ";

/// A gateway with every way to answer without reading a body, and the upstream that must not see `/evil`.
fn answering_itself(driver: Driver) -> (Gateway, Upstream) {
    let upstream = Upstream::answering(OK);
    let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let strict = v1::Integration { passthrough_behavior: "NEVER".into(), ..mock("{}") };
    let bad = http_proxy(
        &upstream.url("/"),
        &[("integration.request.header.X", "method.request.querystring.q")],
    );
    let broken =
        http_proxy(&upstream.url("/"), &[("integration.request.header.Content-Length", "'1'")]);
    let resources = vec![
        resource("/mock", "ANY", mock("{}")),
        resource("/strict", "ANY", strict),
        resource("/bad", "ANY", bad),
        resource("/broken", "ANY", broken),
        resource("/refused", "ANY", http_proxy(&format!("http://{refusing}/"), &[])),
        resource("/unknown", "ANY", http_proxy("http://no-such-name.test/", &[])),
        resource("/denied", "ANY", http_proxy("http://169.254.169.254/", &[])),
        resource("/ok", "GET", http_proxy(&upstream.url("/ok"), &[])),
        resource("/evil", "ANY", http_proxy(&upstream.url("/evil"), &[])),
    ];
    let options = Options { max_body: 100_000, ..Options::on(driver) };
    (Gateway::with(options, resources), upstream)
}

const LOCAL: [(&str, u16); 10] = [
    ("/mock", 200),
    ("/strict", 415),
    ("/bad?q=%0a", 400),
    ("/broken", 500),
    ("/refused", 504),
    ("/unknown", 500),
    ("/denied", 500),
    ("/nope", 403),
    ("/../x", 400),
    ("/ok", 403),
];

#[test]
fn the_request_behind_a_body_nobody_read_is_the_one_that_was_sent() {
    on_both(|driver| {
        let (gateway, upstream) = answering_itself(driver);
        for (path, status) in LOCAL {
            // A body that arrived with its head is dropped, and the connection goes on, whatever the framing.
            let length = format!("Content-Type: text/plain\r\nContent-Length: {}\r\n", EVIL.len());
            let chunks = format!("{:x}\r\n{EVIL}\r\n0\r\n\r\n", EVIL.len());
            let coding = "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n";
            let status_of = |path: &str| if path == "/mock" { 500 } else { status };
            for first in
                [request("POST", path, &length, EVIL), request("POST", path, coding, &chunks)]
            {
                let two = first + &request("GET", "/ok", "Connection: close\r\n", "");
                let text = gateway.raw(two.as_bytes());
                let answers = Answer::all(&text);
                let statuses: Vec<u16> = answers.iter().map(|a| a.status).collect();
                assert_eq!(statuses, [status_of(path), 200], "{driver:?} {path}: {text}");
                assert!(upstream.next().starts_with("GET /ok "), "{path}");
            }
        }
        upstream.saw_nothing();
    });
}

#[test]
fn a_short_body_that_comes_a_moment_later_is_dropped_too() {
    on_both(|driver| {
        let (gateway, upstream) = answering_itself(driver);
        for (path, status) in [("/mock", 200), ("/nope", 403), ("/refused", 504)] {
            let mut stream = gateway.connect();
            let fields = format!("Content-Length: {}\r\n", EVIL.len());
            stream.write_all(request("POST", path, &fields, "").as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(50));
            stream.write_all(EVIL.as_bytes()).unwrap();
            stream
                .write_all(request("GET", "/ok", "Connection: close\r\n", "").as_bytes())
                .unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            let statuses: Vec<u16> = Answer::all(&text).iter().map(|a| a.status).collect();
            assert_eq!(statuses, [status, 200], "{driver:?} {path}: {text}");
            assert!(upstream.next().starts_with("GET /ok "), "{path}");
        }
    });
}

#[test]
fn a_long_or_unsure_body_ends_the_connection_and_the_answer_says_so() {
    on_both(|driver| {
        let (gateway, upstream) = answering_itself(driver);
        let evil = request("GET", "/evil", "", "");
        for (path, fields, status) in [
            // More than is worth reading; more than may be; no end in sight; may never be sent.
            ("/mock", "Content-Length: 90000\r\n", 200),
            ("/nope", "Content-Length: 90000\r\n", 403),
            ("/mock", "Content-Length: 100001\r\n", 413),
            ("/mock", "Content-Length: 9223372036854775807\r\n", 413),
            ("/mock", "Transfer-Encoding: chunked\r\n", 200),
            ("/mock", "Content-Length: 60\r\nExpect: 100-continue\r\n", 200),
            ("/nope", "Content-Length: 60\r\nExpect: 100-continue\r\n", 403),
            ("/mock", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", 400),
        ] {
            let mut stream = gateway.connect();
            stream.write_all(request("POST", path, fields, "").as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            // What follows may be the body, or a request of somebody who believes the answer ends it.
            let _ = stream.write_all(evil.as_bytes());
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            let answers = Answer::all(&text);
            assert_eq!(answers.len(), 1, "{driver:?} {path} {fields}: {text}");
            assert_eq!(answers[0].status, status, "{driver:?} {path} {fields}: {text}");
            assert_eq!(answers[0].field("connection"), Some("close"), "{path} {fields}: {text}");
        }
        upstream.saw_nothing();
    });
}

#[test]
fn a_body_that_is_announced_short_and_never_comes_holds_the_connection_for_a_second() {
    on_both(|driver| {
        let (gateway, _upstream) = answering_itself(driver);
        let began = Instant::now();
        let text = gateway.raw(request("POST", "/nope", "Content-Length: 60\r\n", "").as_bytes());
        assert_eq!(Answer::parse(&text).status, 403);
        assert!(began.elapsed() < Duration::from_secs(4), "{driver:?}: {:?}", began.elapsed());
    });
}

#[test]
fn nobody_is_invited_to_send_a_body_twice_nor_without_one() {
    on_both(|driver| {
        let (gateway, upstream) = proxying(driver);
        // No body: no invitation. HTTP/1.0: none either.
        for text in [
            request("GET", "/x", "Expect: 100-continue\r\nConnection: close\r\n", ""),
            request(
                "POST",
                "/x",
                "Expect: 100-continue\r\nContent-Length: 0\r\nConnection: close\r\n",
                "",
            ),
            request("POST", "/x", "Expect: 100-continue\r\nContent-Length: 3\r\n", "abc")
                .replace("HTTP/1.1", "HTTP/1.0"),
            // Sent without waiting.
            request(
                "POST",
                "/x",
                "Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n",
                "abc",
            ),
        ] {
            let answers = Answer::all(&gateway.raw(text.as_bytes()));
            assert_eq!(answers.iter().map(|a| a.status).collect::<Vec<_>>(), [200], "{text:?}");
            let seen = upstream.next().to_ascii_lowercase();
            assert!(!seen.contains("expect"), "{seen}");
        }
    });
}

fn proxying(driver: Driver) -> (Gateway, Upstream) {
    let upstream = Upstream::answering(OK);
    let gateway =
        Gateway::start(driver, vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))]);
    (gateway, upstream)
}

#[test]
fn an_upstream_that_answers_before_the_body_is_read_poisons_nobodys_connection() {
    // Row 5: early response. The upstream answers at the head and goes on reading what it takes for requests.
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|number, stream, seen| {
            let mut head = Vec::new();
            let mut byte = [0];
            loop {
                head.clear();
                while !head.ends_with(b"\r\n\r\n") {
                    if stream.read(&mut byte).unwrap_or(0) == 0 {
                        return;
                    }
                    head.push(byte[0]);
                }
                let line =
                    String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                let _ = seen.send(format!("{number} {line}"));
                let _ = stream.write_all(OK.as_bytes());
            }
        }));
        let gateway = Gateway::start(
            driver,
            vec![resource(
                "/{p+}",
                "ANY",
                http_proxy(
                    &upstream.url("/up/{p}"),
                    &[("integration.request.path.p", "method.request.path.p")],
                ),
            )],
        );
        let mut stream = gateway.connect();
        let fields = format!("Content-Length: {}\r\n", EVIL.len() + 100);
        stream.write_all(request("POST", "/first", &fields, "").as_bytes()).unwrap();
        let mut first = vec![0; 20];
        stream.read_exact(&mut first).unwrap();
        assert!(first.starts_with(b"HTTP/1.1 200"), "{driver:?}");
        let _ = stream.write_all(EVIL.as_bytes());
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert_eq!(upstream.next(), "0 POST /up/first HTTP/1.1");

        // The next caller gets a connection that carries nothing of the first one's body.
        assert_eq!(gateway.get("/second").status, 200);
        assert_eq!(upstream.next(), "1 GET /up/second HTTP/1.1", "{driver:?}");
    });
}

#[test]
fn the_answer_of_an_upstream_that_stops_reading_arrives_while_the_caller_still_sends() {
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|_, stream, _| {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(
                b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nConnection: close\r\n\r\nstop",
            );
            let _ = stream.shutdown(std::net::Shutdown::Write);
            std::thread::sleep(Duration::from_millis(300));
        }));
        let gateway = Gateway::start(
            driver,
            vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))],
        );
        let mut stream = gateway.connect();
        stream
            .write_all(request("POST", "/x", "Content-Length: 5000000\r\n", "").as_bytes())
            .unwrap();
        // Sends on for a while behind the answer, as a caller does that looks only now and then.
        for _ in 0..8 {
            if stream.write_all(&[b'x'; 1000]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let answer = Answer::parse(&text);
        assert_eq!((answer.status, answer.body.as_str()), (403, "stop"), "{driver:?}");
    });
}

#[test]
fn a_caller_that_breaks_off_its_body_is_not_taken_for_done() {
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|_, stream, seen| {
            let whole = read_request(stream).is_some();
            let _ = seen.send(format!("whole: {whole}"));
            let _ = stream.write_all(OK.as_bytes());
        }));
        let gateway = Gateway::start(
            driver,
            vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))],
        );
        for (fields, body) in [
            ("Content-Length: 10\r\n", "abc"),
            ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"),
            ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n"),
            ("Transfer-Encoding: chunked\r\n", "ff\r\nabc"),
            ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\nzz\r\n"),
        ] {
            let mut stream = gateway.connect();
            stream.write_all(request("POST", "/x", fields, body).as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(10));
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut text = String::new();
            let _ = stream.read_to_string(&mut text);
            // A malformed chunk that came with the head is refused before the upstream is called.
            if let Ok(seen) = upstream.seen.recv_timeout(Duration::from_secs(1)) {
                assert_eq!(seen, "whole: false", "{driver:?} {fields:?} {body:?}");
            }
            assert!(!text.contains(" 200 "), "{text}");
        }
    });
}
