//! The admin API on AWS's wire: thin over [`crate::app`].
//!
//! ```text
//! server.rs      connections: limits, time-outs, drain
//! rest.rs        one request: identity, operation, permission, answer, count
//! operations.rs  the catalogue of addresses
//! permissions.rs actions and resources of an operation, as policies name them
//! authorize.rs   what a caller's policy says of a call
//! call.rs        one call: path and query parameters, paging
//! members.rs     the body's members, with AWS's constraint messages
//! error.rs       app errors to names and statuses, once
//! reply.rs       answers, and the shapes lists have
//! {family}.rs    the operations of one family, the same name as in app/
//! ```

mod access_associations;
mod account;
mod api_keys;
mod authorize;
mod authorizers;
mod base_path_mappings;
mod call;
mod client_certificates;
mod deployments;
mod documentation_parts;
mod documentation_versions;
mod domain_names;
mod error;
mod exports;
mod gateway_responses;
mod imports;
mod integration_responses;
mod integrations;
mod members;
mod method_responses;
mod methods;
mod metrics;
mod models;
mod operations;
mod permissions;
mod reply;
mod request_validators;
mod resources;
mod rest_apis;
mod sdks;
mod server;
mod stages;
mod tags;
mod usage;
mod usage_plan_keys;
mod usage_plans;
mod vpc_links;

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;

pub use authorize::Peer;
pub use error::RestError;
pub use operations::Operation;
pub use server::{Limits, Server};

use crate::app::App;
use crate::auth::{AuthError, Identity, Payload, RequestParts, Rights};
use authorize::Origin;
use call::Call;
use metrics::Metrics;
use reply::Reply;

/// Says who calls, or refuses. [`crate::auth::Authenticator::check`] is one.
pub type Authenticate = dyn Fn(&RequestParts<'_>) -> Result<Identity, AuthError> + Send + Sync;

/// The admin API: answers requests that were read whole.
pub struct Rest {
    app: Arc<App>,
    authenticate: Option<Box<Authenticate>>,
    metrics: Metrics,
}

impl Rest {
    /// An admin API that asks `authenticate` who calls; `None` lets everyone in and is for tests.
    pub fn new(app: Arc<App>, authenticate: Option<Box<Authenticate>>) -> Self {
        Self { app, authenticate, metrics: Metrics::default() }
    }

    /// Answers one request. Dropping the future does not undo a change that was queued.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let own =
            path.strip_prefix("/_tidegate/").filter(|_| request.method() == http::Method::GET);
        let (operation, reply) = match own {
            Some("health") => (None, self.health().await),
            Some("metrics") => (None, self.metrics.reply(*self.app.store().watch().borrow())),
            _ => self.call(&request).await,
        };
        self.metrics.count(operation, reply.status);
        finish(reply)
    }

    /// What is told of a request that could not be read.
    pub fn refuse(&self, error: RestError) -> Response<Full<Bytes>> {
        let reply = error.reply();
        self.metrics.count(None, reply.status);
        finish(reply)
    }

    async fn call(&self, request: &Request<Bytes>) -> (Option<Operation>, Reply) {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let mut rights = Rights::All;
        if let Some(authenticate) = &self.authenticate {
            if let Err(error) = self.app.follow_access_keys().await {
                tracing::error!(%error, "access keys cannot be read; the call is refused");
                return (None, RestError::from(error).reply());
            }
            let headers =
                request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let payload = Payload::Bytes(request.body());
            let parts = RequestParts::new(
                request.method().as_str(),
                path,
                query,
                headers,
                payload,
                SystemTime::now(),
            );
            match authenticate(&parts) {
                Ok(identity) => {
                    if identity.verified {
                        self.app.access_key_used(&identity.access_key_id);
                    }
                    rights = identity.rights;
                }
                Err(refused) => return (None, RestError::Auth(refused).reply()),
            }
        }
        let Some((operation, parameters)) = Operation::find(request.method().as_str(), path, query)
        else {
            return (None, RestError::UnknownOperation.reply());
        };
        let called = Call::new(operation, &parameters, query, request.headers(), request.body());
        let answer = match called {
            Ok(call) => {
                match authorize::check(&self.app, &call, &rights, &Origin::of(request)).await {
                    // Boxed: operations differ much in size and a connection holds one at a time.
                    Ok(()) => Box::pin(dispatch(&self.app, &call)).await,
                    Err(denied) => Err(denied),
                }
            }
            Err(error) => Err(error),
        };
        let reply = answer.unwrap_or_else(|error| {
            error.report(operation);
            error.reply()
        });
        (Some(operation), reply)
    }

    async fn health(&self) -> Reply {
        match self.app.store().head().await {
            Ok(revision) => {
                let body = serde_json::json!({
                    "status": "ok", "epoch": self.app.store().epoch(), "revision": revision,
                });
                Reply::json(200, &body)
            }
            Err(error) => RestError::from(crate::app::AppError::from(error)).reply(),
        }
    }
}

/// Runs an operation.
async fn dispatch(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    match call.operation {
        Operation::CreateRestApi => rest_apis::create(app, call).await,
        Operation::GetRestApi => rest_apis::get(app, call).await,
        Operation::GetRestApis => rest_apis::list(app, call).await,
        Operation::UpdateRestApi => rest_apis::update(app, call).await,
        Operation::DeleteRestApi => rest_apis::delete(app, call).await,
        Operation::ImportRestApi => imports::import(app, call).await,
        Operation::PutRestApi => imports::put(app, call).await,
        Operation::CreateResource => resources::create(app, call).await,
        Operation::GetResource => resources::get(app, call).await,
        Operation::GetResources => resources::list(app, call).await,
        Operation::UpdateResource => resources::update(app, call).await,
        Operation::DeleteResource => resources::delete(app, call).await,
        Operation::PutMethod => methods::put(app, call).await,
        Operation::GetMethod => methods::get(app, call).await,
        Operation::UpdateMethod => methods::update(app, call).await,
        Operation::DeleteMethod => methods::delete(app, call).await,
        Operation::TestInvokeMethod => methods::test_invoke(app, call).await,
        Operation::PutMethodResponse => method_responses::put(app, call).await,
        Operation::GetMethodResponse => method_responses::get(app, call).await,
        Operation::UpdateMethodResponse => method_responses::update(app, call).await,
        Operation::DeleteMethodResponse => method_responses::delete(app, call).await,
        Operation::PutIntegration => integrations::put(app, call).await,
        Operation::GetIntegration => integrations::get(app, call).await,
        Operation::UpdateIntegration => integrations::update(app, call).await,
        Operation::DeleteIntegration => integrations::delete(app, call).await,
        Operation::PutIntegrationResponse => integration_responses::put(app, call).await,
        Operation::GetIntegrationResponse => integration_responses::get(app, call).await,
        Operation::UpdateIntegrationResponse => integration_responses::update(app, call).await,
        Operation::DeleteIntegrationResponse => integration_responses::delete(app, call).await,
        Operation::CreateDeployment => deployments::create(app, call).await,
        Operation::GetDeployment => deployments::get(app, call).await,
        Operation::GetDeployments => deployments::list(app, call).await,
        Operation::UpdateDeployment => deployments::update(app, call).await,
        Operation::DeleteDeployment => deployments::delete(app, call).await,
        Operation::CreateStage => stages::create(app, call).await,
        Operation::GetStage => stages::get(app, call).await,
        Operation::GetStages => stages::list(app, call).await,
        Operation::UpdateStage => stages::update(app, call).await,
        Operation::DeleteStage => stages::delete(app, call).await,
        Operation::FlushStageCache => stages::flush_cache(app, call).await,
        Operation::FlushStageAuthorizersCache => stages::flush_authorizers_cache(app, call).await,
        Operation::TagResource => tags::tag(app, call).await,
        Operation::UntagResource => tags::untag(app, call).await,
        Operation::GetTags => tags::get(app, call).await,
        Operation::GetAccount => account::get(app).await,
        Operation::UpdateAccount => account::update(app, call).await,
        Operation::CreateDomainName => domain_names::create(app, call).await,
        Operation::GetDomainName => domain_names::get(app, call).await,
        Operation::GetDomainNames => domain_names::list(app, call).await,
        Operation::UpdateDomainName => domain_names::update(app, call).await,
        Operation::DeleteDomainName => domain_names::delete(app, call).await,
        Operation::CreateBasePathMapping => base_path_mappings::create(app, call).await,
        Operation::GetBasePathMapping => base_path_mappings::get(app, call).await,
        Operation::GetBasePathMappings => base_path_mappings::list(app, call).await,
        Operation::UpdateBasePathMapping => base_path_mappings::update(app, call).await,
        Operation::DeleteBasePathMapping => base_path_mappings::delete(app, call).await,
        Operation::CreateDomainNameAccessAssociation => {
            access_associations::create(app, call).await
        }
        Operation::GetDomainNameAccessAssociations => access_associations::list(app, call).await,
        Operation::DeleteDomainNameAccessAssociation => {
            access_associations::delete(app, call).await
        }
        Operation::RejectDomainNameAccessAssociation => {
            access_associations::reject(app, call).await
        }
        Operation::CreateVpcLink => vpc_links::create(app, call).await,
        Operation::GetVpcLink => vpc_links::get(app, call).await,
        Operation::GetVpcLinks => vpc_links::list(app, call).await,
        Operation::UpdateVpcLink => vpc_links::update(app, call).await,
        Operation::DeleteVpcLink => vpc_links::delete(app, call).await,
        Operation::GenerateClientCertificate => client_certificates::generate(app, call).await,
        Operation::GetClientCertificate => client_certificates::get(app, call).await,
        Operation::GetClientCertificates => client_certificates::list(app, call).await,
        Operation::UpdateClientCertificate => client_certificates::update(app, call).await,
        Operation::DeleteClientCertificate => client_certificates::delete(app, call).await,
        Operation::CreateModel => models::create(app, call).await,
        Operation::GetModel => models::get(app, call).await,
        Operation::GetModels => models::list(app, call).await,
        Operation::GetModelTemplate => models::template(app, call).await,
        Operation::UpdateModel => models::update(app, call).await,
        Operation::DeleteModel => models::delete(app, call).await,
        Operation::CreateRequestValidator => request_validators::create(app, call).await,
        Operation::GetRequestValidator => request_validators::get(app, call).await,
        Operation::GetRequestValidators => request_validators::list(app, call).await,
        Operation::UpdateRequestValidator => request_validators::update(app, call).await,
        Operation::DeleteRequestValidator => request_validators::delete(app, call).await,
        Operation::CreateAuthorizer => authorizers::create(app, call).await,
        Operation::GetAuthorizer => authorizers::get(app, call).await,
        Operation::GetAuthorizers => authorizers::list(app, call).await,
        Operation::UpdateAuthorizer => authorizers::update(app, call).await,
        Operation::DeleteAuthorizer => authorizers::delete(app, call).await,
        Operation::TestInvokeAuthorizer => authorizers::test_invoke(app, call).await,
        Operation::PutGatewayResponse => gateway_responses::put(app, call).await,
        Operation::GetGatewayResponse => gateway_responses::get(app, call).await,
        Operation::GetGatewayResponses => gateway_responses::list(app, call).await,
        Operation::UpdateGatewayResponse => gateway_responses::update(app, call).await,
        Operation::DeleteGatewayResponse => gateway_responses::delete(app, call).await,
        Operation::CreateApiKey => api_keys::create(app, call).await,
        Operation::ImportApiKeys => api_keys::import(app, call).await,
        Operation::GetApiKey => api_keys::get(app, call).await,
        Operation::GetApiKeys => api_keys::list(app, call).await,
        Operation::UpdateApiKey => api_keys::update(app, call).await,
        Operation::DeleteApiKey => api_keys::delete(app, call).await,
        Operation::CreateUsagePlan => usage_plans::create(app, call).await,
        Operation::GetUsagePlan => usage_plans::get(app, call).await,
        Operation::GetUsagePlans => usage_plans::list(app, call).await,
        Operation::UpdateUsagePlan => usage_plans::update(app, call).await,
        Operation::DeleteUsagePlan => usage_plans::delete(app, call).await,
        Operation::CreateUsagePlanKey => usage_plan_keys::create(app, call).await,
        Operation::GetUsagePlanKey => usage_plan_keys::get(app, call).await,
        Operation::GetUsagePlanKeys => usage_plan_keys::list(app, call).await,
        Operation::DeleteUsagePlanKey => usage_plan_keys::delete(app, call).await,
        Operation::GetUsage => usage::get(app, call).await,
        Operation::UpdateUsage => usage::update(app, call).await,
        Operation::CreateDocumentationPart => documentation_parts::create(app, call).await,
        Operation::GetDocumentationPart => documentation_parts::get(app, call).await,
        Operation::GetDocumentationParts => documentation_parts::list(app, call).await,
        Operation::UpdateDocumentationPart => documentation_parts::update(app, call).await,
        Operation::DeleteDocumentationPart => documentation_parts::delete(app, call).await,
        Operation::ImportDocumentationParts => documentation_parts::import(app, call).await,
        Operation::CreateDocumentationVersion => documentation_versions::create(app, call).await,
        Operation::GetDocumentationVersion => documentation_versions::get(app, call).await,
        Operation::GetDocumentationVersions => documentation_versions::list(app, call).await,
        Operation::UpdateDocumentationVersion => documentation_versions::update(app, call).await,
        Operation::DeleteDocumentationVersion => documentation_versions::delete(app, call).await,
        Operation::GetExport => exports::get(app, call).await,
        Operation::GetSdk => sdks::get(app, call).await,
        Operation::GetSdkType => sdks::get_type(app, call),
        Operation::GetSdkTypes => sdks::list_types(app, call),
    }
}

/// Adds what every answer carries: the two request ids.
fn finish(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() =
        http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::OK);
    let headers = response.headers_mut();
    if !reply.content_type.is_empty() {
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    let request_id = uuid::Uuid::new_v4().to_string();
    // Eleven bytes: sixteen characters that end with `=`, as AWS's do.
    let gateway_id = base64::engine::general_purpose::STANDARD.encode(rand::random::<[u8; 11]>());
    for (name, value) in [("x-amzn-requestid", request_id), ("x-amz-apigw-id", gateway_id)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}
