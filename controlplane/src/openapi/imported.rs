//! What an import yields: model values, with names in place of the identifiers that are drawn on creation.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::{
    ApiKeySource, ApiSettings, Authorizer, AuthorizerId, AuthorizerType, DocumentationPartLocation,
    EndpointAccessMode, EndpointType, GatewayResponse, HttpMethod, IpAddressType, JwtConfiguration,
    Method, Model, ModelId, RequestValidator, RequestValidatorId, ResponseType, SecurityPolicy,
    StringMap,
};

/// A document's content. An absent member says that the document does not speak of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// `info.title`
    pub name: Option<String>,
    /// `info.description`
    pub description: Option<String>,
    /// `info.version`
    pub version: Option<String>,
    /// Every path with its methods, base path applied, the intermediate ones and `/` among them without methods.
    ///
    /// In key order a parent comes before its children, so resources can be created while walking. Their
    /// `cacheNamespace` is absent unless the document sets one.
    pub paths: BTreeMap<String, BTreeMap<HttpMethod, ImportedMethod>>,
    /// By name.
    pub models: BTreeMap<String, ImportedModel>,
    /// By name.
    pub request_validators: BTreeMap<String, ImportedValidator>,
    /// By name, which is the security scheme's.
    pub authorizers: BTreeMap<String, ImportedAuthorizer>,
    /// Complete: what the document leaves out has AWS's default.
    pub gateway_responses: BTreeMap<ResponseType, GatewayResponse>,
    /// The resource policy as JSON text, its `execute-api:/` shorthands expanded to this API's ARN.
    pub policy: Option<String>,
    /// In document order.
    pub binary_media_types: Option<Vec<String>>,
    /// 0..=10,485,760 bytes.
    pub minimum_compression_size: Option<i64>,
    /// `x-amazon-apigateway-api-key-source`
    pub api_key_source: Option<ApiKeySource>,
    /// `x-amazon-apigateway-security-policy`
    pub security_policy: Option<SecurityPolicy>,
    /// `x-amazon-apigateway-endpoint-access-mode`
    pub endpoint_access_mode: Option<EndpointAccessMode>,
    /// `x-tidegate-settings`
    pub settings: Option<ApiSettings>,
    /// Where the API is placed.
    pub endpoint: ImportedEndpoint,
    /// Entries of `tags` that carry `x-amazon-apigateway-tag-value`.
    pub tags: Option<StringMap>,
    /// Parts of `x-amazon-apigateway-documentation` in document order; absent under `ignore=documentation`. The
    /// extension's `version` says which version was exported and means nothing to an import.
    pub documentation: Option<Vec<ImportedPart>>,
    /// What was left out or read in a way its author may not expect.
    pub warnings: Vec<String>,
}

impl Imported {
    /// How many methods the document has.
    pub fn method_count(&self) -> usize {
        self.paths.values().map(BTreeMap::len).sum()
    }
}

/// A method whose references are still names.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedMethod {
    /// Everything but `authorizerId` and `requestValidatorId`, which are absent. Models are named already.
    pub method: Method,
    /// A key of [`Imported::authorizers`].
    pub authorizer: Option<String>,
    /// A key of [`Imported::request_validators`].
    pub request_validator: Option<String>,
}

impl ImportedMethod {
    /// The method with its references, looked up by name.
    pub fn into_method(
        self,
        authorizer: impl FnOnce(&str) -> Option<AuthorizerId>,
        validator: impl FnOnce(&str) -> Option<RequestValidatorId>,
    ) -> Method {
        Method {
            authorizer_id: self.authorizer.as_deref().and_then(authorizer),
            request_validator_id: self.request_validator.as_deref().and_then(validator),
            ..self.method
        }
    }
}

/// A model without its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedModel {
    /// Letters and digits.
    pub name: String,
    /// The schema's own description.
    pub description: Option<String>,
    /// JSON schema as text; references to other models have AWS's URL form.
    pub schema: String,
    /// Always `application/json`.
    pub content_type: String,
}

impl ImportedModel {
    /// The model under its id.
    pub fn into_model(self, id: ModelId) -> Model {
        let Self { name, description, schema, content_type } = self;
        Model { id, name, description, schema: Some(schema), content_type }
    }
}

/// A request validator without its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedValidator {
    /// The key under which methods name it.
    pub name: String,
    /// Check the body against the method's models.
    pub validate_request_body: bool,
    /// Check that required parameters are there.
    pub validate_request_parameters: bool,
}

impl ImportedValidator {
    /// The validator under its id.
    pub fn into_validator(self, id: RequestValidatorId) -> RequestValidator {
        let Self { name, validate_request_body, validate_request_parameters } = self;
        RequestValidator {
            id,
            name: Some(name),
            validate_request_body,
            validate_request_parameters,
        }
    }
}

/// An authorizer without its id; members as in [`Authorizer`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ImportedAuthorizer {
    pub name: String,
    pub kind: AuthorizerType,
    pub provider_arns: Option<Vec<String>>,
    pub auth_type: Option<String>,
    pub authorizer_uri: Option<String>,
    pub authorizer_credentials: Option<String>,
    pub identity_source: Option<String>,
    pub identity_validation_expression: Option<String>,
    pub authorizer_result_ttl_in_seconds: Option<u32>,
    pub jwt_configuration: Option<JwtConfiguration>,
}

impl ImportedAuthorizer {
    /// The authorizer under its id.
    pub fn into_authorizer(self, id: AuthorizerId) -> Authorizer {
        Authorizer {
            id,
            name: self.name,
            kind: self.kind,
            provider_arns: self.provider_arns,
            auth_type: self.auth_type,
            authorizer_uri: self.authorizer_uri,
            authorizer_credentials: self.authorizer_credentials,
            identity_source: self.identity_source,
            identity_validation_expression: self.identity_validation_expression,
            authorizer_result_ttl_in_seconds: self.authorizer_result_ttl_in_seconds,
            jwt_configuration: self.jwt_configuration,
        }
    }
}

/// Where the API is placed, as far as the query and the document say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedEndpoint {
    /// From the query only; PutRestApi leaves the type as it is.
    pub kind: Option<EndpointType>,
    /// From the query, else from the document.
    pub vpc_endpoint_ids: Option<Vec<String>>,
    /// From the document.
    pub ip_address_type: Option<IpAddressType>,
    /// From the document.
    pub disable_execute_api_endpoint: Option<bool>,
}

/// A documentation part without its id.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedPart {
    /// What it is about; checked.
    pub location: DocumentationPartLocation,
    /// What it says.
    pub properties: Map<String, Value>,
}
