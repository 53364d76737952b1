//! Path items and operations to methods: verbs, authorization, validators, method responses.

use serde_json::Value;

use super::object::{Object, Reader};
use super::parameters;
use super::paths::Tree;
use super::schemas::Schemas;
use super::security::{Demand, Security};
use super::{Dialect, Imported, ImportedMethod, integrations};
use crate::model::{AuthorizationType, HttpMethod, Method, MethodResponse, StatusCode};

/// Reads operations against what the rest of the document has defined.
pub(super) struct Operations<'a, 'c> {
    root: &'c Object<'a>,
    dialect: Dialect,
    security: &'c Security,
    schemas: &'c mut Schemas<'a>,
    imported: &'c Imported,
}

/// What all operations of a document, or of a path item, have in common.
struct Shared<'a> {
    parameters: Vec<Object<'a>>,
    demand: Demand,
    validator: Option<String>,
}

impl<'a, 'c> Operations<'a, 'c> {
    pub(super) fn new(
        root: &'c Object<'a>,
        dialect: Dialect,
        security: &'c Security,
        schemas: &'c mut Schemas<'a>,
        imported: &'c Imported,
    ) -> Self {
        Self { root, dialect, security, schemas, imported }
    }

    /// Reads `paths` into the tree.
    pub(super) fn read(&mut self, base: &str, tree: &mut Tree, reader: &mut Reader<'a>) {
        let mut shared = Shared {
            parameters: Vec::new(),
            demand: self.security.demand(self.root, "security", reader).unwrap_or(Demand::NOTHING),
            validator: self.root.text("x-amazon-apigateway-request-validator", reader),
        };
        for (key, item) in self.root.objects("paths", reader) {
            let Some(path) = tree.add(base, key, reader) else { continue };
            let Some(item) = reader.resolve(item) else { continue };
            shared.parameters = item.list_of_objects("parameters", reader);
            for (name, value) in item.entries() {
                let Some(verb) = verb(name) else {
                    if name == "trace" {
                        reader.warn(format!("Method 'TRACE' on resource at path '{path}' is not supported. Ignoring."));
                    }
                    continue;
                };
                let at = format!("paths.'{key}'({name})");
                let Some(operation) = Object::at(value, at, reader) else { continue };
                let Some(method) = self.method(&path, verb, &operation, &shared, reader) else {
                    continue;
                };
                if !tree.insert(&path, verb, method) {
                    reader.error(format!(
                        "Unable to put method '{verb}' on resource at path '{path}': Method already exists for this \
                         resource"
                    ));
                }
            }
        }
    }

    fn method(
        &mut self,
        path: &str,
        verb: HttpMethod,
        operation: &Object<'a>,
        shared: &Shared<'a>,
        reader: &mut Reader<'a>,
    ) -> Option<ImportedMethod> {
        let place = format!("Unable to put method '{verb}' on resource at path '{path}'");
        let demand = self.demand(operation, shared, &place, reader);
        if demand.broken {
            return None;
        }
        let consumes = parameters::media_types("consumes", operation, self.root, reader);
        let request = parameters::read(
            self.dialect,
            &shared.parameters,
            operation,
            &consumes,
            &place,
            self.schemas,
            reader,
        );
        let request_validator = operation
            .text("x-amazon-apigateway-request-validator", reader)
            .or_else(|| shared.validator.clone());
        reader.spend(0, request_validator.as_ref().map_or(0, String::len));
        let validators = &self.imported.request_validators;
        if let Some(name) =
            request_validator.as_ref().filter(|name| !validators.contains_key(*name))
        {
            reader
                .error(format!("{place}: Invalid Request Validator identifier specified: {name}"));
        }
        let mut method = Method::new(verb, demand.authorization);
        method.api_key_required = demand.api_key;
        method.authorization_scopes = Some(demand.scopes).filter(|scopes| !scopes.is_empty());
        method.response_validation = operation.name("x-tidegate-response-validation", reader);
        method.operation_name = operation.text("operationId", reader);
        method.request_parameters = Some(request.parameters).filter(|map| !map.is_empty());
        method.request_models = Some(request.models).filter(|map| !map.is_empty());
        self.responses(operation, &place, &mut method, reader);
        method.method_integration = integrations::read(path, verb, operation, reader);
        Some(ImportedMethod { method, authorizer: demand.authorizer, request_validator })
    }

    /// An operation's own `security` replaces the document's; `x-amazon-apigateway-auth` says AWS_IAM over both, and
    /// NONE over the document's only. Source: `admin-api` sections 14 and 15.
    fn demand(
        &self,
        operation: &Object<'a>,
        shared: &Shared<'a>,
        place: &str,
        reader: &mut Reader<'a>,
    ) -> Demand {
        let own = self.security.demand(operation, place, reader);
        let scopes = &shared.demand.scopes;
        if own.is_none() && !reader.spend(scopes.len(), scopes.iter().map(String::len).sum()) {
            return Demand { broken: true, ..Demand::NOTHING };
        }
        let auth = operation.object("x-amazon-apigateway-auth", reader);
        let stated = auth.and_then(|auth| auth.name::<AuthorizationType>("type", reader));
        match (stated, own) {
            (Some(AuthorizationType::AwsIam), own) => {
                let api_key = own.unwrap_or_else(|| shared.demand.clone()).api_key;
                Demand { authorization: AuthorizationType::AwsIam, api_key, ..Demand::NOTHING }
            }
            (Some(AuthorizationType::None), None) => {
                Demand { api_key: shared.demand.api_key, ..Demand::NOTHING }
            }
            (_, Some(own)) => own,
            (_, None) => shared.demand.clone(),
        }
    }

    fn responses(
        &mut self,
        operation: &Object<'a>,
        place: &str,
        method: &mut Method,
        reader: &mut Reader<'a>,
    ) {
        let produces = parameters::media_types("produces", operation, self.root, reader);
        for (key, response) in operation.objects("responses", reader) {
            // Method responses have a status each; what `default` covers is the integration responses' affair.
            if key == "default" {
                continue;
            }
            let Some(status_code) = StatusCode::parse(key) else {
                reader.warn(format!(
                    "{place}: Response status code '{key}' is not supported. Ignoring."
                ));
                continue;
            };
            let Some(response) = reader.resolve(response) else { continue };
            let headers = response.object("headers", reader);
            let parameters = headers.map(|headers| {
                let names = headers
                    .entries()
                    .map(|(name, _)| name)
                    .take_while(|name| reader.spend(1, name.len()));
                names.map(|name| (format!("method.response.header.{name}"), false)).collect()
            });
            let models = match self.dialect {
                Dialect::OpenApi3 => parameters::content(&response, self.schemas, reader),
                Dialect::Swagger2 => {
                    let schema = response.object("schema", reader);
                    let model = schema
                        .and_then(|schema| self.schemas.model_for(&schema, reader))
                        .filter(|model| reader.spend(produces.len(), produces.len() * model.len()));
                    model
                        .into_iter()
                        .flat_map(|m| produces.iter().map(move |t| (t.clone(), m.clone())))
                        .collect()
                }
            };
            let response = MethodResponse {
                status_code,
                response_parameters: parameters,
                response_models: Some(models).filter(|map| !map.is_empty()),
            };
            method.method_responses.insert(status_code, response);
        }
    }
}

/// The verb of a path item's member; `None` for members that are no operation.
fn verb(name: &str) -> Option<HttpMethod> {
    Some(match name {
        "x-amazon-apigateway-any-method" => HttpMethod::Any,
        "delete" => HttpMethod::Delete,
        "get" => HttpMethod::Get,
        "head" => HttpMethod::Head,
        "options" => HttpMethod::Options,
        "patch" => HttpMethod::Patch,
        "post" => HttpMethod::Post,
        "put" => HttpMethod::Put,
        _ => return None,
    })
}

/// A status code as documents write it: three digits, as text or as a number.
pub(super) fn status_code(value: &Value) -> Option<StatusCode> {
    match value {
        Value::String(text) => StatusCode::parse(text),
        Value::Number(number) => StatusCode::new(u16::try_from(number.as_u64()?).ok()?),
        _ => None,
    }
}
