//! Conditions: an operator, a key and the values it is compared with.
//!
//! A key that is absent fails an operator, holds for one that says Not, and is passed over by one that ends in IfExists.
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".

use std::net::IpAddr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Context;
use super::pattern::{Pattern, Syntax};

/// One operator on one key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    quantifier: Quantifier,
    /// Holds where the test does not.
    negated: bool,
    if_exists: bool,
    /// In small letters.
    key: String,
    test: Test,
}

/// How a key with several values is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// As if it had one.
    Plain,
    /// `ForAllValues`: every value passes; none is every.
    All,
    /// `ForAnyValue`: one passes.
    Any,
}

/// What a value is compared with: any of several.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    Text {
        fold: bool,
        patterns: Vec<Pattern>,
    },
    Arn(Vec<Pattern>),
    Number(Order, Vec<f64>),
    Moment(Order, Vec<OffsetDateTime>),
    Flag(Vec<bool>),
    Address(Vec<Network>),
    /// Whether the key is absent.
    Absent(Vec<bool>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Equals" => Self::Equal,
            "LessThan" => Self::Less,
            "LessThanEquals" => Self::LessOrEqual,
            "GreaterThan" => Self::Greater,
            "GreaterThanEquals" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

/// Addresses with the same leading bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        (bits <= most).then_some(Self { address, bits })
    }

    fn holds(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = u32::from(own) ^ u32::from(other);
                differing.leading_zeros() >= self.bits
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = u128::from(own) ^ u128::from(other);
                differing.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

impl Condition {
    /// Reads one operator on one key, or says what is wrong with it.
    pub(super) fn parse(
        operator: &str,
        key: &str,
        values: &[String],
        variables: bool,
    ) -> Result<Self, String> {
        let (quantifier, rest) = match operator.split_once(':') {
            Some(("ForAllValues", rest)) => (Quantifier::All, rest),
            Some(("ForAnyValue", rest)) => (Quantifier::Any, rest),
            Some(_) => return Err(unknown(operator)),
            None => (Quantifier::Plain, operator),
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            // Null asks for existence itself.
            Some("Null") => return Err(unknown(operator)),
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (test, negated) = test(base, values, variables)?.ok_or_else(|| unknown(operator))?;
        let key = key.to_ascii_lowercase();
        Ok(Self { quantifier, negated, if_exists, key, test })
    }

    /// Whether it holds for a request.
    pub(super) fn holds(&self, context: &Context) -> bool {
        let values = context.values(&self.key);
        if let Test::Absent(wanted) = &self.test {
            return wanted.contains(&values.is_empty());
        }
        if values.is_empty() {
            return match self.quantifier {
                Quantifier::All => true,
                Quantifier::Any => self.if_exists,
                Quantifier::Plain => self.if_exists || self.negated,
            };
        }
        let passes = |value: &String| self.test.passes(value, context) != self.negated;
        match self.quantifier {
            Quantifier::All => values.iter().all(passes),
            Quantifier::Any => values.iter().any(passes),
            // An unexpected second value must not turn a Not around.
            Quantifier::Plain if self.negated => values.iter().all(passes),
            Quantifier::Plain => values.iter().any(passes),
        }
    }

    /// Whether it reads a key that starts with `prefix`.
    pub(super) fn asks_for(&self, prefix: &str) -> bool {
        let variables = match &self.test {
            Test::Text { patterns, .. } | Test::Arn(patterns) => {
                patterns.iter().any(|pattern| pattern.asks_for(prefix))
            }
            _ => false,
        };
        self.key.starts_with(prefix) || variables
    }
}

impl Test {
    fn passes(&self, value: &str, context: &Context) -> bool {
        match self {
            Self::Text { fold, patterns } => {
                patterns.iter().any(|pattern| pattern.fits(value, *fold, context))
            }
            Self::Arn(patterns) => patterns.iter().any(|pattern| pattern.fits_arn(value, context)),
            Self::Number(order, wanted) => {
                number(value).is_some_and(|value| wanted.iter().any(|w| order.holds(&value, w)))
            }
            Self::Moment(order, wanted) => {
                moment(value).is_some_and(|value| wanted.iter().any(|w| order.holds(&value, w)))
            }
            Self::Flag(wanted) => flag(value).is_some_and(|value| wanted.contains(&value)),
            Self::Address(networks) => {
                let address = value.parse().map(|address: IpAddr| address.to_canonical());
                address.is_ok_and(|address| networks.iter().any(|network| network.holds(address)))
            }
            // Answered before values are looked at.
            Self::Absent(_) => false,
        }
    }
}

/// The operator's test, and whether it is turned around; `None` for an unknown one.
fn test(base: &str, values: &[String], variables: bool) -> Result<Option<(Test, bool)>, String> {
    let (base, negated) = match base {
        "StringNotEquals" => ("StringEquals", true),
        "StringNotEqualsIgnoreCase" => ("StringEqualsIgnoreCase", true),
        "StringNotLike" => ("StringLike", true),
        "ArnNotEquals" => ("ArnEquals", true),
        "ArnNotLike" => ("ArnLike", true),
        "NumericNotEquals" => ("NumericEquals", true),
        "DateNotEquals" => ("DateEquals", true),
        "NotIpAddress" => ("IpAddress", true),
        other => (other, false),
    };
    let patterns = |wildcards: bool| {
        let syntax = Syntax { wildcards, variables };
        values.iter().map(|value| Pattern::parse(value, syntax)).collect::<Result<Vec<_>, _>>()
    };
    let test = match base {
        "StringEquals" => Test::Text { fold: false, patterns: patterns(false)? },
        "StringEqualsIgnoreCase" => Test::Text { fold: true, patterns: patterns(false)? },
        "StringLike" => Test::Text { fold: false, patterns: patterns(true)? },
        "ArnEquals" | "ArnLike" => {
            let patterns = patterns(true)?;
            if let Some(at) = patterns.iter().position(|pattern| !pattern.is_arn()) {
                return Err(format!("{:?} is no ARN", values[at]));
            }
            Test::Arn(patterns)
        }
        "IpAddress" => Test::Address(each(values, "a CIDR block", Network::parse)?),
        "Bool" => Test::Flag(each(values, "true or false", flag)?),
        "Null" => Test::Absent(each(values, "true or false", flag)?),
        _ => {
            if let Some(order) = base.strip_prefix("Numeric").and_then(Order::named) {
                Test::Number(order, each(values, "a number", number)?)
            } else if let Some(order) = base.strip_prefix("Date").and_then(Order::named) {
                Test::Moment(order, each(values, "an ISO 8601 date or epoch seconds", moment)?)
            } else {
                return Ok(None);
            }
        }
    };
    Ok(Some((test, negated)))
}

fn each<T>(
    values: &[String],
    what: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, String> {
    let one = |value: &String| read(value).ok_or_else(|| format!("{value:?} is not {what}"));
    values.iter().map(one).collect()
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn flag(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A moment as the W3C profile of ISO 8601 writes it, to the day, minute or second; or seconds since 1970.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return OffsetDateTime::from_unix_timestamp(seconds).ok();
    }
    let whole = match text.split_once('T') {
        None => format!("{text}T00:00:00Z"),
        // Minutes may end the time: 2025-01-31T08:30Z.
        Some((day, time)) if time.bytes().filter(|b| *b == b':').count() == 1 => {
            let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
            format!("{day}T{}:00{}", &time[..zone], &time[zone..])
        }
        Some(_) => text.to_owned(),
    };
    OffsetDateTime::parse(&whole, &Rfc3339).ok()
}

fn unknown(operator: &str) -> String {
    format!("{operator:?} is no condition operator")
}
