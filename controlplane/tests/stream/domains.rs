//! Custom domains reach every node, take effect at once and come back with everyone.

use std::net::{IpAddr, Ipv4Addr};

use tidegate_control::app::base_path_mappings::CreateBasePathMapping;
use tidegate_control::app::domain_names::{CreateDomainName, DomainNameAddress};
use tidegate_control::app::rest_apis::EndpointConfigurationInput;
use tidegate_control::app::{PatchOp, PatchOperation};
use tidegate_control::model::{DomainNameId, EndpointType};
use tidegate_engine::head::Head;
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::route::address::{self, Name};
use tidegate_engine::{Ctx, Listener, Now};

use crate::rig::{Control, Edge, config, eventually};

const fn at(name: &str) -> DomainNameAddress<'_> {
    DomainNameAddress { name, id: None }
}

impl Control {
    async fn domain(&self, name: &str, kind: EndpointType) -> Option<DomainNameId> {
        let arn = Some("arn:aws:acm:us-east-1:000000000000:certificate/a".to_owned());
        let input = CreateDomainName {
            domain_name: name.to_owned(),
            certificate_arn: arn.clone(),
            regional_certificate_arn: arn,
            endpoint_configuration: Some(EndpointConfigurationInput {
                types: Some(vec![kind]),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.app.create_domain_name(input).await.unwrap().domain_name_id
    }

    async fn map(&self, domain: &str, base_path: &str, api: &str, stage: &str) {
        let input = CreateBasePathMapping {
            base_path: Some(base_path.to_owned()),
            rest_api_id: api.to_owned(),
            stage: Some(stage.to_owned()),
        };
        self.app.create_base_path_mapping(at(domain), &input).await.unwrap();
    }
}

impl Edge {
    /// Where a request leads, as `{api} {stage} {rest of the path}`; empty when nowhere.
    fn leads(&self, host: &str, path: &str) -> String {
        let mut head = Head::default();
        head.path = head.push_bytes(path.as_bytes());
        head.authority = head.push_bytes(host.as_bytes());
        let (world, listener) = (self.publication.load(), Listener::default());
        let cx = Ctx {
            world: &world,
            listener: &listener,
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            now: Now { unix_ms: 0 },
            entropy: [0; 16],
            credentials: Credentials::NONE,
            patience: Ctx::UNHURRIED,
            scratch: &mut Vec::new(),
            trace: None,
        };
        let Ok(found) = address::find(&cx, &head) else { return String::new() };
        let (Name::Host(api) | Name::Exact(api)) = found.api;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let stage = found.stage.map_or_else(|| "-".to_owned(), text);
        let rest = text(&head.buf[found.from..head.path.range().end]);
        format!("{} {stage} {rest}", text(api))
    }

    async fn comes_to_lead(&self, host: &str, path: &str, want: &str) {
        eventually(&format!("{host}{path} leads to {want:?}"), || self.leads(host, path) == want)
            .await;
    }
}

fn replace(path: &str, value: &str) -> [PatchOperation; 1] {
    [PatchOperation {
        op: PatchOp::Replace,
        path: Some(path.into()),
        value: Some(value.into()),
        from: None,
    }]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mappings_take_effect_at_once_and_survive_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let (store, disk) = (directory.path().join("control"), directory.path().join("node"));
    let control = Control::start(&store).await;
    control.populate(&["a", "b"]).await;
    let node = Edge::start("n1", control.address, &disk);
    control.settled("n1").await;
    assert_eq!(node.leads("api.test", "/v1/x"), "");

    control.domain("api.test", EndpointType::Regional).await;
    control.map("api.test", "v1", "a", "prod").await;
    node.comes_to_lead("api.test", "/v1/x", "a prod /x").await;
    assert_eq!(node.leads("API.test:8443", "/v1"), "a prod ");
    assert_eq!(node.leads("api.test", "/v10"), "");
    control.map("api.test", "", "b", "").await;
    node.comes_to_lead("api.test", "/prod/b", "b - /prod/b").await;
    assert_eq!(node.leads("api.test", "/v1/x"), "a prod /x", "the longer base path wins");
    control.domain("*.test", EndpointType::Edge).await;
    control.map("*.test", "w", "b", "prod").await;
    node.comes_to_lead("other.test", "/w/b", "b prod /b").await;
    assert_eq!(node.leads("api.test", "/w/b"), "b - /w/b", "an exact name wins");

    let moved = replace("/restapiId", "b");
    control.app.update_base_path_mapping(at("api.test"), "v1", &moved).await.unwrap();
    node.comes_to_lead("api.test", "/v1/x", "b prod /x").await;
    // A node that comes later, one that comes back without a control plane, and a control plane that comes back.
    let late = Edge::with(config("n2", control.address));
    late.comes_to_lead("other.test", "/w", "b prod ").await;
    let address = control.address;
    control.settled("n1").await;
    node.stop().await;
    control.stop().await;
    let node = Edge::start("n1", address, &disk);
    node.comes_to_lead("api.test", "/v1/x", "b prod /x").await;
    let control = Control::start_on(&store, address).await;
    control.settled("n1").await;
    assert_eq!(node.leads("api.test", "/prod/b"), "b - /prod/b");

    control.app.delete_base_path_mapping(at("api.test"), "(none)").await.unwrap();
    node.comes_to_lead("api.test", "/prod/b", "").await;
    control.app.delete_domain_name(at("api.test")).await.unwrap();
    // The wildcard is next.
    node.comes_to_lead("api.test", "/w/b", "b prod /b").await;
    late.comes_to_lead("api.test", "/w/b", "b prod /b").await;
    control.settled("n1").await;
    assert!(node.agent.status().refusals.is_empty() && late.agent.status().refusals.is_empty());
    node.stop().await;
    late.stop().await;
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nodes_cannot_guard_they_do_not_serve() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    control.populate(&["a"]).await;
    let node = Edge::with(config("n1", control.address));
    control.domain("api.test", EndpointType::Regional).await;
    control.map("api.test", "", "a", "prod").await;
    node.comes_to_lead("api.test", "/x", "a prod /x").await;
    for (path, on, off) in [
        // Without a listener that asks for certificates, mutual TLS would admit everyone.
        ("/mutualTlsAuthentication/truststoreUri", "s3://bucket/key", ""),
        ("/routingMode", "ROUTING_RULE_ONLY", "BASE_PATH_MAPPING_ONLY"),
    ] {
        control.app.update_domain_name(at("api.test"), &replace(path, on)).await.unwrap();
        node.comes_to_lead("api.test", "/x", "").await;
        control.app.update_domain_name(at("api.test"), &replace(path, off)).await.unwrap();
        node.comes_to_lead("api.test", "/x", "a prod /x").await;
    }
    // A private domain is no business of callers from outside, whatever its name.
    let id = control.domain("private.test", EndpointType::Private).await.unwrap();
    control.settled("n1").await;
    assert_eq!(node.leads("private.test", "/x"), "");
    assert_eq!(node.leads(&format!("private.test+{id}"), "/x"), "");
    assert!(node.agent.status().refusals.is_empty());
    node.stop().await;
    control.stop().await;
}
