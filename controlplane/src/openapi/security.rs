//! Security schemes to authorizers, and requirements to what a method asks of its caller.

use std::collections::BTreeMap;

use serde_json::Value;

use super::object::{Object, Reader};
use super::{Dialect, ImportedAuthorizer};
use crate::model::{AuthorizationType, AuthorizerType, JwtConfiguration, JwtIssuer};

/// What one security scheme means to a method.
enum Scheme {
    Authorizer(AuthorizationType),
    Iam,
    ApiKey,
    /// Its author meant it as an authorizer and did not say which one.
    Broken,
    /// A scheme AWS has no counterpart for.
    Ignored,
}

/// The security schemes of a document.
pub(super) struct Security {
    schemes: BTreeMap<String, Scheme>,
    authorizers: BTreeMap<String, ImportedAuthorizer>,
}

/// What a method asks of its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) authorization: AuthorizationType,
    pub(super) authorizer: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) api_key: bool,
    /// The method must not be created: it would be open where its author asked for an authorizer.
    pub(super) broken: bool,
}

impl Demand {
    pub(super) const NOTHING: Self = Self {
        authorization: AuthorizationType::None,
        authorizer: None,
        scopes: Vec::new(),
        api_key: false,
        broken: false,
    };
}

impl Security {
    pub(super) fn read<'a>(root: &Object<'a>, dialect: Dialect, reader: &mut Reader<'a>) -> Self {
        let found = match dialect {
            Dialect::Swagger2 => root.objects("securityDefinitions", reader),
            Dialect::OpenApi3 => {
                let components = root.object("components", reader);
                components.map(|c| c.objects("securitySchemes", reader)).unwrap_or_default()
            }
        };
        let mut security = Self { schemes: BTreeMap::new(), authorizers: BTreeMap::new() };
        for (name, scheme) in found {
            if let Some(scheme) = reader.resolve(scheme) {
                security.add(name, &scheme, reader);
            }
        }
        security
    }

    pub(super) fn into_authorizers(self) -> BTreeMap<String, ImportedAuthorizer> {
        self.authorizers
    }

    /// Source: `admin-api` section 14, "Security requirement on an operation", and 15.
    fn add(&mut self, name: &str, scheme: &Object<'_>, reader: &mut Reader<'_>) {
        let auth_type = scheme.text("x-amazon-apigateway-authtype", reader);
        let kind = scheme.text("type", reader).unwrap_or_default();
        let header = scheme.text("name", reader).unwrap_or_default();
        let in_header = kind == "apiKey" && scheme.text("in", reader).as_deref() == Some("header");
        let meaning = if auth_type
            .as_deref()
            .is_some_and(|text| text.eq_ignore_ascii_case("awsSigv4"))
        {
            Scheme::Iam
        } else if scheme.has("x-amazon-apigateway-authorizer") {
            match authorizer(name, scheme, auth_type, in_header.then_some(header.as_str()), reader)
            {
                Some(authorizer) => {
                    let authorization = match authorizer.kind {
                        AuthorizerType::CognitoUserPools => AuthorizationType::CognitoUserPools,
                        AuthorizerType::Jwt => AuthorizationType::Jwt,
                        AuthorizerType::Token | AuthorizerType::Request => {
                            AuthorizationType::Custom
                        }
                    };
                    self.authorizers.insert(name.to_owned(), authorizer);
                    Scheme::Authorizer(authorization)
                }
                None => Scheme::Broken,
            }
        } else if auth_type.is_some() {
            reader.warn(format!(
                "Unable to create authorizer from security definition: '{name}'. Extension \
                 x-amazon-apigateway-authorizer is required. Any methods with security: '{name}' will not be created. \
                 If this security definition is not a custom authorizer, remove the x-amazon-apigateway-authtype \
                 extension and it will be ignored."
            ));
            Scheme::Broken
        } else if in_header && header.eq_ignore_ascii_case("x-api-key") {
            Scheme::ApiKey
        } else {
            Scheme::Ignored
        };
        self.schemes.insert(name.to_owned(), meaning);
    }

    /// What a `security` list demands. Its alternatives are demanded together, since a method has one
    /// authorization type: more is asked than the document says, never less.
    pub(super) fn demand(
        &self,
        owner: &Object<'_>,
        place: &str,
        reader: &mut Reader<'_>,
    ) -> Option<Demand> {
        owner.get("security")?;
        let mut demand = Demand::NOTHING;
        for alternative in owner.list_of_objects("security", reader) {
            for (name, _) in alternative.entries() {
                let scopes = alternative.texts(name, reader).unwrap_or_default();
                self.apply(name, scopes, &mut demand, place, reader);
            }
        }
        Some(demand)
    }

    fn apply(
        &self,
        name: &str,
        scopes: Vec<String>,
        demand: &mut Demand,
        place: &str,
        reader: &mut Reader<'_>,
    ) {
        let (authorization, authorizer) = match self.schemes.get(name) {
            // Left out, a misspelt name would leave the method open.
            None => {
                return reader.error(format!("{place}: Security definition '{name}' not found."));
            }
            Some(Scheme::ApiKey) => {
                demand.api_key = true;
                return;
            }
            Some(Scheme::Broken) => {
                demand.broken = true;
                return;
            }
            Some(Scheme::Ignored) => {
                return reader.warn(format!(
                    "Security definition '{name}' has no API Gateway counterpart. Ignoring; methods that name only it \
                     are open."
                ));
            }
            Some(Scheme::Iam) => (AuthorizationType::AwsIam, None),
            Some(Scheme::Authorizer(authorization)) => (*authorization, Some(name.to_owned())),
        };
        let same = demand.authorization == authorization && demand.authorizer == authorizer;
        if demand.authorization == AuthorizationType::None || same {
            demand.authorization = authorization;
            demand.authorizer = authorizer;
            demand
                .scopes
                .extend(scopes.into_iter().filter(|_| authorization != AuthorizationType::AwsIam));
        } else {
            reader.warn(format!(
                "{place}: A method has one authorizer. Ignoring security definition '{name}'."
            ));
        }
    }
}

fn authorizer(
    name: &str,
    scheme: &Object<'_>,
    auth_type: Option<String>,
    header: Option<&str>,
    reader: &mut Reader<'_>,
) -> Option<ImportedAuthorizer> {
    let extension = scheme.object("x-amazon-apigateway-authorizer", reader)?;
    let refuse = |why: &str, reader: &mut Reader<'_>| {
        reader.error(format!(
            "Unable to create authorizer from security definition: '{name}'. {why}"
        ));
        None
    };
    if !extension.has("type") {
        return refuse("Authorizer type is required.", reader);
    }
    let kind: AuthorizerType = extension.name("type", reader)?;
    let is_lambda = matches!(kind, AuthorizerType::Token | AuthorizerType::Request);
    let authorizer_uri = extension.text("authorizerUri", reader);
    if is_lambda && authorizer_uri.is_none() {
        return refuse("Authorizer uri is required.", reader);
    }
    let provider_arns = extension.texts("providerARNs", reader);
    if kind == AuthorizerType::CognitoUserPools && provider_arns.as_ref().is_none_or(Vec::is_empty)
    {
        return refuse("At least one provider ARN is required.", reader);
    }
    let ttl = extension.integer("authorizerResultTtlInSeconds", reader);
    let authorizer_result_ttl_in_seconds = match ttl.map(u32::try_from) {
        None => None,
        Some(Ok(seconds @ 0..=3600)) => Some(seconds),
        Some(_) => return refuse("Authorizer result TTL must be between 0 and 3600.", reader),
    };
    // `Unused` is what AWS exports as the header of an authorizer with several sources.
    let from_header =
        header.filter(|header| !header.is_empty() && !header.eq_ignore_ascii_case("unused"));
    let identity_source = extension.text("identitySource", reader).or_else(|| {
        let header = from_header.filter(|_| kind != AuthorizerType::Request)?;
        Some(format!("method.request.header.{header}"))
    });
    let jwt_configuration =
        if kind == AuthorizerType::Jwt { jwt(&extension, reader) } else { None };
    Some(ImportedAuthorizer {
        name: name.to_owned(),
        kind,
        provider_arns: provider_arns.filter(|_| kind == AuthorizerType::CognitoUserPools),
        auth_type: auth_type.or(kind.default_auth_type().map(str::to_owned)),
        authorizer_uri: authorizer_uri.filter(|_| is_lambda),
        authorizer_credentials: extension.text("authorizerCredentials", reader),
        identity_source,
        identity_validation_expression: extension.text("identityValidationExpression", reader),
        authorizer_result_ttl_in_seconds,
        jwt_configuration,
    })
}

/// `jwtConfiguration` as REST APIs have it (`issuers`), or as HTTP APIs do (`issuer`, `audience`).
fn jwt(extension: &Object<'_>, reader: &mut Reader<'_>) -> Option<JwtConfiguration> {
    let configuration = extension.object("jwtConfiguration", reader)?;
    if let Some(issuer) = configuration.get("issuer").and_then(Value::as_str) {
        let audiences = configuration.texts("audience", reader).unwrap_or_default();
        let issuer = JwtIssuer {
            issuer: issuer.to_owned(),
            audiences,
            additional_claims: None,
            jwks_uri: None,
        };
        return Some(JwtConfiguration { issuers: vec![issuer], default_algorithms: None });
    }
    match serde_json::from_value(configuration.to_value()) {
        Ok(configuration) => Some(configuration),
        Err(error) => {
            reader.error(format!("attribute {} is invalid: {error}", configuration.place()));
            None
        }
    }
}
