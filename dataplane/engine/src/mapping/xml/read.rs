//! Reading XML: quick-xml tells the pieces apart, and what it lets pass that XML forbids is refused here.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::errors::Error;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::reader::Reader;

use super::super::heap::{BYTES_A_STEP, Exhausted, Heap, Pair, Text, Value};
use super::super::template::Position;
use super::name::{is_char, is_name, local};
use super::{ATTRIBUTES, DEPTH, MAX_BYTES};

/// How names come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Names keep their prefixes. Without, `soap:Body` is `Body`, and declarations of namespaces are left out.
    pub prefixes: bool,
    /// Attributes are members. Without, an element with text alone is that text whatever its attributes.
    pub attributes: bool,
    /// Elements, named as they come out, that are lists also where there is one. The root, of which there is always one, is none.
    pub lists: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { prefixes: true, attributes: true, lists: Vec::new() }
    }
}

/// Why a text is no XML that we read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at} of the XML: {why}")]
pub struct XmlError {
    /// In the text.
    pub at: Position,
    /// What is wrong there.
    pub why: Refused,
}

/// What is wrong with an XML text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Refused {
    #[error("{0}")]
    Malformed(String),
    #[error("a document type declaration is not allowed")]
    Doctype,
    #[error("there is no entity &{0};")]
    Entity(String),
    #[error("this character is not allowed in XML")]
    Character,
    #[error("{0:?} is no XML name")]
    Name(String),
    #[error("the encoding must be UTF-8")]
    Encoding,
    #[error("a document has one root, and nothing but comments beside it")]
    Outside,
    #[error("<{0}> is not closed")]
    Open(String),
    #[error("the attribute {0} is there twice")]
    Doubled(String),
    #[error("elements are nested more than {DEPTH} deep")]
    TooDeep,
    #[error("an element has more than {ATTRIBUTES} attributes")]
    TooManyAttributes,
    #[error("it is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// Stores a document and reads it.
pub fn read_document(
    heap: &mut Heap,
    document: &str,
    options: &Options,
) -> Result<Value, XmlError> {
    let text = heap.store(document);
    let start = Position { line: 1, column: 1 };
    let text = text.map_err(|exhausted| XmlError { at: start, why: exhausted.into() })?;
    read(heap, text, options)
}

/// Reads a text of the heap as a document. Names and text that need no change stay where they are.
pub(crate) fn read(heap: &mut Heap, text: Text, options: &Options) -> Result<Value, XmlError> {
    // Values are made while it is read.
    let all = heap.str(text).to_owned();
    let mark = all.len() - all.strip_prefix('\u{feff}').unwrap_or(&all).len();
    let source = &all[mark..];
    let text = text.part(mark, all.len());
    let mut build =
        Build { heap, source, text, options, open: Vec::new(), members: Vec::new(), root: None };
    let read = build.document();
    read.map_err(|failed| XmlError { at: Position::of(source, failed.at), why: failed.why })
}

struct Failed {
    at: usize,
    why: Refused,
}

struct Build<'b> {
    heap: &'b mut Heap,
    source: &'b str,
    /// The source in the heap.
    text: Text,
    options: &'b Options,
    open: Vec<Element<'b>>,
    /// Attributes and elements of those open, the innermost last.
    members: Vec<Pair>,
    root: Option<Pair>,
}

/// An element that is open.
struct Element<'b> {
    name: Text,
    at: usize,
    /// Its members begin there; its first elements there.
    from: usize,
    children: usize,
    /// Text before the last child, and behind it.
    before: Option<Cow<'b, str>>,
    run: Option<Cow<'b, str>>,
}

impl<'b> Build<'b> {
    fn document(&mut self) -> Result<Value, Failed> {
        if self.source.len() > MAX_BYTES {
            return Err(Failed { at: 0, why: Refused::TooLarge });
        }
        self.heap.spend(self.source.len() / BYTES_A_STEP).map_err(|e| failed(0, e))?;
        if let Some((at, _)) = self.source.char_indices().find(|(_, c)| !is_char(*c)) {
            return Err(failed(at, Refused::Character));
        }
        let mut reader = Reader::from_str(self.source);
        reader.config_mut().check_comments = true;
        loop {
            let at = reader.buffer_position() as usize;
            let event = reader.read_event();
            self.heap.spend(1).map_err(|e| failed(at, e))?;
            let event =
                event.map_err(|error| malformed(reader.error_position() as usize, &error))?;
            match event {
                Event::Start(tag) => self.enter(&tag, at)?,
                Event::Empty(tag) => {
                    self.enter(&tag, at)?;
                    self.leave(at)?;
                }
                Event::End(_) => self.leave(at)?,
                Event::Text(text) => {
                    let raw = text.into_inner();
                    if let Some(end) = raw.find("]]>") {
                        let why = "']]>' must be written ']]&gt;'".to_owned();
                        return Err(failed(at + end, Refused::Malformed(why)));
                    }
                    self.piece(raw, at)?;
                }
                Event::CData(text) => {
                    if self.open.is_empty() {
                        return Err(failed(at, Refused::Outside));
                    }
                    self.piece(text.into_inner(), at)?;
                }
                Event::GeneralRef(name) => {
                    let c = reference(&name).ok_or_else(|| unknown(&name, at))?;
                    let mut buffer = [0; 4];
                    if self.open.is_empty() {
                        return Err(failed(at, Refused::Outside));
                    }
                    self.push(Cow::Owned(c.encode_utf8(&mut buffer).to_owned()));
                }
                Event::Comment(_) => {}
                Event::PI(instruction) => {
                    let target = instruction.target();
                    if !is_name(target) || target.eq_ignore_ascii_case("xml") {
                        return Err(failed(at, Refused::Name(target.to_owned())));
                    }
                }
                Event::Decl(declaration) => {
                    if at > 0 {
                        let why = "the XML declaration must come first".to_owned();
                        return Err(failed(at, Refused::Malformed(why)));
                    }
                    declared(&declaration)?;
                }
                Event::DocType(_) => return Err(failed(at, Refused::Doctype)),
                Event::Eof => break,
            }
        }
        if let Some(element) = self.open.last() {
            let name = self.heap.str(element.name).to_owned();
            return Err(failed(element.at, Refused::Open(name)));
        }
        let Some(root) = self.root else {
            return Err(failed(self.source.len(), Refused::Outside));
        };
        let map = self.heap.map(&[root]).map_err(|e| failed(0, e))?;
        Ok(Value::Map(map))
    }

    /// A part of the source as it stands in the heap, where it is one.
    fn stored(&mut self, text: &str, at: usize) -> Result<Text, Failed> {
        let from = (text.as_ptr() as usize).wrapping_sub(self.source.as_ptr() as usize);
        if from.checked_add(text.len()).is_some_and(|end| end <= self.source.len()) {
            return Ok(self.text.part(from, from + text.len()));
        }
        self.heap.store(text).map_err(|e| failed(at, e))
    }

    fn name(&mut self, name: &str, at: usize) -> Result<Text, Failed> {
        if !is_name(name) {
            return Err(failed(at, Refused::Name(name.to_owned())));
        }
        self.stored(if self.options.prefixes { name } else { local(name) }, at)
    }

    fn enter(&mut self, tag: &BytesStart<'_>, at: usize) -> Result<(), Failed> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(failed(at, Refused::Outside));
        }
        if self.open.len() == DEPTH {
            return Err(failed(at, Refused::TooDeep));
        }
        let name = self.name(tag.name().as_ref(), at)?;
        if let Some(element) = self.open.last_mut() {
            element.settle();
        }
        // What it takes here until it is closed.
        let room = size_of::<Element<'_>>() + size_of::<Pair>();
        self.heap.grow(room).map_err(|e| failed(at, e))?;
        let from = self.members.len();
        self.attributes(tag, at, from)?;
        let children = self.members.len();
        self.open.push(Element { name, at, from, children, before: None, run: None });
        Ok(())
    }

    fn attributes(&mut self, tag: &BytesStart<'_>, at: usize, from: usize) -> Result<(), Failed> {
        let mut behind = tag.name().as_ref().len();
        for (count, attribute) in tag.attributes().enumerate() {
            if count == ATTRIBUTES {
                return Err(failed(at, Refused::TooManyAttributes));
            }
            let attribute = attribute.map_err(|error| attribute_error(tag, at, &error))?;
            let name = attribute.key.as_ref();
            let begin = (name.as_ptr() as usize).wrapping_sub(tag.as_ptr() as usize);
            let place = at + 1 + begin;
            if !is_name(name) {
                return Err(failed(place, Refused::Name(name.to_owned())));
            }
            let gap = tag.get(behind..begin).unwrap_or_default();
            if !gap.bytes().any(|b| b.is_ascii_whitespace()) {
                let why = "attributes must be told apart by white space".to_owned();
                return Err(failed(place, Refused::Malformed(why)));
            }
            let raw = attribute.value.as_ref();
            behind = (raw.as_ptr() as usize).wrapping_sub(tag.as_ptr() as usize) + raw.len() + 1;
            if raw.contains('<') {
                let why = "'<' must be written '&lt;' in an attribute".to_owned();
                return Err(failed(place, Refused::Malformed(why)));
            }
            let value = value_of(raw).map_err(|name| unknown(name, place))?;
            let declares = name == "xmlns" || name.starts_with("xmlns:");
            if !self.options.attributes || (declares && !self.options.prefixes) {
                continue;
            }
            let name = if self.options.prefixes { name } else { local(name) };
            let room = self.heap.grow(size_of::<Pair>());
            let key = room.and_then(|()| self.heap.store(&format!("@{name}")));
            let key = key.map_err(|e| failed(place, e))?;
            let value = Value::Text(self.stored(&value, place)?);
            // Two that were told apart by their prefixes: the first counts.
            let held = &self.members[from..];
            if !held.iter().any(|(held, _)| self.heap.text(*held) == self.heap.text(key)) {
                self.members.push((key, value));
            }
        }
        Ok(())
    }

    /// Text as it was written, in an element or white space outside.
    fn piece(&mut self, raw: Cow<'b, str>, at: usize) -> Result<(), Failed> {
        if self.open.is_empty() {
            let text = raw.trim_start_matches([' ', '\t', '\r', '\n']);
            let at = at + raw.len() - text.len();
            return if text.is_empty() { Ok(()) } else { Err(failed(at, Refused::Outside)) };
        }
        self.push(match raw.contains('\r') {
            true => Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n")),
            false => raw,
        });
        Ok(())
    }

    fn push(&mut self, piece: Cow<'b, str>) {
        if let Some(element) = self.open.last_mut() {
            join(&mut element.run, piece);
        }
    }

    /// Makes the value of the element that ends.
    fn leave(&mut self, at: usize) -> Result<(), Failed> {
        let Some(mut element) = self.open.pop() else { return Ok(()) };
        let has_children = self.members.len() > element.children;
        if has_children {
            element.settle();
        }
        let text = if has_children { element.before } else { element.run };
        let text = text.filter(|text| !text.is_empty());
        let text = text.map(|text| self.stored(&text, at)).transpose()?;
        let value = if self.members.len() == element.from {
            Value::Text(text.unwrap_or(Text::EMPTY))
        } else {
            let made = self.members_of(element.from, element.children, text);
            made.map_err(|e| failed(at, e))?
        };
        self.members.truncate(element.from);
        match self.open.is_empty() {
            true => self.root = Some((element.name, value)),
            false => self.members.push((element.name, value)),
        }
        Ok(())
    }

    fn members_of(
        &mut self,
        from: usize,
        children: usize,
        text: Option<Text>,
    ) -> Result<Value, Exhausted> {
        let mut pairs = self.members[from..children].to_vec();
        if let Some(text) = text {
            pairs.push((self.heap.store("#text")?, Value::Text(text)));
        }
        let children = &self.members[children..];
        self.heap.spend(children.len())?;
        let heap = &mut *self.heap;
        let mut order: Vec<usize> = (0..children.len()).collect();
        let key = |heap: &Heap, at: usize| heap.text(children[at].0).to_vec();
        // Sorting keeps hostile names from costing more than others; equal ones stay in order.
        order.sort_by(|a, b| heap.text(children[*a].0).cmp(heap.text(children[*b].0)));
        let mut groups: Vec<(usize, Value)> = Vec::new();
        let mut rest = &order[..];
        while let Some((&first, _)) = rest.split_first() {
            let name = key(heap, first);
            let same = rest.partition_point(|at| heap.text(children[*at].0) == name);
            let (group, others) = rest.split_at(same);
            rest = others;
            let always = self.options.lists.iter().any(|list| list.as_bytes() == name);
            let value = match group {
                [one] if !always => children[*one].1,
                several => {
                    let items: Vec<Value> = several.iter().map(|at| children[*at].1).collect();
                    heap.list(&items, true)?
                }
            };
            groups.push((first, value));
        }
        groups.sort_by_key(|(first, _)| *first);
        pairs.extend(groups.into_iter().map(|(first, value)| (children[first].0, value)));
        Ok(Value::Map(heap.map(&pairs)?))
    }
}

impl Element<'_> {
    /// Text ends where a child begins or behind the last: it counts, unless it is white space alone.
    fn settle(&mut self) {
        if let Some(run) = self.run.take()
            && !run.trim_matches([' ', '\t', '\r', '\n']).is_empty()
        {
            join(&mut self.before, run);
        }
    }
}

fn join<'b>(text: &mut Option<Cow<'b, str>>, piece: Cow<'b, str>) {
    match text {
        Some(text) => text.to_mut().push_str(&piece),
        None => *text = Some(piece),
    }
}

/// What stands for a name between `&` and `;`.
fn reference(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        name => {
            let digits = name.strip_prefix('#')?;
            let (digits, radix) = digits.strip_prefix('x').map_or((digits, 10), |hex| (hex, 16));
            let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
            let code = plain.then(|| u32::from_str_radix(digits, radix).ok())??;
            char::from_u32(code).filter(|c| is_char(*c))?
        }
    })
}

/// The value of an attribute; what is no entity of XML's as an error. Source: XML 1.0, section 3.3.3.
fn value_of(raw: &str) -> Result<Cow<'_, str>, &str> {
    if !raw.contains(['&', '\t', '\n', '\r']) {
        return Ok(Cow::Borrowed(raw));
    }
    let spaced = |text: &str| text.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
    let mut parts = raw.split('&');
    let mut value = spaced(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once(';').ok_or(part)?;
        value.push(reference(name).ok_or(name)?);
        value.push_str(&spaced(rest));
    }
    Ok(Cow::Owned(value))
}

fn declared(declaration: &BytesDecl<'_>) -> Result<(), Failed> {
    let version = declaration.xml_version().map_err(|error| malformed(0, &error))?;
    if version != XmlVersion::Explicit1_0 {
        return Err(failed(0, Refused::Malformed("only XML 1.0 is read".to_owned())));
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(Ok(_)) => Err(failed(0, Refused::Encoding)),
        Some(Err(error)) => Err(failed(0, Refused::Malformed(error.to_string()))),
    }
}

fn failed(at: usize, why: impl Into<Refused>) -> Failed {
    Failed { at, why: why.into() }
}

fn malformed(at: usize, error: &Error) -> Failed {
    let why = match error {
        Error::Syntax(error) => error.to_string(),
        Error::IllFormed(error) => error.to_string(),
        error => error.to_string(),
    };
    failed(at, Refused::Malformed(why))
}

fn unknown(name: &str, at: usize) -> Failed {
    failed(at, Refused::Entity(name.chars().take(40).collect()))
}

fn attribute_error(tag: &BytesStart<'_>, at: usize, error: &AttrError) -> Failed {
    let (within, why) = match error {
        AttrError::ExpectedEq(within) => (*within, "an attribute has no '='"),
        AttrError::ExpectedValue(within) => (*within, "an attribute has no value"),
        AttrError::UnquotedValue(within) => (*within, "an attribute's value has no quotes"),
        AttrError::ExpectedQuote(within, _) => (*within, "an attribute's value has no end"),
        AttrError::Duplicated(within, _) => {
            let name = tag.get(*within..).unwrap_or_default();
            let end = name.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(name.len());
            return failed(at + 1 + within, Refused::Doubled(name[..end].to_owned()));
        }
    };
    failed(at + 1 + within, Refused::Malformed(why.to_owned()))
}
