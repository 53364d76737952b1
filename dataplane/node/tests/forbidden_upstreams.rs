//! Addresses that an API must not make its node call (SSRF): this machine, its link, and the metadata services of clouds, however they
//! are spelled, unless the operator allows them.
//!
//! Source: reliability goals, "server-side request forgery"; the rule itself is the engine's `integration::guard`.

mod support;

use support::{
    API, Answer, Gateway, Options, Upstream, http_proxy, objects, on_both, request, resource,
};
use tidegate_engine::integration::guard::AddressPolicy;
use tidegate_proto::v1;

/// This machine. Each is a host that an integration's URI may have.
const HERE: [&str; 11] = [
    "127.0.0.1",
    "127.1.2.3",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0",
    "localhost",
    "upstream.test",
    "[::1]",
    "[::ffff:127.0.0.1]",
];

/// Where clouds keep what their machines may do.
const METADATA: [&str; 8] = [
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "metadata.test",
    "[::ffff:a9fe:a9fe]",
    "[fd00:ec2::254]",
    "100.100.100.200",
];

/// A node that may call no address of its own machine.
fn guarded(driver: tidegate_node::rt::Driver) -> Options {
    Options { policy: AddressPolicy::default(), ..Options::on(driver) }
}

#[test]
fn every_spelling_is_refused_and_nothing_is_dialled() {
    on_both(|driver| {
        let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let port = upstream.address.port();
        let hosts: Vec<&str> = HERE.iter().chain(&METADATA).copied().collect();
        let resources = hosts.iter().enumerate().map(|(at, host)| {
            resource(&format!("/{at}"), "ANY", http_proxy(&format!("http://{host}:{port}/"), &[]))
        });
        let gateway = Gateway::with(guarded(driver), resources.collect());
        for (at, host) in hosts.iter().enumerate() {
            let answer = gateway.get(&format!("/{at}"));
            assert_eq!(answer.status, 500, "{host}");
            assert_eq!(answer.body, r#"{"message": "Internal server error"}"#, "{host}");
        }
        upstream.saw_nothing();
    });
}

#[test]
fn a_stage_variable_is_no_way_around() {
    on_both(|driver| {
        let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let port = upstream.address.port();
        let uri = "http://${stageVariables.host}/";
        let bundle = support::bundle(vec![resource("/x", "ANY", http_proxy(uri, &[]))]);
        for host in ["127.0.0.1", "2130706433", "localhost", "user@127.0.0.1"] {
            let mut set = objects(&bundle);
            let variables = support::pairs(&[("host", &format!("{host}:{port}"))]);
            let binding = v1::Binding {
                api_id: API.into(),
                stage: "var".into(),
                deployment_id: "dep001".into(),
                variables,
                ..Default::default()
            };
            set = set.stage(binding, &bundle);
            let gateway = Gateway::serving(guarded(driver), set);
            let asked =
                request("GET", "/x", "Connection: close\r\n", "").replace("/prod/", "/var/");
            assert_eq!(Answer::parse(&gateway.raw(asked.as_bytes())).status, 500, "{host}");
            upstream.saw_nothing();
        }
    });
}

#[test]
fn what_the_operator_allows_is_called_in_every_spelling() {
    on_both(|driver| {
        let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let port = upstream.address.port();
        let hosts = ["127.0.0.1", "127.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"];
        let resources = hosts.iter().enumerate().map(|(at, host)| {
            resource(&format!("/{at}"), "ANY", http_proxy(&format!("http://{host}:{port}/"), &[]))
        });
        let policy = AddressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap()] };
        let gateway = Gateway::with(Options { policy, ..guarded(driver) }, resources.collect());
        for (at, host) in hosts.iter().enumerate() {
            assert_eq!(gateway.get(&format!("/{at}")).status, 200, "{host}");
            upstream.next();
        }
    });
}

#[test]
fn a_redirect_is_the_callers_to_follow() {
    on_both(|driver| {
        let answer = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n";
        let upstream = Upstream::answering(answer);
        let resources = vec![resource("/x", "ANY", http_proxy(&upstream.url("/"), &[]))];
        let gateway = Gateway::start(driver, resources);
        let answer = gateway.get("/x");
        assert_eq!(answer.status, 302);
        assert_eq!(answer.field("location"), Some("http://169.254.169.254/latest/"));
        upstream.next();
        upstream.saw_nothing();
    });
}
