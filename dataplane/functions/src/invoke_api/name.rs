//! Names of functions: plain, partial and full ARNs, with or without a qualifier.
//!
//! A host has one version of each function, `$LATEST`, in one account and region. So that a document written for AWS works as it
//! stands, any alias means that version, and ARNs of other accounts and regions mean the function of that name.

use crate::declaration::is_name;
use crate::error::CallError;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) function: String,
    /// Full, in the host's account and region, with the qualifier if there was one.
    pub(super) arn: String,
}

impl Name {
    /// Reads a name and a query, which may have a `Qualifier`.
    pub(super) fn parse(
        text: &str,
        query: Option<&str>,
        region: &str,
        account: &str,
    ) -> Result<Self, CallError> {
        let invalid =
            || CallError::Invalid { name: "functionName", value: text.to_owned(), rule: RULE };
        let rest = match text.split_once(":function:") {
            Some((before, rest)) => {
                let parts: Vec<&str> = before.split(':').collect();
                let digits = |account: &str| {
                    account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())
                };
                let known = match parts.as_slice() {
                    ["arn", partition, "lambda", _, account] => {
                        partition.starts_with("aws") && digits(account)
                    }
                    [account] => digits(account),
                    _ => false,
                };
                known.then_some(rest).ok_or_else(invalid)?
            }
            None => text.strip_prefix("function:").unwrap_or(text),
        };
        let (function, qualifier) = match rest.split_once(':') {
            Some((function, qualifier)) => (function, Some(qualifier.to_owned())),
            None => (rest, None),
        };
        if !is_name(function) {
            return Err(invalid());
        }
        let asked =
            query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("Qualifier="));
        let asked = asked.map(|text| {
            percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
        });
        let qualifier = qualifier.or(asked).filter(|qualifier| !qualifier.is_empty());
        if let Some(qualifier) = &qualifier
            && !is_qualifier(qualifier)
        {
            let rule = "Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)";
            return Err(CallError::Invalid { name: "qualifier", value: qualifier.clone(), rule });
        }
        let mut arn = format!("arn:aws:lambda:{region}:{account}:function:{function}");
        if let Some(qualifier) = qualifier {
            arn.push(':');
            arn.push_str(&qualifier);
        }
        Ok(Self { function: function.to_owned(), arn })
    }
}

fn is_qualifier(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"$_-".contains(&b))
}

/// AWS's words.
const RULE: &str = "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_a_name_are_known() {
        let plain = "arn:aws:lambda:us-east-1:000000000000:function:hello";
        for (text, query, want) in [
            ("hello", None, ""),
            ("hello:prod", None, ":prod"),
            ("hello", Some("Qualifier=%24LATEST"), ":$LATEST"),
            ("function:hello", None, ""),
            ("123456789012:function:hello", None, ""),
            ("arn:aws:lambda:eu-west-1:123456789012:function:hello", None, ""),
            ("arn:aws-cn:lambda:cn-north-1:123456789012:function:hello:7", None, ":7"),
        ] {
            let name = Name::parse(text, query, "us-east-1", "000000000000").unwrap();
            assert_eq!(
                (name.function.as_str(), name.arn),
                ("hello", format!("{plain}{want}")),
                "{text}"
            );
        }
        for text in [
            "",
            "a b",
            "a/b",
            "arn:aws:s3:x:123456789012:function:hello",
            "12:function:hello",
            "hello:a b",
        ] {
            assert!(Name::parse(text, None, "us-east-1", "000000000000").is_err(), "{text}");
        }
    }
}
