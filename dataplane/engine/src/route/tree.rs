//! The resource tree of one deployment: path to method, with AWS's precedence.
//!
//! Literal before `{param}` before `{proxy+}`, decided segment by segment from the root, going back to the next candidate where a
//! branch ends nowhere. Each node is reached by one path only, so a lookup visits no node twice. Source: developer guide, "Set up
//! a proxy integration with a proxy resource"; recorded behaviour of trailing and double slashes.

use super::{Captures, MAX_PARAMS, path};
use crate::head::{Head, Method, Span};

/// A built tree. Nodes are numbered; children of a node lie side by side, literals sorted by their text.
#[derive(Debug)]
pub struct Tree {
    nodes: Box<[Node]>,
    edges: Box<[Edge]>,
    text: Box<str>,
    methods: Box<[Entry]>,
}

#[derive(Debug, Default)]
struct Node {
    edges: Slice,
    methods: Slice,
    param: Option<u32>,
    greedy: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    start: u32,
    len: u32,
}

impl Slice {
    fn of<T>(self, items: &[T]) -> &[T] {
        &items[self.start as usize..(self.start + self.len) as usize]
    }
}

#[derive(Debug)]
struct Edge {
    name: Span,
    node: u32,
}

/// One method of a resource; `None` is `ANY`.
#[derive(Clone, Copy, Debug)]
struct Entry {
    verb: Option<Method>,
    method: u32,
}

/// What a lookup came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The method's number, as given to [`Builder::add`].
    Method(u32),
    /// A resource matches, but it lacks the method.
    NoMethod,
    /// No resource matches.
    NoResource,
}

impl Tree {
    /// Finds the method for the path that spans `from..end` of the head's buffer.
    ///
    /// `fall_through` lets a less specific resource answer when the best one lacks the method (HTTP APIs).
    pub fn find(
        &self,
        head: &Head,
        from: usize,
        end: usize,
        fall_through: bool,
        captures: &mut Captures,
    ) -> Found {
        // A trailing slash does not count, nor does a second slash in front; inside, every slash counts.
        let end = from + head.buf[from..end].iter().rposition(|b| *b != b'/').map_or(0, |i| i + 1);
        let first = head.buf[from..end].iter().position(|b| *b != b'/').map(|i| from + i);
        let mut search =
            Search { tree: self, head, end, fall_through, captures, missed_method: false };
        match search.walk(0, first) {
            Some(method) => Found::Method(method),
            None if search.missed_method => Found::NoMethod,
            None => Found::NoResource,
        }
    }
}

struct Search<'a> {
    tree: &'a Tree,
    head: &'a Head,
    end: usize,
    fall_through: bool,
    captures: &'a mut Captures,
    missed_method: bool,
}

impl Search<'_> {
    /// Looks for a method below `node` for the segments from `at` on; `None` when none are left. Depth is bounded by the tree's.
    fn walk(&mut self, node: u32, at: Option<usize>) -> Option<u32> {
        let node = &self.tree.nodes[node as usize];
        let Some(start) = at else { return self.method_of(node) };
        let stop =
            memchr::memchr(b'/', &self.head.buf[start..self.end]).map_or(self.end, |i| start + i);
        let rest = (stop < self.end).then_some(stop + 1);
        let segment = Span::new(start, stop);
        let held = self.captures.len();
        // Only a greedy variable takes an empty segment.
        if !segment.is_empty() {
            if let Some(child) = self.literal(node, self.head.bytes(segment))
                && let Some(found) = self.walk(child, rest)
            {
                return Some(found);
            }
            if self.stopped() {
                return None;
            }
            if let Some(child) = node.param {
                self.captures.push(segment);
                if let Some(found) = self.walk(child, rest) {
                    return Some(found);
                }
                self.captures.truncate(held);
            }
        }
        if let Some(child) = node.greedy
            && !self.stopped()
        {
            self.captures.push(Span::new(start, self.end));
            if let Some(found) = self.method_of(&self.tree.nodes[child as usize]) {
                return Some(found);
            }
            self.captures.truncate(held);
        }
        None
    }

    /// REST APIs do not look further once a resource matched without its method.
    fn stopped(&self) -> bool {
        self.missed_method && !self.fall_through
    }

    fn literal(&self, node: &Node, segment: &[u8]) -> Option<u32> {
        let edges = node.edges.of(&self.tree.edges);
        let text = self.tree.text.as_bytes();
        if memchr::memchr(b'%', segment).is_some() {
            return edges
                .iter()
                .find(|e| path::segment_is(segment, e.name.of(text)))
                .map(|e| e.node);
        }
        let at = edges.binary_search_by(|e| e.name.of(text).cmp(segment)).ok()?;
        Some(edges[at].node)
    }

    fn method_of(&mut self, node: &Node) -> Option<u32> {
        let entries = node.methods.of(&self.tree.methods);
        let exact = entries.iter().find(|e| e.verb == Some(self.head.method));
        // ANY stands for the seven methods of AWS, not for every token.
        let any = || entries.iter().find(|e| e.verb.is_none() && self.head.method != Method::Other);
        let found = exact.or_else(any).map(|e| e.method);
        // A resource without any method is no route: it only holds others together.
        self.missed_method |= found.is_none() && !entries.is_empty();
        found
    }
}

/// Why resources make no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Not a path, or a parameter where none may stand.
    #[error("'{0}' is not a resource path")]
    BadPath(String),
    /// Two variable children of one kind.
    #[error("'{0}' has a sibling with another variable path part")]
    TwoVariables(String),
    /// The same method twice.
    #[error("'{0}' has the method {1} twice")]
    Twice(String, String),
    /// More parameters than a request can hold.
    #[error("'{0}' has more than {MAX_PARAMS} path parameters")]
    TooManyParameters(String),
}

/// Collects resources and builds their tree.
#[derive(Debug, Default)]
pub struct Builder {
    nodes: Vec<Draft>,
}

#[derive(Debug, Default)]
struct Draft {
    literals: std::collections::BTreeMap<String, u32>,
    param: Option<(String, u32)>,
    greedy: Option<(String, u32)>,
    methods: Vec<Entry>,
}

impl Builder {
    /// A tree with nothing but its root.
    pub fn new() -> Self {
        Self { nodes: vec![Draft::default()] }
    }

    /// Adds a method of a resource; `verb` `None` is `ANY`. Returns the names of the path's parameters, in order.
    pub fn add(
        &mut self,
        path: &str,
        verb: Option<Method>,
        method: u32,
    ) -> Result<Vec<Box<str>>, TreeError> {
        let bad = || TreeError::BadPath(path.to_owned());
        let mut node = 0u32;
        let mut names = Vec::new();
        let mut ended = false;
        let inner = path.strip_prefix('/').ok_or_else(bad)?;
        for segment in inner.split('/').filter(|_| !inner.is_empty()) {
            if ended || segment.is_empty() {
                return Err(bad());
            }
            let next = self.nodes.len() as u32;
            let draft = &mut self.nodes[node as usize];
            let (child, is_new) = if let Some(name) = segment.strip_prefix('{') {
                let name = name.strip_suffix('}').ok_or_else(bad)?;
                ended = name.ends_with('+');
                let name = name.trim_end_matches('+');
                if name.is_empty() || name.contains(['{', '}']) {
                    return Err(bad());
                }
                names.push(Box::from(name));
                let slot = if ended { &mut draft.greedy } else { &mut draft.param };
                match slot {
                    Some((held, child)) if held == name => (*child, false),
                    Some(_) => return Err(TreeError::TwoVariables(path.to_owned())),
                    None => {
                        *slot = Some((name.to_owned(), next));
                        (next, true)
                    }
                }
            } else if segment.contains(['{', '}']) {
                return Err(bad());
            } else {
                match draft.literals.get(segment) {
                    Some(child) => (*child, false),
                    None => {
                        draft.literals.insert(segment.to_owned(), next);
                        (next, true)
                    }
                }
            };
            if is_new {
                self.nodes.push(Draft::default());
            }
            node = child;
        }
        if names.len() > MAX_PARAMS {
            return Err(TreeError::TooManyParameters(path.to_owned()));
        }
        let methods = &mut self.nodes[node as usize].methods;
        if methods.iter().any(|e| e.verb == verb) {
            let verb = verb.map_or("ANY", Method::as_str);
            return Err(TreeError::Twice(path.to_owned(), verb.to_owned()));
        }
        methods.push(Entry { verb, method });
        Ok(names)
    }

    /// Lays the tree out flat.
    pub fn build(self) -> Tree {
        let (mut nodes, mut edges, mut methods) = (Vec::new(), Vec::new(), Vec::new());
        let mut text = String::new();
        for draft in self.nodes {
            let node = Node {
                edges: Slice { start: edges.len() as u32, len: draft.literals.len() as u32 },
                methods: Slice { start: methods.len() as u32, len: draft.methods.len() as u32 },
                param: draft.param.map(|(_, child)| child),
                greedy: draft.greedy.map(|(_, child)| child),
            };
            for (name, child) in draft.literals {
                let start = text.len();
                text.push_str(&name);
                edges.push(Edge { name: Span::new(start, text.len()), node: child });
            }
            methods.extend(draft.methods);
            nodes.push(node);
        }
        Tree {
            nodes: nodes.into(),
            edges: edges.into(),
            text: text.into(),
            methods: methods.into(),
        }
    }
}

#[cfg(test)]
mod tests;
