//! Who may call Management where certificates are shown.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tidegate_control::grpc::management::{Management, Operators};
use tidegate_control::grpc::{Grpc, GrpcConfig, GrpcTls};
use tidegate_control::publish::Publisher;
use tidegate_proto::v1;
use tidegate_proto::v1::management_client::ManagementClient;
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::rig::assert_refused;
use crate::support;

struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate and its key, PEM.
    fn issue(&self, names: &[&str], common_name: Option<&str>) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// A port with mutual TLS; gives its address.
async fn serve(directory: &Path, ca: &Ca, operators: &[&str]) -> String {
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (certificate, key) = ca.issue(&["localhost"], None);
    let tls = GrpcTls {
        certificate: file("c.pem", &certificate),
        key: file("k.pem", &key),
        client_ca: Some(file("ca.pem", &ca.0.pem())),
    };
    let app = Arc::new(support::app(directory));
    let publisher = Publisher::open(app.store().clone(), app.settings()).await.unwrap();
    let config = GrpcConfig { tls: Some(tls), ..GrpcConfig::plain(([127, 0, 0, 1], 0).into()) };
    let grpc = Grpc::bind(&config).await.unwrap();
    let address = format!("https://{}", grpc.address());
    let operators: Vec<String> = operators.iter().map(|name| (*name).to_owned()).collect();
    let management = Management::new(app, publisher.nodes.clone());
    let management = management.with_operators(Operators::new(&operators)).into_server();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let router = grpc.router(publisher, stopped.clone()).await.unwrap().add_service(management);
    tokio::spawn(async move {
        let _stop = stop;
        grpc.serve(router, stopped).await
    });
    address
}

async fn connect(address: &str, ca: &Ca, (certificate, key): (String, String)) -> Channel {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(ca.0.pem()))
        .identity(Identity::from_pem(certificate, key))
        .domain_name("localhost");
    let endpoint = Channel::from_shared(address.to_owned()).unwrap().tls_config(tls).unwrap();
    endpoint.connect().await.unwrap()
}

#[tokio::test]
async fn only_named_certificates_may_manage() {
    let directory = tempfile::tempdir().unwrap();
    let ca = Ca::new();
    let address = serve(directory.path(), &ca, &["ops.example", "Ann Operator"]).await;
    for (names, common_name, may) in [
        (&["ops.example"][..], None, true),
        (&["x.example", "OPS.example"], Some("node"), true),
        (&[], Some("Ann Operator"), true),
        (&["node-1.example"], Some("node-1"), false),
        (&["ops.example.evil"], None, false),
        (&["*.example"], None, false),
        (&[], None, false),
    ] {
        let channel = connect(&address, &ca, ca.issue(names, common_name)).await;
        // Everybody whose certificate is signed may look whether it lives.
        let health = HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await;
        assert!(health.is_ok(), "{health:?}");
        let called = ManagementClient::new(channel).list_nodes(v1::ListNodesRequest {}).await;
        if may {
            assert!(called.is_ok(), "{names:?} {common_name:?}: {called:?}");
        } else {
            let told = called.as_ref().unwrap_err().message().to_owned();
            assert!(told.contains("--grpc-operator"), "{told}");
            assert_refused(called, Code::PermissionDenied, "AccessDeniedException");
        }
    }
}

/// The operator's command line shows its certificate as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_shows_a_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let ca = Ca::new();
    let address = serve(directory.path(), &ca, &["ops.example"]).await;
    let url = address.replace("127.0.0.1", "localhost");
    let ran = |names: &[&str], with_ca: bool| {
        let (certificate, key) = ca.issue(names, None);
        let (cert_file, key_file) =
            (directory.path().join("o.pem"), directory.path().join("o.key"));
        std::fs::write(&cert_file, certificate).unwrap();
        std::fs::write(&key_file, key).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(["keys", "list", "--control", &url]);
        command.arg("--control-cert").arg(cert_file).arg("--control-key").arg(key_file);
        if with_ca {
            command.arg("--control-ca").arg(directory.path().join("ca.pem"));
        }
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(ran(&["ops.example"], true), (true, String::new()));
    let (may, told) = ran(&["node-1"], true);
    assert!(!may && told.contains("--grpc-operator"), "{told}");
    let (may, told) = ran(&["ops.example"], false);
    assert!(!may && told.contains("--control-ca"), "{told}");
}

#[tokio::test]
async fn without_names_every_certificate_may_manage() {
    let directory = tempfile::tempdir().unwrap();
    let ca = Ca::new();
    let address = serve(directory.path(), &ca, &[]).await;
    let channel = connect(&address, &ca, ca.issue(&["node-1"], None)).await;
    assert!(ManagementClient::new(channel).list_nodes(v1::ListNodesRequest {}).await.is_ok());
}
