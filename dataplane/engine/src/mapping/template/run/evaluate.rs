//! What references and expressions come to.

use super::super::super::heap::{MapId, Text, Value, same};
use super::super::error::Fault;
use super::super::scope::Hint;
use super::super::tree::{Block, Expression, Reference, Shape, Step};
use super::Run;

impl<'r> Run<'r> {
    /// What a reference leads to.
    #[inline(always)]
    pub(in super::super) fn reference(
        &mut self,
        reference: &'r Reference,
    ) -> Result<Value, Box<Fault>> {
        match self.at_hand(reference) {
            Some(value) => Ok(value),
            None => self.any_reference(reference),
        }
    }

    /// What the most frequent references lead to: `$name`, `$name.member` of a map whose member is where it last was, and
    /// properties of loops.
    #[inline(always)]
    pub(in super::super) fn at_hand(&self, reference: &Reference) -> Option<Value> {
        if !self.plain {
            return None;
        }
        match (reference.shape, self.variables[usize::from(reference.slot)]) {
            (Shape::Variable, Value::Object(_)) => None,
            (Shape::Variable, value) => Some(value),
            (Shape::Member { hint, .. }, Value::Map(map)) => self.remembered(map, hint),
            (Shape::Member { known, .. }, Value::Loop(depth)) => {
                Some(self.loop_property(depth, known))
            }
            _ => None,
        }
    }

    #[inline(never)]
    pub(super) fn any_reference(&mut self, reference: &'r Reference) -> Result<Value, Box<Fault>> {
        self.at = reference.source.at;
        self.heap.spend(reference.steps.len())?;
        let mut value = self.variable(reference.slot)?;
        for step in &reference.steps {
            value = match (value, step) {
                // What does not exist is empty text.
                (Value::Null, Step::Call { .. }) if !self.is_stock() => {
                    self.step(Value::Text(Text::EMPTY), step)?
                }
                (Value::Null, _) => Value::Null,
                (Value::Map(map), Step::Property { name, hint, .. }) => {
                    self.member(map, *name, *hint)?
                }
                (Value::Loop(depth), Step::Property { known, .. }) => {
                    self.loop_property(depth, *known)
                }
                (value, step) => self.step(value, step)?,
            };
        }
        Ok(value)
    }

    /// The member of a map that a step names. Maps of one list mostly have the same keys in the same order, so the place where the
    /// step last found its name is tried first.
    #[inline]
    fn member(&mut self, map: MapId, name: Text, hint: u16) -> Result<Value, Box<Fault>> {
        match self.remembered(map, hint) {
            Some(value) => Ok(value),
            None => self.find_member(map, name, hint),
        }
    }

    #[inline(always)]
    fn remembered(&self, map: MapId, hint: u16) -> Option<Value> {
        let hint = self.hints.get(usize::from(hint))?;
        let (key, value) = self.heap.pair(map, hint.place as usize)?;
        (key == hint.key).then_some(value)
    }

    #[inline(never)]
    fn find_member(&mut self, map: MapId, name: Text, hint: u16) -> Result<Value, Box<Fault>> {
        let heap = &mut *self.heap;
        let mut hint = self.hints.get_mut(usize::from(hint));
        if let Some(hint) = &mut hint
            && let Some((key, value)) = heap.pair(map, hint.place as usize)
            && same(heap.text(key), heap.text(name))
        {
            hint.key = key;
            return Ok(value);
        }
        heap.spend(heap.finding(map))?;
        let Some(place) = heap.find(map, heap.text(name)) else { return Ok(Value::Null) };
        let (key, value) = heap.pairs(map)[place];
        if let Some(hint) = hint {
            *hint = Hint { place: place as u32, key };
        }
        Ok(value)
    }

    pub(super) fn step(&mut self, value: Value, step: &'r Step) -> Result<Value, Box<Fault>> {
        match step {
            Step::Property { name, known, hint } => match value {
                Value::Map(map) => self.member(map, *name, *hint),
                other => self.property(other, *known),
            },
            Step::Index(index) => {
                let index = self.value(index)?;
                self.index(value, index)
            }
            Step::Call { method, arguments, ready } => {
                let mut values = [Value::Null; 4];
                if arguments.len() > values.len() {
                    return Ok(Value::Null);
                }
                let at = self.at;
                for (value, argument) in values.iter_mut().zip(arguments) {
                    *value = self.value(argument)?;
                }
                self.at = at;
                self.call(value, *method, &values[..arguments.len()], ready)
            }
        }
    }

    /// What an expression comes to.
    #[inline(always)]
    pub(in super::super) fn value(
        &mut self,
        expression: &'r Expression,
    ) -> Result<Value, Box<Fault>> {
        match expression {
            Expression::Constant(value) => Ok(*value),
            Expression::Reference(reference) => self.reference(reference),
            Expression::Chain(chain) if let Some(value) = self.chain_at_hand(chain) => Ok(value),
            other => self.other_value(other),
        }
    }

    #[inline(never)]
    fn other_value(&mut self, expression: &'r Expression) -> Result<Value, Box<Fault>> {
        Ok(match expression {
            Expression::Constant(value) => *value,
            Expression::Reference(reference) => self.reference(reference)?,
            Expression::Interpolated(block) => Value::Text(self.interpolate(block)?),
            Expression::List(items) => {
                let made = self.heap.list(&[], false)?;
                let Value::List(list) = made else { return Ok(made) };
                for item in items {
                    let value = self.value(item)?;
                    let value = self.held(value);
                    let end = self.heap.items(list).len();
                    self.heap.insert(list, end, value)?;
                }
                made
            }
            Expression::Map(pairs) => {
                let map = self.heap.map(&[])?;
                for (key, value) in pairs {
                    let key = self.value(key)?;
                    let key = self.key(key)?;
                    let value = self.value(value)?;
                    let value = self.held(value);
                    self.heap.put(map, key, value)?;
                }
                Value::Map(map)
            }
            Expression::Range(ends) => {
                let (first, last) = (self.value(&ends.0)?, self.value(&ends.1)?);
                let (Value::Int(first), Value::Int(last)) = (first, last) else {
                    return Ok(Value::Null);
                };
                self.range(first, last)?
            }
            Expression::Not(operand) => Value::from(!self.truth(operand)?),
            Expression::Chain(chain) => self.chain(chain)?,
        })
    }

    fn range(&mut self, first: i64, last: i64) -> Result<Value, Box<Fault>> {
        let len = usize::try_from(first.abs_diff(last)).unwrap_or(usize::MAX).saturating_add(1);
        self.heap.spend(len)?;
        self.heap.room(len.saturating_mul(size_of::<Value>()))?;
        let items: Vec<Value> = match first <= last {
            true => (first..=last).map(Value::Int).collect(),
            false => (last..=first).rev().map(Value::Int).collect(),
        };
        Ok(self.heap.list(&items, false)?)
    }

    /// Renders a string. The output's end is borrowed for it.
    fn interpolate(&mut self, block: &'r Block) -> Result<Text, Box<Fault>> {
        let begin = self.out.len();
        self.block(block)?;
        let stored = self.heap.store_built(&self.out[begin..])?;
        self.out.truncate(begin);
        Ok(stored)
    }
}
