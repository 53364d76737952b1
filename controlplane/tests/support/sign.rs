//! Signatures of requests to the admin API, made here since no judge is whom it judges.

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use time::macros::format_description;

/// An access key's id and its secret.
pub type Signer<'a> = (&'a str, &'a str);

/// What `x-amz-date` and `Authorization` say. Targets are escaped where they must be, and have sorted queries.
/// Source: IAM User Guide, "Create a signed AWS API request".
pub fn sign(
    (id, secret): Signer<'_>,
    method: &str,
    target: &str,
    host: &str,
    body: &str,
) -> (String, String) {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let date = time::OffsetDateTime::now_utc().format(format).unwrap();
    let day = &date[..8];
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // Paths are escaped once more in what is signed.
    let path = path.replace('%', "%25");
    let payload = hex::encode(Sha256::digest(body));
    let canonical = format!(
        "{method}\n{path}\n{query}\nhost:{host}\nx-amz-date:{date}\n\nhost;x-amz-date\n{payload}"
    );
    let scope = format!("{day}/us-east-1/apigateway/aws4_request");
    let digest = hex::encode(Sha256::digest(canonical));
    let keyed = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes()
    };
    let mut key = keyed(format!("AWS4{secret}").as_bytes(), day);
    for part in ["us-east-1", "apigateway", "aws4_request"] {
        key = keyed(&key, part);
    }
    let signature =
        hex::encode(keyed(&key, &format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}")));
    let header = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    );
    (date, header)
}
