//! A method to an operation: parameters, bodies, responses, integration.

use std::collections::BTreeSet;

use super::documentation::Place;
use super::extensions::texts;
use super::node::{Map, Node};
use super::{ExportError, ExportExtension, ExportType, Exporter};
use crate::model::{
    ConnectionType, DocumentationPartType, Integration, IntegrationResponse, Method,
    MethodResponse, Resource, StringMap, Templates,
};

/// The document's description of a body, by content type; the name of the model stands beside.
type Bodies<'m> = Vec<(&'m str, &'m str)>;

impl Exporter<'_> {
    pub(super) fn operation(
        &mut self,
        resource: &Resource,
        method: &Method,
    ) -> Result<Map, ExportError> {
        let verb = method.http_method.to_string();
        let place = Place::method(&resource.path, &verb);
        let body = self.bodies(method.request_models.as_ref());
        if body.is_empty() && method.request_models.as_ref().is_some_and(|map| !map.is_empty()) {
            let (verb, path) = (method.http_method, resource.path.clone());
            return Err(ExportError::NonJsonModels { verb, path });
        }
        let mut operation = Map::default();
        operation.put_some("operationId", method.operation_name.as_deref());
        if self.options.kind == ExportType::Swagger {
            put_types(&mut operation, "consumes", &consumes(method));
            put_types(&mut operation, "produces", &produces(method));
        }
        let mut parameters = self.parameters(method, &place);
        match self.options.kind {
            ExportType::Swagger => parameters.extend(self.body_parameter(&body, &place)),
            ExportType::Oas30 => {}
        }
        if !parameters.is_empty() {
            operation.put("parameters", parameters);
        }
        if self.options.kind == ExportType::Oas30 && !body.is_empty() {
            let place = Place { kind: DocumentationPartType::RequestBody, ..place };
            let mut shown = Map::default();
            shown.put("content", self.content(&body));
            shown.put("required", true);
            self.parts.document(&mut shown, &place, self.options.kind);
            operation.put("requestBody", shown);
        }
        operation.put("responses", self.responses(method, &place));
        let authorizer = method.authorizer_id.as_ref().and_then(|id| self.authorizer(id));
        let security = self.security.requirements(method, authorizer);
        if !security.is_empty() {
            operation.put("security", security);
        }
        if self.options.has(ExportExtension::Validators)
            && let Some(name) =
                method.request_validator_id.as_ref().and_then(|id| self.validator(id))
        {
            operation.put("x-amazon-apigateway-request-validator", name);
        }
        if self.options.has(ExportExtension::Integrations)
            && let Some(integration) = &method.method_integration
        {
            operation.put("x-amazon-apigateway-integration", shown(integration, resource));
        }
        if self.options.is_complete() {
            let mode = method.response_validation.map(|mode| mode.to_string());
            operation.put_some("x-tidegate-response-validation", mode);
        }
        self.parts.document(&mut operation, &place, self.options.kind);
        Ok(operation)
    }

    fn parameters(&self, method: &Method, place: &Place<'_>) -> Vec<Node> {
        let declared = method.request_parameters.iter().flatten();
        let read = declared.filter_map(|(key, required)| {
            let (location, name) = key.strip_prefix("method.request.")?.split_once('.')?;
            let (location, kind) = match location {
                "path" => ("path", DocumentationPartType::PathParameter),
                "querystring" => ("query", DocumentationPartType::QueryParameter),
                "header" => ("header", DocumentationPartType::RequestHeader),
                _ => return None,
            };
            let mut parameter = Map::from_iter([("name", name), ("in", location)]);
            // A parameter of the path cannot be left out.
            let required = *required || location == "path";
            match self.options.kind {
                ExportType::Swagger => {
                    parameter.put("required", required);
                    parameter.put("type", "string");
                }
                ExportType::Oas30 => {
                    if required {
                        parameter.put("required", true);
                    }
                    parameter.put("schema", Map::from_iter([("type", "string")]));
                }
            }
            let place = Place { kind, name: Some(name), ..*place };
            self.parts.document(&mut parameter, &place, self.options.kind);
            Some(Node::from(parameter))
        });
        read.collect()
    }

    /// Swagger describes one body for all content types; JSON's, where there are several.
    fn body_parameter(&mut self, body: &Bodies<'_>, place: &Place<'_>) -> Option<Node> {
        let model = preferred(body)?;
        let mut parameter = Map::from_iter([("in", "body"), ("name", model)]);
        parameter.put("required", true);
        parameter.put("schema", self.models.reference(model));
        let place = Place { kind: DocumentationPartType::RequestBody, ..*place };
        self.parts.document(&mut parameter, &place, self.options.kind);
        Some(parameter.into())
    }

    fn responses(&mut self, method: &Method, place: &Place<'_>) -> Map {
        let mut responses = Map::default();
        for (status, response) in &method.method_responses {
            let status = status.to_string();
            let place = Place { kind: DocumentationPartType::Response, status: &status, ..*place };
            let mut shown = Map::default();
            shown.put("description", format!("{status} response"));
            let bodies = self.bodies(response.response_models.as_ref());
            let headers = self.headers(response, &place);
            match self.options.kind {
                ExportType::Swagger => {
                    if let Some(model) = preferred(&bodies) {
                        shown.put("schema", self.models.reference(model));
                    }
                    shown.put_filled("headers", headers);
                }
                ExportType::Oas30 => {
                    shown.put_filled("headers", headers);
                    shown.put("content", self.content(&bodies));
                }
            }
            self.parts.document(&mut shown, &place, self.options.kind);
            responses.put(status.as_str(), shown);
        }
        responses
    }

    fn headers(&self, response: &MethodResponse, place: &Place<'_>) -> Map {
        let declared = response.response_parameters.iter().flatten();
        let read = declared.filter_map(|(key, _)| {
            let name = key.strip_prefix("method.response.header.")?;
            let kind = Map::from_iter([("type", "string")]);
            let mut header = match self.options.kind {
                ExportType::Swagger => kind,
                ExportType::Oas30 => Map::from_iter([("schema", kind)]),
            };
            let place =
                Place { kind: DocumentationPartType::ResponseHeader, name: Some(name), ..*place };
            self.parts.document(&mut header, &place, self.options.kind);
            Some((name, header))
        });
        read.collect()
    }

    fn content(&mut self, bodies: &Bodies<'_>) -> Map {
        let each = bodies.iter().map(|(media_type, model)| {
            (*media_type, Map::from_iter([("schema", self.models.reference(model))]))
        });
        each.collect()
    }

    /// Those of a method's models that a document can describe.
    fn bodies<'m>(&self, models: Option<&'m StringMap>) -> Bodies<'m> {
        let each = models.into_iter().flatten();
        each.filter(|(_, model)| self.models.is_json(model))
            .map(|(media_type, model)| (media_type.as_str(), model.as_str()))
            .collect()
    }
}

fn preferred<'m>(bodies: &Bodies<'m>) -> Option<&'m str> {
    let json = bodies.iter().find(|(media_type, _)| *media_type == "application/json");
    json.or_else(|| bodies.first()).map(|(_, model)| *model)
}

/// What the models of the body are for or, without a body, what is mapped, as recorded.
fn consumes(method: &Method) -> BTreeSet<&str> {
    let models: BTreeSet<&str> =
        method.request_models.iter().flatten().map(|(media_type, _)| media_type.as_str()).collect();
    if !models.is_empty() {
        return models;
    }
    let templates = method.method_integration.iter().flat_map(|it| &it.request_templates);
    templates.flatten().map(|(media_type, _)| media_type.as_str()).collect()
}

/// The same for responses.
fn produces(method: &Method) -> BTreeSet<&str> {
    let models = method.method_responses.values().flat_map(|response| &response.response_models);
    let models: BTreeSet<&str> =
        models.flatten().map(|(media_type, _)| media_type.as_str()).collect();
    if !models.is_empty() {
        return models;
    }
    let integration = method.method_integration.iter();
    let templates = integration
        .flat_map(|it| it.integration_responses.values())
        .flat_map(|response| &response.response_templates);
    templates.flatten().map(|(media_type, _)| media_type.as_str()).collect()
}

fn put_types(operation: &mut Map, key: &str, types: &BTreeSet<&str>) {
    if !types.is_empty() {
        let list: Vec<Node> = types.iter().map(|media_type| Node::from(*media_type)).collect();
        operation.put(key, list);
    }
}

/// The counterpart of what an import reads; what it would fill in by itself is left out, as recorded.
fn shown(integration: &Integration, resource: &Resource) -> Map {
    let mut shown = Map::default();
    shown.put_some("connectionId", integration.connection_id.as_deref());
    shown.put_some("credentials", integration.credentials.as_deref());
    shown.put_some("httpMethod", integration.http_method.as_deref());
    shown.put_some("uri", integration.uri.as_deref());
    let mut responses = Map::default();
    for response in integration.integration_responses.values() {
        let pattern = response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty());
        let pattern = pattern.unwrap_or("default");
        // A document has one response to a pattern, and the first to match is what counts.
        if !responses.has(pattern) {
            responses.put(pattern, shown_response(response));
        }
    }
    shown.put_filled("responses", responses);
    shown.put_some("requestParameters", integration.request_parameters.as_ref().map(map));
    shown.put_some("requestTemplates", integration.request_templates.as_ref().map(templates));
    shown.put(
        "passthroughBehavior",
        integration.passthrough_behavior.to_string().to_ascii_lowercase(),
    );
    if integration.connection_type == Some(ConnectionType::VpcLink) {
        shown.put("connectionType", ConnectionType::VpcLink.to_string());
    }
    if integration.timeout_in_millis != Integration::DEFAULT_TIMEOUT_MS {
        shown.put("timeoutInMillis", i64::from(integration.timeout_in_millis));
    }
    let namespace = integration.cache_namespace.as_deref();
    shown.put_some("cacheNamespace", namespace.filter(|name| *name != resource.id.as_str()));
    if !integration.cache_key_parameters.is_empty() {
        shown.put("cacheKeyParameters", texts(&integration.cache_key_parameters));
    }
    shown.put_some("contentHandling", integration.content_handling.map(|it| it.to_string()));
    if let Some(tls) = &integration.tls_config {
        let skip = ("insecureSkipVerification", tls.insecure_skip_verification);
        shown.put("tlsConfig", Map::from_iter([skip]));
    }
    shown.put_some(
        "responseTransferMode",
        integration.response_transfer_mode.map(|mode| mode.to_string()),
    );
    shown.put_some("integrationTarget", integration.integration_target.as_deref());
    shown.put("type", integration.kind.to_string().to_ascii_lowercase());
    shown
}

fn shown_response(response: &IntegrationResponse) -> Map {
    let mut shown = Map::default();
    shown.put("statusCode", response.status_code.to_string());
    shown.put_some("responseParameters", response.response_parameters.as_ref().map(map));
    shown.put_some("responseTemplates", response.response_templates.as_ref().map(templates));
    shown.put_some("contentHandling", response.content_handling.map(|it| it.to_string()));
    shown
}

fn map(texts: &StringMap) -> Map {
    texts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn templates(templates: &Templates) -> Map {
    let each = templates.iter();
    each.map(|(key, template)| (key.as_str(), template.as_deref().unwrap_or_default())).collect()
}
