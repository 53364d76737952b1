//! Templates that take long: they are answered like any other, and nobody else waits for them.
//!
//! Source: reliability-and-threats.md section 2, template bombs; "nothing else slowed".
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::{Read, Write};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use support::{Answer, Gateway, mock, on_both, pairs, request, resource};
use tidegate_node::rt::Driver;
use tidegate_proto::v1;

/// Goes on until its steps are used up.
const BOMB: &str =
    "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])$c#end#end#end";

/// Some 200,000 steps: more than a worker carries out, and few enough to come to an end.
const LONG: &str = r##"#set($sum = 0)
#foreach($a in [1..100])#foreach($b in [1..1000])#set($sum = $sum + $b)#end#end
{"statusCode": 200}#set($context.responseOverride.header.sum = "$sum")"##;

fn gateway(driver: Driver) -> Gateway {
    let with = |template: &str| v1::Integration {
        request_templates: pairs(&[("application/json", template)]),
        ..mock(r#"{"sum": "$context.responseOverride.header.sum"}"#)
    };
    Gateway::start(
        driver,
        vec![
            resource("/bomb", "GET", with(BOMB)),
            resource("/long", "GET", with(LONG)),
            resource("/quick", "GET", mock("quick")),
        ],
    )
}

/// Asks on a connection of its own, and says what came and when.
fn asks(gateway: &Gateway, path: &str) -> JoinHandle<(u16, Instant)> {
    let mut stream = gateway.connect();
    stream.set_read_timeout(None).unwrap();
    stream.write_all(request("GET", path, "Connection: close\r\n", "").as_bytes()).unwrap();
    spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        (Answer::parse(&text).status, Instant::now())
    })
}

/// All requests that were counted.
fn requests(metrics: &str) -> u64 {
    let counts = metrics.lines().filter_map(|line| {
        line.strip_prefix("http_server_request_duration_seconds_count")?
            .rsplit(' ')
            .next()?
            .parse::<u64>()
            .ok()
    });
    counts.sum()
}

#[test]
fn nobody_waits_for_a_template_bomb() {
    on_both(|driver| {
        let gateway = gateway(driver);
        let bombs: Vec<_> = (0..4).map(|_| asks(&gateway, "/bomb")).collect();
        for _ in 0..50 {
            assert_eq!(gateway.get("/quick").status, 200);
        }
        let quick = Instant::now();
        let ends: Vec<_> = bombs.into_iter().map(|bomb| bomb.join().unwrap()).collect();
        assert!(ends.iter().all(|(status, _)| *status == 500), "{ends:?}");
        let last = ends.iter().map(|(_, end)| *end).max().unwrap();
        assert!(quick < last, "{driver:?}: the quick ones ended {:?} later", quick - last);
    });
}

#[test]
fn what_takes_long_is_answered_like_anything_else_and_the_connection_goes_on() {
    on_both(|driver| {
        let gateway = gateway(driver);
        let mut asked = request("GET", "/long", "", "").repeat(2);
        asked.push_str(&request("GET", "/quick", "Connection: close\r\n", ""));
        let text = gateway.raw(asked.as_bytes());
        let answers = Answer::all(&text);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 200, 200], "{driver:?}: {text}");
        assert_eq!(answers[0].field("sum"), Some("50050000"), "{text}");
        assert_eq!(answers[1].field("sum"), Some("50050000"), "{text}");
    });
}

#[test]
fn who_leaves_takes_what_was_not_begun_along() {
    on_both(|driver| {
        let gateway = gateway(driver);
        let begun = Instant::now();
        assert_eq!(gateway.get("/bomb").status, 500);
        let one = begun.elapsed();
        for _ in 0..60 {
            let mut stream = gateway.connect();
            stream.write_all(request("GET", "/bomb", "", "").as_bytes()).unwrap();
            // Closed when it goes.
        }
        sleep(Duration::from_millis(500));
        let begun = Instant::now();
        assert_eq!(gateway.get("/long").status, 200);
        let waited = begun.elapsed();
        assert!(waited < 30 * one, "{driver:?}: {waited:?}, a bomb takes {one:?}");
        // Nobody is forgotten: each of them is counted.
        let mut text = String::new();
        gateway.node().render_metrics(&mut text);
        assert_eq!(requests(&text), 62, "{text}");
    });
}
