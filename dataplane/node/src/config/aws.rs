//! How the node calls AWS services: with which keys, and where.
//!
//! Source: AWS SDKs and Tools Reference Guide: the variables that AWS's own tools read.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tidegate_engine::integration::credentials::AwsSettings;

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

    /// Who may call methods with authorization AWS_IAM: a JSON object from the ARN of a user or session to accessKeyId,
    /// secretAccessKey, sessionToken, userId and policy
    #[arg(long, env = "TIDEGATE_AWS_CALLERS", value_name = "FILE")]
    aws_callers: Option<PathBuf>,
}

impl Aws {
    /// The keys to sign with, and where services are called.
    ///
    /// # Errors
    /// If a file cannot be read or is not in its form, or a variable holds no URL.
    pub fn settings(&self) -> anyhow::Result<AwsSettings> {
        let flags = [
            ("AWS_ACCESS_KEY_ID", &self.aws_access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.aws_secret_access_key),
            ("AWS_SESSION_TOKEN", &self.aws_session_token),
        ];
        let flags =
            flags.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        let read = |flag: &str, file: &Option<PathBuf>| {
            let text = file.as_deref().map(|path| {
                std::fs::read(path).with_context(|| format!("{flag} {}", path.display()))
            });
            text.transpose()
        };
        let roles = read("--aws-roles", &self.aws_roles)?;
        let callers = read("--aws-callers", &self.aws_callers)?;
        let variables = std::env::vars().chain(flags);
        Ok(AwsSettings::read(variables, roles.as_deref(), callers.as_deref())?)
    }
}

impl std::fmt::Debug for Aws {
    /// Secrets are never printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws")
            .field("aws_access_key_id", &self.aws_access_key_id)
            .field("aws_roles", &self.aws_roles)
            .field("aws_callers", &self.aws_callers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_files_become_keys() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("roles.json");
        std::fs::write(&file, r#"{"arn:r": {"accessKeyId": "AKROLE", "secretAccessKey": "s"}}"#)
            .unwrap();
        let aws = Aws {
            aws_access_key_id: Some("AKFLAG".into()),
            aws_secret_access_key: Some("hidden".into()),
            aws_session_token: None,
            aws_roles: Some(file.clone()),
            aws_callers: None,
        };
        let keys = aws.settings().unwrap().credentials;
        let id = |role: &str| keys.of(role).map(|keys| keys.id.as_str());
        assert_eq!((id("arn:r"), id("")), (Some("AKROLE"), Some("AKFLAG")));
        assert!(!format!("{aws:?}").contains("hidden"));
        let callers = Aws { aws_roles: None, aws_callers: Some(file.clone()), ..aws.clone() };
        std::fs::write(
            &file,
            r#"{"arn:aws:iam::123456789012:user/ann": {"accessKeyId": "AKANN", "secretAccessKey": "s"}}"#,
        )
        .unwrap();
        assert_eq!(callers.settings().unwrap().credentials.callers[0].keys.id, "AKANN");
        std::fs::write(&file, r#"{"arn": {"accessKeyId": "A"}}"#).unwrap();
        let error = format!("{:#}", aws.settings().unwrap_err());
        assert!(error.contains("file of roles") && error.contains("secretAccessKey"), "{error}");
    }
}
