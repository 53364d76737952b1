//! Reading.
//!
//! Maps that follow one another in a list mostly have the same keys in the same order. So each key is first compared with the one
//! expected at its place: if it is that one, it is not searched for its end, shares its text with the one before, and, if all
//! are, none can occur twice.

use super::super::heap::{Exhausted, Heap, Keys, Like, Pair, Text, Value, same};
use super::super::number;
use super::{BYTES_A_STEP, DEPTH, JsonError};

/// Work space of the reader, kept with the heap.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Members of the lists, and pairs of the maps, that have begun.
    items: Vec<Value>,
    pairs: Vec<Pair>,
    unescaped: Vec<u8>,
}

/// Reads a text of the heap as one JSON value.
pub(crate) fn read(heap: &mut Heap, text: Text) -> Result<Value, JsonError> {
    heap.spend(text.range().len() / BYTES_A_STEP)?;
    // The text is read while lists and maps are made of it, so both are taken out for the time.
    let bytes = std::mem::take(&mut heap.bytes);
    let Reading { items, pairs, unescaped } = std::mem::take(&mut heap.reading);
    let (base, end) = (text.range().start, text.range().end);
    let mut reader = Reader {
        heap,
        all: &bytes,
        bytes: &bytes[..end],
        at: base,
        items,
        pairs,
        unescaped,
        depth: 0,
        failed: None,
    };
    let read = match reader.document(base) {
        Some(value) => Ok(value),
        None => Err(match reader.failed {
            Some(Exhausted::Depth) => JsonError::TooDeep(reader.at - base),
            Some(exhausted) => exhausted.into(),
            None => JsonError::Malformed(reader.at - base),
        }),
    };
    let Reader { mut items, mut pairs, mut unescaped, .. } = reader;
    heap.bytes = bytes;
    heap.bytes.extend_from_slice(&unescaped);
    items.clear();
    pairs.clear();
    unescaped.clear();
    heap.reading = Reading { items, pairs, unescaped };
    read
}

struct Reader<'r> {
    heap: &'r mut Heap,
    /// All bytes of the heap: unescaped text will stand behind them.
    all: &'r [u8],
    /// Those up to the end of the document.
    bytes: &'r [u8],
    /// Behind the list or map that was read last, or where reading failed.
    at: usize,
    items: Vec<Value>,
    pairs: Vec<Pair>,
    unescaped: Vec<u8>,
    depth: usize,
    /// Why reading failed, where that is not that the text is malformed.
    failed: Option<Exhausted>,
}

/// What was read, and the place behind it; else the place where it goes wrong. While a list or map is read the place travels by
/// value, and so stays in a register.
type Read<T> = Result<(T, usize), usize>;

/// Takes what was read and goes on behind it.
macro_rules! take {
    ($reader:ident, $at:ident, $read:expr) => {
        match $read {
            Ok((read, behind)) => {
                $at = behind;
                read
            }
            Err(at) => {
                $reader.at = at;
                return None;
            }
        }
    };
}

impl Reader<'_> {
    fn document(&mut self, mut at: usize) -> Option<Value> {
        let bytes = self.bytes;
        let next;
        (next, at) = token(bytes, at);
        let value = match next {
            b'{' => self.map(at, Like::default())?,
            b'[' => self.list(at)?,
            _ => {
                let value = take!(self, at, self.scalar(next, at));
                self.at = at;
                value
            }
        };
        let (_, end) = token(bytes, self.at);
        self.at = end;
        (end == bytes.len()).then_some(value)
    }

    /// Reads a map from its brace on.
    fn map(&mut self, mut at: usize, mut like: Like) -> Option<Value> {
        self.enter(at)?;
        let bytes = self.bytes;
        let from = self.pairs.len();
        let mut next;
        (next, at) = token(bytes, at + 1);
        if next != b'}' {
            loop {
                let key = take!(self, at, self.key(at, &mut like));
                (next, at) = token(bytes, at);
                let value = match next {
                    b'{' | b'[' => {
                        let value = self.inner(next, at, like.member(self.heap).copied())?;
                        at = self.at;
                        value
                    }
                    _ => take!(self, at, self.scalar(next, at)),
                };
                self.pairs.push((key, value));
                (next, at) = token(bytes, at);
                if next != b',' {
                    break;
                }
                (_, at) = token(bytes, at + 1);
            }
        }
        if next != b'}' {
            self.at = at;
            return None;
        }
        // Keys are compared, and they stand in the bytes that were taken out.
        let keys = Keys { front: self.all, behind: &self.unescaped };
        let map = self.heap.map_of(&self.pairs[from..], &keys, &like);
        self.pairs.truncate(from);
        self.leave(at, map.map(Value::Map))
    }

    /// Reads a list from its bracket on.
    fn list(&mut self, mut at: usize) -> Option<Value> {
        self.enter(at)?;
        let bytes = self.bytes;
        let from = self.items.len();
        let mut next;
        (next, at) = token(bytes, at + 1);
        if next != b']' {
            let mut before = None;
            loop {
                let value = match next {
                    b'{' | b'[' => {
                        let value = self.inner(next, at, before)?;
                        at = self.at;
                        value
                    }
                    _ => take!(self, at, self.scalar(next, at)),
                };
                self.items.push(value);
                before = Some(value);
                (next, at) = token(bytes, at);
                if next != b',' {
                    break;
                }
                (next, at) = token(bytes, at + 1);
            }
        }
        if next != b']' {
            self.at = at;
            return None;
        }
        let list = self.heap.list(&self.items[from..], true);
        self.items.truncate(from);
        self.leave(at, list)
    }

    /// Reads a list or map within another. `before` is what stood at its place in the map that its holder is like, or before it in
    /// its list; a map is probably like that one.
    fn inner(&mut self, next: u8, at: usize, before: Option<Value>) -> Option<Value> {
        match (next, before) {
            (b'{', Some(Value::Map(map))) => self.map(at, Like::of(self.heap, map)),
            (b'{', _) => self.map(at, Like::default()),
            _ => self.list(at),
        }
    }

    #[inline]
    fn enter(&mut self, at: usize) -> Option<()> {
        if self.depth == DEPTH {
            (self.failed, self.at) = (Some(Exhausted::Depth), at + 1);
            return None;
        }
        self.depth += 1;
        Some(())
    }

    /// Leaves a list or map whose end is at a place.
    #[inline]
    fn leave(&mut self, at: usize, made: Result<Value, Exhausted>) -> Option<Value> {
        self.depth -= 1;
        self.at = at + 1;
        match made {
            Ok(made) => Some(made),
            Err(exhausted) => {
                self.failed = Some(exhausted);
                None
            }
        }
    }

    /// Reads a value that is no list and no map.
    #[inline(always)]
    fn scalar(&mut self, first: u8, at: usize) -> Read<Value> {
        match first {
            b'"' => self.string(at).map(|(text, at)| (Value::Text(text), at)),
            b'-' | b'0'..=b'9' => number(self.bytes, at),
            b't' => word(self.bytes, at, b"true", Value::from(true)),
            b'f' => word(self.bytes, at, b"false", Value::from(false)),
            b'n' => word(self.bytes, at, b"null", Value::Null),
            _ => Err(at),
        }
    }

    /// Reads a key and its colon.
    #[inline(always)]
    fn key(&mut self, at: usize, like: &mut Like) -> Read<Text> {
        let (key, at) = match like.key(self.heap) {
            Some(key) if self.repeats(key, at) => {
                like.goes_on();
                (key, at + key.len() + 2)
            }
            _ => self.other_key(at, like)?,
        };
        match token(self.bytes, at) {
            (b':', at) => Ok((key, at + 1)),
            (_, at) => Err(at),
        }
    }

    #[inline(never)]
    fn other_key(&mut self, at: usize, like: &mut Like) -> Read<Text> {
        like.ends();
        if self.bytes.get(at) == Some(&b'"') { self.string(at) } else { Err(at) }
    }

    /// Whether an earlier string of the document stands here again. One with escapes stands elsewhere, and does not.
    #[inline(always)]
    fn repeats(&self, text: Text, at: usize) -> bool {
        let (begin, len) = (text.range().start.wrapping_sub(1), text.len() + 2);
        let quoted =
            self.bytes.get(begin..begin.wrapping_add(len)).zip(self.bytes.get(at..at + len));
        quoted.is_some_and(|(earlier, here)| same(earlier, here))
    }

    #[inline(always)]
    fn string(&mut self, at: usize) -> Read<Text> {
        let from = at + 1;
        let end = plain(self.bytes, from);
        if self.bytes.get(end) == Some(&b'"') {
            return Ok((Text::new(from, end - from), end + 1));
        }
        self.unescape(from, end)
    }

    /// Reads a string with escapes, from the first of them; its text goes behind all others.
    #[cold]
    #[inline(never)]
    fn unescape(&mut self, from: usize, mut at: usize) -> Read<Text> {
        let bytes = self.bytes;
        let begin = self.unescaped.len();
        self.unescaped.extend_from_slice(&bytes[from..at]);
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let escaped = bytes.get(at + 1).copied().unwrap_or_default();
                    at += 2;
                    let plain = match escaped {
                        b'"' | b'\\' | b'/' => escaped.into(),
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        b'u' => {
                            let plain;
                            (plain, at) = unicode(bytes, at)?;
                            plain
                        }
                        _ => return Err(at),
                    };
                    let mut buffer = [0; 4];
                    self.unescaped.extend_from_slice(plain.encode_utf8(&mut buffer).as_bytes());
                }
                _ => return Err(at),
            }
            let end = plain(bytes, at);
            self.unescaped.extend_from_slice(&bytes[at..end]);
            at = end;
        }
        let len = self.unescaped.len() - begin;
        if let Err(exhausted) = self.heap.grow(len) {
            self.failed = Some(exhausted);
            return Err(at);
        }
        Ok((Text::new(self.all.len() + begin, len), at + 1))
    }
}

/// The next byte that is no space, and NUL, with which nothing begins, at the end.
#[inline(always)]
fn token(bytes: &[u8], mut at: usize) -> (u8, usize) {
    while let Some(&byte) = bytes.get(at) {
        if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            return (byte, at);
        }
        at += 1;
    }
    (0, at)
}

fn word(bytes: &[u8], at: usize, word: &[u8], value: Value) -> Read<Value> {
    if bytes[at..].starts_with(word) { Ok((value, at + word.len())) } else { Err(at) }
}

/// The next byte that ends or interrupts a string: a quote, a backslash or a control character. Eight bytes at a time.
#[inline(always)]
fn plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = zero(word ^ (ONES * b'"' as u64));
        let slash = zero(word ^ (ONES * b'\\' as u64));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quote | slash | control) & TOPS;
        if found != 0 {
            // The lowest mark is exact; those above it may come from a borrow.
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)) {
        at += 1;
    }
    at
}

/// A character behind `\u`; half of a pair without the other becomes U+FFFD.
fn unicode(bytes: &[u8], at: usize) -> Read<char> {
    let (first, at) = hex(bytes, at)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Ok((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), at));
    }
    if !bytes[at..].starts_with(b"\\u") {
        return Ok((char::REPLACEMENT_CHARACTER, at));
    }
    let (second, behind) = hex(bytes, at + 2)?;
    if !(0xdc00..0xe000).contains(&second) {
        return Ok((char::REPLACEMENT_CHARACTER, at));
    }
    let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    Ok((char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER), behind))
}

fn hex(bytes: &[u8], at: usize) -> Read<u32> {
    let digits = bytes.get(at..at + 4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    number.map(|number| (number, at + 4)).ok_or(at)
}

#[inline(always)]
fn number(bytes: &[u8], from: usize) -> Read<Value> {
    let negative = bytes.get(from) == Some(&b'-');
    let whole = from + usize::from(negative);
    let mut at = whole;
    let mut value: i64 = 0;
    // Eighteen digits always fit.
    while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        at += 1;
    }
    let digits = at - whole;
    if digits == 0 || (digits > 1 && bytes[whole] == b'0') {
        return Err(at);
    }
    match bytes.get(at) {
        Some(b'.' | b'e' | b'E') => {}
        _ if digits <= 18 => return Ok((Value::Int(if negative { -value } else { value }), at)),
        _ => return Ok((number::integer(Text::new(from, at - from), &bytes[from..at]), at)),
    }
    if bytes[at] == b'.' {
        at = behind_digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = behind_digits(bytes, at)?;
    }
    Ok((Value::Number(Text::new(from, at - from)), at))
}

#[inline]
fn behind_digits(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut at = from;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at > from { Ok(at) } else { Err(at) }
}
