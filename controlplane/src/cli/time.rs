//! Moments for people and programs.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// RFC 3339 in UTC; empty for what is no moment.
pub(super) fn seconds(unix: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(unix).ok().filter(|_| unix != 0);
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn moments_are_utc() {
        assert_eq!(super::seconds(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(super::seconds(0), "");
        assert_eq!(super::seconds(i64::MAX), "");
    }
}
