//! Every byte at every place of whole messages: refused, unfinished, or a message that keeps all promises.

use tidegate_engine::head::Method;

use super::view;

const REQUESTS: [&str; 6] = [
    "GET /a/b?c=d HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /x HTTP/1.1\r\nhost:a:80\r\nTransfer-Encoding: chunked\r\nX:\r\n\r\n0\r\n\r\n",
    "GET http://a/p?q HTTP/1.1\r\nHost: a\r\nConnection: close, x-b\r\n\r\n",
    "\r\nOPTIONS * HTTP/1.1\r\nHost: [::1]\r\nExpect: 100-continue\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\nCookie: a=b; c=\"d\"\r\n\r\n",
];

const RESPONSES: [&str; 4] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 201\r\nTransfer-Encoding: chunked\r\nServer: x/1\r\n\r\n0\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 204 \r\n\r\n",
];

/// Every way to put one byte into `seed`, and to put it in place of another.
fn mutations(seed: &str, mut check: impl FnMut(&[u8])) {
    for at in 0..=seed.len() {
        for byte in 0..=255 {
            let mut bytes = seed.as_bytes().to_vec();
            bytes.insert(at, byte);
            check(&bytes);
            if at < seed.len() {
                bytes.remove(at + 1);
                check(&bytes);
            }
        }
    }
}

#[test]
fn any_byte_anywhere_in_requests() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in REQUESTS {
        assert!(matches!(view::request(seed.as_bytes(), &[]), Ok(Some(_))), "{seed:?}");
        mutations(seed, |bytes| match view::request(bytes, &[]) {
            Ok(Some(got)) => {
                view::judge_request(bytes, &got);
                accepted += 1;
            }
            Ok(None) => {}
            Err(error) => {
                assert!((400..=505).contains(&error.status()));
                refused += 1;
            }
        });
    }
    assert!(accepted > 10_000 && refused > 10_000, "{accepted} {refused}");
}

#[test]
fn any_byte_anywhere_in_responses() {
    let mut accepted = 0;
    for seed in RESPONSES {
        for to in [Method::Get, Method::Head] {
            assert!(matches!(view::response(seed.as_bytes(), to, &[]), Ok(Some(_))), "{seed:?}");
            mutations(seed, |bytes| {
                if let Ok(Some(got)) = view::response(bytes, to, &[]) {
                    view::judge_response(bytes, to, &got);
                    accepted += 1;
                }
            });
        }
    }
    assert!(accepted > 10_000, "{accepted}");
}

/// A message cut short is never an answer, and never an error: its missing bytes could have been these.
#[test]
fn every_prefix_asks_for_more() {
    for seed in REQUESTS {
        let whole = view::request(seed.as_bytes(), &[]).unwrap().unwrap();
        for end in 0..whole.len {
            assert_eq!(view::request(&seed.as_bytes()[..end], &[]), Ok(None), "{end} of {seed:?}");
        }
    }
    for seed in RESPONSES {
        let whole = view::response(seed.as_bytes(), Method::Get, &[]).unwrap().unwrap();
        for end in 0..whole.len {
            let got = view::response(&seed.as_bytes()[..end], Method::Get, &[]);
            assert_eq!(got, Ok(None), "{end} of {seed:?}");
        }
    }
}
