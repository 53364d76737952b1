//! Policies: what an access key may do, in AWS's policy language. Pure: text, names and moments in, a decision out.
//!
//! ```text
//! json.rs       JSON that says nothing twice
//! document.rs   text to a Policy, or everything that is wrong with it
//! pattern.rs    texts with wild cards and policy variables
//! condition.rs  condition operators and what they compare
//! context.rs    what is known of a request
//! ```
//!
//! Whatever no statement allows is denied, and a statement that denies wins over all that allow. Source: IAM User Guide,
//! "IAM JSON policy element reference" and "Policy evaluation logic".

mod condition;
mod context;
mod document;
mod json;
mod pattern;

use condition::Condition;
use pattern::Pattern;

pub use context::Context;
pub use document::{MAX_BYTES, MAX_CHARACTERS, MalformedPolicy};

/// The policies that have a name: what the name stands for, and the document.
pub const BUILT_IN: [(&str, &str); 2] = [
    (
        "admin",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"apigateway:*","Resource":"*"}]}"#,
    ),
    (
        "read-only",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"apigateway:GET","Resource":"*"}]}"#,
    ),
];

/// A policy that was read and can be asked. The default one has no statement and allows nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// What a policy says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow,
    /// No statement speaks of it.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    allows: bool,
    actions: Selection,
    resources: Selection,
    conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq)]
struct Selection {
    patterns: Vec<Pattern>,
    /// Selects what no pattern fits.
    inverted: bool,
}

impl Selection {
    fn selects_action(&self, action: &str, context: &Context) -> bool {
        self.patterns.iter().any(|pattern| pattern.fits(action, true, context)) != self.inverted
    }

    fn selects_resource(&self, arn: &str, context: &Context) -> bool {
        self.patterns.iter().any(|pattern| pattern.fits_arn(arn, context)) != self.inverted
    }
}

impl Policy {
    /// Reads a document. Takes time linear in its length, which is bounded.
    pub fn parse(text: &str) -> Result<Self, MalformedPolicy> {
        document::parse(text)
    }

    /// The policy that has this name.
    pub fn built_in(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, document)| *document)
    }

    /// Decides on one action on one resource. Actions compare without regard to case, ARNs exactly.
    pub fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let mut decision = Decision::ImplicitDeny;
        for statement in &self.statements {
            if !statement.allows || decision == Decision::ImplicitDeny {
                match statement.covers(action, resource, context) {
                    true if statement.allows => decision = Decision::Allow,
                    true => return Decision::ExplicitDeny,
                    false => {}
                }
            }
        }
        decision
    }

    /// Whether a condition or a variable asks for a key that starts with `prefix`, in small letters. What nobody asks for
    /// need not be looked up.
    pub fn asks_for(&self, prefix: &str) -> bool {
        self.statements.iter().any(|statement| {
            let patterns = statement.actions.patterns.iter().chain(&statement.resources.patterns);
            patterns.into_iter().any(|pattern| pattern.asks_for(prefix))
                || statement.conditions.iter().any(|condition| condition.asks_for(prefix))
        })
    }
}

impl Statement {
    fn covers(&self, action: &str, resource: &str, context: &Context) -> bool {
        self.actions.selects_action(action, context)
            && self.resources.selects_resource(resource, context)
            && self.conditions.iter().all(|condition| condition.holds(context))
    }
}

/// Reads hostile bytes as a policy and asks it what it says of requests made of the same bytes; for fuzzing. Panics when an
/// invariant does not hold.
pub fn fuzz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(policy) = Policy::parse(text) else { return };
    let mut context = Context::default();
    for key in ["aws:username", "aws:SourceIp", "aws:CurrentTime", "aws:TagKeys"] {
        context.add(key, text);
        context.add(key, "10.0.0.1");
    }
    for (action, resource) in [("apigateway:GET", text), (text, "arn:aws:apigateway:r::/a")] {
        let decision = policy.decide(action, resource, &context);
        let covering = policy.statements.iter().filter(|s| s.covers(action, resource, &context));
        let (allowed, denied) = covering.fold((false, false), |(allowed, denied), statement| {
            (allowed || statement.allows, denied || !statement.allows)
        });
        assert_eq!(decision == Decision::ExplicitDeny, denied);
        assert_eq!(decision == Decision::Allow, allowed && !denied);
    }
}

#[cfg(test)]
mod tests;
