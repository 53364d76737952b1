//! Reading a template: text with references and directives in it.
//!
//! The grammar is Apache Velocity 1.7's, down to what it does with spaces and line ends: a directive that ends a line takes the line
//! end along, `#set` also takes the spaces before it if a token begins with them. What does not look like VTL is text.

mod build;
mod directives;

pub(super) use build::Build;

use super::super::heap::Value;
use super::error::{Position, TemplateError, Why};
use super::expression::{is_name, is_name_start};
use super::tree::{Block, Expression, Node, Print, Shape, Slot, Span, What};

/// A parser of the template, or of a string in it.
pub(super) struct Parser<'t, 'b> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// Where `text` begins in the template's text.
    base: usize,
    /// In a string, `$` and `#` may come last.
    in_string: bool,
    pub(super) depth: usize,
    pub(super) build: &'b mut Build,
}

/// What ended a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Text,
    End,
    Else,
    ElseIf,
}

/// What directives a text consists of.
pub(super) fn parse(source: &str, build: &mut Build) -> Result<Block, TemplateError> {
    Parser { text: source, at: 0, base: 0, in_string: false, depth: 0, build }.whole()
}

impl<'t> Parser<'t, '_> {
    fn whole(mut self) -> Result<Block, TemplateError> {
        let (block, ended) = self.block()?;
        match ended {
            Ended::Text => Ok(block),
            _ => self.error(Why::NothingToEnd),
        }
    }

    /// A string in double quotes whose text is `text[from..to]`.
    pub(super) fn string(&mut self, from: usize, to: usize) -> Result<Expression, TemplateError> {
        let raw = &self.text[from..to];
        let unescaped = unescape(raw).replace("\"\"", "\"");
        if !unescaped.contains(['$', '#']) {
            return Ok(Expression::Constant(Value::Text(self.build.constant(&unescaped))));
        }
        self.deeper()?;
        let block = if unescaped == raw {
            let (text, base, depth) = (&self.text[..to], self.base, self.depth);
            Parser { text, at: from, base, in_string: true, depth, build: self.build }.whole()?
        } else {
            let base = self.build.text.len();
            self.build.moved.push((base, self.source_place(from - 1)));
            self.build.text.push_str(&unescaped);
            let depth = self.depth;
            Parser { text: &unescaped, at: 0, base, in_string: true, depth, build: self.build }
                .whole()?
        };
        self.depth -= 1;
        Ok(Expression::Interpolated(block))
    }

    // Places

    pub(super) fn error<T>(&self, why: Why) -> Result<T, TemplateError> {
        self.error_at(self.at, why)
    }

    pub(super) fn error_at<T>(&self, at: usize, why: Why) -> Result<T, TemplateError> {
        Err(TemplateError { at: Position::of(&self.build.text, self.source_place(at)), why })
    }

    /// Where a place of this text is in the source.
    fn source_place(&self, at: usize) -> usize {
        let place = self.base + at;
        let before = self.build.moved.partition_point(|(from, _)| *from <= place);
        before.checked_sub(1).map_or(place, |last| self.build.moved[last].1)
    }

    pub(super) fn span(&self, from: usize, to: usize) -> Span {
        Span { at: (self.base + from) as u32, end: (self.base + to) as u32 }
    }

    pub(super) fn place(&self, at: usize) -> u32 {
        (self.base + at) as u32
    }

    /// Counts a level of nesting; whoever calls takes it back. After an error nothing counts any more.
    pub(super) fn deeper(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > DEPTH { self.error(Why::TooDeep) } else { Ok(()) }
    }

    pub(super) fn slot(&mut self, name: &str) -> Result<Slot, TemplateError> {
        match self.build.slot(name) {
            Some(slot) => Ok(slot),
            None => self.error(Why::TooManyNames),
        }
    }

    // Characters

    pub(super) fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn eat(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes a line end along, and the spaces before it, if nothing else stands before it.
    fn line_end(&mut self) {
        let begin = self.at;
        self.blanks();
        if !(self.eat("\r\n") || self.eat("\n") || self.eat("\r")) {
            self.at = begin;
        }
    }

    // Blocks

    fn block(&mut self) -> Result<(Block, Ended), TemplateError> {
        self.deeper()?;
        let mut nodes = Vec::new();
        let ended = loop {
            if let Some(set) = self.set()? {
                Self::add(&mut nodes, set);
                continue;
            }
            let from = self.at;
            let special = memchr::memchr3(b'$', b'#', b'\\', self.rest().as_bytes());
            self.at += special.unwrap_or(self.rest().len());
            self.plain(&mut nodes, from, self.at);
            if special.is_none() {
                break Ended::Text;
            }
            match self.peek() {
                Some(b'$') => self.dollar(&mut nodes, 0)?,
                Some(b'\\') => self.backslashes(&mut nodes)?,
                _ => match self.set()? {
                    Some(set) => Self::add(&mut nodes, set),
                    None => {
                        if let Some(ended) = self.hash(&mut nodes)? {
                            break ended;
                        }
                    }
                },
            }
        };
        self.depth -= 1;
        nodes.iter_mut().for_each(|node| node.settle(&self.build.text));
        Ok((nodes.into(), ended))
    }

    /// Adds text, to the text before it if there is any.
    fn plain(&mut self, nodes: &mut Vec<Node>, from: usize, to: usize) {
        let span = self.span(from, to);
        if from == to {
            return;
        }
        match nodes.last_mut() {
            Some(Node { before, what: What::Nothing, .. }) if before.end == span.at => {
                before.end = span.end;
            }
            _ => nodes.push(Node::new(span, What::Nothing)),
        }
    }

    /// Adds what is no text.
    fn add(nodes: &mut Vec<Node>, added: What) {
        match nodes.last_mut() {
            Some(Node { what: what @ What::Nothing, .. }) => *what = added,
            _ => nodes.push(Node::new(Span::EMPTY, added)),
        }
    }

    /// A dollar sign, behind backslashes.
    fn dollar(&mut self, nodes: &mut Vec<Node>, slashes: usize) -> Result<(), TemplateError> {
        let begin = self.at;
        self.at += 1;
        let escaped = self.rest().bytes().take_while(|b| *b == b'\\').count();
        if escaped > 0 && self.peek_at(escaped) == Some(b'!') {
            // An escaped '!' loses one backslash, and nothing before it is a reference.
            self.plain(nodes, begin - slashes, begin + escaped);
            self.at += escaped;
            self.plain(nodes, self.at, self.at + 1);
            self.at += 1;
            return Ok(());
        }
        let quiet = self.eat("!");
        let formal = self.peek() == Some(b'{');
        if self.peek_at(usize::from(formal)).is_some_and(is_name_start) {
            let mut reference = self.reference(begin)?;
            let slashes = slashes.min(usize::from(u16::MAX)) as u16;
            if slashes > 0 {
                reference.shape = Shape::Other;
            }
            Self::add(nodes, What::Print(Print { reference, quiet, slashes }));
            return Ok(());
        }
        if self.peek().is_none() && !self.in_string {
            return self.error_at(begin, Why::LoneAtEnd('$'));
        }
        // Velocity drops the '!' of what turns out to be no reference, unless a bracket follows.
        let kept = quiet && matches!(self.peek(), Some(b'{' | b'['));
        self.plain(nodes, begin - slashes, if kept { self.at } else { begin + 1 });
        if formal {
            self.plain(nodes, self.at, self.at + 1);
            self.at += 1;
        }
        Ok(())
    }

    fn backslashes(&mut self, nodes: &mut Vec<Node>) -> Result<(), TemplateError> {
        let begin = self.at;
        let slashes = self.rest().bytes().take_while(|b| *b == b'\\').count();
        self.at += slashes;
        if self.peek() == Some(b'$') {
            return self.dollar(nodes, slashes);
        }
        let known = self.peek() == Some(b'#')
            && self.word().is_some_and(|(word, _)| {
                // Velocity forgets `#set` where the backslashes are even.
                (KNOWN.contains(&word) && (word != "set" || slashes % 2 == 1))
                    || self.build.known.contains(word)
            });
        if !known {
            self.plain(nodes, begin, self.at);
            return Ok(());
        }
        // Each two backslashes before a directive are one, and a single one takes its meaning away.
        self.plain(nodes, begin, begin + slashes / 2);
        if slashes % 2 == 1 {
            let hash = self.at;
            self.at += 1;
            let (_, len) = self.word_here().unwrap_or_default();
            self.at += len;
            self.plain(nodes, hash, self.at);
        }
        Ok(())
    }

    /// The word behind a `#`, with or without braces, and the length of both.
    fn word(&self) -> Option<(&'t str, usize)> {
        Self::word_of(&self.rest()[1..])
    }

    fn word_here(&self) -> Option<(&'t str, usize)> {
        Self::word_of(self.rest())
    }

    fn word_of(text: &'t str) -> Option<(&'t str, usize)> {
        let of = |text: &'t str, first: fn(u8) -> bool| {
            let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'@');
            let len = text.bytes().take_while(|b| word(b)).count();
            (len > 0 && first(text.as_bytes()[0])).then(|| &text[..len])
        };
        match text.strip_prefix('{') {
            Some(inner) => {
                let word = of(inner, |b| b.is_ascii_alphabetic() || b == b'_')?;
                inner[word.len()..].starts_with('}').then_some((word, word.len() + 2))
            }
            None => {
                let word = of(text, |b| !b.is_ascii_digit())?;
                Some((word, word.len()))
            }
        }
    }

    /// A hash. Says so when it ends the block.
    fn hash(&mut self, nodes: &mut Vec<Node>) -> Result<Option<Ended>, TemplateError> {
        let begin = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'#') => {
                let end = self.rest().find(['\n', '\r']);
                self.at += end.unwrap_or(self.rest().len());
                self.line_end();
                return Ok(None);
            }
            Some(b'*') => {
                let end = self.rest()[1..].find("*#").map(|len| len + 3);
                self.at += end.unwrap_or(self.rest().len());
                return Ok(None);
            }
            Some(b'[') if self.eat("[[") => {
                let Some(len) = self.rest().find("]]#") else {
                    return self.error_at(begin, Why::OpenTextBlock);
                };
                self.plain(nodes, self.at, self.at + len);
                self.at += len + 3;
                return Ok(None);
            }
            None if !self.in_string => return self.error_at(begin, Why::LoneAtEnd('#')),
            _ => {}
        }
        let Some((word, len)) = self.word_here() else {
            // A number belongs to the hash: what follows it is the beginning of a token.
            self.at += self.rest().bytes().take_while(u8::is_ascii_digit).count();
            self.plain(nodes, begin, self.at);
            return Ok(None);
        };
        self.at += len;
        match word {
            "end" => {
                self.line_end();
                return Ok(Some(Ended::End));
            }
            "else" => {
                self.line_end();
                return Ok(Some(Ended::Else));
            }
            "elseif" => return Ok(Some(Ended::ElseIf)),
            "if" => Self::add(nodes, self.conditional(begin)?),
            "foreach" => Self::add(nodes, self.foreach(begin)?),
            "define" => Self::add(nodes, self.define(begin)?),
            "macro" => self.macro_definition(begin)?,
            "break" | "stop" => {
                if self.parenthesis() {
                    self.arguments()?;
                }
                Self::add(nodes, if word == "break" { What::Break } else { What::Stop });
            }
            name => match self.call(begin, name)? {
                Some(call) => Self::add(nodes, call),
                None => self.plain(nodes, begin, self.at),
            },
        }
        Ok(None)
    }

    /// Whether exactly this word stands here.
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.rest().starts_with(word) && !self.peek_at(word.len()).is_some_and(is_name)
    }
}

/// Resolves `\u0041`, the only escape there is.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\u") {
        let digits = rest.get(at + 2..at + 6).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let c = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let end = if c.is_some() { at + 6 } else { at + 2 };
        match c {
            Some(c) => {
                out.push_str(&rest[..at]);
                out.push(char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            None => out.push_str(&rest[..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Directives before which a backslash is an escape.
const KNOWN: [&str; 14] = [
    "break", "define", "else", "elseif", "end", "evaluate", "foreach", "if", "include", "literal",
    "macro", "parse", "set", "stop",
];

/// Blocks, parentheses, lists and strings inside each other.
const DEPTH: usize = 64;
