//! The admin listener: limits, slow and rude clients, keep-alive, drain, and who is let in.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::Control;
use tidegate_control::auth::{Authenticator, Guard, Mode, NoKeys};
use tidegate_control::rest::{Limits, Rest, Server};

fn quick() -> Limits {
    Limits {
        head: Duration::from_millis(300),
        body: Duration::from_millis(600),
        pause: Duration::from_millis(300),
        ..Limits::default()
    }
}

#[test]
fn a_body_over_the_cap_is_refused_before_it_is_sent() {
    let control = Control::start();
    let answer = control
        .raw(b"POST /restapis HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10485761\r\n\r\n");
    assert_eq!(answer.status, 413, "{answer:?}");
    assert_eq!(answer.header("x-amzn-errortype"), Some("RequestEntityTooLargeException"));
    assert_eq!(answer.header("connection"), Some("close"));
}

#[test]
fn a_chunked_body_over_the_cap_is_refused_while_it_is_sent() {
    let control = Control::with_limits(Limits { body_bytes: 1_000, ..Limits::default() });
    let chunk = "a".repeat(0x400);
    let request = format!(
        "POST /restapis HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n400\r\n{chunk}\r\n"
    );
    assert_eq!(control.raw(request.as_bytes()).status, 413);
}

#[test]
fn a_document_over_the_importers_limit_is_told_by_the_importer() {
    let control = Control::start();
    let answer = control.send("POST", "/restapis?mode=import", &" ".repeat((6 << 20) + 1));
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("exceeds the limit"), "{}", answer.body);
}

#[test]
fn slow_clients_are_let_go() {
    let control = Control::with_limits(quick());
    for (sent, want) in [
        ("GET /restapis HTT", 0),
        ("POST /restapis HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{", 408),
    ] {
        let began = Instant::now();
        let answer = control.raw(sent.as_bytes());
        // hyper says 408 to a slow head in some versions and just closes in others.
        assert!(answer.status == want || want == 0 && answer.status == 408, "{answer:?}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_connection_serves_many_requests() {
    let control = Control::start();
    let mut stream = TcpStream::connect(control.address).unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /account HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut text = String::new();
        let mut piece = [0; 1_024];
        while !text.contains("apiKeyVersion") {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0);
            text.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
        assert!(text.starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn health_and_metrics() {
    let control = Control::start();
    control.send("POST", "/restapis", r#"{"name":"n"}"#);
    let health = control.send("GET", "/_tidegate/health", "").json();
    assert_eq!((health["status"].as_str(), health["revision"].as_u64()), (Some("ok"), Some(1)));
    let metrics = control.send("GET", "/_tidegate/metrics", "").body;
    assert!(
        metrics.contains(
            "gateway_admin_requests_total{operation=\"CreateRestApi\",status=\"201\"} 1\n"
        ),
        "{metrics}"
    );
    assert!(metrics.contains("gateway_store_revision 1\n"), "{metrics}");
}

#[test]
fn stopping_closes_idle_connections_and_the_listener() {
    let control = Control::start();
    let mut idle = TcpStream::connect(control.address).unwrap();
    assert_eq!(control.send("GET", "/account", "").status, 200);
    control.stop();
    idle.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(idle.read(&mut [0; 8]).unwrap_or(0), 0);
    let until = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(control.address).is_ok() {
        assert!(Instant::now() < until, "still listening");
        std::thread::yield_now();
    }
}

#[test]
fn callers_need_a_signature_and_web_pages_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let app = Arc::new(support::app(directory.path()));
    let authenticator = Authenticator::new(Mode::Loopback, Guard::default(), NoKeys);
    let rest = Arc::new(Rest::new(app, Some(Box::new(move |parts| authenticator.check(parts)))));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = runtime.block_on(Server::bind(any, rest, Limits::default())).unwrap();
    let address = server.address().unwrap();
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    runtime.spawn(server.run(stopped));
    let ask = |extra: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!(
            "GET /restapis HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{extra}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    assert!(ask("").contains("MissingAuthenticationTokenException"));
    assert!(ask("origin: http://evil.example\r\n").contains("AccessDeniedException"));
}
