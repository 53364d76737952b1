//! Checks of parameter names, mapping expressions and content types.
//!
//! Source: API Gateway Developer Guide, "API Gateway API request and response data mapping reference".

use std::collections::BTreeSet;

use super::AppError;
use crate::model::{Method, StringMap, Templates};

/// `method.request.{path|querystring|header}.{name}`, each name in one location only.
pub(super) fn check_request_parameters<'k>(
    keys: impl IntoIterator<Item = &'k String>,
) -> Result<(), AppError> {
    let mut names = BTreeSet::new();
    for key in keys {
        if !is_parameter(key, "method.request.", &["path", "querystring", "header"]) {
            return Err(invalid([key.as_str()]));
        }
        if !names.insert(key.rsplit('.').next()) {
            return Err(AppError::AmbiguousParameter);
        }
    }
    Ok(())
}

/// `method.response.header.{name}`.
pub(super) fn check_response_parameters<'k>(
    keys: impl IntoIterator<Item = &'k String>,
) -> Result<(), AppError> {
    let bad = keys.into_iter().find(|key| !is_parameter(key, "method.response.", &["header"]));
    bad.map_or(Ok(()), |key| Err(invalid([key.as_str()])))
}

/// `integration.request.{location}.{name}` to something of the request, declared by the method.
pub(super) fn check_integration_request(map: &StringMap, method: &Method) -> Result<(), AppError> {
    let mut errors = Vec::new();
    for (key, value) in map {
        if !is_parameter(key, "integration.request.", &["path", "querystring", "header"]) {
            errors.push(format!("Invalid mapping expression specified: {key}"));
        }
        if let Some(declared) = declaration(value) {
            if !method.request_parameters.as_ref().is_some_and(|map| map.contains_key(&declared)) {
                errors.push(format!("Invalid mapping expression parameter specified: {value}"));
            }
        } else if !is_source(value, "method.request.body") {
            errors.push(format!("Invalid mapping expression specified: {value}"));
        }
    }
    refuse(errors)
}

/// `method.response.header.{name}`, declared by the method response, to something of the integration's answer.
pub(super) fn check_integration_response(
    map: &StringMap,
    declared: &Method,
    status: crate::model::StatusCode,
) -> Result<(), AppError> {
    let mut errors = Vec::new();
    let response = declared
        .method_responses
        .get(&status)
        .and_then(|response| response.response_parameters.as_ref());
    for (key, value) in map {
        if !is_parameter(key, "method.response.", &["header"]) {
            errors.push(format!("Invalid mapping expression specified: {key}"));
        } else if !response.is_some_and(|declared| declared.contains_key(key)) {
            errors.push(format!("Invalid mapping expression parameter specified: {key}"));
        }
        let header = is_parameter(value, "integration.response.", &["header", "multivalueheader"]);
        if !header && !is_source(value, "integration.response.body") {
            errors.push(format!("Invalid mapping expression specified: {value}"));
        }
    }
    refuse(errors)
}

/// `gatewayresponse.{location}.{name}` to something of the request, which may be one no method knows.
///
/// Source: API Gateway Developer Guide, "Gateway responses in API Gateway".
pub(super) fn check_gateway_response(map: &StringMap) -> Result<(), AppError> {
    let mut errors = Vec::new();
    for (key, value) in map {
        if !is_parameter(key, "gatewayresponse.", &["header", "path", "querystring"]) {
            errors.push(format!("Invalid mapping expression specified: {key}"));
        }
        if declaration(value).is_none() && !is_source(value, "method.request.body") {
            errors.push(format!("Invalid mapping expression specified: {value}"));
        }
    }
    refuse(errors)
}

/// Keys are `type/subtype`; a template has at most 300 KB.
pub(super) fn check_templates(templates: &Templates) -> Result<(), AppError> {
    templates.iter().try_for_each(|(content_type, template)| {
        check_template(content_type, template.as_deref().unwrap_or_default())
    })
}

/// One entry of [`check_templates`].
pub(super) fn check_template(content_type: &str, template: &str) -> Result<(), AppError> {
    check_content_type(content_type)?;
    if template.len() > 300 * 1024 { Err(AppError::TemplateTooLong) } else { Ok(()) }
}

/// `type/subtype`, or the catch-all `$default`.
pub(super) fn check_content_type(content_type: &str) -> Result<(), AppError> {
    let halves = content_type.split_once('/');
    if content_type == "$default"
        || halves.is_some_and(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty())
    {
        Ok(())
    } else {
        Err(AppError::InvalidContentType { content_type: content_type.to_owned() })
    }
}

/// The parameter a mapping reads, as the method declares it: multi-value forms share the single-value declaration.
fn declaration(value: &str) -> Option<String> {
    let rest = value.strip_prefix("method.request.")?;
    let (location, name) = rest.split_once('.')?;
    let location = match location {
        "path" | "querystring" | "header" => location,
        "multivaluequerystring" => "querystring",
        "multivalueheader" => "header",
        _ => return None,
    };
    (!name.is_empty()).then(|| format!("method.request.{location}.{name}"))
}

fn is_source(value: &str, body: &str) -> bool {
    let named = |prefix: &str| value.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
    let quoted = value.len() >= 2 && value.starts_with('\'') && value.ends_with('\'');
    let whole_or_part = value
        .strip_prefix(body)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    quoted || whole_or_part || named("stageVariables.") || named("context.")
}

fn is_parameter(key: &str, prefix: &str, locations: &[&str]) -> bool {
    let parts = key.strip_prefix(prefix).and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(location, name)| locations.contains(&location) && !name.is_empty())
}

fn invalid<'a>(expressions: impl IntoIterator<Item = &'a str>) -> AppError {
    let errors =
        expressions.into_iter().map(|e| format!("Invalid mapping expression specified: {e}"));
    AppError::InvalidMapping { errors: errors.collect::<Vec<_>>().join(", ") }
}

fn refuse(errors: Vec<String>) -> Result<(), AppError> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(AppError::InvalidMapping { errors: errors.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        for (value, want) in [
            ("'static'", true),
            ("''", true),
            ("'", false),
            ("true", false),
            ("method.request.body", true),
            ("method.request.body.a.b", true),
            ("method.request.bodyguard", false),
            ("stageVariables.x", true),
            ("context.requestId", true),
            ("context.", false),
        ] {
            assert_eq!(is_source(value, "method.request.body"), want, "{value}");
        }
        assert_eq!(
            declaration("method.request.multivalueheader.X").as_deref(),
            Some("method.request.header.X")
        );
        assert_eq!(declaration("method.request.cookie.X"), None);
    }

    #[test]
    fn one_name_has_one_location() {
        let keys =
            ["method.request.header.a".to_owned(), "method.request.querystring.a".to_owned()];
        assert!(matches!(check_request_parameters(&keys), Err(AppError::AmbiguousParameter)));
        assert!(check_request_parameters(&keys[..1]).is_ok());
    }
}
