//! Filters: `[?( ... )]`.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::super::heap::{Exhausted, Heap, Value};
use super::super::number::{self, Number};
use super::JsonPath;
use crate::regex::{GaveUp, Regex};

#[derive(Debug)]
pub(super) enum Filter {
    Any(Box<[Filter]>),
    All(Box<[Filter]>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
    Match(Operand, Box<Regex>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    Matches,
    In,
    NotIn,
    Size,
    Empty,
}

#[derive(Debug)]
pub(super) enum Operand {
    /// `@`
    Here(JsonPath),
    /// `$`
    Root(JsonPath),
    Literal(Literal),
}

#[derive(Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    /// With its text.
    Number(f64, Box<str>),
    Text(Box<str>),
    List(Box<[Literal]>),
}

/// What an operand came to.
#[derive(Clone, Copy)]
enum Term<'f> {
    Value(Value),
    Literal(&'f Literal),
}

impl Filter {
    /// Whether a value passes. `root` is what `$` means.
    pub(super) fn passes(
        &self,
        heap: &mut Heap,
        here: Value,
        root: Value,
    ) -> Result<bool, Exhausted> {
        heap.spend(1)?;
        match self {
            Self::Any(all) => {
                for filter in all {
                    if filter.passes(heap, here, root)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::All(all) => {
                for filter in all {
                    if !filter.passes(heap, here, root)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(filter) => Ok(!filter.passes(heap, here, root)?),
            Self::Exists(operand) => {
                let term = operand.evaluate(heap, here, root)?;
                Ok(match term {
                    // A path that may lead to many places leads somewhere if its list has members.
                    Some(Term::Value(Value::List(list))) if !operand.is_definite() => {
                        !heap.items(list).is_empty()
                    }
                    other => other.is_some(),
                })
            }
            Self::Match(operand, regex) => {
                let term = operand.evaluate(heap, here, root)?;
                let Some(text) = term.and_then(|term| term.text(heap)) else { return Ok(false) };
                let mut left = heap.steps() as usize;
                let matches = regex.is_match(&text, &mut left);
                heap.leave(left);
                match matches {
                    Err(GaveUp::OutOfSteps) => Err(Exhausted::Steps),
                    matches => Ok(matches == Ok(true)),
                }
            }
            Self::Compare(left, how, right) => {
                let left = left.evaluate(heap, here, root)?;
                let right = right.evaluate(heap, here, root)?;
                compare(heap, left, *how, right)
            }
        }
    }
}

fn compare(
    heap: &mut Heap,
    left: Option<Term<'_>>,
    how: Comparison,
    right: Option<Term<'_>>,
) -> Result<bool, Exhausted> {
    let (Some(left), Some(right)) = (left, right) else {
        // What is missing equals nothing, not even something else missing.
        return Ok(matches!(how, Comparison::Unequal | Comparison::NotIn));
    };
    Ok(match how {
        Comparison::Equal => left.equals(heap, right),
        Comparison::Unequal => !left.equals(heap, right),
        Comparison::Less => left.order(heap, right) == Some(Ordering::Less),
        Comparison::More => left.order(heap, right) == Some(Ordering::Greater),
        Comparison::AtMost => left.order(heap, right).is_some_and(Ordering::is_le),
        Comparison::AtLeast => left.order(heap, right).is_some_and(Ordering::is_ge),
        Comparison::In => left.is_in(heap, right)?,
        Comparison::NotIn => !left.is_in(heap, right)?,
        Comparison::Size => {
            left.size(heap).zip(right.number(heap)).is_some_and(|(size, want)| size as f64 == want)
        }
        Comparison::Empty => match (left.size(heap), right.bool()) {
            (Some(size), Some(want)) => (size == 0) == want,
            _ => false,
        },
        Comparison::Matches => false,
    })
}

impl Operand {
    fn is_definite(&self) -> bool {
        match self {
            Self::Here(path) | Self::Root(path) => path.definite,
            Self::Literal(_) => true,
        }
    }

    fn evaluate<'f>(
        &'f self,
        heap: &mut Heap,
        here: Value,
        root: Value,
    ) -> Result<Option<Term<'f>>, Exhausted> {
        Ok(match self {
            Self::Here(path) => path.select_from(heap, here, root)?.map(Term::Value),
            Self::Root(path) => path.select_from(heap, root, root)?.map(Term::Value),
            Self::Literal(literal) => Some(Term::Literal(literal)),
        })
    }
}

impl Term<'_> {
    fn number(self, heap: &Heap) -> Option<f64> {
        match self {
            Self::Value(Value::Text(text)) => heap.str(text).parse().ok(),
            Self::Value(value) => Number::of(heap, value).map(Number::float),
            Self::Literal(Literal::Number(number, _)) => Some(*number),
            Self::Literal(Literal::Text(text)) => text.parse().ok(),
            Self::Literal(_) => None,
        }
    }

    fn is_number(self) -> bool {
        matches!(
            self,
            Self::Value(Value::Int(_) | Value::Float(_) | Value::Number(_))
                | Self::Literal(Literal::Number(..))
        )
    }

    fn text(self, heap: &Heap) -> Option<Cow<'_, str>> {
        match self {
            Self::Value(Value::Text(text)) => Some(Cow::Borrowed(heap.str(text))),
            Self::Value(value @ (Value::Int(_) | Value::Float(_) | Value::Number(_))) => {
                let mut out = Vec::new();
                number::write(heap, value, &mut out);
                String::from_utf8(out).ok().map(Cow::Owned)
            }
            Self::Literal(Literal::Text(text) | Literal::Number(_, text)) => {
                Some(Cow::Owned(text.to_string()))
            }
            _ => None,
        }
    }

    fn bool(self) -> Option<bool> {
        match self {
            Self::Value(Value::Bool(yes)) => Some(yes.holds()),
            Self::Literal(Literal::Bool(yes)) => Some(*yes),
            _ => None,
        }
    }

    fn is_null(self) -> bool {
        matches!(self, Self::Value(Value::Null) | Self::Literal(Literal::Null))
    }

    /// How many members or characters it has.
    fn size(self, heap: &Heap) -> Option<usize> {
        match self {
            Self::Value(Value::List(list)) => Some(heap.items(list).len()),
            Self::Value(Value::Map(map)) => Some(heap.pairs(map).len()),
            Self::Value(Value::Text(text)) => Some(heap.str(text).chars().count()),
            _ => None,
        }
    }

    fn equals(self, heap: &Heap, other: Term<'_>) -> bool {
        if self.is_number() || other.is_number() {
            return self.number(heap).zip(other.number(heap)).is_some_and(|(one, two)| one == two);
        }
        if self.is_null() || other.is_null() {
            return self.is_null() && other.is_null();
        }
        if let Some(yes) = self.bool() {
            return other.bool() == Some(yes);
        }
        match (self.text(heap), other.text(heap)) {
            (Some(one), Some(two)) => one == two,
            _ => false,
        }
    }

    fn order(self, heap: &Heap, other: Term<'_>) -> Option<Ordering> {
        if self.is_number() || other.is_number() {
            return self.number(heap)?.partial_cmp(&other.number(heap)?);
        }
        Some(self.text(heap)?.cmp(&other.text(heap)?))
    }

    fn is_in(self, heap: &mut Heap, other: Term<'_>) -> Result<bool, Exhausted> {
        match other {
            Term::Literal(Literal::List(all)) => {
                heap.spend(all.len())?;
                Ok(all.iter().any(|one| self.equals(heap, Term::Literal(one))))
            }
            Term::Value(Value::List(list)) => {
                heap.spend(heap.items(list).len())?;
                Ok(heap.items(list).iter().any(|one| self.equals(heap, Term::Value(*one))))
            }
            _ => Ok(false),
        }
    }
}
