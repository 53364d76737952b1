//! Plain proxying and constant answers allocate nothing once the buffers are warm: a counting allocator watches.
//!
//! Source: design.md section 2 ("no allocation (a counting allocator proves it ...)").
#![allow(unsafe_code, reason = "an allocator is unsafe by its trait")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::{Driver, Stage, head, http_proxy, mock_ok, reply, resource};
use tidegate_engine::head::BodySize;
use tidegate_engine::{CallError, Step};
use tidegate_proto::v1;

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator unchanged; the counter is a plain cell of the calling thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|c| c.set(c.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|c| c.set(c.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn counted<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = COUNT.with(Cell::get);
    let out = work();
    (COUNT.with(Cell::get) - before, out)
}

fn driver() -> Driver {
    let mapped = [
        ("integration.request.path.id", "method.request.path.id"),
        ("integration.request.header.X-Id", "method.request.header.X-A"),
        ("integration.request.header.X-Env", "'fixed'"),
    ];
    let mut many: Vec<v1::Resource> = (0..300)
        .map(|i| {
            resource(&format!("/r{i}/{{id}}"), "GET", http_proxy("http://up.example/{id}", &[]))
        })
        .collect();
    many.push(resource("/plain/{p+}", "ANY", http_proxy("http://up.example/a", &[])));
    many.push(resource("/mapped/{id}", "ANY", http_proxy("http://up.example/{id}?k=1", &mapped)));
    many.push(resource("/mock", "ANY", mock_ok(r#"{"status":"up"}"#)));
    let mut stage = Stage::of(many);
    stage.canary = Some((50.0, stage.bundle.clone()));
    Driver::serving(v1::Api::default(), vec![stage], &[])
}

const FIELDS: [(&str, &str); 8] = [
    ("User-Agent", "curl/8.5.0"),
    ("Accept", "*/*"),
    ("X-A", "1"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("Cookie", "a=1; b=2"),
    ("Authorization", "Bearer 0123456789"),
    ("X_Forwarded_For", "6.6.6.6"),
    ("Connection", "keep-alive, X-A"),
];

#[test]
fn deciding_allocates_nothing_once_the_buffers_are_warm() {
    let mut driver = driver();
    for (line, relayed) in [
        ("GET /prod/plain/a/b/c?x=1&y=2", true),
        ("POST /prod/plain/a", true),
        ("GET /prod/r150/7", true),
        ("GET /prod/mapped/7?q=1", true),
        ("GET /prod/mock", false),
        ("GET /prod/nope", false),
        ("GET /nope/x", false),
    ] {
        // Of a caller that finds no method it is looked at what it shows as a signature, which is taken apart.
        let fields = if line.contains("nope") { &FIELDS[..5] } else { &FIELDS[..] };
        let request = head(line, fields);
        for peer in ["192.0.2.7", "2001:db8::7"] {
            driver.peer = peer.parse().unwrap();
            drop(driver.step(&request));
            let (count, step) = counted(|| driver.step(&request));
            assert_eq!(matches!(step, Step::Relay(_)), relayed, "{line}");
            assert_eq!(count, 0, "begin of {line} from {peer} allocates");
        }
    }
}

#[test]
fn answering_for_an_upstream_allocates_nothing_once_the_buffers_are_warm() {
    let mut driver = driver();
    let request = head("GET /prod/plain/x", &FIELDS);
    let upstream = reply(
        200,
        BodySize::Known(117),
        &[
            ("Content-Type", "application/json"),
            ("Content-Length", "117"),
            ("Server", "s"),
            ("Date", "d"),
            ("X-A", "b"),
        ],
    );
    for got in [Ok(&upstream), Err(CallError::Timeout)] {
        let relay = driver.relay(&request);
        let _ = relay.reply(&mut driver.cx(), &request, got);
        let relay = driver.relay(&request);
        let (count, answer) = counted(|| relay.reply(&mut driver.cx(), &request, got));
        assert_eq!(count, 0, "reply to {got:?} allocates");
        let cx = driver.cx();
        let (count, _) =
            counted(|| answer.finish(&cx, &request, tidegate_engine::Counts::default()));
        assert_eq!(count, 0, "finish allocates");
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(counted(|| Box::new([0u8; 64])).0, 1);
}
