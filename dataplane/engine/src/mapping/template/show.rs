//! Values as text.

use super::super::heap::{Exhausted, Heap, Pair, Text, Value};
use super::super::json::{Slash, bounded, write};
use super::super::number;
use super::error::Fault;
use super::run::Run;

impl Run<'_> {
    /// Prints a value.
    pub(super) fn show(&mut self, value: Value) -> Result<(), Box<Fault>> {
        match value {
            Value::Block(block) => {
                self.print_block(block)?;
            }
            value => {
                let json = !self.is_stock();
                show(self.heap, value, json, self.out, 0)?;
            }
        }
        Ok(())
    }

    /// What a value prints as.
    pub(super) fn shown(&mut self, value: Value) -> Result<String, Box<Fault>> {
        let begin = self.out.len();
        self.show(value)?;
        let shown = String::from_utf8_lossy(&self.out[begin..]).into_owned();
        self.out.truncate(begin);
        Ok(shown)
    }

    /// A value as text in the heap.
    pub(super) fn as_text(&mut self, value: Value) -> Result<Text, Box<Fault>> {
        if let Value::Text(text) = value {
            return Ok(text);
        }
        let begin = self.out.len();
        self.show(value)?;
        let stored = self.heap.store_bytes(&self.out[begin..])?;
        self.out.truncate(begin);
        Ok(stored)
    }

    /// A value as a key of a map. What does not exist is an empty key in API Gateway.
    pub(super) fn key(&mut self, value: Value) -> Result<Text, Box<Fault>> {
        match value {
            Value::Null if self.is_stock() => Ok(self.heap.store("null")?),
            value => self.as_text(value),
        }
    }
}

/// As Java prints it; a list that came from JSON as JSON, if `json`.
fn show(
    heap: &Heap,
    value: Value,
    json: bool,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Exhausted> {
    match value {
        Value::Null => {}
        Value::Bool(yes) => out.extend_from_slice(if yes.holds() { b"true" } else { b"false" }),
        Value::Int(_) | Value::Float(_) | Value::Number(_) => number::write(heap, value, out),
        Value::Text(text) => out.extend_from_slice(heap.text(text)),
        Value::List(list) if json && heap.is_json(list) => write(heap, value, Slash::Escaped, out)?,
        Value::List(list) => {
            bounded(heap, out, depth)?;
            out.push(b'[');
            for (place, item) in heap.items(list).iter().enumerate() {
                separate(out, place);
                match item {
                    Value::List(inner) if *inner == list => {
                        out.extend_from_slice(b"(this Collection)");
                    }
                    item => member(heap, *item, json, out, depth)?,
                }
            }
            out.push(b']');
        }
        Value::Map(map) => {
            bounded(heap, out, depth)?;
            out.push(b'{');
            for (place, held) in heap.pairs(map).iter().enumerate() {
                separate(out, place);
                match held {
                    (key, Value::Map(inner)) if *inner == map => {
                        out.extend_from_slice(heap.text(*key));
                        out.extend_from_slice(b"=(this Map)");
                    }
                    held => pair(heap, held, json, out, depth)?,
                }
            }
            out.push(b'}');
        }
        Value::Entry(entry) => {
            let (map, place) = entry.parts();
            if let Some(held) = heap.pairs(map).get(place) {
                pair(heap, held, json, out, depth)?;
            }
        }
        Value::Loop(_) => out.extend_from_slice(b"{}"),
        Value::Object(_) | Value::Block(_) => {}
    }
    Ok(())
}

fn separate(out: &mut Vec<u8>, place: usize) {
    if place > 0 {
        out.extend_from_slice(b", ");
    }
}

fn pair(
    heap: &Heap,
    (key, value): &Pair,
    json: bool,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Exhausted> {
    out.extend_from_slice(heap.text(*key));
    out.push(b'=');
    member(heap, *value, json, out, depth)
}

fn member(
    heap: &Heap,
    value: Value,
    json: bool,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Exhausted> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        value => show(heap, value, json, out, depth + 1)?,
    }
    Ok(())
}
