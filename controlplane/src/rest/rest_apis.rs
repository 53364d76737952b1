//! REST APIs on the wire.

use serde_json::{Value, json};

use super::RestError;
use super::call::Call;
use super::members::Members;
use super::reply::{Reply, value};
use crate::app::App;
use crate::app::rest_apis::{CreateRestApi, EndpointConfigurationInput};
use crate::model::RestApi;

pub(super) async fn create(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let mut members = call.members()?;
    let input = CreateRestApi {
        name: members.required("name")?,
        description: members.text("description")?,
        version: members.text("version")?,
        clone_from: members.text("cloneFrom")?.filter(|id| !id.is_empty()),
        binary_media_types: members.texts("binaryMediaTypes")?,
        minimum_compression_size: members.integer("minimumCompressionSize")?,
        api_key_source: members.one_of("apiKeySource")?,
        endpoint_configuration: endpoint_configuration(&mut members)?,
        policy: members.text("policy")?,
        tags: members.map("tags")?,
        disable_execute_api_endpoint: members
            .flag("disableExecuteApiEndpoint")?
            .unwrap_or_default(),
        security_policy: members.one_of("securityPolicy")?,
        endpoint_access_mode: members.one_of("endpointAccessMode")?,
    };
    members.finish()?;
    let api = app.create_rest_api(input).await?;
    Ok(Reply::json(call.status(), &shape(&api)))
}

pub(super) async fn get(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let api = app.get_rest_api(call.path("restapi_id")).await?;
    Ok(Reply::json(call.status(), &shape_with_tags(&api)))
}

pub(super) async fn list(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let page = app.get_rest_apis(&call.paging()?).await?;
    Ok(Reply::list(call.status(), page, |api| shape_with_tags(&api)))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    let api = app.update_rest_api(call.path("restapi_id"), &call.patch()?).await?;
    Ok(Reply::json(call.status(), &shape_with_tags(&api)))
}

pub(super) async fn delete(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    app.delete_rest_api(call.path("restapi_id")).await?;
    Ok(Reply::empty(call.status()))
}

/// The member `endpointConfiguration`.
pub(super) fn endpoint_configuration(
    members: &mut Members,
) -> Result<Option<EndpointConfigurationInput>, RestError> {
    let Some(mut nested) = members.object("endpointConfiguration")? else { return Ok(None) };
    let input = EndpointConfigurationInput {
        types: nested.list_of("types")?,
        ip_address_type: nested.one_of("ipAddressType")?,
        vpc_endpoint_ids: nested.texts("vpcEndpointIds")?,
    };
    members.absorb(nested);
    Ok(Some(input))
}

/// As CreateRestApi and ImportRestApi answer: tags only where there are some.
pub(super) fn shape(api: &RestApi) -> Value {
    let mut shape = value(api);
    if let Some(policy) = &api.policy {
        shape["policy"] = Value::String(escaped(policy));
    }
    shape
}

/// As the other calls answer: `tags` is always there.
pub(super) fn shape_with_tags(api: &RestApi) -> Value {
    let mut shape = shape(api);
    if api.tags.is_none() {
        shape["tags"] = json!({});
    }
    shape
}

/// A policy is answered with its quotes escaped within the string; Terraform unquotes it once more.
///
/// Source: `admin-api` section 16.
fn escaped(policy: &str) -> String {
    let quoted = Value::String(policy.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_policy_unquotes_to_itself() {
        let policy = r#"{"Version":"2012-10-17","Statement":["a\\b"]}"#;
        let shown = escaped(policy);
        assert!(shown.starts_with(r#"{\"Version\":\"2012"#));
        assert_eq!(serde_json::from_str::<String>(&format!("\"{shown}\"")).unwrap(), policy);
    }
}
