//! Identifiers with AWS's formats.
//!
//! A value that was parsed or drawn is safe in a store key and in a URL path: none of the alphabets holds a slash.

use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// A text that is no identifier of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {kind}")]
pub struct InvalidId {
    /// What was asked for, such as `API id`.
    pub kind: &'static str,
    /// The text that did not fit.
    pub text: String,
}

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $kind:literal, $valid:expr) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier spelled `text`, exactly: identifiers are case-sensitive.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId { kind: $kind, text: text.to_owned() })
                }
            }

            /// The text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    };
}

/// An identifier that is drawn at random.
macro_rules! drawn {
    ($name:ident, $length:expr) => {
        impl $name {
            /// A new identifier of AWS's usual length, drawn from `rng`.
            pub fn draw(rng: &mut impl Rng) -> Self {
                Self(draw(rng, $length))
            }
        }
    };
}

id!(
    /// A REST API's id: 10 of `[a-z0-9]` when drawn. An operator may choose another with the tag `_custom_id_`, up to
    /// 63 of `[a-z0-9-]` not starting or ending with `-`, because it becomes a label of a host name.
    ApiId,
    "API id",
    |text| text.len() <= 63
        && !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);
drawn!(ApiId, 10);

id!(
    /// A resource's id: 6 of `[a-z0-9]` for children, 10 for the root resource.
    ResourceId,
    "resource id",
    lower_alphanumeric
);
drawn!(ResourceId, 6);

impl ResourceId {
    /// A new id for a root resource; those are as long as an API's id.
    pub fn draw_root(rng: &mut impl Rng) -> Self {
        Self(draw(rng, 10))
    }
}

id!(
    /// A deployment's id: 6 of `[a-z0-9]`.
    DeploymentId,
    "deployment id",
    lower_alphanumeric
);
drawn!(DeploymentId, 6);

id!(
    /// An authorizer's id: 6 of `[a-z0-9]`.
    AuthorizerId,
    "authorizer id",
    lower_alphanumeric
);
drawn!(AuthorizerId, 6);

id!(
    /// A model's id: 6 of `[a-z0-9]`; paths address models by name.
    ModelId,
    "model id",
    lower_alphanumeric
);
drawn!(ModelId, 6);

id!(
    /// A request validator's id: 6 of `[a-z0-9]`.
    RequestValidatorId,
    "request validator id",
    lower_alphanumeric
);
drawn!(RequestValidatorId, 6);

id!(
    /// A private domain name's id: 10 of `[a-z0-9]`.
    DomainNameId,
    "domain name id",
    lower_alphanumeric
);
drawn!(DomainNameId, 10);

id!(
    /// A VPC link's id: 6 of `[a-z0-9]`.
    VpcLinkId,
    "VPC link id",
    lower_alphanumeric
);
drawn!(VpcLinkId, 6);

id!(
    /// A client certificate's id: 6 of `[a-z0-9]`.
    ClientCertificateId,
    "client certificate id",
    lower_alphanumeric
);
drawn!(ClientCertificateId, 6);

id!(
    /// A custom domain's name: a host name in lower case, at most 253 characters, whose first label may be `*`.
    ///
    /// Source: RFC 1123, section 2.1; developer guide, "Custom domain name for public REST APIs" for wildcards.
    HostName,
    "host name",
    |text| {
        let exact = text.strip_prefix("*.").unwrap_or(text);
        let sound = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        text.len() <= 253 && exact.split('.').all(sound)
    }
);

id!(
    /// An API key's id: 10 of `[a-z0-9]`. A usage plan key has the id of its API key.
    ApiKeyId,
    "API key id",
    lower_alphanumeric
);
drawn!(ApiKeyId, 10);

id!(
    /// A usage plan's id: 6 of `[a-z0-9]`.
    UsagePlanId,
    "usage plan id",
    lower_alphanumeric
);
drawn!(UsagePlanId, 6);

id!(
    /// A documentation part's id: 6 of `[a-z0-9]`.
    DocumentationPartId,
    "documentation part id",
    lower_alphanumeric
);
drawn!(DocumentationPartId, 6);

id!(
    /// A stage's name: 1 to 128 of `[A-Za-z0-9_-]`.
    StageName,
    "stage name",
    |text| !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
);

fn lower_alphanumeric(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn draw(rng: &mut impl Rng, length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect()
}

const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let mut rng = rand::rng();
        assert_eq!(ApiId::draw(&mut rng).as_str().len(), 10);
        assert_eq!(ResourceId::draw(&mut rng).as_str().len(), 6);
        assert_eq!(ResourceId::draw_root(&mut rng).as_str().len(), 10);
        for bad in ["", "ABCDEFGHIJ", "a/b", "-ab", "ab-", "a b", "é"] {
            assert!(ApiId::parse(bad).is_err(), "{bad}");
        }
        assert!(ApiId::parse("my-api").is_ok());
        for bad in ["", "a b", "a/b", "a.b", "$default"] {
            assert!(StageName::parse(bad).is_err(), "{bad}");
        }
        assert!(StageName::parse("Prod_1-a").is_ok());
        let label = "a".repeat(63);
        for good in
            ["localhost", "api.example.com", "*.example.com", "a-1.b", &format!("{label}.x")]
        {
            assert!(HostName::parse(good).is_ok(), "{good}");
        }
        let long = ["a"; 128].join(".");
        for bad in [
            "",
            "*",
            "*.",
            "a..b",
            ".a",
            "a.",
            "-a.b",
            "a-.b",
            "A.b",
            "a_b",
            "a.*.b",
            "a/b",
            "a+b",
            "a b",
            "é.b",
            "a\u{0}.b",
            &format!("{label}a.x"),
            &long,
        ] {
            assert!(HostName::parse(bad).is_err(), "{bad}");
        }
    }
}
