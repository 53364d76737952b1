//! The access keys a gateway signs its calls to AWS services with. They are its operator's, not an API's.

use super::sigv4::Keys;

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
