//! Methods on the wire.

use super::RestError;
use super::call::Call;
use super::reply::Reply;
use crate::app::App;
use crate::app::methods::PutMethod;
use crate::drive::{self, TestInvokeMethod};

pub(super) async fn put(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = PutMethod {
        authorization_type: members.required("authorizationType")?,
        authorizer_id: members.text("authorizerId")?,
        api_key_required: members.flag("apiKeyRequired")?.unwrap_or_default(),
        operation_name: members.text("operationName")?,
        request_parameters: members.flags("requestParameters")?,
        request_models: members.map("requestModels")?,
        request_validator_id: members.text("requestValidatorId")?,
        authorization_scopes: members.texts("authorizationScopes")?,
    };
    members.finish()?;
    let (api, resource, verb) = place(call);
    Ok(Reply::json(call.status(), &app.put_method(api, resource, verb, input).await?))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    Ok(Reply::json(call.status(), &app.get_method(api, resource, verb).await?))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    Ok(Reply::json(call.status(), &app.update_method(api, resource, verb, &call.patch()?).await?))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let (api, resource, verb) = place(call);
    app.delete_method(api, resource, verb).await?;
    Ok(Reply::empty(call.status()))
}

pub(super) async fn test_invoke(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = TestInvokeMethod {
        path_with_query_string: members.text("pathWithQueryString")?,
        body: members.text("body")?,
        headers: members.map("headers")?.unwrap_or_default(),
        multi_value_headers: members.lists("multiValueHeaders")?.unwrap_or_default(),
        stage_variables: members.map("stageVariables")?.unwrap_or_default(),
        client_certificate_id: members.text("clientCertificateId")?,
    };
    members.finish()?;
    let (api, resource, verb) = place(call);
    let invoked = drive::test_invoke(app, api, resource, verb, input).await?;
    Ok(Reply::json(call.status(), &invoked))
}

/// The API, the resource and the verb a call is about.
pub(super) fn place<'c>(call: &'c Call<'_>) -> (&'c str, &'c str, &'c str) {
    (call.path("restapi_id"), call.path("resource_id"), call.path("http_method"))
}
