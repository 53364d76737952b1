//! Mutated requests through a real node: what the upstream saw is what the gateway says it relayed; and heads that the codec
//! accepts, straight into the engine: nothing panics, nothing is injected.
//!
//! Source: reliability-and-threats.md section 2, harness S2, rows 1 to 4. Failing seeds become cases of `hostile.rs`.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use support::{API, Gateway, Options, Upstream, bundle, http_proxy, objects, on_both, resource};
use tidegate_engine::head::Head;
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::{Ctx, Listener, Now, Step, begin};
use tidegate_node::http::h1::{Framing, Limits, request};
use tidegate_node::publication::Publication;

/// A generator that repeats: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

/// Requests to mutate: every framing, pipelined, with fields that matter.
fn seeds() -> Vec<Vec<u8>> {
    let host = format!("Host: {API}.execute-api.localhost\r\n");
    [
        format!("GET /prod/a HTTP/1.1\r\n{host}\r\n"),
        format!("POST /prod/a HTTP/1.1\r\n{host}Content-Length: 5\r\n\r\nhello"),
        format!("POST /prod/a HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        format!("PUT /prod/a?q=1 HTTP/1.1\r\n{host}Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"),
        format!("POST /prod/a HTTP/1.1\r\n{host}Connection: x, keep-alive\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n3;e=v\r\nabc\r\n0\r\nT: u\r\n\r\n"),
        format!("GET http://{API}.execute-api.localhost/prod/a HTTP/1.1\r\n{host}\r\nGET /prod/b HTTP/1.1\r\n{host}\r\n"),
    ]
    .map(String::into_bytes)
    .into()
}

/// Pieces that parsers are known to disagree on.
const PIECES: [&[u8]; 22] = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b"\0",
    b"\x0b",
    b":",
    b";",
    b",",
    b"0\r\n\r\n",
    b"\r\n\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 44\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"transfer-encoding:\tchunked\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"GET /prod/evil HTTP/1.1\r\n",
    b"\xff",
    b"0",
];

fn mutated(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(2) {
        let at = chance.below(bytes.len());
        match chance.below(5) {
            0 => bytes[at] = chance.below(256) as u8,
            1 => drop(bytes.remove(at)),
            2 => drop(bytes.splice(at..at, PIECES[chance.below(PIECES.len())].iter().copied())),
            3 => {
                // A piece where a line begins, which random places seldom hit.
                let line = bytes.windows(2).position(|w| w == b"\r\n").map_or(at, |i| i + 2);
                drop(bytes.splice(line..line, PIECES[chance.below(PIECES.len())].iter().copied()));
            }
            _ => {
                let end = (at + 1 + chance.below(8)).min(bytes.len());
                let copied = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, copied));
            }
        }
        if bytes.is_empty() {
            bytes.push(b'\n');
        }
    }
    bytes
}

#[test]
fn the_upstream_sees_exactly_what_the_gateway_says_it_relayed() {
    on_both(|driver| {
        // Counts whole requests, and answers with a mark no gateway-made answer has.
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        let upstream = Upstream::scripted(Arc::new(move |_, stream, _| {
            while let Some(request) = support::read_request(stream) {
                let line = request.lines().next().unwrap_or_default().to_owned();
                assert!(line.ends_with(" HTTP/1.1"), "{line:?}");
                count.fetch_add(1, Ordering::SeqCst);
                let answer = b"HTTP/1.1 200 OK\r\nX-Mark: upstream\r\nContent-Length: 2\r\n\r\nok";
                if std::io::Write::write_all(stream, answer).is_err() {
                    return;
                }
            }
        }));
        let mut options = Options::on(driver);
        // Bodies that mutation made longer than what follows end by this limit.
        options.limits.stall = Duration::from_millis(40);
        options.limits.head = Duration::from_millis(40);
        options.limits.idle = Duration::from_millis(40);
        let proxy = http_proxy(&upstream.url("/"), &[]);
        let gateway = Gateway::with(options, vec![resource("/{p+}", "ANY", proxy)]);

        let mut chance = Chance(0x7139_a1e5_50f0_0d42);
        let seeds = seeds();
        let mut relayed = 0;
        for round in 0..250 {
            let bytes = mutated(&mut chance, &seeds);
            let text = gateway.raw(&bytes);
            let marks = text.matches("X-Mark: upstream").count();
            relayed += marks;
            let shown = String::from_utf8_lossy(&bytes);
            let saw = seen.load(Ordering::SeqCst);
            assert_eq!(saw, relayed, "{driver:?} round {round}: {shown:?} gave {text:?}");
        }
        assert!(relayed > 25, "{relayed} of 250 were relayed: the mutations are too wild to tell");
        assert_eq!(gateway.get("/last").status, 200);
    });
}

/// The world of a gateway whose routes map the caller's words into every part of a request.
fn world() -> Publication {
    let mappings = [
        ("integration.request.path.p", "method.request.path.p"),
        ("integration.request.header.X-Q", "method.request.querystring.q"),
        ("integration.request.querystring.h", "method.request.header.h"),
    ];
    let resources = vec![
        resource("/a", "ANY", http_proxy("http://up.example/", &[])),
        resource("/m/{p+}", "ANY", http_proxy("http://up.example/in/{p}?p={p}", &mappings)),
    ];
    let publication = Publication::new();
    assert!(objects(&bundle(resources)).publish(&publication).is_empty());
    publication
}

fn head_bytes() -> impl Strategy<Value = Vec<u8>> {
    let target = prop_oneof![
        "/prod/(a|m/[!$-;=?-Z_a-z~%]{0,12})(\\?[!$-;=?-Z_a-z~%&]{0,16})?",
        "[!-~]{0,24}",
    ];
    let name = prop_oneof![
        "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}",
        Just("h".to_owned()),
        Just("Connection".to_owned())
    ];
    let value = proptest::collection::vec(any::<u8>(), 0..24);
    let method = "(GET|POST|HEAD|OPTIONS|[A-Z]{1,8})";
    (method, target, proptest::collection::vec((name, value), 0..6)).prop_map(
        |(method, target, fields)| {
            let mut out =
                format!("{method} {target} HTTP/1.1\r\nHost: {API}.execute-api.x\r\n").into_bytes();
            for (name, value) in fields {
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b": ");
                // Most bytes that would end the head at once are left out, so that some heads get through.
                out.extend(value.into_iter().filter(|b| *b >= 0x20 && *b != 0x7f || *b == 1));
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(b"\r\n");
            out
        },
    )
}

#[test]
fn whatever_the_codec_accepts_leaves_the_engine_as_one_well_formed_request() {
    let publication = world();
    let world = publication.load();
    let listener = Listener::default();
    let (mut accepted, mut relayed) = (0, 0);
    let began = Instant::now();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let seen = std::cell::RefCell::new((&mut accepted, &mut relayed));
    runner
        .run(&head_bytes(), |bytes| {
            let mut head = Head::with_capacity(bytes.len());
            head.buf = bytes;
            let Ok(Some(_)) = request::parse(&mut head, &Limits::REQUEST) else { return Ok(()) };
            *seen.borrow_mut().0 += 1;
            let mut scratch = Vec::new();
            let mut cx = Ctx {
                world: &world,
                listener: &listener,
                peer: IpAddr::from([192, 0, 2, 1]),
                now: Now { unix_ms: 0 },
                entropy: [5; 16],
                credentials: Credentials::NONE,
                patience: Ctx::UNHURRIED,
                scratch: &mut scratch,
                trace: None,
            };
            let Step::Relay(relay) = begin(&mut cx, &head) else { return Ok(()) };
            *seen.borrow_mut().1 += 1;
            // As the driver writes it; our own strict codec must read it back as one request without a body.
            let mut wire = Head::default();
            wire.buf.extend_from_slice(relay.request.method.as_str().as_bytes());
            wire.buf.push(b' ');
            wire.buf.extend_from_slice(relay.request.target.of(&scratch));
            wire.buf.extend_from_slice(b" HTTP/1.1\r\n");
            wire.buf.extend_from_slice(relay.request.fields.of(&scratch));
            wire.buf.extend_from_slice(b"\r\n");
            let limits = Limits {
                head_bytes: 1 << 20,
                target_bytes: 1 << 19,
                fields_bytes: 1 << 19,
                fields: 500,
            };
            let shown = String::from_utf8_lossy(&wire.buf).into_owned();
            let read = request::parse(&mut wire, &limits);
            prop_assert!(
                matches!(read, Ok(Some(info)) if info.framing == Framing::Empty),
                "{shown:?}: {read:?}"
            );
            prop_assert_eq!(wire.len, wire.buf.len(), "{:?}", shown);
            prop_assert_eq!(wire.authority(), b"up.example");
            Ok(())
        })
        .unwrap();
    assert!(accepted > 500 && relayed > 200, "{accepted} accepted, {relayed} relayed");
    assert!(began.elapsed() < Duration::from_secs(20));
}
