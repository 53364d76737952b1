//! What holds for every request: nothing panics, no line is injected, no caller speaks in the gateway's name.
//!
//! Source: threats rows 4, 13 and 14. The same over heads that the HTTP/1.1 codec accepted is in `dataplane/node/tests`.

mod support;

use proptest::prelude::*;
use support::{Decided, Driver, head, http_proxy, mock_ok, resource};

fn driver() -> Driver {
    let mappings = [
        ("integration.request.path.id", "method.request.path.id"),
        ("integration.request.path.q", "method.request.querystring.q"),
        ("integration.request.querystring.page", "method.request.multivaluequerystring.page"),
        ("integration.request.header.X-Q", "method.request.querystring.q"),
        ("integration.request.header.X-Mapped", "method.request.multivalueheader.X-In"),
        ("integration.request.header.X-Path", "context.path"),
    ];
    Driver::new(vec![
        resource("/{p+}", "ANY", http_proxy("http://up.example/", &[])),
        resource(
            "/m/{id}",
            "ANY",
            http_proxy("http://up.example/in/{id}/{q}?id={id}&q={q}", &mappings),
        ),
        resource("/private/{p+}", "ANY", mock_ok("private")),
    ])
}

/// Names a caller must not be able to say upstream, folded as lax servers fold them.
const OWNED: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "x-amzn-apigateway-api-id",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-mapped",
    "expect",
];

fn name() -> impl Strategy<Value = String> {
    let free = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,24}";
    let near = proptest::sample::select(&OWNED[..]).prop_flat_map(|owned| {
        proptest::collection::vec((any::<bool>(), 0..3usize), owned.len()).prop_map(move |how| {
            let twist = |(c, (upper, separator)): (char, &(bool, usize))| match c {
                '-' => ['-', '_', '.'][*separator],
                c if *upper => c.to_ascii_uppercase(),
                c => c,
            };
            owned.chars().zip(&how).map(twist).collect::<String>()
        })
    });
    prop_oneof![free, near]
}

fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,4}",
        Just("m".to_owned()),
        Just("private".to_owned()),
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("%2e%2E".to_owned()),
        Just("%2f".to_owned()),
        Just("..;a".to_owned()),
        Just("%00".to_owned()),
        Just("%".to_owned()),
        Just(String::new()),
        "%[0-9a-fA-F]{2}",
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| format!("/prod/{}", pieces.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_caller_speaks_in_the_gateways_name(
        fields in proptest::collection::vec((name(), "[ -~]{0,20}"), 0..8),
        connection in proptest::collection::vec(name(), 0..4),
        path in path(),
        query in "[!$-;=?-Z_a-z~]{0,24}",
    ) {
        let mut driver = driver();
        let nominated = connection.join(",");
        let mut sent: Vec<(&str, &str)> = Vec::new();
        for (name, value) in &fields {
            // Values carry a mark, so that they are known again. Host is the codec's to check.
            if !name.eq_ignore_ascii_case("host") {
                sent.push((name, value));
            }
        }
        sent.push(("Connection", &nominated));
        let marked: Vec<(String, String)> = sent.iter().map(|(n, v)| ((*n).to_owned(), format!("mark{v}"))).collect();
        let marked: Vec<(&str, &str)> = marked.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let decided = driver.decide(&head(&format!("POST {path}?{query}"), &marked));
        // `Lines::read` has checked the shape of every line on the way here.
        if let Decided::Sent(sent) = decided {
            prop_assert!(sent.target.starts_with('/'));
            prop_assert!(sent.target.bytes().all(|b| b.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&b)), "{}", sent.target);
            for (name, value) in &sent.fields.0 {
                let folded: String = name.chars().map(|c| if matches!(c, '_' | '.') { '-' } else { c.to_ascii_lowercase() }).collect();
                if OWNED.contains(&folded.as_str()) && folded != "x-mapped" {
                    prop_assert!(!value.contains("mark"), "{name}: {value}");
                }
            }
            for required in ["Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Amzn-Apigateway-Api-Id", "X-Amzn-Trace-Id"] {
                prop_assert_eq!(sent.fields.all(required).len(), 1, "{}", required);
            }
        }
    }

    #[test]
    fn no_path_reaches_an_upstream_that_it_could_read_as_leading_elsewhere(path in path()) {
        let decided = driver().decide(&head(&format!("GET {path}"), &[]));
        let decoded = decode(&path);
        let dotted = decoded.split('/').any(|s| matches!(s.split(';').next(), Some("." | "..")));
        let unsound = dotted || decoded.contains('\0');
        if unsound {
            prop_assert!(matches!(decided, Decided::Answered(ref a) if a.status == 400), "{path} gives {}", decided.brief());
        }
    }

    #[test]
    fn every_spelling_of_a_path_takes_the_same_route(escaped in proptest::collection::vec(any::<bool>(), 7)) {
        // authorise(p) == authorise(any re-encoding of p)
        let spelled: String = "private".chars().zip(escaped).map(|(c, e)| if e { format!("%{:02x}", c as u32) } else { c.to_string() }).collect();
        let got = driver().decide(&head(&format!("GET /prod/{spelled}/x"), &[])).brief();
        prop_assert_eq!(got, "200 private");
    }

    #[test]
    fn nothing_panics_whatever_bytes_a_head_holds(
        line in proptest::collection::vec(any::<u8>(), 0..40),
        host in proptest::collection::vec(any::<u8>(), 0..40),
        value in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        // Far beyond what a codec lets through: the engine must not depend on it for its own safety.
        let text = |bytes: &[u8]| bytes.iter().map(|b| char::from(b & 0x7f)).collect::<String>();
        let mut driver = driver();
        let line = format!("GET /{}", text(&line).replace(' ', ""));
        for host in [text(&host), format!("{}.execute-api.x", text(&host)), support::HOST.to_owned()] {
            let fields = [("Host", host.as_str()), ("X-In", &text(&value))];
            drop(driver.step(&head(&line, &fields)));
        }
    }
}

/// Decoded until nothing changes, as a chain of lax servers would.
fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()).filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
