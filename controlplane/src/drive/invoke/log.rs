//! The log of a test call: AWS's lines in AWS's order.
//!
//! Source: recorded answers of `TestInvokeMethod`; line texts as in execution logs. Masking and truncation: developer guide, "Set
//! up CloudWatch logging for REST APIs".

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::FormatItem;
use time::macros::format_description;

/// A log in the making.
pub(super) struct Log {
    text: String,
    now: fn() -> SystemTime,
}

impl Log {
    /// The log of one request; `now` gives each line its time.
    pub(super) fn new(request_id: &str, now: fn() -> SystemTime) -> Self {
        let mut log = Self { text: format!("Execution log for request {request_id}\n"), now };
        log.line(format_args!("Starting execution for request: {request_id}"));
        log
    }

    /// Adds a line, cut where AWS cuts an event.
    pub(super) fn line(&mut self, event: impl Display) {
        let time = OffsetDateTime::from((self.now)()).format(STAMP).unwrap_or_default();
        let event = event.to_string();
        let end = event.char_indices().nth(MAX_EVENT).map_or(event.len(), |(at, _)| at);
        let cut = if end < event.len() { " [TRUNCATED]" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{time} : {}{cut}", &event[..end]);
    }

    /// The whole log.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// Names and values as AWS prints them: `{k=v, l=w}`.
pub(super) fn map<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let each: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{{{}}}", each.join(", "))
}

/// Headers as AWS prints them, what proves who someone is behind `*`: only its end is shown, enough to tell two apart.
pub(super) fn headers<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let each: Vec<String> = pairs
        .map(|(name, value)| {
            if SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
                let length = value.chars().count();
                let hidden = if length > 2 * SHOWN { length - SHOWN } else { length };
                let shown: String = value.chars().skip(hidden).collect();
                format!("{name}={}{shown}", "*".repeat(hidden))
            } else {
                format!("{name}={value}")
            }
        })
        .collect();
    format!("{{{}}}", each.join(", "))
}

/// A body as AWS prints it: a binary one is not shown.
pub(super) fn body(bytes: &[u8], is_binary: bool) -> Cow<'_, str> {
    if is_binary { Cow::Borrowed("[Binary Data]") } else { String::from_utf8_lossy(bytes) }
}

/// `EEE MMM dd HH:mm:ss UTC yyyy`
const STAMP: &[FormatItem<'_>] = format_description!(
    "[weekday repr:short] [month repr:short] [day] [hour]:[minute]:[second] UTC [year]"
);

/// Characters of an event that are shown.
const MAX_EVENT: usize = 1024;

/// Headers whose values are credentials.
const SECRETS: [&str; 4] =
    ["Authorization", "Proxy-Authorization", "X-Api-Key", "X-Amz-Security-Token"];

/// Characters of a credential that are shown.
const SHOWN: usize = 6;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn then() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_735_787_045)
    }

    #[test]
    fn lines_have_their_time_but_for_the_first() {
        let mut log = Log::new("an-id", then);
        log.line("HTTP Method: GET, Resource Path: /pets");
        assert_eq!(
            log.finish(),
            "Execution log for request an-id\n\
             Thu Jan 02 03:04:05 UTC 2025 : Starting execution for request: an-id\n\
             Thu Jan 02 03:04:05 UTC 2025 : HTTP Method: GET, Resource Path: /pets\n"
        );
    }

    #[test]
    fn long_events_are_cut_between_characters() {
        for (length, cut) in [(1024, false), (1025, true)] {
            let mut log = Log::new("i", then);
            log.line("é".repeat(length));
            let text = log.finish();
            let event = text.lines().last().unwrap().split_once(" : ").unwrap().1;
            assert_eq!(event.chars().filter(|c| *c == 'é').count(), 1024);
            assert_eq!(event.ends_with("é [TRUNCATED]"), cut);
        }
    }

    #[test]
    fn maps_and_credentials() {
        assert_eq!(map(std::iter::empty()), "{}");
        assert_eq!(map([("a", "1"), ("b", "")].into_iter()), "{a=1, b=}");
        for (value, want) in [
            ("", ""),
            ("short", "*****"),
            ("exactlytwelv", "************"),
            ("longer-than-twelve", "************twelve"),
        ] {
            let shown = headers([("authorization", value), ("Accept", "*/*")].into_iter());
            assert_eq!(shown, format!("{{authorization={want}, Accept=*/*}}"));
        }
    }
}
