//! Methods, indices and properties of values, named as those of the Java classes behind them.
//!
//! A method or property that a value does not have leads to nothing; a method that would throw in Java fails the render.

use super::super::heap::{EntryId, ListId, MapId, Object, Text, Value};
use super::super::number::Number;
use super::error::Fault;
use super::names::{Method, Property};
use super::run::Run;
use super::tree::Ready;

impl<'r> Run<'r> {
    /// Calls a method.
    pub(super) fn call(
        &mut self,
        of: Value,
        method: Method,
        arguments: &[Value],
        ready: &'r Ready,
    ) -> Result<Value, Box<Fault>> {
        match (method, arguments) {
            (Method::ToString, []) => return Ok(Value::Text(self.as_text(of)?)),
            (Method::Equals, [other]) => return Ok(Value::from(self.equal(of, *other)?)),
            _ => {}
        }
        match of {
            Value::Text(text) => self.text_method(text, method, arguments, ready),
            Value::List(list) => self.list_method(list, method, arguments),
            Value::Map(map) => self.map_method(map, method, arguments),
            Value::Object(Object::Input) => self.input_method(method, arguments, ready),
            Value::Object(Object::Util) => self.util_method(method, arguments),
            Value::Loop(depth) => Ok(self.loop_property(
                depth,
                match (method, arguments) {
                    (Method::GetIndex, []) => Property::Index,
                    (Method::GetCount, []) => Property::Count,
                    (Method::GetHasNext | Method::HasNext, []) => Property::HasNext,
                    _ => Property::Other,
                },
            )),
            Value::Entry(entry) => self.entry_method(entry, method, arguments),
            Value::Int(_) | Value::Float(_) | Value::Number(_) => {
                self.number_method(of, method, arguments)
            }
            Value::Bool(_) if (method, arguments.len()) == (Method::BooleanValue, 0) => Ok(of),
            _ => Ok(Value::Null),
        }
    }

    /// A property of anything but a map.
    pub(super) fn property(&mut self, of: Value, name: Property) -> Result<Value, Box<Fault>> {
        Ok(match (of, name) {
            (Value::Loop(depth), name) => self.loop_property(depth, name),
            (Value::Object(Object::Input), Property::Body) => Value::Text(self.body_text()?),
            (Value::Entry(entry), Property::Key | Property::Value) => {
                let (map, place) = entry.parts();
                match self.heap.pairs(map).get(place) {
                    Some((key, _)) if name == Property::Key => Value::Text(*key),
                    Some((_, value)) => *value,
                    None => Value::Null,
                }
            }
            (Value::Text(text), Property::Empty) => Value::from(text.is_empty()),
            (Value::List(list), Property::Empty) => Value::from(self.heap.items(list).is_empty()),
            _ => Value::Null,
        })
    }

    #[inline]
    pub(super) fn loop_property(&self, depth: u64, name: Property) -> Value {
        let loops = &self.loops;
        let Some(held) = loops.get(depth as usize) else { return Value::Null };
        match name {
            Property::Index => Value::Int(held.index as i64),
            Property::Count => Value::Int(held.index as i64 + 1),
            Property::HasNext => Value::from(held.index + 1 < held.len),
            Property::First => Value::from(held.index == 0),
            Property::Last => Value::from(held.index + 1 == held.len),
            Property::Parent => depth.checked_sub(1).map_or(Value::Null, Value::Loop),
            Property::Topmost => Value::Loop(0),
            _ => Value::Null,
        }
    }

    /// `[index]`
    pub(super) fn index(&mut self, of: Value, index: Value) -> Result<Value, Box<Fault>> {
        match (of, index) {
            (Value::List(list), Value::Int(index)) => {
                let place = self.place(list, index)?;
                Ok(self.heap.items(list)[place])
            }
            (Value::Map(map), index) => {
                let key = self.key(index)?;
                self.get(map, key)
            }
            _ => Ok(Value::Null),
        }
    }

    /// The place of an index in a list; a negative one counts from the end.
    pub(super) fn place(&mut self, list: ListId, index: i64) -> Result<usize, Box<Fault>> {
        let size = self.heap.items(list).len();
        let at = if index < 0 { index.saturating_add(size as i64) } else { index };
        match usize::try_from(at) {
            Ok(at) if at < size => Ok(at),
            _ => Err(Fault::Index { index, size }.into()),
        }
    }

    fn get(&mut self, map: MapId, key: Text) -> Result<Value, Box<Fault>> {
        let heap = &mut *self.heap;
        heap.spend(heap.finding(map))?;
        Ok(heap.get(map, heap.text(key)).unwrap_or(Value::Null))
    }

    // Lists

    fn list_method(
        &mut self,
        list: ListId,
        method: Method,
        arguments: &[Value],
    ) -> Result<Value, Box<Fault>> {
        let size = self.heap.items(list).len();
        Ok(match (method, arguments) {
            (Method::Size, []) => Value::Int(size as i64),
            (Method::IsEmpty, []) => Value::from(size == 0),
            (Method::Get, [Value::Int(index)]) => {
                let place = self.within(*index, size)?;
                self.heap.items(list)[place]
            }
            (Method::Set, [Value::Int(index), value]) => {
                let (place, value) = (self.within(*index, size)?, self.held(*value));
                self.heap.replace(list, place, value)
            }
            (Method::Add, [value]) => {
                let value = self.held(*value);
                self.heap.insert(list, size, value)?;
                Value::from(true)
            }
            (Method::Add, [Value::Int(index), value]) => {
                let (place, value) = (self.within(*index, size + 1)?, self.held(*value));
                self.heap.insert(list, place, value)?;
                VOID
            }
            (Method::AddAll, [Value::List(other)]) => {
                let more = self.heap.items(*other).len();
                for at in 0..more {
                    let value = self.heap.items(*other)[at];
                    self.heap.insert(list, size + at, value)?;
                }
                Value::from(more > 0)
            }
            (Method::Remove, [Value::Int(index)]) => {
                let place = self.within(*index, size)?;
                self.heap.take(list, place)?
            }
            (Method::Remove, [value]) => match self.find(list, *value, false)? {
                Some(place) => {
                    self.heap.take(list, place)?;
                    Value::from(true)
                }
                None => Value::from(false),
            },
            (Method::Contains, [value]) => Value::from(self.find(list, *value, false)?.is_some()),
            (Method::ContainsAll, [Value::List(other)]) => {
                for at in 0..self.heap.items(*other).len() {
                    let value = self.heap.items(*other)[at];
                    if self.find(list, value, false)?.is_none() {
                        return Ok(Value::from(false));
                    }
                }
                Value::from(true)
            }
            (Method::IndexOf | Method::LastIndexOf, [value]) => {
                let found = self.find(list, *value, method == Method::LastIndexOf)?;
                Value::Int(found.map_or(-1, |place| place as i64))
            }
            (Method::SubList, [Value::Int(from), Value::Int(to)]) => {
                let (from, to) = (self.within(*from, size + 1)?, self.within(*to, size + 1)?);
                if from > to {
                    return Err(Fault::Index { index: to as i64, size }.into());
                }
                let part = self.heap.items(list)[from..to].to_vec();
                self.heap.list(&part, false)?
            }
            (Method::Clear, []) => {
                self.heap.clear_list(list);
                VOID
            }
            _ => Value::Null,
        })
    }

    /// An index as Java's lists take it: not negative.
    pub(super) fn within(&self, index: i64, size: usize) -> Result<usize, Box<Fault>> {
        match usize::try_from(index) {
            Ok(at) if at < size => Ok(at),
            _ => Err(Fault::Index { index, size }.into()),
        }
    }

    fn find(
        &mut self,
        list: ListId,
        value: Value,
        last: bool,
    ) -> Result<Option<usize>, Box<Fault>> {
        let size = self.heap.items(list).len();
        self.heap.spend(size / 8)?;
        for step in 0..size {
            let at = if last { size - 1 - step } else { step };
            let item = self.heap.items(list)[at];
            // What Java's equals tells apart: text is no number.
            let alike =
                matches!(item, Value::Text(_)) == matches!(value, Value::Text(_) | Value::Null);
            if alike && self.equal(item, value)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    // Maps

    fn map_method(
        &mut self,
        map: MapId,
        method: Method,
        arguments: &[Value],
    ) -> Result<Value, Box<Fault>> {
        let size = self.heap.pairs(map).len();
        Ok(match (method, arguments) {
            (Method::Size, []) => Value::Int(size as i64),
            (Method::IsEmpty, []) => Value::from(size == 0),
            (Method::Get, [key]) => {
                let key = self.key(*key)?;
                self.get(map, key)?
            }
            (Method::GetOrDefault, [key, default]) => {
                let key = self.key(*key)?;
                let heap = &mut *self.heap;
                heap.spend(heap.finding(map))?;
                heap.get(map, heap.text(key)).unwrap_or(*default)
            }
            (Method::ContainsKey, [key]) => {
                let key = self.key(*key)?;
                let heap = &mut *self.heap;
                heap.spend(heap.finding(map))?;
                Value::from(heap.find(map, heap.text(key)).is_some())
            }
            (Method::ContainsValue, [value]) => {
                for at in 0..size {
                    let held = self.heap.pairs(map)[at].1;
                    self.heap.spend(1)?;
                    if self.equal(held, *value)? {
                        return Ok(Value::from(true));
                    }
                }
                Value::from(false)
            }
            (Method::Put, [key, value]) => {
                let key = self.key(*key)?;
                self.put(map, key, *value)?
            }
            (Method::PutIfAbsent, [key, value]) => {
                let key = self.key(*key)?;
                match self.get(map, key)? {
                    Value::Null => self.put(map, key, *value)?,
                    held => held,
                }
            }
            (Method::PutAll, [Value::Map(other)]) => {
                for at in 0..self.heap.pairs(*other).len() {
                    let (key, value) = self.heap.pairs(*other)[at];
                    self.put(map, key, value)?;
                }
                VOID
            }
            (Method::Remove, [key]) => {
                let key = self.key(*key)?;
                let heap = &mut *self.heap;
                heap.spend(heap.finding(map))?;
                let key = heap.text(key).to_vec();
                heap.remove(map, &key)?.unwrap_or(Value::Null)
            }
            (Method::KeySet, []) => {
                let keys: Vec<Value> =
                    self.heap.pairs(map).iter().map(|(key, _)| Value::Text(*key)).collect();
                self.heap.list(&keys, false)?
            }
            (Method::Values, []) => {
                let values: Vec<Value> =
                    self.heap.pairs(map).iter().map(|(_, value)| *value).collect();
                self.heap.list(&values, false)?
            }
            (Method::EntrySet, []) => {
                let entries: Vec<Value> =
                    (0..size).map(|at| Value::Entry(EntryId::new(map, at))).collect();
                self.heap.list(&entries, false)?
            }
            (Method::Clear, []) => {
                self.heap.clear_map(map);
                VOID
            }
            _ => Value::Null,
        })
    }

    fn entry_method(
        &mut self,
        entry: EntryId,
        method: Method,
        arguments: &[Value],
    ) -> Result<Value, Box<Fault>> {
        match (method, arguments) {
            (Method::GetKey, []) => self.property(Value::Entry(entry), Property::Key),
            (Method::GetValue, []) => self.property(Value::Entry(entry), Property::Value),
            (Method::SetValue, [value]) => {
                let (map, place) = entry.parts();
                match self.heap.pairs(map).get(place).copied() {
                    Some((key, _)) => self.put(map, key, *value),
                    None => Ok(Value::Null),
                }
            }
            _ => Ok(Value::Null),
        }
    }

    // Numbers

    fn number_method(
        &mut self,
        of: Value,
        method: Method,
        arguments: &[Value],
    ) -> Result<Value, Box<Fault>> {
        let heap = &*self.heap;
        let Some(number) = Number::of(heap, of) else { return Ok(Value::Null) };
        Ok(match (method, arguments) {
            (Method::IntValue, []) => Value::Int(match number {
                // Java keeps the low bits of a whole number, and the nearest of any other.
                Number::Int(number) => i64::from(number as i32),
                Number::Float(number) => i64::from(number as i32),
            }),
            (Method::LongValue, []) => Value::Int(match number {
                Number::Int(number) => number as i64,
                Number::Float(number) => number as i64,
            }),
            (Method::DoubleValue | Method::FloatValue, []) => Value::from(number.float()),
            (Method::CompareTo, [other]) => match Number::of(heap, *other) {
                Some(other) => Value::Int(number.compare(other).map_or(0, |order| order as i64)),
                None => Value::Null,
            },
            (Method::HashCode, []) => match number {
                Number::Int(number) => {
                    Value::Int(i64::from(((number as i64) ^ ((number as i64) >> 32)) as i32))
                }
                Number::Float(_) => Value::Null,
            },
            (Method::ParseInt | Method::ParseLong, [Value::Text(text)]) => {
                let parsed = heap.str(*text).parse();
                Value::Int(parsed.map_err(|_| Fault::Argument("parseInt"))?)
            }
            (Method::ValueOf, [Value::Text(text)]) if matches!(number, Number::Int(_)) => {
                let parsed = heap.str(*text).parse();
                Value::Int(parsed.map_err(|_| Fault::Argument("valueOf"))?)
            }
            (Method::ParseDouble | Method::ValueOf, [Value::Text(text)]) => {
                let parsed = heap.str(*text).trim().parse::<f64>();
                Value::from(parsed.map_err(|_| Fault::Argument("parseDouble"))?)
            }
            _ => Value::Null,
        })
    }
}

/// What a method without a result gives: empty text, as in Velocity.
const VOID: Value = Value::Text(Text::EMPTY);
