//! Writing values as XML.

use super::super::heap::{Exhausted, Heap, MapId, Text, Value};
use super::super::number;
use super::DEPTH;
use super::name::{is_char, is_name};

/// Why a value is no XML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// An element or attribute would have this name.
    #[error("{0:?} is no XML name")]
    Name(String),
    /// What should be the text of this is a list or a map.
    #[error("{0:?} is a list or an object, and only text, numbers and booleans fit there")]
    NoText(String),
    /// The document itself, or a member of a list, is a list.
    #[error("a list has no XML of its own: <{0}> would stand for several")]
    List(String),
    /// A value without a name for its root.
    #[error("a document has one root: a name for it, or an object with one member")]
    Root,
    /// XML has no way to write this character.
    #[error("XML cannot carry the character U+{0:04X}")]
    Character(u32),
    /// Deeper than [`DEPTH`].
    #[error("it is nested more than {DEPTH} deep")]
    TooDeep,
    /// No room for it.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// Appends a value as an element named `root`, or as the one member that it has. Without an XML declaration, so that it can stand
/// inside of other XML. A list becomes an element for each of its members; `null` an empty element.
pub fn write(
    heap: &mut Heap,
    value: Value,
    root: Option<Text>,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    let (name, value) = match (root, value) {
        (Some(name), value) => (name, value),
        (None, Value::Map(map)) => match heap.pairs(map) {
            [pair] => *pair,
            _ => return Err(Unwritable::Root),
        },
        _ => return Err(Unwritable::Root),
    };
    Writer { heap, out }.element(name, value, 1)
}

struct Writer<'w> {
    heap: &'w mut Heap,
    out: &'w mut Vec<u8>,
}

impl Writer<'_> {
    fn element(&mut self, name: Text, value: Value, depth: usize) -> Result<(), Unwritable> {
        if depth > DEPTH {
            return Err(Unwritable::TooDeep);
        }
        self.heap.spend(1)?;
        // A value may be in many places: what it comes to is bounded as it is written.
        self.heap.room(self.out.len())?;
        let heap = &*self.heap;
        if !is_name(heap.str(name)) {
            return Err(Unwritable::Name(heap.str(name).to_owned()));
        }
        self.out.push(b'<');
        self.out.extend_from_slice(heap.text(name));
        let empty = match value {
            Value::List(_) => return Err(Unwritable::List(heap.str(name).to_owned())),
            Value::Map(map) => self.members(map, depth)?,
            value => {
                let before = self.out.len();
                self.out.push(b'>');
                self.text(name, value, Place::Text)?;
                let empty = self.out.len() == before + 1;
                if empty {
                    self.out.truncate(before);
                }
                empty
            }
        };
        if empty {
            self.out.extend_from_slice(b"/>");
        } else {
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(self.heap.text(name));
            self.out.push(b'>');
        }
        Ok(())
    }

    /// Attributes, then all others. Says whether there were no others.
    fn members(&mut self, map: MapId, depth: usize) -> Result<bool, Unwritable> {
        let size = self.heap.pairs(map).len();
        self.heap.spend(size)?;
        for at in 0..size {
            let (key, value) = self.heap.pairs(map)[at];
            if let Some(name) = self.heap.str(key).strip_prefix('@') {
                if !is_name(name) {
                    return Err(Unwritable::Name(name.to_owned()));
                }
                self.out.push(b' ');
                self.out.extend_from_slice(name.as_bytes());
                self.out.extend_from_slice(b"=\"");
                self.text(key, value, Place::Attribute)?;
                self.out.push(b'"');
            }
        }
        let before = self.out.len();
        self.out.push(b'>');
        for at in 0..size {
            let (key, value) = self.heap.pairs(map)[at];
            match (self.heap.text(key), value) {
                ([b'@', ..], _) => {}
                (b"#text", value) => self.text(key, value, Place::Text)?,
                (_, Value::List(list)) => {
                    let items = self.heap.items(list).len();
                    self.heap.spend(items)?;
                    for at in 0..items {
                        let item = self.heap.items(list)[at];
                        self.element(key, item, depth + 1)?;
                    }
                }
                (_, value) => self.element(key, value, depth + 1)?,
            }
        }
        let empty = self.out.len() == before + 1;
        if empty {
            self.out.truncate(before);
        }
        Ok(empty)
    }

    fn text(&mut self, name: Text, value: Value, place: Place) -> Result<(), Unwritable> {
        match value {
            Value::Text(text) => {
                self.heap.spend(text.len() / super::super::heap::BYTES_A_STEP)?;
                escape(self.heap.str(text), place, self.out)
            }
            Value::Int(_) | Value::Float(_) | Value::Number(_) => {
                number::write(self.heap, value, self.out);
                Ok(())
            }
            Value::Bool(yes) => {
                self.out.extend_from_slice(if yes.holds() { b"true" } else { b"false" });
                Ok(())
            }
            Value::List(_) | Value::Map(_) | Value::Entry(_) => {
                Err(Unwritable::NoText(self.heap.str(name).to_owned()))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Attribute,
}

/// Also carriage returns, and in attributes line ends and tabs, which would not be read as they were written.
fn escape(text: &str, place: Place, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let escaped: &[u8] = match c {
            '&' => b"&amp;",
            '<' => b"&lt;",
            '>' => b"&gt;",
            '\r' => b"&#13;",
            '"' if place == Place::Attribute => b"&quot;",
            '\n' if place == Place::Attribute => b"&#10;",
            '\t' if place == Place::Attribute => b"&#9;",
            c if !is_char(c) => return Err(Unwritable::Character(c.into())),
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[from..at]);
        out.extend_from_slice(escaped);
        from = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
    Ok(())
}
