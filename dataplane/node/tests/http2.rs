//! HTTP/2 with prior knowledge through a real node: the same engine, the same exchange, other frames.
//!
//! Source: design.md section 4; reliability-and-threats.md section 2, rows 8 to 12.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request, StatusCode};
use support::{
    API, Gateway, Options, Upstream, bundle, http_proxy, mock, objects, on_both, read_request,
    resource,
};
use tidegate_node::rt::Driver;
use tidegate_proto::v1;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nServer: demo\r\nTE: x\r\n\r\nhello";

/// A gateway whose listener understands h2c.
fn gateway(driver: Driver, uri: &str) -> Gateway {
    let options = Options { h2c: true, max_body: 1_000_000, ..Options::on(driver) };
    let resources =
        vec![resource("/mock", "ANY", mock("{}")), resource("/{p+}", "ANY", http_proxy(uri, &[]))];
    Gateway::with(options, resources)
}

/// Runs a caller's side.
fn call<T>(side: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), side).await.expect("it ends in time")
    })
}

/// A connection, and a handle to open streams with.
async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let tcp = TcpStream::connect(address).await.unwrap();
    let (streams, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    streams.ready().await.unwrap()
}

fn request(method: &str, path: &str, fields: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{API}.execute-api.localhost/prod{path}"));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

/// Sends a request with its body and collects the answer; an error is the stream's.
async fn ask(
    streams: &SendRequest<Bytes>,
    request: Request<()>,
    body: &[u8],
) -> Result<(StatusCode, HeaderMap, Vec<u8>), h2::Error> {
    let mut streams = streams.clone().ready().await?;
    let (answer, mut sending) = streams.send_request(request, body.is_empty())?;
    let mut left = Bytes::copy_from_slice(body);
    while !left.is_empty() {
        sending.reserve_capacity(left.len());
        let room = std::future::poll_fn(|cx| sending.poll_capacity(cx)).await;
        let Some(Ok(room)) = room else { break };
        let piece = left.split_to(room.min(left.len()));
        let end = left.is_empty();
        if sending.send_data(piece, end).is_err() {
            break;
        }
    }
    let (parts, mut incoming) = answer.await?.into_parts();
    let mut got = Vec::new();
    while let Some(data) = incoming.data().await {
        let data = data?;
        got.extend_from_slice(&data);
        incoming.flow_control().release_capacity(data.len())?;
    }
    Ok((parts.status, parts.headers, got))
}

#[test]
fn a_get_goes_through_the_same_engine() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let gateway = gateway(driver, &upstream.url("/up"));
        call(async {
            let streams = connect(gateway.address).await;
            let fields = [
                ("cookie", "a=1"),
                ("cookie", "b=2"),
                ("te", "trailers"),
                ("x_forwarded_for", "6.6.6.6"),
            ];
            let (status, fields, body) =
                ask(&streams, request("GET", "/x?q=1", &fields), b"").await.unwrap();
            assert_eq!((status.as_u16(), &body[..]), (200, &b"hello"[..]), "{driver:?}");
            assert_eq!(fields["content-length"], "5");
            assert_eq!(fields["x-amzn-remapped-server"], "demo");
            assert_eq!(fields["x-amzn-requestid"].len(), 36);
            assert!(fields.contains_key("date") && !fields.contains_key("te"));
        });
        let seen = upstream.next();
        assert!(seen.starts_with("GET /up?q=1 HTTP/1.1\r\n"), "{seen}");
        for line in [
            "cookie: a=1; b=2",
            "X-Forwarded-For: 127.0.0.1",
            "X-Amzn-Apigateway-Api-Id: abcde12345",
        ] {
            assert_eq!(seen.lines().filter(|l| *l == line).count(), 1, "{line} in {seen}");
        }
        assert!(
            !seen.contains("6.6.6.6") && !seen.to_ascii_lowercase().contains("\nte:"),
            "{seen}"
        );
        assert_eq!(seen.to_ascii_lowercase().matches("\nhost:").count(), 1, "{seen}");
    });
}

/// Answers with the body it got.
fn echo() -> Upstream {
    Upstream::scripted(Arc::new(|_, stream, seen| {
        while let Some(request) = read_request(stream) {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            let _ = seen.send(head.to_ascii_lowercase());
            let answer = format!(
                "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                body.len()
            );
            if std::io::Write::write_all(stream, answer.as_bytes()).is_err() {
                return;
            }
        }
    }))
}

#[test]
fn bodies_stream_both_ways_beyond_every_window() {
    on_both(|driver| {
        let upstream = echo();
        let gateway = gateway(driver, &upstream.url("/"));
        let body: Vec<u8> = (0..400_000).map(|i| b'a' + (i % 23) as u8).collect();
        call(async {
            let streams = connect(gateway.address).await;
            let length = body.len().to_string();
            for fields in [
                &[("content-length", length.as_str())][..],
                &[("expect", "100-continue"), ("content-length", &length)],
            ] {
                let (status, _, got) =
                    ask(&streams, request("POST", "/x", fields), &body).await.unwrap();
                assert_eq!(status.as_u16(), 201, "{driver:?}");
                assert!(got == body, "{driver:?}: {} of {} bytes came back", got.len(), body.len());
                let head = upstream.next();
                assert!(
                    head.contains(&format!("content-length: {length}")) && !head.contains("expect"),
                    "{head}"
                );
            }
            // Without a length the upstream gets chunks.
            let (status, ..) = ask(&streams, request("PUT", "/x", &[]), b"abc").await.unwrap();
            assert_eq!(status.as_u16(), 201);
            assert!(upstream.next().contains("transfer-encoding: chunked"));
        });
    });
}

#[test]
fn a_slow_stream_does_not_hold_another() {
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|_, stream, _| {
            while let Some(request) = read_request(stream) {
                if request.starts_with("GET /slow") {
                    std::thread::sleep(Duration::from_millis(400));
                }
                let _ = std::io::Write::write_all(stream, OK.as_bytes());
            }
        }));
        let map = [("integration.request.path.p", "method.request.path.p")];
        let options = Options { h2c: true, ..Options::on(driver) };
        let proxy = http_proxy(&upstream.url("/{p}"), &map);
        let gateway = Gateway::with(options, vec![resource("/{p+}", "ANY", proxy)]);
        call(async {
            let streams = connect(gateway.address).await;
            let began = Instant::now();
            let slow = ask(&streams, request("GET", "/slow", &[]), b"");
            let quick = async {
                let answer = ask(&streams, request("GET", "/quick", &[]), b"").await;
                (answer, began.elapsed())
            };
            let (slow, (quick, took)) = tokio::join!(slow, quick);
            assert_eq!((slow.unwrap().0.as_u16(), quick.unwrap().0.as_u16()), (200, 200));
            assert!(took < Duration::from_millis(300), "{driver:?}: {took:?}");
        });
    });
}

#[test]
fn answers_of_the_gateway_are_the_same_and_end_their_streams_only() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let gateway = gateway(driver, &upstream.url("/"));
        call(async {
            let streams = connect(gateway.address).await;
            let (status, fields, body) =
                ask(&streams, request("GET", "/mock", &[]), b"").await.unwrap();
            assert_eq!((status.as_u16(), &body[..]), (200, &b"{}"[..]), "{driver:?}");
            assert_eq!(fields["content-type"], "application/json");
            // A body that nobody reads, short or long, is given up with its stream.
            for length in [10, 200_000] {
                let (status, ..) =
                    ask(&streams, request("POST", "/mock", &[]), &vec![b'x'; length])
                        .await
                        .unwrap();
                assert_eq!(status.as_u16(), 200, "{driver:?} {length}");
            }
            let too_large = vec![b'x'; 1_000_001];
            let length = too_large.len().to_string();
            let fields = [("content-length", length.as_str())];
            let (status, ..) =
                ask(&streams, request("POST", "/x", &fields), &too_large).await.unwrap();
            assert_eq!(status.as_u16(), 413, "{driver:?}");
            let unknown =
                Request::builder().uri("http://zzz.execute-api.localhost/prod/x").body(()).unwrap();
            let (status, fields, body) = ask(&streams, unknown, b"").await.unwrap();
            assert_eq!((status.as_u16(), &body[..]), (403, &br#"{"message":"Forbidden"}"#[..]));
            assert_eq!(fields["x-amzn-errortype"], "ForbiddenException");
            let (status, fields, body) =
                ask(&streams, request("HEAD", "/x", &[]), b"").await.unwrap();
            assert_eq!(
                (status.as_u16(), body.len(), &fields["content-length"]),
                (200, 0, &"5".parse().unwrap())
            );
        });
        assert!(upstream.next().starts_with("HEAD / "));
        upstream.saw_nothing();
    });
}

#[test]
fn heads_that_mean_two_things_are_refused_and_never_reach_an_upstream() {
    // Row 8. What the h2 crate refuses ends the stream; what is refused here has a status.
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let gateway = gateway(driver, &upstream.url("/"));
        call(async {
            let streams = connect(gateway.address).await;
            let doubtful = [
                (&[("host", "other.test")][..], 400),
                (&[("content-length", "5"), ("content-length", "5")], 400),
                (&[("content-length", "+0")], 400),
                (&[("expect", "nothing")], 417),
            ];
            for (fields, status) in doubtful {
                match ask(&streams, request("GET", "/x", fields), b"").await {
                    Ok((got, ..)) => assert_eq!(got.as_u16(), status, "{driver:?} {fields:?}"),
                    Err(error) => assert!(error.is_reset(), "{driver:?} {fields:?}: {error}"),
                }
            }
            let many: Vec<(&str, &str)> = vec![("cookie", "a=1"); 150];
            let (status, ..) = ask(&streams, request("GET", "/x", &many), b"").await.unwrap();
            assert_eq!(status.as_u16(), 431);
            let (status, ..) =
                ask(&streams, request("GET", &format!("/{}", "x".repeat(10_300)), &[]), b"")
                    .await
                    .unwrap();
            assert_eq!(status.as_u16(), 414);
            // DATA that is not as long as content-length says. The upstream may have begun, but never sees an end.
            for (length, body) in [("3", &b"abcdef"[..]), ("9", b"abc")] {
                let got =
                    ask(&streams, request("POST", "/mock", &[("content-length", length)]), body)
                        .await;
                if let Ok((status, ..)) = got {
                    assert_ne!(status.as_u16(), 500, "{length}");
                }
            }
            let (status, ..) = ask(&streams, request("GET", "/mock", &[]), b"").await.unwrap();
            assert_eq!(status.as_u16(), 200, "{driver:?}: the connection goes on");
        });
        upstream.saw_nothing();
    });
}

#[test]
fn connection_specific_fields_are_refused() {
    // The client crate refuses to send these, so the block is written by hand: literal fields without indexing.
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let gateway = gateway(driver, &upstream.url("/"));
        for (name, value) in [
            ("connection", "close"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "1"),
            ("proxy-connection", "x"),
            ("upgrade", "h2c"),
            ("te", "gzip"),
            ("X-Upper", "1"),
            ("x-split", "a\r\nx-evil: 1"),
            ("x-nul", "a\0"),
            (":path", "/prod/y"),
            (":unknown", "1"),
        ] {
            let frames = call(async {
                let mut tcp = TcpStream::connect(gateway.address).await.unwrap();
                let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
                frame(&mut bytes, 4, 0, 0, &[]);
                let host = format!("{API}.execute-api.localhost");
                let mut block = Vec::new();
                for (n, v) in [
                    (":method", "GET"),
                    (":scheme", "http"),
                    (":authority", host.as_str()),
                    (":path", "/prod/x"),
                    (name, value),
                ] {
                    literal(&mut block, n, v);
                }
                frame(&mut bytes, 1, 0x5, 1, &block);
                tcp.write_all(&bytes).await.unwrap();
                let mut got = Vec::new();
                let _ = tokio::time::timeout(Duration::from_millis(80), tcp.read_to_end(&mut got))
                    .await;
                got
            });
            let kinds = kinds(&frames);
            assert!(
                kinds.iter().any(|k| *k == 3 || *k == 7),
                "{driver:?} {name}: frames {kinds:?}"
            );
            assert!(!kinds.contains(&1), "{driver:?} {name} was answered: {kinds:?}");
        }
        upstream.saw_nothing();
    });
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

fn literal(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(0);
    for text in [name, value] {
        out.push(text.len() as u8);
        out.extend_from_slice(text.as_bytes());
    }
}

/// Types of the frames in what came back.
fn kinds(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while bytes.len() >= 9 {
        let length =
            usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]);
        kinds.push(bytes[3]);
        bytes = bytes.get(9 + length..).unwrap_or_default();
    }
    kinds
}

#[test]
fn a_listener_without_the_setting_speaks_http_1_only_and_one_with_it_both() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let both = gateway(driver, &upstream.url("/"));
        assert_eq!(both.get("/x").status, 200);
        // A first byte that could be either's.
        let text = call(async {
            let mut tcp = TcpStream::connect(both.address).await.unwrap();
            tcp.write_all(b"P").await.unwrap();
            tokio::time::sleep(Duration::from_millis(30)).await;
            let rest = support::request("POST", "/mock", "Connection: close\r\n", "");
            tcp.write_all(&rest.as_bytes()[1..]).await.unwrap();
            let mut text = String::new();
            tcp.read_to_string(&mut text).await.unwrap();
            text
        });
        assert!(text.starts_with("HTTP/1.1 200"), "{driver:?}: {text}");
        let plain = Gateway::start(driver, vec![resource("/mock", "ANY", mock("{}"))]);
        let refused = call(async {
            let tcp = TcpStream::connect(plain.address).await.unwrap();
            let (mut streams, connection) = h2::client::handshake(tcp).await.unwrap();
            tokio::spawn(connection);
            let sent = streams.send_request(request("GET", "/mock", &[]), true);
            match sent {
                Ok((answer, _)) => answer.await.is_err(),
                Err(_) => true,
            }
        });
        assert!(refused, "{driver:?}");
    });
}

#[test]
fn a_body_is_collected_for_a_mapped_request_and_the_answer_compressed() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let mapped = v1::Integration {
            r#type: v1::IntegrationType::Http.into(),
            http_method: "POST".into(),
            responses: vec![v1::IntegrationResponse {
                status_code: "200".into(),
                ..Default::default()
            }],
            ..http_proxy(&upstream.url("/up"), &[])
        };
        let mut made = bundle(vec![resource("/x", "ANY", mapped)]);
        made.minimum_compression_size = Some(5);
        let options = Options { h2c: true, max_body: 1_000_000, ..Options::on(driver) };
        let gateway = Gateway::serving(options, objects(&made));
        let body = vec![b'x'; 300_000];
        call(async {
            let streams = connect(gateway.address).await;
            let (status, fields, _) =
                ask(&streams, request("POST", "/x", &[("accept-encoding", "gzip")]), &body)
                    .await
                    .unwrap();
            assert_eq!(status.as_u16(), 200, "{driver:?}");
            assert_eq!(fields["content-encoding"], "gzip");
            let (status, fields, got) =
                ask(&streams, request("GET", "/x", &[]), b"").await.unwrap();
            assert_eq!((status.as_u16(), &got[..]), (200, &b"hello"[..]));
            assert!(!fields.contains_key("content-encoding"));
        });
        let seen = upstream.next();
        assert!(seen.contains("content-length: 300000\r\n"), "{}", &seen[..300]);
        assert!(seen.len() > 300_000);
    });
}
