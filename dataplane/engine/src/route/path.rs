//! The one way to read a request path: segments as sent, compared by what they mean.
//!
//! Values keep the caller's encoding, as AWS passes them; literals are compared after decoding escapes of unreserved characters,
//! so that `/%61dmin` is `/admin` for routing and cannot slip past it into a greedy sibling. Paths that upstreams are known to
//! read differently from us (`.` and `..` segments, `%00`, broken escapes) are refused.

use crate::head::{Head, Span};

/// Whether a path is safe to route: no dot segments, no NUL, no broken escape.
pub fn is_sound(path: &[u8]) -> bool {
    // Most paths have neither escapes nor dots next to slashes.
    if memchr::memchr2(b'%', b'.', path).is_none() {
        return true;
    }
    escapes_are_whole(path) && !path.split(|b| *b == b'/').any(is_dot_segment)
}

fn escapes_are_whole(path: &[u8]) -> bool {
    let mut rest = path;
    while let Some(at) = memchr::memchr(b'%', rest) {
        match escape(&rest[at..]) {
            None | Some(0) => return false,
            Some(_) => rest = &rest[at + 3..],
        }
    }
    true
}

/// `.` and `..` in any encoding; `..;x` as Java servers read it.
fn is_dot_segment(segment: &[u8]) -> bool {
    let mut dots = 0;
    for byte in Decoded(segment) {
        match byte {
            b'.' => dots += 1,
            b';' if dots > 0 => return true,
            _ => return false,
        }
    }
    matches!(dots, 1 | 2)
}

/// Whether a segment means the literal.
pub fn segment_is(segment: &[u8], literal: &[u8]) -> bool {
    if memchr::memchr(b'%', segment).is_none() {
        return segment == literal;
    }
    Decoded(segment).eq(literal.iter().copied())
}

/// A path as resources are found by it, for whoever compares paths: escapes of unreserved characters decoded, no slashes at its ends.
pub fn meaning(path: &[u8]) -> Vec<u8> {
    let from = path.iter().position(|b| *b != b'/').unwrap_or(path.len());
    let to = path.iter().rposition(|b| *b != b'/').map_or(from, |last| last + 1);
    Decoded(&path[from..to]).collect()
}

/// How much of a path a base path takes, if the path begins with it, segment by segment.
pub fn behind(path: &[u8], base: &str) -> Option<usize> {
    base.split('/').try_fold(0, |at, part| {
        let rest = path[at..].strip_prefix(b"/")?;
        let end = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        segment_is(&rest[..end], part.as_bytes()).then_some(at + 1 + end)
    })
}

/// A segment's bytes with the escapes of unreserved characters decoded (RFC 3986, 6.2.2.2). Other escapes stay as they are.
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        if first == b'%'
            && let Some(byte) = escape(self.0)
            && (byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
        {
            self.0 = &self.0[3..];
            return Some(byte);
        }
        self.0 = rest;
        Some(first)
    }
}

fn escape(text: &[u8]) -> Option<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16);
    let (high, low) = (digit(text.get(1)?)?, digit(text.get(2)?)?);
    u8::try_from(high * 16 + low).ok()
}

/// The next segment at or after `from`, and where to look for the one behind it. Leading slashes are skipped.
pub fn next_segment(head: &Head, from: usize, end: usize) -> Option<(Span, usize)> {
    let bytes = &head.buf[..end];
    let start = from + bytes[from..].iter().position(|b| *b != b'/')?;
    let stop = memchr::memchr(b'/', &bytes[start..]).map_or(end, |i| start + i);
    Some((Span::new(start, stop), stop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsound_paths_are_found() {
        for path in [
            "/a/../b",
            "/..",
            "/.",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/a%00",
            "/a%0",
            "/a%",
            "/a%zz",
            "/..;/b",
            "/.;x",
        ] {
            assert!(!is_sound(path.as_bytes()), "{path}");
        }
        for path in ["/", "/a.b", "/...", "/a/.well-known", "/%20", "/a%2fb", "/..a", "/v1.2/x"] {
            assert!(is_sound(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn escapes_of_unreserved_characters_mean_the_characters() {
        assert!(segment_is(b"%61dmin", b"admin"));
        assert!(segment_is(b"admin", b"admin"));
        assert!(!segment_is(b"%2Fadmin", b"/admin"));
        assert!(!segment_is(b"Admin", b"admin"));
        assert!(!segment_is(b"adm", b"admin"));
        for (path, meant) in [
            ("/a/%73ecret/", "a/secret"),
            ("//a//b", "a//b"),
            ("/a%2fb%20", "a%2fb%20"),
            ("/", ""),
            ("", ""),
        ] {
            assert_eq!(meaning(path.as_bytes()), meant.as_bytes());
        }
    }
}
