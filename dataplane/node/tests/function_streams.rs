//! Functions that stream their answers, end to end: a double of InvokeWithResponseStream frames what the test says.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::{
    Answer, Gateway, Options, Upstream, bundle, objects, on_both, pairs, read_request, request,
    resource,
};
use tidegate_engine::integration::endpoints::Endpoints;
use tidegate_node::rt::Driver;
use tidegate_proto::v1;

/// A message of an event stream.
fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in headers {
        lines.push(name.len() as u8);
        lines.extend_from_slice(name.as_bytes());
        lines.push(7);
        lines.extend_from_slice(&(value.len() as u16).to_be_bytes());
        lines.extend_from_slice(value.as_bytes());
    }
    let mut out = ((16 + lines.len() + payload.len()) as u32).to_be_bytes().to_vec();
    out.extend_from_slice(&(lines.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&lines);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

fn event(kind: &str, payload: &[u8]) -> Vec<u8> {
    message(&[(":message-type", "event"), (":event-type", kind)], payload)
}

fn chunk(payload: &[u8]) -> Vec<u8> {
    event("PayloadChunk", payload)
}

fn complete() -> Vec<u8> {
    event("InvokeComplete", b"{}")
}

fn failed() -> Vec<u8> {
    event("InvokeComplete", br#"{"ErrorCode":"Unhandled","ErrorDetails":"boom"}"#)
}

const METADATA: &[u8] =
    b"{\"statusCode\":201,\"headers\":{\"X-A\":\"b\"},\"cookies\":[\"a=1\",\"b=2\"]}\0\0\0\0\0\0\0\0";

/// Lambda, sending each stretch when the test gives it; its end is the end of the chunked body, or of the connection when the last
/// stretch is empty.
fn lambda(head: &'static str, stretches: Receiver<Vec<u8>>) -> Upstream {
    let stretches = Mutex::new(stretches);
    Upstream::scripted(Arc::new(move |_, stream: &mut TcpStream, seen| {
        while let Some(request) = read_request(stream) {
            seen.send(request).unwrap_or_default();
            stream.write_all(head.as_bytes()).unwrap();
            for stretch in stretches.lock().unwrap().iter() {
                if stretch == b"cut" {
                    return;
                }
                let framed =
                    [format!("{:x}\r\n", stretch.len()).as_bytes(), &stretch, b"\r\n"].concat();
                if stream.write_all(&framed).is_err() {
                    return;
                }
                if stretch.is_empty() {
                    break;
                }
            }
        }
    }))
}

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n\r\n";

fn gateway(driver: Driver, lambda: &Upstream) -> Gateway {
    let integration = v1::Integration {
        r#type: v1::IntegrationType::AwsProxy.into(),
        http_method: "POST".into(),
        uri: "arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/arn:aws:lambda:us-east-1:1:function:f/response-streaming-invocations"
            .into(),
        response_transfer_mode: "STREAM".into(),
        request_parameters: pairs(&[]),
        timeout_ms: 2_000,
        ..Default::default()
    };
    let set = objects(&bundle(vec![resource("/f", "POST", integration)]));
    let variable = ("AWS_ENDPOINT_URL_LAMBDA".to_owned(), format!("http://{}", lambda.address));
    let endpoints = Endpoints::read([variable].into_iter()).unwrap();
    Gateway::serving(Options { endpoints, ..Options::on(driver) }, set)
}

/// Asks with all stretches given at once.
fn ask(driver: Driver, head: &'static str, stretches: &[Vec<u8>]) -> String {
    let (give, given) = channel();
    let lambda = lambda(head, given);
    let gateway = gateway(driver, &lambda);
    stretches.iter().for_each(|stretch| give.send(stretch.clone()).unwrap());
    drop(give);
    let fields = "Content-Length: 2\r\nConnection: close\r\n";
    let text = gateway.raw(request("POST", "/f", fields, "hi").as_bytes());
    let sent = lambda.next();
    assert!(sent.starts_with("POST /2021-11-15/functions/"), "{sent}");
    assert!(sent.contains(r#""body":"hi""#) || sent.contains(r#""body": "hi""#), "{sent}");
    text
}

#[test]
fn a_body_reaches_the_caller_while_the_function_still_runs() {
    on_both(|driver| {
        let (give, given) = channel();
        let lambda = lambda(STREAM, given);
        let gateway = gateway(driver, &lambda);
        let mut caller = gateway.connect();
        caller.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        for _ in 0..2 {
            caller
                .write_all(request("POST", "/f", "Content-Length: 0\r\n", "").as_bytes())
                .unwrap();
            let mut seen = String::new();
            let mut until = |wanted: &str| {
                let mut buf = [0; 4096];
                while !seen.contains(wanted) {
                    let read = caller.read(&mut buf).unwrap();
                    assert!(read > 0, "ended after {seen}");
                    seen.push_str(std::str::from_utf8(&buf[..read]).unwrap());
                }
            };
            give.send(chunk(&METADATA[..10])).unwrap();
            give.send(chunk(&[&METADATA[10..], b"one"].concat())).unwrap();
            until("3\r\none\r\n");
            give.send(chunk(b"two")).unwrap();
            until("3\r\ntwo\r\n");
            give.send(complete()).unwrap();
            give.send(Vec::new()).unwrap();
            until("0\r\n\r\n");
            assert!(seen.starts_with("HTTP/1.1 201 Created\r\n"), "{seen}");
            let lower = seen.to_ascii_lowercase();
            for field in
                ["x-a: b", "set-cookie: a=1", "set-cookie: b=2", "transfer-encoding: chunked"]
            {
                assert!(lower.contains(&format!("{field}\r\n")), "{field} in {seen}");
            }
        }
    });
}

#[test]
fn what_fails_before_the_head_is_answered() {
    on_both(|driver| {
        let denied = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        let plain = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        let exception = message(&[(":message-type", "exception"), (":exception-type", "X")], b"");
        let mut damaged = chunk(METADATA);
        damaged[9] ^= 1;
        for (head, stretches, status) in [
            (STREAM, vec![failed(), Vec::new()], 502),
            (STREAM, vec![chunk(b"{}"), failed(), Vec::new()], 502),
            (STREAM, vec![exception, Vec::new()], 500),
            (STREAM, vec![complete(), Vec::new()], 500),
            (STREAM, vec![chunk(b"no delimiter"), complete(), Vec::new()], 500),
            (STREAM, vec![chunk(b"{\"body\":1}\0\0\0\0\0\0\0\0"), complete(), Vec::new()], 500),
            (STREAM, vec![chunk(&[b' '; 17_000]), complete(), Vec::new()], 500),
            (STREAM, vec![damaged, Vec::new()], 500),
            (STREAM, vec![Vec::new()], 500),
            (STREAM, vec![b"cut".to_vec()], 504),
            (denied, vec![b"{}".to_vec(), Vec::new()], 500),
            (plain, vec![b"{}".to_vec(), Vec::new()], 500),
        ] {
            let answer = Answer::parse(&ask(driver, head, &stretches));
            assert_eq!(answer.status, status, "{stretches:?}");
            let text = match status {
                504 => r#"{"message": "Network error communicating with endpoint"}"#,
                _ => r#"{"message": "Internal server error"}"#,
            };
            assert_eq!(answer.body, text, "{stretches:?}");
        }
    });
}

#[test]
fn what_fails_behind_the_head_cuts_the_connection() {
    on_both(|driver| {
        let begun = chunk(&[METADATA, b"part"].concat());
        let mut damaged = chunk(b"more");
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        for (stretches, whole) in [
            (vec![begun.clone(), complete(), Vec::new()], true),
            (vec![begun.clone(), failed(), Vec::new()], false),
            (vec![begun.clone(), damaged, Vec::new()], false),
            (vec![begun.clone(), Vec::new()], false),
            (vec![begun, b"cut".to_vec()], false),
        ] {
            let text = ask(driver, STREAM, &stretches);
            assert!(text.starts_with("HTTP/1.1 201 ") && text.contains("part"), "{text}");
            assert_eq!(text.ends_with("\r\n0\r\n\r\n"), whole, "{text}");
        }
    });
}

#[test]
fn a_caller_that_reads_slowly_holds_the_function_back() {
    on_both(|driver| {
        let (give, given) = sync_channel(0);
        let lambda = lambda(STREAM, given);
        let gateway = gateway(driver, &lambda);
        let mut caller = gateway.connect();
        let fields = "Content-Length: 0\r\nConnection: close\r\n";
        caller.write_all(request("POST", "/f", fields, "").as_bytes()).unwrap();
        // 64 MB: more than all sockets on the way hold.
        let taken = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                give.send(chunk(METADATA)).unwrap();
                let block = vec![b'x'; 1 << 20];
                for _ in 0..64 {
                    give.send(chunk(&block)).unwrap();
                    taken.fetch_add(1, Ordering::SeqCst);
                }
                give.send(complete()).unwrap();
                give.send(Vec::new()).unwrap();
            });
            // Until nothing more is taken from the function, since nobody reads.
            let mut before = usize::MAX;
            while std::mem::replace(&mut before, taken.load(Ordering::SeqCst))
                != taken.load(Ordering::SeqCst)
                || before == 0
            {
                std::thread::sleep(Duration::from_millis(200));
            }
            assert!(before < 60, "{before} MB were taken, and the caller read nothing");
            let mut all = Vec::new();
            caller.read_to_end(&mut all).unwrap();
            assert!(all.len() > 64 << 20 && all.ends_with(b"\r\n0\r\n\r\n"));
        });
    });
}
