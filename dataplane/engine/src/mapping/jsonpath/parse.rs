//! Reading a path.

use super::filter::{Comparison, Filter, Literal, Operand};
use super::{Function, JsonPath, Segment, Selector};
use crate::regex::Regex;

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSONPath at character {at}: {why}")]
pub struct PathError {
    /// Bytes before the place.
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

impl JsonPath {
    /// Compiles a path. One that does not begin with `$` is taken to begin with `$.`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        parser.space();
        let path = if parser.eat("$") { parser.segments(true)? } else { parser.relative()? };
        parser.space();
        if parser.at < text.len() {
            return parser.error("a segment must begin with '.' or '['");
        }
        Ok(path)
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn error<T>(&self, why: &'static str) -> Result<T, PathError> {
        Err(PathError { at: self.at, why })
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn eat(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn expect(&mut self, what: &str, why: &'static str) -> Result<(), PathError> {
        self.space();
        if self.eat(what) { Ok(()) } else { self.error(why) }
    }

    /// A path without its `$.`.
    fn relative(&mut self) -> Result<JsonPath, PathError> {
        let first = if self.peek() == Some(b'[') { self.bracket()? } else { self.name()? };
        let mut path = self.segments(true)?;
        let mut segments = vec![Segment { deep: false, what: first }];
        segments.extend(std::mem::take(&mut path.segments));
        Ok(finished(segments, path.function))
    }

    fn segments(&mut self, functions: bool) -> Result<JsonPath, PathError> {
        let mut segments = Vec::new();
        let mut function = None;
        loop {
            let deep = self.eat("..");
            let what = match self.peek() {
                Some(b'[') => self.bracket()?,
                _ if deep => self.name()?,
                Some(b'.') => {
                    self.at += 1;
                    function = self.function();
                    if function.is_some() && functions {
                        break;
                    }
                    self.name()?
                }
                _ => break,
            };
            if segments.len() == SEGMENTS {
                return self.error("too many segments");
            }
            segments.push(Segment { deep, what });
        }
        Ok(finished(segments, function))
    }

    fn function(&mut self) -> Option<Function> {
        let (name, rest) = self.rest().split_once("()")?;
        let function = match name {
            "length" | "size" => Function::Length,
            "min" => Function::Min,
            "max" => Function::Max,
            "avg" => Function::Average,
            "sum" => Function::Sum,
            _ => return None,
        };
        self.at = self.text.len() - rest.len();
        Some(function)
    }

    /// A name behind a dot, or `*`.
    fn name(&mut self) -> Result<Selector, PathError> {
        if self.eat("*") {
            return Ok(Selector::All);
        }
        let ends = |c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    '.' | '['
                        | ']'
                        | '('
                        | ')'
                        | '='
                        | '!'
                        | '<'
                        | '>'
                        | '&'
                        | '|'
                        | ','
                        | '\''
                        | '"'
                        | '*'
                )
        };
        let len = self.rest().find(ends).unwrap_or(self.rest().len());
        if len == 0 {
            return self.error("a name is missing");
        }
        let name = &self.rest()[..len];
        self.at += len;
        Ok(Selector::Name(name.into()))
    }

    fn bracket(&mut self) -> Result<Selector, PathError> {
        self.at += 1;
        self.space();
        let what = match self.peek() {
            Some(b'*') => {
                self.at += 1;
                Selector::All
            }
            Some(b'\'' | b'"') => {
                let mut names = self.list(Self::quoted)?;
                match names.pop() {
                    Some(name) if names.is_empty() => Selector::Name(name),
                    last => Selector::Names(names.into_iter().chain(last).collect()),
                }
            }
            Some(b'?') => {
                self.at += 1;
                self.expect("(", "a filter is written [?( ... )]")?;
                let filter = self.any()?;
                self.expect(")", "a filter ends with )]")?;
                Selector::Filter(filter)
            }
            Some(b'-' | b':' | b'0'..=b'9') => self.numbers()?,
            _ => return self.error("expected an index, a quoted name, '*' or '?'"),
        };
        self.expect("]", "']' is missing")?;
        Ok(what)
    }

    fn list<T>(&mut self, one: fn(&mut Self) -> Result<T, PathError>) -> Result<Vec<T>, PathError> {
        let mut all = vec![one(self)?];
        loop {
            self.space();
            if !self.eat(",") {
                return Ok(all);
            }
            self.space();
            all.push(one(self)?);
        }
    }

    fn numbers(&mut self) -> Result<Selector, PathError> {
        let from = if self.peek() == Some(b':') { None } else { Some(self.integer()?) };
        self.space();
        if self.eat(":") {
            self.space();
            let to = if self.peek() == Some(b']') { None } else { Some(self.integer()?) };
            return Ok(Selector::Slice { from, to });
        }
        let first = from.unwrap_or_default();
        if !self.eat(",") {
            return Ok(Selector::Index(first));
        }
        self.space();
        let mut all = self.list(Self::integer)?;
        all.insert(0, first);
        Ok(Selector::Indices(all.into()))
    }

    fn integer(&mut self) -> Result<i64, PathError> {
        let number = |b: &u8| b.is_ascii_digit() || *b == b'-';
        let len = self.rest().bytes().take_while(|b| number(b)).count();
        match self.rest()[..len].parse() {
            Ok(number) => {
                self.at += len;
                Ok(number)
            }
            Err(_) => self.error("expected an integer"),
        }
    }

    /// A name or text in either quotes, with backslashes before what must be escaped.
    fn quoted(&mut self) -> Result<Box<str>, PathError> {
        let Some(quote @ (b'\'' | b'"')) = self.peek() else {
            return self.error("expected a quoted name");
        };
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c if c == char::from(quote) => {
                    self.at += at + 1;
                    return Ok(text.into());
                }
                c => text.push(c),
            }
        }
        self.error("the closing quote is missing")
    }

    // Filters

    fn any(&mut self) -> Result<Filter, PathError> {
        let mut all = vec![self.every()?];
        while self.operator("||") {
            all.push(self.every()?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { Filter::Any(all.into()) })
    }

    fn every(&mut self) -> Result<Filter, PathError> {
        let mut all = vec![self.term()?];
        while self.operator("&&") {
            all.push(self.term()?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { Filter::All(all.into()) })
    }

    fn operator(&mut self, what: &str) -> bool {
        self.space();
        self.eat(what)
    }

    fn term(&mut self) -> Result<Filter, PathError> {
        if self.depth == NESTED {
            return self.error("filters are nested too deeply");
        }
        self.depth += 1;
        self.space();
        let term = if self.eat("!") {
            Filter::Not(Box::new(self.term()?))
        } else if self.eat("(") {
            let inner = self.any()?;
            self.expect(")", "')' is missing")?;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(term)
    }

    fn comparison(&mut self) -> Result<Filter, PathError> {
        let left = self.operand()?;
        self.space();
        let found = COMPARISONS.iter().find(|(sign, _)| self.rest().starts_with(sign));
        let Some((sign, how)) = found else {
            return match left {
                Operand::Here(_) | Operand::Root(_) => Ok(Filter::Exists(left)),
                Operand::Literal(_) => self.error("expected a comparison"),
            };
        };
        self.at += sign.len();
        self.space();
        if *how == Comparison::Matches {
            return self.pattern(left);
        }
        Ok(Filter::Compare(left, *how, self.operand()?))
    }

    fn pattern(&mut self, left: Operand) -> Result<Filter, PathError> {
        let begin = self.at;
        if !self.eat("/") {
            return self.error("a pattern is written /pattern/");
        }
        let mut escaped = false;
        let end = self.rest().find(|c| {
            let ends = c == '/' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { return self.error("the closing '/' is missing") };
        let pattern = &self.rest()[..end];
        self.at += end + 1;
        let ignore_case = self.eat("i");
        // Jayway matches whole values.
        match Regex::java_whole(pattern, ignore_case) {
            Ok(regex) => Ok(Filter::Match(left, Box::new(regex))),
            Err(_) => Err(PathError { at: begin, why: "not a regular expression" }),
        }
    }

    fn operand(&mut self) -> Result<Operand, PathError> {
        self.space();
        match self.peek() {
            Some(b'@') => {
                self.at += 1;
                Ok(Operand::Here(self.segments(true)?))
            }
            Some(b'$') => {
                self.at += 1;
                Ok(Operand::Root(self.segments(true)?))
            }
            _ => Ok(Operand::Literal(self.literal()?)),
        }
    }

    fn literal(&mut self) -> Result<Literal, PathError> {
        match self.peek() {
            Some(b'\'' | b'"') => Ok(Literal::Text(self.quoted()?)),
            Some(b'[') => {
                self.at += 1;
                self.space();
                let all =
                    if self.peek() == Some(b']') { Vec::new() } else { self.list(Self::scalar)? };
                self.expect("]", "']' is missing")?;
                Ok(Literal::List(all.into()))
            }
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Literal, PathError> {
        if let Some(b'\'' | b'"') = self.peek() {
            return Ok(Literal::Text(self.quoted()?));
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+');
        let len = self.rest().bytes().take_while(|b| word(*b)).count();
        let literal = match &self.rest()[..len] {
            "null" => Literal::Null,
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            number => match number.parse::<f64>() {
                Ok(value) if !number.is_empty() => Literal::Number(value, number.into()),
                _ => return self.error("expected a value"),
            },
        };
        self.at += len;
        Ok(literal)
    }
}

fn finished(segments: Vec<Segment>, function: Option<Function>) -> JsonPath {
    let last = segments.len().saturating_sub(1);
    let single = |(at, segment): (usize, &Segment)| match segment.what {
        Selector::Name(_) | Selector::Index(_) => !segment.deep,
        // Several members of one map are a map.
        Selector::Names(_) => !segment.deep && at == last,
        _ => false,
    };
    let definite = segments.iter().enumerate().all(single);
    JsonPath { segments: segments.into(), function, definite }
}

/// Longer signs before those they begin with.
const COMPARISONS: [(&str, Comparison); 11] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("=~", Comparison::Matches),
    ("<", Comparison::Less),
    (">", Comparison::More),
    ("in ", Comparison::In),
    ("nin ", Comparison::NotIn),
    ("size ", Comparison::Size),
    ("empty ", Comparison::Empty),
];

/// Segments of one path.
const SEGMENTS: usize = 64;

/// Filter terms inside each other.
const NESTED: usize = 32;
