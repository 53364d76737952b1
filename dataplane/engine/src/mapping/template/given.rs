//! A scope made by hand, for command lines, tests and measurements.

use std::borrow::Cow;

use super::super::json;
use super::scope::{Datum, Place, Source};

/// What a template is to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The body.
    pub body: Vec<u8>,
    /// Parameters in the path, by name.
    pub path: Vec<(String, String)>,
    /// Parameters in the query string.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub header: Vec<(String, String)>,
    /// `$context` variables by their dotted names, each value JSON. A value may hold members of its own.
    pub context: Vec<(String, String)>,
    /// Stage variables.
    pub stage_variables: Vec<(String, String)>,
}

impl Given {
    fn place(&self, place: Place) -> &[(String, String)] {
        match place {
            Place::Path => &self.path,
            Place::Query => &self.query,
            Place::Header => &self.header,
        }
    }
}

impl Source for Given {
    fn body(&self) -> &[u8] {
        &self.body
    }

    fn parameter(&self, place: Place, name: &str) -> Option<Cow<'_, str>> {
        last(self.place(place), name).map(Cow::Borrowed)
    }

    fn parameters(&self, place: Place, each: &mut dyn FnMut(&str, &str)) {
        self.place(place).iter().for_each(|(name, value)| each(name, value));
    }

    fn context(&self, name: &str) -> Option<Datum<'_>> {
        if let Some(value) = last(&self.context, name) {
            return Some(Datum::Json(Cow::Borrowed(value)));
        }
        let inside = |(held, value): &(String, String)| {
            member(value, name.strip_prefix(held.as_str())?.strip_prefix('.')?)
        };
        self.context.iter().rev().find_map(inside).map(|value| Datum::Json(Cow::Owned(value)))
    }

    fn contexts(&self, each: &mut dyn FnMut(&str, Datum<'_>)) {
        for (name, value) in &self.context {
            each(name, Datum::Json(Cow::Borrowed(value)));
        }
    }

    fn stage_variable(&self, name: &str) -> Option<Cow<'_, str>> {
        last(&self.stage_variables, name).map(Cow::Borrowed)
    }

    fn stage_variables(&self, each: &mut dyn FnMut(&str, &str)) {
        self.stage_variables.iter().for_each(|(name, value)| each(name, value));
    }
}

fn last<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().rev().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
}

/// A member of a JSON document, by its dotted name, as JSON.
fn member(document: &str, name: &str) -> Option<String> {
    name.split('.').try_fold(document.to_owned(), |document, name| {
        let found = json::members(&document)?.into_iter().find(|(held, _)| held == name);
        found.map(|(_, value)| value)
    })
}
