//! Templates with what they see, one to a line: the format that Velocity is compared with.

use super::super::json;
use super::{Dialect, Given};

/// A template with its scope, read from a line of JSON.
///
/// Members: `id`, any JSON; `template`, a string; and either `context`, an object with the variables of a template of Velocity's
/// own, or `apigw`, an object with what a template of API Gateway's sees: `body` (a string), `path`, `querystring`, `header`,
/// `stageVariables` (objects of strings) and `context` (an object). Others are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// JSON, as given.
    pub id: String,
    /// Source of the template.
    pub template: String,
    /// Of which dialect.
    pub dialect: Dialect,
    /// What it sees.
    pub given: Given,
}

/// Why a line is no case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum CaseError {
    #[error("the line is no JSON object")]
    NoObject,
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is no string")]
    NoString(&'static str),
    #[error("{0} is no object of strings")]
    NoStrings(&'static str),
}

impl Case {
    /// Reads a line.
    pub fn read(line: &str) -> Result<Self, CaseError> {
        let members = json::members(line).ok_or(CaseError::NoObject)?;
        let find = |name: &str| find(&members, name);
        let template = find("template").ok_or(CaseError::Missing("template"))?;
        let (dialect, given) = match (find("apigw"), find("context")) {
            (Some(apigw), _) => (Dialect::ApiGateway, given(apigw)?),
            (None, Some(context)) => {
                let context = json::members(context).ok_or(CaseError::NoStrings("context"))?;
                (Dialect::Velocity, Given { context, ..Given::default() })
            }
            (None, None) => return Err(CaseError::Missing("context or apigw")),
        };
        let template = string(template).ok_or(CaseError::NoString("template"))?;
        Ok(Self { id: find("id").unwrap_or("null").to_owned(), template, dialect, given })
    }
}

fn given(apigw: &str) -> Result<Given, CaseError> {
    let members = json::members(apigw).ok_or(CaseError::NoStrings("apigw"))?;
    let find = |name: &str| find(&members, name);
    let pairs = |name: &'static str| {
        let Some(object) = find(name) else { return Ok(Vec::new()) };
        let pairs = json::members(object).ok_or(CaseError::NoStrings(name))?.into_iter();
        let pair = |(name, value): (String, String)| Some((name, string(&value)?));
        pairs.map(pair).collect::<Option<_>>().ok_or(CaseError::NoStrings(name))
    };
    let body = find("body").map(|body| string(body).ok_or(CaseError::NoString("body")));
    let context = find("context")
        .map(|context| json::members(context).ok_or(CaseError::NoStrings("context")));
    Ok(Given {
        body: body.transpose()?.unwrap_or_default().into_bytes(),
        path: pairs("path")?,
        query: pairs("querystring")?,
        header: pairs("header")?,
        context: context.transpose()?.unwrap_or_default(),
        stage_variables: pairs("stageVariables")?,
    })
}

fn find<'m>(members: &'m [(String, String)], name: &str) -> Option<&'m str> {
    members.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
}

fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}
