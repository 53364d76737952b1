//! Numbers as Java has them: integers of any size, `double`, and decimals as written.

use super::heap::{Heap, Text, Value};

/// An integer as a value: [`Value::Int`] if it fits, else its text.
pub(crate) fn integer(text: Text, digits: &[u8]) -> Value {
    let parsed = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    parsed.map_or(Value::Number(text), Value::Int)
}

/// A number one can calculate with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// An integer of up to 128 bits; Java's has no limit.
    Int(i128),
    /// A `double`.
    Float(f64),
}

impl Number {
    /// The number that a value is.
    pub(crate) fn of(heap: &Heap, value: Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(Self::Int(number.into())),
            Value::Float(number) => Some(Self::Float(number.get())),
            Value::Number(text) => {
                let text = heap.str(text);
                let whole = if is_fraction(text.as_bytes()) { None } else { text.parse().ok() };
                whole.map(Self::Int).or_else(|| text.parse().ok().map(Self::Float))
            }
            _ => None,
        }
    }

    /// As `double`.
    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// Less, equal or greater; `None` with a NaN.
    pub(crate) fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Int(one), Self::Int(two)) => Some(one.cmp(&two)),
            (one, two) => one.float().partial_cmp(&two.float()),
        }
    }
}

/// Whether the text of a number is no integer.
fn is_fraction(text: &[u8]) -> bool {
    memchr::memchr3(b'.', b'e', b'E', text).is_some()
}

/// Appends an integer.
#[inline]
pub(crate) fn write_integer(number: i64, out: &mut Vec<u8>) {
    match number {
        // The most frequent ones need no buffer.
        0..=9 => out.push(b'0' + number as u8),
        10..=99 => out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]),
        _ => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// Appends a number as Java prints it; any other value leaves no trace.
pub(crate) fn write(heap: &Heap, value: Value, out: &mut Vec<u8>) {
    match value {
        Value::Int(number) => write_integer(number, out),
        Value::Float(number) => write_double(number.get(), out),
        Value::Number(text) => {
            let text = heap.text(text);
            // json-smart makes a BigDecimal of more than 18 characters, which prints as it was written.
            let exact = text.len() > 18 && memchr::memchr2(b'e', b'E', text).is_none();
            if exact || prints_itself(text) || !is_fraction(text) {
                return out.extend_from_slice(text);
            }
            let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
            write_double(parsed.unwrap_or(f64::NAN), out);
        }
        _ => {}
    }
}

/// Whether `Double.toString` gives back the very text: at most 15 digits (which a `double` always holds), without an exponent,
/// in the range that Java prints without one, and with no zero too many.
fn prints_itself(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.len() > 16 {
        return false;
    }
    let Some(point) = digits.iter().position(|b| *b == b'.') else { return false };
    let (whole, fraction) = (&digits[..point], &digits[point + 1..]);
    whole.len() <= 7
        && fraction.iter().all(u8::is_ascii_digit)
        && (fraction == b"0" || fraction.last() != Some(&b'0'))
        && (whole != b"0" || fraction == b"0" || fraction.iter().take(3).any(|b| *b != b'0'))
}

/// Appends a number as `Double.toString` does: the shortest digits that tell it from its neighbours; with an exponent below 0.001
/// and from ten million on.
pub(crate) fn write_double(number: f64, out: &mut Vec<u8>) {
    if number.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if number.is_sign_negative() {
        out.push(b'-');
    }
    let number = number.abs();
    if number.is_infinite() {
        return out.extend_from_slice(b"Infinity");
    }
    if number == 0.0 {
        return out.extend_from_slice(b"0.0");
    }
    let shortest = format!("{number:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let fraction = |out: &mut Vec<u8>, rest: &[u8]| {
        out.push(b'.');
        out.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
    };
    match exponent {
        -3..=-1 => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', (-exponent - 1) as usize));
            out.extend_from_slice(&digits);
        }
        0..=6 => {
            let whole = exponent as usize + 1;
            let given = whole.min(digits.len());
            out.extend_from_slice(&digits[..given]);
            out.extend(std::iter::repeat_n(b'0', whole - given));
            fraction(out, &digits[given..]);
        }
        _ => {
            out.push(digits[0]);
            fraction(out, &digits[1..]);
            out.push(b'E');
            out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_in_java() {
        for (number, want) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (3.25, "3.25"),
            (100.0, "100.0"),
            (1e7, "1.0E7"),
            (9_999_999.5, "9999999.5"),
            (123_456_789.5, "1.234567895E8"),
            (0.001, "0.001"),
            (0.000_12, "1.2E-4"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::INFINITY, "Infinity"),
            (-2.5e-10, "-2.5E-10"),
            (f64::NAN, "NaN"),
        ] {
            let mut out = Vec::new();
            write_double(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }

    #[test]
    fn numbers_of_json_print_as_if_they_had_been_read() {
        for text in [
            "0.0",
            "-0.0",
            "1.5",
            "1.50",
            "0.001",
            "0.0001",
            "0.00",
            "12345678.5",
            "1234567.5",
            "1e3",
            "1E-2",
            "249.99",
            "0.123456789012345",
            "123.4567890123456",
            "10000000.0",
            "0.010",
            "-7.25",
            "5.10",
        ] {
            let mut heap = Heap::for_document(1 << 10, 1 << 10);
            let stored = heap.store(text).unwrap();
            let (mut one, mut two) = (Vec::new(), Vec::new());
            write(&heap, Value::Number(stored), &mut one);
            write_double(text.parse().unwrap(), &mut two);
            assert_eq!(one, two, "{text}");
        }
    }
}
