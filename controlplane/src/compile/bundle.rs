//! The parts of a bundle that belong to the API as a whole.

use std::collections::BTreeMap;

use tidegate_proto::{DIALECT, v1};

use super::methods::method;
use super::settings;
use crate::app::Diagnostic;
use crate::model::{self, Snapshot, StringMap, Templates};

/// The bundle of a snapshot, every list in its canonical order.
pub(super) fn bundle(snapshot: &Snapshot) -> Result<v1::Bundle, Vec<Diagnostic>> {
    let api = &snapshot.rest_api;
    let mut binary_media_types = api.binary_media_types.clone().unwrap_or_default();
    binary_media_types.sort_unstable();
    binary_media_types.dedup();
    let minimum_compression_size = api.minimum_compression_size.map(u32::try_from).transpose();
    let minimum_compression_size = minimum_compression_size.map_err(|_| {
        vec![Diagnostic {
            message: "minimumCompressionSize is out of range".to_owned(),
            ..Diagnostic::default()
        }]
    })?;
    let checked = api.settings.as_ref().and_then(|settings| settings.response_validation);
    let default = checked.map_or(model::ValidationMode::Off, |checked| checked.mode);
    Ok(v1::Bundle {
        dialect: DIALECT,
        api_id: api.id.to_string(),
        routing: Some(rest_routing()),
        resources: sorted(
            snapshot
                .resources
                .iter()
                .filter(|r| !r.resource_methods.is_empty())
                .map(|r| resource(r, default)),
            |r| (r.path.clone(), r.id.clone()),
        ),
        binary_media_types,
        minimum_compression_size,
        api_key_source: match api.api_key_source {
            model::ApiKeySource::Header => v1::ApiKeySource::Header,
            model::ApiKeySource::Authorizer => v1::ApiKeySource::Authorizer,
        }
        .into(),
        gateway_responses: sorted(snapshot.gateway_responses.iter().map(gateway_response), |r| {
            r.r#type.clone()
        }),
        models: sorted(snapshot.models.iter().map(model), |m| m.name.clone()),
        request_validators: sorted(
            snapshot.request_validators.iter().map(request_validator),
            |v| v.id.clone(),
        ),
        authorizers: sorted(snapshot.authorizers.iter().map(authorizer), |a| a.id.clone()),
        policy: api.policy.clone().unwrap_or_default(),
        settings: settings::of_bundle(snapshot),
    })
}

/// The rules of REST APIs.
fn rest_routing() -> v1::Routing {
    v1::Routing {
        protocol: v1::Protocol::Rest.into(),
        default_stage: String::new(),
        trailing_slash_is_significant: false,
        method_miss_falls_through: false,
        miss: v1::MissVoice::MissingAuthenticationToken.into(),
    }
}

/// A resource without methods answers like one that is not there, so only those with methods travel.
fn resource(resource: &model::Resource, validation: model::ValidationMode) -> v1::Resource {
    v1::Resource {
        id: resource.id.to_string(),
        path: resource.path.clone(),
        methods: sorted(resource.resource_methods.values().map(|m| method(m, validation)), |m| {
            m.verb.clone()
        }),
    }
}

fn gateway_response(response: &model::GatewayResponse) -> v1::GatewayResponse {
    v1::GatewayResponse {
        r#type: response.response_type.to_string(),
        status_code: response.status_code.map(|status| u32::from(status.code())),
        parameters: pairs(&response.response_parameters),
        templates: pairs(&response.response_templates),
    }
}

fn model(model: &model::Model) -> v1::Model {
    v1::Model {
        name: model.name.clone(),
        content_type: model.content_type.clone(),
        schema: model.schema.clone().unwrap_or_default(),
    }
}

fn request_validator(validator: &model::RequestValidator) -> v1::RequestValidator {
    v1::RequestValidator {
        id: validator.id.to_string(),
        validate_body: validator.validate_request_body,
        validate_parameters: validator.validate_request_parameters,
    }
}

fn authorizer(authorizer: &model::Authorizer) -> v1::Authorizer {
    let mut provider_arns = authorizer.provider_arns.clone().unwrap_or_default();
    provider_arns.sort_unstable();
    v1::Authorizer {
        id: authorizer.id.to_string(),
        name: authorizer.name.clone(),
        r#type: authorizer.kind.to_string(),
        uri: authorizer.authorizer_uri.clone().unwrap_or_default(),
        credentials: authorizer.authorizer_credentials.clone().unwrap_or_default(),
        identity_source: authorizer.identity_source.clone().unwrap_or_default(),
        identity_validation_expression: authorizer
            .identity_validation_expression
            .clone()
            .unwrap_or_default(),
        provider_arns,
        result_ttl_seconds: authorizer
            .authorizer_result_ttl_in_seconds
            .unwrap_or(DEFAULT_RESULT_TTL_SECONDS),
    }
}

/// A map as pairs; maps of the model are in key order already.
pub(super) fn pairs(map: &StringMap) -> Vec<v1::Pair> {
    map.iter().map(|(name, value)| v1::Pair { name: name.clone(), value: value.clone() }).collect()
}

/// An absent map is an empty one to a node.
pub(super) fn optional_pairs(map: Option<&StringMap>) -> Vec<v1::Pair> {
    map.map(pairs).unwrap_or_default()
}

/// Flags as the text the stream has for them.
pub(super) fn flags(map: Option<&BTreeMap<String, bool>>) -> Vec<v1::Pair> {
    let each = map.into_iter().flatten();
    each.map(|(name, required)| v1::Pair { name: name.clone(), value: required.to_string() })
        .collect()
}

/// `null` is an empty template.
pub(super) fn templates(map: Option<&Templates>) -> Vec<v1::Pair> {
    let each = map.into_iter().flatten();
    each.map(|(name, text)| v1::Pair {
        name: name.clone(),
        value: text.clone().unwrap_or_default(),
    })
    .collect()
}

/// A list in the order of its key.
pub(super) fn sorted<T, K: Ord>(items: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_by_cached_key(key);
    items
}

/// How long an authorizer's answer holds when nothing is said. Source: API Gateway API Reference, `CreateAuthorizer`.
const DEFAULT_RESULT_TTL_SECONDS: u32 = 300;
