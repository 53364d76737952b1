//! Extensions at the root of a document.

use serde_json::Value;

use super::node::{Map, Node};
use super::{ExportExtension, Exporter, documentation};
use crate::model::{ApiKeySource, Timestamp};

impl Exporter<'_> {
    /// The counterpart of what an import reads there. Where the API is placed is never exported, as on AWS.
    pub(super) fn root_extensions(&self, document: &mut Map) {
        let api = &self.snapshot.rest_api;
        if self.options.has(ExportExtension::GatewayResponses) {
            document
                .put_filled("x-amazon-apigateway-gateway-responses", self.gateway_responses(true));
            document.put_filled("x-tidegate-gateway-responses", self.gateway_responses(false));
        }
        if self.options.has(ExportExtension::Validators) {
            document
                .put_filled("x-amazon-apigateway-request-validators", self.request_validators());
        }
        if self.options.is_complete() {
            if api.api_key_source != ApiKeySource::Header {
                document.put("x-amazon-apigateway-api-key-source", api.api_key_source.to_string());
            }
            let policy = api.policy.as_deref();
            let policy: Option<Value> = policy.and_then(|text| serde_json::from_str(text).ok());
            document.put_some("x-amazon-apigateway-policy", policy);
            let types = api.binary_media_types.as_ref().map(|types| texts(types));
            document.put_some("x-amazon-apigateway-binary-media-types", types);
            document.put_some(
                "x-amazon-apigateway-minimum-compression-size",
                api.minimum_compression_size,
            );
            document.put_some(
                "x-amazon-apigateway-security-policy",
                api.security_policy.map(|policy| policy.to_string()),
            );
            document.put_some(
                "x-amazon-apigateway-endpoint-access-mode",
                api.endpoint_access_mode.map(|mode| mode.to_string()),
            );
            let settings = api.settings.as_ref().and_then(|all| serde_json::to_value(all).ok());
            document.put_some("x-tidegate-settings", settings);
        }
        if let Some((version, parts)) = self.options.documentation {
            if self.options.has(ExportExtension::Documentation) {
                let extension =
                    documentation::extension(version, parts, &date(version.created_date));
                document.put("x-amazon-apigateway-documentation", extension);
            }
            self.parts.document_root(document);
        }
    }

    /// Those of types that AWS has, or the others.
    fn gateway_responses(&self, aws: bool) -> Map {
        let all = self.snapshot.gateway_responses.iter();
        let each = all.filter(|one| one.response_type.is_aws() == aws).map(|response| {
            let mut shown = Map::default();
            shown.put_some("statusCode", response.status_code.map(|status| status.to_string()));
            let parameters: Map = response.response_parameters.clone().into_iter().collect();
            shown.put_filled("responseParameters", parameters);
            // None at all differs from the default one, which an import fills in.
            let templates: Map = response.response_templates.clone().into_iter().collect();
            shown.put("responseTemplates", templates);
            (response.response_type.to_string(), shown)
        });
        each.collect()
    }

    fn request_validators(&self) -> Map {
        let each = self.snapshot.request_validators.iter().filter_map(|validator| {
            let mut shown = Map::default();
            shown.put("validateRequestParameters", validator.validate_request_parameters);
            shown.put("validateRequestBody", validator.validate_request_body);
            Some((self.validator(&validator.id)?, shown))
        });
        each.collect()
    }
}

pub(super) fn texts(texts: &[String]) -> Vec<Node> {
    texts.iter().map(|text| Node::from(text.as_str())).collect()
}

/// `2016-11-22T22:41:40Z`, as AWS's exports have dates; seconds out of all calendars stay seconds.
pub fn date(at: Timestamp) -> String {
    let date = time::OffsetDateTime::from_unix_timestamp(at.0).ok();
    let text =
        date.and_then(|date| date.format(&time::format_description::well_known::Rfc3339).ok());
    text.unwrap_or_else(|| at.0.to_string())
}
