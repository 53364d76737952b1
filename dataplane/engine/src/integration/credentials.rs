//! How a gateway calls AWS services: the access keys it signs with, and where services are. Both are its operator's, not an API's.
//!
//! Source: AWS SDKs and Tools Reference Guide: the variables that AWS's own tools read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::endpoints::{BadEndpoint, Endpoints};
use super::sigv4::Keys;
use crate::identity::Caller;
use crate::identity::policy::Policy;

/// What a process that calls AWS services is told of them: a node, and a control plane that makes test calls.
#[derive(Clone, Debug, Default)]
pub struct AwsSettings {
    /// What calls are signed with.
    pub credentials: Credentials,
    /// Where services are called.
    pub endpoints: Endpoints,
}

/// Why settings for AWS services cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadAwsSettings {
    /// A variable that holds no URL.
    #[error(transparent)]
    Endpoint(#[from] BadEndpoint),
    /// A file of roles that is not in its form.
    #[error(
        "the file of roles is no JSON object from role ARN to accessKeyId, secretAccessKey and sessionToken: {0}"
    )]
    Roles(serde_json::Error),
    /// A file of callers that is not in its form.
    #[error(
        "the file of callers is no JSON object from the ARN of a user or session to accessKeyId, secretAccessKey, sessionToken, \
         userId and policy: {0}"
    )]
    Callers(serde_json::Error),
    /// A caller who is not in its form.
    #[error("the file of callers: '{arn}': {why}")]
    Caller {
        /// What it is listed by.
        arn: String,
        /// What is wrong.
        why: String,
    },
}

/// A caller in the file of callers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListedCaller {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    user_id: Option<String>,
    policy: Option<Box<RawValue>>,
}

impl ListedCaller {
    fn read(self, arn: String) -> Result<Caller, BadAwsSettings> {
        let bad = |why: String| BadAwsSettings::Caller { arn: arn.clone(), why };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let known = matches!(
            parts[..],
            ["arn", _, "iam" | "sts", "", account, principal]
                if account.len() == 12
                    && account.bytes().all(|b| b.is_ascii_digit())
                    && principal.split_once('/').is_some_and(|(_, name)| !name.is_empty())
        );
        if !known {
            let like = "arn:aws:iam::123456789012:user/ann, or arn:aws:sts::123456789012:assumed-role/ops/ann";
            return Err(bad(format!("no ARN of a user or session, such as {like}")));
        }
        let policy = match &self.policy {
            Some(text) => Policy::parse(text.get()).map_err(|e| bad(format!("policy: {e}")))?,
            None => Policy::default(),
        };
        let keys = Keys {
            id: self.access_key_id,
            secret: self.secret_access_key,
            token: self.session_token,
        };
        let mut caller = Caller { arn, user_id: String::new(), keys, policy };
        caller.user_id = self.user_id.unwrap_or_else(|| caller.name().to_owned());
        Ok(caller)
    }
}

/// A key as AWS's own tools write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RoleKeys {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl AwsSettings {
    /// Reads `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_ENDPOINT_URL` and
    /// `AWS_ENDPOINT_URL_{SERVICE}` among variables of an environment; empty ones count as absent, of equal ones the last counts.
    /// `roles` is the text of a file of roles: a JSON object from role ARN to the members of a key. `callers` is that of a file of
    /// callers: the same from the ARN of a user or session, with the unique id of the principal and a policy.
    ///
    /// # Errors
    /// If an endpoint is no URL, or a file not in its form.
    pub fn read(
        variables: impl Iterator<Item = (String, String)>,
        roles: Option<&[u8]>,
        callers: Option<&[u8]>,
    ) -> Result<Self, BadAwsSettings> {
        let variables: BTreeMap<String, String> = variables.collect();
        let given = |name: &str| variables.get(name).filter(|text| !text.is_empty()).cloned();
        let own = given("AWS_ACCESS_KEY_ID").zip(given("AWS_SECRET_ACCESS_KEY"));
        let own = own.map(|(id, secret)| Keys { id, secret, token: given("AWS_SESSION_TOKEN") });
        let roles: BTreeMap<String, RoleKeys> = match roles {
            Some(text) => serde_json::from_slice(text).map_err(BadAwsSettings::Roles)?,
            None => BTreeMap::new(),
        };
        let keys = |keys: RoleKeys| Keys {
            id: keys.access_key_id,
            secret: keys.secret_access_key,
            token: keys.session_token,
        };
        let roles = roles.into_iter().map(|(arn, held)| (arn, keys(held))).collect();
        let listed: BTreeMap<String, ListedCaller> = match callers {
            Some(text) => serde_json::from_slice(text).map_err(BadAwsSettings::Callers)?,
            None => BTreeMap::new(),
        };
        let callers: Result<Vec<Caller>, _> =
            listed.into_iter().map(|(arn, listed)| listed.read(arn)).collect();
        let mut callers = callers?;
        callers.sort_by(|one, two| one.keys.id.cmp(&two.keys.id));
        if let Some([one, two]) =
            callers.array_windows().find(|[one, two]| one.keys.id == two.keys.id)
        {
            let why = format!("has the access key of {}", one.arn);
            return Err(BadAwsSettings::Caller { arn: two.arn.clone(), why });
        }
        let endpoints = Endpoints::read(variables.into_iter())?;
        Ok(Self { credentials: Credentials { own, roles, callers }, endpoints })
    }
}

/// Keys by the role that an integration names.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The gateway's own.
    pub own: Option<Keys>,
    /// Those of roles, by ARN.
    pub roles: Vec<(String, Keys)>,
    /// Whom methods with authorization `AWS_IAM` may know, in the order of their access keys' ids.
    pub callers: Vec<Caller>,
}

impl Credentials {
    /// No keys at all: calls are not signed, which only emulators of AWS take.
    pub const NONE: &'static Self = &Self { own: None, roles: Vec::new(), callers: Vec::new() };

    /// The number of the caller with an access key.
    pub(crate) fn caller(&self, access_key_id: &str) -> Option<u32> {
        let found = self.callers.binary_search_by(|held| (*held.keys.id).cmp(access_key_id));
        found.ok().and_then(|at| u32::try_from(at).ok())
    }

    /// The keys for a role; the gateway's own where it names none, or one whose keys nobody gave.
    pub fn of(&self, role: &str) -> Option<&Keys> {
        let named = self.roles.iter().find(|(arn, _)| arn == role).map(|(_, keys)| keys);
        named.or(self.own.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_from_the_environment_and_a_file_of_roles() {
        let read = |variables: &[(&str, &str)], roles: Option<&str>| {
            let variables = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
            AwsSettings::read(variables, roles.map(str::as_bytes), None)
        };
        let own = [("AWS_ACCESS_KEY_ID", "AKOWN"), ("AWS_SECRET_ACCESS_KEY", "hidden")];
        let roles =
            r#"{"arn:r": {"accessKeyId": "AKROLE", "secretAccessKey": "s", "sessionToken": "t"}}"#;
        let settings = read(&own, Some(roles)).unwrap();
        let key = |role: &str| settings.credentials.of(role).unwrap();
        assert_eq!((&*key("arn:r").id, &*key("").id), ("AKROLE", "AKOWN"));
        assert_eq!((key("arn:r").token.as_deref(), &key("").token), (Some("t"), &None));
        assert!(!format!("{settings:?}").contains("hidden"));
        for half in [&own[..1], &own[1..], &[own[0], (own[1].0, "")], &[]] {
            assert!(read(half, None).unwrap().credentials.of("").is_none());
        }
        for (roles, why) in
            [(r#"{"arn": {"accessKeyId": "A"}}"#, "secretAccessKey"), ("[]", "file of roles")]
        {
            let error = read(&[], Some(roles)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        assert!(read(&[("AWS_ENDPOINT_URL_SQS", "nowhere")], None).is_err());
    }

    #[test]
    fn callers_are_found_by_their_access_keys() {
        let read = |text: &str| AwsSettings::read(std::iter::empty(), None, Some(text.as_bytes()));
        let credentials = read(
            r#"{
                "arn:aws:iam::123456789012:user/team/ann": {"accessKeyId": "AKB", "secretAccessKey": "s", "userId": "AIDA1",
                    "policy": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}},
                "arn:aws:sts::123456789012:assumed-role/ops/bob": {"accessKeyId": "AKA", "secretAccessKey": "s", "sessionToken": "t"}
            }"#,
        )
        .unwrap()
        .credentials;
        let caller = |id: &str| credentials.caller(id).map(|at| &credentials.callers[at as usize]);
        let (ann, bob) = (caller("AKB").unwrap(), caller("AKA").unwrap());
        assert_eq!((ann.name(), ann.account_id(), &*ann.user_id), ("ann", "123456789012", "AIDA1"));
        assert_eq!(
            (bob.name(), &*bob.user_id, bob.keys.token.as_deref()),
            ("bob", "bob", Some("t"))
        );
        assert!(caller("AKC").is_none() && caller("").is_none());
        let key = r#"{"accessKeyId": "A", "secretAccessKey": "s"}"#;
        for (text, why) in [
            ("[]".to_owned(), "file of callers"),
            (r#"{"arn:aws:iam::123456789012:user/a": {}}"#.to_owned(), "accessKeyId"),
            (format!(r#"{{"ann": {key}}}"#), "no ARN of a user"),
            (format!(r#"{{"arn:aws:iam::123456789012:user/": {key}}}"#), "no ARN of a user"),
            (format!(r#"{{"arn:aws:iam::12:user/a": {key}}}"#), "no ARN of a user"),
            (
                format!(
                    r#"{{"arn:aws:iam::123456789012:user/a": {key}, "arn:aws:iam::123456789012:user/b": {key}}}"#
                ),
                "has the access key of",
            ),
            (
                r#"{"arn:aws:iam::123456789012:user/a": {"accessKeyId": "A", "secretAccessKey": "s", "policy": {}}}"#.to_owned(),
                "policy: ",
            ),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_role_has_its_own_keys_or_the_gateways() {
        let keys = |id: &str| Keys { id: id.to_owned(), secret: String::new(), token: None };
        let both = Credentials {
            own: Some(keys("own")),
            roles: vec![("arn:r".into(), keys("role"))],
            ..Credentials::default()
        };
        let only = Credentials { own: None, ..both.clone() };
        for (held, role, want) in [
            (&both, "arn:r", Some("role")),
            (&both, "arn:other", Some("own")),
            (&both, "", Some("own")),
            (&only, "arn:r", Some("role")),
            (&only, "", None),
            (Credentials::NONE, "arn:r", None),
        ] {
            assert_eq!(held.of(role).map(|keys| keys.id.as_str()), want, "{role}");
        }
    }
}
