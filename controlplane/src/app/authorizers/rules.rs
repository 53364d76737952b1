//! What each type of authorizer has, needs and refuses.
//!
//! Source: the service model, CreateAuthorizer and JwtConfigurationInput; `admin-api` section 10. AWS's texts are known
//! for the URI and for uniqueness; the others follow their style.

use std::collections::BTreeSet;

use super::source::{self, Source};
use crate::app::AppError;
use crate::model::{Authorizer, AuthorizerType, JwtConfiguration, JwtIssuer};

/// Fills in defaults, drops what the type does not read, and checks the rest.
pub(super) fn settle(authorizer: &mut Authorizer) -> Result<(), AppError> {
    let kind = authorizer.kind;
    if authorizer.auth_type.is_none() {
        authorizer.auth_type = kind.default_auth_type().map(str::to_owned);
    }
    match kind {
        AuthorizerType::Token | AuthorizerType::Request => {
            refuse_member(authorizer.jwt_configuration.is_some(), "jwtConfiguration", kind)?;
            authorizer.provider_arns = None;
            check_uri(authorizer.authorizer_uri.as_deref())?;
            check_credentials(authorizer)?;
        }
        AuthorizerType::CognitoUserPools => {
            refuse_member(authorizer.jwt_configuration.is_some(), "jwtConfiguration", kind)?;
            authorizer.authorizer_uri = None;
            check_providers(authorizer.provider_arns.as_deref().unwrap_or_default())?;
            check_credentials(authorizer)?;
        }
        AuthorizerType::Jwt => {
            let ttl = authorizer.authorizer_result_ttl_in_seconds;
            refuse_member(authorizer.authorizer_uri.is_some(), "authorizerUri", kind)?;
            refuse_member(
                authorizer.authorizer_credentials.is_some(),
                "authorizerCredentials",
                kind,
            )?;
            refuse_member(authorizer.provider_arns.is_some(), "providerARNs", kind)?;
            refuse_member(ttl.is_some(), "authorizerResultTtlInSeconds", kind)?;
            let configuration = authorizer.jwt_configuration.take();
            authorizer.jwt_configuration = Some(settled_jwt(configuration)?);
        }
    }
    check_identity_source(authorizer)?;
    if let Some(expression) = &authorizer.identity_validation_expression {
        validation(expression)?;
    }
    Ok(())
}

/// Drops what the authorizer has and its new type does not; the default `authType` follows the type.
pub(super) fn retype(authorizer: &mut Authorizer, kind: AuthorizerType) {
    if authorizer.auth_type.as_deref() == authorizer.kind.default_auth_type() {
        authorizer.auth_type = None;
    }
    authorizer.kind = kind;
    if kind != AuthorizerType::CognitoUserPools {
        authorizer.provider_arns = None;
    }
    if kind == AuthorizerType::Jwt {
        authorizer.authorizer_uri = None;
        authorizer.authorizer_credentials = None;
        authorizer.authorizer_result_ttl_in_seconds = None;
    } else {
        authorizer.jwt_configuration = None;
    }
}

/// Seconds a result may be reused, 0..=3,600.
pub(super) fn ttl(seconds: i64) -> Result<u32, AppError> {
    let seconds = u32::try_from(seconds).ok().filter(|seconds| *seconds <= 3600);
    seconds.ok_or(AppError::InvalidAuthorizerTtl)
}

/// The expression a token must match as a whole.
///
/// AWS runs Java's expressions; ours take linear time and refuse what cannot, such as look-around.
pub(super) fn validation(expression: &str) -> Result<regex::Regex, AppError> {
    let build =
        |text: &str| regex::RegexBuilder::new(text).size_limit(MAX_EXPRESSION_BYTES).build();
    // By itself first: an expression must not close the group around it.
    build(expression)
        .and_then(|_| build(&format!(r"\A(?:{expression})\z")))
        .map_err(|_| AppError::InvalidIdentityExpression { expression: expression.to_owned() })
}

fn refuse_member(there: bool, member: &'static str, kind: AuthorizerType) -> Result<(), AppError> {
    if there {
        Err(AppError::UnsupportedAuthorizerMember { member, kind: kind.to_string() })
    } else {
        Ok(())
    }
}

/// `arn:{partition}:apigateway:{region}:lambda:path/{version}/functions/{function}/invocations`; the function may hold
/// stage variables.
fn check_uri(uri: Option<&str>) -> Result<(), AppError> {
    let uri = uri.unwrap_or("null");
    let function = match uri.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", partition, "apigateway", region, "lambda", path]
            if !partition.is_empty() && !region.is_empty() =>
        {
            let rest = path.strip_prefix("path/").and_then(|path| path.split_once("/functions/"));
            rest.and_then(|(_, function)| function.strip_suffix("/invocations"))
        }
        _ => None,
    };
    match function {
        Some(function) if !function.is_empty() => Ok(()),
        _ => Err(AppError::InvalidAuthorizerUri { uri: uri.to_owned() }),
    }
}

/// The ARN of a role.
fn check_credentials(authorizer: &Authorizer) -> Result<(), AppError> {
    let Some(arn) = &authorizer.authorizer_credentials else { return Ok(()) };
    match arn.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", _, "iam", "", account, role]
            if !account.is_empty() && role.strip_prefix("role/").is_some_and(|r| !r.is_empty()) =>
        {
            Ok(())
        }
        _ => Err(AppError::InvalidArn),
    }
}

/// At least one `arn:{partition}:cognito-idp:{region}:{account}:userpool/{id}`.
fn check_providers(arns: &[String]) -> Result<(), AppError> {
    if arns.is_empty() {
        return Err(AppError::NoProviderArn);
    }
    let is_pool = |arn: &str| match arn.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", partition, "cognito-idp", region, account, pool] => {
            let id = pool.strip_prefix("userpool/").unwrap_or_default();
            [partition, region, account, id].iter().all(|part| !part.is_empty())
        }
        _ => false,
    };
    match arns.iter().find(|arn| !is_pool(arn)) {
        Some(arn) => Err(AppError::InvalidProviderArn { arn: arn.clone() }),
        None => Ok(()),
    }
}

fn check_identity_source(authorizer: &Authorizer) -> Result<(), AppError> {
    let text = authorizer.identity_source.as_deref();
    let invalid = |text: Option<&str>, wanted: &'static str| AppError::InvalidIdentitySource {
        text: text.unwrap_or("null").to_owned(),
        wanted,
    };
    if authorizer.kind != AuthorizerType::Request {
        let header = text.and_then(Source::parse);
        return match header {
            Some(Source::Header(_)) => Ok(()),
            _ => Err(invalid(text, "one request header: method.request.header.{name}")),
        };
    }
    let Some(list) = text else {
        return match authorizer.authorizer_result_ttl_in_seconds {
            Some(0) => Ok(()),
            _ => Err(AppError::IdentitySourceMissing),
        };
    };
    match source::expressions(list).find(|expression| Source::parse(expression).is_none()) {
        None => Ok(()),
        Some(bad) => Err(invalid(
            Some(bad),
            "a comma-separated list of method.request.header.{name}, method.request.querystring.{name}, \
             stageVariables.{name} and context.{name}",
        )),
    }
}

/// The configuration without what is read-only; everything that is wrong with it is told at once.
fn settled_jwt(configuration: Option<JwtConfiguration>) -> Result<JwtConfiguration, AppError> {
    let invalid =
        |reasons: Vec<String>| AppError::InvalidJwtConfiguration { reasons: reasons.join("; ") };
    let Some(mut configuration) = configuration else {
        return Err(invalid(vec!["jwtConfiguration is required for JWT authorizers".to_owned()]));
    };
    let mut reasons = Vec::new();
    if configuration.issuers.is_empty() {
        reasons.push("at least one issuer is required".to_owned());
    }
    if configuration.default_algorithms.as_ref().is_none_or(Vec::is_empty) {
        reasons.push("at least one of defaultAlgorithms is required".to_owned());
    }
    let mut seen = BTreeSet::new();
    for issuer in &mut configuration.issuers {
        if !seen.insert(issuer.issuer.clone()) {
            reasons.push(format!("issuer '{}' is not unique", issuer.issuer));
        }
        check_issuer(issuer, &mut reasons);
        issuer.jwks_uri = None;
        issuer.additional_claims = issuer.additional_claims.take().filter(|all| !all.is_empty());
    }
    if reasons.is_empty() { Ok(configuration) } else { Err(invalid(reasons)) }
}

fn check_issuer(issuer: &JwtIssuer, reasons: &mut Vec<String>) {
    let name = &issuer.issuer;
    if !is_issuer(name) {
        reasons.push(format!(
            "issuer '{name}' is not an absolute https URL without user information, query and fragment"
        ));
    }
    if issuer.audiences.is_empty() || issuer.audiences.iter().any(String::is_empty) {
        reasons.push(format!("issuer '{name}' needs audiences, none of them empty"));
    }
    let mut seen = BTreeSet::new();
    for claim in issuer.additional_claims.iter().flatten() {
        let claim_name = claim.claim_name.as_str();
        if claim_name.is_empty() || RESERVED_CLAIMS.contains(&claim_name) {
            reasons.push(format!("claim '{claim_name}' of issuer '{name}' cannot be configured"));
        }
        if !seen.insert(claim_name) {
            reasons.push(format!("claim '{claim_name}' of issuer '{name}' is not unique"));
        }
        if claim.format.is_none() {
            reasons.push(format!("claim '{claim_name}' of issuer '{name}' needs a format"));
        }
        if let Some(values) = &claim.expected_values
            && !matches!(&values[..], [value] if !value.is_empty())
        {
            reasons.push(format!(
                "claim '{claim_name}' of issuer '{name}' takes one expected value that is not empty"
            ));
        }
    }
}

/// An absolute https URL with a host and without user information, query and fragment.
fn is_issuer(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    !host.is_empty()
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
        && rest.bytes().all(|b| b.is_ascii_graphic() && !b"?#@\\\"<>^`{|}".contains(&b))
}

/// Claims with a meaning of their own. Source: the service model, JwtAdditionalClaim.
const RESERVED_CLAIMS: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "scope", "scp"];

/// Memory a validation expression may take compiled.
const MAX_EXPRESSION_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AdditionalClaim, AuthorizerId, ClaimFormat, JwtAlgorithm};

    /// An authorizer that fits its type.
    fn fit(kind: AuthorizerType) -> Authorizer {
        let text = |text: &str| Some(text.to_owned());
        let is_lambda = matches!(kind, AuthorizerType::Token | AuthorizerType::Request);
        let pools = kind == AuthorizerType::CognitoUserPools;
        Authorizer {
            id: AuthorizerId::parse("abc123").unwrap(),
            name: "a".to_owned(),
            kind,
            provider_arns: pools.then(|| vec![POOL.to_owned()]),
            auth_type: None,
            authorizer_uri: text(URI).filter(|_| is_lambda),
            authorizer_credentials: None,
            identity_source: text("method.request.header.Auth"),
            identity_validation_expression: None,
            authorizer_result_ttl_in_seconds: None,
            jwt_configuration: (kind == AuthorizerType::Jwt).then(jwt),
        }
    }

    fn jwt() -> JwtConfiguration {
        JwtConfiguration {
            issuers: vec![JwtIssuer {
                issuer: "https://issuer.test/".to_owned(),
                audiences: vec!["a".to_owned()],
                additional_claims: None,
                jwks_uri: None,
            }],
            default_algorithms: Some(vec![JwtAlgorithm::Rs256]),
        }
    }

    fn check(kind: AuthorizerType, change: impl Fn(&mut Authorizer), want: Result<(), &str>) {
        let mut authorizer = fit(kind);
        change(&mut authorizer);
        let found = settle(&mut authorizer).map_err(|error| error.to_string());
        assert_eq!(found, want.map_err(str::to_owned), "{kind}");
    }

    const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                       arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.f}/invocations";
    const POOL: &str = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a";
    const TYPES: [AuthorizerType; 4] = [
        AuthorizerType::Token,
        AuthorizerType::Request,
        AuthorizerType::CognitoUserPools,
        AuthorizerType::Jwt,
    ];

    #[test]
    fn types_have_defaults() {
        for (kind, want) in TYPES.into_iter().zip([
            Some("custom"),
            Some("custom"),
            Some("cognito_user_pools"),
            None,
        ]) {
            let mut authorizer = fit(kind);
            settle(&mut authorizer).unwrap();
            assert_eq!(authorizer.auth_type.as_deref(), want);
            for other in TYPES {
                let mut changed = authorizer.clone();
                retype(&mut changed, other);
                let mut wanted = fit(other);
                changed.provider_arns = changed.provider_arns.or(wanted.provider_arns.clone());
                changed.authorizer_uri = changed.authorizer_uri.or(wanted.authorizer_uri.clone());
                changed.jwt_configuration =
                    changed.jwt_configuration.or(wanted.jwt_configuration.clone());
                settle(&mut changed).unwrap();
                settle(&mut wanted).unwrap();
                assert_eq!(changed, wanted, "{kind} to {other}");
            }
        }
    }

    #[test]
    fn functions() {
        for kind in [AuthorizerType::Token, AuthorizerType::Request] {
            for uri in [
                "",
                "null",
                "https://a.test/",
                "arn:aws:lambda:us-east-1:000000000000:function:f",
                "arn:aws:apigateway::lambda:path/2015-03-31/functions/f/invocations",
                "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions//invocations",
                "arn:aws:apigateway:us-east-1:s3:path/2015-03-31/functions/f/invocations",
            ] {
                let want = format!(
                    "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that \
                     represents a Lambda function invocation."
                );
                check(kind, |a| a.authorizer_uri = Some(uri.to_owned()), Err(&want));
            }
            check(kind, |a| a.provider_arns = Some(Vec::new()), Ok(()));
            let role = |role: &str| Some(role.to_owned());
            check(
                kind,
                |a| a.authorizer_credentials = role("arn:aws:iam::000000000000:role/a/b"),
                Ok(()),
            );
            check(
                kind,
                |a| a.authorizer_credentials = role("arn:aws:iam::000000000000:user/a"),
                Err("Invalid ARN specified in the request"),
            );
            check(
                kind,
                |a| a.jwt_configuration = Some(jwt()),
                Err(&format!("jwtConfiguration is not supported for {kind} authorizers")),
            );
        }
    }

    #[test]
    fn user_pools() {
        let kind = AuthorizerType::CognitoUserPools;
        for arns in [None, Some(Vec::new())] {
            let want = Err("At least one provider ARN is required");
            check(kind, |a| a.provider_arns.clone_from(&arns), want);
        }
        for arn in ["", "arn:aws:cognito-idp:us-east-1:0:userpool/", "arn:aws:iam::0:userpool/a"] {
            let want = format!(
                "Invalid provider ARN specified: {arn}. Provider ARN should be a valid Cognito user pool ARN"
            );
            let arns = vec![POOL.to_owned(), arn.to_owned()];
            check(kind, |a| a.provider_arns = Some(arns.clone()), Err(&want));
        }
    }

    #[test]
    fn identity_sources() {
        let one = "one request header: method.request.header.{name}";
        let list = "a comma-separated list of method.request.header.{name}, \
                    method.request.querystring.{name}, stageVariables.{name} and context.{name}";
        let refused = |text: &str, wanted: &str| {
            format!("Invalid identity source specified: {text}. Identity source must be {wanted}")
        };
        for kind in TYPES {
            let is_list = kind == AuthorizerType::Request;
            for (source, alone, listed) in [
                ("method.request.header.Auth", true, true),
                ("method.request.querystring.a", false, true),
                ("stageVariables.a", false, true),
                ("context.identity.sourceIp", false, true),
                ("method.request.header.", false, false),
                ("method.request.header.a b", false, false),
                ("method.request.path.a", false, false),
                ("'a'", false, false),
            ] {
                let (fits, wanted) = if is_list { (listed, list) } else { (alone, one) };
                let want = refused(source, wanted);
                let want = if fits { Ok(()) } else { Err(want.as_str()) };
                check(kind, |a| a.identity_source = Some(source.to_owned()), want);
            }
            let two = "method.request.header.A, method.request.header.B";
            let want = refused(two, one);
            let want = if is_list { Ok(()) } else { Err(want.as_str()) };
            check(kind, |a| a.identity_source = Some(two.to_owned()), want);
            let want = refused("null", one);
            let want = if is_list {
                Err(
                    "Identity source must be set if authorizer caching is enabled (TTL is greater than 0)",
                )
            } else {
                Err(want.as_str())
            };
            check(kind, |a| a.identity_source = None, want);
        }
        let uncached = |a: &mut Authorizer| {
            a.identity_source = None;
            a.authorizer_result_ttl_in_seconds = Some(0);
        };
        check(AuthorizerType::Request, uncached, Ok(()));
    }

    #[test]
    fn expressions_and_ttl() {
        let hostile = "(".repeat(100_000);
        for (expression, fits) in [
            ("[a-z]+", true),
            ("[", false),
            ("(?=a)", false),
            ("a)|(b", false),
            ("((a{100}){100}){100}", false),
            (&hostile, false),
        ] {
            let want = format!("Invalid identity validation expression specified: {expression}");
            let want = if fits { Ok(()) } else { Err(want.as_str()) };
            let change =
                |a: &mut Authorizer| a.identity_validation_expression = Some(expression.to_owned());
            check(AuthorizerType::Token, change, want);
        }
        assert!(validation("a|ab").unwrap().is_match("ab"));
        for (seconds, want) in [(0, Some(0)), (3600, Some(3600)), (3601, None), (-1, None)] {
            assert_eq!(ttl(seconds).ok(), want);
        }
    }

    #[test]
    fn issuers() {
        let kind = AuthorizerType::Jwt;
        check(
            kind,
            |a| a.jwt_configuration = None,
            Err(
                "Invalid JWT configuration specified: jwtConfiguration is required for JWT authorizers",
            ),
        );
        let unsupported = |member: &str| format!("{member} is not supported for JWT authorizers");
        let want = unsupported("authorizerUri");
        check(kind, |a| a.authorizer_uri = Some(URI.to_owned()), Err(&want));
        let want = unsupported("authorizerCredentials");
        check(kind, |a| a.authorizer_credentials = Some("a".to_owned()), Err(&want));
        let want = unsupported("providerARNs");
        check(kind, |a| a.provider_arns = Some(vec![POOL.to_owned()]), Err(&want));
        let want = unsupported("authorizerResultTtlInSeconds");
        check(kind, |a| a.authorizer_result_ttl_in_seconds = Some(0), Err(&want));
        for (url, want) in [
            ("https://a.test", true),
            ("https://a.test:8443/tenant/", true),
            ("https://[::1]/", true),
            ("http://a.test", false),
            ("https://", false),
            ("https:///a", false),
            ("https://:443/", false),
            ("https://a.test:port/", false),
            ("https://user@a.test/", false),
            ("https://a.test/?q", false),
            ("https://a.test/#f", false),
            ("https://a.test/a b", false),
            ("https://a.test/\u{0}", false),
        ] {
            assert_eq!(is_issuer(url), want, "{url}");
        }
        let claim = |name: &str, values: &[&str]| AdditionalClaim {
            claim_name: name.to_owned(),
            format: Some(ClaimFormat::SingleString),
            required: false,
            expected_values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
        };
        let mut issuer = jwt().issuers.remove(0);
        issuer.audiences.push(String::new());
        issuer.additional_claims = Some(vec![
            AdditionalClaim { format: None, ..claim("a", &["b"]) },
            claim("a", &[]),
            claim("exp", &["a", "b"]),
        ]);
        let wrong = JwtConfiguration {
            issuers: vec![issuer.clone(), JwtIssuer { additional_claims: None, ..issuer }],
            default_algorithms: None,
        };
        let it = "issuer 'https://issuer.test/'";
        let value = "takes one expected value that is not empty";
        check(
            kind,
            |a| a.jwt_configuration = Some(wrong.clone()),
            Err(&format!(
                "Invalid JWT configuration specified: at least one of defaultAlgorithms is required; \
                 {it} needs audiences, none of them empty; claim 'a' of {it} needs a format; \
                 claim 'a' of {it} is not unique; claim 'a' of {it} {value}; \
                 claim 'exp' of {it} cannot be configured; claim 'exp' of {it} {value}; \
                 {it} is not unique; {it} needs audiences, none of them empty"
            )),
        );
        let mut authorizer = fit(kind);
        let configuration = authorizer.jwt_configuration.as_mut().unwrap();
        configuration.issuers[0].jwks_uri = Some("https://a.test/".to_owned());
        configuration.issuers[0].additional_claims = Some(Vec::new());
        settle(&mut authorizer).unwrap();
        assert_eq!(authorizer.jwt_configuration, Some(jwt()));
    }
}
