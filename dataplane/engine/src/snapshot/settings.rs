//! What an API is given beyond AWS, ready for its requests.

use tidegate_proto::v1;

use crate::integration::endpoints::Endpoints;
use crate::respond::cors::Cors;
use crate::step::MAX_REPLY;

/// An API's settings, as far as nodes need them.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) cors: Option<Box<Cors>>,
    pub(crate) endpoints: Endpoints,
    /// Largest body of a request, and of an answer that is not streamed, bytes.
    pub(crate) payload: u64,
}

/// Checks settings by building them: the first thing that makes no sense, in the words of the one who set it.
pub fn check_settings(settings: &v1::ApiSettings) -> Result<(), String> {
    Settings::link(Some(settings)).map(drop)
}

impl Settings {
    pub(crate) fn link(from: Option<&v1::ApiSettings>) -> Result<Self, String> {
        let cors = from.and_then(|from| from.cors.as_ref());
        let cors = cors.map(Cors::link).transpose().map_err(|why| format!("cors.{why}"))?;
        let endpoints = from.map_or(&[][..], |from| &from.endpoints);
        let endpoints = Endpoints::of_api(endpoints).map_err(|why| format!("endpoints.{why}"))?;
        let limits = from.and_then(|from| from.limits.as_ref());
        Ok(Self { cors: cors.map(Box::new), endpoints, payload: payload(limits)? })
    }
}

/// The largest payload. The time limit is none of a node's affairs: every integration has its own.
fn payload(limits: Option<&v1::ApiLimits>) -> Result<u64, String> {
    let profile = limits.map_or("", |limits| limits.profile.as_str());
    let most = match profile {
        "" | "aws" => MAX_REPLY as u64,
        "open" => u64::MAX,
        other => return Err(format!("limits.profile: '{other}' is neither 'aws' nor 'open'")),
    };
    match limits.and_then(|limits| limits.payload_bytes) {
        None => Ok(most),
        Some(bytes) if bytes > most => Err(format!(
            "limits.payloadBytes: {bytes} is more than AWS's {MAX_REPLY}; profile 'open' lifts the limit"
        )),
        Some(bytes) => Ok(bytes),
    }
}
