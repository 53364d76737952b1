//! Upstreams: where integrations send to, interned so that connection pools outlive every swap.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// A number that names one upstream for as long as anything uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamId(pub u32);

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain TCP.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// As URLs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port a URL without one means.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// One place to connect to.
#[derive(Debug)]
pub struct Upstream {
    /// Its number.
    pub id: UpstreamId,
    /// How to talk to it.
    pub scheme: Scheme,
    /// Name or address, lower case, without brackets.
    pub host: Box<str>,
    /// TCP port.
    pub port: u16,
    /// Whether its certificate must verify.
    pub verify: bool,
    /// As the `Host` field names it: with the port unless it is the scheme's own.
    pub authority: Box<str>,
    /// The VPC link whose targets connections go to; host and port are then a name only, for `Host` and TLS.
    pub vpc_link: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    scheme: Scheme,
    host: Box<str>,
    port: u16,
    verify: bool,
    vpc_link: Option<Box<str>>,
}

/// Interns upstreams. One per process; ids are not used again.
#[derive(Debug, Default)]
pub struct Upstreams {
    known: HashMap<Key, Weak<Upstream>>,
    next: u32,
}

impl Upstreams {
    /// The upstream for these facts: the one in use, or a new one.
    pub fn intern(&mut self, scheme: Scheme, host: &str, port: u16, verify: bool) -> Arc<Upstream> {
        self.intern_behind(None, scheme, host, port, verify)
    }

    /// The upstream for these facts that is reached through a VPC link, if one is named.
    pub fn intern_behind(
        &mut self,
        vpc_link: Option<&str>,
        scheme: Scheme,
        host: &str,
        port: u16,
        verify: bool,
    ) -> Arc<Upstream> {
        let host: Box<str> = host.to_ascii_lowercase().into();
        let vpc_link: Option<Box<str>> = vpc_link.map(Box::from);
        let key = Key { scheme, host: host.clone(), port, verify, vpc_link: vpc_link.clone() };
        if let Some(held) = self.known.get(&key).and_then(Weak::upgrade) {
            return held;
        }
        // Forget the ones nobody uses any more whenever the table has doubled since.
        if self.known.len() >= 64 && self.known.len() == self.known.capacity() {
            self.known.retain(|_, held| held.strong_count() > 0);
        }
        let shown = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
        let authority =
            if port == scheme.default_port() { shown } else { format!("{shown}:{port}") };
        let id = UpstreamId(self.next);
        self.next += 1;
        let authority = authority.into();
        let made = Arc::new(Upstream { id, scheme, host, port, verify, authority, vpc_link });
        self.known.insert(key, Arc::downgrade(&made));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_facts_are_one_upstream() {
        let mut upstreams = Upstreams::default();
        let a = upstreams.intern(Scheme::Http, "Example.com", 80, true);
        let b = upstreams.intern(Scheme::Http, "example.com", 80, true);
        let c = upstreams.intern(Scheme::Http, "::1", 8080, true);
        assert!(Arc::ptr_eq(&a, &b));
        let behind = upstreams.intern_behind(Some("abc123"), Scheme::Http, "example.com", 80, true);
        assert_ne!(
            behind.id, a.id,
            "what a link leads to shares no connections with the open road"
        );
        assert_eq!((&*a.authority, &*c.authority), ("example.com", "[::1]:8080"));
        let id = a.id;
        drop((a, b));
        assert_ne!(
            upstreams.intern(Scheme::Http, "example.com", 80, true).id,
            id,
            "ids are not used again"
        );
    }
}
