use std::time::Duration;

use super::*;

/// Feeds `input` in pieces of `split` bytes and answers all that was sent.
fn talk(input: &str, split: usize) -> (String, Next) {
    let (mut session, site, now) = (Session::default(), Site::new(10), Instant::now());
    let (mut out, mut next) = (Vec::new(), Next::Continue);
    for part in input.as_bytes().chunks(split) {
        next = session.receive(part, now, &site);
        loop {
            let bytes = session.output().to_vec();
            session.sent(bytes.len());
            out.extend_from_slice(&bytes);
            if bytes.is_empty() {
                break;
            }
            next = session.poll(now, &site);
        }
    }
    (String::from_utf8(out).unwrap(), next)
}

fn check(input: &str, want: &str, next: Next) {
    for split in [1, 2, 3, 7, input.len()] {
        assert_eq!(talk(input, split), (want.to_owned(), next), "{input:?} in pieces of {split}");
    }
}

const PLAIN: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\nxxxxxxxxxx";

#[test]
fn pipelined_requests_and_bodies() {
    let input = "GET / HTTP/1.1\r\n\r\nPOST /any HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /x?y HTTP/1.1\r\n\r\n";
    check(input, &PLAIN.repeat(3), Next::Continue);
}

#[test]
fn head_has_no_body() {
    check("HEAD / HTTP/1.1\r\n\r\n", PLAIN.strip_suffix("xxxxxxxxxx").unwrap(), Next::Continue);
}

#[test]
fn uploads_are_counted_and_summed() {
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // SHA-256 of "abc", FIPS 180-2
    let body = format!("{{\"length\": 3, \"sha256\": \"{sum}\"}}\n");
    let want = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    check("POST /upload HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", &want, Next::Continue);
    let chunked =
        "PUT /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n";
    check(chunked, &want, Next::Continue);
}

#[test]
fn echo_tells_what_arrived() {
    let (out, _) =
        talk("POST /echo/a?b=c HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\nhi", 5);
    let body: serde_json::Value =
        serde_json::from_str(out.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["path"], "/echo/a");
    assert_eq!(body["query"], "b=c");
    assert_eq!(body["headers"]["x-a"], "1, 2");
    assert_eq!((&body["body"], &body["bodyLength"]), (&"hi".into(), &2.into()));
}

#[test]
fn generated_bodies() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n";
    check(
        "GET /bytes/12 HTTP/1.1\r\n\r\n",
        &format!("{head}Content-Length: 12\r\n\r\n0123456789ab"),
        Next::Continue,
    );
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n3\r\n012\r\n0\r\n\r\n");
    check("GET /chunked/3 HTTP/1.1\r\n\r\n", &chunked, Next::Continue);
    let (out, _) = talk("GET /bytes/1000000 HTTP/1.1\r\n\r\n", 100);
    assert_eq!(out.split_once("\r\n\r\n").unwrap().1.len(), 1_000_000);
}

#[test]
fn closing_and_reset() {
    let want = PLAIN.replace("10\r\n\r\n", "10\r\nConnection: close\r\n\r\n");
    check("GET /close HTTP/1.1\r\n\r\n", &want, Next::Close);
    check("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", &want, Next::Close);
    check("GET /reset HTTP/1.1\r\n\r\n", "", Next::Reset);
    assert_eq!(talk("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 9).1, Next::Close);
}

#[test]
fn delays_pass_with_time() {
    let (mut session, site, now) = (Session::default(), Site::new(10), Instant::now());
    session.receive(b"GET /delay/50 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", now, &site);
    assert!(session.output().is_empty() && !session.wants_input());
    assert_eq!(session.deadline(), Some(now + Duration::from_millis(50)));
    session.poll(now + Duration::from_millis(50), &site);
    assert_eq!(session.output(), PLAIN.repeat(2).as_bytes());
}
