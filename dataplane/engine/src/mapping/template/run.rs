//! Rendering: walking the tree of a template.

mod evaluate;
mod variables;

use super::super::heap::{Heap, Text, Value};
use super::super::number;
use super::error::{Fault, RenderError};
use super::scope::{Did, Hint, Overrides, Scratch, Source, Trace};
use super::tree::{
    Block, Call, Expression, Foreach, Print, Reference, SHORT, Short, Slot, Span, What,
};
use super::{
    BUILT_IN, Dialect, FOREACH, INITIAL, Limits, Scope, Template, VELOCITY_COUNT, VELOCITY_HAS_NEXT,
};

/// A render in progress.
pub(super) struct Run<'r> {
    pub(super) template: &'r Template,
    pub(super) source: &'r dyn Source,
    pub(super) heap: &'r mut Heap,
    variables: &'r mut [Value],
    pub(super) loops: &'r mut Vec<Loop>,
    hints: &'r mut [Hint],
    overrides: &'r mut Overrides,
    trace: Option<&'r mut dyn Trace>,
    pub(super) limits: &'r Limits,
    pub(super) out: &'r mut Vec<u8>,
    /// Bytes that `out` may have.
    end: usize,
    /// Where the template is, for errors.
    pub(super) at: u32,
    depth: u32,
    /// Came to `#stop`, maybe in a string: then nothing more is printed, and no directive begins its block.
    stopped: bool,
    /// Definitions that are being printed.
    defining: Vec<u64>,
    /// Calls of macros, the innermost last.
    calls: Vec<Frame<'r>>,
    /// No macro's parameter hides a variable, and nobody is told anything: references may be read the short way.
    plain: bool,
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
    // Places of the render before do no harm: they are only where to look first. Its keys are gone.
    hints.iter_mut().for_each(|hint| hint.key = Text::NOWHERE);
    hints.resize(usize::from(template.hints), Hint::NONE);
    let plain = scope.trace.is_none();
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
        plain,
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
            match &node.short {
                Some(Short { len, bytes }) => put(self.out, bytes, usize::from(*len)),
                None => self.out.extend_from_slice(self.template.span(node.before).as_bytes()),
            }
            if let What::Print(print) = &node.what
                && self.print_at_hand(print)
            {
                continue;
            }
            flow = self.node(&node.what)?;
            if flow != Flow::Next {
                break;
            }
        }
        self.depth -= 1;
        self.bounded()?;
        Ok(flow)
    }

    /// Whether the output is as long as it may be at most. A block looks once, and whatever prints what may be long.
    #[inline]
    fn bounded(&self) -> Result<(), Box<Fault>> {
        if self.out.len() > self.end {
            Err(Fault::Output(self.limits.output).into())
        } else {
            Ok(())
        }
    }

    #[inline(always)]
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
        // It may have been inside of what was printed or set.
        Ok(if self.stopped { Flow::Stop } else { Flow::Next })
    }

    /// Prints what most references are: text or a number that is found at once. Says no where there is more to it.
    #[inline(always)]
    fn print_at_hand(&mut self, print: &Print) -> bool {
        let text = match self.at_hand(&print.reference) {
            Some(Value::Text(text)) => text,
            Some(Value::Int(number)) => {
                number::write_integer(number, self.out);
                return true;
            }
            Some(value @ Value::Number(text)) if text.len() <= SHORT => {
                number::write(self.heap, value, self.out);
                return true;
            }
            _ => return false,
        };
        let bytes = self.heap.bytes.get(text.range().start..).unwrap_or_default();
        match bytes.first_chunk() {
            Some(short) if text.len() <= SHORT => put(self.out, short, text.len()),
            _ if text.len() > self.end.saturating_sub(self.out.len()) => return false,
            _ => self.out.extend_from_slice(self.heap.text(text)),
        }
        true
    }

    #[inline(never)]
    fn print(&mut self, print: &'r Print) -> Result<(), Box<Fault>> {
        let value = self.any_reference(&print.reference)?;
        if !self.stopped {
            self.print_value(print, value)?;
        }
        self.bounded()
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
            let holds = match self.truth_at_hand(condition) {
                Some(holds) => holds,
                None => self.truth(condition)?,
            };
            if self.stopped {
                return Ok(Flow::Stop);
            }
            if holds {
                self.tell(at, |_| Did::Chose(Some(number)));
                return self.block(block);
            }
        }
        self.tell(at, |_| Did::Chose(None));
        if otherwise.is_empty() { Ok(Flow::Next) } else { self.block(otherwise) }
    }

    fn foreach(&mut self, foreach: &'r Foreach) -> Result<Flow, Box<Fault>> {
        self.at = foreach.at;
        let list = self.value(&foreach.list)?;
        if self.stopped {
            return Ok(Flow::Stop);
        }
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
            self.variables[usize::from(foreach.slot)] = item;
            if let Some(built_in) = self.variables.first_chunk_mut::<{ BUILT_IN.len() }>() {
                built_in[usize::from(FOREACH)] = Value::Loop(depth as u64);
                built_in[usize::from(VELOCITY_COUNT)] = Value::Int(index as i64);
                built_in[usize::from(VELOCITY_HAS_NEXT)] = Value::from(index < len);
            }
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
        self.plain = false;
        let flow = self.block(&found.body)?;
        self.calls.pop();
        self.plain = self.calls.is_empty() && self.trace.is_none();
        Ok(flow)
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

/// Appends the beginning of a text. For few bytes, copying a fixed size and cutting it off is quicker than a call.
#[inline(always)]
fn put(out: &mut Vec<u8>, text: &[u8; SHORT], len: usize) {
    let end = out.len() + len;
    out.extend_from_slice(text);
    out.truncate(end);
}

/// Macros inside each other, as in Velocity.
const CALLS: usize = 20;
