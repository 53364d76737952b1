//! TestInvokeAuthorizer: what an authorizer would make of a request.
//!
//! What AWS decides before it calls anyone is decided here: identity sources, the validation expression, the form of
//! tokens. This release calls no Lambda functions and verifies no tokens, and says so where AWS would.

use std::borrow::Cow;
use std::time::{Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use time::macros::format_description;

use super::source::{self, Source};
use super::{find, rules};
use crate::app::{App, AppError};
use crate::model::{Authorizer, AuthorizerType, StringMap};

/// The request a test pretends to have received. AWS takes a body too; no decision reads it.
#[derive(Debug, Clone, Default)]
pub struct TestInvokeAuthorizer {
    /// Names in any case, more than once where a header has several values.
    pub headers: Vec<(String, String)>,
    /// Path and query, percent-encoded.
    pub path_with_query_string: String,
    /// Of the stage the request pretends to be sent to.
    pub stage_variables: StringMap,
    /// Context variables by name, without `context.`.
    pub additional_context: StringMap,
}

/// What the authorizer made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestedAuthorizer {
    /// The status the caller would have got. AWS says 0 for one that may pass.
    pub client_status: u16,
    /// Lines as AWS's execution log has them, each ended.
    pub log: String,
    /// How long it took.
    pub latency_ms: u64,
}

impl App {
    /// TestInvokeAuthorizer. Nothing is called.
    pub async fn test_invoke_authorizer(
        &self,
        api: &str,
        authorizer: &str,
        input: &TestInvokeAuthorizer,
    ) -> Result<TestedAuthorizer, AppError> {
        let start = Instant::now();
        let workspace = self.workspace(api).await?;
        let authorizer = find(&workspace, authorizer)?;
        let request_id = uuid::Uuid::new_v4().to_string();
        let own = [
            ("accountId", self.settings.account_id.as_str()),
            ("apiId", workspace.rest_api.id.as_str()),
            ("requestId", &request_id),
            ("stage", "test-invoke-stage"),
        ];
        let verdict = decide(authorizer, input, &StringMap::from(own.map(owned)))?;
        let log = verdict.log(authorizer.id.as_str(), &request_id, SystemTime::now());
        let latency_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(TestedAuthorizer { client_status: verdict.client_status(), log, latency_ms })
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// What can be said without calling anyone.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// 401; with what was read of the caller, if all of it was there.
    Unauthorized { identity: Option<String> },
    /// 500: someone would have to be called.
    NotInvocable { identity: String, reason: &'static str },
}

impl Verdict {
    fn client_status(&self) -> u16 {
        match self {
            Self::Unauthorized { .. } => 401,
            Self::NotInvocable { .. } => 500,
        }
    }

    /// The execution log in AWS's words. Source: logs of test calls that users published.
    fn log(&self, authorizer: &str, request_id: &str, now: SystemTime) -> String {
        let mut lines =
            vec![format!("Starting authorizer: {authorizer} for request: {request_id}")];
        match self {
            Self::Unauthorized { identity } => {
                lines.extend(
                    identity.iter().map(|identity| format!("Incoming identity: {identity}")),
                );
                lines.push(format!("Unauthorized request: {request_id}"));
            }
            Self::NotInvocable { identity, reason } => {
                lines.push(format!("Incoming identity: {identity}"));
                for reason in [reason, "Authorizer error"] {
                    lines.push(format!("Execution failed due to configuration error: {reason}"));
                }
                lines.push("AuthorizerConfigurationException".to_owned());
            }
        }
        let at = format_description!(
            "[weekday repr:short] [month repr:short] [day] [hour]:[minute]:[second] UTC [year]"
        );
        // Only a year beyond four digits cannot be written.
        let at = OffsetDateTime::from(now).format(at).unwrap_or_default();
        let lines = lines.into_iter().map(|line| format!("{at} : {line}\n"));
        std::iter::once(format!("Execution log for request {request_id}\n")).chain(lines).collect()
    }
}

/// Decides as far as that goes. `own` are context variables of the gateway itself.
fn decide(
    authorizer: &Authorizer,
    input: &TestInvokeAuthorizer,
    own: &StringMap,
) -> Result<Verdict, AppError> {
    let list = authorizer.identity_source.as_deref().unwrap_or_default();
    let mut read = Vec::new();
    for expression in source::expressions(list).filter(|expression| !expression.is_empty()) {
        let value = Source::parse(expression).and_then(|source| input.value(source, own));
        match value.filter(|value| !value.is_empty()) {
            Some(value) => read.push((expression, value)),
            None => return Ok(Verdict::Unauthorized { identity: None }),
        }
    }
    if authorizer.kind == AuthorizerType::Request {
        let each = read.iter().map(|(expression, value)| format!("{expression}={}", masked(value)));
        let identity = format!("{{{}}}", each.collect::<Vec<_>>().join(", "));
        return Ok(Verdict::NotInvocable { identity, reason: NO_FUNCTIONS });
    }
    let Some((_, token)) = read.into_iter().next() else {
        return Ok(Verdict::Unauthorized { identity: None });
    };
    let identity = masked(&token);
    let (passes, reason) = match authorizer.kind {
        AuthorizerType::Token | AuthorizerType::Request => {
            let expression = authorizer.identity_validation_expression.as_deref();
            let expression = expression.map(rules::validation).transpose()?;
            (expression.is_none_or(|expression| expression.is_match(&token)), NO_FUNCTIONS)
        }
        AuthorizerType::CognitoUserPools => (is_jwt(&token), NO_USER_POOLS),
        AuthorizerType::Jwt => (is_jwt(&token), NO_ISSUERS),
    };
    Ok(if passes {
        Verdict::NotInvocable { identity, reason }
    } else {
        Verdict::Unauthorized { identity: Some(identity) }
    })
}

impl TestInvokeAuthorizer {
    /// What stands at a source; of several values the first.
    fn value<'a>(&'a self, source: Source<'_>, own: &'a StringMap) -> Option<Cow<'a, str>> {
        match source {
            Source::Header(name) => {
                let mut all = self.headers.iter().filter(|(_, value)| !value.is_empty());
                all.find(|(known, _)| known.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.into())
            }
            Source::Query(name) => {
                let (_, query) = self.path_with_query_string.split_once('?')?;
                let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                let mut pairs = pairs.map(|(name, value)| (decoded(name), decoded(value)));
                pairs.find(|(known, _)| known == name).map(|(_, value)| value.into())
            }
            Source::StageVariable(name) => self.stage_variables.get(name).map(Cow::from),
            Source::Context(name) => {
                self.additional_context.get(name).or_else(|| own.get(name)).map(Cow::from)
            }
        }
    }
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// A value as AWS logs it: all but the last six characters hidden. It stays on its line.
fn masked(value: &str) -> String {
    let hidden = value.chars().count().saturating_sub(6);
    let shown = |(at, c): (usize, char)| match c {
        _ if at < hidden => '*',
        c if c.is_control() => ' ',
        c => c,
    };
    value.chars().enumerate().map(shown).collect()
}

/// Whether a token has the form of a signed JSON Web Token; what has not is refused by everyone.
fn is_jwt(token: &str) -> bool {
    let token = token.strip_prefix("Bearer ").unwrap_or(token);
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let is_object = |part: &str| {
        decode(part).is_some_and(|bytes| {
            serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes).is_ok()
        })
    };
    match token.split('.').collect::<Vec<_>>()[..] {
        [header, claims, signature] => {
            is_object(header)
                && is_object(claims)
                && decode(signature).is_some_and(|bytes| !bytes.is_empty())
        }
        _ => false,
    }
}

const NO_FUNCTIONS: &str = "This release does not call Lambda functions";
const NO_USER_POOLS: &str = "This release does not verify tokens of Cognito user pools";
const NO_ISSUERS: &str = "This release does not verify tokens of JWT issuers";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AuthorizerId;

    fn authorizer(kind: AuthorizerType, source: &str, expression: Option<&str>) -> Authorizer {
        Authorizer {
            id: AuthorizerId::parse("abc123").unwrap(),
            name: "a".to_owned(),
            kind,
            provider_arns: None,
            auth_type: None,
            authorizer_uri: None,
            authorizer_credentials: None,
            identity_source: Some(source.to_owned()).filter(|source| !source.is_empty()),
            identity_validation_expression: expression.map(str::to_owned),
            authorizer_result_ttl_in_seconds: None,
            jwt_configuration: None,
        }
    }

    fn unauthorized(identity: Option<&str>) -> Verdict {
        Verdict::Unauthorized { identity: identity.map(str::to_owned) }
    }

    fn not_invocable(identity: &str, reason: &'static str) -> Verdict {
        Verdict::NotInvocable { identity: identity.to_owned(), reason }
    }

    #[test]
    fn tokens() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
        let bearer = format!("Bearer {jwt}");
        let hidden_jwt = format!("{}0.c2ln", "*".repeat(jwt.len() - 6));
        let hidden_bearer = format!("{}0.c2ln", "*".repeat(bearer.len() - 6));
        let header = "method.request.header.Auth";
        use AuthorizerType::{CognitoUserPools, Jwt, Token};
        for (kind, expression, token, want) in [
            (Token, None, "", unauthorized(None)),
            (Token, None, "df", not_invocable("df", NO_FUNCTIONS)),
            (Token, None, "\u{e4}0123456789", not_invocable("*****456789", NO_FUNCTIONS)),
            (Token, None, "1\n2\r\0", not_invocable("1 2  ", NO_FUNCTIONS)),
            (Token, Some("a+"), "aaaaaaa", not_invocable("*aaaaaa", NO_FUNCTIONS)),
            (Token, Some("a+|b"), "aab", unauthorized(Some("aab"))),
            (CognitoUserPools, None, "df", unauthorized(Some("df"))),
            (CognitoUserPools, None, "a.b.c", unauthorized(Some("a.b.c"))),
            (CognitoUserPools, None, jwt, not_invocable(&hidden_jwt, NO_USER_POOLS)),
            (Jwt, None, &bearer, not_invocable(&hidden_bearer, NO_ISSUERS)),
            (Jwt, None, "e30.e30.", unauthorized(Some("**0.e30."))),
        ] {
            let input = TestInvokeAuthorizer {
                headers: vec![owned(("other", "x")), owned(("AUTH", "")), owned(("auth", token))],
                ..Default::default()
            };
            let authorizer = authorizer(kind, header, expression);
            let found = decide(&authorizer, &input, &StringMap::new()).unwrap();
            assert_eq!(found, want, "{kind} {token}");
        }
    }

    #[test]
    fn requests_need_every_source() {
        let input = TestInvokeAuthorizer {
            headers: vec![owned(("X-A", "1234567"))],
            path_with_query_string: "/pets?a=&q=a%20b+c&q=2".to_owned(),
            stage_variables: StringMap::from([owned(("v", "stage"))]),
            additional_context: StringMap::from([owned(("identity.sourceIp", "::1"))]),
        };
        let own = StringMap::from([owned(("apiId", "abc"))]);
        for (source, want) in [
            ("", Some("{}")),
            ("method.request.header.x-a", Some("{method.request.header.x-a=*234567}")),
            (
                "method.request.querystring.q, stageVariables.v,context.apiId,context.identity.sourceIp",
                Some(
                    "{method.request.querystring.q=a b c, stageVariables.v=stage, context.apiId=abc, \
                     context.identity.sourceIp=::1}",
                ),
            ),
            ("method.request.header.X-A,method.request.querystring.a", None),
            ("method.request.querystring.none", None),
            ("stageVariables.none", None),
            ("context.none", None),
            ("nonsense", None),
        ] {
            let authorizer = authorizer(AuthorizerType::Request, source, None);
            let want =
                want.map_or(unauthorized(None), |identity| not_invocable(identity, NO_FUNCTIONS));
            assert_eq!(decide(&authorizer, &input, &own).unwrap(), want, "{source}");
        }
    }

    #[test]
    fn logs_read_like_awss() {
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_520_438_974);
        assert_eq!(
            unauthorized(Some("aab")).log("abc123", "r-1", now),
            "Execution log for request r-1\n\
             Wed Mar 07 16:09:34 UTC 2018 : Starting authorizer: abc123 for request: r-1\n\
             Wed Mar 07 16:09:34 UTC 2018 : Incoming identity: aab\n\
             Wed Mar 07 16:09:34 UTC 2018 : Unauthorized request: r-1\n"
        );
        assert_eq!(
            not_invocable("{}", NO_FUNCTIONS).log("abc123", "r-1", now),
            "Execution log for request r-1\n\
             Wed Mar 07 16:09:34 UTC 2018 : Starting authorizer: abc123 for request: r-1\n\
             Wed Mar 07 16:09:34 UTC 2018 : Incoming identity: {}\n\
             Wed Mar 07 16:09:34 UTC 2018 : Execution failed due to configuration error: \
             This release does not call Lambda functions\n\
             Wed Mar 07 16:09:34 UTC 2018 : Execution failed due to configuration error: Authorizer error\n\
             Wed Mar 07 16:09:34 UTC 2018 : AuthorizerConfigurationException\n"
        );
    }

    #[test]
    fn hostile_tokens_are_refused() {
        let deep = URL_SAFE_NO_PAD.encode(format!("{{\"a\":{}", "[".repeat(1_000_000)));
        let dots = ".".repeat(1_000_000);
        for token in [format!("{deep}.{deep}.c2ln"), dots, "\0.\0.\0".to_owned()] {
            assert!(!is_jwt(&token), "{token:.20}");
        }
    }
}
