//! Maps of a heap.

use super::{Exhausted, Heap, ITEMS_A_STEP, MapId, Pair, Text, Value};

#[derive(Clone, Copy, Debug)]
pub(super) struct Map {
    at: u32,
    len: u32,
    room: u32,
    /// Pairs at the front that `order` has, sorted by key, from `sorted_at`.
    sorted: u32,
    sorted_at: u32,
    /// Each key may be set only once.
    once: bool,
}

impl Map {
    /// Pairs of which none is sorted.
    fn of(at: usize, len: usize) -> Self {
        let (at, len) = (at as u32, len as u32);
        Self { at, len, room: len, sorted: 0, sorted_at: 0, once: false }
    }
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

/// A map that is being read and probably has the keys of an earlier one, in the same order: a copy of that one's pairs, whose
/// values are replaced one by one.
#[derive(Debug)]
pub(crate) struct Like {
    /// Where its pairs begin, the one that is expected next, and the end.
    begin: usize,
    next: usize,
    end: usize,
    earlier: MapId,
}

/// Whether bytes are the same: for few of them quicker than a call.
#[inline]
pub(crate) fn same(one: &[u8], two: &[u8]) -> bool {
    if one.len() != two.len() {
        return false;
    }
    // Two words that overlap where there are fewer bytes.
    macro_rules! ends {
        ($size:literal) => {
            one.first_chunk::<$size>() == two.first_chunk::<$size>()
                && one.last_chunk::<$size>() == two.last_chunk::<$size>()
        };
    }
    match one.len() {
        8..=16 => ends!(8),
        4..=7 => ends!(4),
        2..=3 => ends!(2),
        _ => one == two,
    }
}

impl Heap {
    /// Makes a map. Of pairs with the same key the last one counts, in the place of the first.
    pub(crate) fn map(&mut self, pairs: &[Pair]) -> Result<MapId, Exhausted> {
        let bytes = std::mem::take(&mut self.bytes);
        let made = self.map_of(pairs, &Keys { front: &bytes, behind: &[] });
        self.bytes = bytes;
        made
    }

    /// The same while the heap's bytes are elsewhere.
    pub(crate) fn map_of(&mut self, pairs: &[Pair], keys: &Keys<'_>) -> Result<MapId, Exhausted> {
        let at = self.pairs.len();
        self.take_pairs(pairs.len())?;
        self.pairs.extend_from_slice(pairs);
        let mut map = Map::of(at, pairs.len());
        self.settle(&mut map, keys)?;
        Ok(self.add_map(map))
    }

    /// Begins a map that is like another.
    pub(crate) fn begin_like(&mut self, earlier: MapId) -> Result<Like, Exhausted> {
        let Map { at, len, .. } = self.maps[earlier.0 as usize];
        let (from, len) = (at as usize, len as usize);
        self.take_pairs(len)?;
        let begin = self.pairs.len();
        self.pairs.extend_from_within(from..from + len);
        Ok(Like { begin, next: begin, end: begin + len, earlier })
    }

    /// The key that is expected next.
    #[inline(always)]
    pub(crate) fn like_key(&self, like: &Like) -> Option<Text> {
        if like.next == like.end { None } else { self.pairs.get(like.next).map(|pair| pair.0) }
    }

    /// What the earlier map has there.
    pub(crate) fn like_value(&self, like: &Like) -> Value {
        self.pairs[like.next].1
    }

    /// It is that key, with this value.
    #[inline(always)]
    pub(crate) fn set_like(&mut self, like: &mut Like, value: Value) {
        self.pairs[like.next].1 = value;
        like.next += 1;
    }

    /// The pairs that were read.
    pub(crate) fn like_pairs(&self, like: &Like) -> &[Pair] {
        &self.pairs[like.begin..like.next]
    }

    /// Ends it, if it has all keys of the earlier one: then none is doubled, and they are sorted alike.
    #[inline]
    pub(crate) fn end_like(&mut self, like: &Like) -> Option<MapId> {
        if like.next < like.end {
            return None;
        }
        let Map { sorted, sorted_at, .. } = self.maps[like.earlier.0 as usize];
        let map = Map::of(like.begin, like.end - like.begin);
        Some(self.add_map(Map { sorted, sorted_at, ..map }))
    }

    /// Takes what pairs of a map cost.
    #[inline]
    fn take_pairs(&mut self, len: usize) -> Result<(), Exhausted> {
        self.grow(len * size_of::<Pair>() + size_of::<Map>())?;
        self.spend(len / ITEMS_A_STEP)
    }

    #[inline]
    fn add_map(&mut self, map: Map) -> MapId {
        self.maps.push(map);
        MapId(self.maps.len() as u64 - 1)
    }

    fn settle(&mut self, map: &mut Map, keys: &Keys<'_>) -> Result<(), Exhausted> {
        if map.len as usize <= SCANNED {
            self.settle_few(map, keys);
            Ok(())
        } else {
            self.settle_many(map, keys)
        }
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

    /// One of them.
    #[inline(always)]
    pub(crate) fn pair(&self, map: MapId, place: usize) -> Option<Pair> {
        let Map { at, len, .. } = self.maps[map.0 as usize];
        if place < len as usize { self.pairs.get(at as usize + place).copied() } else { None }
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
        let held = |pair: &Pair| same(self.text(pair.0), key);
        pairs[sorted..].iter().position(held).map(|place| sorted + place)
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
const SCANNED: usize = 32;
