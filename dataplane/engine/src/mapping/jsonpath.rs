//! JSONPath as Jayway JsonPath reads it, which is what API Gateway's documentation refers to.
//!
//! Children `.name` `['name']`, unions `['a','b']` `[0,2]`, indices (negative ones count from the end), slices `[from:to]`,
//! wildcards `.*` `[*]`, recursive descent `..name`, filters `[?(@.price > 10 && @.tag in ['a','b'])]`, and the functions
//! `length()`, `size()`, `min()`, `max()`, `avg()`, `sum()` at the end. A path that can only lead to one place gives its value, any
//! other a list. Compiled once; evaluated with steps of the heap, so its cost is bounded whatever the path and the document are.

mod filter;
mod parse;
mod select;

pub use parse::PathError;

use filter::Filter;

/// A compiled path.
#[derive(Debug)]
pub struct JsonPath {
    segments: Box<[Segment]>,
    function: Option<Function>,
    definite: bool,
}

#[derive(Debug)]
struct Segment {
    /// Applied to everything below as well (`..`).
    deep: bool,
    what: Selector,
}

#[derive(Debug)]
enum Selector {
    Name(Box<str>),
    Names(Box<[Box<str>]>),
    Index(i64),
    Indices(Box<[i64]>),
    Slice { from: Option<i64>, to: Option<i64> },
    All,
    Filter(Filter),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Length,
    Min,
    Max,
    Average,
    Sum,
}

#[cfg(test)]
mod tests;
