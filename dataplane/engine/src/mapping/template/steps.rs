//! The steps of a render, kept for people: what was set, printed and chosen, and where.

use super::{Did, Overrides, Place, Position, Trace};

/// A step that was kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Where in the source.
    pub at: Position,
    /// What happened there.
    pub what: What,
}

/// What a step did.
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// Gave a variable or a member a value, here as it prints.
    Set {
        /// As written, with its dollar sign.
        target: String,
        /// As it prints.
        value: String,
    },
    /// Something else, in words.
    Other(String),
}

impl Step {
    /// Line, column and what happened, as one line.
    pub fn line(&self) -> String {
        let what = match &self.what {
            What::Set { target, value } => format!("set {target} to {value:?}"),
            What::Other(text) => text.clone(),
        };
        format!("{:>4}:{:<3} {what}", self.at.line, self.at.column)
    }
}

/// A trace that keeps steps: the first [`Steps::MAX`] of them, with values of at most [`Steps::MAX_VALUE`] bytes.
#[derive(Debug, Default)]
pub struct Steps {
    kept: Vec<Step>,
    variables: Vec<(String, String)>,
}

impl Steps {
    /// Steps that are kept. A loop may make millions.
    pub const MAX: usize = 10_000;

    /// Bytes of a value that are kept.
    pub const MAX_VALUE: usize = 4 << 10;

    /// The steps in their order.
    pub fn kept(&self) -> &[Step] {
        &self.kept
    }

    /// What was set, each once, with its last value.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    fn remember(&mut self, target: &str, value: &str) {
        let held = self.variables.iter().position(|(held, _)| held == target);
        match held {
            Some(at) => self.variables[at].1 = cut(value),
            None if self.variables.len() < Self::MAX_VARIABLES => {
                self.variables.push((cut(target), cut(value)));
            }
            None => {}
        }
    }

    /// Variables that are kept: names are looked for one by one.
    const MAX_VARIABLES: usize = 1_000;
}

impl Trace for Steps {
    fn step(&mut self, at: Position, did: Did<'_>) {
        if let Did::Set { target, value } = did {
            self.remember(target, value);
        }
        if self.kept.len() == Self::MAX {
            return;
        }
        let what = match did {
            Did::Set { target, value } => What::Set { target: cut(target), value: cut(value) },
            Did::Printed { reference, output } => {
                What::Other(format!("{} printed {:?}", cut(reference), cut(output)))
            }
            Did::Chose(Some(0)) => What::Other("#if holds".to_owned()),
            Did::Chose(Some(number)) => What::Other(format!("#elseif {number} holds")),
            Did::Chose(None) => What::Other("#if does not hold".to_owned()),
            Did::Iterated { name, index, value } => {
                What::Other(format!("iteration {index}: ${name} is {:?}", cut(value)))
            }
            Did::Limited(most) => What::Other(format!("the loop ends after {most} iterations")),
            Did::Stopped => What::Other("#stop".to_owned()),
        };
        self.kept.push(Step { at, what });
    }
}

impl Overrides {
    /// What is overridden, in words: `request header X`, `response status`, and the value.
    pub fn told(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for place in Place::ALL {
            for (name, values) in self.request(place) {
                all.push((format!("request {} {name}", place.name()), values.join(", ")));
            }
        }
        all.extend(self.status().map(|s| ("response status".to_owned(), s.to_string())));
        for (name, values) in self.response_headers() {
            all.push((format!("response header {name}"), values.join(", ")));
        }
        all
    }
}

/// The beginning of a text that is too long to keep.
fn cut(text: &str) -> String {
    let mut end = text.len().min(Steps::MAX_VALUE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded() {
        let at = Position { line: 1, column: 1 };
        let mut steps = Steps::default();
        let long = "é".repeat(Steps::MAX_VALUE);
        for number in 0..2 * Steps::MAX {
            steps.step(at, Did::Set { target: &format!("$v{}", number % 2_000), value: &long });
        }
        steps.step(at, Did::Set { target: "$v7", value: "last" });
        assert_eq!((steps.kept().len(), steps.variables().len()), (Steps::MAX, 1_000));
        assert_eq!(steps.variables()[7], ("$v7".to_owned(), "last".to_owned()));
        assert_eq!(steps.variables()[8].1.len(), Steps::MAX_VALUE + "…".len());
    }
}
