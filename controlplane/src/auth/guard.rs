//! The browser guard: keeps web pages away from an admin API that a developer's browser can reach.
//!
//! A page can make a browser send requests to loopback, directly or by pointing its own host name there (DNS
//! rebinding). So the host name must be ours, and whatever a browser says about where a request came from must be us.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{AuthError, RequestParts};

/// Which host names the admin API answers to, beside the loopback ones.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    hosts: Vec<String>,
}

impl Guard {
    /// `hosts` are names or addresses without a port, compared without case; loopback names are always allowed.
    pub fn new(hosts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let bare =
            |host: &str| host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        Self { hosts: hosts.into_iter().map(|host| bare(host.as_ref())).collect() }
    }

    /// Refuses foreign hosts, foreign origins and anything a browser marks as sent for another site.
    ///
    /// `Sec-Fetch-Site: same-site` is refused as well: a site ignores ports, so a page of another program on
    /// `localhost` is the same site and still not us. Source: Fetch Metadata Request Headers, section 2.4.
    pub fn check(&self, request: &RequestParts<'_>) -> Result<(), AuthError> {
        let host = authority(request).filter(|host| self.allows(host.name));
        let Some(host) = host else {
            return Err(AuthError::AccessDenied("The Host header does not name this admin API."));
        };
        if request.header("origin").any(|origin| !is_own_origin(origin, &host)) {
            return Err(AuthError::AccessDenied("Requests from other origins are not allowed."));
        }
        let from_here = |site: &[u8]| site == b"same-origin" || site == b"none";
        if request.header("sec-fetch-site").any(|site| !from_here(site)) {
            return Err(AuthError::AccessDenied("Requests from other sites are not allowed."));
        }
        Ok(())
    }

    fn allows(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        let bare = lower.trim_start_matches('[').trim_end_matches(']');
        is_loopback(&lower) || self.hosts.iter().any(|host| host == bare)
    }
}

/// `name[:port]`, an IPv6 name in its brackets.
struct Authority<'a> {
    name: &'a str,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let split = if text.starts_with('[') {
            text.find(']')? + 1
        } else {
            text.find(':').unwrap_or(text.len())
        };
        let (name, rest) = text.split_at(split);
        let port = match rest.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
            None if rest.is_empty() => None,
            None => return None,
        };
        (!name.is_empty()).then_some(Self { name, port })
    }

    fn same(&self, other: &Self, default_port: u16) -> bool {
        self.name.eq_ignore_ascii_case(other.name)
            && self.port.unwrap_or(default_port) == other.port.unwrap_or(default_port)
    }
}

/// The one `Host` of a request; two of them are an attempt to be read two ways.
fn authority<'a>(request: &RequestParts<'a>) -> Option<Authority<'a>> {
    let mut hosts = request.header("host");
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Authority::parse(std::str::from_utf8(host).ok()?),
        _ => None,
    }
}

fn is_loopback(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|a| a.is_loopback());
    }
    // A trailing dot makes a name absolute and changes nothing else.
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost"
        || name.ends_with(".localhost") && name.len() > ".localhost".len()
        || name.parse::<Ipv4Addr>().is_ok_and(|a| a.is_loopback())
}

fn is_own_origin(origin: &[u8], host: &Authority<'_>) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else { return false };
    let (authority, port) = if let Some(rest) = origin.strip_prefix("http://") {
        (rest, 80)
    } else if let Some(rest) = origin.strip_prefix("https://") {
        (rest, 443)
    } else {
        // `null` and the schemes of browser extensions.
        return false;
    };
    Authority::parse(authority).is_some_and(|a| a.same(host, port))
}
