//! Comparing an instance with a schema.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use super::decimal::Decimal;
use super::{
    Dependency, Items, ListRules, Node, NodeId, NumberRules, ObjectRules, Rest, Schema, TextRules,
    Types,
};

/// In what an instance does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer of the value; empty is the instance itself.
    pub path: String,
    /// In the words of AWS's validator.
    pub message: String,
}

/// Checking would take more work than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the schema is too complex for this value")]
pub struct TooComplex;

/// Everything in which an instance does not fit; nothing is allocated for one that does.
pub(super) fn violations(
    schema: &Schema,
    instance: &Value,
    budget: usize,
) -> Result<Vec<Violation>, TooComplex> {
    let mut check = Check { schema, left: budget, depth: 0, told: None, path: String::new() };
    if check.fits(schema.root, instance)? {
        return Ok(Vec::new());
    }
    let mut check =
        Check { schema, left: budget, depth: 0, told: Some(Vec::new()), path: String::new() };
    check.fits(schema.root, instance)?;
    Ok(check.told.unwrap_or_default())
}

struct Check<'s> {
    schema: &'s Schema,
    left: usize,
    depth: usize,
    /// Absent: the first violation ends the check, unsaid.
    told: Option<Vec<Violation>>,
    path: String,
}

/// Whether it fits.
type Fits = Result<bool, TooComplex>;

impl Check<'_> {
    /// Compares a value with a subschema. When nothing is told, stops at the first misfit.
    fn fits(&mut self, id: NodeId, value: &Value) -> Fits {
        self.left = self.left.checked_sub(1).ok_or(TooComplex)?;
        if self.depth >= MAX_DEPTH {
            return Err(TooComplex);
        }
        self.depth += 1;
        let schema = self.schema;
        let node = schema.node(id);
        let fits = match node.reference {
            Some(target) => self.fits(target, value),
            None => self.fits_all(node, value),
        };
        self.depth -= 1;
        fits
    }

    fn fits_all(&mut self, node: &Node, value: &Value) -> Fits {
        let mut fits = true;
        /// Goes on after a misfit only while misfits are told.
        macro_rules! need {
            ($fits:expr) => {
                if !$fits {
                    fits = false;
                    if self.told.is_none() {
                        return Ok(false);
                    }
                }
            };
        }
        if let Some(types) = node.types {
            need!(is_one_of(types, value) || self.tell(|| {
                let allowed = list(types.names().map(|name| format!("\"{name}\"")));
                format!(
                    "instance type ({}) does not match any allowed primitive type (allowed: {allowed})",
                    type_name(value)
                )
            }));
        }
        if let Some(values) = &node.enumeration {
            need!(
                values.iter().any(|known| same(known, value)) || self.tell(|| {
                    let possible = list(values.iter().map(Value::to_string));
                    format!(
                        "instance value ({value}) not found in enum (possible values: {possible})"
                    )
                })
            );
        }
        match value {
            Value::Number(number) => {
                if let Some(rules) = &node.number {
                    need!(self.number(rules, Decimal::new(number), value));
                }
            }
            Value::String(text) => {
                if let Some(rules) = &node.text {
                    need!(self.text(rules, text));
                }
            }
            Value::Array(items) => {
                if let Some(rules) = &node.list {
                    need!(self.list(rules, items)?);
                }
            }
            Value::Object(members) => {
                if let Some(rules) = &node.object {
                    need!(self.object(rules, members)?);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
        if !node.all_of.is_empty() {
            let matched = self.matches(&node.all_of, value, usize::MAX)?;
            let of = node.all_of.len();
            need!(matched == of || self.tell(|| format!(
                "instance failed to match all required schemas (matched only {matched} out of {of})"
            )));
        }
        if !node.any_of.is_empty() {
            let matched = self.matches(&node.any_of, value, 1)?;
            let of = node.any_of.len();
            need!(
                matched > 0
                    || self.tell(|| format!(
                        "instance failed to match at least one required schema among {of}"
                    ))
            );
        }
        if !node.one_of.is_empty() {
            let matched = self.matches(&node.one_of, value, 2)?;
            let of = node.one_of.len();
            need!(matched == 1 || self.tell(|| format!(
                "instance failed to match exactly one schema (matched {matched} out of {of})"
            )));
        }
        if let Some(not) = node.not {
            let matched = self.matches(&[not], value, 1)?;
            need!(
                matched == 0
                    || self
                        .tell(|| "instance matched a schema which it should not have".to_owned())
            );
        }
        Ok(fits)
    }

    /// How many of the subschemas a value fits, which say nothing themselves; stops at `enough`.
    fn matches(
        &mut self,
        of: &[NodeId],
        value: &Value,
        enough: usize,
    ) -> Result<usize, TooComplex> {
        let told = self.told.take();
        let mut matched = 0;
        for id in of {
            matched += usize::from(self.fits(*id, value)?);
            if matched >= enough {
                break;
            }
        }
        self.told = told;
        Ok(matched)
    }

    /// Notes a violation where they are told. Always false.
    fn tell(&mut self, message: impl FnOnce() -> String) -> bool {
        if let Some(told) = &mut self.told
            && told.len() < MAX_TOLD
        {
            told.push(Violation { path: self.path.clone(), message: message() });
        }
        false
    }

    fn number(&mut self, rules: &NumberRules, number: Decimal, value: &Value) -> bool {
        let mut fits = true;
        if let Some(bound) = &rules.minimum {
            fits &= match bound.exclusive {
                false => number >= bound.at || self.tell(|| format!(
                    "numeric instance is lower than the required minimum (minimum: {}, found: {value})", bound.at
                )),
                true => number > bound.at || self.tell(|| format!(
                    "numeric instance is not strictly greater than the required minimum {}", bound.at
                )),
            };
        }
        if let Some(bound) = &rules.maximum {
            fits &= match bound.exclusive {
                false => number <= bound.at || self.tell(|| format!(
                    "numeric instance is greater than the required maximum (maximum: {}, found: {value})", bound.at
                )),
                true => number < bound.at || self.tell(|| format!(
                    "numeric instance is not strictly lower than the required maximum {}", bound.at
                )),
            };
        }
        if let Some(divisor) = &rules.multiple_of {
            fits &= number.is_multiple_of(divisor)
                || self.tell(|| format!("remainder of division is not zero ({value} / {divisor})"));
        }
        fits
    }

    fn text(&mut self, rules: &TextRules, text: &str) -> bool {
        let mut fits = true;
        if rules.min_length.is_some() || rules.max_length.is_some() {
            let length = text.chars().count() as u64;
            if let Some(least) = rules.min_length {
                fits &= length >= least || self.tell(|| format!(
                    "string \"{text}\" is too short (length: {length}, required minimum: {least})"
                ));
            }
            if let Some(most) = rules.max_length {
                fits &= length <= most || self.tell(|| {
                    format!(
                        "string \"{text}\" is too long (length: {length}, maximum allowed: {most})"
                    )
                });
            }
        }
        if let Some((written, regex)) = &rules.pattern {
            fits &= regex.is_match(text)
                || self.tell(|| {
                    format!("ECMA 262 regex \"{written}\" does not match input string \"{text}\"")
                });
        }
        if let Some(format) = rules.format {
            fits &= format.fits(text) || self.tell(|| format.message(text));
        }
        fits
    }

    fn list(&mut self, rules: &ListRules, items: &[Value]) -> Fits {
        let mut fits = true;
        let count = items.len() as u64;
        if let Some(least) = rules.min_items {
            fits &= count >= least || self.tell(|| format!(
                "array is too short: must have at least {least} elements but instance has {count} elements"
            ));
        }
        if let Some(most) = rules.max_items {
            fits &= count <= most || self.tell(|| format!(
                "array is too long: must have at most {most} elements but instance has {count} elements"
            ));
        }
        if rules.unique {
            fits &= self.unique(items)?
                || self.tell(|| "array must not contain duplicate elements".to_owned());
        }
        match &rules.items {
            Items::Any => {}
            Items::Each(id) => {
                for (at, item) in items.iter().enumerate() {
                    fits &= self.below(&at, *id, item)?;
                    if !fits && self.told.is_none() {
                        return Ok(false);
                    }
                }
            }
            Items::Tuple(tuple, rest) => {
                for (at, (id, item)) in tuple.iter().zip(items).enumerate() {
                    fits &= self.below(&at, *id, item)?;
                }
                match rest {
                    Rest::Any => {}
                    Rest::None => {
                        let allowed = tuple.len();
                        fits &= items.len() <= allowed || self.tell(|| {
                            format!(
                                "array has {count} elements but its schema only allows {allowed}"
                            )
                        });
                    }
                    Rest::Like(id) => {
                        for (at, item) in items.iter().enumerate().skip(tuple.len()) {
                            fits &= self.below(&at, *id, item)?;
                        }
                    }
                }
            }
        }
        Ok(fits)
    }

    /// Whether all are different. Hashed by their canonical text: comparing each with each would let a body of some thousand
    /// items take seconds.
    fn unique(&mut self, items: &[Value]) -> Fits {
        self.left = self.left.checked_sub(items.len()).ok_or(TooComplex)?;
        let mut seen = HashSet::with_capacity(items.len());
        Ok(items.iter().all(|item| {
            let mut text = String::new();
            canonical(item, &mut text);
            seen.insert(text)
        }))
    }

    fn object(&mut self, rules: &ObjectRules, members: &Map<String, Value>) -> Fits {
        let mut fits = true;
        let missing = |wanted: &[String]| -> Vec<String> {
            wanted.iter().filter(|name| !members.contains_key(*name)).cloned().collect()
        };
        let quoted = |names: &[String]| {
            list(names.iter().map(|name| Value::from(name.as_str()).to_string()))
        };
        let count = members.len() as u64;
        if let Some(least) = rules.min_properties {
            fits &= count >= least || self.tell(|| format!(
                "object has too few properties (found {count} but schema requires at least {least})"
            ));
        }
        if let Some(most) = rules.max_properties {
            fits &= count <= most || self.tell(|| format!(
                "object has too many properties (found {count} but schema requires at most {most})"
            ));
        }
        if rules.required.iter().any(|name| !members.contains_key(name)) {
            fits &= self.tell(|| {
                let mut missing = missing(&rules.required);
                missing.sort_unstable();
                format!("object has missing required properties ({})", quoted(&missing))
            });
        }
        for (name, dependency) in
            rules.dependencies.iter().filter(|(name, _)| members.contains_key(name))
        {
            fits &= match dependency {
                Dependency::Properties(wanted) => {
                    wanted.iter().all(|wanted| members.contains_key(wanted)) || self.tell(|| format!(
                        "property \"{name}\" of object has missing property dependencies (schema requires {}; missing: {})",
                        quoted(wanted), quoted(&missing(wanted))
                    ))
                }
                Dependency::Schema(id) => self.whole(*id, members)?,
            };
        }
        if !fits && self.told.is_none() {
            return Ok(false);
        }
        let mut strangers = Vec::new();
        for (name, value) in members {
            let mut described = false;
            if let Ok(at) = rules.properties.binary_search_by(|(known, _)| known.as_str().cmp(name))
            {
                described = true;
                fits &= self.below(name, rules.properties[at].1, value)?;
            }
            for (pattern, id) in &rules.patterns {
                if pattern.is_match(name) {
                    described = true;
                    fits &= self.below(name, *id, value)?;
                }
            }
            match rules.rest {
                Rest::None if !described => {
                    fits = false;
                    strangers.push(name.clone());
                }
                Rest::Like(id) if !described => fits &= self.below(name, id, value)?,
                _ => {}
            }
            if !fits && self.told.is_none() {
                return Ok(false);
            }
        }
        if !strangers.is_empty() {
            self.tell(|| {
                format!(
                    "object instance has properties which are not allowed by the schema: {}",
                    quoted(&strangers)
                )
            });
        }
        Ok(fits)
    }

    /// Compares an object as a whole with another subschema.
    fn whole(&mut self, id: NodeId, members: &Map<String, Value>) -> Fits {
        // Rare enough for a copy: a map alone is no value.
        self.fits(id, &Value::Object(members.clone()))
    }

    /// Compares a member or an item.
    fn below(&mut self, at: &dyn std::fmt::Display, id: NodeId, value: &Value) -> Fits {
        if self.told.is_none() {
            return self.fits(id, value);
        }
        let length = self.path.len();
        let part = at.to_string().replace('~', "~0").replace('/', "~1");
        // Writing to a string cannot fail.
        let _ = write!(self.path, "/{part}");
        let fits = self.fits(id, value);
        self.path.truncate(length);
        fits
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_integer(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Draft 4: written without fraction and exponent. The reader keeps so written numbers whole up to 64 bits.
fn is_integer(number: &Number) -> bool {
    !number.is_f64() || number.as_f64().is_some_and(|number| number.abs() > u64::MAX as f64)
}

fn is_one_of(types: Types, value: &Value) -> bool {
    let name = type_name(value);
    types.has(name) || name == "integer" && types.has("number")
}

/// Equal as JSON Schema means it: numbers by value.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Decimal::new(a) == Decimal::new(b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Text that is equal for equal values: members in the order of their names, numbers by value.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => {
            let _ = write!(out, "{}", Decimal::new(number));
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut names: Vec<_> = members.iter().collect();
            names.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in names {
                let _ = write!(out, "{}:", Value::from(name.as_str()));
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// Subschemas within one another: a body is at most 128 deep, each level passing through a few.
const MAX_DEPTH: usize = 512;

/// Violations told of one instance.
const MAX_TOLD: usize = 20;
