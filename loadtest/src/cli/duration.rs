//! Durations as people write them: `250ms`, `10s`, `2m`, or plain seconds.

use std::time::Duration;

pub fn parse(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale = match unit {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" => 60.0,
        _ => return Err(format!("{unit:?} is no unit: use ms, s or m, as in 250ms, 10s, 2m")),
    };
    let number: f64 =
        number.parse().map_err(|_| format!("{text:?} is no duration: use 250ms, 10s or 2m"))?;
    Duration::try_from_secs_f64(number * scale).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, ms) in
            [("250ms", 250), ("10s", 10_000), ("2m", 120_000), ("1.5", 1_500), ("0s", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1s", "3h", "1s2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
