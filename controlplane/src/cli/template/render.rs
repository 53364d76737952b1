//! `tidegate template render`: lines in, lines out, for comparing with other engines.

use std::io::{BufRead as _, Write as _};

use serde_json::{Value, json};
use tidegate_engine::mapping::template::{Case, Limits, Overrides, Scope, Scratch, Template};

use super::super::error::CliError;

/// Arguments of `tidegate template render`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Read and write JSON, one object to a line: `{"id", "template", "context"}` for Velocity's own dialect or `{"id", "template",
    /// "apigw": {"body", "path", "querystring", "header", "context", "stageVariables"}}` for API Gateway's gives
    /// `{"id", "output"}` or `{"id", "error"}`
    #[arg(long, required = true)]
    jsonl: bool,
}

pub(super) fn run(_: &Arguments) -> Result<(), CliError> {
    let mut scratch = Scratch::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line
            .map_err(|cause| CliError::System { what: "standard input cannot be read", cause })?;
        if line.trim().is_empty() {
            continue;
        }
        // A reader that has seen enough is no error.
        if writeln!(out, "{}", answer(&line, &mut scratch)).is_err() {
            break;
        }
    }
    Ok(())
}

fn answer(line: &str, scratch: &mut Scratch) -> Value {
    let case = match Case::read(line) {
        Ok(case) => case,
        Err(error) => return json!({ "id": null, "error": error.to_string() }),
    };
    let id: Value = serde_json::from_str(&case.id).unwrap_or_default();
    match render(&case, scratch) {
        Ok(output) => json!({ "id": id, "output": output }),
        Err(error) => json!({ "id": id, "error": error }),
    }
}

fn render(case: &Case, scratch: &mut Scratch) -> Result<String, String> {
    let template = Template::compile_as(&case.template, case.dialect).map_err(|e| e.to_string())?;
    let mut overrides = Overrides::default();
    let mut scope = Scope { source: &case.given, scratch, overrides: &mut overrides, trace: None };
    let mut out = Vec::new();
    template.render(&mut scope, &Limits::API_GATEWAY, &mut out).map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_answered() {
        let mut scratch = Scratch::default();
        for (line, want) in [
            (
                r#"{"id":1,"template":"$a $b","context":{"a":"x"}}"#,
                json!({"id": 1, "output": "x $b"}),
            ),
            (
                r#"{"id":"t","template":"$a|$input.json('$')","apigw":{"body":"[1]"}}"#,
                json!({"id": "t", "output": "|[1]"}),
            ),
            (
                r##"{"id":2,"template":"#if(","context":{}}"##,
                json!({"id": 2, "error": "line 1, column 5: a value is expected here"}),
            ),
            ("nothing", json!({"id": null, "error": "the line is no JSON object"})),
        ] {
            assert_eq!(answer(line, &mut scratch), want);
        }
    }
}
