//! Text to a policy, or everything that is wrong with it.

use super::condition::Condition;
use super::json::Json;
use super::pattern::{Pattern, Syntax};
use super::{Policy, Selection, Statement};

/// The longest document, white space included.
pub const MAX_BYTES: usize = 64 * 1024;

/// Most characters of a document that are no white space. Source: IAM quotas, "managed policy: 6,144 characters; IAM doesn't
/// count white space".
pub const MAX_CHARACTERS: usize = 6_144;

/// A document that is no policy. Says everything that is wrong, with the statement it is wrong in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct MalformedPolicy(pub Vec<String>);

pub(super) fn parse(text: &str) -> Result<Policy, MalformedPolicy> {
    let one = |problem: String| MalformedPolicy(vec![problem]);
    if text.len() > MAX_BYTES {
        return Err(one(format!("a policy may have at most {MAX_BYTES} bytes")));
    }
    if text.chars().filter(|char| !char.is_whitespace()).count() > MAX_CHARACTERS {
        return Err(one(format!(
            "a policy may have at most {MAX_CHARACTERS} characters that are no white space"
        )));
    }
    // Nesting deeper than 128 is refused by the parser.
    let json = serde_json::from_str(text).map_err(|cause| one(format!("no JSON: {cause}")))?;
    let Json::Object(members) = json else {
        return Err(one("a policy is a JSON object".to_owned()));
    };
    let mut reader = Reader::default();
    let policy = reader.policy(members);
    if reader.problems.is_empty() { Ok(policy) } else { Err(MalformedPolicy(reader.problems)) }
}

#[derive(Default)]
struct Reader {
    problems: Vec<String>,
    /// What problems are told with.
    place: String,
    /// Whether `${...}` is a variable, which it is since version 2012-10-17.
    variables: bool,
    /// Sids so far.
    sids: Vec<String>,
}

impl Reader {
    fn problem(&mut self, text: impl std::fmt::Display) {
        self.problems.push(format!("{}{text}", self.place));
    }

    fn policy(&mut self, members: Vec<(String, Json)>) -> Policy {
        let mut statements = None;
        for (name, value) in members {
            match (name.as_str(), value) {
                ("Version", Json::Text(version)) => match version.as_str() {
                    "2012-10-17" => self.variables = true,
                    "2008-10-17" => {}
                    _ => self.problem("Version must be 2012-10-17 or 2008-10-17"),
                },
                ("Id", Json::Text(_)) => {}
                ("Version" | "Id", _) => self.problem(format_args!("{name} must be text")),
                ("Statement", value) => statements = Some(value),
                _ => self.problem(format_args!("{name:?} is no element of a policy")),
            }
        }
        let statements = match statements {
            Some(Json::List(list)) if !list.is_empty() => list,
            Some(one @ Json::Object(_)) => vec![one],
            _ => {
                self.problem("Statement must be a statement or a list of them");
                Vec::new()
            }
        };
        let read = statements.into_iter().enumerate().map(|(at, statement)| {
            self.place = format!("statement {}: ", at + 1);
            self.statement(statement)
        });
        let statements = read.collect::<Vec<_>>().into_iter().flatten().collect();
        self.place.clear();
        Policy { statements }
    }

    fn statement(&mut self, statement: Json) -> Option<Statement> {
        let Json::Object(members) = statement else {
            self.problem("a statement is a JSON object");
            return None;
        };
        let (mut effect, mut actions, mut resources) = (None, None, None);
        let mut conditions = Vec::new();
        for (name, value) in members {
            match name.as_str() {
                "Sid" => self.sid(value),
                "Effect" => match value {
                    Json::Text(text) if text == "Allow" => effect = Some(true),
                    Json::Text(text) if text == "Deny" => effect = Some(false),
                    _ => {
                        effect = Some(false);
                        self.problem("Effect must be Allow or Deny");
                    }
                },
                "Action" | "NotAction" => self.select(&name, value, &mut actions, action),
                "Resource" | "NotResource" => self.select(&name, value, &mut resources, resource),
                "Condition" => conditions = self.conditions(value),
                "Principal" | "NotPrincipal" => self.problem(format_args!(
                    "{name} has no place here: the policy is that of the key it is attached to"
                )),
                _ => self.problem(format_args!("{name:?} is no element of a statement")),
            }
        }
        for (missing, what) in [
            (effect.is_none(), "Effect is missing"),
            (actions.is_none(), "Action or NotAction is missing"),
            (resources.is_none(), "Resource or NotResource is missing"),
        ] {
            if missing {
                self.problem(what);
            }
        }
        Some(Statement { allows: effect?, actions: actions?, resources: resources?, conditions })
    }

    fn sid(&mut self, value: Json) {
        match value {
            Json::Text(sid) if sid.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                if self.sids.contains(&sid) && !sid.is_empty() {
                    self.problem(format_args!("Sid {sid:?} is that of another statement"));
                }
                self.sids.push(sid);
            }
            _ => self.problem("Sid may hold letters and digits only"),
        }
    }

    fn select(
        &mut self,
        name: &str,
        value: Json,
        selection: &mut Option<Selection>,
        check: fn(&str) -> Result<(), String>,
    ) {
        if selection.is_some() {
            let positive = name.trim_start_matches("Not");
            self.problem(format_args!("{positive} and Not{positive} exclude each other"));
        }
        // Variables stand in ARNs, not in names of actions.
        let variables = self.variables && name.ends_with("Resource");
        let syntax = Syntax { wildcards: true, variables };
        let mut patterns = Vec::new();
        for text in self.texts(name, value) {
            match check(&text).and_then(|()| Pattern::parse(&text, syntax)) {
                Ok(pattern) => patterns.push(pattern),
                Err(problem) => self.problem(format_args!("{name}: {problem}")),
            }
        }
        *selection = Some(Selection { patterns, inverted: name.starts_with("Not") });
    }

    fn conditions(&mut self, value: Json) -> Vec<Condition> {
        let mut conditions = Vec::new();
        let Json::Object(operators) = value else {
            self.problem("Condition must be an object of operators");
            return conditions;
        };
        for (operator, keys) in operators {
            let Json::Object(keys) = keys else {
                self.problem(format_args!("{operator} must be an object of condition keys"));
                continue;
            };
            for (key, values) in keys {
                if !key.contains(':') {
                    self.problem(format_args!("{operator}: {key:?} is no condition key"));
                }
                let values = self.texts(&format!("{operator} {key}"), values);
                match Condition::parse(&operator, &key, &values, self.variables) {
                    Ok(condition) => conditions.push(condition),
                    Err(problem) => self.problem(format_args!("Condition: {problem}")),
                }
            }
        }
        conditions
    }

    /// One text or a list of them; numbers and flags count as their spelling.
    fn texts(&mut self, name: &str, value: Json) -> Vec<String> {
        let list = match value {
            Json::List(list) => list,
            one => vec![one],
        };
        if list.is_empty() {
            self.problem(format_args!("{name} is empty"));
        }
        let mut texts = Vec::new();
        for value in list {
            match value {
                Json::Text(text) | Json::Word(text) => texts.push(text),
                _ => self.problem(format_args!("{name} must be text or a list of texts")),
            }
        }
        texts
    }
}

/// `*`, or a service and an action. Those of other services are allowed: they never match.
fn action(text: &str) -> Result<(), String> {
    let in_service = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*' | b'?');
    let in_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'?');
    let valid = text == "*"
        || text.split_once(':').is_some_and(|(service, name)| {
            let filled = !service.is_empty() && !name.is_empty();
            filled && service.bytes().all(in_service) && name.bytes().all(in_name)
        });
    if valid {
        Ok(())
    } else {
        Err(format!("{text:?} is no action; write apigateway:GET or the like"))
    }
}

/// `*`, or an ARN, whose last parts one star at the end may stand for. Any other star in such a part would have to be guessed at, and a
/// denial must not come to nothing by that.
fn resource(text: &str) -> Result<(), String> {
    let parts = text.split(':').count();
    let last = text.rsplit(':').next().unwrap_or_default();
    let stands_for_rest = last.find('*').is_some_and(|at| at + 1 == last.len());
    let valid = text == "*" || text.starts_with("arn:") && (parts >= 6 || stands_for_rest);
    if valid { Ok(()) } else { Err(format!("{text:?} must be in ARN format or \"*\"")) }
}
