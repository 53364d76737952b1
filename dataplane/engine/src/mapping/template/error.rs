//! What can be wrong with a template, and where.

use std::fmt;

use super::super::heap::Exhausted;
use super::super::xml::{Unwritable, XmlError};

/// A place in a template's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

impl Position {
    /// The place `at` bytes behind the beginning.
    pub(crate) fn of(source: &str, at: usize) -> Self {
        let before = source.get(..at).unwrap_or(source);
        let line_begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: 1 + before.bytes().filter(|b| *b == b'\n').count() as u32,
            column: 1 + before[line_begin..].chars().count() as u32,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct TemplateError {
    /// Where.
    pub at: Position,
    /// What is wrong there.
    pub why: Why,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Why {
    #[error("{0} is expected here")]
    Expected(&'static str),
    #[error("{0} has no #end")]
    Open(&'static str),
    #[error("this belongs to no #if or #foreach")]
    NothingToEnd,
    #[error("this string has no closing quote")]
    OpenString,
    #[error("this reference has no closing brace")]
    OpenBrace,
    #[error("#[[ has no ]]#")]
    OpenTextBlock,
    #[error("a template cannot end with '{0}'")]
    LoneAtEnd(char),
    #[error("#set needs a variable or one of its members to set, as in #set($name = value)")]
    SetTarget,
    #[error("#foreach is written #foreach($item in $list)")]
    Foreach,
    #[error("#define is written #define($name)")]
    Define,
    #[error("#macro is written #macro(name $first $second)")]
    Macro,
    #[error("'true' and 'false' are values and cannot be names")]
    LiteralAsName,
    #[error("directives and expressions are nested too deeply here")]
    TooDeep,
    #[error("the template has too many names")]
    TooManyNames,
    #[error("the template is larger than {0} bytes")]
    TooLarge(usize),
}

/// Why a template could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {fault}")]
pub struct RenderError {
    /// Where in the template.
    pub at: Position,
    /// What happened there.
    pub fault: Fault,
}

impl RenderError {
    /// Whether it would have gone on with more steps.
    pub fn is_out_of_steps(&self) -> bool {
        matches!(self.fault, Fault::Exhausted(Exhausted::Steps))
    }
}

/// What stopped a render. Boxed on its way out, so that results of single steps stay small.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Fault {
    #[error(transparent)]
    Exhausted(Exhausted),
    #[error("the output is larger than {0} bytes")]
    Output(usize),
    #[error("index {index} is out of range: there are {size}")]
    Index { index: i64, size: usize },
    #[error("{0} cannot be applied to this argument")]
    Argument(&'static str),
    #[error("$util.parseXml cannot read it: {0}")]
    NoXml(XmlError),
    #[error("$util.parseXml has no option {0:?} with such a value")]
    XmlOption(String),
    #[error("$util.toXml cannot write it: {0}")]
    Unwritable(Unwritable),
    #[error("{0:?} cannot be used as a regular expression: {1}")]
    Pattern(String, String),
    #[error("the replacement refers to a group that the pattern does not have")]
    Group,
    #[error("the number is too large")]
    Number,
    #[error("{0} is overridden twice")]
    OverriddenTwice(String),
    #[error("the list or map changed while #foreach went through it")]
    Changed,
    #[error("macros and definitions call each other too deeply")]
    TooDeep,
}

impl From<Exhausted> for Box<Fault> {
    #[cold]
    fn from(exhausted: Exhausted) -> Self {
        Box::new(Fault::Exhausted(exhausted))
    }
}
