//! What the parsers of one template add to.

use std::collections::{HashMap, HashSet};

use super::super::super::heap::Text;
use super::super::tree::{Block, Macro, Slot};
use super::super::{BUILT_IN, Dialect, Template, Uses};

/// What all parsers of one template add to.
pub(in super::super) struct Build {
    pub(in super::super) dialect: Dialect,
    /// The source, then the text of string literals that differs from it.
    pub(in super::super) text: String,
    /// Text that begins there was made of the literal at that place of the source.
    pub(super) moved: Vec<(usize, usize)>,
    pub(in super::super) constants: Vec<u8>,
    pub(in super::super) names: Vec<Box<str>>,
    slots: HashMap<Box<str>, Slot>,
    /// Bodies of `#define`.
    pub(in super::super) blocks: Vec<Block>,
    /// The first of each name, as they end.
    pub(super) macros: Vec<Macro>,
    /// Names of macros whose definitions began.
    pub(super) known: HashSet<Box<str>>,
    pub(in super::super) uses: Uses,
    hints: u16,
}

impl Build {
    pub(in super::super) fn new(source: &str, dialect: Dialect) -> Self {
        let mut build = Self {
            dialect,
            text: source.to_owned(),
            moved: Vec::new(),
            constants: Vec::new(),
            names: Vec::new(),
            slots: HashMap::new(),
            blocks: Vec::new(),
            macros: Vec::new(),
            known: HashSet::new(),
            uses: Uses::default(),
            hints: 0,
        };
        for name in BUILT_IN {
            build.slots.insert(name.into(), build.names.len() as Slot);
            build.names.push(name.into());
        }
        build
    }

    /// The template of everything that was built.
    pub(in super::super) fn finish(self, source_bytes: usize, body: Block) -> Template {
        Template {
            dialect: self.dialect,
            text: self.text.into(),
            source_bytes,
            moved: self.moved.into(),
            constants: self.constants.into(),
            names: self.names.into(),
            body,
            blocks: self.blocks.into(),
            macros: self.macros.into(),
            uses: self.uses,
            hints: self.hints,
        }
    }

    pub(super) fn slot(&mut self, name: &str) -> Option<Slot> {
        if let Some(slot) = self.slots.get(name) {
            return Some(*slot);
        }
        let slot = Slot::try_from(self.names.len()).ok()?;
        self.slots.insert(name.into(), slot);
        self.names.push(name.into());
        Some(slot)
    }

    /// A number for what one step remembers. Those that come after all others are taken get the largest, and remember nothing.
    pub(in super::super) fn hint(&mut self) -> u16 {
        let hint = self.hints;
        self.hints = hint.saturating_add(1);
        hint
    }

    /// A text that each render finds at the same place of its heap.
    pub(in super::super) fn constant(&mut self, text: &str) -> Text {
        let at = self.constants.len();
        self.constants.extend_from_slice(text.as_bytes());
        Text::new(at, text.len())
    }
}
