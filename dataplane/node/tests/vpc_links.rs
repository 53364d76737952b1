//! VPC links over real sockets: targets take turns, one that dies is left out, and no request fails for it.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use support::{
    Answer, Gateway, Options, bundle, http_proxy, objects, on_both, read_request, request, resource,
};
use tidegate_node::builder::ObjectSet;
use tidegate_node::upstream::AddressPolicy;
use tidegate_proto::v1;

/// A target that answers with its name, and can die: its listener and all its connections go.
struct Target {
    address: SocketAddr,
    dead: Arc<AtomicBool>,
}

impl Target {
    fn named(name: &'static str) -> Self {
        Self::listening(TcpListener::bind("127.0.0.1:0").unwrap(), name)
    }

    fn listening(listener: TcpListener, name: &'static str) -> Self {
        let address = listener.local_addr().unwrap();
        let dead = Arc::new(AtomicBool::new(false));
        let dying = dead.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if dying.load(Ordering::SeqCst) {
                    return;
                }
                let dying = dying.clone();
                std::thread::spawn(move || serve(stream, name, &dying));
            }
        });
        Self { address, dead }
    }

    fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        // Wakes the listener, which then goes.
        let _ = TcpStream::connect(self.address).and_then(|mut s| s.read(&mut [0]));
        while TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }
}

fn serve(mut stream: TcpStream, name: &str, dying: &AtomicBool) {
    while let Some(request) = read_request(&mut stream) {
        if dying.load(Ordering::SeqCst) {
            return;
        }
        let host = request.lines().find(|line| line.starts_with("Host: ")).unwrap_or_default();
        let body = format!("{name} {host}");
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// An API whose one method goes through link `abc123`, and the link.
fn linked(targets: &[SocketAddr]) -> ObjectSet {
    let proxy = v1::Integration {
        connection_type: "VPC_LINK".into(),
        connection_id: "abc123".into(),
        ..http_proxy("http://orders.internal:9/in", &[])
    };
    let mapped = v1::Integration {
        r#type: v1::IntegrationType::Http.into(),
        http_method: "POST".into(),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            ..Default::default()
        }],
        ..proxy.clone()
    };
    let set =
        objects(&bundle(vec![resource("/in", "ANY", proxy), resource("/map", "POST", mapped)]));
    with_link(set, targets)
}

fn with_link(mut set: ObjectSet, targets: &[SocketAddr]) -> ObjectSet {
    let targets = targets.iter().map(ToString::to_string).collect();
    let link = v1::VpcLink { id: "abc123".into(), targets };
    let kind = Some(v1::object::Kind::VpcLink(link));
    set.objects.push(v1::Object { key: "vpc-link/abc123".into(), kind });
    set
}

/// Which targets answered so many requests on one connection, in order. Every one has to be answered.
fn ask(gateway: &Gateway, method: &str, path: &str, count: usize) -> Vec<String> {
    let (fields, body) = if method == "GET" { ("", "") } else { ("Content-Length: 1\r\n", "x") };
    let one = request(method, path, fields, body);
    let last = request(method, path, &format!("{fields}Connection: close\r\n"), body);
    let all = one.repeat(count - 1) + &last;
    let answers = Answer::all(&gateway.raw(all.as_bytes()));
    assert_eq!(answers.len(), count);
    let named = answers.into_iter().map(|answer| {
        assert_eq!(answer.status, 200, "{answer:?}");
        let (name, host) = answer.body.split_once(' ').unwrap();
        assert_eq!(host, "Host: orders.internal:9");
        name.to_owned()
    });
    named.collect()
}

#[test]
fn targets_take_turns_and_are_called_by_the_name_of_the_uri() {
    on_both(|driver| {
        let (a, b) = (Target::named("a"), Target::named("b"));
        let gateway = Gateway::serving(Options::on(driver), linked(&[a.address, b.address]));
        assert_eq!(ask(&gateway, "PUT", "/in", 4), ["a", "b", "a", "b"]);
        assert_eq!(ask(&gateway, "POST", "/map", 2).len(), 2, "HTTP as well");
    });
}

#[test]
fn no_request_fails_while_one_of_two_targets_dies_and_comes_back() {
    on_both(|driver| {
        let (a, b) = (Target::named("a"), Target::named("b"));
        let gateway = Gateway::serving(Options::on(driver), linked(&[a.address, b.address]));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let callers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut names = Vec::new();
                        while !done.load(Ordering::SeqCst) {
                            names.extend(ask(&gateway, "GET", "/in", 20));
                        }
                        names
                    })
                })
                .collect();
            a.die();
            // What is answered from now on comes from the other one alone.
            assert!(ask(&gateway, "GET", "/in", 20).iter().all(|name| name == "b"));
            assert!(ask(&gateway, "POST", "/map", 20).iter().all(|name| name == "b"));
            let again = Target::listening(TcpListener::bind(a.address).unwrap(), "a");
            // It is tried again when its time is over, and takes its turns.
            while !ask(&gateway, "GET", "/in", 4).contains(&"a".to_owned()) {
                std::thread::yield_now();
            }
            done.store(true, Ordering::SeqCst);
            let names = callers.into_iter().flat_map(|caller| caller.join().unwrap());
            assert!(names.filter(|name| name == "b").count() > 0);
            again.die();
        });
    });
}

#[test]
fn where_all_targets_are_dead_the_caller_gets_504_and_they_are_tried_all_the_same() {
    on_both(|driver| {
        let a = Target::named("a");
        let gateway = Gateway::serving(Options::on(driver), linked(&[a.address]));
        assert_eq!(ask(&gateway, "PUT", "/in", 1), ["a"]);
        a.die();
        for _ in 0..2 {
            assert_eq!(gateway.get("/in").status, 504);
        }
        let again = Target::listening(TcpListener::bind(a.address).unwrap(), "again");
        assert_eq!(ask(&gateway, "PUT", "/in", 1), ["again"], "though its time is not over");
        again.die();
    });
}

#[test]
fn a_change_of_targets_is_served_at_once_and_none_is_a_configuration_error() {
    on_both(|driver| {
        let (a, b) = (Target::named("a"), Target::named("b"));
        let gateway = Gateway::serving(Options::on(driver), linked(&[a.address]));
        assert_eq!(ask(&gateway, "PUT", "/in", 2), ["a", "a"]);
        let publish = |targets: &[SocketAddr]| {
            assert_eq!(linked(targets).publish(&gateway.publication), []);
        };
        publish(&[b.address]);
        assert_eq!(ask(&gateway, "PUT", "/in", 2), ["b", "b"]);
        publish(&[]);
        let answer = gateway.get("/in");
        assert_eq!(
            (answer.status, &*answer.body),
            (500, r#"{"message": "Internal server error"}"#)
        );
        assert_eq!(answer.field("x-amzn-errortype"), Some("InternalServerErrorException"));
    });
}

#[test]
fn targets_on_this_machine_need_the_operators_leave_and_metadata_is_never_called() {
    on_both(|driver| {
        let a = Target::named("a");
        let options = Options { policy: AddressPolicy::default(), ..Options::on(driver) };
        let metadata = SocketAddr::from(([169, 254, 169, 254], 80));
        let gateway = Gateway::serving(options, linked(&[a.address, metadata]));
        for _ in 0..2 {
            assert_eq!(gateway.get("/in").status, 500);
        }
    });
}
