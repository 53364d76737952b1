//! How the node calls AWS services: with which keys, and where.
//!
//! Source: AWS SDKs and Tools Reference Guide: the variables that AWS's own tools read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde::Deserialize;
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::integration::endpoints::Endpoints;
use tidegate_engine::integration::sigv4::Keys;

/// Settings for calls to AWS services. `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_{SERVICE}` are read as well.
#[derive(Args, Clone)]
pub struct Aws {
    /// Access key id that calls to AWS services are signed with
    #[arg(long, env = "AWS_ACCESS_KEY_ID", value_name = "ID", requires = "aws_secret_access_key")]
    aws_access_key_id: Option<String>,

    /// Secret of that key; better given by its environment variable
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", value_name = "SECRET", hide_env_values = true)]
    aws_secret_access_key: Option<String>,

    /// Session token, where that key is a temporary one
    #[arg(long, env = "AWS_SESSION_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    aws_session_token: Option<String>,

    /// Keys of the roles that integrations name: a JSON object from role ARN to accessKeyId, secretAccessKey and sessionToken
    #[arg(long, env = "TIDEGATE_AWS_ROLES", value_name = "FILE")]
    aws_roles: Option<PathBuf>,
}

/// A key as AWS's own tools write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RoleKeys {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl Aws {
    /// The keys to sign with.
    ///
    /// # Errors
    /// If the file of roles cannot be read; the error names it.
    pub fn credentials(&self) -> anyhow::Result<Credentials> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let own = given(&self.aws_access_key_id).zip(given(&self.aws_secret_access_key));
        let own =
            own.map(|(id, secret)| Keys { id, secret, token: given(&self.aws_session_token) });
        let roles = self.aws_roles.as_deref().map(roles).transpose()?.unwrap_or_default();
        Ok(Credentials { own, roles })
    }

    /// Where services are called.
    ///
    /// # Errors
    /// If a variable holds no URL; the error names it.
    pub fn endpoints(&self) -> anyhow::Result<Endpoints> {
        Ok(Endpoints::read(std::env::vars())?)
    }
}

impl std::fmt::Debug for Aws {
    /// Secrets are never printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws")
            .field("aws_access_key_id", &self.aws_access_key_id)
            .field("aws_roles", &self.aws_roles)
            .finish_non_exhaustive()
    }
}

fn roles(path: &Path) -> anyhow::Result<Vec<(String, Keys)>> {
    let shown = path.display();
    let text = std::fs::read(path).with_context(|| format!("--aws-roles {shown}"))?;
    let read: BTreeMap<String, RoleKeys> =
        serde_json::from_slice(&text).with_context(|| format!("--aws-roles {shown}"))?;
    let keys = |keys: RoleKeys| Keys {
        id: keys.access_key_id,
        secret: keys.secret_access_key,
        token: keys.session_token,
    };
    Ok(read.into_iter().map(|(arn, held)| (arn, keys(held))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(id: Option<&str>, secret: Option<&str>, roles: Option<PathBuf>) -> Aws {
        Aws {
            aws_access_key_id: id.map(str::to_owned),
            aws_secret_access_key: secret.map(str::to_owned),
            aws_session_token: None,
            aws_roles: roles,
        }
    }

    #[test]
    fn keys_come_from_the_environment_and_from_a_file_of_roles() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("roles.json");
        std::fs::write(
            &file,
            r#"{"arn:aws:iam::1:role/r": {"accessKeyId": "AKROLE", "secretAccessKey": "s", "sessionToken": "t"}}"#,
        )
        .unwrap();
        let credentials = aws(Some("AKOWN"), Some("s"), Some(file.clone())).credentials().unwrap();
        let id = |role: &str| credentials.of(role).map(|keys| keys.id.as_str());
        assert_eq!((id("arn:aws:iam::1:role/r"), id("")), (Some("AKROLE"), Some("AKOWN")));
        for none in [aws(None, None, None), aws(Some(""), Some("s"), None)] {
            assert!(none.credentials().unwrap().of("").is_none());
        }
        std::fs::write(&file, r#"{"arn": {"accessKeyId": "A"}}"#).unwrap();
        let error = format!("{:#}", aws(None, None, Some(file)).credentials().unwrap_err());
        assert!(error.contains("roles.json") && error.contains("secretAccessKey"), "{error}");
        assert!(!format!("{:?}", aws(Some("A"), Some("hidden"), None)).contains("hidden"));
    }
}
