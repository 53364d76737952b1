//! Reading directives.

use super::super::Dialect;
use super::super::error::{TemplateError, Why};
use super::super::tree::{Block, Call, Expression, Foreach, Macro, Step, What};
use super::{Ended, Parser};

impl<'t> Parser<'t, '_> {
    /// `#set`, with the spaces before it.
    pub(super) fn set(&mut self) -> Result<Option<What>, TemplateError> {
        let begin = self.at;
        self.blanks();
        let is_set = self.eat("#set") || self.eat("#{set}");
        self.blanks();
        if !(is_set && self.eat("(")) {
            self.at = begin;
            return Ok(None);
        }
        self.space();
        if self.peek() != Some(b'$') {
            return self.error(Why::SetTarget);
        }
        let at = self.at;
        self.at += 1;
        self.eat("!");
        let target = Box::new(self.reference(at)?);
        if let Some(Step::Call { .. }) = target.steps.last() {
            return self.error_at(at, Why::SetTarget);
        }
        self.space();
        if !self.eat("=") || self.peek() == Some(b'=') {
            return self.error(Why::Expected("'='"));
        }
        let value = self.expression()?;
        self.close()?;
        Ok(Some(What::Set { target, value }))
    }

    /// A closing parenthesis of a directive, which takes the end of its line along.
    fn close(&mut self) -> Result<(), TemplateError> {
        self.space();
        if !self.eat(")") {
            return self.error(Why::Expected("')'"));
        }
        self.line_end();
        Ok(())
    }

    fn condition(&mut self) -> Result<Expression, TemplateError> {
        self.space();
        if !self.eat("(") {
            return self.error(Why::Expected("'('"));
        }
        let condition = self.expression()?;
        self.close()?;
        Ok(condition)
    }

    pub(super) fn conditional(&mut self, begin: usize) -> Result<What, TemplateError> {
        let at = self.place(begin);
        let mut arms = Vec::new();
        let mut otherwise = Block::default();
        loop {
            let condition = self.condition()?;
            let (block, ended) = self.block()?;
            arms.push((condition, block));
            match ended {
                Ended::ElseIf => continue,
                Ended::Else => {
                    let (block, ended) = self.block()?;
                    if ended != Ended::End {
                        return self.error_at(begin, Why::Open("#if"));
                    }
                    otherwise = block;
                }
                Ended::End => {}
                Ended::Text => return self.error_at(begin, Why::Open("#if")),
            }
            return Ok(What::If { at, arms: arms.into(), otherwise });
        }
    }

    /// The block of a directive that has no other parts.
    fn body(&mut self, begin: usize, name: &'static str) -> Result<Block, TemplateError> {
        match self.block()? {
            (block, Ended::End) => Ok(block),
            _ => self.error_at(begin, Why::Open(name)),
        }
    }

    pub(super) fn foreach(&mut self, begin: usize) -> Result<What, TemplateError> {
        if !self.parenthesis() {
            return self.error_at(begin, Why::Foreach);
        }
        let mut arguments = self.arguments()?.into_iter();
        let parts = (arguments.next(), arguments.next(), arguments.next(), arguments.next());
        let (
            Some(Argument::Value(Expression::Reference(element))),
            Some(Argument::Word("in")),
            Some(Argument::Value(list)),
            None,
        ) = parts
        else {
            return self.error_at(begin, Why::Foreach);
        };
        let body = self.body(begin, "#foreach")?;
        let at = self.place(begin);
        Ok(What::Foreach(Box::new(Foreach { at, slot: element.slot, list, body })))
    }

    pub(super) fn define(&mut self, begin: usize) -> Result<What, TemplateError> {
        let mut arguments = if self.parenthesis() { self.arguments()? } else { Vec::new() };
        let (Some(Argument::Value(Expression::Reference(name))), 0) =
            (arguments.pop(), arguments.len())
        else {
            return self.error_at(begin, Why::Define);
        };
        let block = self.body(begin, "#define")?;
        self.build.blocks.push(block);
        Ok(What::Define { slot: name.slot, block: self.build.blocks.len() as u32 - 1 })
    }

    /// `#macro`: API Gateway swallows it. Velocity knows all macros of a template from the beginning.
    pub(super) fn macro_definition(&mut self, begin: usize) -> Result<(), TemplateError> {
        let arguments = if self.parenthesis() { self.arguments()? } else { Vec::new() };
        let mut arguments = arguments.into_iter();
        let Some(Argument::Word(name)) = arguments.next() else {
            return self.error_at(begin, Why::Macro);
        };
        let mut parameters = Vec::new();
        for argument in arguments {
            let Argument::Value(Expression::Reference(parameter)) = argument else {
                return self.error_at(begin, Why::Macro);
            };
            parameters.push(parameter.slot);
        }
        if self.build.dialect == Dialect::Velocity {
            self.build.known.insert(name.into());
        }
        let body = self.body(begin, "#macro")?;
        let name = self.slot(&format!("#{name}"))?;
        let is_new = self.build.macros.iter().all(|held| held.name != name);
        if self.build.dialect == Dialect::Velocity && is_new {
            self.build.macros.push(Macro { name, parameters: parameters.into(), body });
        }
        Ok(())
    }

    /// What looks like a directive and is none: a macro's call, or text.
    pub(super) fn call(&mut self, begin: usize, name: &str) -> Result<Option<What>, TemplateError> {
        let arguments = if self.parenthesis() { self.arguments()? } else { Vec::new() };
        if self.build.dialect == Dialect::ApiGateway {
            return Ok(None);
        }
        let source = self.span(begin, self.at);
        let values = arguments.into_iter().filter_map(|argument| match argument {
            Argument::Value(value) => Some(value),
            Argument::Word(_) => None,
        });
        let arguments = values.collect();
        let name = self.slot(&format!("#{name}"))?;
        Ok(Some(What::Call(Box::new(Call { source, name, arguments }))))
    }

    /// Whether a parenthesis follows, perhaps behind spaces; goes past it.
    pub(super) fn parenthesis(&mut self) -> bool {
        let begin = self.at;
        self.space();
        let found = self.eat("(");
        if !found {
            self.at = begin;
        }
        found
    }

    /// Arguments of a directive: values and words, with or without commas, and the closing parenthesis.
    pub(super) fn arguments(&mut self) -> Result<Vec<Argument<'t>>, TemplateError> {
        let mut arguments = Vec::new();
        loop {
            self.space();
            if self.peek() == Some(b')') {
                self.close()?;
                return Ok(arguments);
            }
            if self.eat(",") {
                self.space();
            }
            let word = self.peek().filter(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'@'));
            if word.is_some() && !self.at_word("true") && !self.at_word("false") {
                let (word, len) = self.word_here().unwrap_or_default();
                self.at += len;
                arguments.push(Argument::Word(word));
            } else {
                arguments.push(Argument::Value(self.value()?));
            }
        }
    }
}

pub(super) enum Argument<'t> {
    Word(&'t str),
    Value(Expression),
}
