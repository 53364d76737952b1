//! Signatures: any request has a claim or is told what its signature lacks, and nothing verifies that nobody signed.
#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use tidegate_engine::identity::{Payload, RequestParts, sigv4};

/// `Authorization`, `X-Amz-Date`, a query and a path, each behind a NUL.
fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|b| *b == 0);
    let mut next = || parts.next().unwrap_or_default();
    let (authorization, date, query, path) = (next(), next(), next(), next());
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let headers: [(&str, &[u8]); 3] =
        [("host", b"a.execute-api.localhost"), ("x-amz-date", date), ("authorization", authorization)];
    let now = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
    // A presigned request has no such header.
    let sent = headers.into_iter().filter(|(_, value)| !value.is_empty());
    let request =
        RequestParts::new("GET", text(path), text(query), sent, Payload::Bytes(b""), now);
    match sigv4::parse(&request, "execute-api") {
        Ok(claim) => {
            assert!(!claim.access_key_id().is_empty());
            assert!(sigv4::verify(&claim, &request, "a secret that signed nothing").is_err());
        }
        Err(error) => assert!(!error.to_string().is_empty() && error.status() == 403),
    }
});
