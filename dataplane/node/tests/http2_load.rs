//! HTTP/2 connections that are busy, flooding, idle or to be drained: nobody else notices, and each ends as it should.
//!
//! Source: design.md section 4 (fairness; drain by two GOAWAYs); reliability-and-threats.md section 2, rows 10 and 17.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::time::{Duration, Instant};

use h2::Reason;
use http::Request;
use support::{API, Gateway, Options, Upstream, http_proxy, mock, on_both, read_request, resource};
use tidegate_node::rt::Driver;
use tokio::net::TcpStream;

fn gateway(driver: Driver, change: impl FnOnce(&mut Options), uri: &str) -> Gateway {
    let mut options = Options { h2c: true, ..Options::on(driver) };
    change(&mut options);
    let resources =
        vec![resource("/mock", "ANY", mock("{}")), resource("/{p+}", "ANY", http_proxy(uri, &[]))];
    Gateway::with(options, resources)
}

fn call<T>(side: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), side).await.expect("it ends in time")
    })
}

fn request(path: &str) -> Request<()> {
    Request::builder()
        .uri(format!("http://{API}.execute-api.localhost/prod{path}"))
        .body(())
        .unwrap()
}

/// Waits until the gateway has this many connections.
fn settles(gateway: &Gateway, connections: usize) {
    let began = Instant::now();
    while gateway.node().connections() != connections {
        let held = gateway.node().connections();
        assert!(began.elapsed() < Duration::from_secs(8), "{held} connections, not {connections}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_hundred_busy_streams_do_not_starve_a_plain_request() {
    on_both(|driver| {
        let gateway = gateway(driver, |_| {}, "http://127.0.0.1:9/");
        let address = gateway.address;
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = stop.clone();
        let busy = std::thread::spawn(move || {
            call(async {
                let tcp = TcpStream::connect(address).await.unwrap();
                let (streams, connection) = h2::client::handshake(tcp).await.unwrap();
                tokio::spawn(async move {
                    let _ = connection.await;
                });
                let mut tasks = Vec::new();
                for _ in 0..100 {
                    let (streams, stopped) = (streams.clone(), stopped.clone());
                    tasks.push(tokio::spawn(async move {
                        let mut served = 0u32;
                        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                            let mut ready = streams.clone().ready().await.unwrap();
                            let (answer, _) = ready.send_request(request("/mock"), true).unwrap();
                            assert_eq!(answer.await.unwrap().status().as_u16(), 200);
                            served += 1;
                        }
                        served
                    }));
                }
                let mut served = 0;
                for task in tasks {
                    served += task.await.unwrap();
                }
                served
            })
        });
        std::thread::sleep(Duration::from_millis(100));
        // The least of the worst of three rounds: the machine's noise does not repeat, starvation does.
        let mut least = Duration::MAX;
        for _ in 0..3 {
            let mut worst = Duration::ZERO;
            for _ in 0..20 {
                let began = Instant::now();
                assert_eq!(gateway.get("/mock").status, 200);
                worst = worst.max(began.elapsed());
            }
            least = least.min(worst);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let served = busy.join().unwrap();
        assert!(served >= 200, "{driver:?}: the busy streams went on, {served} times");
        assert!(least < Duration::from_millis(100), "{driver:?}: a plain request took {least:?}");
    });
}

#[test]
fn a_flood_of_resets_ends_the_connection_calmly() {
    // CVE-2023-44487: open, reset, open again. The upstream is slow, so each would leave work behind.
    on_both(|driver| {
        let upstream = Upstream::scripted(std::sync::Arc::new(|_, stream, seen| {
            let _ = read_request(stream);
            let _ = seen.send("asked".into());
            std::thread::sleep(Duration::from_secs(2));
        }));
        let gateway = gateway(driver, |_| {}, &upstream.url("/"));
        let ended = call(async {
            let tcp = TcpStream::connect(gateway.address).await.unwrap();
            let (streams, connection) = h2::client::handshake(tcp).await.unwrap();
            let ended = tokio::spawn(connection);
            for _ in 0..5_000 {
                if ended.is_finished() {
                    break;
                }
                let Ok(mut ready) = streams.clone().ready().await else { break };
                let Ok((_, mut sending)) = ready.send_request(request("/slow"), true) else {
                    break;
                };
                tokio::task::yield_now().await;
                sending.send_reset(Reason::CANCEL);
            }
            ended.await.unwrap().expect_err("the gateway ends it")
        });
        // A flood in flight may turn the close into a reset of TCP, which takes the GOAWAY with it.
        let calm = ended.reason() == Some(Reason::ENHANCE_YOUR_CALM);
        assert!(calm || ended.is_io(), "{driver:?}: {ended:?}");
        let asked = upstream.seen.try_iter().count();
        assert!(asked <= 300, "{driver:?}: {asked} calls for streams that were given up");
        assert_eq!(gateway.get("/mock").status, 200);
        settles(&gateway, 0);
    });
}

#[test]
fn an_idle_connection_and_a_silent_one_end() {
    on_both(|driver| {
        let short = Duration::from_millis(300);
        let gateway = gateway(
            driver,
            |o| (o.limits.idle, o.limits.head) = (short, short),
            "http://127.0.0.1:9/",
        );
        call(async {
            let tcp = TcpStream::connect(gateway.address).await.unwrap();
            let (mut streams, connection) = h2::client::handshake(tcp).await.unwrap();
            let ended = tokio::spawn(connection);
            let (answer, _) = streams.send_request(request("/mock"), true).unwrap();
            assert_eq!(answer.await.unwrap().status().as_u16(), 200);
            let _ = ended.await;
        });
        // A preface, and never a SETTINGS; half a preface.
        for text in ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HT"] {
            let text = gateway.raw(text.as_bytes());
            assert!(!text.contains("HTTP/1.1 200"), "{driver:?}: {text:?}");
        }
        settles(&gateway, 0);
    });
}

#[test]
fn draining_lets_streams_under_way_end() {
    on_both(|driver| {
        let upstream = Upstream::scripted(std::sync::Arc::new(|_, stream, seen| {
            let _ = read_request(stream);
            let _ = seen.send("asked".into());
            std::thread::sleep(Duration::from_millis(1500));
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            let _ = std::io::Write::write_all(stream, answer);
        }));
        let gateway = gateway(driver, |_| {}, &upstream.url("/"));
        call(async {
            let tcp = TcpStream::connect(gateway.address).await.unwrap();
            let (mut streams, connection) = h2::client::handshake(tcp).await.unwrap();
            let ended = tokio::spawn(connection);
            let (answer, _) = streams.send_request(request("/slow"), true).unwrap();
            while upstream.seen.try_recv().is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            gateway.node().drain();
            assert_eq!(answer.await.unwrap().status().as_u16(), 200, "{driver:?}");
            // The connection ends by itself behind it.
            assert!(ended.await.unwrap().is_ok(), "{driver:?}");
        });
    });
}
