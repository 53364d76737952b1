//! Methods of text. Places and lengths count UTF-16 units, as in Java.

use std::borrow::Cow;
use std::ops::Range;

use super::super::heap::{BYTES_A_STEP, Exhausted, Text, Value};
use super::error::Fault;
use super::expression;
use super::names::Method;
use super::run::Run;
use super::tree::Ready;
use crate::regex::{GaveUp, Regex};

impl<'r> Run<'r> {
    pub(super) fn text_method(
        &mut self,
        text: Text,
        method: Method,
        arguments: &[Value],
        ready: &'r Ready,
    ) -> Result<Value, Box<Fault>> {
        self.heap.spend(text.range().len() / BYTES_A_STEP)?;
        let numbers = matches!(arguments, [.., Value::Int(_)] | [Value::Int(_), ..]);
        if !numbers {
            return match arguments {
                [] => self.alone(text, method),
                [one] => match self.argument(*one) {
                    Some(one) => self.with_text(text, method, one, ready),
                    None => Ok(Value::Null),
                },
                [one, two] => match (self.argument(*one), self.argument(*two)) {
                    (Some(one), Some(two)) => self.replacing(text, method, one, two, ready),
                    _ => Ok(Value::Null),
                },
                _ => Ok(Value::Null),
            };
        }
        self.at_place(text, method, arguments, ready)
    }

    /// A text among the arguments. What does not exist is empty text in API Gateway.
    fn argument(&self, value: Value) -> Option<Text> {
        match self.held(value) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn str(&self, text: Text) -> &str {
        self.heap.str(text)
    }

    fn keep(&mut self, made: &str) -> Result<Value, Box<Fault>> {
        Ok(Value::Text(self.heap.store(made)?))
    }

    fn alone(&mut self, text: Text, method: Method) -> Result<Value, Box<Fault>> {
        let held = self.str(text);
        Ok(match method {
            Method::Length => Value::Int(units(held) as i64),
            Method::IsEmpty => Value::from(held.is_empty()),
            Method::HashCode => {
                let hash =
                    |hash: i32, unit: u16| hash.wrapping_mul(31).wrapping_add(i32::from(unit));
                Value::Int(held.encode_utf16().fold(0, hash).into())
            }
            Method::Trim => {
                let rest = held.trim_start_matches(|c| c <= ' ');
                let from = held.len() - rest.len();
                Value::Text(text.part(from, from + rest.trim_end_matches(|c| c <= ' ').len()))
            }
            Method::ToLowerCase => return self.keep(&held.to_lowercase()),
            Method::ToUpperCase => return self.keep(&held.to_uppercase()),
            _ => Value::Null,
        })
    }

    fn with_text(
        &mut self,
        text: Text,
        method: Method,
        argument: Text,
        ready: &'r Ready,
    ) -> Result<Value, Box<Fault>> {
        if let Method::Matches | Method::Split = method {
            return self.with_pattern(text, method, argument, ready);
        }
        let (held, other) = (self.str(text), self.str(argument));
        let place = |at: Option<usize>| Value::Int(at.map_or(-1, |at| units(&held[..at]) as i64));
        Ok(match method {
            Method::Contains => Value::from(held.contains(other)),
            Method::StartsWith => Value::from(held.starts_with(other)),
            Method::EndsWith => Value::from(held.ends_with(other)),
            Method::IndexOf => place(held.find(other)),
            Method::LastIndexOf => place(held.rfind(other)),
            Method::EqualsIgnoreCase => Value::from(held.to_lowercase() == other.to_lowercase()),
            Method::CompareTo => Value::Int(compare(held, other)),
            Method::CompareToIgnoreCase => {
                Value::Int(compare(&held.to_lowercase(), &other.to_lowercase()))
            }
            Method::Concat => {
                let joined = [held, other].concat();
                return Ok(Value::Text(self.heap.store_built(joined.as_bytes())?));
            }
            Method::ValueOf => Value::Text(argument),
            _ => Value::Null,
        })
    }

    fn replacing(
        &mut self,
        text: Text,
        method: Method,
        from: Text,
        to: Text,
        ready: &'r Ready,
    ) -> Result<Value, Box<Fault>> {
        let first = match method {
            Method::Replace => {
                let growth = (self.str(to).len() + 1).saturating_mul(text.range().len() + 1);
                self.heap.room(growth)?;
                let made = self.str(text).replace(self.str(from), self.str(to));
                return self.keep(&made);
            }
            Method::ReplaceFirst => true,
            Method::ReplaceAll => false,
            _ => return Ok(Value::Null),
        };
        let regex = self.pattern(method, from, ready)?;
        let pieces = pieces(self.str(to), &regex)?;
        let room = self.limits.output;
        let mut left = self.heap.steps() as usize;
        let made = replace(self.str(text), &regex, &pieces, first, room, &mut left);
        self.heap.leave(left);
        let made = made.map_err(|why| self.gave_up(why, from))?.ok_or(Fault::Output(room))?;
        self.keep(&made)
    }

    fn pattern(
        &mut self,
        method: Method,
        pattern: Text,
        ready: &'r Ready,
    ) -> Result<Cow<'r, Regex>, Box<Fault>> {
        if let Ready::Regex(regex) = ready {
            return Ok(Cow::Borrowed(regex));
        }
        self.heap.spend(PATTERN_STEPS)?;
        let pattern = self.str(pattern);
        let regex = expression::regex(method, pattern);
        regex.map(Cow::Owned).map_err(|why| Fault::Pattern(pattern.to_owned(), why).into())
    }

    fn gave_up(&self, why: GaveUp, pattern: Text) -> Box<Fault> {
        match why {
            GaveUp::OutOfSteps => Exhausted::Steps.into(),
            GaveUp::TooLong => {
                let why = "it takes too long here".to_owned();
                Fault::Pattern(self.str(pattern).to_owned(), why).into()
            }
        }
    }

    fn with_pattern(
        &mut self,
        text: Text,
        method: Method,
        pattern: Text,
        ready: &'r Ready,
    ) -> Result<Value, Box<Fault>> {
        let regex = self.pattern(method, pattern, ready)?;
        if method == Method::Matches {
            let mut left = self.heap.steps() as usize;
            let matches = regex.is_match(self.str(text), &mut left);
            self.heap.leave(left);
            return Ok(Value::from(matches.map_err(|why| self.gave_up(why, pattern))?));
        }
        self.split(text, &regex, pattern, 0)
    }

    /// As `String.split`: no empty text at the end, unless there is a limit below zero, and none before a match of nothing at the
    /// beginning.
    fn split(
        &mut self,
        text: Text,
        regex: &Regex,
        pattern: Text,
        limit: i64,
    ) -> Result<Value, Box<Fault>> {
        let len = text.range().len();
        let mut parts = Vec::new();
        let mut from = 0;
        let mut left = self.heap.steps() as usize;
        let mut search = 0;
        while limit <= 0 || (parts.len() as i64) < limit - 1 {
            let held = self.str(text);
            let found = regex.find(held, search, &mut left);
            let Some(found) = found.map_err(|why| self.gave_up(why, pattern))? else { break };
            search = behind(held, &found);
            if found.end > 0 && !(found.is_empty() && found.start == len) {
                parts.push(text.part(from, found.start));
                from = found.end;
                left = left.checked_sub(1).ok_or(Exhausted::Steps)?;
            }
            if search > len {
                break;
            }
        }
        self.heap.leave(left);
        parts.push(text.part(from, len));
        // Where nothing matched, the text is the only part, also if it is empty.
        if limit == 0 && from > 0 {
            while parts.last().is_some_and(|part| part.is_empty()) {
                parts.pop();
            }
        }
        let parts: Vec<Value> = parts.into_iter().map(Value::Text).collect();
        Ok(self.heap.list(&parts, false)?)
    }

    fn at_place(
        &mut self,
        text: Text,
        method: Method,
        arguments: &[Value],
        ready: &'r Ready,
    ) -> Result<Value, Box<Fault>> {
        let held = self.str(text);
        let size = units(held);
        Ok(match (method, arguments) {
            (Method::Substring, [Value::Int(from)]) => {
                let from = self.within(*from, size + 1)?;
                Value::Text(text.part(place(held, from), held.len()))
            }
            (Method::Substring, [Value::Int(from), Value::Int(to)]) => {
                let to = self.within(*to, size + 1)?;
                let from = self.within(*from, to + 1)?;
                Value::Text(text.part(place(held, from), place(held, to)))
            }
            (Method::CharAt, [Value::Int(at)]) => {
                let at = self.within(*at, size)?;
                let unit = held.encode_utf16().nth(at).into_iter();
                let c = char::decode_utf16(unit).map(|c| c.unwrap_or('?')).collect::<String>();
                return self.keep(&c);
            }
            (Method::IndexOf, [Value::Text(other), Value::Int(from)]) => {
                let from = place(held, usize::try_from(*from).unwrap_or_default().min(size));
                let found = held[from..].find(self.str(*other));
                Value::Int(found.map_or(-1, |at| units(&held[..from + at]) as i64))
            }
            (Method::StartsWith, [Value::Text(other), Value::Int(from)]) => {
                let from = usize::try_from(*from).ok().filter(|from| *from <= size);
                Value::from(
                    from.is_some_and(|from| {
                        held[place(held, from)..].starts_with(self.str(*other))
                    }),
                )
            }
            (Method::Split, [Value::Text(pattern), Value::Int(limit)]) => {
                let regex = self.pattern(method, *pattern, ready)?;
                return self.split(text, &regex, *pattern, *limit);
            }
            (Method::ValueOf, [number]) => Value::Text(self.as_text(*number)?),
            _ => Value::Null,
        })
    }
}

/// How long a text is in Java.
fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Where a unit of a text is in bytes. The second half of a pair counts as the end of its character.
fn place(text: &str, unit: usize) -> usize {
    if text.is_ascii() {
        return unit.min(text.len());
    }
    let mut left = unit;
    for (at, c) in text.char_indices() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(c.len_utf16());
    }
    text.len()
}

/// As `String.compareTo`: the difference of the first units that differ, else of the lengths.
fn compare(one: &str, two: &str) -> i64 {
    let differ = one.encode_utf16().zip(two.encode_utf16()).find(|(one, two)| one != two);
    match differ {
        Some((one, two)) => i64::from(one) - i64::from(two),
        None => units(one) as i64 - units(two) as i64,
    }
}

/// A piece of a replacement.
enum Piece {
    Char(char),
    Group(usize),
}

/// Reads a replacement as `Matcher.appendReplacement` does: `$1` and `${name}` are groups, a backslash takes the meaning away.
fn pieces(text: &str, regex: &Regex) -> Result<Vec<Piece>, Box<Fault>> {
    let groups = regex.groups();
    let mut pieces = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => pieces.push(Piece::Char(chars.next().ok_or(Fault::Argument("replaceAll"))?)),
            '$' if chars.next_if_eq(&'{').is_some() => {
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                pieces.push(Piece::Group(regex.group(&name).ok_or(Fault::Group)?));
            }
            '$' => {
                let digit = |c: &char| c.to_digit(10).map(|digit| digit as usize);
                let first =
                    chars.next().as_ref().and_then(digit).ok_or(Fault::Argument("replaceAll"))?;
                if first >= groups {
                    return Err(Fault::Group.into());
                }
                let mut group = first;
                // As many digits as still name a group.
                while let Some(next) = chars.peek().and_then(digit).map(|digit| group * 10 + digit)
                    && next < groups
                {
                    group = next;
                    chars.next();
                }
                pieces.push(Piece::Group(group));
            }
            c => pieces.push(Piece::Char(c)),
        }
    }
    Ok(pieces)
}

/// Replaces matches; gives nothing when more than `room` bytes come out.
fn replace(
    text: &str,
    regex: &Regex,
    pieces: &[Piece],
    first: bool,
    room: usize,
    left: &mut usize,
) -> Result<Option<String>, GaveUp> {
    let mut out = String::new();
    let (mut from, mut search) = (0, 0);
    while search <= text.len() {
        let Some(captures) = regex.captures(text, search, left)? else { break };
        *left = left.checked_sub(MATCH_STEPS).ok_or(GaveUp::OutOfSteps)?;
        let found = captures.place();
        out.push_str(&text[from..found.start]);
        for piece in pieces {
            match piece {
                Piece::Char(c) => out.push(*c),
                Piece::Group(group) => out.push_str(captures.text(*group)),
            }
        }
        (from, search) = (found.end, behind(text, &found));
        if out.len() > room {
            return Ok(None);
        }
        if first {
            break;
        }
    }
    out.push_str(&text[from..]);
    Ok(Some(out))
}

/// Where the next match may begin, as `Matcher.find` goes on: behind a match of nothing there has to be a character first.
fn behind(text: &str, found: &Range<usize>) -> usize {
    if found.is_empty() {
        found.end + text[found.end..].chars().next().map_or(1, char::len_utf8)
    } else {
        found.end
    }
}

/// Steps that a match which is replaced counts as: its groups are looked for apart.
const MATCH_STEPS: usize = 4;

/// Steps that reading a regular expression counts as.
const PATTERN_STEPS: usize = 2_000;
