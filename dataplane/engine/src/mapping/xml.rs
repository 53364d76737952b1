//! XML into values and out of them, for `$util.parseXml` and `$util.toXml`.
//!
//! One convention, the one of Python's xmltodict, with one difference: an empty element is empty text and not nothing.
//!
//! | XML | value |
//! |---|---|
//! | a document | a map with one member, its root |
//! | an element with text alone | that text, as written |
//! | an element without anything | empty text |
//! | an attribute `x` | a member `@x`, text |
//! | text beside attributes or elements | a member `#text`; white space alone between elements is dropped |
//! | elements of one name in an element | one member: a list where there are several, else the value itself |
//!
//! Members stand in the order of their first element, attributes before all. What is lost is how elements of different names were
//! mixed, and where among them text stood. Names keep their prefixes, and declarations of namespaces are attributes, unless
//! [`Options`] say otherwise. Nothing is ever loaded or expanded: a document type declaration is refused, and so is any entity but
//! XML's own five and character references.

mod name;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use read::{Options, Refused, XmlError, read_document};
pub use write::{Unwritable, write};

pub(crate) use read::read;

/// Elements inside each other. With lists between them, a value is twice as deep, which is still less than what prints.
pub const DEPTH: usize = 128;

/// Attributes of one element.
pub const ATTRIBUTES: usize = 256;

/// Bytes of a document, as large as API Gateway's payloads.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
