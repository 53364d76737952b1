//! What a template may see and what it may change.

use std::borrow::Cow;

use super::super::heap::{Exhausted, Heap, Text, Value};
use super::super::json;
use super::error::Position;
use super::run::Loop;

/// Where a parameter of the request stands. In this order `$input.params('name')` looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query string.
    Query,
    /// In a header.
    Header,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Path, Self::Query, Self::Header];

    /// As `$input.params()` names them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "querystring",
            Self::Header => "header",
        }
    }
}

/// A value that the gateway gives a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum<'a> {
    /// A name without a value, such as `identity.user` where nobody signed.
    Null,
    /// Text.
    Text(Cow<'a, str>),
    /// A number.
    Number(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A JSON document.
    Json(Cow<'a, str>),
}

/// The exchange as a template sees it. A template asks for what it uses and for nothing else.
pub trait Source {
    /// The request's body in a request template, the integration's in a response template.
    fn body(&self) -> &[u8];

    /// A parameter of the method request, decoded; the last one if there are several. Names are compared exactly.
    fn parameter(&self, place: Place, name: &str) -> Option<Cow<'_, str>>;

    /// Every parameter at a place in the order sent, names with several values several times.
    fn parameters(&self, place: Place, each: &mut dyn FnMut(&str, &str));

    /// The `$context` variable of a dotted name, without `context.` in front.
    fn context(&self, name: &str) -> Option<Datum<'_>>;

    /// Every `$context` variable there is, by its dotted name. Asked only by templates that walk through them.
    fn contexts(&self, each: &mut dyn FnMut(&str, Datum<'_>));

    /// A stage variable.
    fn stage_variable(&self, name: &str) -> Option<Cow<'_, str>>;

    /// Every stage variable.
    fn stage_variables(&self, each: &mut dyn FnMut(&str, &str));
}

/// What a render works with.
pub struct Scope<'a> {
    /// What it sees.
    pub source: &'a dyn Source,
    /// Work space, reused by the next render.
    pub scratch: &'a mut Scratch,
    /// What it overrides. What a request template put there is seen by the response template.
    pub overrides: &'a mut Overrides,
    /// Is told each step, if there is one.
    pub trace: Option<&'a mut dyn Trace>,
}

/// Memory that renders use one after the other. It grows to what they need and then a render allocates nothing.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) heap: Heap,
    pub(super) variables: Vec<Value>,
    pub(super) loops: Vec<Loop>,
    /// Where each step of a reference last found its name.
    pub(super) hints: Vec<Hint>,
}

/// Where a step found its name in a map. Of maps that were read as one is like the other, the next has the very same key there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    pub(super) place: u32,
    pub(super) key: Text,
}

impl Hint {
    /// Nothing found yet.
    pub(super) const NONE: Self = Self { place: 0, key: Text::NOWHERE };
}

/// Is told what a template does, as it does it.
pub trait Trace {
    /// One step.
    fn step(&mut self, at: Position, did: Did<'_>);
}

/// A step of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did<'a> {
    /// Gave a variable or a member a value, here as it prints.
    Set {
        /// As written, with its dollar sign.
        target: &'a str,
        /// As it prints.
        value: &'a str,
    },
    /// Printed a reference.
    Printed {
        /// As written.
        reference: &'a str,
        /// What came out.
        output: &'a str,
    },
    /// Came to an `#if`: the number of the condition that held, or none.
    Chose(Option<usize>),
    /// Began an iteration.
    Iterated {
        /// The element's name.
        name: &'a str,
        /// Which, counted from 0.
        index: usize,
        /// As it prints.
        value: &'a str,
    },
    /// Left a loop because it may go on no longer.
    Limited(u32),
    /// Left everything at `#stop`.
    Stopped,
}

/// What templates override: `$context.requestOverride` and `$context.responseOverride`.
///
/// Also holds whatever else a template puts there, since that is how data passes from a request template to the response template
/// of a `MOCK`. Source: developer guide, "Override your API's request and response parameters and status codes".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    pub(super) request: Members,
    pub(super) response: Members,
}

pub(super) type Members = Vec<(String, Plain)>;

/// A value outside of a render.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Plain>),
    Map(Members),
}

impl Overrides {
    /// Whether nothing is overridden.
    pub fn is_empty(&self) -> bool {
        let empty =
            |(_, member): &(String, Plain)| matches!(member, Plain::Map(map) if map.is_empty());
        self.request.iter().all(empty) && self.response.iter().all(empty)
    }

    /// Parameters of the integration request: name and values.
    pub fn request(&self, place: Place) -> impl Iterator<Item = (&str, Vec<Cow<'_, str>>)> {
        parameters(&self.request, place.name())
    }

    /// Headers of the method response: name and values.
    pub fn response_headers(&self) -> impl Iterator<Item = (&str, Vec<Cow<'_, str>>)> {
        parameters(&self.response, "header")
    }

    /// Status of the method response. One that is no integer between 200 and 599 is ignored: what is below ends no exchange.
    pub fn status(&self) -> Option<u16> {
        let (_, status) = self.response.iter().find(|(name, _)| name == "status")?;
        let status = status.text().parse().ok();
        status.filter(|status| (200..600).contains(status))
    }
}

fn parameters<'o>(
    members: &'o Members,
    place: &str,
) -> impl Iterator<Item = (&'o str, Vec<Cow<'o, str>>)> + use<'o> {
    let map = members.iter().find_map(|(name, member)| match member {
        Plain::Map(map) if name == place => Some(map),
        _ => None,
    });
    map.into_iter().flatten().map(|(name, value)| {
        let values = match value {
            Plain::List(list) => list.iter().map(Plain::text).collect(),
            one => vec![one.text()],
        };
        (name.as_str(), values)
    })
}

impl Plain {
    /// As a header or parameter carries it.
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(yes) => Cow::Borrowed(if *yes { "true" } else { "false" }),
            Self::Number(text) | Self::Text(text) => Cow::Borrowed(text),
            Self::List(list) => {
                Cow::Owned(list.iter().map(Self::text).collect::<Vec<_>>().join(","))
            }
            Self::Map(map) => {
                let pairs = map.iter().map(|(name, value)| format!("{name}={}", value.text()));
                Cow::Owned(format!("{{{}}}", pairs.collect::<Vec<_>>().join(", ")))
            }
        }
    }

    /// Copies a value out of a heap.
    fn of(heap: &Heap, value: Value, depth: usize) -> Result<Self, Exhausted> {
        if depth > json::DEPTH {
            return Err(Exhausted::Depth);
        }
        Ok(match value {
            Value::Bool(yes) => Self::Bool(yes.holds()),
            Value::Text(text) => Self::Text(heap.str(text).to_owned()),
            Value::Int(_) | Value::Float(_) | Value::Number(_) => {
                let mut out = Vec::new();
                super::super::number::write(heap, value, &mut out);
                Self::Number(String::from_utf8_lossy(&out).into_owned())
            }
            Value::List(list) => {
                let items = heap.items(list).iter().map(|item| Self::of(heap, *item, depth + 1));
                Self::List(items.collect::<Result<_, _>>()?)
            }
            Value::Map(map) => Self::Map(members(heap, Value::Map(map), depth)?),
            Value::Null | Value::Entry(_) | Value::Object(_) | Value::Loop(_) | Value::Block(_) => {
                Self::Null
            }
        })
    }

    fn store(&self, heap: &mut Heap) -> Result<Value, Exhausted> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(yes) => Value::from(*yes),
            Self::Text(text) => Value::Text(heap.store(text)?),
            Self::Number(digits) => {
                let text = heap.store(digits)?;
                super::super::number::integer(text, digits.as_bytes())
            }
            Self::List(list) => {
                let items = list.iter().map(|item| item.store(heap));
                let items = items.collect::<Result<Vec<_>, _>>()?;
                heap.list(&items, false)?
            }
            Self::Map(map) => {
                let mut pairs = Vec::new();
                for (name, value) in map {
                    pairs.push((heap.store(name)?, value.store(heap)?));
                }
                Value::Map(heap.map(&pairs)?)
            }
        })
    }
}

/// Copies a map out of a heap; of anything else nothing.
pub(super) fn members(heap: &Heap, value: Value, depth: usize) -> Result<Members, Exhausted> {
    let Value::Map(map) = value else { return Ok(Members::new()) };
    let pairs = heap.pairs(map).iter();
    pairs.map(|(k, v)| Ok((heap.str(*k).to_owned(), Plain::of(heap, *v, depth + 1)?))).collect()
}

/// Makes an override map with what an earlier template left in it. Each of its keys can be set once, and so can those of the maps
/// it always has.
pub(super) fn override_map(
    heap: &mut Heap,
    held: &Members,
    always: &[&str],
) -> Result<Value, Exhausted> {
    let mut pairs = Vec::new();
    for (name, value) in held.iter().filter(|(name, _)| !always.contains(&name.as_str())) {
        pairs.push((heap.store(name)?, value.store(heap)?));
    }
    for name in always {
        let inner = held.iter().find(|(held, _)| held == name).map(|(_, value)| value.store(heap));
        let inner = match inner.transpose()? {
            Some(Value::Map(map)) => map,
            _ => heap.map(&[])?,
        };
        heap.set_once(inner);
        pairs.push((heap.store(name)?, Value::Map(inner)));
    }
    let map = heap.map(&pairs)?;
    heap.set_once(map);
    Ok(Value::Map(map))
}

/// Puts a value at a dotted name, making the maps on the way.
pub(super) fn put_at(
    heap: &mut Heap,
    root: Value,
    name: &str,
    value: Value,
) -> Result<(), Exhausted> {
    let Value::Map(mut map) = root else { return Ok(()) };
    let mut parts = name.split('.').peekable();
    while let Some(part) = parts.next() {
        let key: Text = heap.store(part)?;
        if parts.peek().is_none() {
            heap.put(map, key, value)?;
            break;
        }
        map = match heap.get(map, part.as_bytes()) {
            Some(Value::Map(inner)) => inner,
            _ => {
                let inner = heap.map(&[])?;
                heap.put(map, key, Value::Map(inner))?;
                inner
            }
        };
    }
    Ok(())
}

/// A datum as a value.
pub(super) fn value_of(heap: &mut Heap, datum: Datum<'_>) -> Result<Value, Exhausted> {
    Ok(match datum {
        Datum::Null => Value::Null,
        Datum::Text(text) => Value::Text(heap.store(&text)?),
        Datum::Number(number) => Value::Int(number),
        Datum::Bool(yes) => Value::from(yes),
        Datum::Json(text) => match json::read_body(heap, text.as_bytes()) {
            Ok(value) => value,
            Err(json::JsonError::Exhausted(exhausted)) => return Err(exhausted),
            Err(_) => Value::Null,
        },
    })
}
