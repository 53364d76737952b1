//! The members of a body, read one by one with AWS's constraint and type messages.
//!
//! Type errors end the reading at once; constraint violations are collected and told together by
//! [`Members::finish`]. Unknown members are ignored. Source: `admin-api` section 3.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Operation, RestError};
use crate::model::{StatusCode, StringMap, Templates, WireName};

/// The members of one object.
pub(super) struct Members {
    place: String,
    values: Map<String, Value>,
    violations: Vec<String>,
}

impl Members {
    /// The members of a body; none when it is empty.
    pub(super) fn parse(operation: Operation, body: &[u8]) -> Result<Self, RestError> {
        let place = operation.input();
        let values = if body.iter().all(u8::is_ascii_whitespace) {
            Map::new()
        } else {
            let value = serde_json::from_slice(body).map_err(|_| {
                RestError::Serialization("The request body is not valid JSON".to_owned())
            })?;
            object(value)?
        };
        Ok(Self { place, values, violations: Vec::new() })
    }

    /// Tells of all violations, if there were any.
    pub(super) fn finish(self) -> Result<(), RestError> {
        if self.violations.is_empty() {
            Ok(())
        } else {
            Err(RestError::Validation(self.violations))
        }
    }

    /// Whether a member is missing.
    pub(super) fn is_absent(&self, name: &str) -> bool {
        self.values.get(name).is_none_or(Value::is_null)
    }

    /// Whether nothing was violated so far.
    pub(super) fn is_valid(&self) -> bool {
        self.violations.is_empty()
    }

    /// Takes over the violations of a nested object.
    pub(super) fn absorb(&mut self, nested: Members) {
        self.violations.extend(nested.violations);
    }

    /// A member that is text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, RestError> {
        self.take(name).map(text).transpose()
    }

    /// A member that is text and must be there; empty text stands in while violations are collected.
    pub(super) fn required(&mut self, name: &str) -> Result<String, RestError> {
        self.require(name);
        Ok(self.text(name)?.unwrap_or_default())
    }

    /// A member that is one of a set and must be there; `None` stands in while violations are collected.
    pub(super) fn required_one_of<T: WireName>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, RestError> {
        self.require(name);
        self.one_of(name)
    }

    /// A member that is a list of texts and must be there; an empty list stands in while violations are collected.
    pub(super) fn required_texts(&mut self, name: &str) -> Result<Vec<String>, RestError> {
        self.require(name);
        Ok(self.texts(name)?.unwrap_or_default())
    }

    /// Notes a violation when a member is missing, of whatever type it is.
    pub(super) fn require(&mut self, name: &str) {
        if self.is_absent(name) {
            let place = &self.place;
            self.violations.push(format!(
                "Value null at '{place}.{name}' failed to satisfy constraint: Member must not be null"
            ));
        }
    }

    /// Notes a violation outside the body, so that it is told with those inside.
    pub(super) fn note(&mut self, violation: String) {
        self.violations.push(violation);
    }

    /// A member that is a status code.
    pub(super) fn status_code(&mut self, name: &str) -> Result<Option<StatusCode>, RestError> {
        let fits = |text: &str| StatusCode::parse(text).is_some();
        let found = self.pattern(name, StatusCode::PATTERN, fits)?;
        Ok(found.as_deref().and_then(StatusCode::parse))
    }

    /// A member that is an object and must be there; `None` stands in while violations are collected.
    pub(super) fn required_object(&mut self, name: &str) -> Result<Option<Members>, RestError> {
        self.require(name);
        self.object(name)
    }

    /// A member that is text of a form, which is told as a regular expression.
    pub(super) fn pattern(
        &mut self,
        name: &str,
        pattern: &str,
        fits: impl FnOnce(&str) -> bool,
    ) -> Result<Option<String>, RestError> {
        let found = self.text(name)?;
        if let Some(text) = found.as_deref().filter(|text| !fits(text)) {
            let place = &self.place;
            self.violations.push(format!(
                "Value '{text}' at '{place}.{name}' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: {pattern}"
            ));
        }
        Ok(found)
    }

    /// A member that is one of a set.
    pub(super) fn one_of<T: WireName>(&mut self, name: &str) -> Result<Option<T>, RestError> {
        let Some(found) = self.text(name)? else { return Ok(None) };
        let known = T::from_name(&found);
        if known.is_none() {
            let (place, set) = (&self.place, names::<T>());
            self.violations.push(format!(
                "Value '{found}' at '{place}.{name}' failed to satisfy constraint: \
                 Member must satisfy enum value set: [{set}]"
            ));
        }
        Ok(known)
    }

    /// A member that is a list of values of a set.
    pub(super) fn list_of<T: WireName>(&mut self, name: &str) -> Result<Option<Vec<T>>, RestError> {
        let Some(found) = self.texts(name)? else { return Ok(None) };
        let known: Vec<T> = found.iter().filter_map(|text| T::from_name(text)).collect();
        if known.len() != found.len() {
            let (place, set, found) = (&self.place, names::<T>(), found.join(", "));
            self.violations.push(format!(
                "Value '[{found}]' at '{place}.{name}' failed to satisfy constraint: Member must satisfy constraint: \
                 [Member must satisfy enum value set: [{set}]]"
            ));
        }
        Ok(Some(known))
    }

    /// A member that is a flag.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, RestError> {
        self.take(name).map(flag).transpose()
    }

    /// A member that is a whole number.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, RestError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                let whole = number.as_i64().or_else(|| number.as_f64().map(|number| number as i64));
                Ok(whole)
            }
            Some(other) => Err(mismatch(&other, "Integer")),
        }
    }

    /// A member that is a number.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, RestError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(number.as_f64()),
            Some(other) => Err(mismatch(&other, "Double")),
        }
    }

    /// A member that is a list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, RestError> {
        self.take(name).map(texts).transpose()
    }

    /// A member that maps text to text.
    pub(super) fn map(&mut self, name: &str) -> Result<Option<StringMap>, RestError> {
        self.entries(name, text)
    }

    /// A member that maps text to lists of texts.
    pub(super) fn text_lists(
        &mut self,
        name: &str,
    ) -> Result<Option<BTreeMap<String, Vec<String>>>, RestError> {
        self.entries(name, texts)
    }

    /// A member that maps text to flags.
    pub(super) fn flags(
        &mut self,
        name: &str,
    ) -> Result<Option<BTreeMap<String, bool>>, RestError> {
        self.entries(name, flag)
    }

    /// A member that maps text to lists of texts.
    pub(super) fn lists(
        &mut self,
        name: &str,
    ) -> Result<Option<BTreeMap<String, Vec<String>>>, RestError> {
        self.entries(name, texts)
    }

    /// A member that maps content types to templates, where a template may be `null`.
    pub(super) fn templates(&mut self, name: &str) -> Result<Option<Templates>, RestError> {
        self.entries(name, |value| if value.is_null() { Ok(None) } else { text(value).map(Some) })
    }

    /// A member that is an object.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Members>, RestError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let place = format!("{}.{name}", self.place);
        Ok(Some(Self { place, values: object(value)?, violations: Vec::new() }))
    }

    /// A member that is a list of objects; none when it is absent.
    pub(super) fn objects(&mut self, name: &str) -> Result<Vec<Members>, RestError> {
        let values = match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => values,
            Some(other) => return Err(RestError::Serialization(unexpected(&other))),
        };
        (1..)
            .zip(values)
            .map(|(index, value)| {
                let place = format!("{}.{name}.{index}.member", self.place);
                Ok(Self { place, values: object(value)?, violations: Vec::new() })
            })
            .collect()
    }

    /// A member that maps text to objects; none when it is absent.
    pub(super) fn named_objects(
        &mut self,
        name: &str,
    ) -> Result<Vec<(String, Members)>, RestError> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        let at = format!("{}.{name}", self.place);
        object(value)?
            .into_iter()
            .map(|(key, value)| {
                let place = format!("{at}.{key}");
                Ok((key, Self { place, values: object(value)?, violations: Vec::new() }))
            })
            .collect()
    }

    fn entries<T>(
        &mut self,
        name: &str,
        read: impl Fn(Value) -> Result<T, RestError>,
    ) -> Result<Option<BTreeMap<String, T>>, RestError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        object(value)?
            .into_iter()
            .map(|(key, value)| Ok((key, read(value)?)))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// `null` is the same as absent.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }
}

/// The names of a set, as constraint messages list them.
pub(super) fn names<T: WireName>() -> String {
    T::ALL.iter().map(|value| value.name()).collect::<Vec<_>>().join(", ")
}

fn object(value: Value) -> Result<Map<String, Value>, RestError> {
    match value {
        Value::Object(values) => Ok(values),
        other => Err(RestError::Serialization(unexpected(&other))),
    }
}

fn text(value: Value) -> Result<String, RestError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(mismatch(&other, "String")),
    }
}

fn texts(value: Value) -> Result<Vec<String>, RestError> {
    match value {
        Value::Array(values) => values.into_iter().map(text).collect(),
        other => Err(RestError::Serialization(unexpected(&other))),
    }
}

fn flag(value: Value) -> Result<bool, RestError> {
    match value {
        Value::Bool(flag) => Ok(flag),
        other => Err(mismatch(&other, "Boolean")),
    }
}

fn mismatch(value: &Value, wanted: &str) -> RestError {
    RestError::Serialization(match class(value) {
        Some(class) => format!("{class} can not be converted to an {wanted}"),
        None => unexpected(value),
    })
}

/// What AWS's parser calls a scalar.
fn class(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(_) => Some("class java.lang.Boolean"),
        Value::Number(_) => Some("class com.amazon.coral.value.json.numbers.TruncatingBigNumber"),
        Value::String(_) => Some("class java.lang.String"),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn unexpected(value: &Value) -> String {
    match value {
        Value::Array(_) => "Start of list found where not expected".to_owned(),
        Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
        _ => "Unexpected value type in payload".to_owned(),
    }
}
