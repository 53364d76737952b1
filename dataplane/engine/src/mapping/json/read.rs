//! Reading.
//!
//! Maps that follow one another in a list mostly have the same keys in the same order. So each key is first compared with the one
//! expected at its place: if it is that one, it is not searched for its end, shares its text with the one before, and, if all
//! are, none can occur twice.

use wide::u8x16;

use super::super::heap::{Begun, Exhausted, Heap, Keys, Like, MapId, Pair, Text, Value, same};
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
    let begun = heap.begin_list();
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
    if read.is_err() {
        heap.give_up_list(begun, &mut items);
    }
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

impl<'r> Reader<'r> {
    fn document(&mut self, mut at: usize) -> Option<Value> {
        let bytes = self.bytes;
        let next;
        (next, at) = token(bytes, at);
        let value = match next {
            b'{' => self.map(at)?,
            b'[' => self.list(at)?,
            _ => {
                let value = take!(self, at, self.scalar(bytes, next, at));
                self.at = at;
                value
            }
        };
        let (_, end) = token(bytes, self.at);
        self.at = end;
        (end == bytes.len()).then_some(value)
    }

    /// Reads a map from its brace on.
    fn map(&mut self, at: usize) -> Option<Value> {
        self.enter(at)?;
        let from = self.pairs.len();
        match token(self.bytes, at + 1) {
            (b'}', at) => self.end_map(from, at),
            (_, at) => self.rest_of_map(from, at),
        }
    }

    /// Reads a map from one of its keys on. The pairs before it wait from a place on.
    fn rest_of_map(&mut self, from: usize, mut at: usize) -> Option<Value> {
        let bytes = self.bytes;
        let mut next;
        loop {
            let key = take!(self, at, self.key(at));
            (next, at) = token(bytes, at);
            let value = match next {
                b'{' | b'[' => {
                    let value = self.inner(next, at, None)?;
                    at = self.at;
                    value
                }
                _ => take!(self, at, self.scalar(bytes, next, at)),
            };
            self.pairs.push((key, value));
            (next, at) = token(bytes, at);
            if next != b',' {
                break;
            }
            (_, at) = token(bytes, at + 1);
        }
        if next != b'}' {
            self.at = at;
            return None;
        }
        self.end_map(from, at)
    }

    /// Makes a map of the pairs that wait from a place on. Its brace is at the other.
    fn end_map(&mut self, from: usize, at: usize) -> Option<Value> {
        // Keys are compared, and they stand in the bytes that were taken out.
        let keys = Keys { front: self.all, behind: &self.unescaped };
        let map = self.heap.map_of(&self.pairs[from..], &keys);
        self.pairs.truncate(from);
        self.leave(at, map.map(Value::Map))
    }

    /// Reads a map from its brace on that probably has the keys of an earlier one. From where it has not, it is read like any other.
    #[inline(never)]
    fn like_map(&mut self, mut at: usize, earlier: MapId) -> Option<Value> {
        self.enter(at)?;
        let bytes = self.bytes;
        let mut like = match self.heap.begin_like(earlier) {
            Ok(like) => like,
            Err(exhausted) => return self.leave(at, Err(exhausted)),
        };
        loop {
            let mut next;
            (_, at) = token(bytes, at + 1);
            let Some(behind) =
                self.heap.like_key(&like).and_then(|key| behind_repeated(bytes, key, at))
            else {
                return self.unlike_map(&like, at);
            };
            (next, at) = token(bytes, behind);
            let value = match next {
                b'{' | b'[' => {
                    let value = self.inner(next, at, Some(self.heap.like_value(&like)))?;
                    at = self.at;
                    value
                }
                _ => take!(self, at, self.scalar(bytes, next, at)),
            };
            self.heap.set_like(&mut like, value);
            (next, at) = token(bytes, at);
            if next != b',' {
                break;
            }
        }
        if bytes.get(at) != Some(&b'}') {
            self.at = at;
            return None;
        }
        match self.heap.end_like(&like) {
            Some(map) => self.leave(at, Ok(Value::Map(map))),
            None => {
                let from = self.give_up(&like);
                self.end_map(from, at)
            }
        }
    }

    /// Reads on where a map has not the key that is expected.
    #[inline(never)]
    fn unlike_map(&mut self, like: &Like, at: usize) -> Option<Value> {
        let from = self.give_up(like);
        match self.bytes.get(at) {
            Some(b'}') if self.pairs.len() == from => self.end_map(from, at),
            _ => self.rest_of_map(from, at),
        }
    }

    /// Lets what was read of a map wait like the pairs of any other. Says where they begin.
    fn give_up(&mut self, like: &Like) -> usize {
        let from = self.pairs.len();
        self.pairs.extend_from_slice(self.heap.like_pairs(like));
        from
    }

    /// Reads a list from its bracket on.
    fn list(&mut self, mut at: usize) -> Option<Value> {
        self.enter(at)?;
        let bytes = self.bytes;
        let begun = self.heap.begin_list();
        let mut next;
        (next, at) = token(bytes, at + 1);
        if next != b']' {
            loop {
                if matches!(next, b'{' | b'[') {
                    return self.nested(begun, next, at);
                }
                let value = take!(self, at, self.scalar(bytes, next, at));
                self.heap.add(value);
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
        let list = self.heap.end_list(begun);
        self.leave(at, list)
    }

    /// Reads a list from the first list or map in it on. What such have in them comes between its own members, so these wait
    /// elsewhere.
    fn nested(&mut self, begun: Begun, mut next: u8, mut at: usize) -> Option<Value> {
        let bytes = self.bytes;
        let from = self.items.len();
        self.heap.give_up_list(begun, &mut self.items);
        let mut before = None;
        loop {
            let value = match next {
                b'{' | b'[' => {
                    let value = self.inner(next, at, before)?;
                    at = self.at;
                    value
                }
                _ => take!(self, at, self.scalar(bytes, next, at)),
            };
            self.items.push(value);
            before = Some(value);
            (next, at) = token(bytes, at);
            if next != b',' {
                break;
            }
            (next, at) = token(bytes, at + 1);
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
    #[inline(always)]
    fn inner(&mut self, next: u8, at: usize, before: Option<Value>) -> Option<Value> {
        match (next, before) {
            (b'{', Some(Value::Map(earlier))) => self.like_map(at, earlier),
            (b'{', _) => self.map(at),
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
    fn scalar(&mut self, bytes: &'r [u8], first: u8, at: usize) -> Read<Value> {
        match first {
            b'"' => self.string(bytes, at).map(|(text, at)| (Value::Text(text), at)),
            b'-' | b'0'..=b'9' => number(bytes, first, at),
            b't' => word(bytes, at, b"true", Value::from(true)),
            b'f' => word(bytes, at, b"false", Value::from(false)),
            b'n' => word(bytes, at, b"null", Value::Null),
            _ => Err(at),
        }
    }

    /// Reads a key and its colon.
    fn key(&mut self, at: usize) -> Read<Text> {
        let bytes = self.bytes;
        if bytes.get(at) != Some(&b'"') {
            return Err(at);
        }
        let (key, at) = self.string(bytes, at)?;
        match token(bytes, at) {
            (b':', at) => Ok((key, at + 1)),
            (_, at) => Err(at),
        }
    }

    #[inline(always)]
    fn string(&mut self, bytes: &'r [u8], at: usize) -> Read<Text> {
        let from = at + 1;
        let end = plain(bytes, from);
        if bytes.get(end) == Some(&b'"') {
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

/// The place behind a colon, if an earlier key stands here again before one. A key with escapes stands elsewhere, and does not.
#[inline(always)]
fn behind_repeated(bytes: &[u8], key: Text, at: usize) -> Option<usize> {
    let len = key.len() + 2;
    let earlier = bytes.get(key.range().start.wrapping_sub(1)..)?.get(..len)?;
    if !same(earlier, bytes.get(at..)?.get(..len)?) {
        return None;
    }
    match token(bytes, at + len) {
        (b':', colon) => Some(colon + 1),
        _ => None,
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

/// The next byte that ends or interrupts a string: a quote, a backslash or a control character. Sixteen bytes at a time.
#[inline(always)]
fn plain(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let before = plain_of(chunk);
        at += before;
        if before < chunk.len() {
            return at;
        }
    }
    while bytes.get(at).is_some_and(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)) {
        at += 1;
    }
    at
}

/// How many bytes stand before the first one that [`plain`] looks for.
#[inline(always)]
fn plain_of(chunk: &[u8; 16]) -> usize {
    let bytes = u8x16::new(*chunk);
    let quote = bytes.simd_eq(u8x16::splat(b'"'));
    let slash = bytes.simd_eq(u8x16::splat(b'\\'));
    let control = bytes.simd_eq(bytes.min(u8x16::splat(0x1f)));
    let found = (quote | slash | control).to_bitmask();
    (found | 1 << chunk.len()).trailing_zeros() as usize
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
fn number(bytes: &[u8], first: u8, from: usize) -> Read<Value> {
    let negative = first == b'-';
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
