//! Reads a table of a settings file key by key, so that each mistake can be told by its key.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// The keys of a table that nobody has read yet.
pub(super) struct Keys {
    /// Of the table, with dots.
    path: String,
    left: Table,
}

impl Keys {
    pub(super) fn new(path: &str, table: Table) -> Self {
        Self { path: path.to_owned(), left: table }
    }

    /// What is wrong with a key.
    pub(super) fn wrong(&self, key: &str, what: &str) -> String {
        match self.path.as_str() {
            "" => format!("{key}: {what}"),
            path => format!("{path}.{key}: {what}"),
        }
    }

    pub(super) fn table(&mut self, key: &str) -> Result<Table, String> {
        match self.left.remove(key) {
            None => Ok(Table::new()),
            Some(Value::Table(table)) => Ok(table),
            Some(_) => Err(self.wrong(key, "must be a table")),
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.left.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(key, "must be a text in quotes")),
        }
    }

    pub(super) fn texts(&mut self, key: &str) -> Result<Option<Vec<String>>, String> {
        let Some(value) = self.left.remove(key) else { return Ok(None) };
        let texts = value.as_array().and_then(|list| {
            list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()
        });
        texts.map(Some).ok_or_else(|| {
            self.wrong(key, "must be a list of texts, for example [\"./bootstrap\"]")
        })
    }

    pub(super) fn boolean(&mut self, key: &str) -> Result<Option<bool>, String> {
        match self.left.remove(key) {
            None => Ok(None),
            Some(Value::Boolean(value)) => Ok(Some(value)),
            Some(_) => Err(self.wrong(key, "must be true or false")),
        }
    }

    /// A number within limits.
    pub(super) fn number(
        &mut self,
        key: &str,
        usual: f64,
        least: f64,
        most: f64,
    ) -> Result<f64, String> {
        let number = match self.left.remove(key) {
            None => usual,
            #[expect(
                clippy::cast_precision_loss,
                reason = "what is large enough to be rounded is out of range"
            )]
            Some(Value::Integer(number)) => number as f64,
            Some(Value::Float(number)) => number,
            Some(_) => return Err(self.wrong(key, "must be a number, without quotes")),
        };
        if (least..=most).contains(&number) {
            return Ok(number);
        }
        Err(self.wrong(key, &format!("must be from {least} to {most}")))
    }

    /// A number without fractions within limits.
    pub(super) fn whole(
        &mut self,
        key: &str,
        usual: u32,
        least: u32,
        most: u32,
    ) -> Result<u32, String> {
        let number = match self.left.remove(key) {
            None => return Ok(usual),
            Some(Value::Integer(number)) => number,
            Some(_) => return Err(self.wrong(key, "must be a whole number, without quotes")),
        };
        let fits = u32::try_from(number).ok().filter(|number| (least..=most).contains(number));
        fits.ok_or_else(|| self.wrong(key, &format!("must be from {least} to {most}")))
    }

    /// Variables; numbers and booleans become their texts.
    pub(super) fn environment(&mut self, key: &str) -> Result<BTreeMap<String, String>, String> {
        let table = self.table(key)?;
        let variables = table.into_iter().map(|(name, value)| {
            let wrong = |what: &str| {
                Err(self.wrong(key, "").trim_end_matches(": ").to_owned()
                    + &format!(".{name}: {what}"))
            };
            if name.is_empty() || name.contains(['=', '\0']) {
                return wrong("no variable can be called so");
            }
            // Source: Lambda developer guide, "Defined runtime environment variables".
            if RESERVED.contains(&name.as_str()) {
                return wrong("Lambda sets this one itself; leave it out");
            }
            let text = match value {
                Value::String(text) if text.contains('\0') => return wrong("has a NUL in it"),
                Value::String(text) => text,
                Value::Integer(number) => number.to_string(),
                Value::Float(number) => number.to_string(),
                Value::Boolean(value) => value.to_string(),
                _ => return wrong("must be a text in quotes"),
            };
            Ok((name, text))
        });
        variables.collect()
    }

    /// Refuses what nobody has read.
    pub(super) fn end(&self, known: &[&str]) -> Result<(), String> {
        let Some(key) = self.left.keys().next() else { return Ok(()) };
        let alike = known
            .iter()
            .min_by_key(|name| distance(name, key))
            .filter(|name| distance(name, key) <= 2);
        Err(self.wrong(
            key,
            &match alike {
                Some(name) => format!("no such key; did you mean '{name}'?"),
                None => format!("no such key; there are {}", known.join(", ")),
            },
        ))
    }
}

/// How many letters to insert, leave out or replace.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];
