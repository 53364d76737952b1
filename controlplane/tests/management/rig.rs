//! What the tests hold on to: the management service in process, and a client.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_control::grpc::management::{ERROR, Management, REQUEST_ID};
use tidegate_control::grpc::{Grpc, GrpcConfig};
use tidegate_control::publish::Publisher;
use tidegate_proto::v1;
use tidegate_proto::v1::management_client::ManagementClient;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::support;

/// A running service and a client for it.
pub struct Service {
    pub rpc: ManagementClient<Channel>,
    pub channel: Channel,
    _stop: tokio::sync::watch::Sender<bool>,
    _directory: tempfile::TempDir,
}

pub async fn service() -> Service {
    let directory = tempfile::tempdir().unwrap();
    let app = Arc::new(support::app(directory.path()));
    let publisher = Publisher::open(app.store().clone(), app.settings()).await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let grpc = Grpc::bind(&GrpcConfig::plain(([127, 0, 0, 1], 0).into())).await.unwrap();
    let address = grpc.address();
    let management = Management::new(app, publisher.nodes.clone()).into_server();
    let router = grpc.router(publisher, stopped.clone()).await.unwrap().add_service(management);
    tokio::spawn(grpc.serve(router, stopped));
    let channel =
        Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let rpc = ManagementClient::new(channel.clone());
    Service { rpc, channel, _stop: stop, _directory: directory }
}

pub fn replace(path: &str, value: &str) -> Vec<v1::PatchOperation> {
    vec![v1::PatchOperation {
        op: "replace".to_owned(),
        path: path.to_owned(),
        value: Some(value.to_owned()),
        from: None,
    }]
}

pub fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A call's answer without its envelope.
macro_rules! call {
    ($service:ident.$call:ident($request:expr)) => {
        $service.rpc.$call($request).await.map(tonic::Response::into_inner)
    };
}
pub(crate) use call;

pub fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, name: &str) {
    let status = answer.unwrap_err();
    let named = status.metadata().get(ERROR).unwrap().to_str().unwrap();
    assert_eq!((status.code(), named), (code, name), "{}", status.message());
    assert_eq!(status.metadata().get(REQUEST_ID).unwrap().len(), 36);
}

/// An API with `GET /pets/{id}` to an upstream, and its id and resource's.
pub async fn pets(service: &mut Service) -> (String, String) {
    let api = v1::RestApi { name: "pets".to_owned(), ..v1::RestApi::default() };
    let request = v1::CreateRestApiRequest { rest_api: Some(api), ..Default::default() };
    let api = call!(service.create_rest_api(request)).unwrap();
    let mut parent = api.root_resource_id.clone();
    for part in ["pets", "{id}"] {
        let request = v1::CreateResourceRequest {
            rest_api_id: api.id.clone(),
            parent_id: parent,
            path_part: part.to_owned(),
        };
        parent = call!(service.create_resource(request)).unwrap().id;
    }
    let method = v1::RestMethod {
        authorization_type: "none".to_owned(),
        request_parameters: BTreeMap::from([("method.request.path.id".to_owned(), true)]),
        ..Default::default()
    };
    let request = v1::PutMethodRequest {
        rest_api_id: api.id.clone(),
        resource_id: parent.clone(),
        http_method: "GET".to_owned(),
        method: Some(method),
    };
    assert_eq!(call!(service.put_method(request)).unwrap().authorization_type, "NONE");
    let integration = v1::RestIntegration {
        r#type: "HTTP_PROXY".to_owned(),
        http_method: "GET".to_owned(),
        uri: "http://upstream.test/animals/{id}".to_owned(),
        request_parameters: map(&[("integration.request.path.id", "method.request.path.id")]),
        ..Default::default()
    };
    let request = v1::PutIntegrationRequest {
        rest_api_id: api.id.clone(),
        resource_id: parent.clone(),
        http_method: "GET".to_owned(),
        integration: Some(integration),
    };
    assert_eq!(call!(service.put_integration(request)).unwrap().timeout_ms, 29_000);
    (api.id, parent)
}

pub fn deployment(api: &str, stage: &str) -> v1::CreateDeploymentRequest {
    v1::CreateDeploymentRequest {
        rest_api_id: api.to_owned(),
        stage_name: stage.to_owned(),
        ..Default::default()
    }
}

pub fn stage(api: &str, name: &str) -> v1::StageAddress {
    v1::StageAddress { rest_api_id: api.to_owned(), stage_name: name.to_owned() }
}
