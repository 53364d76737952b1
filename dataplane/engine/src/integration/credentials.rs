//! How a gateway calls AWS services: the access keys it signs with, and where services are. Both are its operator's, not an API's.
//!
//! Source: AWS SDKs and Tools Reference Guide: the variables that AWS's own tools read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::endpoints::{BadEndpoint, Endpoints};
use super::sigv4::Keys;

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
    /// `roles` is the text of a file of roles: a JSON object from role ARN to the members of a key.
    ///
    /// # Errors
    /// If an endpoint is no URL, or the file of roles not in its form.
    pub fn read(
        variables: impl Iterator<Item = (String, String)>,
        roles: Option<&[u8]>,
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
        let endpoints = Endpoints::read(variables.into_iter())?;
        Ok(Self { credentials: Credentials { own, roles }, endpoints })
    }
}

/// Keys by the role that an integration names.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The gateway's own.
    pub own: Option<Keys>,
    /// Those of roles, by ARN.
    pub roles: Vec<(String, Keys)>,
}

impl Credentials {
    /// No keys at all: calls are not signed, which only emulators of AWS take.
    pub const NONE: &'static Self = &Self { own: None, roles: Vec::new() };

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
            AwsSettings::read(variables, roles.map(str::as_bytes))
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
    fn a_role_has_its_own_keys_or_the_gateways() {
        let keys = |id: &str| Keys { id: id.to_owned(), secret: String::new(), token: None };
        let both =
            Credentials { own: Some(keys("own")), roles: vec![("arn:r".into(), keys("role"))] };
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
