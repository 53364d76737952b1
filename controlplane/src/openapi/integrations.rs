//! `x-amazon-apigateway-integration` to an integration with its responses.

use serde_json::Value;

use super::object::{Object, Reader};
use super::operations::status_code;
use crate::model::{
    ConnectionType, HttpMethod, Integration, IntegrationResponse, IntegrationType, Templates,
    TlsConfig,
};

/// The integration of an operation, which need not have one: such a method cannot be deployed.
///
/// Structure only; what PutIntegration checks of a URI, an ARN or a mapping expression is checked where all
/// integrations are. Source: `admin-api` section 15.
pub(super) fn read<'a>(
    path: &str,
    verb: HttpMethod,
    operation: &Object<'a>,
    reader: &mut Reader<'a>,
) -> Option<Integration> {
    let extension = operation.object("x-amazon-apigateway-integration", reader)?;
    let extension = reader.resolve(extension)?;
    let place = format!("Unable to put integration on '{verb}' for resource at path '{path}'");
    if !extension.has("type") {
        reader.error(format!("{place}: Enumeration value for type must be non-empty"));
        return None;
    }
    let kind: IntegrationType = extension.name("type", reader)?;
    let mut integration = Integration::new(kind);
    integration.uri = extension.text("uri", reader);
    integration.http_method =
        http_method(kind, &extension, integration.uri.as_deref(), &place, reader);
    integration.credentials = extension.text("credentials", reader);
    if let Some(connection) = extension.name("connectionType", reader) {
        // AWS leaves INTERNET away on everything but HTTP.
        if kind.is_http() || connection == ConnectionType::VpcLink {
            integration.connection_type = Some(connection);
        }
    }
    integration.connection_id = extension.text("connectionId", reader);
    if let Some(behavior) = extension.name("passthroughBehavior", reader) {
        integration.passthrough_behavior = behavior;
    }
    integration.content_handling = extension.name("contentHandling", reader);
    integration.request_parameters = extension.text_map("requestParameters", reader);
    integration.request_templates = templates("requestTemplates", &extension, reader);
    integration.cache_key_parameters =
        extension.texts("cacheKeyParameters", reader).unwrap_or_default();
    integration.cache_namespace = extension.text("cacheNamespace", reader);
    if let Some(timeout) = extension.integer("timeoutInMillis", reader) {
        match u32::try_from(timeout) {
            Ok(timeout) if timeout >= MIN_TIMEOUT_MS => integration.timeout_in_millis = timeout,
            _ => reader.error(format!(
                "{place}: Timeout should be at least {MIN_TIMEOUT_MS} milliseconds"
            )),
        }
    }
    if let Some(tls) = extension.object("tlsConfig", reader) {
        let insecure_skip_verification =
            tls.boolean("insecureSkipVerification", reader).unwrap_or(false);
        integration.tls_config = Some(TlsConfig { insecure_skip_verification });
    }
    integration.response_transfer_mode = extension.name("responseTransferMode", reader);
    integration.integration_target = extension.text("integrationTarget", reader);
    responses(&extension, &place, &mut integration, reader);
    Some(integration)
}

/// A Lambda integration without a verb gets POST, the only one the invocation API answers to.
fn http_method(
    kind: IntegrationType,
    extension: &Object<'_>,
    uri: Option<&str>,
    place: &str,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let stated = extension.text("httpMethod", reader).map(|verb| verb.to_ascii_uppercase());
    let is_lambda = kind.is_aws() && uri.is_some_and(|uri| uri.contains(":lambda:path/"));
    if stated.is_none() && is_lambda {
        return Some("POST".to_owned());
    }
    if stated.is_none() && kind != IntegrationType::Mock {
        reader.error(format!("{place}: Enumeration value for HttpMethod must be non-empty"));
    }
    stated
}

/// Keys are selection patterns, `default` is none. An integration has one response per status.
fn responses(
    extension: &Object<'_>,
    place: &str,
    integration: &mut Integration,
    reader: &mut Reader<'_>,
) {
    for (pattern, response) in extension.objects("responses", reader) {
        let Some(status) = response.get("statusCode").and_then(status_code) else {
            reader.error(format!(
                "{place}: Response '{pattern}' has an invalid or missing status code"
            ));
            continue;
        };
        let mut read = IntegrationResponse::new(status);
        read.selection_pattern = (pattern != "default").then(|| pattern.to_owned());
        read.response_parameters = response.text_map("responseParameters", reader);
        read.response_templates = templates("responseTemplates", &response, reader);
        read.content_handling = response.name("contentHandling", reader);
        if integration.integration_responses.insert(status, read).is_some() {
            reader.warn(format!(
                "{place}: More than one response with status code {status}. The last one counts."
            ));
        }
    }
}

/// Content type to template; an empty or `null` template stays as an empty one.
fn templates(key: &str, owner: &Object<'_>, reader: &mut Reader<'_>) -> Option<Templates> {
    let object = owner.object(key, reader)?;
    let mut templates = Templates::new();
    for (media_type, value) in object.entries() {
        let template = match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            // A template written as an object is meant as its JSON.
            other => {
                if !other.is_object() {
                    reader.error(format!(
                        "attribute {} is not of type `string`",
                        object.place_of(media_type)
                    ));
                }
                Some(other.to_string())
            }
        };
        templates.insert(media_type.clone(), template);
    }
    Some(templates)
}

/// Source: `admin-api` section 7. The upper bound depends on the account and is checked there.
const MIN_TIMEOUT_MS: u32 = 50;
