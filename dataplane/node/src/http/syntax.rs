//! Which bytes may stand where: tokens, field values, request targets, authorities. Shared by all HTTP versions.

use std::net::Ipv6Addr;

const TOKEN: u8 = 1;
const TARGET: u8 = 2;
const HOST: u8 = 4;
const VALUE: u8 = 8;

/// What each byte may be part of, one look-up each.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let mut class = 0;
        if b.is_ascii_alphanumeric() || is_one_of(b, b"!#$%&'*+-.^_`|~") {
            class |= TOKEN;
        }
        if b.is_ascii_graphic() && !is_one_of(b, b"\"#<>\\^`{|}") {
            class |= TARGET;
        }
        if b.is_ascii_alphanumeric() || is_one_of(b, b"-._") {
            class |= HOST;
        }
        if b == b'\t' || (b >= b' ' && b != 0x7f) {
            class |= VALUE;
        }
        table[byte] = class;
        byte += 1;
    }
    table
}

const fn is_one_of(byte: u8, set: &[u8]) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

const fn is(byte: u8, class: u8) -> bool {
    CLASS[byte as usize] & class != 0
}

/// Whether `byte` may stand in a token: a method, a field name. Source: RFC 9110 section 5.6.2.
pub const fn is_token_byte(byte: u8) -> bool {
    is(byte, TOKEN)
}

/// Whether `bytes` is a token. Source: RFC 9110 section 5.6.2.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && token_len(bytes) == bytes.len()
}

/// How many bytes at the front of `bytes` are token bytes.
pub fn token_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is(*byte, TOKEN)).unwrap_or(bytes.len())
}

/// Whether `byte` may stand in a request target.
///
/// Visible ASCII without `"` `#` `<` `>` `\` `^` `` ` `` `{` `|` `}`: what RFC 3986 allows, plus `[` and `]`, which query
/// strings carry in practice (`ids[]=1`). Browsers leave some of the refused ones bare in a query; API Gateway documents
/// that `|`, `{` and `}` must be escaped there, and the others are refused for the same reason: upstreams disagree on them.
/// Escapes (`%2f`) are not looked into; that is the path rules' work.
pub const fn is_target_byte(byte: u8) -> bool {
    is(byte, TARGET)
}

/// How many bytes at the front of `bytes` are target bytes.
pub fn target_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is(*byte, TARGET)).unwrap_or(bytes.len())
}

/// Whether `byte` may stand in a field value: no control but tab. Bytes past ASCII are kept as they came (`obs-text`).
/// Source: RFC 9110 section 5.5.
pub const fn is_value_byte(byte: u8) -> bool {
    is(byte, VALUE)
}

/// Whether `bytes` may be a field value.
pub fn is_value(bytes: &[u8]) -> bool {
    value_len(bytes) == bytes.len()
}

/// How many bytes at the front of `bytes` are value bytes. Eight at a time, since values are most of a head.
pub fn value_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES * 0x80;
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let flipped = word ^ (ONES * 0x7f);
        let deletes = flipped.wrapping_sub(ONES) & !flipped;
        // A borrow can only spill into later bytes, so the first hit is exact.
        let hits = (controls | deletes) & HIGHS;
        if hits == 0 {
            at += 8;
            continue;
        }
        at += (hits.trailing_zeros() / 8) as usize;
        if bytes[at] != b'\t' {
            return at;
        }
        at += 1;
    }
    at + bytes[at..].iter().position(|byte| !is(*byte, VALUE)).unwrap_or(bytes.len() - at)
}

/// Whether `bytes` is a host with an optional port: a name, an IPv4 address or a bracketed IPv6 address.
///
/// Narrower than RFC 3986 section 3.2.2: a name is letters, digits, `-`, `.` and `_` only (no escapes, no sub-delimiters,
/// which no domain of ours has and on which parsers differ), a port is 1 to 5 digits up to 65535, and there is no user
/// information (RFC 9110 section 4.2.4) and no IPv6 zone.
pub fn is_authority(bytes: &[u8]) -> bool {
    let (host_ok, port) = if let Some(rest) = bytes.strip_prefix(b"[") {
        let Some(close) = rest.iter().position(|byte| *byte == b']') else { return false };
        let address = std::str::from_utf8(&rest[..close]).ok().map(str::parse::<Ipv6Addr>);
        (matches!(address, Some(Ok(_))), &rest[close + 1..])
    } else {
        let name = bytes.iter().position(|byte| !is(*byte, HOST)).unwrap_or(bytes.len());
        (name > 0, &bytes[name..])
    };
    host_ok && (port.is_empty() || port.strip_prefix(b":").is_some_and(is_port))
}

fn is_port(digits: &[u8]) -> bool {
    (1..=5).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && digits.iter().fold(0u32, |port, digit| port * 10 + u32::from(digit - b'0')) <= 65_535
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_len_agrees_with_the_table_at_every_offset() {
        for byte in 0..=255u8 {
            for at in 0..20 {
                for next in [b'a', b'\t', 0, 0x80] {
                    let mut bytes = *b"0123456789abcdefghij-";
                    bytes[at] = byte;
                    bytes[at + 1] = next;
                    let naive =
                        bytes.iter().position(|b| !is_value_byte(*b)).unwrap_or(bytes.len());
                    assert_eq!(value_len(&bytes), naive, "{byte:#x} then {next:#x} at {at}");
                }
            }
        }
    }

    #[test]
    fn classes_count_what_the_rfcs_list() {
        let count = |class: fn(u8) -> bool| (0..=255u8).filter(|byte| class(*byte)).count();
        assert_eq!(count(is_token_byte), 62 + 15);
        assert_eq!(count(is_target_byte), 94 - 10);
        assert_eq!(count(is_value_byte), 256 - 32 - 1 + 1);
    }

    #[test]
    fn authorities() {
        for good in [
            "a",
            "a.b",
            "A-b_c.example.",
            "127.0.0.1",
            "a:1",
            "a:65535",
            "[::1]",
            "[::1]:80",
            "[::ffff:1.2.3.4]",
        ] {
            assert!(is_authority(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            ":",
            ":80",
            "a:",
            "a:b",
            "a:65536",
            "a:000001",
            "a:+1",
            "a b",
            "a,b",
            "a@b",
            "u:p@a",
            "a/b",
            "a?b",
            "a#b",
            "a%41",
            "a\\b",
            "[::1",
            "::1",
            "[::1]a",
            "[::1%25eth0]",
            "[]",
            "[1.2.3.4]",
            "a[",
            "a\0",
            "ä",
            "a\t",
        ] {
            assert!(!is_authority(bad.as_bytes()), "{bad}");
        }
    }
}
