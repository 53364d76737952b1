//! Values of a mapping: JSON documents, and what templates make of them.
//!
//! A [`Value`] is small and copied freely; text and members stand in a [`Heap`], an arena that one render fills and the next one
//! reuses, so a render allocates nothing once its heap has grown. Lists and maps have identity, as in the Java that templates
//! were made for: what is put into a map is seen through every name the map has. Nothing is freed before the end; what a render
//! may hold and how much it may do is metered here, because everything that costs passes through here.

/// A value of a template or of a JSON document.
///
/// What each kind holds is one integer of 64 bits, so that a value travels in two registers; that is a good part of how fast a
/// template renders.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// JSON's `null`, and what does not exist.
    Null,
    /// `true` or `false`.
    Bool(Truth),
    /// An integer of at most 64 bits.
    Int(i64),
    /// A number that was calculated.
    Float(Double),
    /// Any other number, as written in JSON: a fraction, an exponent, or more digits than an [`Int`](Self::Int) holds.
    Number(Text),
    /// Text, UTF-8.
    Text(Text),
    /// A list.
    List(ListId),
    /// A map in order of insertion.
    Map(MapId),
    /// A pair of a map, as `entrySet` gives it.
    Entry(EntryId),
    /// Something a template calls, but that is no data.
    Object(Object),
    /// `$foreach` of the loop at this depth.
    Loop(u64),
    /// What `#define` named: an index into the template's definitions.
    Block(u64),
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(if yes { Truth::True } else { Truth::False })
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(Double(number.to_bits()))
    }
}

/// A boolean as wide as all that values hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
#[allow(missing_docs)]
pub enum Truth {
    False,
    True,
}

impl Truth {
    /// As a boolean.
    pub fn holds(self) -> bool {
        self == Self::True
    }
}

/// A floating-point number, by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Double(u64);

impl Double {
    /// As a number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// What a template can call that is no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Object {
    /// `$input`
    Input,
    /// `$util`
    Util,
    /// `$context`, as long as nothing has been read of it.
    Context,
    /// `$stageVariables`, likewise.
    StageVariables,
}

/// Bytes in a heap, always whole characters: where they begin in the low 32 bits, how many there are above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text(u64);

impl Text {
    /// No characters.
    pub(crate) const EMPTY: Self = Self(0);

    /// The text at a place that [`Heap::begin`] filled.
    #[inline]
    pub(crate) fn new(at: usize, len: usize) -> Self {
        Self(at as u64 & 0xffff_ffff | (len as u64) << 32)
    }

    /// Whether it has no characters.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many bytes it has.
    #[inline]
    pub fn len(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// Where it stands.
    #[inline]
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        let at = (self.0 & 0xffff_ffff) as usize;
        at..at + self.len()
    }

    /// A part of it, in bytes.
    pub(crate) fn part(self, from: usize, to: usize) -> Self {
        Self::new(self.range().start + from, to - from)
    }
}

/// A pair of a map in a heap: the map in the low 32 bits, the place above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId(u64);

impl EntryId {
    pub(crate) fn new(map: MapId, place: usize) -> Self {
        Self(map.0 | (place as u64) << 32)
    }

    /// The map, and the place in it.
    pub(crate) fn parts(self) -> (MapId, usize) {
        (MapId(self.0 & 0xffff_ffff), (self.0 >> 32) as usize)
    }
}

/// A list in a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListId(u64);

/// A map in a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapId(u64);

/// A key with its value.
pub(crate) type Pair = (Text, Value);

#[derive(Clone, Copy, Debug)]
struct List {
    at: u32,
    len: u32,
    room: u32,
    /// Came from JSON, and prints as JSON.
    json: bool,
}

#[derive(Clone, Copy, Debug)]
struct Map {
    at: u32,
    len: u32,
    room: u32,
    /// Pairs at the front that `order` has, sorted by key, from `sorted_at`.
    sorted: u32,
    sorted_at: u32,
    /// Each key may be set only once.
    once: bool,
}

/// Where the keys of a map are found while it is made.
pub(crate) struct Keys<'k> {
    /// The bytes of the heap.
    pub(crate) front: &'k [u8],
    /// Those that will stand behind them.
    pub(crate) behind: &'k [u8],
}

impl<'k> Keys<'k> {
    fn get(&self, key: Text) -> &'k [u8] {
        let range = key.range();
        match range.start.checked_sub(self.front.len()) {
            None => &self.front[range],
            Some(at) => &self.behind[at..at + key.len()],
        }
    }
}

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
        self.grow(size_of_val(items) + size_of::<List>())?;
        self.spend(items.len() / ITEMS_A_STEP)?;
        let (at, len) = (self.items.len() as u32, items.len() as u32);
        self.items.extend_from_slice(items);
        self.lists.push(List { at, len, room: len, json });
        Ok(Value::List(ListId(self.lists.len() as u64 - 1)))
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

    // Maps

    /// Makes a map. Of pairs with the same key the last one counts, in the place of the first.
    pub(crate) fn map(&mut self, pairs: &[Pair]) -> Result<MapId, Exhausted> {
        let bytes = std::mem::take(&mut self.bytes);
        let made = self.map_of(pairs, &Keys { front: &bytes, behind: &[] });
        self.bytes = bytes;
        made
    }

    /// The same while the heap's bytes are elsewhere.
    pub(crate) fn map_of(&mut self, pairs: &[Pair], keys: &Keys<'_>) -> Result<MapId, Exhausted> {
        self.grow(size_of_val(pairs) + size_of::<Map>())?;
        self.spend(pairs.len() / ITEMS_A_STEP)?;
        let (at, len) = (self.pairs.len() as u32, pairs.len() as u32);
        self.pairs.extend_from_slice(pairs);
        let mut map = Map { at, len, room: len, sorted: 0, sorted_at: 0, once: false };
        if pairs.len() <= SCANNED {
            self.settle_few(&mut map, keys);
        } else {
            self.settle_many(&mut map, keys)?;
        }
        self.maps.push(map);
        Ok(MapId(self.maps.len() as u64 - 1))
    }

    /// Drops doubled keys by comparing those that may be the same.
    fn settle_few(&mut self, map: &mut Map, keys: &Keys<'_>) {
        let pairs = &mut self.pairs[map.at as usize..];
        let (mut next, mut end) = (0, pairs.len());
        // A bit for each key seen. Few keys share one that are not the same.
        let mut seen = 0u64;
        while next < end {
            let (key, value) = pairs[next];
            let bytes = keys.get(key);
            let ends = bytes.first().zip(bytes.last());
            let (first, last) = ends.map_or((0, 0), |(f, l)| (usize::from(*f), usize::from(*l)));
            let bit = 1 << ((bytes.len() * 7 + first * 5 + last) % 64);
            let doubled = if seen & bit == 0 {
                None
            } else {
                pairs[..next].iter().position(|held| keys.get(held.0) == bytes)
            };
            seen |= bit;
            match doubled {
                Some(held) => {
                    pairs[held].1 = value;
                    pairs.copy_within(next + 1..end, next);
                    end -= 1;
                }
                None => next += 1,
            }
        }
        map.len = end as u32;
    }

    /// Drops doubled keys by sorting, and keeps the order for lookups. Sorting keeps hostile keys from costing more than others.
    fn settle_many(&mut self, map: &mut Map, keys: &Keys<'_>) -> Result<(), Exhausted> {
        self.spend(map.len as usize)?;
        let pairs = &mut self.pairs[map.at as usize..];
        let sorted = |pairs: &[Pair]| {
            let mut order: Vec<u32> = (0..pairs.len() as u32).collect();
            let key = |place: u32| keys.get(pairs[place as usize].0);
            order.sort_by(|a, b| key(*a).cmp(key(*b)).then(a.cmp(b)));
            order
        };
        let mut order = sorted(pairs);
        let mut doubled = vec![false; pairs.len()];
        let mut first = order[0] as usize;
        for next in order[1..].iter().map(|place| *place as usize) {
            if keys.get(pairs[first].0) == keys.get(pairs[next].0) {
                pairs[first].1 = pairs[next].1;
                doubled[next] = true;
            } else {
                first = next;
            }
        }
        if doubled.contains(&true) {
            let mut kept = 0;
            for place in (0..pairs.len()).filter(|place| !doubled[*place]) {
                pairs[kept] = pairs[place];
                kept += 1;
            }
            map.len = kept as u32;
            order = sorted(&pairs[..kept]);
        }
        self.grow(size_of_val(&order[..]))?;
        (map.sorted, map.sorted_at) = (map.len, self.order.len() as u32);
        self.order.extend_from_slice(&order);
        Ok(())
    }

    /// Lets each key be set only once from now on.
    pub(crate) fn set_once(&mut self, map: MapId) {
        self.maps[map.0 as usize].once = true;
    }

    /// Whether each key may be set only once.
    pub(crate) fn is_once(&self, map: MapId) -> bool {
        self.maps[map.0 as usize].once
    }

    /// The pairs of a map in order.
    #[inline]
    pub(crate) fn pairs(&self, map: MapId) -> &[Pair] {
        let Map { at, len, .. } = self.maps[map.0 as usize];
        &self.pairs[at as usize..(at + len) as usize]
    }

    /// Where a key stands among the pairs.
    #[inline]
    pub(crate) fn find(&self, map: MapId, key: &[u8]) -> Option<usize> {
        let held = self.maps[map.0 as usize];
        let pairs = self.pairs(map);
        let sorted = held.sorted as usize;
        if sorted > 0 {
            let from = held.sorted_at as usize;
            let order = &self.order[from..from + sorted];
            let found = order.binary_search_by(|p| self.text(pairs[*p as usize].0).cmp(key));
            if let Ok(found) = found {
                return Some(order[found] as usize);
            }
        }
        let same = |pair: &Pair| self.text(pair.0) == key;
        pairs[sorted..].iter().position(same).map(|place| sorted + place)
    }

    /// Steps that [`find`](Self::find) may take.
    pub(crate) fn finding(&self, map: MapId) -> usize {
        let held = self.maps[map.0 as usize];
        1 + (held.len - held.sorted) as usize / ITEMS_A_STEP
    }

    /// The value of a key.
    pub fn get(&self, map: MapId, key: &[u8]) -> Option<Value> {
        self.find(map, key).map(|place| self.pairs(map)[place].1)
    }

    /// Sets a key and gives the old value.
    pub(crate) fn put(
        &mut self,
        map: MapId,
        key: Text,
        value: Value,
    ) -> Result<Option<Value>, Exhausted> {
        self.touched |= map.0 < self.watched.1;
        self.spend(self.finding(map))?;
        let found = self.find(map, self.text(key));
        let Map { at, len, room, .. } = self.maps[map.0 as usize];
        if let Some(place) = found {
            let held = &mut self.pairs[at as usize + place].1;
            return Ok(Some(std::mem::replace(held, value)));
        }
        if len == room {
            let more = (room * 2).max(4);
            self.grow(more as usize * size_of::<Pair>())?;
            self.spend(len as usize / ITEMS_A_STEP)?;
            let moved = self.pairs.len() as u32;
            self.pairs.extend_from_within(at as usize..(at + len) as usize);
            self.pairs.resize((moved + more) as usize, (key, Value::Null));
            let held = &mut self.maps[map.0 as usize];
            (held.at, held.room) = (moved, more);
        }
        let held = &mut self.maps[map.0 as usize];
        self.pairs[(held.at + held.len) as usize] = (key, value);
        held.len += 1;
        Ok(None)
    }

    /// Takes a key out and gives its value.
    pub(crate) fn remove(&mut self, map: MapId, key: &[u8]) -> Result<Option<Value>, Exhausted> {
        self.touched |= map.0 < self.watched.1;
        let Some(place) = self.find(map, key) else { return Ok(None) };
        let held = &mut self.maps[map.0 as usize];
        let (at, len) = (held.at as usize, held.len as usize);
        held.len -= 1;
        // The order names places that move now.
        held.sorted = 0;
        self.spend((len - place) / ITEMS_A_STEP)?;
        let pairs = &mut self.pairs[at..at + len];
        let taken = pairs[place].1;
        pairs[place..].rotate_left(1);
        Ok(Some(taken))
    }

    /// Takes every key out.
    pub(crate) fn clear_map(&mut self, map: MapId) {
        self.touched |= map.0 < self.watched.1;
        let held = &mut self.maps[map.0 as usize];
        (held.len, held.sorted) = (0, 0);
    }

    /// From now on [`touched`](Self::touched) tells whether anything made until now was changed.
    pub(crate) fn watch(&mut self) {
        self.watched = (self.lists.len() as u64, self.maps.len() as u64);
        self.touched = false;
    }
}

/// Maps up to this many pairs are searched one by one.
const SCANNED: usize = 16;

/// Members looked at or moved for a step.
const ITEMS_A_STEP: usize = 8;

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
