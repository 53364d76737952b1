//! Comparing an instance with a schema.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::Value as Constant;

use super::decimal::Decimal;
use super::{
    Dependency, Items, ListRules, Node, NodeId, NumberRules, ObjectRules, Rest, Schema, TextRules,
    Types,
};
use crate::mapping::heap::{Heap, MapId, Text, Value};
use crate::mapping::json::{self, Slash};
use crate::regex::Regex;

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
    heap: &Heap,
    instance: Value,
    budget: usize,
) -> Result<Vec<Violation>, TooComplex> {
    let mut check = Check {
        schema,
        heap,
        left: budget,
        depth: 0,
        known: [None; KNOWN],
        told: None,
        path: String::new(),
    };
    if check.fits(schema.root, instance)? {
        return Ok(Vec::new());
    }
    let told = Some(Vec::new());
    let mut check = Check {
        schema,
        heap,
        left: budget,
        depth: 0,
        known: [None; KNOWN],
        told,
        path: String::new(),
    };
    check.fits(schema.root, instance)?;
    Ok(check.told.unwrap_or_default())
}

struct Check<'s> {
    schema: &'s Schema,
    /// Where the instance stands.
    heap: &'s Heap,
    left: usize,
    depth: usize,
    /// Which properties keys were found to be, and of which rules. Objects of one list mostly have the very same keys.
    known: [Option<Known<'s>>; KNOWN],
    /// Absent: the first violation ends the check, unsaid.
    told: Option<Vec<Violation>>,
    path: String,
}

/// The subschema of a key, if the rules describe it.
#[derive(Clone, Copy)]
struct Known<'s> {
    rules: &'s ObjectRules,
    key: Text,
    schema: Option<NodeId>,
}

/// Whether it fits.
type Fits = Result<bool, TooComplex>;

impl<'s> Check<'s> {
    /// Compares a value with a subschema. When nothing is told, stops at the first misfit.
    fn fits(&mut self, id: NodeId, value: Value) -> Fits {
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

    fn fits_all(&mut self, node: &'s Node, value: Value) -> Fits {
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
        let heap = self.heap;
        if let Some(types) = node.types {
            need!(types.overlap(types_of(heap, value)) || self.tell(|| {
                let allowed = list(types.names().map(|name| format!("\"{name}\"")));
                let name = types_of(heap, value).names().next().unwrap_or_default();
                format!(
                    "instance type ({name}) does not match any allowed primitive type (allowed: {allowed})"
                )
            }));
        }
        if let Some(values) = &node.enumeration {
            need!(
                values.iter().any(|known| same(heap, known, value)) || self.tell(|| {
                    let possible = list(values.iter().map(Constant::to_string));
                    let value = written(heap, value);
                    format!(
                        "instance value ({value}) not found in enum (possible values: {possible})"
                    )
                })
            );
        }
        match value {
            Value::Int(_) | Value::Float(_) | Value::Number(_) => {
                if let Some(rules) = &node.number {
                    need!(self.number(rules, Decimal::of_value(heap, value), value));
                }
            }
            Value::Text(text) => {
                if let Some(rules) = &node.text {
                    need!(self.text(rules, text)?);
                }
            }
            Value::List(items) => {
                if let Some(rules) = &node.list {
                    need!(self.list(rules, heap.items(items))?);
                }
            }
            Value::Map(members) => {
                if let Some(rules) = &node.object {
                    need!(self.object(rules, members)?);
                }
            }
            // A document holds nothing else.
            _ => {}
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
    fn matches(&mut self, of: &[NodeId], value: Value, enough: usize) -> Result<usize, TooComplex> {
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

    fn number(&mut self, rules: &NumberRules, number: Decimal, value: Value) -> bool {
        let mut fits = true;
        let heap = self.heap;
        if let Some(bound) = &rules.minimum {
            fits &= match bound.exclusive {
                false => number >= bound.at || self.tell(|| format!(
                    "numeric instance is lower than the required minimum (minimum: {}, found: {})", bound.at, written(heap, value)
                )),
                true => number > bound.at || self.tell(|| format!(
                    "numeric instance is not strictly greater than the required minimum {}", bound.at
                )),
            };
        }
        if let Some(bound) = &rules.maximum {
            fits &= match bound.exclusive {
                false => number <= bound.at || self.tell(|| format!(
                    "numeric instance is greater than the required maximum (maximum: {}, found: {})", bound.at, written(heap, value)
                )),
                true => number < bound.at || self.tell(|| format!(
                    "numeric instance is not strictly lower than the required maximum {}", bound.at
                )),
            };
        }
        if let Some(divisor) = &rules.multiple_of {
            fits &= number.is_multiple_of(divisor)
                || self.tell(|| {
                    let value = written(heap, value);
                    format!("remainder of division is not zero ({value} / {divisor})")
                });
        }
        fits
    }

    fn text(&mut self, rules: &TextRules, text: Text) -> Fits {
        let mut fits = true;
        let heap = self.heap;
        let (least, most) =
            (rules.min_length.unwrap_or_default(), rules.max_length.unwrap_or(u64::MAX));
        let bytes = heap.text(text);
        // A character has four bytes at most, so most texts need no counting.
        if bytes.len() as u64 > most || (bytes.len() as u64) < least.saturating_mul(4) {
            let begins = |byte: &&u8| **byte & 0xc0 != 0x80;
            let length = bytes.iter().filter(begins).count() as u64;
            let text = || heap.str(text);
            if let Some(least) = rules.min_length {
                fits &= length >= least || self.tell(|| {
                    format!(
                        "string \"{}\" is too short (length: {length}, required minimum: {least})",
                        text()
                    )
                });
            }
            if let Some(most) = rules.max_length {
                fits &= length <= most
                    || self.tell(|| {
                        format!(
                            "string \"{}\" is too long (length: {length}, maximum allowed: {most})",
                            text()
                        )
                    });
            }
        }
        if rules.pattern.is_none() && rules.format.is_none() {
            return Ok(fits);
        }
        let text = heap.str(text);
        if let Some((written, regex)) = &rules.pattern {
            fits &= self.is_match(regex, text)?
                || self.tell(|| {
                    format!("ECMA 262 regex \"{written}\" does not match input string \"{text}\"")
                });
        }
        if let Some(format) = rules.format {
            fits &= format.fits(text) || self.tell(|| format.message(text));
        }
        Ok(fits)
    }

    fn is_match(&mut self, regex: &Regex, text: &str) -> Fits {
        regex.is_match(text, &mut self.left).map_err(|_| TooComplex)
    }

    fn list(&mut self, rules: &'s ListRules, items: &[Value]) -> Fits {
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
                    fits &= self.below(&at, *id, *item)?;
                    if !fits && self.told.is_none() {
                        return Ok(false);
                    }
                }
            }
            Items::Tuple(tuple, rest) => {
                for (at, (id, item)) in tuple.iter().zip(items).enumerate() {
                    fits &= self.below(&at, *id, *item)?;
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
                            fits &= self.below(&at, *id, *item)?;
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
            canonical(self.heap, *item, &mut text);
            seen.insert(text)
        }))
    }

    fn object(&mut self, rules: &'s ObjectRules, map: MapId) -> Fits {
        let mut fits = true;
        let heap = self.heap;
        let members = heap.pairs(map);
        let is_there = |name: &String| heap.get(map, name.as_bytes()).is_some();
        let missing = |wanted: &[String]| -> Vec<String> {
            wanted.iter().filter(|name| !is_there(name)).cloned().collect()
        };
        let quoted = |names: &[String]| {
            list(names.iter().map(|name| Constant::from(name.as_str()).to_string()))
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
        if !rules.required.iter().all(is_there) {
            fits &= self.tell(|| {
                let mut missing = missing(&rules.required);
                missing.sort_unstable();
                format!("object has missing required properties ({})", quoted(&missing))
            });
        }
        for (name, dependency) in rules.dependencies.iter().filter(|(name, _)| is_there(name)) {
            fits &= match dependency {
                Dependency::Properties(wanted) => {
                    wanted.iter().all(is_there) || self.tell(|| format!(
                        "property \"{name}\" of object has missing property dependencies (schema requires {}; missing: {})",
                        quoted(wanted), quoted(&missing(wanted))
                    ))
                }
                Dependency::Schema(id) => self.fits(*id, Value::Map(map))?,
            };
        }
        if !fits && self.told.is_none() {
            return Ok(false);
        }
        let mut strangers = Vec::new();
        for (name, value) in members {
            let (name, value) = (*name, *value);
            let mut described = false;
            if let Some(id) = self.property(rules, name) {
                described = true;
                fits &= self.member(name, id, value)?;
            }
            for (pattern, id) in &rules.patterns {
                if self.is_match(pattern, heap.str(name))? {
                    described = true;
                    fits &= self.member(name, *id, value)?;
                }
            }
            match rules.rest {
                Rest::None if !described => {
                    fits = false;
                    strangers.push(heap.str(name).to_owned());
                }
                Rest::Like(id) if !described => fits &= self.member(name, id, value)?,
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

    /// The subschema of a member, if its name is described.
    #[inline]
    fn property(&mut self, rules: &'s ObjectRules, key: Text) -> Option<NodeId> {
        let known = &mut self.known[key.range().start % KNOWN];
        if let Some(known) = known
            && known.key == key
            && std::ptr::eq(known.rules, rules)
        {
            return known.schema;
        }
        let schema = rules.property(self.heap.text(key));
        *known = Some(Known { rules, key, schema });
        schema
    }

    /// Compares a member.
    fn member(&mut self, name: Text, id: NodeId, value: Value) -> Fits {
        match self.told {
            None => self.fits(id, value),
            Some(_) => self.below(&self.heap.str(name), id, value),
        }
    }

    /// Compares a member or an item.
    fn below(&mut self, at: &dyn std::fmt::Display, id: NodeId, value: Value) -> Fits {
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

/// The types a value has: an integer is a number, too, and named first.
fn types_of(heap: &Heap, value: Value) -> Types {
    match value {
        Value::Bool(_) => Types::BOOLEAN,
        Value::Int(_) => Types::INTEGER,
        // Draft 4: an integer is written without fraction and exponent.
        Value::Number(text) if heap.text(text).iter().all(|b| !matches!(b, b'.' | b'e' | b'E')) => {
            Types::INTEGER
        }
        Value::Number(_) | Value::Float(_) => Types::NUMBER,
        Value::Text(_) => Types::STRING,
        Value::List(_) => Types::ARRAY,
        Value::Map(_) => Types::OBJECT,
        _ => Types::NULL,
    }
}

/// A value as compact JSON.
fn written(heap: &Heap, value: Value) -> String {
    let mut out = Vec::new();
    // What came from a document is no deeper than one can be written.
    let _ = json::write(heap, value, Slash::Plain, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Equal as JSON Schema means it: numbers by value.
fn same(heap: &Heap, constant: &Constant, value: Value) -> bool {
    match (constant, value) {
        (Constant::Null, Value::Null) => true,
        (Constant::Bool(one), Value::Bool(two)) => *one == two.holds(),
        (Constant::Number(one), Value::Int(_) | Value::Float(_) | Value::Number(_)) => {
            Decimal::new(one) == Decimal::of_value(heap, value)
        }
        (Constant::String(one), Value::Text(two)) => one.as_bytes() == heap.text(two),
        (Constant::Array(one), Value::List(two)) => {
            let two = heap.items(two);
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(heap, one, *two))
        }
        (Constant::Object(one), Value::Map(two)) => {
            one.len() == heap.pairs(two).len()
                && one.iter().all(|(name, one)| {
                    heap.get(two, name.as_bytes()).is_some_and(|two| same(heap, one, two))
                })
        }
        _ => false,
    }
}

/// Text that is equal for equal values: members in the order of their names, numbers by value.
fn canonical(heap: &Heap, value: Value, out: &mut String) {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Number(_) => {
            let _ = write!(out, "{}", Decimal::of_value(heap, value));
        }
        Value::List(items) => {
            out.push('[');
            for item in heap.items(items) {
                canonical(heap, *item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Map(members) => {
            let mut names: Vec<_> = heap.pairs(members).iter().collect();
            names.sort_unstable_by_key(|(name, _)| heap.text(*name));
            out.push('{');
            for (name, value) in names {
                let _ = write!(out, "{}:", written(heap, Value::Text(*name)));
                canonical(heap, *value, out);
                out.push(',');
            }
            out.push('}');
        }
        other => out.push_str(&written(heap, other)),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// Subschemas within one another: each level of a body passes through a few.
const MAX_DEPTH: usize = 512;

/// Violations told of one instance.
const MAX_TOLD: usize = 20;

/// Keys that are remembered; where a key stands in the body says at which place.
const KNOWN: usize = 32;
