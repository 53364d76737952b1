//! Rendering: walking the tree of a template.

use super::super::heap::{Heap, MapId, Object, Text, Value};
use super::error::{Fault, RenderError};
use super::scope::{Did, Overrides, members, override_map, put_at, value_of};
use super::tree::{
    Block, Call, Expression, Foreach, Macro, Node, Print, Reference, Slot, Span, Step,
};
use super::{
    CONTEXT, Dialect, FOREACH, INITIAL, Limits, Scope, Template, Used, VELOCITY_COUNT,
    VELOCITY_HAS_NEXT,
};

/// A render in progress.
pub(super) struct Run<'r, 's> {
    pub(super) template: &'r Template,
    pub(super) scope: &'r mut Scope<'s>,
    pub(super) limits: &'r Limits,
    pub(super) out: &'r mut Vec<u8>,
    /// Bytes that `out` may have.
    end: usize,
    /// Where the template is, for errors.
    pub(super) at: u32,
    depth: u32,
    /// Came to `#stop`.
    stopped: bool,
    /// Definitions that are being printed.
    defining: Vec<u32>,
    /// Calls of macros, the innermost last.
    calls: Vec<Frame<'r>>,
    /// Macros by the number of their name.
    macros: Vec<&'r Macro>,
    /// The body as text, once someone asked.
    pub(super) body: Option<Text>,
    /// The body as JSON, once someone asked; `Null` when it is none.
    pub(super) document: Option<Value>,
}

/// An iteration of a loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loop {
    pub(super) index: usize,
    pub(super) len: usize,
}

/// A call of a macro: its parameters stand for expressions, evaluated in the caller whenever they are used.
struct Frame<'r> {
    parameters: Vec<(Slot, Bound<'r>)>,
}

#[derive(Clone, Copy)]
enum Bound<'r> {
    Missing,
    Expression(&'r Expression),
    Value(Value),
}

/// How a block ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Stop,
}

pub(super) fn render(
    template: &Template,
    scope: &mut Scope<'_>,
    limits: &Limits,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let end = out.len().saturating_add(limits.output);
    scope.scratch.heap.begin(&template.constants, limits.steps, limits.memory);
    scope.scratch.loops.clear();
    let variables = &mut scope.scratch.variables;
    variables.clear();
    variables.extend_from_slice(&INITIAL);
    variables.resize(template.names.len(), Value::Null);
    let mut run = Run {
        template,
        scope,
        limits,
        out,
        end,
        at: 0,
        depth: 0,
        stopped: false,
        defining: Vec::new(),
        calls: Vec::new(),
        macros: Vec::new(),
        body: None,
        document: None,
    };
    let done = run.whole();
    let at = run.at;
    scope.scratch.heap.shrink();
    done.map_err(|fault| RenderError { at: template.position(at), fault })
}

impl<'r> Run<'r, '_> {
    fn whole(&mut self) -> Result<(), Fault> {
        if self.template.dialect == Dialect::Velocity {
            self.load_context()?;
        }
        self.block(&self.template.body)?;
        self.keep_overrides()
    }

    pub(super) fn heap(&mut self) -> &mut Heap {
        &mut self.scope.scratch.heap
    }

    pub(super) fn is_stock(&self) -> bool {
        self.template.dialect == Dialect::Velocity
    }

    // Blocks

    fn block(&mut self, block: &'r Block) -> Result<Flow, Fault> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(Fault::TooDeep);
        }
        let mut flow = Flow::Next;
        for node in block {
            self.heap().spend(1)?;
            flow = self.node(node)?;
            if self.out.len() > self.end {
                return Err(Fault::Output(self.limits.output));
            }
            // Also inside of what was printed.
            if self.stopped {
                flow = Flow::Stop;
            }
            if flow != Flow::Next {
                break;
            }
        }
        self.depth -= 1;
        Ok(flow)
    }

    fn node(&mut self, node: &'r Node) -> Result<Flow, Fault> {
        match node {
            Node::Text(span) => self.out.extend_from_slice(self.template.span(*span).as_bytes()),
            Node::Print(print) => self.print(print)?,
            Node::Set { target, value } => self.set(target, value)?,
            Node::If { at, arms, otherwise } => return self.choose(*at, arms, otherwise),
            Node::Foreach(foreach) => return self.foreach(foreach),
            Node::Define { slot, block } => {
                self.assign(*slot, Value::Object(Object::Block(*block)));
            }
            Node::Macro(made) => {
                // The first of a name stays.
                if !self.macros.iter().any(|held| held.name == made.name) {
                    self.macros.push(made);
                }
            }
            Node::Call(call) => return self.call_macro(call),
            Node::Break => return Ok(Flow::Break),
            Node::Stop => {
                self.trace(self.at, |_| Did::Stopped);
                self.stopped = true;
            }
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, print: &'r Print) -> Result<(), Fault> {
        let before = self.out.len();
        let reference = &print.reference;
        let value = self.reference(reference)?;
        if print.slashes > 0 {
            return self.print_escaped(print, value);
        }
        match value {
            Value::Text(text) => self.out.extend_from_slice(self.scope.scratch.heap.text(text)),
            Value::Null => self.print_nothing(print),
            Value::Object(Object::Block(block)) => {
                if !self.print_block(block)? {
                    self.print_nothing(print);
                }
            }
            value => self.show(value)?,
        }
        if self.scope.trace.is_some() {
            let output = String::from_utf8_lossy(&self.out[before..]).into_owned();
            let written = self.template.span(reference.source);
            self.trace(reference.source.at, |_| Did::Printed {
                reference: written,
                output: &output,
            });
        }
        Ok(())
    }

    /// A reference to nothing prints as written in stock Velocity, unless it is quiet.
    fn print_nothing(&mut self, print: &'r Print) {
        if self.is_stock() && !print.quiet {
            let span = self.written(&print.reference);
            self.out.extend_from_slice(self.template.span(span).as_bytes());
        }
    }

    /// A macro's parameter is written as the argument it stands for.
    fn written(&self, reference: &Reference) -> Span {
        let bound = self.calls.last().and_then(|call| call.bound(reference.slot));
        match bound {
            Some(Bound::Expression(Expression::Reference(argument)))
                if reference.steps.is_empty() =>
            {
                argument.source
            }
            _ => reference.source,
        }
    }

    /// Backslashes before a reference: two are one, and a single one makes it print as written, if there is such a thing.
    fn print_escaped(&mut self, print: &'r Print, value: Value) -> Result<(), Fault> {
        let slashes = usize::from(print.slashes);
        let half = slashes / 2;
        let kept = match (slashes % 2 == 1, matches!(value, Value::Null)) {
            (_, false) => half,
            (true, true) => half + 1,
            // Velocity writes them twice before what it prints as written.
            (false, true) => {
                if self.is_stock() {
                    slashes
                } else {
                    half
                }
            }
        };
        self.out.extend(std::iter::repeat_n(b'\\', kept));
        if slashes % 2 == 1 {
            let written = self.template.span(print.reference.source);
            self.out.extend_from_slice(written.as_bytes());
            return Ok(());
        }
        match value {
            Value::Null => self.print_nothing(print),
            value => self.show(value)?,
        }
        Ok(())
    }

    /// Prints what `#define` named. Says no when it is about to print itself without an end.
    pub(super) fn print_block(&mut self, block: u32) -> Result<bool, Fault> {
        if self.defining.iter().filter(|held| **held == block).count() >= 2 {
            return Ok(false);
        }
        self.defining.push(block);
        let template = self.template;
        self.block(&template.blocks[block as usize])?;
        self.defining.pop();
        Ok(true)
    }

    fn choose(
        &mut self,
        at: u32,
        arms: &'r [(Expression, Block)],
        otherwise: &'r Block,
    ) -> Result<Flow, Fault> {
        self.at = at;
        for (number, (condition, block)) in arms.iter().enumerate() {
            if self.truth(condition)? {
                self.trace(at, |_| Did::Chose(Some(number)));
                return self.block(block);
            }
        }
        self.trace(at, |_| Did::Chose(None));
        self.block(otherwise)
    }

    fn foreach(&mut self, foreach: &'r Foreach) -> Result<Flow, Fault> {
        self.at = foreach.at;
        let list = self.value(&foreach.list)?;
        let variables = &self.scope.scratch.variables;
        let slots = [foreach.slot, FOREACH, VELOCITY_COUNT, VELOCITY_HAS_NEXT];
        let outer = slots.map(|slot| variables[usize::from(slot)]);
        let depth = self.scope.scratch.loops.len() as u32;
        self.scope.scratch.loops.push(Loop { index: 0, len: 0 });
        let mut flow = Flow::Next;
        let (mut index, mut began_with) = (0, None);
        loop {
            let heap = &self.scope.scratch.heap;
            let (item, len) = match list {
                Value::List(list) => (heap.items(list).get(index).copied(), heap.items(list).len()),
                Value::Map(map) => {
                    (heap.pairs(map).get(index).map(|(_, value)| *value), heap.pairs(map).len())
                }
                _ => (None, 0),
            };
            let Some(item) = item else { break };
            if *began_with.get_or_insert(len) != len {
                return Err(Fault::Changed);
            }
            if index as u32 == self.limits.iterations {
                self.trace(foreach.at, |run| Did::Limited(run.limits.iterations));
                break;
            }
            self.scope.scratch.loops[depth as usize] = Loop { index, len };
            index += 1;
            let variables = &mut self.scope.scratch.variables;
            variables[usize::from(foreach.slot)] = item;
            variables[usize::from(FOREACH)] = Value::Object(Object::Loop(depth));
            variables[usize::from(VELOCITY_COUNT)] = Value::Int(index as i64);
            variables[usize::from(VELOCITY_HAS_NEXT)] = Value::Bool(index < len);
            if self.scope.trace.is_some() {
                let value = self.shown(item)?;
                let name = self.template.name(foreach.slot);
                self.trace(foreach.at, |_| Did::Iterated { name, index: index - 1, value: &value });
            }
            self.heap().spend(1)?;
            flow = self.block(&foreach.body)?;
            if flow != Flow::Next {
                break;
            }
        }
        self.scope.scratch.loops.truncate(depth as usize);
        for (slot, value) in slots.into_iter().zip(outer) {
            self.scope.scratch.variables[usize::from(slot)] = value;
        }
        Ok(if flow == Flow::Stop { Flow::Stop } else { Flow::Next })
    }

    // Macros

    fn call_macro(&mut self, call: &'r Call) -> Result<Flow, Fault> {
        self.at = call.source.at;
        let Some(found) = self.macros.iter().find(|held| held.name == call.name).copied() else {
            self.out.extend_from_slice(self.template.span(call.source).as_bytes());
            return Ok(Flow::Next);
        };
        if self.calls.len() == CALLS {
            return Err(Fault::TooDeep);
        }
        let bound = |at: usize| match call.arguments.get(at) {
            Some(Expression::Constant(value)) => Bound::Value(*value),
            Some(argument) => Bound::Expression(argument),
            None => Bound::Missing,
        };
        let parameters = found.parameters.iter().enumerate().map(|(at, slot)| (*slot, bound(at)));
        let parameters = parameters.collect();
        self.calls.push(Frame { parameters });
        let template = self.template;
        let flow = self.block(&template.blocks[found.block as usize])?;
        self.calls.pop();
        Ok(flow)
    }

    // Variables

    /// What a variable is. Macros' parameters go before variables, those of the innermost call first.
    fn variable(&mut self, slot: Slot) -> Result<Value, Fault> {
        let innermost = self.calls.len();
        for depth in (0..innermost).rev() {
            match self.calls[depth].bound(slot) {
                Some(Bound::Value(value)) => return Ok(value),
                Some(Bound::Expression(expression)) => {
                    // It belongs to the caller, and sees what the caller sees.
                    let inner = self.calls.split_off(depth);
                    let value = self.value(expression);
                    self.calls.extend(inner);
                    return value;
                }
                Some(Bound::Missing) | None => {}
            }
        }
        match self.scope.scratch.variables[usize::from(slot)] {
            Value::Object(Object::Context) => self.load_context_map(slot),
            Value::Object(Object::StageVariables) => self.load_stage_variables(slot),
            value => Ok(value),
        }
    }

    pub(super) fn assign(&mut self, slot: Slot, value: Value) {
        let parameters = self.calls.last_mut().map(|call| &mut call.parameters);
        match parameters.and_then(|p| p.iter_mut().find(|(held, _)| *held == slot)) {
            Some((_, bound)) => *bound = Bound::Value(value),
            None => self.scope.scratch.variables[usize::from(slot)] = value,
        }
    }

    fn set(&mut self, target: &'r Reference, value: &'r Expression) -> Result<(), Fault> {
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
        if self.scope.trace.is_some() {
            let shown = self.shown(value)?;
            let target_text = self.template.span(target.source);
            self.trace(target.source.at, |_| Did::Set { target: target_text, value: &shown });
        }
        Ok(())
    }

    fn set_member(&mut self, of: Value, last: &'r Step, value: Value) -> Result<(), Fault> {
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
                    self.heap().replace(list, place, value);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts a pair into a map and gives the value it replaced. An override can be set only once.
    pub(super) fn put(&mut self, map: MapId, key: Text, value: Value) -> Result<Value, Fault> {
        let value = self.held(value);
        let old = self.heap().put(map, key, value)?;
        if old.is_some() && self.heap().is_once(map) {
            return Err(Fault::OverriddenTwice(self.heap().str(key).to_owned()));
        }
        Ok(old.unwrap_or(Value::Null))
    }

    /// A value as lists and maps hold it: in API Gateway what does not exist becomes empty text.
    pub(super) fn held(&self, value: Value) -> Value {
        match value {
            Value::Null if !self.is_stock() => Value::Text(Text::EMPTY),
            value => value,
        }
    }

    // What the scope gives

    /// Velocity's variables are the members of the context.
    fn load_context(&mut self) -> Result<(), Fault> {
        for (slot, name) in self.template.names.iter().enumerate() {
            let source = self.scope.source;
            if let Some(datum) = source.context(name) {
                let value = value_of(self.heap(), datum)?;
                self.scope.scratch.variables[slot] = value;
            } else if slot < INITIAL.len() {
                self.scope.scratch.variables[slot] = Value::Null;
            }
        }
        Ok(())
    }

    fn load_context_map(&mut self, slot: Slot) -> Result<Value, Fault> {
        let source = self.scope.source;
        let heap = &mut self.scope.scratch.heap;
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
        let overrides = &*self.scope.overrides;
        let request = override_map(heap, &overrides.request, &["path", "header", "querystring"])?;
        let response = override_map(heap, &overrides.response, &["header"])?;
        put_at(heap, root, "requestOverride", request)?;
        put_at(heap, root, "responseOverride", response)?;
        self.scope.scratch.variables[usize::from(slot)] = root;
        Ok(root)
    }

    fn load_stage_variables(&mut self, slot: Slot) -> Result<Value, Fault> {
        let source = self.scope.source;
        let heap = &mut self.scope.scratch.heap;
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
        self.scope.scratch.variables[usize::from(slot)] = Value::Map(map);
        Ok(Value::Map(map))
    }

    /// Copies what the template overrides out of its `$context`.
    fn keep_overrides(&mut self) -> Result<(), Fault> {
        let heap = &self.scope.scratch.heap;
        let Value::Map(context) = self.scope.scratch.variables[usize::from(CONTEXT)] else {
            return Ok(());
        };
        let of = |name: &str| {
            members(heap, heap.get(context, name.as_bytes()).unwrap_or(Value::Null), 0)
        };
        let kept = Overrides { request: of("requestOverride")?, response: of("responseOverride")? };
        *self.scope.overrides = kept;
        Ok(())
    }

    // References and values

    /// What a reference leads to.
    pub(super) fn reference(&mut self, reference: &'r Reference) -> Result<Value, Fault> {
        self.at = reference.source.at;
        let mut value = self.variable(reference.slot)?;
        for step in &reference.steps {
            value = self.step(value, step)?;
            if let Value::Null = value {
                break;
            }
        }
        Ok(value)
    }

    #[inline]
    fn step(&mut self, value: Value, step: &'r Step) -> Result<Value, Fault> {
        self.heap().spend(1)?;
        match step {
            Step::Property { name, known } => match value {
                Value::Map(map) => {
                    let heap = &mut self.scope.scratch.heap;
                    heap.spend(heap.finding(map))?;
                    Ok(heap.get(map, heap.text(*name)).unwrap_or(Value::Null))
                }
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
    pub(super) fn value(&mut self, expression: &'r Expression) -> Result<Value, Fault> {
        Ok(match expression {
            Expression::Constant(value) => *value,
            Expression::Reference(reference) => self.reference(reference)?,
            Expression::Interpolated(block) => Value::Text(self.interpolate(block)?),
            Expression::List(items) => {
                let made = self.heap().list(&[], false)?;
                let Value::List(list) = made else { return Ok(made) };
                for item in items {
                    let value = self.value(item)?;
                    let value = self.held(value);
                    let end = self.heap().items(list).len();
                    self.heap().insert(list, end, value)?;
                }
                made
            }
            Expression::Map(pairs) => {
                let map = self.heap().map(&[])?;
                for (key, value) in pairs {
                    let key = self.value(key)?;
                    let key = self.key(key)?;
                    let value = self.value(value)?;
                    let value = self.held(value);
                    self.heap().put(map, key, value)?;
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
            Expression::Not(operand) => Value::Bool(!self.truth(operand)?),
            Expression::Chain(chain) => self.chain(chain)?,
        })
    }

    fn range(&mut self, first: i64, last: i64) -> Result<Value, Fault> {
        let len = usize::try_from(first.abs_diff(last)).unwrap_or(usize::MAX).saturating_add(1);
        self.heap().spend(len)?;
        self.heap().room(len.saturating_mul(size_of::<Value>()))?;
        let items: Vec<Value> = match first <= last {
            true => (first..=last).map(Value::Int).collect(),
            false => (last..=first).rev().map(Value::Int).collect(),
        };
        Ok(self.heap().list(&items, false)?)
    }

    /// Renders a string. The output's end is borrowed for it.
    fn interpolate(&mut self, block: &'r Block) -> Result<Text, Fault> {
        let begin = self.out.len();
        self.block(block)?;
        let stored = self.scope.scratch.heap.store_built(&self.out[begin..])?;
        self.out.truncate(begin);
        Ok(stored)
    }

    // Tracing

    fn trace<'d>(&mut self, at: u32, did: impl FnOnce(&Self) -> Did<'d>) {
        if self.scope.trace.is_some() {
            let (at, did) = (self.template.position(at), did(self));
            if let Some(trace) = self.scope.trace.as_deref_mut() {
                trace.step(at, did);
            }
        }
    }
}

impl<'r> Frame<'r> {
    fn bound(&self, slot: Slot) -> Option<Bound<'r>> {
        self.parameters.iter().find(|(held, _)| *held == slot).map(|(_, bound)| *bound)
    }
}

fn is_override(name: &str) -> bool {
    let root = name.split('.').next().unwrap_or_default();
    matches!(root, "requestOverride" | "responseOverride")
}

/// Macros inside each other, as in Velocity.
const CALLS: usize = 20;
