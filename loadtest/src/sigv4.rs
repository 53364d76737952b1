//! AWS Signature Version 4 for the requests that the admin API takes: plain paths, one value per header.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// Who signs, for which region and service.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
    pub region: String,
    pub service: String,
}

/// What is signed. The path must need no encoding.
#[derive(Debug, Clone, Copy)]
pub struct Signable<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// Without `?`, encoded; sorted here.
    pub query: &'a str,
    /// Lower-case names with trimmed values, sorted by name; `host` and `x-amz-date` among them.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
    /// `YYYYMMDDTHHMMSSZ`, as in the header `x-amz-date`.
    pub time: &'a str,
}

/// The value of the Authorization header.
pub fn authorization(credentials: &Credentials, request: &Signable<'_>) -> String {
    let mut query: Vec<&str> = request.query.split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    let headers: String =
        request.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let signed: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let signed = signed.join(";");
    let (method, path, query) = (request.method, request.path, query.join("&"));
    let canonical =
        format!("{method}\n{path}\n{query}\n{headers}\n{signed}\n{}", sha256(request.body));

    let Credentials { access_key, secret_key, region, service } = credentials;
    let (time, day) = (request.time, request.time.get(..8).unwrap_or_default());
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let key = [day, region, service, "aws4_request"]
        .into_iter()
        .fold(format!("AWS4{secret_key}").into_bytes(), |key, part| hmac(&key, part.as_bytes()));
    let signature = hex::encode(hmac(&key, text.as_bytes()));
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"
    )
}

/// A query's value with all but unreserved characters encoded, as the canonical form has it.
pub fn encode(value: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded() {
        assert_eq!(encode("a-b._~9/+= é"), "a-b._~9%2F%2B%3D%20%C3%A9");
    }

    /// Vectors of the AWS signing test suite (awslabs/aws-c-auth, Apache-2.0), by their names there.
    #[test]
    fn vectors_of_the_aws_test_suite() {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            region: "us-east-1".to_owned(),
            service: "service".to_owned(),
        };
        let (host, time) = (("host", "example.amazonaws.com"), "20150830T123600Z");
        let plain = [host, ("x-amz-date", time)];
        let form = [
            ("content-length", "13"),
            ("content-type", "application/x-www-form-urlencoded"),
            host,
            (
                "x-amz-content-sha256",
                "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
            ),
            ("x-amz-date", time),
        ];
        let get =
            Signable { method: "GET", path: "/", query: "", headers: &plain, body: b"", time };
        let post = Signable { method: "POST", headers: &form, body: b"Param1=value1", ..get };
        let sorted = Signable { query: "Param2=value2&Param1=value1", ..get };
        for (name, request, signature) in [
            (
                "get-vanilla",
                get,
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "get-vanilla-query-order-key-case",
                sorted,
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "post-x-www-form-urlencoded",
                post,
                "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            ),
        ] {
            let value = authorization(&credentials, &request);
            assert!(value.ends_with(&format!("Signature={signature}")), "{name}: {value}");
            assert!(value.contains(
                "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="
            ));
        }
    }
}
