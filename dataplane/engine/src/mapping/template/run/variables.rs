//! Variables: macros' parameters, and what the scope gives.

use super::super::super::heap::{MapId, Object, Text, Value};
use super::super::error::Fault;
use super::super::scope::{Overrides, members, override_map, put_at, value_of};
use super::super::tree::{Expression, Reference, Slot, Step};
use super::super::{CONTEXT, INITIAL, Used};
use super::{Bound, Did, Frame, Run};

impl<'r> Run<'r> {
    /// What a variable is. Macros' parameters go before variables, those of the innermost call first.
    #[inline]
    pub(super) fn variable(&mut self, slot: Slot) -> Result<Value, Box<Fault>> {
        let value = self.variables[usize::from(slot)];
        if matches!(value, Value::Object(_)) || !self.calls.is_empty() {
            return self.unusual(slot);
        }
        Ok(value)
    }

    /// A variable that may be a parameter of a macro, or a map of which nothing has been read yet.
    #[cold]
    fn unusual(&mut self, slot: Slot) -> Result<Value, Box<Fault>> {
        if let Some(value) = self.parameter_value(slot)? {
            return Ok(value);
        }
        match self.variables[usize::from(slot)] {
            Value::Object(Object::Context) => self.load_context_map(slot),
            Value::Object(Object::StageVariables) => self.load_stage_variables(slot),
            value => Ok(value),
        }
    }

    fn parameter_value(&mut self, slot: Slot) -> Result<Option<Value>, Box<Fault>> {
        for depth in (0..self.calls.len()).rev() {
            match self.calls[depth].bound(slot) {
                Some(Bound::Value(value)) => return Ok(Some(value)),
                Some(Bound::Expression(expression)) => {
                    // It belongs to the caller, and sees what the caller sees.
                    let inner = self.calls.split_off(depth);
                    let value = self.value(expression);
                    self.calls.extend(inner);
                    return value.map(Some);
                }
                Some(Bound::Missing) | None => {}
            }
        }
        Ok(None)
    }

    pub(in super::super) fn assign(&mut self, slot: Slot, value: Value) {
        let parameters = self.calls.last_mut().map(|call| &mut call.parameters);
        match parameters.and_then(|p| p.iter_mut().find(|(held, _)| *held == slot)) {
            Some((_, bound)) => *bound = Bound::Value(value),
            None => self.variables[usize::from(slot)] = value,
        }
    }

    pub(super) fn set(
        &mut self,
        target: &'r Reference,
        value: &'r Expression,
    ) -> Result<(), Box<Fault>> {
        self.at = target.source.at;
        let value = self.value(value)?;
        self.at = target.source.at;
        if self.is_stock() && matches!(value, Value::Null) {
            return Ok(());
        }
        match target.steps.split_last() {
            None => self.assign(target.slot, value),
            Some((last, steps)) => {
                let mut of = self.variable(target.slot)?;
                for step in steps {
                    of = self.step(of, step)?;
                }
                self.set_member(of, last, value)?;
            }
        }
        if self.trace.is_some() {
            let shown = self.shown(value)?;
            let target_text = self.template.span(target.source);
            self.tell(target.source.at, |_| Did::Set { target: target_text, value: &shown });
        }
        Ok(())
    }

    fn set_member(&mut self, of: Value, last: &'r Step, value: Value) -> Result<(), Box<Fault>> {
        match (of, last) {
            (Value::Map(map), Step::Property { name, .. }) => {
                self.put(map, *name, value)?;
            }
            (Value::Map(map), Step::Index(index)) => {
                let key = self.value(index)?;
                let key = self.key(key)?;
                self.put(map, key, value)?;
            }
            (Value::List(list), Step::Index(index)) => {
                let index = self.value(index)?;
                if let Value::Int(index) = index {
                    let place = self.place(list, index)?;
                    self.heap.replace(list, place, value);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts a pair into a map and gives the value it replaced. An override can be set only once; that there is an empty map at the
    /// beginning does not count.
    pub(in super::super) fn put(
        &mut self,
        map: MapId,
        key: Text,
        value: Value,
    ) -> Result<Value, Box<Fault>> {
        let value = self.held(value);
        let old = self.heap.put(map, key, value)?;
        let untouched = matches!(old, Some(Value::Map(old)) if self.heap.is_once(old) && self.heap.pairs(old).is_empty());
        if old.is_some() && !untouched && self.heap.is_once(map) {
            return Err(Fault::OverriddenTwice(self.heap.str(key).to_owned()).into());
        }
        Ok(old.unwrap_or(Value::Null))
    }

    /// A value as lists and maps hold it: in API Gateway what does not exist becomes empty text.
    pub(in super::super) fn held(&self, value: Value) -> Value {
        match value {
            Value::Null if !self.is_stock() => Value::Text(Text::EMPTY),
            value => value,
        }
    }

    // What the scope gives

    /// Velocity's variables are the members of the context.
    pub(super) fn load_context(&mut self) -> Result<(), Box<Fault>> {
        for (slot, name) in self.template.names.iter().enumerate() {
            let source = self.source;
            if let Some(datum) = source.context(name) {
                let value = value_of(self.heap, datum)?;
                self.variables[slot] = value;
            } else if slot < INITIAL.len() {
                self.variables[slot] = Value::Null;
            }
        }
        Ok(())
    }

    fn load_context_map(&mut self, slot: Slot) -> Result<Value, Box<Fault>> {
        let source = self.source;
        let heap = &mut *self.heap;
        let root = Value::Map(heap.map(&[])?);
        let mut failed = None;
        match &self.template.uses.context {
            Used::Names(names) => {
                for name in names.iter().filter(|name| !is_override(name)) {
                    if let Some(datum) = source.context(name) {
                        let value = value_of(heap, datum)?;
                        put_at(heap, root, name, value)?;
                    }
                }
            }
            _ => source.contexts(&mut |name, datum| {
                let put = value_of(heap, datum).and_then(|value| put_at(heap, root, name, value));
                failed = failed.or(put.err());
            }),
        }
        if let Some(exhausted) = failed {
            return Err(exhausted.into());
        }
        let overrides = &*self.overrides;
        let request = override_map(heap, &overrides.request, &["path", "header", "querystring"])?;
        let response = override_map(heap, &overrides.response, &["header"])?;
        put_at(heap, root, "requestOverride", request)?;
        put_at(heap, root, "responseOverride", response)?;
        self.variables[usize::from(slot)] = root;
        Ok(root)
    }

    fn load_stage_variables(&mut self, slot: Slot) -> Result<Value, Box<Fault>> {
        let source = self.source;
        let heap = &mut *self.heap;
        let map = heap.map(&[])?;
        let mut failed = None;
        let mut put = |name: &str, value: &str| {
            let stored = heap.store(name).and_then(|key| {
                let value = heap.store(value)?;
                heap.put(map, key, Value::Text(value))
            });
            failed = failed.or(stored.err());
        };
        match &self.template.uses.stage_variables {
            Used::Names(names) => {
                for name in names {
                    if let Some(value) = source.stage_variable(name) {
                        put(name, &value);
                    }
                }
            }
            _ => source.stage_variables(&mut put),
        }
        if let Some(exhausted) = failed {
            return Err(exhausted.into());
        }
        self.variables[usize::from(slot)] = Value::Map(map);
        Ok(Value::Map(map))
    }

    /// Copies what the template overrides out of its `$context`.
    pub(super) fn keep_overrides(&mut self) -> Result<(), Box<Fault>> {
        let heap = &*self.heap;
        let Value::Map(context) = self.variables[usize::from(CONTEXT)] else { return Ok(()) };
        let of = |name: &str| {
            members(heap, heap.get(context, name.as_bytes()).unwrap_or(Value::Null), 0)
        };
        let kept = Overrides { request: of("requestOverride")?, response: of("responseOverride")? };
        *self.overrides = kept;
        Ok(())
    }
}

impl<'r> Frame<'r> {
    pub(super) fn bound(&self, slot: Slot) -> Option<Bound<'r>> {
        self.parameters.iter().find(|(held, _)| *held == slot).map(|(_, bound)| *bound)
    }
}

fn is_override(name: &str) -> bool {
    let root = name.split('.').next().unwrap_or_default();
    matches!(root, "requestOverride" | "responseOverride")
}
