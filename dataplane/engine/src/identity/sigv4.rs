//! Signature Version 4: read the claim out of a request, then verify it against a secret.
//!
//! Two steps, because the key id must be read before its secret can be looked up. [`Claim`] proves that the signature
//! is well-formed and covers what it must; only [`verify`] proves that it is right.
//! Source: IAM User Guide, "Create a signed AWS API request"; judged by the 38 vectors of aws-c-auth.

mod canonical;
mod parse;

use std::time::{Duration, SystemTime};

use hmac::Mac;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

pub use parse::parse;

use super::{AuthError, RequestParts};
use crate::integration::sigv4;

/// How far a caller's clock may be off, either way. Source: `rest-api-runtime` 5.3 ("- 5 min.").
pub const SKEW: Duration = Duration::from_secs(5 * 60);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");

/// A well-formed signature, not yet verified.
#[derive(Debug, Clone)]
pub struct Claim {
    access_key_id: String,
    /// `YYYYMMDD`
    date: String,
    region: String,
    service: String,
    signed_headers: Vec<String>,
    signature: [u8; 32],
    time: OffsetDateTime,
    form: Form,
}

/// Where the signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Header,
    Query { expires: Duration },
}

impl Claim {
    /// The key named in the credential scope.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The region named in the credential scope.
    pub fn region(&self) -> &str {
        &self.region
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

/// Checks time, payload hash and signature of a claim against the secret of its key.
///
/// The comparison takes the same time wherever the signatures differ. A signature over the path with dot segments and
/// doubled slashes resolved is right, and so is one over the path as sent: SDKs differ in which they sign.
pub fn verify(claim: &Claim, request: &RequestParts<'_>, secret: &str) -> Result<(), AuthError> {
    check_time(claim, request.now)?;
    let payload = hex::encode(request.payload.sha256());
    // A caller that states a hash must state this body's. `UNSIGNED-PAYLOAD` is S3's and fails here as well.
    if request.header("x-amz-content-sha256").any(|stated| stated != payload.as_bytes()) {
        return Err(AuthError::SignatureMismatch);
    }
    let key = sigv4::signing_key(secret, &claim.date, &claim.region, &claim.service);
    let candidates = canonical::requests(claim, request, &payload);
    if candidates.iter().any(|candidate| is_signed(claim, &key, candidate)) {
        Ok(())
    } else {
        Err(AuthError::SignatureMismatch)
    }
}

/// The session token that a request shows, in either form; none of a temporary key's caller is a refusal.
pub fn token(request: &RequestParts<'_>) -> Option<String> {
    let in_header = request.header("x-amz-security-token").next();
    let shown = in_header.map(|value| String::from_utf8_lossy(value).into_owned());
    shown.or_else(|| parse::query_value(request.query, "X-Amz-Security-Token"))
}

fn is_signed(claim: &Claim, key: &[u8; 32], canonical_request: &[u8]) -> bool {
    let timestamp = format_time(claim.time);
    let digest = hex::encode(Sha256::digest(canonical_request));
    let string_to_sign = format!("{ALGORITHM}\n{timestamp}\n{}\n{digest}", claim.scope());
    sigv4::keyed(key, string_to_sign.as_bytes()).verify_slice(&claim.signature).is_ok()
}

fn check_time(claim: &Claim, now: SystemTime) -> Result<(), AuthError> {
    let now = OffsetDateTime::from(now);
    let life = match claim.form {
        Form::Header => SKEW,
        Form::Query { expires } => expires,
    };
    let signed = format_time(claim.time);
    let (oldest, latest) = (now - life, now + SKEW);
    if claim.time < oldest {
        return Err(AuthError::InvalidSignature(format!(
            "Signature expired: {signed} is now earlier than {} ({} - {}.)",
            format_time(oldest),
            format_time(now),
            span(life),
        )));
    }
    if claim.time > latest {
        return Err(AuthError::InvalidSignature(format!(
            "Signature not yet current: {signed} is still later than {} ({} + {}.)",
            format_time(latest),
            format_time(now),
            span(SKEW),
        )));
    }
    Ok(())
}

fn format_time(time: OffsetDateTime) -> String {
    // Formatting fails for years of five digits only; those do not parse, and a clock that shows one is off anyway.
    time.to_offset(time::UtcOffset::UTC).format(TIMESTAMP).unwrap_or_else(|_| "?".to_owned())
}

fn span(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
