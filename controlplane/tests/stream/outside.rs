//! A node as operators and control planes see it: health, metrics, questions, certificates.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tidegate_control::grpc::{Grpc, GrpcConfig, GrpcError, GrpcTls};
use tidegate_control::publish::PeerError;
use tidegate_node::agent::{AgentConfig, ControlPlane, TlsFiles};
use tidegate_proto::v1;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Control, Edge, config, eventually};

/// One request to a node's admin port: the status and the body.
async fn get(node: &Edge, path: &str) -> (u16, String) {
    let mut stream =
        tokio::net::TcpStream::connect(node.agent.admin_addr().unwrap()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: n\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

async fn health(node: &Edge) -> (u16, serde_json::Value) {
    let (status, body) = get(node, "/_tidegate/health").await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_metrics_say_what_serves() {
    let directory = tempfile::tempdir().unwrap();
    let nobody = "127.0.0.1:1".parse().unwrap();
    let admin = Some("127.0.0.1:0".parse().unwrap());
    let node = Edge::with(AgentConfig { admin, driver: "test".into(), ..config("n1", nobody) });
    eventually("the way is tried", || node.agent.status().control_plane.unwrap().error.is_some())
        .await;
    let (status, body) = health(&node).await;
    assert_eq!((status, &body["status"]), (503, &"starting".into()));
    assert_eq!(body["control_plane"]["state"], "disconnected");
    assert!(body["control_plane"]["since_ms"].as_u64().unwrap() > 0 && body["revision"].is_null());
    node.stop().await;

    let control = Control::start(directory.path()).await;
    control.populate(&["a", "b"]).await;
    let node =
        Edge::with(AgentConfig { admin, driver: "test".into(), ..config("n1", control.address) });
    let head = control.settled("n1").await.revision.unwrap();
    let (status, body) = health(&node).await;
    assert_eq!(
        (status, body),
        (
            200,
            serde_json::json!({
                "status": "serving", "node": "n1", "apis": 2, "refusals": [], "driver": "test",
                "revision": { "epoch": head.epoch, "sequence": head.sequence },
                "control_plane": {
                    "state": "connected", "error": null,
                    "since_ms": node.agent.status().control_plane.unwrap().since_ms,
                },
            })
        )
    );
    for path in ["/metrics", "/_tidegate/metrics"] {
        let (status, text) = get(&node, path).await;
        assert_eq!(status, 200);
        assert!(text.contains(&format!("gateway_snapshot_revision {}\n", head.sequence)), "{text}");
        assert!(text.contains("gateway_control_plane_connected 1\n"), "{text}");
        assert!(text.contains("# TYPE gateway_snapshot_rejected_total counter\n"), "{text}");
    }
    assert_eq!(get(&node, "/").await.0, 404);
    node.agent.drain();
    let (status, body) = health(&node).await;
    assert_eq!((status, &body["status"]), (503, &"draining".into()));
    node.stop().await;
    control.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_asked_and_may_refuse() {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::start(directory.path()).await;
    let peers = control.publisher.peers.clone();
    let request = || v1::HttpRequest { method: "GET".into(), ..Default::default() };
    assert_eq!(peers.explain("n1", request()).await, Err(PeerError::NotConnected("n1".into())));

    let node = Edge::with(config("n1", control.address));
    let mut told = peers.explain("n1", request()).await;
    while matches!(told, Err(PeerError::NotConnected(_))) {
        tokio::task::yield_now().await;
        told = peers.explain("n1", request()).await;
    }
    assert_eq!(told, Err(PeerError::Refused("this node does not explain".into())));
    node.stop().await;
    eventually("it is gone", || control.publisher.nodes.connected() == 0).await;

    let explain: tidegate_node::agent::Explain = Arc::new(|_, request| match &*request.method {
        "PANIC" => panic!("asked to"),
        method => Ok(v1::Explained {
            phases: vec![v1::Phase { name: method.into(), ..Default::default() }],
            ..Default::default()
        }),
    });
    let node = Edge::with(AgentConfig { explain: Some(explain), ..config("n2", control.address) });
    let mut told = peers.explain("n2", request()).await;
    while told.is_err() {
        tokio::task::yield_now().await;
        told = peers.explain("n2", request()).await;
    }
    assert_eq!(told.unwrap().phases[0].name, "GET");
    let panics = v1::HttpRequest { method: "PANIC".into(), ..Default::default() };
    assert!(matches!(peers.explain("n2", panics).await, Err(PeerError::Refused(_))));
    assert!(peers.explain("n2", request()).await.is_ok(), "and lives on");
    node.stop().await;
    control.stop().await;
}

struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes a certificate for `localhost` and its key; gives their paths.
    fn issue(&self, directory: &Path, name: &str) -> (std::path::PathBuf, std::path::PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let paths = (directory.join(format!("{name}.pem")), directory.join(format!("{name}.key")));
        std::fs::write(&paths.0, certificate.pem()).unwrap();
        std::fs::write(&paths.1, key.serialize_pem()).unwrap();
        paths
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_nodes_with_a_certificate_get_objects() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, foreign) = (Ca::new(), Ca::new());
    let ca = directory.path().join("ca.pem");
    std::fs::write(&ca, ours.0.pem()).unwrap();
    let (certificate, key) = ours.issue(directory.path(), "control");
    let tls = GrpcTls { certificate, key, client_ca: Some(ca.clone()) };
    let address = "127.0.0.1:0".parse().unwrap();
    let settings = GrpcConfig { tls: Some(tls), ..GrpcConfig::plain(address) };
    let control = Control::start_with(&directory.path().join("store"), settings).await;
    control.populate(&["a"]).await;

    let node = |name: &str, identity| {
        let files =
            TlsFiles { ca: ca.clone(), identity, server_name: Some("localhost".to_owned()) };
        let url = format!("https://{}", control.address);
        let control_plane = ControlPlane { url, tls: Some(files) };
        Edge::with(AgentConfig { control: Some(control_plane), ..config(name, control.address) })
    };
    let good = node("good", Some(ours.issue(directory.path(), "node")));
    good.serves("a", "/a").await;
    for (name, identity) in
        [("none", None), ("foreign", Some(foreign.issue(directory.path(), "foreign")))]
    {
        let bad = node(name, identity);
        eventually("it is turned away", || {
            bad.agent.status().control_plane.unwrap().error.is_some()
        })
        .await;
        assert!(!bad.agent.status().ready && control.publisher.nodes.node(name).is_none());
        bad.stop().await;
    }
    good.stop().await;
    control.stop().await;
}

#[tokio::test]
async fn plaintext_off_loopback_has_to_be_asked_for() {
    let everywhere = GrpcConfig::plain("0.0.0.0:0".parse().unwrap());
    assert!(matches!(Grpc::bind(&everywhere).await, Err(GrpcError::Plaintext(_))));
    assert!(Grpc::bind(&GrpcConfig { insecure: true, ..everywhere }).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_resolved_for_workers() {
    let node = Edge::with(config("n1", "127.0.0.1:1".parse().unwrap()));
    let resolver = node.agent.resolver();
    let ask = |host: &str| {
        let (sender, answer) = tokio::sync::oneshot::channel();
        resolver.resolve(host, Box::new(move |found| drop(sender.send(found))));
        answer
    };
    let found = ask("localhost").await.unwrap().unwrap();
    assert!(found.iter().all(|address| address.is_loopback()) && !found.is_empty(), "{found:?}");
    assert!(ask("no-such-name.invalid").await.unwrap().is_err());
    node.stop().await;
}
