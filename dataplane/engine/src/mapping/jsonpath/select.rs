//! Following a path through a document.

use super::super::heap::{Exhausted, Heap, ListId, Value};
use super::super::number::Number;
use super::{Function, JsonPath, Segment, Selector};

impl JsonPath {
    /// What the path leads to in a document: `None` where a path that can only lead to one place leads nowhere. A path that may
    /// lead to many gives a new list, empty if need be.
    pub fn select(&self, heap: &mut Heap, root: Value) -> Result<Option<Value>, Exhausted> {
        self.select_from(heap, root, root)
    }

    /// The same from a place in it, which `@` means in a filter.
    pub(super) fn select_from(
        &self,
        heap: &mut Heap,
        from: Value,
        root: Value,
    ) -> Result<Option<Value>, Exhausted> {
        let found = if self.definite {
            definite(heap, &self.segments, from)?
        } else {
            let mut found = Vec::new();
            Walk { heap, root, found: &mut found }.follow(&self.segments, from)?;
            Some(heap.list(&found, true)?)
        };
        match (self.function, found) {
            (Some(function), Some(value)) => function.of(heap, value),
            (_, found) => Ok(found),
        }
    }
}

fn definite(
    heap: &mut Heap,
    segments: &[Segment],
    from: Value,
) -> Result<Option<Value>, Exhausted> {
    let mut value = from;
    for segment in segments {
        let next = match (&segment.what, value) {
            (Selector::Name(name), Value::Map(map)) => {
                heap.spend(heap.finding(map))?;
                heap.get(map, name.as_bytes())
            }
            (Selector::Names(names), Value::Map(_)) => Some(several(heap, names, value)?),
            (Selector::Index(index), Value::List(list)) => {
                heap.spend(1)?;
                member(heap, list, *index)
            }
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// The member at an index; a negative one counts from the end.
fn member(heap: &Heap, list: ListId, index: i64) -> Option<Value> {
    let items = heap.items(list);
    let at = if index < 0 { index + items.len() as i64 } else { index };
    usize::try_from(at).ok().and_then(|at| items.get(at)).copied()
}

/// Those members of a map, as a map.
fn several(heap: &mut Heap, names: &[Box<str>], of: Value) -> Result<Value, Exhausted> {
    let mut pairs = Vec::new();
    if let Value::Map(map) = of {
        for name in names {
            heap.spend(heap.finding(map))?;
            if let Some(place) = heap.find(map, name.as_bytes()) {
                pairs.push(heap.pairs(map)[place]);
            }
        }
    }
    Ok(Value::Map(heap.map(&pairs)?))
}

struct Walk<'w> {
    heap: &'w mut Heap,
    root: Value,
    found: &'w mut Vec<Value>,
}

impl Walk<'_> {
    /// Follows the segments from a value; recursion is as deep as there are segments.
    fn follow(&mut self, segments: &[Segment], value: Value) -> Result<(), Exhausted> {
        self.heap.spend(1)?;
        let Some((segment, rest)) = segments.split_first() else {
            self.heap.room(size_of_val(&self.found[..]))?;
            self.found.push(value);
            return Ok(());
        };
        if !segment.deep {
            return self.apply(&segment.what, rest, value);
        }
        let mut waiting = vec![value];
        while let Some(value) = waiting.pop() {
            self.heap.spend(1)?;
            match (&segment.what, value) {
                // Every list and map below is tried itself, so that none is tried twice.
                (Selector::Filter(filter), Value::List(_) | Value::Map(_)) => {
                    if filter.passes(self.heap, value, self.root)? {
                        self.follow(rest, value)?;
                    }
                }
                (what, value) => self.apply(what, rest, value)?,
            }
            let children = waiting.len();
            match value {
                Value::List(list) => waiting.extend(self.heap.items(list)),
                Value::Map(map) => waiting.extend(self.heap.pairs(map).iter().map(|(_, v)| *v)),
                _ => {}
            }
            waiting[children..].reverse();
            self.heap.room(size_of_val(&waiting[..]))?;
        }
        Ok(())
    }

    fn apply(&mut self, what: &Selector, rest: &[Segment], value: Value) -> Result<(), Exhausted> {
        match (what, value) {
            (Selector::Name(name), Value::Map(map)) => {
                self.heap.spend(self.heap.finding(map))?;
                match self.heap.get(map, name.as_bytes()) {
                    Some(value) => self.follow(rest, value),
                    None => Ok(()),
                }
            }
            (Selector::Names(names), Value::Map(_)) if rest.is_empty() => {
                let value = several(self.heap, names, value)?;
                self.follow(rest, value)
            }
            (Selector::Names(names), Value::Map(map)) => {
                for name in names {
                    self.heap.spend(self.heap.finding(map))?;
                    if let Some(value) = self.heap.get(map, name.as_bytes()) {
                        self.follow(rest, value)?;
                    }
                }
                Ok(())
            }
            (Selector::Index(index), Value::List(list)) => {
                member(self.heap, list, *index).map_or(Ok(()), |value| self.follow(rest, value))
            }
            (Selector::Indices(all), Value::List(list)) => {
                for index in all {
                    if let Some(value) = member(self.heap, list, *index) {
                        self.follow(rest, value)?;
                    }
                }
                Ok(())
            }
            (Selector::Slice { from, to }, Value::List(list)) => {
                let len = self.heap.items(list).len();
                let place = |index: i64| {
                    let at = if index < 0 { index.saturating_add(len as i64) } else { index };
                    at.clamp(0, len as i64) as usize
                };
                for at in from.map_or(0, place)..to.map_or(len, place) {
                    self.follow(rest, self.heap.items(list)[at])?;
                }
                Ok(())
            }
            (Selector::All, Value::List(list)) => {
                for at in 0..self.heap.items(list).len() {
                    self.follow(rest, self.heap.items(list)[at])?;
                }
                Ok(())
            }
            (Selector::All, Value::Map(map)) => {
                for at in 0..self.heap.pairs(map).len() {
                    self.follow(rest, self.heap.pairs(map)[at].1)?;
                }
                Ok(())
            }
            (Selector::Filter(filter), Value::List(list)) => {
                for at in 0..self.heap.items(list).len() {
                    let item = self.heap.items(list)[at];
                    if filter.passes(self.heap, item, self.root)? {
                        self.follow(rest, item)?;
                    }
                }
                Ok(())
            }
            (Selector::Filter(filter), Value::Map(_)) => {
                if filter.passes(self.heap, value, self.root)? {
                    self.follow(rest, value)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Function {
    fn of(self, heap: &mut Heap, value: Value) -> Result<Option<Value>, Exhausted> {
        let size = match value {
            Value::List(list) => Some(heap.items(list).len()),
            Value::Map(map) => Some(heap.pairs(map).len()),
            Value::Text(text) => Some(heap.str(text).encode_utf16().count()),
            _ => None,
        };
        if self == Self::Length {
            return Ok(size.map(|size| Value::Int(size as i64)));
        }
        let Value::List(list) = value else { return Ok(None) };
        heap.spend(size.unwrap_or_default())?;
        let numbers = heap.items(list).iter().filter_map(|item| Number::of(heap, *item));
        let numbers: Vec<f64> = numbers.map(Number::float).collect();
        if numbers.is_empty() {
            return Ok(None);
        }
        let sum: f64 = numbers.iter().sum();
        Ok(Some(Value::from(match self {
            Self::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Average => sum / numbers.len() as f64,
            Self::Sum | Self::Length => sum,
        })))
    }
}
