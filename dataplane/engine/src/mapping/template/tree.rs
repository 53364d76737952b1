//! What a template is compiled into.
//!
//! A tree whose leaves are resolved as far as they can be: variables are numbers, constants stand where a render's heap will have
//! them, method names, JSONPaths and regular expressions are read.

use super::super::heap::{Text, Value};
use super::super::jsonpath::JsonPath;
use super::names::{Method, Property};
use crate::regex::Regex;

/// A range of the template's text (its source, then text made of string literals).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) at: u32,
    pub(super) end: u32,
}

impl Span {
    /// No text.
    pub(super) const EMPTY: Self = Self { at: 0, end: 0 };

    /// As places of the text.
    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.at as usize..self.end as usize
    }
}

/// Number of a variable.
pub(super) type Slot = u16;

pub(super) type Block = Box<[Node]>;

/// Text that is copied to the output, and what follows it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) before: Span,
    pub(super) short: Option<Short>,
    pub(super) what: What,
}

/// The text before a node, if it is short. Next to its node it costs a render no search for it.
#[derive(Debug)]
pub(super) struct Short {
    pub(super) len: u8,
    pub(super) bytes: [u8; SHORT],
}

/// Bytes that are copied at once.
pub(super) const SHORT: usize = 32;

impl Node {
    pub(super) fn new(before: Span, what: What) -> Self {
        Self { before, short: None, what }
    }

    /// Keeps the text before it if it is short.
    pub(super) fn settle(&mut self, text: &str) {
        let before = &text.as_bytes()[self.before.range()];
        let mut bytes = [0; SHORT];
        if let Some(short) = bytes.get_mut(..before.len()) {
            short.copy_from_slice(before);
            self.short = Some(Short { len: before.len() as u8, bytes });
        }
    }
}

#[derive(Debug)]
pub(super) enum What {
    /// Nothing, at the end, or where text goes on after a comment.
    Nothing,
    /// A reference that stands in text.
    Print(Print),
    Set {
        target: Box<Reference>,
        value: Expression,
    },
    If {
        at: u32,
        arms: Box<[(Expression, Block)]>,
        otherwise: Block,
    },
    Foreach(Box<Foreach>),
    Define {
        slot: Slot,
        block: u32,
    },
    Call(Box<Call>),
    Break,
    Stop,
}

#[derive(Debug)]
pub(super) struct Print {
    pub(super) reference: Reference,
    /// `$!`: prints nothing where there is nothing.
    pub(super) quiet: bool,
    /// Backslashes before it.
    pub(super) slashes: u16,
}

/// `$name` with what follows it.
#[derive(Debug)]
pub(super) struct Reference {
    /// From the dollar to the end.
    pub(super) source: Span,
    pub(super) slot: Slot,
    pub(super) steps: Box<[Step]>,
    pub(super) shape: Shape,
}

/// What most references are, told apart when a template is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// `$name`
    Variable,
    /// `$name.member`, as [`Step::Property`] has it.
    Member { known: Property, hint: u16 },
    /// Any other.
    Other,
}

impl Shape {
    pub(super) fn of(steps: &[Step]) -> Self {
        match steps {
            [] => Self::Variable,
            [Step::Property { known, hint, .. }] => Self::Member { known: *known, hint: *hint },
            _ => Self::Other,
        }
    }
}

#[derive(Debug)]
pub(super) enum Step {
    /// `.name`; the hint is a number of its own.
    Property { name: Text, known: Property, hint: u16 },
    /// `[index]`
    Index(Expression),
    /// `.name(...)`
    Call { method: Method, arguments: Box<[Expression]>, ready: Ready },
}

/// What could be made of a method's constant argument.
#[derive(Debug)]
pub(super) enum Ready {
    Nothing,
    Path(JsonPath),
    Regex(Box<Regex>),
}

#[derive(Debug)]
pub(super) enum Expression {
    Constant(Value),
    Reference(Box<Reference>),
    /// A string with references or directives in it.
    Interpolated(Block),
    List(Box<[Expression]>),
    Map(Box<[(Expression, Expression)]>),
    Range(Box<(Expression, Expression)>),
    Not(Box<Expression>),
    Chain(Box<Chain>),
}

/// Operators of one precedence, applied from left to right. Flat, so that a long sum is no deep tree.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) first: Expression,
    pub(super) rest: Box<[(Operator, Expression)]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug)]
pub(super) struct Foreach {
    pub(super) at: u32,
    pub(super) slot: Slot,
    pub(super) list: Expression,
    pub(super) body: Block,
}

/// What `#macro` defines; stock Velocity only.
#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: Slot,
    pub(super) parameters: Box<[Slot]>,
    pub(super) body: Block,
}

/// `#name(...)`, or anything that looks like it.
#[derive(Debug)]
pub(super) struct Call {
    /// Printed where there is no such macro.
    pub(super) source: Span,
    pub(super) name: Slot,
    pub(super) arguments: Box<[Expression]>,
}
