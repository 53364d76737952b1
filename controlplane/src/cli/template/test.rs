//! `tidegate template test`: one template, and all there is to say about what it does.

use std::path::PathBuf;

use serde_json::{Value, json};
use tidegate_engine::mapping::template::{
    Given, Limits, Overrides, Position, Scope, Scratch, Step, Steps, Template, What,
};

use super::super::Shown;
use super::super::error::CliError;
use super::super::table::Table;
use super::source;

/// Arguments of `tidegate template test`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The template
    file: PathBuf,
    #[command(flatten)]
    source: source::Arguments,
    /// Show each step: line, column and what happened there
    #[arg(long)]
    trace: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Shown, CliError> {
    let read = std::fs::read_to_string(&arguments.file);
    let source = read.map_err(|cause| CliError::File { path: arguments.file.clone(), cause })?;
    let given = arguments.source.given()?;
    let wrong = |at: Position, what: String, steps: &[Step]| {
        let mut message = steps.iter().map(|step| step.line() + "\n").collect::<String>();
        message.push_str(&pointed(&arguments.file.display().to_string(), &source, at, &what));
        CliError::Template(message)
    };
    let template =
        Template::compile(&source).map_err(|error| wrong(error.at, error.why.to_string(), &[]))?;
    let tested = Tested::of(&template, &given);
    let steps = if arguments.trace { tested.steps.kept() } else { &[] };
    if let Some((at, fault)) = &tested.fault {
        return Err(wrong(*at, fault.clone(), steps));
    }
    Ok(Shown { text: tested.text(arguments.trace), json: tested.json() })
}

/// What came of a template.
struct Tested {
    output: String,
    steps: Steps,
    overrides: Overrides,
    fault: Option<(Position, String)>,
}

impl Tested {
    fn of(template: &Template, given: &Given) -> Self {
        let mut steps = Steps::default();
        let mut overrides = Overrides::default();
        let mut scope = Scope {
            source: given,
            scratch: &mut Scratch::default(),
            overrides: &mut overrides,
            trace: Some(&mut steps),
        };
        let mut out = Vec::new();
        let rendered = template.render(&mut scope, &Limits::API_GATEWAY, &mut out);
        Self {
            output: String::from_utf8_lossy(&out).into_owned(),
            steps,
            overrides,
            fault: rendered.err().map(|error| (error.at, error.fault.to_string())),
        }
    }

    fn text(&self, trace: bool) -> String {
        let mut parts = Vec::new();
        if trace {
            parts.push(self.steps.kept().iter().map(Step::line).collect::<Vec<_>>().join("\n"));
        }
        let mut table = Table::new(&["VARIABLE", "VALUE"]);
        for (name, value) in self.steps.variables() {
            table.row([name.clone(), value.clone()]);
        }
        parts.push(table.or("no variables were set"));
        let overridden = self.overrides.told();
        if !overridden.is_empty() {
            let mut table = Table::new(&["OVERRIDE", "VALUE"]);
            overridden.into_iter().for_each(|(name, value)| table.row([name, value]));
            parts.push(table.or(""));
        }
        parts.push(self.output.clone());
        parts.join("\n\n")
    }

    fn json(&self) -> Value {
        let object = |pairs: &[(String, String)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
            pairs.collect::<serde_json::Map<_, _>>()
        };
        let step = |step: &Step| {
            let (line, column) = (step.at.line, step.at.column);
            match &step.what {
                What::Set { target, value } => {
                    json!({ "line": line, "column": column, "set": target, "value": value })
                }
                What::Other(text) => json!({ "line": line, "column": column, "did": text }),
            }
        };
        json!({
            "output": self.output,
            "variables": object(self.steps.variables()),
            "overrides": object(&self.overrides.told()),
            "steps": self.steps.kept().iter().map(step).collect::<Vec<_>>(),
        })
    }
}

/// An error under the line it is in.
fn pointed(file: &str, source: &str, at: Position, what: &str) -> String {
    let line = source.lines().nth(at.line as usize - 1).unwrap_or_default();
    let number = at.line.to_string();
    // Tabs stay tabs, so that the mark stands where it should.
    let before = line.chars().take(at.column as usize - 1);
    let before: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    format!(
        "{file}:{number}:{}: {what}\n  {number} | {line}\n  {:width$} | {before}^",
        at.column,
        "",
        width = number.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tested(source: &str) -> Tested {
        let given = Given { body: br#"{"a": [1, 2]}"#.to_vec(), ..Given::default() };
        Tested::of(&Template::compile(source).unwrap(), &given)
    }

    #[test]
    fn everything_is_shown() {
        let tested = tested(
            "#set($n = 0)\n#foreach($i in $input.path('$.a'))#set($n = $n + $i)$n#end\n\
             #set($context.requestOverride.header.x = ['a', 'b'])#set($context.responseOverride.status = 201)",
        );
        assert_eq!(
            tested.text(false),
            "VARIABLE                           VALUE\n$n                                 3\n\
             $context.requestOverride.header.x  [a, b]\n$context.responseOverride.status   201\n\n\
             OVERRIDE          VALUE\nrequest header x  a, b\nresponse status   201\n\n13"
        );
        let steps: Vec<String> = tested.steps.kept().iter().map(Step::line).collect();
        assert_eq!(
            steps[..3],
            [
                "   1:6   set $n to \"0\"",
                "   2:1   iteration 0: $i is \"1\"",
                "   2:40  set $n to \"1\"",
            ]
        );
        assert_eq!(tested.json()["variables"]["$n"], "3");
    }

    #[test]
    fn an_error_stands_under_its_place() {
        let source = "a\n\t#if($x)";
        let error = Template::compile(source).unwrap_err();
        assert_eq!(
            pointed("t.vtl", source, error.at, &error.why.to_string()),
            "t.vtl:2:2: #if has no #end\n  2 | \t#if($x)\n    | \t^"
        );
        let failed = tested("ok $input.path('$.a')[7]").fault.unwrap();
        assert_eq!(
            failed,
            (Position { line: 1, column: 4 }, "index 7 is out of range: there are 2".to_owned())
        );
    }
}
