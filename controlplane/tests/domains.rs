//! A custom domain with the real binaries: callers reach an API by its name and base path, also after a restart.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "the command line's tests use the rest of `up`")]

mod up;

use rustix::process::Signal;
use tidegate_proto::v1;
use tidegate_proto::v1::management_client::ManagementClient;
use tokio::runtime::Runtime;
use tonic::transport::Channel;
use up::{Options, Up, document, wait_for};

const DOMAIN: &str = "api.example.test";

/// A client of a running control plane.
struct Admin {
    runtime: Runtime,
    rpc: ManagementClient<Channel>,
}

impl Admin {
    fn of(up: &Up) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = format!("http://{}", up.address("grpc"));
        let rpc = runtime.block_on(ManagementClient::connect(url)).unwrap();
        Self { runtime, rpc }
    }

    fn create_domain(&mut self) {
        let domain = v1::DomainName {
            domain_name: DOMAIN.to_owned(),
            regional_certificate_arn: "arn:aws:acm:us-east-1:0:certificate/a".to_owned(),
            endpoint_types: vec!["REGIONAL".to_owned()],
            ..Default::default()
        };
        let request =
            v1::CreateDomainNameRequest { domain_name: Some(domain), ..Default::default() };
        self.runtime.block_on(self.rpc.create_domain_name(request)).unwrap();
    }

    fn map(&mut self, base_path: &str, api: &str, stage: &str) {
        let mapping = v1::DomainNameMapping {
            base_path: base_path.to_owned(),
            rest_api_id: api.to_owned(),
            stage: stage.to_owned(),
        };
        let request =
            v1::CreateBasePathMappingRequest { address: Some(address()), mapping: Some(mapping) };
        self.runtime.block_on(self.rpc.create_base_path_mapping(request)).unwrap();
    }

    fn unmap(&mut self, base_path: &str) {
        let request = v1::BasePathMappingAddress {
            domain_name: Some(address()),
            base_path: base_path.to_owned(),
        };
        self.runtime.block_on(self.rpc.delete_base_path_mapping(request)).unwrap();
    }
}

fn address() -> v1::DomainNameAddress {
    v1::DomainNameAddress { domain_name: DOMAIN.to_owned(), domain_name_id: String::new() }
}

#[test]
fn callers_reach_an_api_by_its_domain_and_base_path() {
    let origin = up::origin("from the origin");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("api.json");
    std::fs::write(&file, document("zoo", &origin, &["/pets"])).unwrap();
    let up = Up::start(&directory, &Options { import: Some(&file), ..Options::default() });
    let apis = up.tidegate(&["apis", "--output", "json"]).json();
    let api = apis[0]["id"].as_str().unwrap().to_owned();
    let mut admin = Admin::of(&up);
    assert_eq!(up.get(DOMAIN, "/v1/pets").0, 403, "nobody's name");

    admin.create_domain();
    admin.map("v1", &api, "prod");
    wait_for("the base path", || up.get(DOMAIN, "/v1/pets") == (200, "from the origin".to_owned()));
    assert_eq!(up.get("API.example.test:8080", "/v1/health").0, 200);
    assert_eq!(up.get(DOMAIN, "/v1/nothing").0, 403);
    assert_eq!(up.get(DOMAIN, "/prod/pets").0, 403, "no mapping has the root");
    admin.map("", &api, "");
    wait_for("the root", || up.get(DOMAIN, "/prod/pets").0 == 200);
    admin.unmap("v1");
    wait_for("the end of the base path", || up.get(DOMAIN, "/v1/pets").0 == 403);

    // An open gRPC connection would be waited for.
    drop(admin);
    assert!(up.stop(Signal::TERM).success());
    let up = Up::start(&directory, &Options::default());
    wait_for("the root again", || up.get(DOMAIN, "/prod/pets").0 == 200);
    assert_eq!(up.get(DOMAIN, "/v1/pets").0, 403);
}
