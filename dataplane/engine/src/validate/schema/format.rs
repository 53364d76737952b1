//! The formats draft 4 names. Others are for people and check nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A format that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Uri,
}

impl Format {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "date-time" => Self::DateTime,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "uri" => Self::Uri,
            _ => return None,
        })
    }

    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Self::DateTime => is_date_time(text.as_bytes()),
            Self::Email => is_email(text),
            Self::Hostname => is_hostname(text),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            // A zone is no part of an address here.
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Uri => is_uri(text),
        }
    }

    /// What AWS's validator says of a text that does not fit.
    pub(super) fn message(self, text: &str) -> String {
        match self {
            Self::DateTime => format!(
                "string \"{text}\" is invalid against requested date format(s) \
                 [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{{1,12}}Z]"
            ),
            Self::Email => format!("string \"{text}\" is not a valid email address"),
            Self::Hostname => format!("string \"{text}\" is not a valid hostname"),
            Self::Ipv4 => format!("string \"{text}\" is not a valid IPv4 address"),
            Self::Ipv6 => format!("string \"{text}\" is not a valid IPv6 address"),
            Self::Uri => format!("string \"{text}\" is not a valid URI"),
        }
    }
}

/// RFC 3339: `2024-02-29T23:59:60.5+01:00`. A leap second may be at the end of any day in UTC.
fn is_date_time(text: &[u8]) -> bool {
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        let digits = text.get(range)?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
    };
    let at = |index: usize, wanted: &[u8]| text.get(index).is_some_and(|b| wanted.contains(b));
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) = (number(11..13), number(14..16), number(17..19))
    else {
        return false;
    };
    let separated = at(4, b"-") && at(7, b"-") && at(10, b"Tt") && at(13, b":") && at(16, b":");
    if !separated {
        return false;
    }
    let mut end = 19;
    if at(end, b".") {
        let digits = text[20..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        end += 1 + digits;
    }
    let offset = match text.get(end) {
        Some(b'Z' | b'z') if text.len() == end + 1 => 0,
        Some(sign @ (b'+' | b'-')) if text.len() == end + 6 && at(end + 3, b":") => {
            match (number(end + 1..end + 3), number(end + 4..end + 6)) {
                (Some(hours @ 0..=23), Some(minutes @ 0..=59)) => {
                    let minutes = i64::from(hours * 60 + minutes);
                    if *sign == b'+' { minutes } else { -minutes }
                }
                _ => return false,
            }
        }
        _ => return false,
    };
    let leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap_year => 29,
        2 => 28,
        _ => return false,
    };
    let in_utc = (i64::from(hour * 60 + minute) - offset).rem_euclid(24 * 60);
    let second_fits = second < 60 || second == 60 && in_utc == 24 * 60 - 1;
    (1..=days).contains(&day) && hour < 24 && minute < 60 && second_fits
}

/// A local part of dot-separated atoms or a quoted one, and a host or an address in brackets.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let atom = |atom: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        !atom.is_empty() && atom.bytes().all(fits)
    };
    let quoted = || {
        let inner = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(['"', '\\', '\n', '\r']))
    };
    let address = || {
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        inner.is_some_and(|inner| match inner.strip_prefix("IPv6:") {
            Some(six) => six.parse::<Ipv6Addr>().is_ok(),
            None => inner.parse::<Ipv4Addr>().is_ok(),
        })
    };
    (local.split('.').all(atom) || quoted()) && (is_hostname(host) || address())
}

/// RFC 1034: labels of letters, digits and inner hyphens, at most 63 bytes each and 253 in all.
fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// RFC 3986: a scheme and characters that may stand in a URI, with sound percent escapes and a sound authority.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut in_scheme = scheme.bytes();
    let scheme_fits = in_scheme.next().is_some_and(|b| b.is_ascii_alphabetic())
        && in_scheme.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(after) => after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len())),
        None => ("", rest),
    };
    scheme_fits
        && is_authority(authority)
        && are_uri_characters(path)
        && path.matches('#').count() <= 1
}

/// `user@host:port`, where the host may be an address in brackets.
fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (host_fits, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address.parse::<Ipv6Addr>().is_ok(), port),
            None => return false,
        },
        None => {
            let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            (are_uri_characters(name), port)
        }
    };
    let port_fits = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    host_fits && port_fits && are_uri_characters(user)
}

fn are_uri_characters(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(byte),
    })
}
