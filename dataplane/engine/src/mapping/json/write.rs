//! Writing.

use super::super::heap::{Exhausted, Heap, Pair, Value};
use super::super::number;
use super::DEPTH;

/// Whether `/` is written as `\/`. json-smart does so in `toString`, which prints the lists of a template, and not where
/// `$input.json` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slash {
    /// `/`
    Plain,
    /// `\/`
    Escaped,
}

/// Appends a value as compact JSON.
pub fn write(heap: &Heap, value: Value, slash: Slash, out: &mut Vec<u8>) -> Result<(), Exhausted> {
    write_at(heap, value, slash, out, 0)
}

fn write_at(
    heap: &Heap,
    value: Value,
    slash: Slash,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Exhausted> {
    match value {
        Value::Null | Value::Object(_) | Value::Loop(_) | Value::Block(_) => {
            out.extend_from_slice(b"null");
        }
        Value::Bool(yes) => out.extend_from_slice(if yes.holds() { b"true" } else { b"false" }),
        Value::Int(_) | Value::Float(_) | Value::Number(_) => {
            let from = out.len();
            number::write(heap, value, out);
            // A number beyond a `double`. json-smart writes null, since JSON has no word for it.
            if out.ends_with(b"y") {
                out.truncate(from);
                out.extend_from_slice(b"null");
            }
        }
        Value::Text(text) => quote(heap.text(text), slash, out),
        Value::List(list) => {
            bounded(heap, out, depth)?;
            out.push(b'[');
            for (place, item) in heap.items(list).iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_at(heap, *item, slash, out, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Map(map) => pairs(heap, heap.pairs(map), slash, out, depth)?,
        Value::Entry(entry) => {
            let (map, place) = entry.parts();
            let pair = heap.pairs(map).get(place);
            pairs(heap, pair.map_or(&[], std::slice::from_ref), slash, out, depth)?;
        }
    }
    Ok(())
}

fn pairs(
    heap: &Heap,
    pairs: &[Pair],
    slash: Slash,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Exhausted> {
    bounded(heap, out, depth)?;
    out.push(b'{');
    for (place, (key, value)) in pairs.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        quote(heap.text(*key), slash, out);
        out.push(b':');
        write_at(heap, *value, slash, out, depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}

/// Ends what holds itself: by its depth, or by its size, which grows with each list and map that is written.
pub(crate) fn bounded(heap: &Heap, out: &[u8], depth: usize) -> Result<(), Exhausted> {
    if depth > DEPTH { Err(Exhausted::Depth) } else { heap.room(out.len()) }
}

/// Appends text as a JSON string with no more escapes than JSON wants; `None` as null. Allocates nothing.
pub(crate) fn put(out: &mut Vec<u8>, text: Option<&str>) {
    // Neither a string can fail to be written nor a Vec to be written to.
    let _ = serde_json::to_writer(out, &text);
}

/// Bytes that stand for themselves in a string, whatever follows them.
static PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < plain.len() {
        plain[byte] = !matches!(byte as u8, b'"' | b'\\' | b'/' | 0..=0x1f | 0x7f | 0xc2 | 0xe2);
        byte += 1;
    }
    plain
};

/// Appends a string in quotes, escaped as json-smart escapes it: also U+007F to U+009F and U+2000 to U+20FF.
fn quote(text: &[u8], slash: Slash, out: &mut Vec<u8>) {
    out.push(b'"');
    let (mut from, mut at) = (0, 0);
    loop {
        at += text[at..].iter().take_while(|byte| PLAIN[usize::from(**byte)]).count();
        let Some(&byte) = text.get(at) else { break };
        let width = match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f => 1,
            b'/' if slash == Slash::Escaped => 1,
            0xc2 if text.get(at + 1).is_some_and(|next| *next < 0xa0) => 2,
            0xe2 if text.get(at + 1).is_some_and(|next| (0x80..0x84).contains(next)) => 3,
            _ => {
                at += 1;
                continue;
            }
        };
        out.extend_from_slice(&text[from..at]);
        match byte {
            b'"' | b'\\' | b'/' => out.extend_from_slice(&[b'\\', byte]),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let c = match text.get(at..at + width) {
                    Some([one]) => u32::from(*one),
                    Some([_, two]) => u32::from(*two),
                    Some([_, two, three]) => {
                        0x2000 | u32::from(two & 0x3f) << 6 | u32::from(three & 0x3f)
                    }
                    _ => 0xfffd,
                };
                out.extend_from_slice(format!("\\u{c:04X}").as_bytes());
            }
        }
        at += width;
        from = at;
    }
    out.extend_from_slice(&text[from..]);
    out.push(b'"');
}
