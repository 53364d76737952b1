//! Reads a SigV4 claim from the `Authorization` header or from a presigned query, and checks its form.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, PrimitiveDateTime};

use super::canonical::decode;
use super::{ALGORITHM, AuthError, Claim, Form, RequestParts, TERMINATOR, TIMESTAMP};

/// Reads the claim of a request, for requests to `service`.
///
/// The claim must cover `host` and every `x-amz-*` header present, else a relay could add or change one. The session
/// token is exempt: some SDKs add it after signing, and no key here has one.
pub fn parse(request: &RequestParts<'_>, service: &str) -> Result<Claim, AuthError> {
    let mut headers = request.header("authorization");
    let (first, second) = (headers.next(), headers.next());
    let presigned = query_pairs(request.query).any(|(name, _)| MARKS.contains(&name.as_str()));
    let claim = match (first, second, presigned) {
        (None, _, false) => return Err(AuthError::MissingAuthenticationToken),
        (None, _, true) => from_query(request)?,
        (Some(value), None, false) => from_header(request, value)?,
        _ => return Err(incomplete("Only one way of signing a request may be used at a time.")),
    };
    check_scope(&claim, service)?;
    check_coverage(&claim, request)?;
    Ok(claim)
}

fn from_header(request: &RequestParts<'_>, value: &[u8]) -> Result<Claim, AuthError> {
    let hashed = STANDARD.encode(Sha256::digest(value));
    let broken = || {
        incomplete(format!(
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded \
             with Base64): '{hashed}'."
        ))
    };
    let text = std::str::from_utf8(value).map_err(|_| broken())?.trim();
    let (algorithm, rest) = text.split_once(' ').unwrap_or((text, ""));
    if algorithm != ALGORITHM {
        if algorithm.starts_with("AWS4-") {
            return Err(incomplete("Unsupported AWS 'algorithm'."));
        }
        return Err(broken());
    }
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for pair in rest.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(broken)?;
        let slot = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(incomplete(format!("Authorization header holds '{name}' more than once.")));
        }
    }
    let date = date_header(request)?;
    let (Some(credential), Some(signature), Some(signed_headers), Some(time)) =
        (credential, signature, signed_headers, date)
    else {
        let missing = [
            (credential.is_none(), "Authorization header requires 'Credential' parameter."),
            (signature.is_none(), "Authorization header requires 'Signature' parameter."),
            (signed_headers.is_none(), "Authorization header requires 'SignedHeaders' parameter."),
            (
                date.is_none(),
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            ),
        ];
        let mut text: String = missing
            .into_iter()
            .filter(|(absent, _)| *absent)
            .flat_map(|(_, text)| [text, " "])
            .collect();
        text.push_str(&format!(
            "(Hashed with SHA-256 and encoded with Base64) Authorization={hashed}"
        ));
        return Err(incomplete(text));
    };
    build(credential, signed_headers, signature, time, Form::Header)
}

fn from_query(request: &RequestParts<'_>) -> Result<Claim, AuthError> {
    let find = |wanted: &'static str| {
        let mut values =
            query_pairs(request.query).filter(|(name, _)| name == wanted).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(incomplete(format!(
                "AWS query-string parameters hold '{wanted}' more than once."
            ))),
        }
    };
    let values = [
        ("X-Amz-Algorithm", find("X-Amz-Algorithm")?),
        ("X-Amz-Credential", find("X-Amz-Credential")?),
        ("X-Amz-Signature", find("X-Amz-Signature")?),
        ("X-Amz-SignedHeaders", find("X-Amz-SignedHeaders")?),
        ("X-Amz-Date", find("X-Amz-Date")?),
    ];
    let [
        (_, Some(algorithm)),
        (_, Some(credential)),
        (_, Some(signature)),
        (_, Some(signed)),
        (_, Some(date)),
    ] = &values
    else {
        let mut text = String::new();
        for (name, _) in values.iter().filter(|(_, value)| value.is_none()) {
            text.push_str(&format!("AWS query-string parameters must include '{name}'. "));
        }
        text.push_str("Re-examine the query-string parameters.");
        return Err(incomplete(text));
    };
    if algorithm != ALGORITHM {
        return Err(incomplete("Unsupported AWS 'algorithm'."));
    }
    let expires = match find("X-Amz-Expires")? {
        None => super::SKEW,
        Some(text) => match text.parse::<u64>() {
            Ok(seconds) if (1..=MAX_EXPIRES).contains(&seconds) => Duration::from_secs(seconds),
            _ => {
                return Err(incomplete(
                    "X-Amz-Expires must be a number of seconds from 1 to 604800.",
                ));
            }
        },
    };
    let time = parse_time(date).ok_or_else(bad_date)?;
    build(credential, signed, signature, time, Form::Query { expires })
}

fn build(
    credential: &str,
    signed_headers: &str,
    signature: &str,
    time: OffsetDateTime,
    form: Form,
) -> Result<Claim, AuthError> {
    let elements: Vec<&str> = credential.split('/').collect();
    let [access_key_id, date, region, service, terminator] = elements[..] else {
        return Err(incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
        ));
    };
    if access_key_id.is_empty()
        || access_key_id.len() > MAX_KEY_ID
        || !access_key_id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    {
        return Err(incomplete("Credential must start with an access key id."));
    }
    if terminator != TERMINATOR {
        return Err(AuthError::InvalidSignature(format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}'."
        )));
    }
    let names: Vec<String> = signed_headers.split(';').map(str::to_owned).collect();
    let is_name = |name: &String| {
        !name.is_empty() && !name.bytes().any(|b| b.is_ascii_uppercase() || b <= b' ')
    };
    // Each name once: a header that is signed often would be hashed as often.
    let distinct: BTreeSet<&String> = names.iter().collect();
    if names.len() > MAX_SIGNED_HEADERS
        || distinct.len() < names.len()
        || !names.iter().all(is_name)
    {
        return Err(incomplete(
            "SignedHeaders must be lower-case header names separated by semicolons.",
        ));
    }
    let mut bytes = [0; 32];
    let is_hex = signature.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex || hex::decode_to_slice(signature, &mut bytes).is_err() {
        return Err(incomplete("Signature must be 64 lower-case hexadecimal digits."));
    }
    Ok(Claim {
        access_key_id: access_key_id.to_owned(),
        date: date.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
        signed_headers: names,
        signature: bytes,
        time,
        form,
    })
}

fn check_scope(claim: &Claim, service: &str) -> Result<(), AuthError> {
    let wrong = |text: String| Err(AuthError::InvalidSignature(text));
    let is_region = (1..=MAX_REGION).contains(&claim.region.len())
        && claim.region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_region {
        return wrong("Credential should be scoped to a valid region.".to_owned());
    }
    if claim.service != service {
        return wrong(format!("Credential should be scoped to correct service: '{service}'."));
    }
    if !super::format_time(claim.time).starts_with(&format!("{}T", claim.date)) {
        return wrong(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.".to_owned(),
        );
    }
    Ok(())
}

fn check_coverage(claim: &Claim, request: &RequestParts<'_>) -> Result<(), AuthError> {
    let signs = |name: &str| claim.signed_headers.iter().any(|signed| signed == name);
    if !signs("host") {
        let text = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
        return Err(AuthError::InvalidSignature(text.to_owned()));
    }
    let unsigned = request.header_names().map(str::to_ascii_lowercase).find(|name| {
        let must_sign = name.starts_with("x-amz-") && name != "x-amz-security-token";
        must_sign && !signs(name)
    });
    if let Some(name) = unsigned {
        let text = format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.");
        return Err(AuthError::InvalidSignature(text));
    }
    if claim.form == Form::Header && request.header("x-amz-date").next().is_none() && !signs("date")
    {
        let text = "'Date' must be a 'SignedHeader' in the AWS Authorization.";
        return Err(AuthError::InvalidSignature(text.to_owned()));
    }
    Ok(())
}

/// The signing time of the header form: `X-Amz-Date`, else `Date` in HTTP's or in AWS's form.
fn date_header(request: &RequestParts<'_>) -> Result<Option<OffsetDateTime>, AuthError> {
    let one = |name: &str| {
        let mut values = request.header(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(bad_date()),
        }
    };
    let read = |value: &[u8], http: bool| {
        let text = std::str::from_utf8(value).map_err(|_| bad_date())?.trim();
        let from_http = || httpdate::parse_http_date(text).ok().map(OffsetDateTime::from);
        parse_time(text)
            .or_else(|| if http { from_http() } else { None })
            .ok_or_else(bad_date)
            .map(Some)
    };
    match (one("x-amz-date")?, one("date")?) {
        (Some(value), _) => read(value, false),
        (None, Some(value)) => read(value, true),
        (None, None) => Ok(None),
    }
}

fn parse_time(text: &str) -> Option<OffsetDateTime> {
    // The length keeps signs and longer years out, so that a time prints as it was written.
    if text.len() != "20150830T123600Z".len() {
        return None;
    }
    PrimitiveDateTime::parse(text, TIMESTAMP).ok().map(PrimitiveDateTime::assume_utc)
}

fn query_pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let text = |raw| String::from_utf8_lossy(&decode(raw)).into_owned();
        (text(name), text(value))
    })
}

/// The first value of a name in a query.
pub(super) fn query_value(query: &str, name: &str) -> Option<String> {
    query_pairs(query).find(|(held, _)| held == name).map(|(_, value)| value)
}

fn bad_date() -> AuthError {
    incomplete("Date must be in ISO-8601 'basic format'.")
}

fn incomplete(text: impl Into<String>) -> AuthError {
    AuthError::IncompleteSignature(text.into())
}

/// Any of these makes a query a presigned one.
const MARKS: [&str; 3] = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"];
/// A week. Source: IAM User Guide, "Authenticating requests: query parameters".
const MAX_EXPIRES: u64 = 604_800;
/// Source: IAM API Reference, `AccessKeyId`: 16 to 128 characters; shorter ones serve in development.
const MAX_KEY_ID: usize = 128;
/// The longest AWS region name has 14 characters; a DNS label holds 63.
const MAX_REGION: usize = 63;
/// More than any SDK signs; bounds the work per request.
const MAX_SIGNED_HEADERS: usize = 128;
