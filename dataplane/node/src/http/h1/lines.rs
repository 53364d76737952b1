//! The lines of a head: where it ends, and its fields.

use tidegate_engine::head::{Field, Known, Span};

use super::Limits;
use crate::http::syntax;

/// What is wrong with the lines of a head, or how they exceed a limit. Source: RFC 9112 sections 2.2 and 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// A line feed that ends a line alone.
    #[error("line feed without carriage return")]
    BareLineFeed,
    /// A carriage return inside a line.
    #[error("carriage return without line feed")]
    BareCarriageReturn,
    /// A field line that starts with white space: the folding of old, or a line smuggled past other parsers.
    #[error("field line starts with white space")]
    Folded,
    /// A field line that starts with its colon.
    #[error("field name is empty")]
    EmptyName,
    /// White space between a field's name and its colon.
    #[error("white space before the colon of a field")]
    SpaceBeforeColon,
    /// A byte that may not stand in a field name; the end of the line where the colon is missing.
    #[error("byte {byte:#04x} in a field name")]
    NameByte {
        /// The first such byte.
        byte: u8,
    },
    /// A control byte in a field value.
    #[error("byte {byte:#04x} in a field value")]
    ValueByte {
        /// The first such byte.
        byte: u8,
    },
    /// More bytes than a head may have.
    #[error("head exceeds {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// More bytes than all field lines may have.
    #[error("fields exceed {limit} bytes")]
    FieldsTooLarge {
        /// The limit.
        limit: usize,
    },
    /// More field lines than a head may have.
    #[error("more than {limit} fields")]
    TooManyFields {
        /// The limit.
        limit: usize,
    },
}

/// Finds the end of the head that starts at `start`: just behind its first empty line.
///
/// `scanned` remembers how far earlier calls looked, so that a head that comes byte by byte costs no more than one that
/// comes at once. Lone line feeds are found here, because a head that ends in them would never seem to end.
pub(super) fn find_end(
    buf: &[u8],
    start: usize,
    scanned: &mut usize,
    limits: &Limits,
) -> Result<Option<usize>, HeadError> {
    // Nothing past the limit is looked at: the answer must not depend on how much was received at once.
    let within = &buf[..buf.len().min(limits.head_bytes)];
    let from = (*scanned).clamp(start.min(within.len()), within.len());
    for found in memchr::memchr_iter(b'\n', &within[from..]) {
        let at = from + found;
        if at == start || within[at - 1] != b'\r' {
            return Err(HeadError::BareLineFeed);
        }
        if at >= start + 2 && within[at - 2] == b'\n' {
            *scanned = 0;
            return Ok(Some(at + 1));
        }
    }
    *scanned = within.len();
    if buf.len() >= limits.head_bytes {
        return Err(HeadError::TooLarge { limit: limits.head_bytes });
    }
    Ok(None)
}

/// Reads the field lines of `head`, which starts at the first of them and ends with the empty line.
///
/// `base` is where `head` starts in the buffer that spans count from. `seen` is told each field and may refuse it.
pub(super) fn fields<E: From<HeadError>>(
    buf: &[u8],
    start: usize,
    fields: &mut Vec<Field>,
    limits: &Limits,
    mut seen: impl FnMut(&Field, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let end = buf.len() - 2;
    if end - start > limits.fields_bytes {
        return Err(HeadError::FieldsTooLarge { limit: limits.fields_bytes }.into());
    }
    fields.clear();
    let mut at = start;
    while at < end {
        if fields.len() == limits.fields {
            return Err(HeadError::TooManyFields { limit: limits.fields }.into());
        }
        let (field, next) = field(buf, at)?;
        seen(&field, &buf[field.value.range()])?;
        fields.push(field);
        at = next;
    }
    Ok(())
}

/// Reads the field line at `start`; returns it and where the next line starts.
fn field(buf: &[u8], start: usize) -> Result<(Field, usize), HeadError> {
    let name_end = start + syntax::token_len(&buf[start..]);
    if name_end == start || buf[name_end] != b':' {
        return Err(name_error(&buf[start..], name_end - start));
    }
    let mut value_start = name_end + 1;
    while is_blank(buf[value_start]) {
        value_start += 1;
    }
    let line_end = value_start + syntax::value_len(&buf[value_start..]);
    if !buf[line_end..].starts_with(b"\r\n") {
        return Err(match buf[line_end] {
            b'\r' => HeadError::BareCarriageReturn,
            byte => HeadError::ValueByte { byte },
        });
    }
    let mut value_end = line_end;
    while value_end > value_start && is_blank(buf[value_end - 1]) {
        value_end -= 1;
    }
    let field = Field {
        name: Span::new(start, name_end),
        value: Span::new(value_start, value_end),
        known: Known::of(&buf[start..name_end]),
    };
    Ok((field, line_end + 2))
}

/// Why the line has no name of `name_len` bytes followed by a colon.
#[cold]
fn name_error(line: &[u8], name_len: usize) -> HeadError {
    match line.get(name_len).copied().unwrap_or_default() {
        b':' => HeadError::EmptyName,
        byte if is_blank(byte) && name_len == 0 => HeadError::Folded,
        byte if is_blank(byte) => HeadError::SpaceBeforeColon,
        b'\r' if line.get(name_len + 1) != Some(&b'\n') => HeadError::BareCarriageReturn,
        byte => HeadError::NameByte { byte },
    }
}

/// Whether `byte` is optional white space. Source: RFC 9110 section 5.6.3.
pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}
