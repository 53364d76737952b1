//! Reading.

use super::super::heap::{Exhausted, Heap, Keys, Pair, Text, Value};
use super::super::number;
use super::{DEPTH, JsonError};

#[derive(Debug, Default)]
pub(crate) struct Reading {
    items: Vec<Value>,
    pairs: Vec<Pair>,
    /// Lists and maps around the innermost.
    outer: Vec<Holder>,
    unescaped: Vec<u8>,
}

/// What a value stands in.
#[derive(Clone, Copy, Debug)]
enum Holder {
    Document,
    /// A list whose first member is there in the work space.
    List {
        from: usize,
    },
    /// A map whose first pair is there, with the key of the next.
    Map {
        from: usize,
        key: Text,
    },
}

/// Reads a text of the heap as one JSON value.
pub(crate) fn read(heap: &mut Heap, text: Text) -> Result<Value, JsonError> {
    heap.spend(text.range().len() / super::super::heap::BYTES_A_STEP)?;
    // The text is read while lists and maps are made of it, so both are taken out for the time.
    let bytes = std::mem::take(&mut heap.bytes);
    let mut reading = std::mem::take(&mut heap.reading);
    let mut reader = Reader {
        heap,
        all: &bytes,
        bytes: &bytes[..text.range().end],
        at: text.range().start,
        work: &mut reading,
        failed: None,
    };
    let base = text.range().start;
    let read = match reader.document() {
        Some(value) => Ok(value),
        None => Err(match reader.failed {
            Some(JsonError::TooDeep(at)) => JsonError::TooDeep(at - base),
            Some(JsonError::Exhausted(exhausted)) => exhausted.into(),
            _ => JsonError::Malformed(reader.at - base),
        }),
    };
    heap.bytes = bytes;
    heap.bytes.extend_from_slice(&reading.unescaped);
    reading.clear();
    heap.reading = reading;
    read
}

impl Reading {
    fn clear(&mut self) {
        self.items.clear();
        self.pairs.clear();
        self.outer.clear();
        self.unescaped.clear();
    }
}

struct Reader<'r> {
    heap: &'r mut Heap,
    /// All bytes of the heap: unescaped text will stand behind them.
    all: &'r [u8],
    /// Those up to the end of the document.
    bytes: &'r [u8],
    at: usize,
    work: &'r mut Reading,
    /// Why reading ended, where that is not that the text is malformed at `at`.
    failed: Option<JsonError>,
}

/// What a reader's parts give is `None` when reading has failed: small results keep it quick.
impl Reader<'_> {
    fn document(&mut self) -> Option<Value> {
        let mut holder = Holder::Document;
        loop {
            // A value begins here.
            let mut value = match self.next() {
                b'"' => Value::Text(self.string()?),
                b'-' | b'0'..=b'9' => self.number()?,
                b'{' => {
                    self.enter(&mut holder)?;
                    let from = self.work.pairs.len();
                    if self.next() != b'}' {
                        holder = Holder::Map { from, key: self.key()? };
                        continue;
                    }
                    holder = Holder::Map { from, key: Text::EMPTY };
                    self.leave(&mut holder)?
                }
                b'[' => {
                    self.enter(&mut holder)?;
                    holder = Holder::List { from: self.work.items.len() };
                    if self.next() != b']' {
                        continue;
                    }
                    self.leave(&mut holder)?
                }
                b't' => self.word(b"true", Value::from(true))?,
                b'f' => self.word(b"false", Value::from(false))?,
                b'n' => self.word(b"null", Value::Null)?,
                _ => return None,
            };
            // A value ended here, and perhaps what holds it.
            loop {
                let next = self.next();
                match &mut holder {
                    Holder::Map { key, .. } => {
                        self.work.pairs.push((*key, value));
                        if next == b',' {
                            self.at += 1;
                            self.next();
                            *key = self.key()?;
                            break;
                        }
                        if next != b'}' {
                            return None;
                        }
                    }
                    Holder::List { .. } => {
                        self.work.items.push(value);
                        if next == b',' {
                            self.at += 1;
                            break;
                        }
                        if next != b']' {
                            return None;
                        }
                    }
                    Holder::Document => return (self.at == self.bytes.len()).then_some(value),
                }
                value = self.leave(&mut holder)?;
            }
        }
    }

    /// The next byte that is no space, and NUL, with which nothing begins, at the end.
    #[inline]
    fn next(&mut self) -> u8 {
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    /// Goes into a list or map.
    fn enter(&mut self, holder: &mut Holder) -> Option<()> {
        self.at += 1;
        if self.work.outer.len() == DEPTH {
            self.failed = Some(JsonError::TooDeep(self.at));
            return None;
        }
        self.work.outer.push(*holder);
        Some(())
    }

    /// Makes the list or map that ends, and goes back to what holds it.
    fn leave(&mut self, holder: &mut Holder) -> Option<Value> {
        self.at += 1;
        let made = match *holder {
            Holder::List { from } => {
                let list = self.heap.list(&self.work.items[from..], true);
                self.work.items.truncate(from);
                list
            }
            Holder::Map { from, .. } => {
                // Keys are compared, and they stand in the bytes that were taken out.
                let keys = Keys { front: self.all, behind: &self.work.unescaped };
                let map = self.heap.map_of(&self.work.pairs[from..], &keys);
                self.work.pairs.truncate(from);
                map.map(Value::Map)
            }
            Holder::Document => return None,
        };
        *holder = self.work.outer.pop()?;
        self.within(made)
    }

    fn within<T>(&mut self, made: Result<T, Exhausted>) -> Option<T> {
        if let Err(exhausted) = &made {
            self.failed = Some((*exhausted).into());
        }
        made.ok()
    }

    /// Reads a key and its colon; the reader stands where the key should begin.
    #[inline]
    fn key(&mut self) -> Option<Text> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let key = self.string()?;
        if self.next() != b':' {
            return None;
        }
        self.at += 1;
        Some(key)
    }

    fn word(&mut self, word: &[u8], value: Value) -> Option<Value> {
        if !self.bytes[self.at..].starts_with(word) {
            return None;
        }
        self.at += word.len();
        Some(value)
    }

    #[inline]
    fn string(&mut self) -> Option<Text> {
        let from = self.at + 1;
        let end = self.plain(from);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Some(Text::new(from, end - from));
        }
        self.at = end;
        self.unescape(from)
    }

    /// The next byte that ends or interrupts a string: a quote, a backslash or a control character. Eight bytes at a time.
    #[inline]
    fn plain(&self, mut at: usize) -> usize {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const TOPS: u64 = 0x8080_8080_8080_8080;
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        while let Some(chunk) = self.bytes.get(at..).and_then(|rest| rest.first_chunk()) {
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
        while self.bytes.get(at).is_some_and(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)) {
            at += 1;
        }
        at
    }

    /// Reads a string with escapes, from the first of them; its text goes behind all others.
    #[cold]
    fn unescape(&mut self, from: usize) -> Option<Text> {
        let begin = self.work.unescaped.len();
        self.work.unescaped.extend_from_slice(&self.bytes[from..self.at]);
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let escaped = self.bytes.get(self.at + 1).copied().unwrap_or_default();
                    self.at += 2;
                    let plain = match escaped {
                        b'"' | b'\\' | b'/' => escaped.into(),
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        b'u' => self.unicode()?,
                        _ => return None,
                    };
                    let mut buffer = [0; 4];
                    self.work
                        .unescaped
                        .extend_from_slice(plain.encode_utf8(&mut buffer).as_bytes());
                }
                _ => return None,
            }
            let end = self.plain(self.at);
            self.work.unescaped.extend_from_slice(&self.bytes[self.at..end]);
            self.at = end;
        }
        self.at += 1;
        let len = self.work.unescaped.len() - begin;
        let room = self.heap.grow(len);
        self.within(room)?;
        Some(Text::new(self.all.len() + begin, len))
    }

    /// A character behind `\u`; half of a pair without the other becomes U+FFFD.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if !self.bytes[self.at..].starts_with(b"\\u") {
            return Some(char::REPLACEMENT_CHARACTER);
        }
        let before = self.at;
        self.at += 2;
        let second = self.hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            self.at = before;
            return Some(char::REPLACEMENT_CHARACTER);
        }
        let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        Some(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    #[inline]
    fn number(&mut self) -> Option<Value> {
        let from = self.at;
        let negative = self.bytes[self.at] == b'-';
        self.at += usize::from(negative);
        let whole = self.at;
        let mut value: i64 = 0;
        // Eighteen digits always fit.
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - whole;
        if digits == 0 || (digits > 1 && self.bytes[whole] == b'0') {
            return None;
        }
        if !matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E')) {
            if digits <= 18 {
                return Some(Value::Int(if negative { -value } else { value }));
            }
            let text = Text::new(from, self.at - from);
            return Some(number::integer(text, &self.bytes[from..self.at]));
        }
        if self.bytes[self.at] == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(Value::Number(Text::new(from, self.at - from)))
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }
}
