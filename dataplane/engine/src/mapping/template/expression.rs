//! Reading references and expressions.

use super::super::heap::{Text, Value};
use super::super::jsonpath::JsonPath;
use super::super::number;
use super::Dialect;
use super::error::{TemplateError, Why};
use super::names::{Method, Property};
use super::parse::Parser;
use super::tree::{Chain, Expression, Operator, Ready, Reference, Shape, Step};
use crate::regex::Regex;

impl<'t> Parser<'t, '_> {
    // References

    /// A reference whose dollar sign is at `begin`; the parser stands at its name or brace.
    pub(super) fn reference(&mut self, begin: usize) -> Result<Reference, TemplateError> {
        self.deeper()?;
        let formal = self.eat("{");
        let Some(name) = self.name()? else { return self.error(Why::Expected("a name")) };
        let slot = self.slot(name)?;
        let mut steps = Vec::new();
        self.indices(&mut steps)?;
        while self.peek() == Some(b'.') && self.peek_at(1).is_some_and(|b| b.is_ascii_alphabetic())
        {
            self.at += 1;
            let Some(name) = self.name()? else { break };
            if self.peek() == Some(b'(') && self.begins_arguments() {
                self.at += 1;
                let arguments = self.list(b')')?;
                let method = Method::of(name);
                let ready = self.ready(method, &arguments);
                steps.push(Step::Call { method, arguments, ready });
            } else {
                let (known, hint) = (Property::of(name), self.build.hint());
                steps.push(Step::Property { name: self.build.constant(name), known, hint });
            }
            self.indices(&mut steps)?;
        }
        if formal && !self.eat("}") {
            return self.error_at(begin, Why::OpenBrace);
        }
        self.depth -= 1;
        self.build.note(name, &steps);
        let (source, shape) = (self.span(begin, self.at), Shape::of(&steps));
        Ok(Reference { source, slot, steps: steps.into(), shape })
    }

    /// A name, unless it is a literal.
    fn name(&mut self) -> Result<Option<&'t str>, TemplateError> {
        if !self.peek().is_some_and(is_name_start) {
            return Ok(None);
        }
        let len = self.rest().bytes().take_while(|b| is_name(*b)).count();
        let name = &self.rest()[..len];
        if matches!(name, "true" | "false") {
            return self.error(Why::LiteralAsName);
        }
        self.at += len;
        Ok(Some(name))
    }

    /// Whether what follows a parenthesis may be an argument. If not, the parenthesis is text, as in `$name(see below)`.
    fn begins_arguments(&self) -> bool {
        match self.peek_at(1) {
            Some(
                b' '
                | b'\t'
                | b'\n'
                | b'\r'
                | b'"'
                | b'\''
                | b')'
                | b'['
                | b'{'
                | b'$'
                | b'0'..=b'9',
            ) => true,
            Some(b'-' | b'.') => self.peek_at(2).is_some_and(|b| b.is_ascii_digit() || b == b'.'),
            Some(_) => {
                let word =
                    self.rest()[1..].split(|c: char| !c.is_ascii() || !is_name(c as u8)).next();
                matches!(word, Some("true" | "false"))
                    || (word == Some("null") && self.build.dialect == Dialect::ApiGateway)
            }
            None => false,
        }
    }

    fn indices(&mut self, steps: &mut Vec<Step>) -> Result<(), TemplateError> {
        while self.eat("[") {
            self.space();
            steps.push(Step::Index(self.value()?));
            self.space();
            if !self.eat("]") {
                return self.error(Why::Expected("']'"));
            }
        }
        Ok(())
    }

    /// Values between commas up to a closing bracket, which is taken.
    fn list(&mut self, end: u8) -> Result<Box<[Expression]>, TemplateError> {
        let mut values = Vec::new();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(values.into());
        }
        loop {
            self.space();
            values.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b) if b == end => {
                    self.at += 1;
                    return Ok(values.into());
                }
                _ if end == b')' => return self.error(Why::Expected("',' or ')'")),
                _ => return self.error(Why::Expected("',' or ']'")),
            }
        }
    }

    /// Reads what a method will need to have read of its argument. What cannot be read is tried again, and fails, when it runs.
    fn ready(&self, method: Method, arguments: &[Expression]) -> Ready {
        let Some(Expression::Constant(Value::Text(text))) = arguments.first() else {
            return Ready::Nothing;
        };
        let Ok(text) = std::str::from_utf8(&self.build.constants[text.range()]) else {
            return Ready::Nothing;
        };
        match method {
            Method::Path | Method::Json => {
                JsonPath::parse(text).map_or(Ready::Nothing, Ready::Path)
            }
            Method::Matches | Method::ReplaceAll | Method::ReplaceFirst | Method::Split => {
                regex(method, text).map_or(Ready::Nothing, |regex| Ready::Regex(Box::new(regex)))
            }
            _ => Ready::Nothing,
        }
    }

    // Expressions

    pub(super) fn expression(&mut self) -> Result<Expression, TemplateError> {
        self.deeper()?;
        let expression = self.chain(0)?;
        self.depth -= 1;
        Ok(expression)
    }

    /// Operators of one precedence between operands of the next.
    fn chain(&mut self, precedence: usize) -> Result<Expression, TemplateError> {
        let Some(operators) = PRECEDENCE.get(precedence) else { return self.operand() };
        let first = self.chain(precedence + 1)?;
        let mut rest = Vec::new();
        while let Some(operator) = self.operator(operators) {
            rest.push((operator, self.chain(precedence + 1)?));
        }
        let rest: Box<[_]> = rest.into();
        Ok(if rest.is_empty() { first } else { Expression::Chain(Box::new(Chain { first, rest })) })
    }

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Option<Operator> {
        self.space();
        // A sign right before a digit belongs to the number, so `1 -1` is no difference; Velocity's lexer sees it so.
        let sign = self.peek() == Some(b'-')
            && self.peek_at(1).is_some_and(|b| b.is_ascii_digit() || b == b'.');
        if sign {
            return None;
        }
        let is_here = |sign: &str| match sign.as_bytes()[0].is_ascii_alphabetic() {
            true => self.at_word(sign),
            false => self.rest().starts_with(sign),
        };
        let (sign, operator) = operators.iter().find(|(sign, _)| is_here(sign))?;
        self.at += sign.len();
        Some(*operator)
    }

    fn operand(&mut self) -> Result<Expression, TemplateError> {
        self.space();
        let negated = self.eat("!") || (self.at_word("not") && self.eat("not"));
        if negated {
            self.deeper()?;
            let operand = self.operand()?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(operand)));
        }
        if !self.eat("(") {
            return self.value();
        }
        let inner = self.expression()?;
        self.space();
        if self.eat(")") { Ok(inner) } else { self.error(Why::Expected("')' or an operator")) }
    }

    /// A value without operators.
    pub(super) fn value(&mut self) -> Result<Expression, TemplateError> {
        self.deeper()?;
        let value = match self.peek() {
            Some(b'$') => {
                let begin = self.at;
                self.at += 1;
                self.eat("!");
                Expression::Reference(Box::new(self.reference(begin)?))
            }
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote)?,
            Some(b'[') => self.brackets()?,
            Some(b'{') => self.braces()?,
            Some(b'-' | b'.' | b'0'..=b'9') => self.number()?,
            _ => self.word_value()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn word_value(&mut self) -> Result<Expression, TemplateError> {
        let constant = if self.at_word("true") {
            self.at += 4;
            Value::from(true)
        } else if self.at_word("false") {
            self.at += 5;
            Value::from(false)
        } else if self.build.dialect == Dialect::ApiGateway && self.at_word("null") {
            self.at += 4;
            Value::Null
        } else {
            return self.error(Why::Expected("a value"));
        };
        Ok(Expression::Constant(constant))
    }

    /// A string. The quote it stands in is written twice inside of it.
    fn quoted(&mut self, quote: u8) -> Result<Expression, TemplateError> {
        let begin = self.at;
        let from = begin + 1;
        self.at = from;
        loop {
            match memchr::memchr(quote, self.rest().as_bytes()) {
                None => return self.error_at(begin, Why::OpenString),
                Some(len) => {
                    self.at += len + 1;
                    if self.peek() != Some(quote) {
                        break;
                    }
                    self.at += 1;
                }
            }
        }
        let to = self.at - 1;
        if quote == b'"' {
            return self.string(from, to);
        }
        let text = self.text[from..to].replace("''", "'");
        Ok(Expression::Constant(Value::Text(self.build.constant(&text))))
    }

    /// `[a, b]` or `[1..5]`
    fn brackets(&mut self) -> Result<Expression, TemplateError> {
        let begin = self.at;
        self.at += 1;
        if let Some(range) = self.range()? {
            return Ok(range);
        }
        self.at = begin + 1;
        Ok(Expression::List(self.list(b']')?))
    }

    fn range(&mut self) -> Result<Option<Expression>, TemplateError> {
        self.space();
        if !matches!(self.peek(), Some(b'$' | b'-' | b'0'..=b'9')) {
            return Ok(None);
        }
        let first = self.value()?;
        self.space();
        if !self.eat("..") {
            return Ok(None);
        }
        self.space();
        let last = match self.peek() {
            Some(b'$' | b'-' | b'0'..=b'9') => self.value()?,
            _ => return self.error(Why::Expected("the end of the range")),
        };
        self.space();
        if !self.eat("]") {
            return self.error(Why::Expected("']'"));
        }
        Ok(Some(Expression::Range(Box::new((first, last)))))
    }

    /// `{key: value, ...}`
    fn braces(&mut self) -> Result<Expression, TemplateError> {
        self.at += 1;
        self.space();
        let mut pairs = Vec::new();
        if self.eat("}") {
            return Ok(Expression::Map(pairs.into()));
        }
        loop {
            self.space();
            let key = self.value()?;
            self.space();
            if !self.eat(":") {
                return self.error(Why::Expected("':'"));
            }
            self.space();
            pairs.push((key, self.value()?));
            self.space();
            if self.eat("}") {
                return Ok(Expression::Map(pairs.into()));
            }
            if !self.eat(",") {
                return self.error(Why::Expected("',' or '}'"));
            }
        }
    }

    fn number(&mut self) -> Result<Expression, TemplateError> {
        let begin = self.at;
        self.eat("-");
        let whole = self.digits();
        let mut fraction = false;
        if self.peek() == Some(b'.') && self.peek_at(1) != Some(b'.') {
            self.at += 1;
            fraction = self.digits() > 0 || whole > 0;
        }
        if whole == 0 && !fraction {
            self.at = begin;
            return self.error(Why::Expected("a value"));
        }
        if let Some(b'e' | b'E') = self.peek() {
            let before = self.at;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() > 0 { fraction = true } else { self.at = before }
        }
        let text = &self.text[begin..self.at];
        let value = match (fraction, text.parse::<f64>()) {
            (true, Ok(number)) => Value::from(number),
            _ => {
                let stored = self.build.constant(text);
                number::integer(stored, text.as_bytes())
            }
        };
        Ok(Expression::Constant(value))
    }

    fn digits(&mut self) -> usize {
        let len = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += len;
        len
    }
}

/// The regular expression that a method takes.
pub(super) fn regex(method: Method, pattern: &str) -> Result<Regex, String> {
    match method {
        Method::Matches => Regex::java_whole(pattern, false),
        _ => Regex::java(pattern),
    }
}

pub(super) fn is_name_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_'
}

pub(super) fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
}

impl super::parse::Build {
    /// Notes what a reference will want to know.
    fn note(&mut self, name: &str, steps: &[Step]) {
        let text =
            |text: &Text| std::str::from_utf8(&self.constants[text.range()]).unwrap_or_default();
        let path: Option<Vec<&str>> = steps
            .iter()
            .map(|step| match step {
                Step::Property { name, .. } => Some(text(name)),
                Step::Index(Expression::Constant(Value::Text(name))) => {
                    Some(text(name)).filter(|name| !name.contains('.'))
                }
                _ => None,
            })
            .collect();
        let path = path.filter(|path| !path.is_empty()).map(|path| path.join("."));
        self.uses.note(name, path);
    }
}

/// Operators by precedence, the loosest first; longer signs before those they begin with.
const PRECEDENCE: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("eq", Operator::Equal),
        ("!=", Operator::Unequal),
        ("ne", Operator::Unequal),
    ],
    &[
        ("<=", Operator::AtMost),
        ("le", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("ge", Operator::AtLeast),
        ("<", Operator::Less),
        ("lt", Operator::Less),
        (">", Operator::More),
        ("gt", Operator::More),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];
