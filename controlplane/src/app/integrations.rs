//! What a method calls.

use super::patch::{PatchOp, PatchOperation};
use super::{App, AppError, mapping};
use crate::model::{
    ApiSettings, ConnectionType, ContentHandling, HttpMethod, Integration, IntegrationType, Method,
    PassthroughBehavior, ResponseTransferMode, StringMap, Templates, TlsConfig, WireName,
};

/// What PutIntegration is told.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each member is Integration's of its name")]
pub struct PutIntegration {
    pub kind: IntegrationType,
    pub http_method: Option<String>,
    pub uri: Option<String>,
    pub connection_type: Option<ConnectionType>,
    pub connection_id: Option<String>,
    pub credentials: Option<String>,
    pub request_parameters: Option<StringMap>,
    pub request_templates: Option<Templates>,
    pub passthrough_behavior: Option<String>,
    pub cache_namespace: Option<String>,
    pub cache_key_parameters: Option<Vec<String>>,
    pub content_handling: Option<ContentHandling>,
    pub timeout_in_millis: Option<i64>,
    pub tls_config: Option<TlsConfig>,
    pub response_transfer_mode: Option<ResponseTransferMode>,
    pub integration_target: Option<String>,
}

impl PutIntegration {
    /// An integration of this type, nothing else said.
    pub fn new(kind: IntegrationType) -> Self {
        Self {
            kind,
            http_method: None,
            uri: None,
            connection_type: None,
            connection_id: None,
            credentials: None,
            request_parameters: None,
            request_templates: None,
            passthrough_behavior: None,
            cache_namespace: None,
            cache_key_parameters: None,
            content_handling: None,
            timeout_in_millis: None,
            tls_config: None,
            response_transfer_mode: None,
            integration_target: None,
        }
    }
}

impl App {
    /// PutIntegration. One that is there is replaced; its integration responses stay.
    pub async fn put_integration(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        input: PutIntegration,
    ) -> Result<Integration, AppError> {
        self.change_method(api, resource, verb, |workspace, method| {
            let mut integration = integration(input.clone())?;
            if integration.cache_namespace.is_none() {
                integration.cache_namespace = Some(resource.to_owned());
            }
            check(&integration, method)?;
            check_timeout(&integration, workspace.rest_api.settings.as_ref())?;
            if let Some(old) = method.method_integration.take() {
                integration.integration_responses = old.integration_responses;
            }
            method.method_integration = Some(integration.clone());
            Ok(integration)
        })
        .await
    }

    /// GetIntegration.
    pub async fn get_integration(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
    ) -> Result<Integration, AppError> {
        self.get_method(api, resource, verb)
            .await?
            .method_integration
            .ok_or(AppError::InvalidIntegration)
    }

    /// UpdateIntegration.
    pub async fn update_integration(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
        patch: &[PatchOperation],
    ) -> Result<Integration, AppError> {
        self.change_method(api, resource, verb, |workspace, method| {
            let mut integration =
                method.method_integration.take().ok_or(AppError::InvalidIntegration)?;
            for operation in patch {
                apply(&mut integration, operation)?;
            }
            check(&integration, method)?;
            check_timeout(&integration, workspace.rest_api.settings.as_ref())?;
            method.method_integration = Some(integration.clone());
            Ok(integration)
        })
        .await
    }

    /// DeleteIntegration, with its responses.
    pub async fn delete_integration(
        &self,
        api: &str,
        resource: &str,
        verb: &str,
    ) -> Result<(), AppError> {
        self.change_method(api, resource, verb, |_, method: &mut Method| {
            method.method_integration.take().map(drop).ok_or(AppError::InvalidIntegration)
        })
        .await
    }
}

/// The integration a caller describes, with AWS's defaults.
fn integration(input: PutIntegration) -> Result<Integration, AppError> {
    let defaults = Integration::new(input.kind);
    Ok(Integration {
        http_method: input.http_method.filter(|verb| !verb.is_empty()),
        uri: input.uri.filter(|uri| !uri.is_empty()),
        // Shown for HTTP only, as recorded.
        connection_type: defaults
            .connection_type
            .map(|internet| input.connection_type.unwrap_or(internet)),
        connection_id: input.connection_id.filter(|id| !id.is_empty()),
        credentials: input.credentials.filter(|role| !role.is_empty()),
        request_parameters: input.request_parameters,
        request_templates: input.request_templates.map(nulled),
        passthrough_behavior: match input.passthrough_behavior.filter(|name| !name.is_empty()) {
            Some(name) => passthrough(&name)?,
            None => defaults.passthrough_behavior,
        },
        content_handling: input.content_handling,
        timeout_in_millis: match input.timeout_in_millis {
            Some(timeout) => timeout_ms(timeout),
            None => defaults.timeout_in_millis,
        },
        cache_namespace: input.cache_namespace.filter(|namespace| !namespace.is_empty()),
        cache_key_parameters: input.cache_key_parameters.unwrap_or_default(),
        tls_config: input.tls_config,
        response_transfer_mode: input.response_transfer_mode,
        integration_target: input.integration_target,
        ..defaults
    })
}

/// Empty templates are shown as `null`, as recorded.
pub(super) fn nulled(templates: Templates) -> Templates {
    templates.into_iter().map(|(key, text)| (key, text.filter(|text| !text.is_empty()))).collect()
}

fn passthrough(name: &str) -> Result<PassthroughBehavior, AppError> {
    PassthroughBehavior::from_name(&name.to_ascii_uppercase()).ok_or(AppError::InvalidEnumeration {
        what: "passthroughBehavior",
        options: PassthroughBehavior::ALL
            .iter()
            .map(|known| known.name())
            .collect::<Vec<_>>()
            .join(","),
    })
}

/// The time limit as it stands; [`check_timeout`] judges it.
fn timeout_ms(timeout: i64) -> u32 {
    u32::try_from(timeout.max(0)).unwrap_or(u32::MAX)
}

/// AWS's bounds, or those that the API's settings or a streamed answer allow.
pub(super) fn check_timeout(
    integration: &Integration,
    settings: Option<&ApiSettings>,
) -> Result<(), AppError> {
    let most = ApiSettings::max_timeout_ms(settings, integration);
    if (50..=most).contains(&integration.timeout_in_millis) {
        Ok(())
    } else {
        Err(AppError::InvalidTimeout { most })
    }
}

/// The rules between an integration's members. Source: `admin-api` section 3.
pub(super) fn check(integration: &Integration, method: &Method) -> Result<(), AppError> {
    match (&integration.http_method, integration.kind) {
        (_, IntegrationType::Mock) => {}
        (None, _) => return Err(AppError::EmptyIntegrationMethod),
        (Some(verb), _) if HttpMethod::from_name(verb).is_none() => {
            return Err(AppError::InvalidIntegrationMethod);
        }
        _ => {}
    }
    let uri = integration.uri.as_deref().unwrap_or_default();
    if integration.kind.is_http() && !has_http_scheme(uri) {
        return Err(AppError::InvalidHttpEndpoint);
    }
    if integration.kind.is_aws() {
        check_arn(uri, integration)?;
    }
    if let Some(map) = &integration.request_parameters {
        mapping::check_integration_request(map, method)?;
    }
    integration.request_templates.as_ref().map_or(Ok(()), mapping::check_templates)
}

fn has_http_scheme(uri: &str) -> bool {
    let rest = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty())
}

/// `arn:{partition}:apigateway:{region}:{subdomain.service|service}:{path|action}/{service_api}`.
fn check_arn(uri: &str, integration: &Integration) -> Result<(), AppError> {
    let mut parts = uri.splitn(6, ':');
    let arn = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    let (Some("arn"), Some(_), Some("apigateway"), Some(_), Some(service), Some(target)) = arn
    else {
        return Err(AppError::InvalidArn);
    };
    let path = target.strip_prefix("path/");
    if path.is_none() && !target.starts_with("action/") {
        return Err(AppError::ArnWithoutPath);
    }
    let lambda = service == "lambda" && path.is_some_and(|path| path.contains("/functions/"));
    match integration.kind {
        IntegrationType::AwsProxy if !lambda && service != "firehose" => {
            Err(AppError::UnsupportedAwsProxy)
        }
        IntegrationType::Aws if !lambda && integration.credentials.is_none() => {
            Err(AppError::RoleMissing)
        }
        _ => Ok(()),
    }
}

/// One step of UpdateIntegration. Source: `admin-api` section 6.1.
fn apply(integration: &mut Integration, operation: &PatchOperation) -> Result<(), AppError> {
    let parts = operation.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["requestParameters", key] => {
            operation.text_entry(
                &mut integration.request_parameters,
                key,
                AppError::InvalidParameterName,
            )?;
        }
        ["requestTemplates", key] => {
            let template = || Ok(operation.nullable());
            operation.entry(
                &mut integration.request_templates,
                key,
                template,
                AppError::ContentTypeNotFound,
            )?;
        }
        ["cacheKeyParameters", key] => match operation.op {
            PatchOp::Add if !integration.cache_key_parameters.iter().any(|known| known == key) => {
                integration.cache_key_parameters.push(key.to_owned());
            }
            PatchOp::Add => {}
            PatchOp::Remove => integration.cache_key_parameters.retain(|known| known != key),
            _ => return Err(operation.bad_path()),
        },
        _ => {
            operation.replace_only()?;
            scalar(integration, operation, &parts)?;
        }
    }
    Ok(())
}

fn scalar(
    integration: &mut Integration,
    operation: &PatchOperation,
    parts: &[&str],
) -> Result<(), AppError> {
    match *parts {
        ["uri"] => integration.uri = operation.nullable(),
        ["httpMethod"] => integration.http_method = operation.nullable(),
        ["credentials"] => integration.credentials = operation.nullable(),
        ["passthroughBehavior"] => {
            integration.passthrough_behavior = passthrough(operation.value()?)?;
        }
        ["contentHandling"] => {
            integration.content_handling = match operation.nullable() {
                Some(_) => Some(operation.one_of()?),
                None => None,
            };
        }
        ["connectionType"] => {
            let kind: ConnectionType = operation.one_of()?;
            integration.connection_type = integration.kind.is_http().then_some(kind);
        }
        ["connectionId"] => integration.connection_id = operation.nullable(),
        ["timeoutInMillis"] => {
            // What is no number is out of range.
            integration.timeout_in_millis = timeout_ms(operation.value()?.parse().unwrap_or(0));
        }
        ["cacheNamespace"] => integration.cache_namespace = operation.nullable(),
        ["tlsConfig", "insecureSkipVerification"] => {
            integration.tls_config =
                Some(TlsConfig { insecure_skip_verification: operation.flag() });
        }
        ["responseTransferMode"] => integration.response_transfer_mode = Some(operation.one_of()?),
        ["integrationTarget"] => integration.integration_target = operation.nullable(),
        _ => return Err(operation.bad_path()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_and_urls() {
        let lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:0:function:f/invocations";
        for (kind, uri, want) in [
            (IntegrationType::HttpProxy, "http://x", None),
            (IntegrationType::Http, "ftp://x", Some("Invalid HTTP endpoint specified for URI")),
            (IntegrationType::Http, "http://", Some("Invalid HTTP endpoint specified for URI")),
            (IntegrationType::AwsProxy, lambda, None),
            (IntegrationType::Aws, lambda, None),
            (IntegrationType::Aws, "http://x", Some("Invalid ARN specified in the request")),
            (
                IntegrationType::Aws,
                "arn:aws:apigateway:us-east-1:sqs:queue",
                Some("AWS ARN for integration must contain path or action"),
            ),
            (
                IntegrationType::Aws,
                "arn:aws:apigateway:us-east-1:sqs:path/0/q",
                Some("Role ARN must be specified for AWS integrations"),
            ),
            (
                IntegrationType::AwsProxy,
                "arn:aws:apigateway:us-east-1:sqs:path/0/q",
                Some(
                    "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
                ),
            ),
            (IntegrationType::Mock, "", None),
        ] {
            let mut integration = Integration::new(kind);
            integration.http_method = Some("POST".to_owned());
            integration.uri = Some(uri.to_owned());
            let method = Method::new(HttpMethod::Get, crate::model::AuthorizationType::None);
            let told = check(&integration, &method).err().map(|error| error.to_string());
            assert_eq!(told.as_deref(), want, "{kind} {uri}");
        }
    }
}
