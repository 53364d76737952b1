//! Callers that are slow, silent, gone or too many: each costs a bounded time, and no one else notices.
//!
//! Source: reliability-and-threats.md section 2, row 17; design.md section 8.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::{
    API, Answer, Gateway, Options, Upstream, http_proxy, mock, on_both, read_request, request,
    resource,
};
use tidegate_node::rt::Driver;
use tidegate_node::worker::Limits;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

fn gateway(driver: Driver, limits: Limits, uri: &str) -> Gateway {
    let options = Options { limits, ..Options::on(driver) };
    let resources =
        vec![resource("/mock", "ANY", mock("{}")), resource("/{p+}", "ANY", http_proxy(uri, &[]))];
    Gateway::with(options, resources)
}

fn short() -> Limits {
    Limits {
        head: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        stall: Duration::from_millis(300),
        drain: Duration::from_secs(2),
        connections: 100,
    }
}

/// Waits until the gateway has this many connections.
fn settles(gateway: &Gateway, connections: usize) {
    let began = Instant::now();
    while gateway.node().connections() != connections {
        let held = gateway.node().connections();
        assert!(began.elapsed() < Duration::from_secs(5), "{held} connections, not {connections}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read_all(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn a_head_that_comes_byte_by_byte_has_one_limit() {
    on_both(|driver| {
        let gateway = gateway(driver, short(), "http://127.0.0.1:9/");
        let mut stream = gateway.connect();
        let began = Instant::now();
        let head = request("GET", "/mock", "X: y\r\n", "");
        let mut sent = 0;
        for byte in head.as_bytes() {
            if began.elapsed() > Duration::from_secs(3) || stream.write_all(&[*byte]).is_err() {
                break;
            }
            sent += 1;
            std::thread::sleep(Duration::from_millis(40));
        }
        assert!(sent < 60, "{driver:?}: {sent} bytes were taken");
        let answer = Answer::parse(&read_all(&mut stream));
        assert_eq!((answer.status, answer.field("connection")), (408, Some("close")), "{driver:?}");
        settles(&gateway, 0);
    });
}

#[test]
fn a_body_that_stalls_is_given_up_and_the_upstream_sees_it_break() {
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|_, stream, seen| {
            let whole = read_request(stream).is_some();
            let _ = seen.send(format!("whole: {whole}"));
        }));
        let gateway = gateway(driver, short(), &upstream.url("/"));
        let mut stream = gateway.connect();
        let began = Instant::now();
        let text = request("POST", "/x", "Content-Length: 10\r\n", "abc");
        stream.write_all(text.as_bytes()).unwrap();
        let answer = Answer::parse(&read_all(&mut stream));
        assert_eq!((answer.status, answer.field("connection")), (400, Some("close")), "{driver:?}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert_eq!(upstream.next(), "whole: false");
        settles(&gateway, 0);
    });
}

#[test]
fn a_caller_that_does_not_read_its_answer_is_dropped() {
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|_, stream, seen| {
            let _ = read_request(stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
            let piece = vec![b'x'; 64 * 1024];
            while stream.write_all(&piece).is_ok() {}
            let _ = seen.send("gone".into());
        }));
        let gateway = gateway(driver, short(), &upstream.url("/"));
        let mut stream = gateway.connect();
        stream.write_all(request("GET", "/x", "", "").as_bytes()).unwrap();
        // The upstream's writes end when its connection does: long before anyone read 100 MB.
        let began = Instant::now();
        assert_eq!(upstream.next(), "gone", "{driver:?}");
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        settles(&gateway, 0);
        // What the caller finds is cut off visibly.
        let text = read_all(&mut stream);
        assert!(text.len() < 100_000_000);
    });
}

#[test]
fn a_caller_that_neither_reads_nor_ends_its_body_is_dropped_too() {
    // The limits of both directions run at once and do not take each other back.
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|_, stream, _| {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
            let mut reading = stream.try_clone().unwrap();
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut reading, &mut std::io::sink());
            });
            let piece = vec![b'x'; 64 * 1024];
            while stream.write_all(&piece).is_ok() {}
        }));
        let gateway = gateway(driver, short(), &upstream.url("/"));
        let mut stream = gateway.connect();
        let text = request("POST", "/x", "Content-Length: 1000000\r\n", "");
        stream.write_all(text.as_bytes()).unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(4) && stream.write_all(b"drip").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
            if gateway.node().connections() == 0 {
                break;
            }
        }
        assert!(began.elapsed() < Duration::from_secs(4), "{driver:?}");
        settles(&gateway, 0);
    });
}

#[test]
fn an_idle_connection_ends_and_a_new_request_in_time_keeps_it() {
    on_both(|driver| {
        let gateway = gateway(driver, short(), "http://127.0.0.1:9/");
        let mut silent = gateway.connect();
        let mut busy = gateway.connect();
        let mut buf = [0; 1024];
        for _ in 0..4 {
            busy.write_all(request("GET", "/mock", "", "").as_bytes()).unwrap();
            assert!(busy.read(&mut buf).unwrap() > 0, "{driver:?}");
            std::thread::sleep(Duration::from_millis(150));
        }
        // Ended without a word, as nothing was asked.
        assert_eq!(silent.read(&mut buf).unwrap(), 0, "{driver:?}");
        let began = Instant::now();
        assert_eq!(busy.read(&mut buf).unwrap(), 0, "{driver:?}");
        assert!(began.elapsed() < Duration::from_secs(2));
        settles(&gateway, 0);
    });
}

#[test]
fn more_connections_than_may_be_wait_and_are_served_when_one_ends() {
    on_both(|driver| {
        let limits = Limits { connections: 4, idle: Duration::from_secs(30), ..short() };
        let gateway = gateway(driver, limits, "http://127.0.0.1:9/");
        let ask = |stream: &mut TcpStream| {
            stream.write_all(request("GET", "/mock", "", "").as_bytes()).unwrap();
        };
        let mut held: Vec<TcpStream> = (0..4).map(|_| gateway.connect()).collect();
        let mut buf = [0; 1024];
        for stream in &mut held {
            ask(stream);
            assert!(stream.read(&mut buf).unwrap() > 0);
        }
        let mut waiting = gateway.connect();
        ask(&mut waiting);
        waiting.set_read_timeout(Some(Duration::from_millis(150))).unwrap();
        let early = waiting.read(&mut buf).unwrap_err();
        assert!(matches!(early.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{driver:?}");
        assert!(gateway.node().connections() <= 4, "{driver:?}");
        drop(held.pop());
        waiting.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert!(waiting.read(&mut buf).unwrap() > 0, "{driver:?}");
    });
}

/// An upstream that never answers and says when its connection ends.
fn silent() -> Upstream {
    Upstream::scripted(Arc::new(|_, stream, seen| {
        let _ = read_request(stream);
        let _ = seen.send("asked".into());
        let mut byte = [0];
        let _ = stream.read(&mut byte);
        let _ = seen.send("gone".into());
    }))
}

#[test]
fn a_caller_that_leaves_ends_the_call() {
    on_both(|driver| {
        for (left_behind, how) in [("", None), ("", Some(Shutdown::Write)), ("GET /", None)] {
            let upstream = silent();
            let gateway = gateway(driver, Limits::default(), &upstream.url("/"));
            let mut stream = gateway.connect();
            // Bytes sent ahead do not hide that the caller left.
            let text = request("GET", "/x", "", "") + left_behind;
            stream.write_all(text.as_bytes()).unwrap();
            assert_eq!(upstream.next(), "asked");
            let began = Instant::now();
            match how {
                Some(half) => stream.shutdown(half).unwrap(),
                None => drop(stream),
            }
            assert_eq!(upstream.next(), "gone", "{driver:?}");
            let took = began.elapsed();
            assert!(took < Duration::from_millis(600), "{driver:?}: after {took:?}");
            settles(&gateway, 0);
        }
    });
}

#[test]
fn a_half_closed_caller_gets_its_answer_if_it_is_quick() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let gateway = gateway(driver, short(), &upstream.url("/"));
        let mut stream = gateway.connect();
        stream.write_all(request("GET", "/x", "", "").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answers = Answer::all(&read_all(&mut stream));
        assert_eq!(answers.iter().map(|a| a.status).collect::<Vec<_>>(), [200], "{driver:?}");
        settles(&gateway, 0);
    });
}

#[test]
fn a_broken_off_head_is_no_request() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let gateway = gateway(driver, short(), &upstream.url("/"));
        let whole = request("GET", "/x", "X: y\r\n", "");
        for cut in [1, 10, whole.len() - 3, whole.len() - 2, whole.len() - 1] {
            let mut stream = gateway.connect();
            stream.write_all(&whole.as_bytes()[..cut]).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let text = read_all(&mut stream);
            assert!(!text.contains(" 200 "), "{driver:?} {cut}: {text}");
        }
        upstream.saw_nothing();
        settles(&gateway, 0);
    });
}

#[test]
fn two_hundred_slow_heads_do_not_slow_a_good_caller() {
    on_both(|driver| {
        let limits = Limits { head: Duration::from_secs(20), connections: 1000, ..short() };
        let gateway = gateway(driver, limits, "http://127.0.0.1:9/");
        let mut slow: Vec<TcpStream> = (0..200).map(|_| gateway.connect()).collect();
        let head = format!("GET /prod/mock HTTP/1.1\r\nHost: {API}.execute-api.localhost\r\nX: ");
        for stream in &mut slow {
            stream.write_all(head.as_bytes()).unwrap();
        }
        let mut worst = Duration::ZERO;
        for round in 0..50 {
            slow[round * 4].write_all(b"y").unwrap();
            let began = Instant::now();
            assert_eq!(gateway.get("/mock").status, 200);
            worst = worst.max(began.elapsed());
        }
        assert!(worst < Duration::from_millis(500), "{driver:?}: {worst:?}");
    });
}

#[test]
fn an_endless_row_of_interim_answers_ends_the_call() {
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|_, stream, _| {
            let _ = read_request(stream);
            let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
            while stream.write_all(many.as_bytes()).is_ok() {}
        }));
        let gateway = gateway(driver, short(), &upstream.url("/"));
        let began = Instant::now();
        assert_eq!(gateway.get("/x").status, 504, "{driver:?}");
        assert!(began.elapsed() < Duration::from_secs(1));
    });
}
