//! An authorizer: who decides whether a request may pass.

use serde::{Deserialize, Serialize};

use super::AuthorizerId;
use super::wire::wire_enum;

/// An authorizer as GetAuthorizer shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    /// Chosen at creation.
    pub id: AuthorizerId,
    /// For people.
    pub name: String,
    /// What decides.
    #[serde(rename = "type")]
    pub kind: AuthorizerType,
    /// Cognito user pools.
    #[serde(rename = "providerARNs", skip_serializing_if = "Option::is_none")]
    pub provider_arns: Option<Vec<String>>,
    /// `custom` for Lambda, `cognito_user_pools` for Cognito; imports keep what the document says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
    /// The function's invocation ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_uri: Option<String>,
    /// The role that calls the function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_credentials: Option<String>,
    /// Where the caller's identity is read from: one or several comma-separated mapping expressions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_source: Option<String>,
    /// A regex on the token (TOKEN) or on `aud` (COGNITO_USER_POOLS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_validation_expression: Option<String>,
    /// How long a decision holds, 0..=3,600 s; 0 turns the cache off; absent means 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_result_ttl_in_seconds: Option<u32>,
    /// Issuers of a JWT authorizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt_configuration: Option<JwtConfiguration>,
}

/// Whose tokens a JWT authorizer takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JwtConfiguration {
    /// Unique by `issuer`.
    pub issuers: Vec<JwtIssuer>,
    /// Signature algorithms for all issuers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_algorithms: Option<Vec<JwtAlgorithm>>,
}

/// One issuer of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JwtIssuer {
    /// Equal to the claim `iss`, trailing slash included; https.
    pub issuer: String,
    /// One of these must be in `aud`.
    pub audiences: Vec<String>,
    /// Further claims a token must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_claims: Option<Vec<AdditionalClaim>>,
    /// Where the keys are, found by discovery; read-only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
}

/// A claim a token must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalClaim {
    /// Not one of iss, aud, exp, nbf, iat, scope, scp.
    pub claim_name: String,
    /// Shape of the claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ClaimFormat>,
    /// Whether a token without it is refused.
    #[serde(default)]
    pub required: bool,
    /// One exact value; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_values: Option<Vec<String>>,
}

wire_enum! {
    /// What decides whether a request may pass.
    AuthorizerType {
        Token = "TOKEN",
        Request = "REQUEST",
        CognitoUserPools = "COGNITO_USER_POOLS",
        Jwt = "JWT",
    }
}

impl AuthorizerType {
    /// `authType` of an authorizer that was not given one; none for JWT. Source: recorded answers of CreateAuthorizer.
    pub fn default_auth_type(self) -> Option<&'static str> {
        match self {
            Self::Token | Self::Request => Some("custom"),
            Self::CognitoUserPools => Some("cognito_user_pools"),
            Self::Jwt => None,
        }
    }
}

wire_enum! {
    /// Shape of a claim.
    ClaimFormat { SingleString = "SINGLE_STRING" }
}

wire_enum! {
    /// Signature algorithms of tokens.
    JwtAlgorithm {
        Rs256 = "RS256",
        Rs384 = "RS384",
        Rs512 = "RS512",
        Es256 = "ES256",
        Es384 = "ES384",
        Es512 = "ES512",
    }
}
