//! Well formed: what a method requires of a request before its integration is asked.
//!
//! Parameters are checked here. A body that must fit a model is not yet: [`Validator::link`] refuses such a method, and is the one
//! place where a schema comes in; [`crate::pipeline`] then waits for the body as it does for integrations that need it.
//! Source: developer guide, "Request validation for REST APIs"; order and text of the names as recorded.

pub mod schema;

use tidegate_proto::v1;

use crate::mapping::context::View;
use crate::mapping::parameter::{Side, Source};
use crate::respond::{Failure, Refusal};

/// What a method's request validator checks.
#[derive(Debug)]
pub(crate) struct Validator {
    /// Names as AWS shows them, in the order of their full keys.
    required: Box<[(Box<str>, Source)]>,
}

impl Validator {
    /// Builds the validator of a method; `None` when there is nothing to check.
    pub(crate) fn link(method: &v1::Method, bundle: &v1::Bundle) -> Result<Option<Self>, String> {
        if method.request_validator_id.is_empty() {
            return Ok(None);
        }
        let id = &method.request_validator_id;
        let validator = bundle.request_validators.iter().find(|validator| validator.id == *id);
        let validator = validator.ok_or("its request validator does not exist")?;
        if validator.validate_body && !method.request_models.is_empty() {
            return Err("validation of bodies against models is not supported yet".into());
        }
        let mut required = Vec::new();
        let asked = method.request_parameters.iter().filter(|pair| pair.value == "true");
        for pair in asked.filter(|_| validator.validate_parameters) {
            let source = Source::parse(&pair.name, Side::Request, &|_| None)
                .map_err(|error| error.to_string())?;
            // `method.request.header.X-A` is shown as `X-A`.
            let name = pair.name.splitn(4, '.').nth(3).unwrap_or(&pair.name);
            required.push((name.into(), source));
        }
        Ok((!required.is_empty()).then(|| Self { required: required.into() }))
    }

    /// Checks that each required parameter is there and not blank.
    pub(crate) fn parameters(&self, view: &View<'_>) -> Result<(), Refusal> {
        let is_there = |source: &Source| {
            let mut any = false;
            source.each(view, |value| any |= !value.trim_ascii().is_empty());
            any
        };
        let missing: Vec<&str> = self
            .required
            .iter()
            .filter(|(_, source)| !is_there(source))
            .map(|(name, _)| &**name)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("Missing required request parameters: [{}]", missing.join(", "));
        Err(Refusal { failure: Failure::MissingParameters, message: Some(message) })
    }
}
