//! JSON Schema draft 4, as API Gateway's models use it: compiled once, checked without looking anything up.
//!
//! A [`Schema`] is a flat table of nodes; `$ref`s are numbers of other nodes, so cycles cost nothing. What AWS's own validator
//! cannot do either (references to documents elsewhere) is refused when compiling. Messages are those of the validator AWS uses,
//! as `$context.error.validationErrorString` shows them.
//!
//! Source: `rest-api-runtime` section 14.4; the specification "JSON Schema: interactive and non interactive validation", draft 4.

mod check;
mod compile;
mod decimal;
mod format;
mod pattern;
mod reference;

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use crate::mapping::heap::{self, Heap};
use crate::mapping::json::{self, JsonError};
use crate::regex::Regex;
pub use check::{TooComplex, Violation};
use decimal::Decimal;

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    nodes: Vec<Node>,
    root: NodeId,
}

/// Why a schema cannot be used. `at` is a JSON pointer into the document, which other schemas are named by their URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It is no schema of draft 4.
    #[error("at {at:?}: {message}")]
    Invalid {
        /// Where.
        at: String,
        /// What is wrong there.
        message: String,
    },
    /// A `$ref` to something that is not there.
    #[error("at {at:?}: nothing is at $ref {reference:?}")]
    UnknownReference {
        /// Where.
        at: String,
        /// The reference as written.
        reference: String,
    },
    /// A pattern that is no regular expression.
    #[error("at {at:?}: pattern {pattern:?} cannot be used: {cause}")]
    Pattern {
        /// Where.
        at: String,
        /// The pattern as written.
        pattern: String,
        /// Why.
        cause: String,
    },
    /// It holds more subschemas than any model needs.
    #[error("the schema has more than {MAX_NODES} subschemas")]
    TooLarge,
}

impl Schema {
    /// Compiles a schema that may refer to itself.
    pub fn compile(document: &Value) -> Result<Self, SchemaError> {
        Self::compile_with(document, |_| None)
    }

    /// Compiles a schema that may also refer to others: `other` gives the document with a URI.
    pub fn compile_with(
        document: &Value,
        other: impl Fn(&str) -> Option<Arc<Value>>,
    ) -> Result<Self, SchemaError> {
        // Draft 4's own schema names most mistakes better than a compiler could.
        let mut heap = Heap::for_document(u64::MAX, u32::MAX as usize);
        if let Ok(instance) = json::read_body(&mut heap, document.to_string().as_bytes())
            && let Ok(Err(violation)) = META.check(&heap, instance, document_budget(document))
        {
            return Err(SchemaError::Invalid { at: violation.path, message: violation.message });
        }
        compile::compile(document, other)
    }

    /// Whether an instance, which stands in a heap, fits; the first violation if not.
    ///
    /// `budget` bounds the work, in comparisons of a value with a subschema; a body's length in bytes and some thousands is
    /// plenty. The errors of a failing instance are found in a second pass, so that fitting ones cost no message.
    pub fn check(
        &self,
        heap: &Heap,
        instance: heap::Value,
        budget: usize,
    ) -> Result<Result<(), Violation>, TooComplex> {
        let found = self.violations(heap, instance, budget)?;
        Ok(found.into_iter().next().map_or(Ok(()), Err))
    }

    /// Everything in which an instance does not fit.
    pub fn violations(
        &self,
        heap: &Heap,
        instance: heap::Value,
        budget: usize,
    ) -> Result<Vec<Violation>, TooComplex> {
        check::violations(self, heap, instance, budget)
    }

    /// In what a body does not fit; nothing is allocated for one that does, once the heap has grown. An empty body is an empty
    /// object. Reading and checking are bounded: a body on which checking takes too long does not fit.
    pub fn misfits(&self, heap: &mut Heap, body: &[u8]) -> Result<Vec<Violation>, JsonError> {
        heap.begin(&[], u64::MAX, MAX_MEMORY);
        let text = match std::str::from_utf8(body) {
            Ok("") => "{}",
            Ok(text) => text,
            Err(error) => return Err(JsonError::Malformed(error.valid_up_to())),
        };
        let text = heap.store(text)?;
        let instance = json::read(heap, text)?;
        let found = self.violations(heap, instance, BUDGET + BUDGET_PER_BYTE * body.len());
        Ok(found.unwrap_or_else(|error| {
            vec![Violation { path: String::new(), message: error.to_string() }]
        }))
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }
}

/// Number of a node in its schema.
type NodeId = u32;

/// One subschema: only what it asks for is there.
#[derive(Debug, Default)]
struct Node {
    /// Where the value is really described; nothing beside a `$ref` counts.
    reference: Option<NodeId>,
    /// Absent: any type.
    types: Option<Types>,
    enumeration: Option<Vec<Value>>,
    number: Option<Box<NumberRules>>,
    text: Option<Box<TextRules>>,
    list: Option<Box<ListRules>>,
    object: Option<Box<ObjectRules>>,
    all_of: Vec<NodeId>,
    any_of: Vec<NodeId>,
    one_of: Vec<NodeId>,
    not: Option<NodeId>,
}

/// A set of primitive types, in the order draft 4 names them in messages: by alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Types(u8);

impl Types {
    const NAMES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|known| *known == name).map(|at| Self(1 << at))
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const ARRAY: Self = Self(1);
    const BOOLEAN: Self = Self(1 << 1);
    /// An integer is a number, too.
    const INTEGER: Self = Self(1 << 2 | 1 << 4);
    const NULL: Self = Self(1 << 3);
    const NUMBER: Self = Self(1 << 4);
    const OBJECT: Self = Self(1 << 5);
    const STRING: Self = Self(1 << 6);

    fn overlap(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .enumerate()
            .filter(move |(at, _)| self.0 & 1 << at != 0)
            .map(|(_, name)| name)
    }
}

#[derive(Debug, Default)]
struct NumberRules {
    minimum: Option<Bound>,
    maximum: Option<Bound>,
    multiple_of: Option<Decimal>,
}

#[derive(Debug)]
struct Bound {
    at: Decimal,
    exclusive: bool,
}

#[derive(Debug, Default)]
struct TextRules {
    min_length: Option<u64>,
    max_length: Option<u64>,
    pattern: Option<(String, Regex)>,
    format: Option<format::Format>,
}

#[derive(Debug, Default)]
struct ListRules {
    min_items: Option<u64>,
    max_items: Option<u64>,
    unique: bool,
    items: Items,
}

#[derive(Debug, Default)]
enum Items {
    #[default]
    Any,
    Each(NodeId),
    Tuple(Vec<NodeId>, Rest),
}

/// What is allowed beyond what is described.
#[derive(Debug, Clone, Copy, Default)]
enum Rest {
    #[default]
    Any,
    None,
    Like(NodeId),
}

#[derive(Debug, Default)]
struct ObjectRules {
    min_properties: Option<u64>,
    max_properties: Option<u64>,
    required: Vec<String>,
    /// Sorted by length and then by name, so that mostly one or two are compared with a name.
    properties: Vec<(String, NodeId)>,
    patterns: Vec<(Regex, NodeId)>,
    rest: Rest,
    dependencies: Vec<(String, Dependency)>,
}

impl ObjectRules {
    /// The subschema of a property that is described.
    fn property(&self, name: &[u8]) -> Option<NodeId> {
        let from = self.properties.partition_point(|(held, _)| held.len() < name.len());
        let as_long = &self.properties[from..];
        let as_long = &as_long[..as_long.partition_point(|(held, _)| held.len() == name.len())];
        let found = as_long.binary_search_by(|(held, _)| held.as_bytes().cmp(name));
        found.ok().map(|at| as_long[at].1)
    }
}

#[derive(Debug)]
enum Dependency {
    Properties(Vec<String>),
    Schema(NodeId),
}

/// The schema of draft 4's schemas.
static META: LazyLock<Schema> = LazyLock::new(|| {
    compile::compile(&META_DOCUMENT, |_| None).expect("draft 4's schema is one of draft 4")
});

static META_DOCUMENT: LazyLock<Arc<Value>> = LazyLock::new(|| {
    Arc::new(serde_json::from_str(include_str!("schema/draft4.json")).expect("it is JSON"))
});

/// What checking a schema document itself may cost: it is as long as its text.
fn document_budget(document: &Value) -> usize {
    fn values(of: &Value) -> usize {
        1 + match of {
            Value::Array(items) => items.iter().map(values).sum(),
            Value::Object(members) => members.values().map(values).sum(),
            _ => 0,
        }
    }
    values(document).saturating_mul(64).saturating_add(1_000)
}

/// Comparisons that checking may take: enough for a value of a byte that some alternatives are tried on, and bounded for all that.
const BUDGET_PER_BYTE: usize = 8;

/// Comparisons that checking may take whatever the body's length.
const BUDGET: usize = 100_000;

/// Bytes that a body's values may take: room for any of 10 MB.
const MAX_MEMORY: usize = 256 * 1024 * 1024;

/// AWS takes 400 KB of models for an API; a subschema has some ten bytes at least.
const MAX_NODES: usize = 40_000;

#[cfg(test)]
mod tests;
