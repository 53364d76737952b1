//! `$input`: the body and the parameters.

use super::super::heap::{Text, Value};
use super::super::json::{self, JsonError};
use super::super::jsonpath::JsonPath;
use super::error::Fault;
use super::names::Method;
use super::run::Run;
use super::scope::Place;
use super::tree::Ready;

impl<'r> Run<'r> {
    pub(super) fn input_method(
        &mut self,
        method: Method,
        arguments: &[Value],
        ready: &'r Ready,
    ) -> Result<Value, Box<Fault>> {
        match (method, arguments) {
            (Method::Path, [path]) => self.select(*path, ready),
            (Method::Json, [path]) => {
                let found = self.select(*path, ready)?;
                match found {
                    Value::Null => Ok(Value::Text(self.heap.store("\"\"")?)),
                    found => self.write_json(found),
                }
            }
            (Method::Params, []) => self.parameters(),
            (Method::Params, [name]) => self.parameter(*name),
            (Method::GetBody, []) => Ok(Value::Text(self.body_text()?)),
            _ => Ok(Value::Null),
        }
    }

    /// The body as text; an empty one is `{}`.
    pub(super) fn body_text(&mut self) -> Result<Text, Box<Fault>> {
        if let Some(text) = self.body {
            return Ok(text);
        }
        let source = self.source;
        let text = match source.body() {
            [] => self.heap.store("{}")?,
            body => json::store_body(self.heap, body)?,
        };
        self.body = Some(text);
        Ok(text)
    }

    /// The body as JSON; nothing if it is none. A template that changed what it got sees the body as sent when it asks again.
    fn document(&mut self) -> Result<Value, Box<Fault>> {
        if let Some(document) = self.document
            && !self.heap.touched
        {
            return Ok(document);
        }
        let text = self.body_text()?;
        let document = match json::read(self.heap, text) {
            Ok(document) => document,
            Err(JsonError::Exhausted(exhausted)) => return Err(exhausted.into()),
            Err(JsonError::Malformed(_) | JsonError::TooDeep(_)) => Value::Null,
        };
        self.heap.watch();
        self.document = Some(document);
        Ok(document)
    }

    fn select(&mut self, path: Value, ready: &'r Ready) -> Result<Value, Box<Fault>> {
        let document = self.document()?;
        if let Value::Null = document {
            return Ok(Value::Null);
        }
        let found = if let Ready::Path(path) = ready {
            path.select(self.heap, document)?
        } else {
            let Value::Text(path) = path else { return Ok(Value::Null) };
            self.heap.spend(1 + path.range().len())?;
            match JsonPath::parse(self.heap.str(path)) {
                Ok(path) => path.select(self.heap, document)?,
                Err(_) => None,
            }
        };
        Ok(found.unwrap_or(Value::Null))
    }

    /// Every parameter: a map of maps.
    fn parameters(&mut self) -> Result<Value, Box<Fault>> {
        let source = self.source;
        let heap = &mut *self.heap;
        let mut places = Vec::with_capacity(Place::ALL.len());
        for place in Place::ALL {
            let mut pairs = Vec::new();
            let mut failed = None;
            source.parameters(place, &mut |name, value| match heap
                .store(name)
                .and_then(|name| Ok((name, heap.store(value)?)))
            {
                Ok((name, value)) => pairs.push((name, Value::Text(value))),
                Err(exhausted) => failed = Some(exhausted),
            });
            if let Some(exhausted) = failed {
                return Err(exhausted.into());
            }
            let map = heap.map(&pairs)?;
            places.push((heap.store(place.name())?, Value::Map(map)));
        }
        Ok(Value::Map(heap.map(&places)?))
    }

    /// One parameter: the first found in path, query string and headers, else empty text.
    fn parameter(&mut self, name: Value) -> Result<Value, Box<Fault>> {
        let name = self.as_text(name)?;
        let source = self.source;
        let heap = &mut *self.heap;
        for place in Place::ALL {
            if let Some(value) = source.parameter(place, heap.str(name)) {
                return Ok(Value::Text(heap.store(&value)?));
            }
        }
        Ok(Value::Text(Text::EMPTY))
    }
}
