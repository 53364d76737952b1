//! Rendering: walking the tree of a template.

use super::super::heap::{Heap, MapId, Object, Text, Value};
use super::error::{Fault, RenderError};
use super::scope::{
    Did, Overrides, Scratch, Source, Trace, members, override_map, put_at, value_of,
};
use super::tree::{Block, Call, Expression, Foreach, Print, Reference, Slot, Span, Step, What};
use super::{
    CONTEXT, Dialect, FOREACH, INITIAL, Limits, Scope, Template, Used, VELOCITY_COUNT,
    VELOCITY_HAS_NEXT,
};

/// A render in progress.
pub(super) struct Run<'r> {
    pub(super) template: &'r Template,
    pub(super) source: &'r dyn Source,
    pub(super) heap: &'r mut Heap,
    variables: &'r mut Vec<Value>,
    pub(super) loops: &'r mut Vec<Loop>,
    hints: &'r mut Vec<usize>,
    overrides: &'r mut Overrides,
    trace: Option<&'r mut dyn Trace>,
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
    defining: Vec<u64>,
    /// Calls of macros, the innermost last.
    calls: Vec<Frame<'r>>,
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
    let Scratch { heap, variables, loops, hints } = &mut *scope.scratch;
    heap.begin(&template.constants, limits.steps, limits.memory);
    loops.clear();
    variables.clear();
    variables.extend_from_slice(&INITIAL);
    variables.resize(template.names.len(), Value::Null);
    // Those of the render before do no harm: they are only where to look first.
    hints.resize(usize::from(template.hints), 0);
    let mut run = Run {
        template,
        source: scope.source,
        heap,
        variables,
        loops,
        hints,
        overrides: scope.overrides,
        trace: match &mut scope.trace {
            Some(trace) => Some(&mut **trace),
            None => None,
        },
        limits,
        out,
        end,
        at: 0,
        depth: 0,
        stopped: false,
        defining: Vec::new(),
        calls: Vec::new(),
        body: None,
        document: None,
    };
    let done = run.whole();
    let at = run.at;
    scope.scratch.heap.shrink();
    done.map_err(|fault| RenderError { at: template.position(at), fault: *fault })
}

impl<'r> Run<'r> {
    fn whole(&mut self) -> Result<(), Box<Fault>> {
        if self.template.dialect == Dialect::Velocity {
            self.load_context()?;
        }
        self.block(&self.template.body)?;
        self.keep_overrides()
    }

    pub(super) fn is_stock(&self) -> bool {
        self.template.dialect == Dialect::Velocity
    }

    // Blocks

    fn block(&mut self, block: &'r Block) -> Result<Flow, Box<Fault>> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(Fault::TooDeep.into());
        }
        self.heap.spend(block.len())?;
        let mut flow = Flow::Next;
        for node in block {
            self.out.extend_from_slice(self.template.bytes(node.before));
            flow = self.node(&node.what)?;
            if self.out.len() > self.end {
                return Err(Fault::Output(self.limits.output).into());
            }
            if flow != Flow::Next {
                break;
            }
        }
        self.depth -= 1;
        Ok(flow)
    }

    #[inline]
    fn node(&mut self, node: &'r What) -> Result<Flow, Box<Fault>> {
        match node {
            What::Nothing => return Ok(Flow::Next),
            What::Print(print) => self.print(print)?,
            What::Set { target, value } => self.set(target, value)?,
            What::If { at, arms, otherwise } => return self.choose(*at, arms, otherwise),
            What::Foreach(foreach) => return self.foreach(foreach),
            What::Define { slot, block } => {
                self.assign(*slot, Value::Block(u64::from(*block)));
            }
            What::Call(call) => return self.call_macro(call),
            What::Break => return Ok(Flow::Break),
            What::Stop => {
                self.tell(self.at, |_| Did::Stopped);
                self.stopped = true;
            }
        }
        // It may have been inside of what was printed.
        Ok(if self.stopped { Flow::Stop } else { Flow::Next })
    }

    #[inline]
    fn print(&mut self, print: &'r Print) -> Result<(), Box<Fault>> {
        let value = self.reference(&print.reference)?;
        match value {
            Value::Text(text) if print.slashes == 0 && self.trace.is_none() => {
                self.out.extend_from_slice(self.heap.text(text));
                Ok(())
            }
            value => self.print_value(print, value),
        }
    }

    fn print_value(&mut self, print: &'r Print, value: Value) -> Result<(), Box<Fault>> {
        let before = self.out.len();
        match value {
            value if print.slashes > 0 => self.print_escaped(print, value)?,
            Value::Null => self.print_nothing(print),
            Value::Block(block) => {
                if !self.print_block(block)? {
                    self.print_nothing(print);
                }
            }
            value => self.show(value)?,
        }
        if self.trace.is_some() {
            let output = String::from_utf8_lossy(&self.out[before..]).into_owned();
            let source = print.reference.source;
            let written = self.template.span(source);
            self.tell(source.at, |_| Did::Printed { reference: written, output: &output });
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
    fn print_escaped(&mut self, print: &'r Print, value: Value) -> Result<(), Box<Fault>> {
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
    pub(super) fn print_block(&mut self, block: u64) -> Result<bool, Box<Fault>> {
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
    ) -> Result<Flow, Box<Fault>> {
        self.at = at;
        for (number, (condition, block)) in arms.iter().enumerate() {
            if self.truth(condition)? {
                self.tell(at, |_| Did::Chose(Some(number)));
                return self.block(block);
            }
        }
        self.tell(at, |_| Did::Chose(None));
        self.block(otherwise)
    }

    fn foreach(&mut self, foreach: &'r Foreach) -> Result<Flow, Box<Fault>> {
        self.at = foreach.at;
        let list = self.value(&foreach.list)?;
        let variables = &self.variables;
        let slots = [foreach.slot, FOREACH, VELOCITY_COUNT, VELOCITY_HAS_NEXT];
        let outer = slots.map(|slot| variables[usize::from(slot)]);
        let depth = self.loops.len();
        self.loops.push(Loop { index: 0, len: 0 });
        let mut flow = Flow::Next;
        let (mut index, mut began_with) = (0, None);
        loop {
            let heap = &*self.heap;
            let (item, len) = match list {
                Value::List(list) => (heap.items(list).get(index).copied(), heap.items(list).len()),
                Value::Map(map) => {
                    (heap.pairs(map).get(index).map(|(_, value)| *value), heap.pairs(map).len())
                }
                _ => (None, 0),
            };
            let Some(item) = item else { break };
            if *began_with.get_or_insert(len) != len {
                return Err(Fault::Changed.into());
            }
            if index as u32 == self.limits.iterations {
                self.tell(foreach.at, |run| Did::Limited(run.limits.iterations));
                break;
            }
            self.loops[depth] = Loop { index, len };
            index += 1;
            let variables = &mut self.variables;
            variables[usize::from(foreach.slot)] = item;
            variables[usize::from(FOREACH)] = Value::Loop(depth as u64);
            variables[usize::from(VELOCITY_COUNT)] = Value::Int(index as i64);
            variables[usize::from(VELOCITY_HAS_NEXT)] = Value::from(index < len);
            if self.trace.is_some() {
                let value = self.shown(item)?;
                let name = self.template.name(foreach.slot);
                self.tell(foreach.at, |_| Did::Iterated { name, index: index - 1, value: &value });
            }
            self.heap.spend(1)?;
            flow = self.block(&foreach.body)?;
            if flow != Flow::Next {
                break;
            }
        }
        self.loops.truncate(depth);
        for (slot, value) in slots.into_iter().zip(outer) {
            self.variables[usize::from(slot)] = value;
        }
        Ok(if flow == Flow::Stop { Flow::Stop } else { Flow::Next })
    }

    // Macros

    fn call_macro(&mut self, call: &'r Call) -> Result<Flow, Box<Fault>> {
        self.at = call.source.at;
        let template = self.template;
        let Some(found) = template.macros.iter().find(|held| held.name == call.name) else {
            self.out.extend_from_slice(self.template.span(call.source).as_bytes());
            return Ok(Flow::Next);
        };
        if self.calls.len() == CALLS {
            return Err(Fault::TooDeep.into());
        }
        let bound = |at: usize| match call.arguments.get(at) {
            Some(Expression::Constant(value)) => Bound::Value(*value),
            Some(argument) => Bound::Expression(argument),
            None => Bound::Missing,
        };
        let parameters = found.parameters.iter().enumerate().map(|(at, slot)| (*slot, bound(at)));
        let parameters = parameters.collect();
        self.calls.push(Frame { parameters });
        let flow = self.block(&found.body)?;
        self.calls.pop();
        Ok(flow)
    }

    // Variables

    /// What a variable is. Macros' parameters go before variables, those of the innermost call first.
    #[inline]
    fn variable(&mut self, slot: Slot) -> Result<Value, Box<Fault>> {
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

    pub(super) fn assign(&mut self, slot: Slot, value: Value) {
        let parameters = self.calls.last_mut().map(|call| &mut call.parameters);
        match parameters.and_then(|p| p.iter_mut().find(|(held, _)| *held == slot)) {
            Some((_, bound)) => *bound = Bound::Value(value),
            None => self.variables[usize::from(slot)] = value,
        }
    }

    fn set(&mut self, target: &'r Reference, value: &'r Expression) -> Result<(), Box<Fault>> {
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

    /// Puts a pair into a map and gives the value it replaced. An override can be set only once.
    pub(super) fn put(&mut self, map: MapId, key: Text, value: Value) -> Result<Value, Box<Fault>> {
        let value = self.held(value);
        let old = self.heap.put(map, key, value)?;
        if old.is_some() && self.heap.is_once(map) {
            return Err(Fault::OverriddenTwice(self.heap.str(key).to_owned()).into());
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
    fn load_context(&mut self) -> Result<(), Box<Fault>> {
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
    fn keep_overrides(&mut self) -> Result<(), Box<Fault>> {
        let heap = &*self.heap;
        let Value::Map(context) = self.variables[usize::from(CONTEXT)] else { return Ok(()) };
        let of = |name: &str| {
            members(heap, heap.get(context, name.as_bytes()).unwrap_or(Value::Null), 0)
        };
        let kept = Overrides { request: of("requestOverride")?, response: of("responseOverride")? };
        *self.overrides = kept;
        Ok(())
    }

    // References and values

    /// What a reference leads to.
    #[inline]
    pub(super) fn reference(&mut self, reference: &'r Reference) -> Result<Value, Box<Fault>> {
        self.at = reference.source.at;
        self.heap.spend(reference.steps.len())?;
        let mut value = self.variable(reference.slot)?;
        for step in &reference.steps {
            value = match (value, step) {
                (Value::Null, _) => break,
                (Value::Map(map), Step::Property { name, hint, .. }) => {
                    self.member(map, *name, *hint)?
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
        let heap = &*self.heap;
        if let Some((key, value)) = heap.pairs(map).get(self.hints[usize::from(hint)])
            && heap.text(*key) == heap.text(name)
        {
            return Ok(*value);
        }
        self.find_member(map, name, hint)
    }

    #[inline(never)]
    fn find_member(&mut self, map: MapId, name: Text, hint: u16) -> Result<Value, Box<Fault>> {
        let heap = &mut *self.heap;
        heap.spend(heap.finding(map))?;
        let Some(place) = heap.find(map, heap.text(name)) else { return Ok(Value::Null) };
        self.hints[usize::from(hint)] = place;
        Ok(heap.pairs(map)[place].1)
    }

    fn step(&mut self, value: Value, step: &'r Step) -> Result<Value, Box<Fault>> {
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
    pub(super) fn value(&mut self, expression: &'r Expression) -> Result<Value, Box<Fault>> {
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

    // Tracing

    fn tell<'d>(&mut self, at: u32, did: impl FnOnce(&Self) -> Did<'d>) {
        if self.trace.is_some() {
            let (at, did) = (self.template.position(at), did(self));
            if let Some(trace) = &mut self.trace {
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
