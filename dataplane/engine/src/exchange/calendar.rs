//! Moments as the texts that logs, contexts and signatures have for them. UTC, the Gregorian calendar.

/// A moment taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

impl Moment {
    /// The moment so many milliseconds after the beginning of 1970; up to the year 9999.
    pub fn from_unix_ms(unix_ms: u64) -> Self {
        let seconds = (unix_ms / 1000).min(LAST_SECOND);
        let (days, of_day) = ((seconds / 86_400) as u32, (seconds % 86_400) as u32);
        // Years are counted from March, so that the leap day is the last of its year; 400 years have 146,097 days.
        let days = days + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: era * 400 + year_of_era + u32::from(month <= 2),
            month,
            day: of_year - (153 * from_march + 2) / 5 + 1,
            hour: of_day / 3_600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
        }
    }

    /// `09/Apr/2015:12:34:56 +0000`, as `$context.requestTime` prints it.
    pub fn common_log(&self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        let month = MONTHS[*month as usize - 1];
        format!("{day:02}/{month}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000")
    }

    /// `20150409T123456Z`, as `X-Amz-Date` has it; the first eight characters are the date.
    pub fn basic(&self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// 9999-12-31T23:59:59Z
const LAST_SECOND: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_taken_apart() {
        for (seconds, want) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_800, "20000301T000000Z"),
            (1_428_582_896, "20150409T123456Z"),
            (1_735_689_599, "20241231T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
            (LAST_SECOND, "99991231T235959Z"),
            (u64::MAX / 1000, "99991231T235959Z"),
        ] {
            assert_eq!(Moment::from_unix_ms(seconds * 1000).basic(), want);
        }
        let moment = Moment::from_unix_ms(1_428_582_896_000);
        assert_eq!(moment.common_log(), "09/Apr/2015:12:34:56 +0000");
    }
}
