//! What API keys have used of usage plans, and the arithmetic of quotas. Days are UTC.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime};

use super::wire::wire_enum;
use super::{QuotaSettings, Timestamp};

wire_enum! {
    /// How long a quota's limit holds: a day, a week from Sunday on, or a month from its first day on.
    QuotaPeriod { Day = "DAY", Week = "WEEK", Month = "MONTH" }
}

impl QuotaPeriod {
    /// The first day of the period that `day` is in.
    pub fn start(self, day: Date) -> Date {
        let days_before = match self {
            Self::Day => 0,
            Self::Week => day.weekday().number_days_from_sunday(),
            Self::Month => day.day() - 1,
        };
        day.saturating_sub(Duration::days(days_before.into()))
    }
}

impl QuotaSettings {
    /// The requests a key has in the period `day` is in; `since` is the day the quota began.
    pub fn allowance(&self, since: Date, day: Date) -> i64 {
        let initial = self.period.start(since) == self.period.start(day);
        let less = if initial { self.offset } else { 0 };
        (i64::from(self.limit) - i64::from(less)).max(0)
    }
}

/// What one key used of one plan on one day. A day without requests and without a grant has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageDay {
    /// Requests counted on this day, of all nodes.
    pub used: i64,
    /// The newest UpdateUsage of the day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
}

/// What an operator granted: from then on and for the rest of the period it stands in place of the plan's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Requests the key may still make.
    pub remaining: i64,
    /// What had been used of the day by then.
    pub used: i64,
}

/// Used and remaining at the end of each day of `from..=to`; `days` has what is known since the start of the period `from`
/// is in. Without a quota remaining is [`UNLIMITED`].
pub fn usage(
    quota: Option<(&QuotaSettings, Date)>,
    days: &BTreeMap<Date, UsageDay>,
    from: Date,
    to: Date,
) -> Vec<(i64, i64)> {
    let mut day = quota.map_or(from, |(quota, _)| quota.period.start(from));
    let mut remaining = UNLIMITED;
    let mut shown = Vec::new();
    while day <= to {
        let known = days.get(&day).copied().unwrap_or_default();
        if let Some((quota, since)) = quota {
            if quota.period.start(day) == day {
                remaining = quota.allowance(since, day);
            }
            remaining = match known.grant {
                Some(grant) => {
                    grant.remaining.saturating_sub(known.used.saturating_sub(grant.used))
                }
                None => remaining.saturating_sub(known.used),
            };
        }
        if day >= from {
            let left = if quota.is_some() { remaining.max(0) } else { UNLIMITED };
            shown.push((known.used, left));
        }
        let Some(next) = day.next_day() else { break };
        day = next;
    }
    shown
}

/// The day a moment is in.
pub fn day_of(moment: Timestamp) -> Date {
    // Beyond the calendar is no moment a clock gives.
    OffsetDateTime::from_unix_timestamp(moment.0).map_or(Date::MAX, OffsetDateTime::date)
}

/// What remains where there is no quota.
pub const UNLIMITED: i64 = -1;

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn periods_start_at_midnight_on_sunday_and_on_the_first() {
        for (period, day, start) in [
            (QuotaPeriod::Day, date!(2024 - 02 - 29), date!(2024 - 02 - 29)),
            // A Sunday, the Saturday before and the Monday after.
            (QuotaPeriod::Week, date!(2024 - 03 - 03), date!(2024 - 03 - 03)),
            (QuotaPeriod::Week, date!(2024 - 03 - 02), date!(2024 - 02 - 25)),
            (QuotaPeriod::Week, date!(2024 - 03 - 04), date!(2024 - 03 - 03)),
            (QuotaPeriod::Week, date!(2025 - 01 - 01), date!(2024 - 12 - 29)),
            (QuotaPeriod::Month, date!(2024 - 02 - 29), date!(2024 - 02 - 01)),
            (QuotaPeriod::Month, date!(2025 - 01 - 01), date!(2025 - 01 - 01)),
            (QuotaPeriod::Week, Date::MIN, Date::MIN),
        ] {
            assert_eq!(period.start(day), start, "{period} {day}");
        }
    }

    #[test]
    fn the_first_period_has_less_by_the_offset() {
        let since = date!(2024 - 02 - 14);
        for (limit, offset, period, day, want) in [
            (100, 0, QuotaPeriod::Day, since, 100),
            (100, 6, QuotaPeriod::Week, date!(2024 - 02 - 17), 94),
            (100, 6, QuotaPeriod::Week, date!(2024 - 02 - 11), 94),
            (100, 6, QuotaPeriod::Week, date!(2024 - 02 - 18), 100),
            (100, 27, QuotaPeriod::Month, date!(2024 - 02 - 29), 73),
            (100, 27, QuotaPeriod::Month, date!(2024 - 03 - 01), 100),
            (5, 27, QuotaPeriod::Month, since, 0),
        ] {
            let quota = QuotaSettings { limit, offset, period };
            assert_eq!(quota.allowance(since, day), want, "{quota:?} {day}");
        }
    }

    #[test]
    fn what_remains_runs_down_within_a_period() {
        let used = |used| UsageDay { used, grant: None };
        let granted = |used, remaining, before| UsageDay {
            used,
            grant: Some(Grant { remaining, used: before }),
        };
        // Thursday to Monday, from a Friday on in most cases.
        let days = [
            date!(2024 - 02 - 29),
            date!(2024 - 03 - 01),
            date!(2024 - 03 - 02),
            date!(2024 - 03 - 03),
            date!(2024 - 03 - 04),
        ];
        let (thursday, friday, monday) = (days[0], days[1], days[4]);
        let since = date!(2023 - 01 - 01);
        let week = QuotaSettings { limit: 10, offset: 0, period: QuotaPeriod::Week };
        let day = QuotaSettings { period: QuotaPeriod::Day, ..week };
        let month = QuotaSettings { period: QuotaPeriod::Month, ..week };
        let full = [used(1), used(2), used(3), used(4), used(5)];
        for (quota, known, from, want) in [
            (Some(&day), full, friday, &[(2, 8), (3, 7), (4, 6), (5, 5)][..]),
            (Some(&week), full, friday, &[(2, 7), (3, 4), (4, 6), (5, 1)]),
            (Some(&month), full, thursday, &[(1, 9), (2, 8), (3, 5), (4, 1), (5, 0)]),
            (None, full, thursday, &[(1, -1), (2, -1), (3, -1), (4, -1), (5, -1)]),
            (
                Some(&week),
                [used(1), granted(2, 50, 1), used(3), used(0), used(0)],
                thursday,
                &[(1, 9), (2, 49), (3, 46), (0, 10), (0, 10)],
            ),
            (
                Some(&month),
                [used(0), granted(2, 0, 0), used(3), granted(0, i64::MAX, 0), used(1)],
                friday,
                &[(2, 0), (3, 0), (0, i64::MAX), (1, i64::MAX - 1)],
            ),
        ] {
            let known = days.into_iter().zip(known).collect();
            let found = usage(quota.map(|quota| (quota, since)), &known, from, monday);
            assert_eq!(found, want, "{quota:?} from {from}");
        }
        assert!(usage(Some((&week, since)), &BTreeMap::new(), monday, friday).is_empty());
        assert_eq!(usage(None, &BTreeMap::new(), Date::MAX, Date::MAX), [(0, -1)]);
    }
}
