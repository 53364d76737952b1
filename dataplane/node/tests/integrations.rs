//! Integrations that are mapped rather than passed on, end to end: bodies are collected from real callers and sent to real
//! upstreams, and what comes back is mapped.

mod support;

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::{
    Answer, Gateway, Options, Upstream, on_both, pairs, read_request, request, resource,
};
use tidegate_proto::v1;

/// An `HTTP` integration: `POST` with a name from the body and its path, answers by status.
fn http(uri: &str) -> v1::Integration {
    let response = |status: &str, pattern: &str| v1::IntegrationResponse {
        status_code: status.into(),
        selection_pattern: pattern.into(),
        parameters: pairs(&[(
            "method.response.header.X-Version",
            "integration.response.header.ETag",
        )]),
        ..Default::default()
    };
    v1::Integration {
        r#type: v1::IntegrationType::Http.into(),
        http_method: "POST".into(),
        uri: uri.into(),
        request_parameters: pairs(&[
            ("integration.request.header.X-Name", "method.request.body.name"),
            ("integration.request.path.id", "method.request.path.id"),
        ]),
        timeout_ms: 2_000,
        responses: vec![response("200", ""), response("404", "404")],
        ..Default::default()
    }
}

fn declared(path: &str, integration: v1::Integration) -> v1::Resource {
    let mut made = resource(path, "ANY", integration);
    made.methods[0].responses = ["200", "404"]
        .map(|code| v1::MethodResponse { status_code: code.into(), ..Default::default() })
        .into();
    made
}

#[test]
fn a_body_is_collected_however_it_is_framed_and_sent_with_its_length() {
    on_both(|driver| {
        let upstream = Upstream::answering(
            "HTTP/1.1 201 Created\r\nETag: v7\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\ntheirs",
        );
        let gateway =
            Gateway::start(driver, vec![declared("/pets/{id}", http(&upstream.url("/in/{id}")))]);
        let body = r#"{"name":"Rex"}"#;
        let chunked =
            format!("5\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &body[..5], body.len() - 5, &body[5..]);
        for (framing, sent) in [
            (format!("Content-Length: {}\r\n", body.len()), body),
            ("Transfer-Encoding: chunked\r\n".to_owned(), chunked.as_str()),
        ] {
            let fields = format!(
                "{framing}Content-Type: application/json\r\nX-Mine: 1\r\nConnection: close\r\n"
            );
            let text = request("PUT", "/pets/7", &fields, sent);
            let answer = Answer::parse(&gateway.raw(text.as_bytes()));
            assert_eq!((answer.status, answer.body.as_str()), (200, "theirs"));
            assert_eq!(answer.field("x-version"), Some("v7"));
            assert_eq!(answer.field("content-type"), Some("application/json"));
            let seen = upstream.next();
            assert!(seen.starts_with("POST /in/7 HTTP/1.1\r\n"), "{seen}");
            assert!(seen.contains("X-Name: Rex\r\n") && !seen.contains("X-Mine"), "{seen}");
            assert!(seen.contains("content-length: 14\r\n") && seen.ends_with(body), "{seen}");
        }
    });
}

#[test]
fn long_bodies_arrive_whole_both_ways_and_too_long_ones_are_refused() {
    on_both(|driver| {
        let long = format!("{{\"name\":\"{}\"}}", "x".repeat(300_000));
        let echo = Arc::new(|_: usize, stream: &mut std::net::TcpStream, seen: &_| {
            let seen: &std::sync::mpsc::Sender<String> = seen;
            while let Some(request) = read_request(stream) {
                let body = request.split_once("\r\n\r\n").unwrap().1;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all((head + body).as_bytes()).unwrap();
                seen.send(request).unwrap();
            }
        });
        let upstream = Upstream::scripted(echo);
        let mut integration = http(&upstream.url("/"));
        integration.request_parameters.clear();
        let mut options = Options::on(driver);
        options.max_body = 400_000;
        let gateway = Gateway::with(options, vec![declared("/echo", integration)]);
        let fields = format!("Content-Length: {}\r\nConnection: close\r\n", long.len());
        let answer =
            Answer::parse(&gateway.raw(request("POST", "/echo", &fields, &long).as_bytes()));
        assert_eq!((answer.status, answer.body.len()), (200, long.len()));
        assert!(answer.body == long);

        let chunk = format!("{:x}\r\n{}\r\n", 100_000, "y".repeat(100_000));
        let body = format!("{}0\r\n\r\n", chunk.repeat(5));
        let fields = "Transfer-Encoding: chunked\r\nConnection: close\r\n";
        let answer =
            Answer::parse(&gateway.raw(request("POST", "/echo", fields, &body).as_bytes()));
        assert_eq!(answer.status, 413, "{answer:?}");
        upstream.next();
        upstream.saw_nothing();
    });
}

#[test]
fn a_caller_that_waits_for_100_continue_is_invited() {
    on_both(|driver| {
        let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let gateway =
            Gateway::start(driver, vec![declared("/x/{id}", http(&upstream.url("/{id}")))]);
        let mut stream = gateway.connect();
        let fields = "Content-Length: 12\r\nExpect: 100-continue\r\nConnection: close\r\n";
        stream.write_all(request("POST", "/x/1", fields, "").as_bytes()).unwrap();
        let mut interim = [0; 25];
        std::io::Read::read_exact(&mut stream, &mut interim).unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(br#"{"name":"A"}"#).unwrap();
        assert!(upstream.next().contains("X-Name: A\r\n"));
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut stream, &mut rest).unwrap();
        assert_eq!(Answer::parse(&rest).status, 200);
    });
}

#[test]
fn an_upstream_that_hangs_or_goes_away_is_answered_in_time() {
    on_both(|driver| {
        let silent = Upstream::scripted(Arc::new(|_, stream, _| {
            read_request(stream);
            std::thread::sleep(Duration::from_secs(5));
        }));
        let rude = Upstream::scripted(Arc::new(|_, stream, _| {
            read_request(stream);
        }));
        let cut = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
        let mut hanging = http(&silent.url("/"));
        hanging.timeout_ms = 300;
        let mut cutting = http(&cut.url("/"));
        cutting.timeout_ms = 300;
        let gateway = Gateway::start(
            driver,
            vec![
                declared("/hangs", hanging),
                declared("/goes", http(&rude.url("/"))),
                declared("/cuts", cutting),
            ],
        );
        let began = Instant::now();
        for (path, status) in [("/hangs", 504), ("/goes", 504), ("/cuts", 504)] {
            assert_eq!(gateway.get(path).status, status, "{path}");
        }
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    });
}

#[test]
fn the_connection_to_the_upstream_is_used_again() {
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|number, stream, seen| {
            while let Some(request) = read_request(stream) {
                seen.send(format!("{number} {request}")).unwrap();
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno").unwrap();
            }
        }));
        let gateway =
            Gateway::start(driver, vec![declared("/x/{id}", http(&upstream.url("/{id}")))]);
        for _ in 0..3 {
            assert_eq!(gateway.get("/x/1").status, 404);
            assert!(upstream.next().starts_with("0 POST /1 "));
        }
    });
}
