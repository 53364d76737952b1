//! Settings as messages: whole for the management API, and in a bundle as far as nodes need them.

use tidegate_proto::v1;

use crate::model::{
    ApiLimits, ApiSettings, Cors, ResponseValidation, Snapshot, ValidationMode, WireName,
};

/// Settings as a message.
pub(crate) fn message(settings: &ApiSettings) -> v1::ApiSettings {
    v1::ApiSettings {
        cors: settings.cors.as_ref().map(|cors| v1::Cors {
            allow_origins: cors.allow_origins.clone(),
            allow_methods: cors.allow_methods.clone(),
            allow_headers: cors.allow_headers.clone(),
            expose_headers: cors.expose_headers.clone(),
            allow_credentials: cors.allow_credentials,
            max_age_seconds: cors.max_age,
        }),
        endpoints: super::bundle::pairs(&settings.endpoints),
        limits: settings.limits.map(|limits| v1::ApiLimits {
            profile: limits.profile.to_string(),
            payload_bytes: limits.payload_bytes,
            timeout_ms: limits.timeout_millis,
        }),
        response_validation: settings
            .response_validation
            .map(|checked| checked.mode.to_string())
            .unwrap_or_default(),
    }
}

/// A message as settings; else which member is none of its set.
pub(crate) fn read(message: v1::ApiSettings) -> Result<ApiSettings, String> {
    let limits = message.limits.map(|limits| {
        Ok::<_, String>(ApiLimits {
            profile: named("limits.profile", &limits.profile)?.unwrap_or_default(),
            payload_bytes: limits.payload_bytes,
            timeout_millis: limits.timeout_ms,
        })
    });
    let mode: Option<ValidationMode> = named("response_validation", &message.response_validation)?;
    Ok(ApiSettings {
        cors: message.cors.map(|cors| Cors {
            allow_origins: cors.allow_origins,
            allow_methods: cors.allow_methods,
            allow_headers: cors.allow_headers,
            expose_headers: cors.expose_headers,
            allow_credentials: cors.allow_credentials,
            max_age: cors.max_age_seconds,
        }),
        endpoints: message.endpoints.into_iter().map(|pair| (pair.name, pair.value)).collect(),
        limits: limits.transpose()?,
        response_validation: mode.map(|mode| ResponseValidation { mode }),
    })
}

fn named<T: WireName>(member: &str, name: &str) -> Result<Option<T>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    let known = T::from_name(name);
    known.map(Some).ok_or_else(|| {
        let set: Vec<&str> = T::ALL.iter().map(|value| value.name()).collect();
        format!("{member} {name:?} is none of {}", set.join(", "))
    })
}

/// What nodes need of a snapshot's settings: time limits are the integrations', and whether answers are checked the methods'.
pub(super) fn of_bundle(snapshot: &Snapshot) -> Option<v1::ApiSettings> {
    let mut settings = message(snapshot.rest_api.settings.as_ref()?);
    settings.response_validation.clear();
    settings.limits = settings
        .limits
        .map(|limits| v1::ApiLimits { timeout_ms: None, ..limits })
        .filter(|limits| limits.profile != "aws" || limits.payload_bytes.is_some());
    (settings != v1::ApiSettings::default()).then_some(settings)
}
