//! Export of a deployed configuration as a Swagger 2.0 or OpenAPI 3.0 document; a pure function.
//!
//! Members stand in the order of AWS's exports. With the extension `apigateway` a document holds everything an import
//! reads: importing it gives the same API, but for ids, the endpoint's placement, resources without methods and models
//! no method refers to; documentation that would change what is read stands in its extension only. Without it, schemas
//! are reduced to what the format knows, so that tools take the document.
//! Sources: `admin-api` section 14; API Gateway Developer Guide, "Export a REST API" and "Publish API documentation".

mod documentation;
mod extensions;
mod methods;
mod node;
mod schemas;
mod security;
mod yaml;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{
    AuthorizerId, DocumentationPart, DocumentationVersion, HttpMethod, RequestValidatorId,
    Snapshot, WireName, wire_enum,
};
use documentation::{Parts, Place};
pub use extensions::date;
use node::Map;
pub use node::Node;

wire_enum! {
    /// The format of a document.
    ExportType { Swagger = "swagger", Oas30 = "oas30" }
}

wire_enum! {
    /// What a document has beyond the standard.
    ExportExtension {
        /// Everything below.
        Apigateway = "apigateway",
        Authorizers = "authorizers",
        Documentation = "documentation",
        GatewayResponses = "gatewayresponses",
        Integrations = "integrations",
        /// Taken and without effect: Postman reads the documents as they are.
        Postman = "postman",
        Validators = "validators",
    }
}

/// What an export is asked for.
#[derive(Debug, Clone)]
pub struct ExportOptions<'a> {
    /// The format.
    pub kind: ExportType,
    /// What goes beyond it.
    pub extensions: BTreeSet<ExportExtension>,
    /// The host callers are told.
    pub host: String,
    /// The stage, which is the base path.
    pub stage: &'a str,
    /// `info.version`
    pub version: String,
    /// What the stage shows of the documentation, with its parts.
    pub documentation: Option<(&'a DocumentationVersion, &'a [DocumentationPart])>,
}

impl ExportOptions<'_> {
    fn has(&self, extension: ExportExtension) -> bool {
        self.extensions.contains(&extension) || self.is_complete()
    }

    /// Whether the document is meant to be imported again.
    fn is_complete(&self) -> bool {
        self.extensions.contains(&ExportExtension::Apigateway)
    }
}

/// Why an API cannot be exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Neither format can describe a body by anything but a JSON schema.
    #[error("Only found non-JSON body models for {verb} {path}")]
    NonJsonModels {
        /// The method's verb.
        verb: HttpMethod,
        /// Its resource.
        path: String,
    },
}

/// The document of a deployed configuration.
pub fn export(snapshot: &Snapshot, options: &ExportOptions<'_>) -> Result<Node, ExportError> {
    Exporter::new(snapshot, options).document()
}

/// An export under way.
struct Exporter<'a> {
    snapshot: &'a Snapshot,
    options: &'a ExportOptions<'a>,
    parts: Parts,
    models: schemas::Models<'a>,
    security: security::Schemes<'a>,
    validators: HashMap<&'a RequestValidatorId, String>,
}

impl<'a> Exporter<'a> {
    fn new(snapshot: &'a Snapshot, options: &'a ExportOptions<'a>) -> Self {
        let parts = options.documentation.map(|(_, parts)| parts).unwrap_or_default();
        let mut taken = BTreeSet::new();
        let validators = snapshot.request_validators.iter().map(|validator| {
            // Names need not be unique, but a document knows validators by nothing else.
            let name = validator.name.clone().unwrap_or_else(|| validator.id.to_string());
            let name =
                if taken.insert(name.clone()) { name } else { format!("{name}-{}", validator.id) };
            (&validator.id, name)
        });
        Self {
            validators: validators.collect(),
            parts: Parts::new(parts),
            models: schemas::Models::new(snapshot, options.kind, options.is_complete()),
            security: security::Schemes::new(snapshot),
            snapshot,
            options,
        }
    }

    fn document(mut self) -> Result<Node, ExportError> {
        let mut document = Map::default();
        match self.options.kind {
            ExportType::Swagger => {
                document.put("swagger", "2.0");
                document.put("info", self.info());
                document.put("host", self.options.host.as_str());
                document.put("basePath", format!("/{}", self.options.stage));
                document.put("schemes", vec![Node::from("https")]);
            }
            ExportType::Oas30 => {
                document.put("openapi", "3.0.1");
                document.put("info", self.info());
                document.put("servers", vec![self.server()]);
            }
        }
        document.put("paths", self.paths()?);
        let schemes = self.security_schemes();
        let models = self.models.definitions(&self.parts);
        match self.options.kind {
            ExportType::Swagger => {
                document.put_filled("securityDefinitions", schemes);
                document.put_filled("definitions", models);
            }
            ExportType::Oas30 => {
                let mut components = Map::default();
                components.put_filled("schemas", models);
                components.put_filled("securitySchemes", schemes);
                document.put("components", components);
            }
        }
        self.root_extensions(&mut document);
        Ok(document.into())
    }

    fn info(&self) -> Map {
        let api = &self.snapshot.rest_api;
        let mut info = Map::default();
        let description = api.description.as_deref();
        match self.options.kind {
            ExportType::Swagger => {
                info.put_some("description", description);
                info.put("version", self.options.version.as_str());
                info.put("title", api.name.as_str());
            }
            ExportType::Oas30 => {
                info.put("title", api.name.as_str());
                info.put_some("description", description);
                info.put("version", self.options.version.as_str());
            }
        }
        if !self.options.is_complete() {
            self.parts.document_info(&mut info);
        }
        info
    }

    fn server(&self) -> Node {
        let mut variable = Map::default();
        variable.put("default", self.options.stage);
        let mut variables = Map::default();
        variables.put("basePath", variable);
        let mut server = Map::default();
        server.put("url", format!("https://{}/{{basePath}}", self.options.host));
        server.put("variables", variables);
        server.into()
    }

    /// Resources with methods, in the order of their paths.
    fn paths(&mut self) -> Result<Map, ExportError> {
        let resources: BTreeMap<&str, _> = self
            .snapshot
            .resources
            .iter()
            .filter(|resource| !resource.resource_methods.is_empty())
            .map(|resource| (resource.path.as_str(), resource))
            .collect();
        let mut paths = Map::default();
        for (path, resource) in resources {
            let mut item = Map::default();
            for (verb, method) in &resource.resource_methods {
                let key = match verb {
                    // The one extension without which a method would be missing.
                    HttpMethod::Any => "x-amazon-apigateway-any-method".to_owned(),
                    verb => verb.name().to_ascii_lowercase(),
                };
                item.put(key, self.operation(resource, method)?);
            }
            self.parts.document(&mut item, &Place::resource(path), self.options.kind);
            paths.put(path, item);
        }
        Ok(paths)
    }

    /// Every authorizer where they are asked for, else those that methods name.
    fn security_schemes(&mut self) -> Map {
        let extended = self.options.has(ExportExtension::Authorizers);
        let mut schemes = self.security.definitions(extended);
        let names: Vec<&str> =
            self.snapshot.authorizers.iter().map(|known| known.name.as_str()).collect();
        for (name, scheme) in schemes.maps_mut().filter(|(name, _)| names.contains(name)) {
            self.parts.document(scheme, &Place::authorizer(name), self.options.kind);
        }
        schemes
    }

    fn validator(&self, id: &RequestValidatorId) -> Option<&str> {
        self.validators.get(id).map(String::as_str)
    }

    fn authorizer(&self, id: &AuthorizerId) -> Option<&'a crate::model::Authorizer> {
        self.snapshot.authorizers.iter().find(|authorizer| &authorizer.id == id)
    }
}

#[cfg(test)]
mod tests;
