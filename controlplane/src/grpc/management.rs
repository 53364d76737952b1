//! The management service: the operations over gRPC, a file per family; thin.
//!
//! A family's functions take the request's message and answer with the reply's; here is only what all calls share: the
//! request id, the log and the mapping of refusals.

mod access_keys;
mod convert;
mod deployments;
mod error;
mod methods;
mod nodes;
mod operate;
mod operators;
mod resources;
mod rest_apis;
mod stages;

use std::sync::Arc;

use tidegate_proto::v1;
use tidegate_proto::v1::management_server::ManagementServer;
use tonic::{Request, Response, Status};

use crate::app::App;
use crate::publish::Nodes;
use error::Refused;

pub use error::{ERROR, REQUEST_ID};
pub use operators::Operators;

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Management {
    app: Arc<App>,
    nodes: Arc<Nodes>,
    operators: Operators,
}

impl Management {
    /// A service over these operations and the nodes that are known. Whoever is let in at the port may call.
    pub fn new(app: Arc<App>, nodes: Arc<Nodes>) -> Self {
        Self { app, nodes, operators: Operators::default() }
    }

    /// Only these may call.
    pub fn with_operators(self, operators: Operators) -> Self {
        Self { operators, ..self }
    }

    /// As tonic serves it, with a limit on messages that has room for documents.
    pub fn into_server(self) -> ManagementServer<Self> {
        ManagementServer::new(self)
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(usize::MAX)
    }
}

/// Implements the service: `call(Request) -> Reply in family`.
macro_rules! calls {
    ($($call:ident($request:ident) -> $reply:ident in $family:ident;)+) => {
        #[tonic::async_trait]
        impl v1::management_server::Management for Management {
            $(async fn $call(&self, request: Request<v1::$request>) -> Result<Response<v1::$reply>, Status> {
                let done = match self.operators.admit(request.extensions()) {
                    Ok(()) => $family::$call(self, request.into_inner()).await,
                    Err(refused) => Err(refused),
                };
                answer(stringify!($call), done)
            })+
        }
    };
}

calls! {
    create_rest_api(CreateRestApiRequest) -> RestApi in rest_apis;
    get_rest_api(RestApiAddress) -> RestApi in rest_apis;
    get_rest_apis(GetRestApisRequest) -> GetRestApisResponse in rest_apis;
    update_rest_api(UpdateRestApiRequest) -> RestApi in rest_apis;
    delete_rest_api(RestApiAddress) -> Done in rest_apis;
    import_rest_api(ImportRestApiRequest) -> ImportRestApiResponse in rest_apis;
    put_rest_api(PutRestApiRequest) -> ImportRestApiResponse in rest_apis;
    apply_document(ApplyDocumentRequest) -> ApplyDocumentResponse in rest_apis;

    create_resource(CreateResourceRequest) -> RestResource in resources;
    get_resource(ResourceAddress) -> RestResource in resources;
    get_resources(GetResourcesRequest) -> GetResourcesResponse in resources;
    update_resource(UpdateResourceRequest) -> RestResource in resources;
    delete_resource(ResourceAddress) -> Done in resources;

    put_method(PutMethodRequest) -> RestMethod in methods;
    get_method(MethodAddress) -> RestMethod in methods;
    update_method(UpdateMethodRequest) -> RestMethod in methods;
    delete_method(MethodAddress) -> Done in methods;
    put_method_response(PutMethodResponseRequest) -> RestMethodResponse in methods;
    get_method_response(ResponseAddress) -> RestMethodResponse in methods;
    update_method_response(UpdateResponseRequest) -> RestMethodResponse in methods;
    delete_method_response(ResponseAddress) -> Done in methods;
    put_integration(PutIntegrationRequest) -> RestIntegration in methods;
    get_integration(MethodAddress) -> RestIntegration in methods;
    update_integration(UpdateMethodRequest) -> RestIntegration in methods;
    delete_integration(MethodAddress) -> Done in methods;
    put_integration_response(PutIntegrationResponseRequest) -> RestIntegrationResponse in methods;
    get_integration_response(ResponseAddress) -> RestIntegrationResponse in methods;
    update_integration_response(UpdateResponseRequest) -> RestIntegrationResponse in methods;
    delete_integration_response(ResponseAddress) -> Done in methods;

    create_deployment(CreateDeploymentRequest) -> Deployment in deployments;
    get_deployment(GetDeploymentRequest) -> Deployment in deployments;
    get_deployments(GetDeploymentsRequest) -> GetDeploymentsResponse in deployments;
    update_deployment(UpdateDeploymentRequest) -> Deployment in deployments;
    delete_deployment(DeploymentAddress) -> Done in deployments;
    list_deployment_history(RestApiAddress) -> DeploymentHistory in deployments;
    rollback(RollbackRequest) -> RollbackResponse in deployments;

    create_stage(CreateStageRequest) -> Stage in stages;
    get_stage(StageAddress) -> Stage in stages;
    get_stages(GetStagesRequest) -> GetStagesResponse in stages;
    update_stage(UpdateStageRequest) -> Stage in stages;
    delete_stage(StageAddress) -> Done in stages;
    flush_stage_cache(StageAddress) -> Done in stages;
    flush_stage_authorizers_cache(StageAddress) -> Done in stages;
    list_undeployed_changes(StageAddress) -> UndeployedChanges in stages;
    compare_deployments(CompareDeploymentsRequest) -> DeploymentComparison in stages;

    tag_resource(TagResourceRequest) -> Done in operate;
    untag_resource(UntagResourceRequest) -> Done in operate;
    get_tags(GetTagsRequest) -> GetTagsResponse in operate;
    get_account(GetAccountRequest) -> AccountSettings in operate;
    update_account(UpdateAccountRequest) -> AccountSettings in operate;

    create_access_key(CreateAccessKeyRequest) -> CreateAccessKeyResponse in access_keys;
    get_access_key(AccessKeyAddress) -> AccessKey in access_keys;
    list_access_keys(ListAccessKeysRequest) -> ListAccessKeysResponse in access_keys;
    update_access_key(UpdateAccessKeyRequest) -> AccessKey in access_keys;
    delete_access_key(AccessKeyAddress) -> Done in access_keys;

    explain(ExplainRequest) -> Explained in operate;
    list_nodes(ListNodesRequest) -> ListNodesResponse in nodes;
}

/// Puts the request's id on an answer, and a refusal into gRPC's words.
fn answer<T>(call: &'static str, result: Result<T, Refused>) -> Result<Response<T>, Status> {
    let id = uuid::Uuid::new_v4().to_string();
    // A UUID is ASCII, so it is a metadata value.
    let value = id.parse().ok();
    match result {
        Ok(reply) => {
            let mut response = Response::new(reply);
            if let Some(value) = value {
                response.metadata_mut().insert(REQUEST_ID, value);
            }
            Ok(response)
        }
        Err(refused) => {
            refused.report(call, &id);
            let mut status = refused.status();
            if let Some(value) = value {
                status.metadata_mut().insert(REQUEST_ID, value);
            }
            Err(status)
        }
    }
}

/// Largest request: a document of 8 MiB, larger than AWS's 6 MB, and what is around it.
const MAX_MESSAGE: usize = 8 * 1024 * 1024 + 64 * 1024;
