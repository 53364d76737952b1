//! Authorization of methods to security schemes and requirements.

use std::collections::{BTreeMap, BTreeSet};

use super::extensions::texts;
use super::node::{Map, Node};
use crate::model::{
    AuthorizationType, Authorizer, AuthorizerType, JwtConfiguration, Method, Snapshot,
};

/// The security schemes of a document: AWS's two own, named so that no authorizer has their names, and authorizers.
pub(super) struct Schemes<'a> {
    snapshot: &'a Snapshot,
    api_key: String,
    sigv4: String,
    used: BTreeSet<String>,
}

impl<'a> Schemes<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let free = |wanted: &str| {
            let mut name = wanted.to_owned();
            while snapshot.authorizers.iter().any(|authorizer| authorizer.name == name) {
                name.insert(0, '_');
            }
            name
        };
        Self { snapshot, api_key: free("api_key"), sigv4: free("sigv4"), used: BTreeSet::new() }
    }

    /// What a method asks of its caller; nothing for an open one.
    pub(super) fn requirements(
        &mut self,
        method: &Method,
        authorizer: Option<&Authorizer>,
    ) -> Vec<Node> {
        let mut required: BTreeMap<String, Vec<Node>> = BTreeMap::new();
        if method.authorization_type == AuthorizationType::AwsIam {
            required.insert(self.sigv4.clone(), Vec::new());
        } else if let Some(authorizer) = authorizer {
            let scopes = method.authorization_scopes.as_deref().unwrap_or_default();
            required.insert(authorizer.name.clone(), texts(scopes));
        }
        if method.api_key_required {
            required.insert(self.api_key.clone(), Vec::new());
        }
        self.used.extend(required.keys().cloned());
        required.into_iter().map(|entry| Node::from(Map::from_iter([entry]))).collect()
    }

    /// The schemes methods name, and with AWS's extensions all authorizers.
    pub(super) fn definitions(&self, extended: bool) -> Map {
        let mut schemes: BTreeMap<&str, Map> = BTreeMap::new();
        if self.used.contains(&self.api_key) {
            schemes.insert(&self.api_key, in_header("x-api-key"));
        }
        if self.used.contains(&self.sigv4) {
            let mut scheme = in_header("Authorization");
            if extended {
                scheme.put("x-amazon-apigateway-authtype", "awsSigv4");
            }
            schemes.insert(&self.sigv4, scheme);
        }
        for authorizer in &self.snapshot.authorizers {
            if extended || self.used.contains(&authorizer.name) {
                schemes.insert(&authorizer.name, scheme(authorizer, extended));
            }
        }
        schemes.into_iter().collect()
    }
}

fn in_header(name: &str) -> Map {
    Map::from_iter([("type", "apiKey"), ("name", name), ("in", "header")])
}

/// The header a caller is known by; AWS writes `Unused` where it is not one header alone.
fn header(authorizer: &Authorizer) -> Option<&str> {
    let source = authorizer.identity_source.as_deref()?;
    let name = source.strip_prefix("method.request.header.")?;
    (!name.is_empty() && !name.contains(',')).then_some(name)
}

fn scheme(authorizer: &Authorizer, extended: bool) -> Map {
    let header = header(authorizer);
    let mut scheme = in_header(header.unwrap_or("Unused"));
    if !extended {
        return scheme;
    }
    scheme.put_some("x-amazon-apigateway-authtype", authorizer.auth_type.as_deref());
    let mut extension = Map::default();
    let jwt = authorizer.jwt_configuration.as_ref().map(jwt);
    extension.put_some("jwtConfiguration", jwt);
    extension.put_some("providerARNs", authorizer.provider_arns.as_deref().map(texts));
    extension.put_some("authorizerUri", authorizer.authorizer_uri.as_deref());
    extension.put_some("authorizerCredentials", authorizer.authorizer_credentials.as_deref());
    extension.put_some(
        "authorizerResultTtlInSeconds",
        authorizer.authorizer_result_ttl_in_seconds.map(i64::from),
    );
    // Implied by the header, but for REQUEST, which may have several sources.
    if header.is_none() || authorizer.kind == AuthorizerType::Request {
        extension.put_some("identitySource", authorizer.identity_source.as_deref());
    }
    extension.put_some(
        "identityValidationExpression",
        authorizer.identity_validation_expression.as_deref(),
    );
    extension.put("type", authorizer.kind.to_string().to_ascii_lowercase());
    scheme.put("x-amazon-apigateway-authorizer", extension);
    scheme
}

/// Without what is read-only.
fn jwt(configuration: &JwtConfiguration) -> Node {
    let mut configuration = configuration.clone();
    for issuer in &mut configuration.issuers {
        issuer.jwks_uri = None;
    }
    let value = serde_json::to_value(&configuration);
    Node::from(value.expect("a model has string keys and no failing serializer"))
}
