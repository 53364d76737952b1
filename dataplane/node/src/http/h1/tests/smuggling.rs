//! Request smuggling: every pair of framing lines that parsers are known to read differently, each refused or read in the
//! one safe way, with the request behind it found where that reading says.

use tidegate_engine::head::Head;

use super::super::chunked::Decoder;
use super::super::request;
use super::*;

/// What a line means to everybody, or that it must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// `Content-Length: 5`.
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// A field of some other name.
    Other,
    Refused,
}

use Meaning::{Chunked, Length, Other, Refused};

/// Lines, without their last line end.
const LINES: &[(&str, Meaning)] = &[
    ("Content-Length: 5", Length),
    ("content-length:5", Length),
    ("CONTENT-LENGTH:\t 5 \t", Length),
    ("Content-Length: 0005", Length),
    ("Content-Length: +5", Refused),
    ("Content-Length: -5", Refused),
    ("Content-Length: 5, 5", Refused),
    ("Content-Length: 5,", Refused),
    ("Content-Length: 5 5", Refused),
    ("Content-Length: 0x5", Refused),
    ("Content-Length: 5e0", Refused),
    ("Content-Length: 5.0", Refused),
    ("Content-Length: \"5\"", Refused),
    ("Content-Length: 5;", Refused),
    ("Content-Length: \u{ff15}", Refused),
    ("Content-Length:", Refused),
    ("Content-Length: 5\u{b}", Refused),
    ("Content-Length: 5\0", Refused),
    ("Content-Length: 5\rX: y", Refused),
    ("Content-Length: 5\nX: y", Refused),
    ("Content-Length:\r\n 5", Refused),
    ("Content-Length: 1\r\n\t5", Refused),
    ("Content-Length : 5", Refused),
    ("Content-Length\t: 5", Refused),
    (" Content-Length: 5", Refused),
    ("Content-Length\u{b}: 5", Refused),
    ("Content-Length\0: 5", Refused),
    ("Content-Length\u{a0}: 5", Refused),
    ("Content-Length; 5", Refused),
    ("Content-Length: 18446744073709551621", Refused),
    ("Content-Length: 9223372036854775808", Refused),
    ("Content-Length: 4294967301000000000000", Refused),
    ("Content_Length: 9", Other),
    ("Content-Length-: 9", Other),
    ("X-Content-Length: 9", Other),
    ("Content-Lengt\u{68}s: 9", Other),
    ("Transfer-Encoding: chunked", Chunked),
    ("transfer-encoding:chunked", Chunked),
    ("TRANSFER-ENCODING: \tCHUNKED\t ", Chunked),
    ("Transfer-Encoding: cHuNkEd", Chunked),
    ("Transfer-Encoding: xchunked", Refused),
    ("Transfer-Encoding: chunkedx", Refused),
    ("Transfer-Encoding: chunk", Refused),
    ("Transfer-Encoding: identity", Refused),
    ("Transfer-Encoding: gzip", Refused),
    ("Transfer-Encoding: gzip, chunked", Refused),
    ("Transfer-Encoding: chunked, gzip", Refused),
    ("Transfer-Encoding: chunked, identity", Refused),
    ("Transfer-Encoding: chunked, chunked", Refused),
    ("Transfer-Encoding: chunked,", Refused),
    ("Transfer-Encoding: ,chunked", Refused),
    ("Transfer-Encoding: chunked;a=b", Refused),
    ("Transfer-Encoding: \"chunked\"", Refused),
    ("Transfer-Encoding: 'chunked'", Refused),
    ("Transfer-Encoding: [chunked]", Refused),
    ("Transfer-Encoding:", Refused),
    ("Transfer-Encoding: \u{b}chunked", Refused),
    ("Transfer-Encoding: \u{c}chunked", Refused),
    ("Transfer-Encoding: \u{a0}chunked", Refused),
    ("Transfer-Encoding: chunked\u{b}", Refused),
    ("Transfer-Encoding: chunked\0", Refused),
    ("Transfer-Encoding: chun\u{212a}ed", Refused),
    ("Transfer-Encoding: chunked\rX: y", Refused),
    ("Transfer-Encoding: chunked\nX: y", Refused),
    ("Transfer-Encoding:\r\n chunked", Refused),
    ("Transfer-Encoding: chunked\r\n , gzip", Refused),
    ("X: y\r\n Transfer-Encoding: chunked", Refused),
    ("X: y\nTransfer-Encoding: chunked", Refused),
    ("X: y\rTransfer-Encoding: chunked", Refused),
    ("X: y\r\r\nTransfer-Encoding: chunked", Refused),
    ("Transfer-Encoding : chunked", Refused),
    ("Transfer-Encoding\t: chunked", Refused),
    ("\tTransfer-Encoding: chunked", Refused),
    ("Transfer-Encoding\u{b}: chunked", Refused),
    ("Transfer-Encoding\0: chunked", Refused),
    ("Transfer Encoding: chunked", Refused),
    ("Transfer\\Encoding: chunked", Refused),
    ("Transfer-Encoding= chunked", Refused),
    ("Transfer-Encoding chunked", Refused),
    (": Transfer-Encoding: chunked", Refused),
    ("Transfer_Encoding: chunked", Other),
    ("Transfer.Encoding: chunked", Other),
    ("Transfer-Encodin\u{67}s: chunked", Other),
    ("X-Transfer-Encoding: chunked", Other),
    ("TE: chunked", Other),
    ("Upgrade: h2c", Other),
    ("Connection: Transfer-Encoding", Other),
    ("Connection: Content-Length, Host", Other),
    ("X: Transfer-Encoding: chunked", Other),
];

/// What lines mean together: anything doubtful spoils the whole, and so do two framings.
fn together(meanings: &[Meaning]) -> Meaning {
    let framings: Vec<_> = meanings.iter().filter(|meaning| **meaning != Other).collect();
    match framings.as_slice() {
        [] => Other,
        [one] => **one,
        _ => Refused,
    }
}

/// The paths of the requests a driver would see in `wire`, until it is used up or refused.
fn seen(wire: &[u8]) -> (Vec<String>, Option<RequestError>) {
    let mut head = Head::default();
    head.buf.extend_from_slice(wire);
    let mut paths = Vec::new();
    loop {
        let info = match request::parse(&mut head, &Limits::REQUEST) {
            Ok(Some(info)) => info,
            Ok(None) => return (paths, None),
            Err(error) => return (paths, Some(error)),
        };
        paths.push(String::from_utf8_lossy(head.path()).into_owned());
        let body = match info.framing {
            Framing::Empty | Framing::UntilClose => 0,
            Framing::Length(bytes) => bytes as usize,
            Framing::Chunked => chunked_len(head.rest()),
        };
        head.consume(head.len + body);
    }
}

fn chunked_len(body: &[u8]) -> usize {
    let (mut decoder, mut at) = (Decoder::new(), 0);
    while !decoder.is_done() {
        at += decoder.decode(&body[at..]).expect("a good body").consumed;
    }
    at
}

fn check(version: &str, lines: &[&str], meaning: Meaning) {
    let body = match meaning {
        Length => "hello",
        Chunked => "5\r\nhello\r\n0\r\n\r\n",
        Other | Refused => "",
    };
    let wire = format!(
        "POST /first HTTP/{version}\r\nHost: a\r\n{}\r\n\r\n{body}GET /next HTTP/1.1\r\nHost: a\r\n\r\n",
        lines.join("\r\n")
    );
    let (paths, error) = seen(wire.as_bytes());
    if meaning == Refused {
        assert!(paths.is_empty() && error.is_some(), "{wire:?}: {paths:?}");
    } else {
        assert_eq!(
            (paths.as_slice(), error),
            (&["/first".into(), "/next".into()][..], None),
            "{wire:?}"
        );
    }
}

#[test]
fn each_line_alone_and_each_pair() {
    let mut vectors = 0;
    for (first, one) in LINES {
        check("1.1", &[first], *one);
        // A coding has no place in HTTP/1.0.
        check("1.0", &[first], if *one == Chunked { Refused } else { *one });
        for (second, other) in LINES {
            check("1.1", &[first, second], together(&[*one, *other]));
            vectors += 1;
        }
        vectors += 2;
    }
    assert!(vectors > 7_000, "{vectors}");
}

#[test]
fn framing_hidden_among_other_lines() {
    for (line, meaning) in LINES {
        for (before, after) in
            [("X: y", "Z: w"), ("Accept: */*", "Connection: keep-alive"), ("A:", "B:")]
        {
            check("1.1", &[before, line, after], *meaning);
        }
    }
}

#[test]
fn start_lines_and_hosts() {
    let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    for head in [
        "POST /first HTTP/1.1\nHost: a\r\n\r\n",
        "POST /first HTTP/1.1\rHost: a\r\n\r\n",
        "POST /first HTTP/1.1\r\nHost: a\n\n",
        "POST /first HTTP/1.1\r\nHost: a\r\n\n",
        "POST /first HTTP/1.1\r\nHost: a\n\r\n",
        "POST /first HTTP/1.1 \r\nHost: a\r\n\r\n",
        "POST /first  HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST\t/first HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST\u{b}/first HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /first x HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /first\u{a0}HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /first HTTP/1.1\r\n Host: a\r\n\r\n",
        "POST /first HTTP/1.1\r\n\tX: y\r\nHost: a\r\n\r\n",
        "POST /first\r\nHost: a\r\n\r\n",
        "POST /first HTTP/0.9\r\nHost: a\r\n\r\n",
        "POST /first HTTP/1.1, HTTP/1.0\r\nHost: a\r\n\r\n",
        "POST /first HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST /first HTTP/1.1\r\nHost: a, b\r\n\r\n",
        "POST /first HTTP/1.1\r\nHost: a b\r\n\r\n",
        "POST /first HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "POST /first HTTP/1.1\r\nHost: a#b\r\n\r\n",
        "POST /first HTTP/1.1\r\nHost : a\r\n\r\n",
        "POST /first HTTP/1.1\r\nHost: a\r\nhost : b\r\n\r\n",
        "POST http://b/first HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST http://a@b/first HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST http://a\\@b/first HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let (paths, error) = seen(format!("{head}{next}").as_bytes());
        assert!(paths.is_empty() && error.is_some(), "{head:?}: {paths:?}");
    }
}

/// No caller can have a framing, identity or gateway field dropped by naming it, nor change how its own body ends.
#[test]
fn connection_cannot_nominate_what_the_gateway_relies_on() {
    let protected = [
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Content-Type",
        "Content-Encoding",
        "Expect",
        "Date",
        "Authorization",
        "Cookie",
        "Origin",
        "X-Api-Key",
        "Cache-Control",
        "Vary",
        "Forwarded",
        "Via",
        "X-Real-Ip",
        "True-Client-Ip",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
        "X-Forwarded-Prefix",
        "X-Amz-Date",
        "X-Amz-Security-Token",
        "X-Amz-Content-Sha256",
        "X-Amz-Apigw-Id",
        "X-Amz-Cf-Id",
        "X-Amzn-Requestid",
        "X-Amzn-Trace-Id",
        "X-Amzn-Apigateway-Api-Id",
        "X-Amzn-Errortype",
    ];
    let ordinary = [
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "User-Agent",
        "Referer",
        "Pragma",
        "DNT",
        "If-Match",
        "Range",
        "If-None-Match",
        "If-Modified-Since",
        "If-Range",
        "Save-Data",
        "TE",
        "Trailer",
        "Upgrade",
        "Proxy-Connection",
        "Proxy-Authorization",
        "Http2-Settings",
        "Max-Forwards",
        "Content-Md5",
        "X-Http-Method-Override",
        "X-Custom",
        "X-Forwarde",
        "XX-Forwarded-For",
        "X-Amzo",
        "Content-Language",
        "Priority",
        "Early-Data",
        "Sec-Fetch-Mode",
    ];
    assert!(protected.len() + ordinary.len() >= 60);
    let expected =
        protected.map(|name| (name, false)).into_iter().chain(ordinary.map(|name| (name, true)));
    for (name, nominated) in expected {
        for list in [name.to_owned(), format!("close, {name}"), format!("x-other,{name} ,")] {
            let mut head = Head::default();
            let text = format!(
                "POST / HTTP/1.1\r\nHost: a\r\nConnection: {list}\r\nContent-Length: 5\r\n\r\nhello"
            );
            head.buf.extend_from_slice(text.as_bytes());
            let info = request::parse(&mut head, &Limits::REQUEST).unwrap().unwrap();
            assert_eq!(info.framing, Framing::Length(5), "{list}");
            assert_eq!(head.nominated(name.to_ascii_lowercase().as_bytes()), nominated, "{list}");
        }
    }
}
