//! Operators.

use std::cmp::Ordering;

use super::super::heap::{Text, Truth, Value};
use super::super::json;
use super::super::number::Number;
use super::error::Fault;
use super::run::Run;
use super::tree::{Chain, Expression, Operator};

impl<'r> Run<'r> {
    /// Whether a condition holds.
    ///
    /// API Gateway: everything but `false`, also what does not exist. Velocity 1.7: a reference that exists and is not `false`, and
    /// what is `true`; its literals and calculations are never true.
    pub(super) fn truth(&mut self, expression: &'r Expression) -> Result<bool, Box<Fault>> {
        if !self.is_stock() {
            let value = self.value(expression)?;
            return Ok(!matches!(value, Value::Bool(Truth::False)));
        }
        Ok(match expression {
            Expression::Reference(_) => {
                !matches!(self.value(expression)?, Value::Null | Value::Bool(Truth::False))
            }
            Expression::Constant(_) | Expression::Not(_) | Expression::Chain(_) => {
                matches!(self.value(expression)?, Value::Bool(Truth::True))
            }
            _ => false,
        })
    }

    /// Whether a condition holds whose value is at hand, in API Gateway.
    #[inline]
    pub(super) fn truth_at_hand(&self, expression: &Expression) -> Option<bool> {
        let value = match expression {
            Expression::Reference(reference) => self.at_hand(reference),
            Expression::Chain(chain) => self.chain_at_hand(chain),
            _ => None,
        };
        value.filter(|_| !self.is_stock()).map(|value| !matches!(value, Value::Bool(Truth::False)))
    }

    /// What two integers come to whose values are at hand, as of most chains.
    #[inline(never)]
    pub(super) fn chain_at_hand(&self, chain: &Chain) -> Option<Value> {
        let [(operator, right)] = &*chain.rest else { return None };
        match (self.operand_at_hand(&chain.first)?, self.operand_at_hand(right)?) {
            (Value::Int(one), Value::Int(two)) => of_integers(one, *operator, two),
            _ => None,
        }
    }

    #[inline]
    fn operand_at_hand(&self, operand: &Expression) -> Option<Value> {
        match operand {
            Expression::Constant(value) => Some(*value),
            Expression::Reference(reference) => self.at_hand(reference),
            _ => None,
        }
    }

    /// Applies operators from left to right.
    pub(super) fn chain(&mut self, chain: &'r Chain) -> Result<Value, Box<Fault>> {
        let logical = chain.rest.first().map(|(operator, _)| *operator);
        if let Some(operator @ (Operator::Or | Operator::And)) = logical {
            let decides = operator == Operator::Or;
            let operands = std::iter::once(&chain.first).chain(chain.rest.iter().map(|(_, e)| e));
            for operand in operands {
                self.heap.spend(1)?;
                if self.truth(operand)? == decides {
                    return Ok(Value::from(decides));
                }
            }
            return Ok(Value::from(!decides));
        }
        let mut left = self.value(&chain.first)?;
        let mut source = Some(&chain.first);
        for (operator, right) in &chain.rest {
            self.heap.spend(1)?;
            let value = self.value(right)?;
            if let (Value::Int(one), Value::Int(two)) = (left, value)
                && let Some(made) = of_integers(one, *operator, two)
            {
                left = made;
                continue;
            }
            left = self.operate(left, source.take(), *operator, value, right)?;
        }
        Ok(left)
    }

    fn operate(
        &mut self,
        left: Value,
        left_source: Option<&'r Expression>,
        operator: Operator,
        right: Value,
        right_source: &'r Expression,
    ) -> Result<Value, Box<Fault>> {
        Ok(Value::from(match operator {
            Operator::Equal => self.equal(left, right)?,
            Operator::Unequal => !self.equal(left, right)?,
            Operator::Less => self.order(left, right) == Some(Ordering::Less),
            Operator::More => self.order(left, right) == Some(Ordering::Greater),
            Operator::AtMost => self.order(left, right).is_some_and(Ordering::is_le),
            Operator::AtLeast => self.order(left, right).is_some_and(Ordering::is_ge),
            Operator::Add if matches!(left, Value::Text(_)) || matches!(right, Value::Text(_)) => {
                let begin = self.out.len();
                self.append(left, left_source)?;
                self.append(right, Some(right_source))?;
                let joined = self.heap.store_built(&self.out[begin..])?;
                self.out.truncate(begin);
                return Ok(Value::Text(joined));
            }
            _ => return self.calculate(left, operator, right),
        }))
    }

    /// A side of a sum of texts. Velocity writes what does not exist as the source has it.
    fn append(&mut self, value: Value, source: Option<&'r Expression>) -> Result<(), Box<Fault>> {
        match (value, source) {
            (Value::Null, Some(Expression::Reference(reference))) if self.is_stock() => {
                let written = self.template.span(reference.source);
                self.out.extend_from_slice(written.as_bytes());
                Ok(())
            }
            (value, _) => self.show(value),
        }
    }

    /// Whole numbers stay whole; what is no number, and what is divided by zero, comes to nothing.
    fn calculate(
        &mut self,
        left: Value,
        operator: Operator,
        right: Value,
    ) -> Result<Value, Box<Fault>> {
        let heap = &*self.heap;
        let (Some(left), Some(right)) = (Number::of(heap, left), Number::of(heap, right)) else {
            return Ok(Value::Null);
        };
        if matches!(operator, Operator::Divide | Operator::Remainder) && right.float() == 0.0 {
            return Ok(Value::Null);
        }
        let (Number::Int(one), Number::Int(two)) = (left, right) else {
            let (one, two) = (left.float(), right.float());
            return Ok(Value::from(match operator {
                Operator::Add => one + two,
                Operator::Subtract => one - two,
                Operator::Multiply => one * two,
                Operator::Divide => one / two,
                _ => one % two,
            }));
        };
        let whole = match operator {
            Operator::Add => one.checked_add(two),
            Operator::Subtract => one.checked_sub(two),
            Operator::Multiply => one.checked_mul(two),
            Operator::Divide => one.checked_div(two),
            _ => one.checked_rem(two),
        };
        let whole = whole.ok_or(Box::new(Fault::Number))?;
        match i64::try_from(whole) {
            Ok(small) => Ok(Value::Int(small)),
            Err(_) => Ok(Value::Number(self.heap.store(&whole.to_string())?)),
        }
    }

    fn order(&self, left: Value, right: Value) -> Option<Ordering> {
        let heap = &*self.heap;
        Number::of(heap, left)?.compare(Number::of(heap, right)?)
    }

    /// Numbers are equal by value, other things of different kinds by what they print as. In API Gateway what does not exist equals
    /// empty text.
    pub(super) fn equal(&mut self, left: Value, right: Value) -> Result<bool, Box<Fault>> {
        let heap = &mut *self.heap;
        Ok(match (left, right) {
            (Value::Text(one), Value::Text(two)) => {
                heap.spend(one.range().len() / 64)?;
                heap.text(one) == heap.text(two)
            }
            (Value::Null, Value::Null) => true,
            (Value::Null, Value::Text(text)) | (Value::Text(text), Value::Null) => {
                text.is_empty() && !self.is_stock()
            }
            (Value::Null, _) | (_, Value::Null) => false,
            (Value::Bool(one), Value::Bool(two)) => one == two,
            (one, two) => {
                if let Some(order) = self.order(one, two) {
                    return Ok(order.is_eq());
                }
                match (one, two) {
                    (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => {
                        self.same(one, two, 0)?
                    }
                    _ => {
                        let (one, two) = (self.as_text(one)?, self.as_text(two)?);
                        let heap = &mut *self.heap;
                        heap.text(one) == heap.text(two)
                    }
                }
            }
        })
    }

    /// Whether lists or maps hold the same.
    fn same(&mut self, one: Value, two: Value, depth: usize) -> Result<bool, Box<Fault>> {
        if depth > json::DEPTH {
            return Err(super::super::heap::Exhausted::Depth.into());
        }
        self.heap.spend(1)?;
        match (one, two) {
            (Value::List(one), Value::List(two)) => {
                let len = self.heap.items(one).len();
                if len != self.heap.items(two).len() {
                    return Ok(false);
                }
                for at in 0..len {
                    let (one, two) = (self.heap.items(one)[at], self.heap.items(two)[at]);
                    if !self.same(one, two, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Map(one), Value::Map(two)) => {
                let len = self.heap.pairs(one).len();
                if len != self.heap.pairs(two).len() {
                    return Ok(false);
                }
                for at in 0..len {
                    let (key, value): (Text, Value) = self.heap.pairs(one)[at];
                    let finding = self.heap.finding(two);
                    self.heap.spend(finding)?;
                    let heap = &mut *self.heap;
                    let Some(other) = heap.get(two, heap.text(key)) else { return Ok(false) };
                    if !self.same(value, other, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => Ok(false),
            (one, two) => self.equal(one, two),
        }
    }
}

/// The common case: what fits 64 bits, except for division.
#[inline]
fn of_integers(one: i64, operator: Operator, two: i64) -> Option<Value> {
    Some(match operator {
        Operator::Equal => Value::from(one == two),
        Operator::Unequal => Value::from(one != two),
        Operator::Less => Value::from(one < two),
        Operator::AtMost => Value::from(one <= two),
        Operator::More => Value::from(one > two),
        Operator::AtLeast => Value::from(one >= two),
        Operator::Add => Value::Int(one.checked_add(two)?),
        Operator::Subtract => Value::Int(one.checked_sub(two)?),
        Operator::Multiply => Value::Int(one.checked_mul(two)?),
        _ => return None,
    })
}
