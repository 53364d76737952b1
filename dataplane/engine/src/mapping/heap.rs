//! Values of a mapping: JSON documents, and what templates make of them.
//!
//! A [`Value`] is small and copied freely; text and members stand in a [`Heap`], an arena that one render fills and the next one
//! reuses, so a render allocates nothing once its heap has grown. Lists and maps have identity, as in the Java that templates
//! were made for: what is put into a map is seen through every name the map has. Nothing is freed before the end; what a render
//! may hold and how much it may do is metered here, because everything that costs passes through here.

mod map;
mod value;

use map::Map;
pub(crate) use map::{Keys, Like, same};
pub(crate) use value::Pair;
pub use value::{Double, EntryId, ListId, MapId, Object, Text, Truth, Value};

#[derive(Clone, Copy, Debug)]
struct List {
    at: u32,
    len: u32,
    room: u32,
    /// Came from JSON, and prints as JSON.
    json: bool,
}

/// A list that has begun: where its members are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun(usize);

/// What a render has used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exhausted {
    /// It did too much.
    #[error("it takes too many steps")]
    Steps,
    /// It made too much.
    #[error("its values take too much memory")]
    Memory,
    /// Values inside values, too deep to print; or a value that holds itself.
    #[error("its values are nested too deeply")]
    Depth,
}

/// The arena of one render.
#[derive(Debug, Default)]
pub struct Heap {
    pub(crate) bytes: Vec<u8>,
    lists: Vec<List>,
    maps: Vec<Map>,
    items: Vec<Value>,
    pairs: Vec<Pair>,
    order: Vec<u32>,
    /// Work space of the JSON reader.
    pub(crate) reading: super::json::Reading,
    /// The last text that was built piece by piece.
    built: Option<Text>,
    steps: u64,
    /// Bytes that may be used, at most what 32 bits tell apart.
    memory: usize,
    used: usize,
    /// Lists and maps below these came from the body; one of them was changed.
    watched: (u64, u64),
    pub(crate) touched: bool,
}

impl Heap {
    /// Forgets everything and takes the constants of a template, which [`Text::new`] finds by their place.
    pub(crate) fn begin(&mut self, constants: &[u8], steps: u64, memory: usize) {
        self.bytes.clear();
        self.lists.clear();
        self.maps.clear();
        self.items.clear();
        self.pairs.clear();
        self.order.clear();
        self.bytes.extend_from_slice(constants);
        (self.steps, self.memory, self.used) = (steps, memory.min(u32::MAX as usize), 0);
        (self.watched, self.touched, self.built) = ((0, 0), false, None);
    }

    /// A heap with ample limits, for a document by itself.
    pub fn for_document(steps: u64, memory: usize) -> Self {
        Self { steps, memory: memory.min(u32::MAX as usize), ..Self::default() }
    }

    /// Gives back what an unusually large render took.
    pub(crate) fn shrink(&mut self) {
        if self.used > KEPT {
            *self = Self::default();
        }
    }

    /// Takes steps off.
    #[inline]
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        match self.steps.checked_sub(steps as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(Exhausted::Steps),
        }
    }

    /// Steps that are left.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// Says how many steps are left of those that there were.
    pub(crate) fn leave(&mut self, steps: usize) {
        self.steps = self.steps.min(steps as u64);
    }

    /// Takes memory, in bytes.
    #[inline]
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), Exhausted> {
        self.room(more)?;
        self.used += more;
        Ok(())
    }

    /// Whether there is memory for so many bytes.
    #[inline]
    pub(crate) fn room(&self, more: usize) -> Result<(), Exhausted> {
        if more > self.memory - self.used { Err(Exhausted::Memory) } else { Ok(()) }
    }

    // Text

    /// The bytes of a text.
    #[inline]
    pub fn text(&self, text: Text) -> &[u8] {
        &self.bytes[text.range()]
    }

    /// The characters of a text.
    pub fn str(&self, text: Text) -> &str {
        // Only whole characters are ever stored.
        std::str::from_utf8(self.text(text)).unwrap_or_default()
    }

    /// Stores a text.
    pub fn store(&mut self, text: &str) -> Result<Text, Exhausted> {
        self.store_bytes(text.as_bytes())
    }

    /// Stores bytes that are whole characters.
    pub(crate) fn store_bytes(&mut self, text: &[u8]) -> Result<Text, Exhausted> {
        self.grow(text.len())?;
        self.spend(text.len() / BYTES_A_STEP)?;
        let at = self.bytes.len();
        self.bytes.extend_from_slice(text);
        Ok(Text::new(at, text.len()))
    }

    /// Stores a text that was built. Where it begins with the last one built, only the rest is stored.
    pub(crate) fn store_built(&mut self, text: &[u8]) -> Result<Text, Exhausted> {
        let last = self.built.filter(|last| last.range().end == self.bytes.len());
        let stored = match last.and_then(|last| Some((last, text.strip_prefix(self.text(last))?))) {
            Some((last, rest)) => {
                self.spend(text.len() / BYTES_A_STEP)?;
                self.store_bytes(rest)?;
                Text::new(last.range().start, text.len())
            }
            None => self.store_bytes(text)?,
        };
        self.built = Some(stored);
        Ok(stored)
    }

    // Lists

    /// Makes a list. One that came from JSON prints as JSON, any other as Java prints it.
    pub(crate) fn list(&mut self, items: &[Value], json: bool) -> Result<Value, Exhausted> {
        let at = self.items.len();
        self.take_items(items.len())?;
        self.items.extend_from_slice(items);
        Ok(self.add_list(at, json))
    }

    /// Begins a list whose members are [added](Self::add) one by one. Until it ends no other list may be made.
    #[inline]
    pub(super) fn begin_list(&self) -> Begun {
        Begun(self.items.len())
    }

    /// Adds a member to the list that has begun.
    #[inline]
    pub(super) fn add(&mut self, value: Value) {
        self.items.push(value);
    }

    /// Makes the list that has begun, of JSON.
    #[inline]
    pub(super) fn end_list(&mut self, Begun(at): Begun) -> Result<Value, Exhausted> {
        self.take_items(self.items.len() - at)?;
        Ok(self.add_list(at, true))
    }

    /// Makes no list of what has begun, and hands its members over.
    pub(super) fn give_up_list(&mut self, Begun(at): Begun, members: &mut Vec<Value>) {
        members.extend(self.items.drain(at..));
    }

    /// Takes what members of a list cost.
    #[inline]
    fn take_items(&mut self, len: usize) -> Result<(), Exhausted> {
        self.grow(len * size_of::<Value>() + size_of::<List>())?;
        self.spend(len / ITEMS_A_STEP)
    }

    /// The members from a place on as a list.
    #[inline]
    fn add_list(&mut self, at: usize, json: bool) -> Value {
        let len = (self.items.len() - at) as u32;
        self.lists.push(List { at: at as u32, len, room: len, json });
        Value::List(ListId(self.lists.len() as u64 - 1))
    }

    /// The members of a list.
    #[inline]
    pub fn items(&self, list: ListId) -> &[Value] {
        let List { at, len, .. } = self.lists[list.0 as usize];
        &self.items[at as usize..(at + len) as usize]
    }

    /// Whether it came from JSON.
    pub(crate) fn is_json(&self, list: ListId) -> bool {
        self.lists[list.0 as usize].json
    }

    /// Puts a value into a list, at most behind its last.
    pub(crate) fn insert(
        &mut self,
        list: ListId,
        place: usize,
        value: Value,
    ) -> Result<(), Exhausted> {
        self.touched |= list.0 < self.watched.0;
        let List { at, len, room, .. } = self.lists[list.0 as usize];
        if len == room {
            self.spend(len as usize / ITEMS_A_STEP)?;
            let more = (room * 2).max(4);
            self.grow(more as usize * size_of::<Value>())?;
            let moved = self.items.len() as u32;
            self.items.extend_from_within(at as usize..(at + len) as usize);
            self.items.resize((moved + more) as usize, Value::Null);
            let held = &mut self.lists[list.0 as usize];
            (held.at, held.room) = (moved, more);
        }
        let held = &mut self.lists[list.0 as usize];
        held.len += 1;
        let (at, len) = (held.at as usize, held.len as usize);
        self.spend((len - place) / ITEMS_A_STEP)?;
        let items = &mut self.items[at..at + len];
        items[place..].rotate_right(1);
        items[place] = value;
        Ok(())
    }

    /// Replaces a member and gives the old one.
    pub(crate) fn replace(&mut self, list: ListId, place: usize, value: Value) -> Value {
        self.touched |= list.0 < self.watched.0;
        let at = self.lists[list.0 as usize].at as usize + place;
        std::mem::replace(&mut self.items[at], value)
    }

    /// Takes a member out.
    pub(crate) fn take(&mut self, list: ListId, place: usize) -> Result<Value, Exhausted> {
        self.touched |= list.0 < self.watched.0;
        let held = &mut self.lists[list.0 as usize];
        let (at, len) = (held.at as usize, held.len as usize);
        held.len -= 1;
        self.spend((len - place) / ITEMS_A_STEP)?;
        let items = &mut self.items[at..at + len];
        let taken = items[place];
        items[place..].rotate_left(1);
        Ok(taken)
    }

    /// Takes every member out.
    pub(crate) fn clear_list(&mut self, list: ListId) {
        self.touched |= list.0 < self.watched.0;
        self.lists[list.0 as usize].len = 0;
    }
}

/// Members looked at or moved for a step.
pub(crate) const ITEMS_A_STEP: usize = 8;

/// Bytes looked at or moved for a step.
pub(crate) const BYTES_A_STEP: usize = 256;

/// Bytes that a heap may keep between renders.
const KEPT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn heap() -> Heap {
        Heap::for_document(1 << 20, 1 << 24)
    }

    fn shown(heap: &Heap, map: MapId) -> Vec<(String, i64)> {
        let pair = |(key, value): &Pair| match value {
            Value::Int(number) => (heap.str(*key).to_owned(), *number),
            other => panic!("{other:?}"),
        };
        heap.pairs(map).iter().map(pair).collect()
    }

    #[test]
    fn of_doubled_keys_the_last_value_stands_in_the_first_place() {
        for count in [3, 5, 200] {
            let mut heap = heap();
            let mut pairs = Vec::new();
            for number in 0..count * 2 {
                let key = heap.store(&format!("k{}", number % count)).unwrap();
                pairs.push((key, Value::Int(number)));
            }
            let map = heap.map(&pairs).unwrap();
            let want: Vec<_> = (0..count).map(|n| (format!("k{n}"), n + count)).collect();
            assert_eq!(shown(&heap, map), want);
            for (key, number) in want {
                assert!(
                    matches!(heap.get(map, key.as_bytes()), Some(Value::Int(n)) if n == number)
                );
            }
            assert!(heap.get(map, b"k").is_none());
        }
    }

    #[test]
    fn maps_change_and_keep_their_order() {
        let mut heap = heap();
        let keys: Vec<Text> = (0..40).map(|n| heap.store(&format!("k{n}")).unwrap()).collect();
        let pairs: Vec<Pair> = keys[..20].iter().map(|key| (*key, Value::Int(0))).collect();
        let map = heap.map(&pairs).unwrap();
        for (number, key) in keys.iter().enumerate() {
            let old = heap.put(map, *key, Value::Int(number as i64)).unwrap();
            assert_eq!(old.is_some(), number < 20);
        }
        assert!(
            heap.remove(map, b"k3").unwrap().is_some()
                && heap.remove(map, b"k3").unwrap().is_none()
        );
        let want: Vec<_> = (0..40).filter(|n| *n != 3).map(|n| (format!("k{n}"), n)).collect();
        assert_eq!(shown(&heap, map), want);
        assert!(want.iter().all(|(key, _)| heap.get(map, key.as_bytes()).is_some()));
        heap.clear_map(map);
        assert!(heap.pairs(map).is_empty() && heap.get(map, b"k1").is_none());
    }

    #[test]
    fn lists_grow_apart() {
        let mut heap = heap();
        let Value::List(one) = heap.list(&[Value::Int(1)], false).unwrap() else { panic!() };
        let Value::List(two) = heap.list(&[], true).unwrap() else { panic!() };
        for number in 2..50 {
            heap.insert(one, heap.items(one).len(), Value::Int(number)).unwrap();
            heap.insert(two, 0, Value::Int(-number)).unwrap();
        }
        let numbers = |list| {
            let number = |value: &Value| if let Value::Int(n) = value { *n } else { 0 };
            heap.items(list).iter().map(number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(one), (1..50).collect::<Vec<_>>());
        assert_eq!(numbers(two), (-49..=-2).collect::<Vec<_>>());
        assert!(matches!(heap.take(one, 0), Ok(Value::Int(1))) && heap.items(one).len() == 48);
    }

    #[test]
    fn a_text_built_piece_by_piece_takes_its_length() {
        let mut heap = heap();
        let mut text = heap.store_built(b"").unwrap();
        for _ in 0..1000 {
            let longer = [heap.text(text), b"0123456789"].concat();
            text = heap.store_built(&longer).unwrap();
        }
        assert_eq!((heap.text(text).len(), heap.bytes.len()), (10_000, 10_000));
    }

    #[test]
    fn limits_hold() {
        let mut heap = Heap::for_document(100, 1000);
        assert_eq!(heap.store(&"x".repeat(1001)).unwrap_err(), Exhausted::Memory);
        assert_eq!(heap.list(&[Value::Null; 100], false).unwrap_err(), Exhausted::Memory);
        assert_eq!(heap.spend(101), Err(Exhausted::Steps));
        assert_eq!((heap.spend(100), heap.spend(1)), (Ok(()), Err(Exhausted::Steps)));
    }
}
