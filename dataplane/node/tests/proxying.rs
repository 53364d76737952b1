//! `HTTP_PROXY` and `MOCK` through a real node: what the upstream sees, what the caller sees.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::{
    Answer, Gateway, Options, Upstream, http_proxy, mock, on_both, read_request, request, resource,
};

const OK: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nServer: demo\r\n\r\nhello";

#[test]
fn a_request_is_passed_on_and_the_answer_comes_back() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let mappings = [
            ("integration.request.path.id", "method.request.path.petId"),
            ("integration.request.querystring.who", "method.request.header.X-Who"),
            ("integration.request.header.X-Page", "method.request.querystring.page"),
        ];
        let uri = upstream.url("/animals/{id}?v=1");
        let gateway = Gateway::start(
            driver,
            vec![resource("/pets/{petId}", "GET", http_proxy(&uri, &mappings))],
        );
        let fields = "X-Who: a b\r\nX-Page: 9\r\nConnection: close\r\nTE: trailers\r\nX_Forwarded_For: 6.6.6.6\r\n";
        let answer = Answer::parse(
            &gateway.raw(request("GET", "/pets/7%2F8?page=2&page=3", fields, "").as_bytes()),
        );
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello"), "{driver:?} {answer:?}");
        assert_eq!(answer.field("content-type"), Some("text/plain"));
        assert_eq!(answer.field("x-amzn-remapped-server"), Some("demo"));
        assert_eq!(answer.field("x-amzn-remapped-content-length"), Some("5"));
        assert_eq!(answer.field("x-amzn-requestid").map(str::len), Some(36));
        assert!(answer.field("x-amz-apigw-id").is_some_and(|id| id.ends_with('=')));
        assert!(answer.field("date").is_some_and(|d| d.ends_with("GMT")));

        let seen = upstream.next();
        assert!(
            seen.starts_with("GET /animals/7%2F8?v=1&page=2&page=3&who=a%20b HTTP/1.1\r\n"),
            "{seen}"
        );
        for line in [
            format!("Host: {}", upstream.address),
            "X-Amzn-Apigateway-Api-Id: abcde12345".into(),
            "X-Page: 3".into(),
            "X-Who: a b".into(),
            "Accept: application/json".into(),
            "User-Agent: AmazonAPIGateway_abcde12345".into(),
            "X-Forwarded-For: 127.0.0.1".into(),
            "X-Forwarded-Proto: http".into(),
        ] {
            assert_eq!(seen.lines().filter(|l| *l == line).count(), 1, "{line} in {seen}");
        }
        for absent in ["TE:", "Connection:", "X_Forwarded_For", "Page: 9"] {
            assert!(!seen.contains(absent), "{absent} in {seen}");
        }
    });
}

#[test]
fn a_constant_mock_answers_without_an_upstream() {
    on_both(|driver| {
        let gateway =
            Gateway::start(driver, vec![resource("/health", "GET", mock(r#"{"status":"up"}"#))]);
        let answer = gateway.get("/health");
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"status":"up"}"#));
        assert_eq!(answer.field("content-type"), Some("application/json"));
    });
}

#[test]
fn unknown_addresses_and_routes_are_refused_in_aws_words() {
    on_both(|driver| {
        let gateway = Gateway::start(driver, vec![resource("/health", "GET", mock("{}"))]);
        let host = "Connection: close\r\nHost: abcde12345.execute-api.localhost\r\n\r\n";
        for (request, error, body) in [
            (format!("GET /prod/nope HTTP/1.1\r\n{host}"), "MissingAuthenticationTokenException", r#"{"message":"Missing Authentication Token"}"#),
            (format!("POST /prod/health HTTP/1.1\r\n{host}"), "MissingAuthenticationTokenException", r#"{"message":"Missing Authentication Token"}"#),
            (format!("GET /test/health HTTP/1.1\r\n{host}"), "ForbiddenException", r#"{"message":"Forbidden"}"#),
            (format!("GET / HTTP/1.1\r\n{host}"), "ForbiddenException", r#"{"message":"Forbidden"}"#),
            ("GET /prod/health HTTP/1.1\r\nHost: zzz.execute-api.localhost\r\nConnection: close\r\n\r\n".into(), "ForbiddenException", r#"{"message":"Forbidden"}"#),
        ] {
            let answer = Answer::parse(&gateway.raw(request.as_bytes()));
            assert_eq!((answer.status, answer.body.as_str(), answer.field("x-amzn-errortype")), (403, body, Some(error)), "{request}");
        }
        for path in [
            "/_aws/execute-api/abcde12345/prod/health",
            "/restapis/abcde12345/prod/_user_request_/health",
        ] {
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assert_eq!(Answer::parse(&gateway.raw(request.as_bytes())).status, 200, "{path}");
        }
    });
}

#[test]
fn a_connection_serves_request_after_request_also_pipelined() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let gateway = Gateway::start(
            driver,
            vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))],
        );
        let mut all = String::new();
        for (method, body) in [("GET", ""), ("POST", "abc"), ("PUT", "defgh"), ("GET", "")] {
            let length = if body.is_empty() {
                String::new()
            } else {
                format!("Content-Length: {}\r\n", body.len())
            };
            all += &request(method, "/x", &length, body);
        }
        all += &request("GET", "/last", "Connection: close\r\n", "");
        let answers = Answer::all(&gateway.raw(all.as_bytes()));
        assert_eq!(
            answers.iter().map(|a| (a.status, a.body.as_str())).collect::<Vec<_>>(),
            vec![(200, "hello"); 5]
        );
        let seen: Vec<String> = (0..5).map(|_| upstream.next()).collect();
        assert!(seen[1].ends_with("\r\n\r\nabc") && seen[2].ends_with("\r\n\r\ndefgh"), "{seen:?}");
    });
}

#[test]
fn bodies_stream_both_ways_in_every_framing() {
    on_both(|driver| {
        // Echoes what it got, in chunks, and closes.
        let upstream = Upstream::scripted(Arc::new(|_, stream, _| {
            let Some(request) = read_request(stream) else { return };
            let body = request.split_once("\r\n\r\n").unwrap().1.to_owned();
            let plain = if request.contains("chunked") { dechunk(&body) } else { body };
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
            );
            for piece in plain.as_bytes().chunks(10_000) {
                let _ = write!(stream, "{:x}\r\n", piece.len());
                let _ = stream.write_all(piece);
                let _ = stream.write_all(b"\r\n");
            }
            let _ = stream.write_all(b"0\r\n\r\n");
        }));
        let gateway = Gateway::start(
            driver,
            vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))],
        );
        let body: String = (0..200_000).map(|i| char::from(b'a' + (i % 23) as u8)).collect();

        let fields = format!("Content-Length: {}\r\nConnection: close\r\n", body.len());
        let answer = Answer::parse(&gateway.raw(request("POST", "/x", &fields, &body).as_bytes()));
        assert_eq!(answer.status, 200, "{driver:?}");
        assert!(dechunk(&answer.body) == body, "{driver:?}: the body came back changed");

        let chunks: String =
            body.as_bytes().chunks(7_777).fold(String::new(), |mut text, piece| {
                text += &format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece));
                text
            }) + "0\r\n\r\n";
        let fields = "Transfer-Encoding: chunked\r\nConnection: close\r\n";
        let answer = Answer::parse(&gateway.raw(request("POST", "/x", fields, &chunks).as_bytes()));
        assert_eq!(answer.status, 200, "{driver:?} {answer:?}");
        let back = dechunk(&answer.body);
        let differs = back.bytes().zip(body.bytes()).position(|(a, b)| a != b);
        assert!(
            back == body,
            "{driver:?}: {} bytes of {} came back, differing at {differs:?}",
            back.len(),
            body.len()
        );
    });
}

fn dechunk(mut text: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        out.push_str(&rest[..size]);
        text = &rest[size + 2..];
    }
    out
}

#[test]
fn a_caller_that_waits_is_invited_to_send_its_body() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let gateway = Gateway::start(
            driver,
            vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))],
        );
        let mut stream = gateway.connect();
        let fields = "Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n";
        stream.write_all(request("POST", "/x", fields, "").as_bytes()).unwrap();
        let mut invited = [0; 25];
        stream.read_exact(&mut invited).unwrap();
        assert_eq!(&invited, b"HTTP/1.1 100 Continue\r\n\r\n", "{driver:?}");
        stream.write_all(b"abc").unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        assert_eq!(Answer::parse(&all).status, 200);
        let seen = upstream.next();
        assert!(seen.ends_with("abc") && !seen.to_ascii_lowercase().contains("expect"), "{seen}");
    });
}

#[test]
fn head_has_the_length_and_no_body() {
    on_both(|driver| {
        let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        let gateway = Gateway::start(
            driver,
            vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))],
        );
        let two =
            request("HEAD", "/x", "", "") + &request("HEAD", "/x", "Connection: close\r\n", "");
        let text = gateway.raw(two.as_bytes());
        assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{driver:?} {text}");
        assert_eq!(text.matches("content-length: 5").count(), 2, "{text}");
    });
}

#[test]
fn failures_of_an_upstream_are_answered_as_aws_does() {
    on_both(|driver| {
        let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let silent = Upstream::scripted(Arc::new(|_, stream, _| {
            let _ = read_request(stream);
            std::thread::sleep(Duration::from_secs(5));
        }));
        let garbled = Upstream::answering("HTP/1.1 200 OK\r\n\r\n");
        let mut slow = http_proxy(&silent.url("/"), &[]);
        slow.timeout_ms = 200;
        let gateway = Gateway::start(
            driver,
            vec![
                resource("/refused", "GET", http_proxy(&format!("http://{refusing}/"), &[])),
                resource("/slow", "GET", slow),
                resource("/garbled", "GET", http_proxy(&garbled.url("/"), &[])),
                resource("/unknown", "GET", http_proxy("http://no-such-name.test/", &[])),
                resource("/metadata", "GET", http_proxy("http://169.254.169.254/latest", &[])),
                resource(
                    "/named",
                    "GET",
                    http_proxy(&format!("http://upstream.test:{}/", refusing.port()), &[]),
                ),
            ],
        );
        for (path, status, body) in [
            ("/refused", 504, r#"{"message": "Network error communicating with endpoint"}"#),
            ("/slow", 504, r#"{"message": "Endpoint request timed out"}"#),
            ("/garbled", 504, r#"{"message": "Network error communicating with endpoint"}"#),
            ("/unknown", 500, r#"{"message": "Internal server error"}"#),
            ("/metadata", 500, r#"{"message": "Internal server error"}"#),
            ("/named", 504, r#"{"message": "Network error communicating with endpoint"}"#),
        ] {
            let began = Instant::now();
            let answer = gateway.get(path);
            assert_eq!((answer.status, answer.body.as_str()), (status, body), "{driver:?} {path}");
            assert_eq!(answer.field("x-amzn-errortype"), Some("InternalServerErrorException"));
            assert!(began.elapsed() < Duration::from_secs(2), "{path} took {:?}", began.elapsed());
        }
    });
}

#[test]
fn an_upstream_connection_is_used_again_and_its_silent_end_is_not_seen() {
    on_both(|driver| {
        // Each connection serves two requests and is closed behind the second, as servers do.
        let upstream = Upstream::scripted(Arc::new(|number, stream, seen| {
            for _ in 0..2 {
                let Some(_) = read_request(stream) else { return };
                seen.send(number.to_string()).unwrap();
                let _ = stream.write_all(OK.as_bytes());
            }
        }));
        let gateway = Gateway::start(
            driver,
            vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))],
        );
        let connections: Vec<String> = (0..6)
            .map(|_| {
                assert_eq!(gateway.get("/x").status, 200, "{driver:?}");
                upstream.next()
            })
            .collect();
        assert_eq!(connections, ["0", "0", "1", "1", "2", "2"]);
    });
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    on_both(|driver| {
        let upstream = Upstream::answering(OK);
        let options = Options { max_body: 1_000, ..Options::on(driver) };
        let gateway = Gateway::with(
            options,
            vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))],
        );
        let answer = Answer::parse(
            &gateway.raw(request("POST", "/x", "Content-Length: 1001\r\n", "abc").as_bytes()),
        );
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (413, "HTTP content length exceeded 1000 bytes.")
        );
        upstream.saw_nothing();
        let chunked = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
        let answer = gateway
            .raw(request("POST", "/x", "Transfer-Encoding: chunked\r\n", &chunked).as_bytes());
        assert_eq!(Answer::parse(&answer).status, 413, "{driver:?}");
    });
}

#[test]
fn draining_finishes_what_is_under_way() {
    on_both(|driver| {
        let upstream = Upstream::scripted(Arc::new(|_, stream, seen| {
            let Some(request) = read_request(stream) else { return };
            seen.send(request).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            let _ = stream.write_all(OK.as_bytes());
        }));
        let gateway = Gateway::start(
            driver,
            vec![resource("/{p+}", "ANY", http_proxy(&upstream.url("/"), &[]))],
        );
        let mut stream = gateway.connect();
        stream.write_all(request("GET", "/x", "", "").as_bytes()).unwrap();
        upstream.next();
        gateway.node().drain();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        let answer = Answer::parse(&all);
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello"), "{driver:?}");
    });
}
