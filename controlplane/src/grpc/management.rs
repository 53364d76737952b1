//! The management service: the operations over gRPC, a file per family; thin.
//!
//! A family's functions take the request's message and answer with the reply's; here is only what all calls share: the
//! request id, the log and the mapping of refusals.

mod access_keys;
mod api_keys;
mod authorizers;
mod client_certificates;
mod convert;
mod deployments;
mod documentation_parts;
mod documentation_versions;
mod domain_names;
mod error;
mod exports;
mod gateway_responses;
mod methods;
mod models;
mod nodes;
mod operate;
mod operators;
mod request_validators;
mod resources;
mod rest_apis;
mod sdks;
mod stages;
mod usage_plans;
mod vpc_links;

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
    get_api_settings(RestApiAddress) -> ApiSettings in rest_apis;
    put_api_settings(PutApiSettingsRequest) -> ApiSettings in rest_apis;

    create_resource(CreateResourceRequest) -> RestResource in resources;
    get_resource(ResourceAddress) -> RestResource in resources;
    get_resources(GetResourcesRequest) -> GetResourcesResponse in resources;
    update_resource(UpdateResourceRequest) -> RestResource in resources;
    delete_resource(ResourceAddress) -> Done in resources;

    put_method(PutMethodRequest) -> RestMethod in methods;
    get_method(MethodAddress) -> RestMethod in methods;
    update_method(UpdateMethodRequest) -> RestMethod in methods;
    delete_method(MethodAddress) -> Done in methods;
    test_invoke_method(TestInvokeMethodRequest) -> TestInvokeMethodResponse in methods;
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

    create_model(CreateModelRequest) -> RestModel in models;
    get_model(GetModelRequest) -> RestModel in models;
    get_models(GetModelsRequest) -> GetModelsResponse in models;
    get_model_template(ModelAddress) -> ModelTemplate in models;
    update_model(UpdateModelRequest) -> RestModel in models;
    delete_model(ModelAddress) -> Done in models;

    create_request_validator(CreateRequestValidatorRequest) -> RestRequestValidator in request_validators;
    get_request_validator(RequestValidatorAddress) -> RestRequestValidator in request_validators;
    get_request_validators(GetRequestValidatorsRequest) -> GetRequestValidatorsResponse in request_validators;
    update_request_validator(UpdateRequestValidatorRequest) -> RestRequestValidator in request_validators;
    delete_request_validator(RequestValidatorAddress) -> Done in request_validators;

    create_authorizer(CreateAuthorizerRequest) -> RestAuthorizer in authorizers;
    get_authorizer(AuthorizerAddress) -> RestAuthorizer in authorizers;
    get_authorizers(GetAuthorizersRequest) -> GetAuthorizersResponse in authorizers;
    update_authorizer(UpdateAuthorizerRequest) -> RestAuthorizer in authorizers;
    delete_authorizer(AuthorizerAddress) -> Done in authorizers;
    test_invoke_authorizer(TestInvokeAuthorizerRequest) -> TestedAuthorizer in authorizers;

    put_gateway_response(PutGatewayResponseRequest) -> RestGatewayResponse in gateway_responses;
    get_gateway_response(GatewayResponseAddress) -> RestGatewayResponse in gateway_responses;
    get_gateway_responses(RestApiAddress) -> GetGatewayResponsesResponse in gateway_responses;
    update_gateway_response(UpdateGatewayResponseRequest) -> RestGatewayResponse in gateway_responses;
    delete_gateway_response(GatewayResponseAddress) -> Done in gateway_responses;

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

    create_domain_name(CreateDomainNameRequest) -> DomainName in domain_names;
    get_domain_name(DomainNameAddress) -> DomainName in domain_names;
    get_domain_names(GetDomainNamesRequest) -> GetDomainNamesResponse in domain_names;
    update_domain_name(UpdateDomainNameRequest) -> DomainName in domain_names;
    delete_domain_name(DomainNameAddress) -> Done in domain_names;
    create_base_path_mapping(CreateBasePathMappingRequest) -> DomainNameMapping in domain_names;
    get_base_path_mapping(BasePathMappingAddress) -> DomainNameMapping in domain_names;
    get_base_path_mappings(GetBasePathMappingsRequest) -> GetBasePathMappingsResponse in domain_names;
    update_base_path_mapping(UpdateBasePathMappingRequest) -> DomainNameMapping in domain_names;
    delete_base_path_mapping(BasePathMappingAddress) -> Done in domain_names;
    create_domain_name_access_association(CreateDomainNameAccessAssociationRequest) -> DomainNameAccessAssociation in domain_names;
    get_domain_name_access_associations(GetDomainNameAccessAssociationsRequest) -> GetDomainNameAccessAssociationsResponse in domain_names;
    delete_domain_name_access_association(DomainNameAccessAssociationAddress) -> Done in domain_names;
    reject_domain_name_access_association(RejectDomainNameAccessAssociationRequest) -> Done in domain_names;

    create_vpc_link(CreateVpcLinkRequest) -> VpcLinkSettings in vpc_links;
    get_vpc_link(VpcLinkAddress) -> VpcLinkSettings in vpc_links;
    get_vpc_links(GetVpcLinksRequest) -> GetVpcLinksResponse in vpc_links;
    update_vpc_link(UpdateVpcLinkRequest) -> VpcLinkSettings in vpc_links;
    delete_vpc_link(VpcLinkAddress) -> Done in vpc_links;

    generate_client_certificate(GenerateClientCertificateRequest) -> ClientCertificate in client_certificates;
    get_client_certificate(ClientCertificateAddress) -> ClientCertificate in client_certificates;
    get_client_certificates(GetClientCertificatesRequest) -> GetClientCertificatesResponse in client_certificates;
    update_client_certificate(UpdateClientCertificateRequest) -> ClientCertificate in client_certificates;
    delete_client_certificate(ClientCertificateAddress) -> Done in client_certificates;
    create_api_key(CreateApiKeyRequest) -> ApiKey in api_keys;
    import_api_keys(ImportApiKeysRequest) -> ImportApiKeysResponse in api_keys;
    get_api_key(GetApiKeyRequest) -> ApiKey in api_keys;
    get_api_keys(GetApiKeysRequest) -> GetApiKeysResponse in api_keys;
    update_api_key(UpdateApiKeyRequest) -> ApiKey in api_keys;
    delete_api_key(ApiKeyAddress) -> Done in api_keys;

    create_usage_plan(CreateUsagePlanRequest) -> UsagePlan in usage_plans;
    get_usage_plan(UsagePlanAddress) -> UsagePlan in usage_plans;
    get_usage_plans(GetUsagePlansRequest) -> GetUsagePlansResponse in usage_plans;
    update_usage_plan(UpdateUsagePlanRequest) -> UsagePlan in usage_plans;
    delete_usage_plan(UsagePlanAddress) -> Done in usage_plans;
    create_usage_plan_key(CreateUsagePlanKeyRequest) -> UsagePlanKey in usage_plans;
    get_usage_plan_key(UsagePlanKeyAddress) -> UsagePlanKey in usage_plans;
    get_usage_plan_keys(GetUsagePlanKeysRequest) -> GetUsagePlanKeysResponse in usage_plans;
    delete_usage_plan_key(UsagePlanKeyAddress) -> Done in usage_plans;
    get_usage(GetUsageRequest) -> Usage in usage_plans;
    update_usage(UpdateUsageRequest) -> Usage in usage_plans;
    create_documentation_part(CreateDocumentationPartRequest) -> DocumentationPart in documentation_parts;
    get_documentation_part(DocumentationPartAddress) -> DocumentationPart in documentation_parts;
    get_documentation_parts(GetDocumentationPartsRequest) -> GetDocumentationPartsResponse in documentation_parts;
    update_documentation_part(UpdateDocumentationPartRequest) -> DocumentationPart in documentation_parts;
    delete_documentation_part(DocumentationPartAddress) -> Done in documentation_parts;
    import_documentation_parts(ImportDocumentationPartsRequest) -> ImportDocumentationPartsResponse in documentation_parts;
    create_documentation_version(CreateDocumentationVersionRequest) -> DocumentationVersion in documentation_versions;
    get_documentation_version(DocumentationVersionAddress) -> DocumentationVersion in documentation_versions;
    get_documentation_versions(GetDocumentationVersionsRequest) -> GetDocumentationVersionsResponse in documentation_versions;
    update_documentation_version(UpdateDocumentationVersionRequest) -> DocumentationVersion in documentation_versions;
    delete_documentation_version(DocumentationVersionAddress) -> Done in documentation_versions;
    get_export(GetExportRequest) -> Export in exports;
    get_sdk(GetSdkRequest) -> Done in sdks;
    get_sdk_type(SdkTypeAddress) -> SdkType in sdks;
    get_sdk_types(GetSdkTypesRequest) -> GetSdkTypesResponse in sdks;

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
