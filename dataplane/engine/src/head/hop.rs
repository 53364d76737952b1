//! Fields that a message asks to be dropped at the next hop, and those it may not ask that of.

use super::{Head, Known};

impl Head {
    /// Whether a `Connection` field names `name` as a field for this hop only, so that it is not forwarded.
    ///
    /// False for fields that frame the message, identify the caller or are set by the gateway, whatever `Connection` says:
    /// a caller may not have those removed on its behalf. The fields that are hop-by-hop by definition (`Connection`,
    /// `Keep-Alive`, `TE`, `Trailer`, `Upgrade` ...) are the engine's to drop whether nominated or not.
    ///
    /// Costs one branch unless `Connection` names something else than `close` and `keep-alive`.
    /// Source: RFC 9110 section 7.6.1; CVE-2024-45410 and CVE-2026-26365 for the exceptions.
    pub fn nominated(&self, name: &[u8]) -> bool {
        self.nominates
            && !is_protected(name)
            && self
                .fields
                .iter()
                .filter(|field| field.known == Known::Connection)
                .flat_map(|field| options(self.bytes(field.value)))
                .any(|option| option.eq_ignore_ascii_case(name))
    }
}

/// Whether a `Connection` value names anything but `close` and `keep-alive`.
pub fn names_fields(value: &[u8]) -> bool {
    options(value).any(|option| {
        !option.eq_ignore_ascii_case(b"close") && !option.eq_ignore_ascii_case(b"keep-alive")
    })
}

/// The non-empty members of a comma-separated list, without the white space around them.
fn options(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|option| !option.is_empty())
}

/// Whether no peer may have this field removed.
fn is_protected(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 17] = [
        // Framing and addressing.
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"content-type",
        b"content-encoding",
        b"expect",
        b"date",
        // Who calls, on whose behalf, and what they may see.
        b"authorization",
        b"cookie",
        b"origin",
        b"x-api-key",
        b"cache-control",
        b"vary",
        // Set by proxies and by the gateway.
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"true-client-ip",
    ];
    const PREFIXES: [&[u8]; 3] = [b"x-forwarded-", b"x-amz-", b"x-amzn-"];
    NAMES.iter().any(|protected| name.eq_ignore_ascii_case(protected))
        || PREFIXES.iter().any(|prefix| {
            name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(connection: &[&str]) -> Head {
        let mut head = Head::default();
        for value in connection {
            head.push_field(b"Connection", value.as_bytes());
        }
        head
    }

    #[test]
    fn plain_options_name_no_field() {
        for value in ["", "close", "Keep-Alive", "close , KEEP-ALIVE", ",, close,"] {
            assert!(!head(&[value]).nominates, "{value}");
            assert!(!head(&[value]).nominated(b"close"), "{value}");
        }
        assert!(!Head::default().nominated(b"x-a"));
    }

    #[test]
    fn named_fields_are_nominated_in_any_case_and_any_field() {
        let head = head(&["close, X-One", "\tx-TWO ,te"]);
        for name in ["x-one", "X-Two", "TE"] {
            assert!(head.nominated(name.as_bytes()), "{name}");
        }
        for name in ["x-on", "x-three", ""] {
            assert!(!head.nominated(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn framing_identity_and_gateway_fields_stay() {
        for name in [
            "Transfer-Encoding",
            "content-length",
            "Host",
            "Authorization",
            "X-Forwarded-For",
            "x-forwarded-anything",
            "x-amzn-trace-id",
            "X-Amz-Date",
            "X-Api-Key",
            "Cookie",
            "Forwarded",
        ] {
            assert!(!head(&[name]).nominated(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_reset_head_forgets_its_nominations() {
        let mut head = head(&["x-a"]);
        assert!(head.nominated(b"x-a"));
        head.reset();
        assert!(!head.nominates);
    }
}
