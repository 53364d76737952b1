//! What idle connections cost: the node as a process of its own, a thousand keep-alive connections that served one request each.
//!
//! Source: design.md section 7 (at most 2 KiB of anonymous memory each); the release build is held to it in CI.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use support::{Upstream, bundle, http_proxy, objects, request, resource};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Connections measured, and those opened before so that pools and tables have grown.
const MEASURED: usize = 1_000;
const WARM: usize = 200;

/// A node process. It is killed when dropped.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(objects: &std::path::Path, driver: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidegate-node"))
            .args(["--objects", objects.to_str().unwrap()])
            .args(["--http", "127.0.0.1:0", "--node-admin", "127.0.0.1:0"])
            .args(["--workers", "1", "--allow-loopback", "--driver", driver])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_once("http=http://").unwrap().1;
        let address = address.split_whitespace().next().unwrap().parse().unwrap();
        Self { child, address }
    }

    /// Anonymous memory in bytes.
    fn anonymous(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// A connection that has served one request and stays open.
    fn served(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(request("GET", "/x", "", "").as_bytes()).unwrap();
        let mut got = Vec::new();
        let mut buf = [0; 1024];
        while !got.ends_with(b"\r\n\r\nok") {
            let read = stream.read(&mut buf).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&got));
            got.extend_from_slice(&buf[..read]);
        }
        stream
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_connection_that_served_a_request_and_rests_costs_two_kibibytes_at_most() {
    let upstream = Upstream::answering(OK);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("objects");
    let proxy = http_proxy(&upstream.url("/"), &[]);
    objects(&bundle(vec![resource("/{p+}", "ANY", proxy)])).write(&file).unwrap();
    for driver in ["io_uring", "epoll"] {
        let node = Process::start(&file, driver);
        let mut held: Vec<TcpStream> = (0..WARM).map(|_| node.served()).collect();
        let before = node.anonymous();
        held.extend((0..MEASURED).map(|_| node.served()));
        let each = node.anonymous().saturating_sub(before) / MEASURED as u64;
        assert!(each <= 2 * 1024, "{driver}: {each} bytes for each of {} connections", held.len());
        // They are all alive still.
        let mut last = held.swap_remove(0);
        last.write_all(request("GET", "/x", "Connection: close\r\n", "").as_bytes()).unwrap();
        let mut text = String::new();
        last.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{driver}: {text}");
    }
}
