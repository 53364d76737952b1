//! Integrations through VPC links: the URI names, the link leads, and a link that leads nowhere says so.
#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

mod support;

use tidegate_engine::explain::Trace;
use tidegate_engine::head::Head;
use tidegate_engine::snapshot::{Revision, targets};
use tidegate_engine::{Reply, Step};
use tidegate_proto::v1;

use support::{Driver, HOST, Stage, head, http_proxy, link, resource};

fn linked(id: &str) -> v1::Integration {
    v1::Integration {
        connection_type: "VPC_LINK".into(),
        connection_id: id.into(),
        ..http_proxy("http://orders.internal/in", &[])
    }
}

/// A driver whose world knows a link.
fn driver(resources: Vec<v1::Resource>, variables: Vec<(&'static str, &'static str)>) -> Driver {
    let stage = Stage { variables, ..Stage::of(resources) };
    let mut driver = Driver::serving(v1::Api::default(), vec![stage], &[]);
    let mut edit = driver.world.edit();
    let named = v1::VpcLink { id: "abc123".into(), targets: vec!["10.0.0.1:8080".into()] };
    edit.set_vpc_link("abc123", targets(&named).unwrap());
    edit.set_vpc_link("empty1", targets(&v1::VpcLink::default()).unwrap());
    driver.world = edit.finish(Revision { epoch: 1, sequence: 2 });
    driver
}

#[test]
fn the_uri_is_the_host_header_and_the_link_says_where_to() {
    let by_variable = linked("${stageVariables.link}");
    let resources =
        vec![resource("/id", "GET", linked("abc123")), resource("/v", "GET", by_variable)];
    let mut driver = driver(resources, vec![("link", "abc123")]);
    for path in ["/prod/id", "/prod/v"] {
        let head = get(path);
        let Step::Relay(relay) = driver.step(&head) else { panic!("{path}") };
        let upstream = relay.upstream(&driver.world).clone();
        let fields = String::from_utf8(relay.request.fields.of(&driver.scratch).to_vec()).unwrap();
        assert!(fields.starts_with("Host: orders.internal\r\n"), "{fields}");
        let found = driver.world.targets(&upstream).expect("it is behind a link");
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1:8080"]);
    }
}

#[test]
fn a_link_without_targets_is_a_configuration_error_that_is_explained() {
    let mapped = v1::Integration {
        r#type: v1::IntegrationType::Http.into(),
        http_method: "GET".into(),
        responses: vec![v1::IntegrationResponse {
            status_code: "200".into(),
            ..Default::default()
        }],
        ..linked("empty1")
    };
    let resources = vec![
        resource("/unknown", "GET", linked("zzz999")),
        resource("/empty", "GET", linked("empty1")),
        resource("/mapped", "GET", mapped),
        resource("/variable", "GET", linked("${stageVariables.none}")),
    ];
    let mut driver = driver(resources, Vec::new());
    for path in ["/prod/unknown", "/prod/empty", "/prod/mapped", "/prod/variable"] {
        driver.trace = Some(Trace::default());
        let ran = driver.runs(&get(path), b"", Ok(Reply::of(200, Vec::new())));
        assert!(ran.called.is_none(), "{path}");
        assert_eq!(
            (ran.answer.status, ran.answer.failure),
            (500, Some("API_CONFIGURATION_ERROR")),
            "{path}"
        );
        assert_eq!(ran.answer.body, r#"{"message": "Internal server error"}"#, "{path}");
        let told = format!("{:?}", driver.trace.take().unwrap().phases);
        let why = if path.ends_with("variable") {
            "no VPC link"
        } else {
            "does not exist or has no targets"
        };
        assert!(told.contains(why), "{path}: {told}");
    }
}

#[test]
fn a_link_that_is_none_is_refused_when_deployed() {
    for (integration, why) in [
        (linked(""), "there is no connectionId"),
        (v1::Integration { connection_type: "TUNNEL".into(), ..linked("x") }, "no connection type"),
    ] {
        let stage = Stage::of(vec![resource("/x", "GET", integration)]);
        let refused = link(&stage.bundle, &[]).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

fn get(path: &str) -> Head {
    head(&format!("GET {path}"), &[("Host", HOST)])
}
