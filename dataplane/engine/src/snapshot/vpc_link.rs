//! VPC links: private upstreams by name. A link's targets stand in for the load balancer that it has on AWS.

use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

use tidegate_proto::v1;

/// Targets of one link. A node tries them in turn; a longer list is a mistake.
pub const MAX_TARGETS: usize = 64;

/// Where the connections of a link go: a name or an address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Name or address, lower case, without brackets.
    pub host: Box<str>,
    /// TCP port.
    pub port: u16,
}

/// Why a text is no target, or why targets make no link.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// It does not read as one.
    #[error("'{0}' is no target: write host:port, for example 10.0.0.1:8080")]
    Form(String),
    /// There are too many.
    #[error("a VPC link has at most {MAX_TARGETS} targets")]
    TooMany,
}

impl Target {
    /// Reads `host:port`; an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// [`BadTarget::Form`].
    pub fn parse(text: &str) -> Result<Self, BadTarget> {
        let bad = || BadTarget::Form(text.chars().take(80).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let port = port.parse().ok().filter(|port| digits && *port > 0).ok_or_else(bad)?;
        let host = match host.strip_prefix('[') {
            Some(inner) => {
                let inner = inner.strip_suffix(']').ok_or_else(bad)?;
                inner.parse::<Ipv6Addr>().map_err(|_| bad())?;
                inner
            }
            None => {
                let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
                let sound = (1..=253).contains(&host.len()) && host.bytes().all(named);
                if sound { host } else { return Err(bad()) }
            }
        };
        Ok(Self { host: host.to_ascii_lowercase().into(), port })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Reads the targets of a link's object.
///
/// # Errors
/// If one of them is none, or there are too many.
pub fn targets(link: &v1::VpcLink) -> Result<Arc<[Target]>, BadTarget> {
    if link.targets.len() > MAX_TARGETS {
        return Err(BadTarget::TooMany);
    }
    link.targets.iter().map(|text| Target::parse(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_a_host_and_a_port() {
        for (text, host, port) in [
            ("10.0.0.1:8080", "10.0.0.1", 8080),
            ("Orders.internal:80", "orders.internal", 80),
            ("[fd00::1]:443", "fd00::1", 443),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((&*target.host, target.port), (host, port), "{text}");
            assert_eq!(target.to_string(), text.to_ascii_lowercase());
        }
        for text in [
            "",
            ":",
            "a",
            "a:",
            ":80",
            "a:0",
            "a:65536",
            "a:+80",
            "a b:80",
            "http://a:80",
            "::1:80",
            "[::1]",
            "[a]:80",
            "a/b:80",
            "a@b:80",
        ] {
            assert_eq!(Target::parse(text), Err(BadTarget::Form(text.into())), "{text}");
        }
        let many = vec!["a:1".to_owned(); MAX_TARGETS + 1];
        let link = v1::VpcLink { id: "x".into(), targets: many };
        assert_eq!(targets(&link), Err(BadTarget::TooMany));
    }
}
