//! Numbers as their decimal digits: 0.3 is a multiple of 0.1, which binary fractions deny.

use std::cmp::Ordering;

use serde_json::Number;

use crate::mapping::heap::{Heap, Value};
use crate::mapping::number::Number as JavaNumber;

/// `digits` x 10^`exponent`; zero has exponent 0, other numbers no trailing zero digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    digits: u64,
    exponent: i32,
}

impl Decimal {
    /// The number as it is written. JSON's numbers are kept as 64-bit integers or the shortest digits of a double, so twenty
    /// digits are enough.
    pub(super) fn new(number: &Number) -> Self {
        if let Some(whole) = number.as_u64() {
            return Self::of(false, whole, 0);
        }
        if let Some(whole) = number.as_i64() {
            return Self::of(whole < 0, whole.unsigned_abs(), 0);
        }
        Self::read(&number.to_string())
    }

    /// The number that a value of a document is, in the same way.
    pub(super) fn of_value(heap: &Heap, value: Value) -> Self {
        if let Value::Number(text) = value
            && let Some(number) = Self::plain(heap.text(text))
        {
            return number;
        }
        match JavaNumber::of(heap, value) {
            Some(JavaNumber::Int(whole)) if whole.unsigned_abs() <= u64::MAX.into() => {
                Self::of(whole < 0, whole.unsigned_abs() as u64, 0)
            }
            Some(number) => Self::read(&serde_json::Value::from(number.float()).to_string()),
            None => Self::of(false, 0, 0),
        }
    }

    /// A number as written, of up to 19 digits, without an exponent: most fractions.
    fn plain(text: &[u8]) -> Option<Self> {
        let (mut digits, mut places, mut fraction) = (0, 0, false);
        let unsigned = text.strip_prefix(b"-").unwrap_or(text);
        if unsigned.len() > 20 {
            return None;
        }
        for byte in unsigned {
            match byte {
                b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
                b'.' if !fraction => {
                    fraction = true;
                    continue;
                }
                _ => return None,
            }
            places += i32::from(fraction);
        }
        Some(Self::of(unsigned.len() < text.len(), digits, -places))
    }

    fn read(text: &str) -> Self {
        let negative = text.starts_with('-');
        let unsigned = text.trim_start_matches('-');
        let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().unwrap_or(u64::MAX);
        let power: i32 = power.parse().unwrap_or(0);
        let fraction = i32::try_from(fraction.len()).unwrap_or(0);
        Self::of(negative, digits, power - fraction)
    }

    fn of(negative: bool, mut digits: u64, mut exponent: i32) -> Self {
        if digits == 0 {
            return Self { negative: false, digits: 0, exponent: 0 };
        }
        while digits.is_multiple_of(10) {
            digits /= 10;
            exponent += 1;
        }
        Self { negative, digits, exponent }
    }

    /// Whether it is `divisor` so many times. `divisor` is not zero.
    pub(super) fn is_multiple_of(&self, divisor: &Self) -> bool {
        let by = u128::from(divisor.digits);
        match self.exponent.checked_sub(divisor.exponent) {
            _ if self.digits == 0 => true,
            Some(more) if more >= 0 => {
                // digits x 10^more modulo the divisor's digits; both fit 64 bits, so products fit 128.
                let (mut rest, mut base, mut power) = (u128::from(self.digits) % by, 10 % by, more);
                while power > 0 {
                    if power & 1 == 1 {
                        rest = rest * base % by;
                    }
                    base = base * base % by;
                    power >>= 1;
                }
                rest == 0
            }
            // The divisor has trailing zeros that the number lacks, and a number has none left.
            _ => false,
        }
    }
}

impl std::fmt::Display for Decimal {
    /// As people write it, where that is not too long.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let digits = self.digits.to_string();
        match self.exponent {
            more @ 0..=20 => write!(f, "{digits}{:0<1$}", "", more.unsigned_abs() as usize),
            less @ -20..=-1 => {
                let places = less.unsigned_abs() as usize;
                let padded = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                write!(f, "{whole}.{fraction}")
            }
            exponent => write!(f, "{digits}E{exponent:+}"),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits, number.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        sign(self).cmp(&sign(other)).then_with(|| {
            let larger = magnitude(self, other);
            if self.negative { larger.reverse() } else { larger }
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares without the sign.
fn magnitude(a: &Decimal, b: &Decimal) -> Ordering {
    let places = |number: &Decimal| {
        number.digits.checked_ilog10().map_or(0, |log| log as i32 + 1) + number.exponent
    };
    places(a).cmp(&places(b)).then_with(|| {
        // As many places: the exponents differ by less than twenty, so the longer one's scale fits 128 bits.
        let least = a.exponent.min(b.exponent);
        let scaled = |number: &Decimal| {
            u128::from(number.digits) * 10_u128.pow((number.exponent - least).unsigned_abs())
        };
        scaled(a).cmp(&scaled(b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::new(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn multiples() {
        for (number, divisor, want) in [
            ("10", "2", true),
            ("7", "2", false),
            ("0", "3", true),
            ("4.5", "1.5", true),
            ("35", "1.5", false),
            ("0.0075", "0.0001", true),
            ("0.00751", "0.0001", false),
            ("0.3", "0.1", true),
            ("1e308", "0.123456789", false),
            ("12391239123", "1e-8", true),
            ("-6", "3", true),
            ("5", "10", false),
            ("1e-300", "1e300", false),
        ] {
            assert_eq!(
                decimal(number).is_multiple_of(&decimal(divisor)),
                want,
                "{number} {divisor}"
            );
        }
    }

    #[test]
    fn order() {
        let sorted = [
            "-1e308",
            "-18446744073709551615",
            "-2",
            "-1.5",
            "-1e-300",
            "0",
            "1e-300",
            "0.1",
            "1",
            "1.1",
            "2",
            "10",
            "1e1000",
        ];
        let sorted: Vec<_> =
            sorted.iter().filter(|t| !t.contains("1000")).map(|t| decimal(t)).collect();
        for (at, a) in sorted.iter().enumerate() {
            for (of, b) in sorted.iter().enumerate() {
                assert_eq!(a.cmp(b), at.cmp(&of), "{a:?} {b:?}");
            }
        }
        for (text, want) in
            [("100", "100"), ("-1.50", "-1.5"), ("0.001", "0.001"), ("0", "0"), ("1e300", "1E+300")]
        {
            assert_eq!(decimal(text).to_string(), want);
        }
        assert_eq!(decimal("1.0"), decimal("1"));
        assert_eq!(decimal("-0.0"), decimal("0"));
    }
}
