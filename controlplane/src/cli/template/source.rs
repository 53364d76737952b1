//! What a template sees, from the command line.

use tidegate_engine::mapping::template::Given;

use super::super::body;
use super::super::error::CliError;

/// Arguments that say what a template sees.
#[derive(Debug, clap::Args)]
// Both have a group of their type's name otherwise, which is the same where one is flattened into the other.
#[group(skip)]
pub(super) struct Arguments {
    /// The body: a file, `-` for standard input, or the text itself
    #[arg(long, value_name = "FILE|TEXT|-")]
    body: Option<String>,
    /// The request's Content-Type header
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// A parameter of the request: path.NAME=VALUE, querystring.NAME=VALUE or header.NAME=VALUE; may be given several times
    #[arg(long = "param", value_name = "PLACE.NAME=VALUE")]
    parameters: Vec<String>,
    /// A $context variable: text, or JSON if it begins with { or [; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    context: Vec<String>,
    /// A stage variable; may be given several times
    #[arg(long = "stage-variable", value_name = "NAME=VALUE")]
    stage_variables: Vec<String>,
}

impl Arguments {
    pub(super) fn given(&self) -> Result<Given, CliError> {
        let mut given = Given { body: body::read(self.body.as_deref())?, ..Given::default() };
        if let Some(media) = &self.content_type {
            given.header.push(("Content-Type".to_owned(), media.clone()));
        }
        for parameter in &self.parameters {
            let (name, value) = pair(parameter)?;
            let place = match name.split_once('.') {
                Some(("path", name)) => (&mut given.path, name),
                Some(("querystring", name)) => (&mut given.query, name),
                Some(("header", name)) => (&mut given.header, name),
                _ => {
                    return Err(CliError::Usage(format!(
                        "{parameter:?} says not where the parameter is; write path.NAME=VALUE, querystring.NAME=VALUE or header.NAME=VALUE"
                    )));
                }
            };
            place.0.push((place.1.to_owned(), value.to_owned()));
        }
        for variable in &self.context {
            let (name, value) = pair(variable)?;
            given.context.push((name.to_owned(), json(value)?));
        }
        for variable in &self.stage_variables {
            let (name, value) = pair(variable)?;
            given.stage_variables.push((name.to_owned(), value.to_owned()));
        }
        Ok(given)
    }
}

fn pair(text: &str) -> Result<(&str, &str), CliError> {
    text.split_once('=')
        .ok_or_else(|| CliError::Usage(format!("{text:?} has no value; write NAME=VALUE")))
}

/// A value of `$context` as JSON.
fn json(value: &str) -> Result<String, CliError> {
    if !value.starts_with(['{', '[']) {
        return Ok(serde_json::Value::from(value).to_string());
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(value) {
        Ok(_) => Ok(value.to_owned()),
        Err(error) => {
            Err(CliError::Usage(format!("{value:?} begins like JSON and is none: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> Arguments {
        let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Arguments {
            body: Some("{\"a\": 1}".to_owned()),
            content_type: Some("text/plain".to_owned()),
            parameters: all(&["header.X-A=1", "path.id=a=b", "querystring.q="]),
            context: all(&["identity.sourceIp=192.0.2.1", "authorizer={\"a\": [1]}"]),
            stage_variables: all(&["v=x"]),
        }
    }

    #[test]
    fn arguments_become_what_the_template_sees() {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            arguments().given().unwrap(),
            Given {
                body: b"{\"a\": 1}".to_vec(),
                path: pairs(&[("id", "a=b")]),
                query: pairs(&[("q", "")]),
                header: pairs(&[("Content-Type", "text/plain"), ("X-A", "1")]),
                context: pairs(&[
                    ("identity.sourceIp", "\"192.0.2.1\""),
                    ("authorizer", "{\"a\": [1]}")
                ]),
                stage_variables: pairs(&[("v", "x")]),
            }
        );
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for spoil in [
            |a: &mut Arguments| a.parameters.push("header.X".to_owned()),
            |a: &mut Arguments| a.parameters.push("cookie.a=1".to_owned()),
            |a: &mut Arguments| a.context.push("a={1}".to_owned()),
            |a: &mut Arguments| a.stage_variables.push("a".to_owned()),
        ] {
            let mut arguments = arguments();
            spoil(&mut arguments);
            assert!(matches!(arguments.given(), Err(CliError::Usage(_))));
        }
    }
}
