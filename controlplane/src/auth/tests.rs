//! Outside judges first (AWS's vectors, botocore's signatures), then what an attacker would change in them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;

const VECTORS: &str = include_str!("../../tests/data/sigv4-vectors.json");
const BOTOCORE: &str = include_str!("../../tests/data/sigv4-botocore.json");

/// A request that owns its text, so that tests can change it.
#[derive(Debug, Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
    now: SystemTime,
}

impl Request {
    fn parts(&self) -> RequestParts<'_> {
        RequestParts::new(
            &self.method,
            &self.path,
            &self.query,
            self.headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())),
            Payload::Bytes(self.body.as_bytes()),
            self.now,
        )
    }

    fn set(&mut self, name: &str, value: &str) {
        for (_, old) in self.headers.iter_mut().filter(|(n, _)| n.eq_ignore_ascii_case(name)) {
            *old = value.to_owned();
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn value(&self, name: &str) -> String {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).unwrap().1.clone()
    }
}

/// Reads the vectors' message form: a request line whose path may hold spaces, folded headers, a body.
fn message(text: &str, now: SystemTime) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let body = if body.trim().is_empty() { "" } else { body };
    let mut lines = head.lines();
    let line = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap();
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with(' ') {
            headers.last_mut().unwrap().1.push_str(&format!("\n{line}"));
        } else {
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers,
        body: body.into(),
        now,
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// 2015-08-30T12:36:00Z, the time of all vectors.
const VECTOR_TIME: u64 = 1_440_938_160;
/// 2026-01-02T03:04:05Z, the time of all botocore requests.
const BOTOCORE_TIME: u64 = 1_767_323_045;

fn botocore() -> BTreeMap<String, Request> {
    let document: Value = serde_json::from_str(BOTOCORE).unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let read = |r: &Value| Request {
        method: text(&r["method"]),
        path: text(&r["path"]),
        query: text(&r["query"]),
        headers: r["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|h| (text(&h[0]), text(&h[1])))
            .collect(),
        body: text(&r["body"]),
        now: at(BOTOCORE_TIME),
    };
    document["requests"].as_array().unwrap().iter().map(|r| (text(&r["name"]), read(r))).collect()
}

fn signed(name: &str) -> Request {
    botocore().remove(name).unwrap()
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn authenticator(mode: Mode, keys: &[(&str, bool)]) -> Authenticator<BTreeMap<String, AccessKey>> {
    let key = |(id, enabled): &(&str, bool)| {
        (
            (*id).to_owned(),
            AccessKey {
                id: (*id).to_owned(),
                secret: Secret::new(SECRET),
                enabled: *enabled,
                rights: Rights::All,
            },
        )
    };
    Authenticator::new(mode, Guard::default(), keys.iter().map(key).collect())
}

fn check(request: &Request) -> Result<Identity, AuthError> {
    authenticator(Mode::Strict, &[("AKIDTIDEGATE", true)]).check(&request.parts())
}

#[track_caller]
fn refused(request: &Request, name: &str, text: &str) {
    let error = check(request).unwrap_err();
    assert_eq!((error.name(), error.status()), (name, 403), "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

/// Source: awslabs/aws-c-auth, tests/aws-signing-test-suite/v4 (licence beside the data).
#[test]
fn aws_vectors() {
    let document: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = document["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 38);
    for vector in vectors {
        for form in ["header", "query"] {
            let name = format!("{} {form}", vector["name"]);
            let request =
                message(vector[form]["signed_request"].as_str().unwrap(), at(VECTOR_TIME));
            let parts = request.parts();
            let claim = sigv4::parse(&parts, "service").unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!((claim.access_key_id(), claim.region()), ("AKIDEXAMPLE", "us-east-1"));
            assert_eq!(sigv4::verify(&claim, &parts, SECRET), Ok(()), "{name}");
            assert_eq!(
                sigv4::verify(&claim, &parts, "other"),
                Err(AuthError::SignatureMismatch),
                "{name}"
            );
        }
    }
}

#[test]
fn botocore_requests() {
    let requests = botocore();
    assert_eq!(requests.len(), 16);
    for (name, request) in requests {
        let want = Identity {
            access_key_id: "AKIDTIDEGATE".into(),
            region: "eu-west-1".into(),
            verified: true,
            rights: Rights::All,
        };
        assert_eq!(check(&request), Ok(want), "{name}");
        let mut parts = request.parts();
        parts.payload = Payload::Sha256(Sha256::digest(request.body.as_bytes()).into());
        assert!(
            authenticator(Mode::Strict, &[("AKIDTIDEGATE", true)]).check(&parts).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn whatever_is_changed_is_noticed() {
    type Change = fn(&mut Request);
    let changes: [(&str, Change); 9] = [
        ("method", |r| r.method = "PUT".into()),
        ("path", |r| r.path.push('x')),
        ("path case", |r| r.path = r.path.to_uppercase()),
        ("query", |r| r.query.push_str("&a=b")),
        ("body", |r| r.body.push(' ')),
        ("host", |r| r.set("host", "localhost:4701")),
        ("host twice", |r| r.add("host", "localhost:4700")),
        ("time", |r| {
            r.set("x-amz-date", "20260102T030406Z");
            r.query = r.query.replace("20260102T030405Z", "20260102T030406Z");
        }),
        ("key", |r| {
            r.query = r.query.replace("AKIDTIDEGATE", "AKIDOTHER");
            let header =
                r.headers.iter().find(|(n, _)| n == "Authorization").map(|(_, v)| v.clone());
            r.set(
                "authorization",
                &header.unwrap_or_default().replace("AKIDTIDEGATE", "AKIDOTHER"),
            );
        }),
    ];
    for (name, request) in botocore() {
        for (what, change) in changes {
            let mut changed = request.clone();
            change(&mut changed);
            assert!(check(&changed).is_err(), "{name}: {what}");
        }
    }
}

/// Each hexadecimal digit of the signature, and each element of the scope.
#[test]
fn every_digit_of_a_signature_counts() {
    let request = signed("post/header");
    let header = request.value("authorization");
    let start = header.find("Signature=").unwrap() + "Signature=".len();
    for digit in start..header.len() {
        let mut changed = header.clone().into_bytes();
        changed[digit] = if changed[digit] == b'0' { b'1' } else { b'0' };
        let mut request = request.clone();
        request.set("authorization", std::str::from_utf8(&changed).unwrap());
        assert_eq!(check(&request), Err(AuthError::SignatureMismatch));
    }
    for (from, to) in [("eu-west-1", "eu-west-2"), ("host;x-amz-date", "host;x-amz-date;accept")] {
        let mut request = signed("get/header");
        assert!(request.value("authorization").contains(from));
        request.set("authorization", &request.value("authorization").replace(from, to));
        assert_eq!(check(&request), Err(AuthError::SignatureMismatch));
    }
}

/// Source: `rest-api-runtime` 5.3, "Signature too old".
#[test]
fn clocks() {
    for (offset, ok) in
        [(-301, false), (-300, true), (0, true), (300, true), (301, false), (86_400, false)]
    {
        let mut request = signed("get/header");
        request.now = at(BOTOCORE_TIME.saturating_add_signed(offset));
        assert_eq!(check(&request).is_ok(), ok, "{offset}");
    }
    for (offset, ok) in [(-301, false), (-300, true), (900, true), (901, false)] {
        let mut request = signed("get/query");
        request.now = at(BOTOCORE_TIME.saturating_add_signed(offset));
        assert_eq!(check(&request).is_ok(), ok, "presigned {offset}");
    }
    let mut request = signed("get/header");
    request.now = at(BOTOCORE_TIME + 600);
    let text = "Signature expired: 20260102T030405Z is now earlier than 20260102T030905Z (20260102T031405Z - 5 min.)";
    refused(&request, "InvalidSignatureException", text);
    request.now = at(BOTOCORE_TIME - 600);
    let text = "Signature not yet current: 20260102T030405Z is still later than 20260102T025905Z (20260102T025405Z + 5 min.)";
    refused(&request, "InvalidSignatureException", text);
}

/// Source: `rest-api-runtime` 2.4 and 5.3; texts that AWS's front end hashes are checked by their fixed part.
#[test]
fn malformed_signatures() {
    let good = signed("get/header").value("authorization");
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let incomplete = "IncompleteSignatureException";
    let invalid = "InvalidSignatureException";
    for (header, name, text) in [
        ("Bearer abc".to_owned(), incomplete, "missing equal-sign"),
        (String::new(), incomplete, "missing equal-sign"),
        ("AWS4-HMAC-SHA256 nonsense".to_owned(), incomplete, "missing equal-sign"),
        (
            "AWS4-HMAC-SHA256".to_owned(),
            incomplete,
            "requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.",
        ),
        ("AWS4-ECDSA-P256-SHA256 Credential=a".to_owned(), incomplete, "Unsupported"),
        (replaced("Signature=", "Sig="), incomplete, "requires 'Signature' parameter"),
        (replaced("Signature=", "Signature=0"), incomplete, "64"),
        (replaced("SignedHeaders=host", "SignedHeaders=Host"), incomplete, "lower-case"),
        (replaced("SignedHeaders=host", "SignedHeaders=;host"), incomplete, "lower-case"),
        (
            replaced("SignedHeaders=host;", "SignedHeaders="),
            invalid,
            "'Host' or ':authority' must be",
        ),
        (replaced(";x-amz-date", ""), invalid, "'x-amz-date' must be a 'SignedHeader'"),
        (replaced("/aws4_request", ""), incomplete, "exactly 5"),
        (replaced("aws4_request", "aws5_request"), invalid, "terminator"),
        (replaced("/apigateway/", "/execute-api/"), invalid, "correct service: 'apigateway'"),
        (replaced("eu-west-1", "EU WEST"), invalid, "valid region"),
        (replaced("eu-west-1", ""), invalid, "valid region"),
        (replaced("/20260102/", "/20260103/"), invalid, "does not match YYYYMMDD"),
        (replaced("AKIDTIDEGATE", ""), incomplete, "access key id"),
        (
            replaced("AKIDTIDEGATE", "AKIDOTHER"),
            "UnrecognizedClientException",
            "The security token included",
        ),
        (format!("{good}, Signature=00"), incomplete, "more than once"),
    ] {
        let mut request = signed("get/header");
        request.set("authorization", &header);
        refused(&request, name, text);
        assert!(
            !check(&request).unwrap_err().to_string().contains("Bearer"),
            "a token is never repeated"
        );
    }
}

#[test]
fn headers() {
    let mut none = signed("get/header");
    none.headers.retain(|(name, _)| name != "Authorization");
    assert_eq!(check(&none), Err(AuthError::MissingAuthenticationToken));

    let mut twice = signed("get/header");
    twice.add("Authorization", &twice.value("authorization"));
    refused(&twice, "IncompleteSignatureException", "Only one way");

    let mut both = signed("get/header");
    both.query = signed("get/query").query;
    refused(&both, "IncompleteSignatureException", "Only one way");

    let mut date = signed("get/header");
    date.add("X-Amz-Date", "20260102T030405Z");
    refused(&date, "IncompleteSignatureException", "Date must be");

    let mut no_date = signed("get/header");
    no_date.headers.retain(|(name, _)| name != "X-Amz-Date");
    refused(
        &no_date,
        "IncompleteSignatureException",
        "existence of either a 'X-Amz-Date' or a 'Date' header",
    );
    no_date.add("Date", "Fri, 02 Jan 2026 03:04:05 GMT");
    refused(&no_date, "InvalidSignatureException", "'Date' must be");

    let mut added = signed("get/header");
    added.add("X-Amz-Target", "x");
    refused(&added, "InvalidSignatureException", "'x-amz-target' must be a 'SignedHeader'");

    let mut harmless = signed("get/header");
    harmless.add("User-Agent", "x");
    harmless.add("X-Amzn-Trace-Id", "Root=1");
    assert!(check(&harmless).is_ok());

    for stated in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", ""] {
        let mut request = signed("post/header");
        request.add("x-amz-content-sha256", stated);
        let header = request.value("authorization").replace("host;", "host;x-amz-content-sha256;");
        request.set("authorization", &header);
        assert_eq!(check(&request), Err(AuthError::SignatureMismatch), "{stated}");
    }
}

#[test]
fn presigned_queries() {
    let good = signed("get/query").query;
    for (from, to, text) in [
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", "must include 'X-Amz-Algorithm'. Re-examine"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "Unsupported"),
        ("X-Amz-Expires=900", "X-Amz-Expires=604801", "604800"),
        ("X-Amz-Expires=900", "X-Amz-Expires=-1", "604800"),
        ("X-Amz-Expires=900", "X-Amz-Expires=0", "604800"),
        ("X-Amz-Expires=900", "X-Amz-Expires=900&X-Amz-Expires=901", "more than once"),
        ("X-Amz-Date=20260102T030405Z", "X-Amz-Date=now", "ISO-8601"),
        ("X-Amz-Date=20260102T030405Z", "X-Amz-Date=20261302T030405Z", "ISO-8601"),
    ] {
        let mut request = signed("get/query");
        assert!(good.contains(from), "{good}");
        request.query = good.replace(from, to);
        refused(&request, "IncompleteSignatureException", text);
    }
    let mut longer = signed("get/query");
    longer.query = good.replace("X-Amz-Expires=900", "X-Amz-Expires=901");
    assert_eq!(check(&longer), Err(AuthError::SignatureMismatch));
}

/// Source: design section 5: unknown keys are accepted on loopback, known ones are verified, form is always required.
#[test]
fn modes() {
    let request = signed("post/header");
    let mut tampered = request.clone();
    tampered.body.push(' ');
    let mut unsigned = request.clone();
    unsigned.headers.retain(|(name, _)| name != "Authorization");
    let mut service = request.clone();
    service.set("authorization", &request.value("authorization").replace("apigateway", "s3"));

    let open = authenticator(Mode::Loopback, &[]);
    assert!(!open.check(&request.parts()).unwrap().verified);
    assert!(!open.check(&tampered.parts()).unwrap().verified);
    assert!(!open.check(&signed("repeated-key/query").parts()).unwrap().verified);
    assert_eq!(open.check(&unsigned.parts()), Err(AuthError::MissingAuthenticationToken));
    assert_eq!(open.check(&service.parts()).unwrap_err().name(), "InvalidSignatureException");

    let known = authenticator(Mode::Loopback, &[("AKIDTIDEGATE", true)]);
    assert!(known.check(&request.parts()).unwrap().verified);
    assert_eq!(known.check(&tampered.parts()), Err(AuthError::SignatureMismatch));

    for mode in [Mode::Loopback, Mode::Strict] {
        let disabled = authenticator(mode, &[("AKIDTIDEGATE", false)]);
        assert_eq!(disabled.check(&request.parts()), Err(AuthError::UnrecognizedClient));
    }
    let strict = authenticator(Mode::Strict, &[("AKIDOTHER", true)]);
    assert_eq!(strict.check(&request.parts()), Err(AuthError::UnrecognizedClient));
}

#[test]
fn hosts() {
    let open = Authenticator::new(
        Mode::Loopback,
        Guard::new(["admin.example.com", "[fd00::1]", "192.0.2.7"]),
        NoKeys,
    );
    for (host, ok) in [
        ("localhost", true),
        ("LOCALHOST:4700", true),
        ("localhost.:4700", true),
        ("a.b.localhost:4700", true),
        ("127.0.0.1:4700", true),
        ("127.255.255.254", true),
        ("[::1]:4700", true),
        ("[0:0:0:0:0:0:0:1]", true),
        ("Admin.Example.Com:4700", true),
        ("[fd00::1]:4700", true),
        ("192.0.2.7", true),
        ("", false),
        (":4700", false),
        (".localhost", false),
        ("localhost.evil.example", false),
        ("localhost@evil.example", false),
        ("127.0.0.1.evil.example", false),
        ("128.0.0.1", false),
        ("[::2]", false),
        ("[::1", false),
        ("::1", false),
        ("localhost:x", false),
        ("localhost:99999", false),
        ("evil.example:4700", false),
        ("0.0.0.0:4700", false),
    ] {
        let mut request = signed("get/header");
        request.set("host", host);
        let got = open.check(&request.parts());
        assert_eq!(got.is_ok(), ok, "{host}");
        assert!(ok || got.unwrap_err().name() == "AccessDeniedException");
    }
}

#[test]
fn browsers() {
    for (name, value, ok) in [
        ("Origin", "http://localhost:4700", true),
        ("Origin", "HTTP://LOCALHOST:4700", false),
        ("Origin", "http://localhost:3000", false),
        ("Origin", "http://localhost", false),
        ("Origin", "http://127.0.0.1:4700", false),
        ("Origin", "https://evil.example", false),
        ("Origin", "http://localhost:4700.evil.example", false),
        ("Origin", "null", false),
        ("Origin", "", false),
        ("Sec-Fetch-Site", "same-origin", true),
        ("Sec-Fetch-Site", "none", true),
        ("Sec-Fetch-Site", "same-site", false),
        ("Sec-Fetch-Site", "cross-site", false),
        ("Sec-Fetch-Site", "", false),
    ] {
        let mut request = signed("get/header");
        request.add(name, value);
        assert_eq!(check(&request).is_ok(), ok, "{name}: {value}");
        request.add(name, "http://localhost:4700");
        request.add(name, "cross-site");
        refused(&request, "AccessDeniedException", "");
    }
    let mut plain = signed("get/header");
    plain.set("host", "localhost");
    plain.add("Origin", "http://localhost:80");
    let open = authenticator(Mode::Loopback, &[]);
    assert!(open.check(&plain.parts()).is_ok());
}

#[test]
fn bootstrap_keys() {
    let read = |id: &'static str, secret: &'static str| {
        keys::bootstrap(move |name| {
            Some(if name == keys::BOOTSTRAP_ID { id } else { secret }.to_owned())
        })
    };
    assert_eq!(read("", ""), Ok(None));
    assert_eq!(keys::bootstrap(|_| None), Ok(None));
    assert_eq!(read("AKID", ""), Err(keys::BootstrapError::Half));
    assert_eq!(read("", "s"), Err(keys::BootstrapError::Half));
    assert_eq!(read("a/b", "s"), Err(keys::BootstrapError::Id));
    let key = read("AKIDTIDEGATE", SECRET).unwrap().unwrap();
    assert!(!format!("{key:?}").contains(SECRET));
    let keys = Keys { bootstrap: Some(key), stored: NoKeys };
    let strict = Authenticator::new(Mode::Strict, Guard::default(), std::sync::Arc::new(keys));
    assert!(strict.check(&signed("get/header").parts()).unwrap().verified);
}

/// Any bytes in the places a caller controls are an answer, never a panic.
#[test]
fn hostile_bytes() {
    let texts = [
        "",
        "%",
        "%zz",
        "\u{0}",
        "é",
        "=",
        "&&==",
        "AWS4-HMAC-SHA256 ,=,=",
        "a/b/c/d/e",
        "////",
        ";;",
    ];
    for base in ["get/header", "get/query"] {
        for text in texts {
            for index in 0..4 {
                let mut request = signed(base);
                match index {
                    0 => request.set("authorization", text),
                    1 => request.query = format!("{}&X-Amz-Date={text}", request.query),
                    2 => request.query = format!("X-Amz-Signature={text}&X-Amz-Credential={text}"),
                    _ => request.path = text.to_owned(),
                }
                if index < 3 || !text.is_empty() {
                    let _ = check(&request);
                }
            }
        }
    }
    let raw: [(&str, &[u8]); 2] = [("host", b"localhost"), ("authorization", b"\xff\xfe")];
    let parts = RequestParts::new("GET", "/", "", raw, Payload::Bytes(b""), at(0));
    assert!(authenticator(Mode::Loopback, &[]).check(&parts).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes changed anywhere in a signed request: refused or, where they did not matter, let in; never a panic.
    #[test]
    fn mutated_requests(
        form in prop::sample::select(&["post/header", "query/query"][..]),
        edits in prop::collection::vec((0usize..4, any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let request = signed(form);
        let mut texts = [&request.path, &request.query, &request.body].map(|text| text.clone().into_bytes());
        let mut headers: Vec<(String, Vec<u8>)> =
            request.headers.iter().map(|(n, v)| (n.clone(), v.clone().into_bytes())).collect();
        for (field, at, byte) in edits {
            let count = headers.len();
            let text = match field {
                3 => &mut headers[at.index(count)].1,
                _ => &mut texts[field],
            };
            if !text.is_empty() {
                let at = at.index(text.len());
                text[at] = byte;
            }
        }
        let [path, query, body] = texts;
        let (path, query) = (String::from_utf8_lossy(&path), String::from_utf8_lossy(&query));
        let pairs = headers.iter().map(|(n, v)| (n.as_str(), v.as_slice()));
        let parts = RequestParts::new(&request.method, &path, &query, pairs, Payload::Bytes(&body), request.now);
        let strict = authenticator(Mode::Strict, &[("AKIDTIDEGATE", true)]);
        let unchanged = path == request.path && query == request.query && body == request.body.as_bytes();
        if strict.check(&parts).is_ok() {
            prop_assert!(unchanged || query != request.query, "a changed path or body was let in");
        }
    }
}
