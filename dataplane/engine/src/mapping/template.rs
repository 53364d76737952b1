//! Mapping templates: API Gateway's dialect of the Velocity Template Language, and Apache Velocity 1.7's own.
//!
//! A [`Template`] is compiled once, when a bundle is linked, and rendered per exchange from a [`Scope`]. Rendering works in an arena
//! that is reused, in bounded steps, memory, depth and output ([`Limits`]), and does no I/O. What API Gateway does otherwise than
//! Velocity 1.7, which it is built on, is a choice of [`Dialect`]; the differences are listed with their sources in
//! `tests/velocity/deviations.json`.

mod case;
mod error;
mod expression;
mod given;
mod input;
mod methods;
mod names;
mod operate;
mod parse;
mod run;
mod scope;
mod show;
mod steps;
mod text;
mod tree;
mod util;

#[cfg(test)]
mod tests;

pub use case::{Case, CaseError};
pub use error::{Fault, Position, RenderError, TemplateError, Why};
pub use given::Given;
pub use scope::{Datum, Did, Overrides, Place, Scope, Scratch, Source, Trace};
pub use steps::{Step, Steps, What};

use super::heap::{Object, Value};
use tree::{Block, Slot};

/// Which rules a template follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// API Gateway's: what does not exist is empty text, only `false` is false, there are no macros.
    #[default]
    ApiGateway,
    /// Apache Velocity 1.7's: what does not exist prints as written.
    Velocity,
}

/// What a render may take. A template that takes more fails; a loop that would go on longer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Directives, references, and members or pieces of text looked at. Some tens of nanoseconds each.
    pub steps: u64,
    /// Iterations of one loop. API Gateway's is 1,000 (quotas).
    pub iterations: u32,
    /// Blocks inside each other as they run, counting those of definitions and macros.
    pub depth: u32,
    /// Bytes that come out. API Gateway's payloads have 10 MB at most.
    pub output: usize,
    /// Bytes that values take, the body included.
    pub memory: usize,
}

impl Limits {
    /// API Gateway's where it tells them. Where it does not: a quarter of a second, and room for any JSON body of 10 MB.
    pub const API_GATEWAY: Self = Self {
        steps: 5_000_000,
        iterations: 1_000,
        depth: 200,
        output: 10 * 1024 * 1024,
        memory: 256 * 1024 * 1024,
    };
}

/// What a template refers to, so that a linker knows what it will need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// `$input`
    pub input: bool,
    /// `$util`
    pub util: bool,
    /// `$context`
    pub context: Used,
    /// `$stageVariables`
    pub stage_variables: Used,
}

/// How much of a map a template refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Used {
    /// Nothing.
    #[default]
    Nothing,
    /// These members, by their dotted names.
    Names(Vec<Box<str>>),
    /// Any member.
    All,
}

impl Used {
    fn add(&mut self, name: Option<String>) {
        match (&mut *self, name) {
            (Self::All, _) => {}
            (_, None) => *self = Self::All,
            (Self::Nothing, Some(name)) => *self = Self::Names(vec![name.into()]),
            (Self::Names(names), Some(name)) => {
                if !names.iter().any(|held| **held == *name) {
                    names.push(name.into());
                }
            }
        }
    }
}

impl Uses {
    fn note(&mut self, root: &str, path: Option<String>) {
        match root {
            "input" => self.input = true,
            "util" => self.util = true,
            "context" => self.context.add(path),
            "stageVariables" => self.stage_variables.add(path),
            _ => {}
        }
    }
}

/// A compiled template.
#[derive(Debug)]
pub struct Template {
    dialect: Dialect,
    /// The source, then text of strings that differs from it.
    text: Box<str>,
    source_bytes: usize,
    /// Text behind the source that begins there was made of the literal at that place in it.
    moved: Box<[(usize, usize)]>,
    /// What each render's heap begins with.
    constants: Box<[u8]>,
    /// Variables by number; the first are [`BUILT_IN`].
    names: Box<[Box<str>]>,
    body: Block,
    /// Bodies of definitions.
    blocks: Box<[Block]>,
    macros: Box<[tree::Macro]>,
    uses: Uses,
    /// How many steps remember something.
    hints: u16,
}

impl Template {
    /// The largest source, as in API Gateway's quotas.
    pub const MAX_BYTES: usize = 300 * 1024;

    /// Compiles a template of API Gateway's.
    pub fn compile(source: &str) -> Result<Self, TemplateError> {
        Self::compile_as(source, Dialect::ApiGateway)
    }

    /// Compiles a template of a dialect.
    pub fn compile_as(source: &str, dialect: Dialect) -> Result<Self, TemplateError> {
        if source.len() > Self::MAX_BYTES {
            let at = Position { line: 1, column: 1 };
            return Err(TemplateError { at, why: Why::TooLarge(Self::MAX_BYTES) });
        }
        let mut build = parse::Build::new(source, dialect);
        let body = parse::parse(source, &mut build)?;
        Ok(build.finish(source.len(), body))
    }

    /// The output if it is the same whatever the exchange: nothing but text and comments.
    pub fn constant(&self) -> Option<String> {
        let text = |node: &tree::Node| match node.what {
            tree::What::Nothing => Some(self.span(node.before)),
            _ => None,
        };
        self.body.iter().map(text).collect()
    }

    /// What it refers to.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Appends what it comes to for an exchange to `out`. After an error `out` holds a part of it, and overrides are as before.
    pub fn render(
        &self,
        scope: &mut Scope<'_>,
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        run::render(self, scope, limits, out)
    }

    /// Its source.
    pub fn source(&self) -> &str {
        &self.text[..self.source_bytes]
    }

    fn span(&self, span: tree::Span) -> &str {
        &self.text[span.at as usize..span.end as usize]
    }

    fn name(&self, slot: Slot) -> &str {
        &self.names[usize::from(slot)]
    }

    /// Where a place of [`text`](Self::text) is in the source.
    fn position(&self, at: u32) -> Position {
        let at = at as usize;
        let before = self.moved.partition_point(|(from, _)| *from <= at);
        let place = before.checked_sub(1).map_or(at, |last| self.moved[last].1);
        Position::of(&self.text[..self.source_bytes], place)
    }
}

/// Variables that every template has, by their numbers.
const BUILT_IN: [&str; 7] =
    ["input", "util", "context", "stageVariables", "foreach", "velocityCount", "velocityHasNext"];

/// What the first of them are when a render begins. Velocity's own variables are all the context's.
const INITIAL: [Value; 4] = [
    Value::Object(Object::Input),
    Value::Object(Object::Util),
    Value::Object(Object::Context),
    Value::Object(Object::StageVariables),
];

const CONTEXT: Slot = 2;
const FOREACH: Slot = 4;
const VELOCITY_COUNT: Slot = 5;
const VELOCITY_HAS_NEXT: Slot = 6;
