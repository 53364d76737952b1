//! AWS Signature Version 4 in a request's `Authorization` field. Pure: the moment is given, and nothing is random.
//!
//! Source: IAM User Guide, "Create a signed AWS API request"; judged by the vectors of `tests/sigv4.rs`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use sha2::{Digest, Sha256};

use crate::exchange::calendar::Moment;

/// An access key.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Access key id.
    pub id: String,
    /// Secret access key.
    pub secret: String,
    /// Session token of temporary credentials.
    pub token: Option<String>,
}

impl std::fmt::Debug for Keys {
    /// Secrets are never printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.id)
    }
}

/// How a path is written into what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathStyle {
    /// Normalised and encoded once more than it is sent.
    Normalised,
    /// As it is sent: Amazon S3 alone, whose keys may hold anything.
    AsSent,
}

/// A request that is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path as it is sent.
    pub path: &'a [u8],
    /// Its query as it is sent, without `?`.
    pub query: &'a [u8],
    /// The fields to sign, `host` and `x-amz-date` among them.
    pub fields: &'a [(&'a [u8], &'a [u8])],
    /// SHA-256 of its body, hexadecimal.
    pub payload: &'a str,
    /// How its path is signed.
    pub path_style: PathStyle,
}

/// Who signs, for what and when.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// The key.
    pub keys: &'a Keys,
    /// Region of the credential's scope.
    pub region: &'a str,
    /// Service of the credential's scope.
    pub service: &'a str,
    /// When, Unix milliseconds.
    pub unix_ms: u64,
}

impl Signer<'_> {
    /// The value of `X-Amz-Date`.
    pub fn date(&self) -> String {
        Moment::from_unix_ms(self.unix_ms).basic()
    }

    /// The value of `Authorization`.
    pub fn authorization(&self, subject: &Subject<'_>) -> String {
        let (canonical, names) = canonical_request(subject);
        let signature = self.signature(&canonical);
        let (id, scope) = (&self.keys.id, self.scope());
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
    }

    fn scope(&self) -> String {
        let date = self.date();
        format!("{}/{}/{}/aws4_request", &date[..DATE], self.region, self.service)
    }

    fn string_to_sign(&self, canonical: &str) -> String {
        let (date, scope) = (self.date(), self.scope());
        format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", digest(canonical.as_bytes()))
    }

    fn signature(&self, canonical: &str) -> String {
        let key = signing_key(&self.keys.secret, &self.date()[..DATE], self.region, self.service);
        hex::encode(keyed(&key, self.string_to_sign(canonical).as_bytes()).finalize().into_bytes())
    }
}

/// The canonical request, and the names of the fields it signs.
fn canonical_request(subject: &Subject<'_>) -> (String, String) {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in subject.fields {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let value = String::from_utf8_lossy(value);
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        fields.entry(name).or_default().push(words.join(" "));
    }
    let names = fields.keys().map(String::as_str).collect::<Vec<_>>().join(";");
    let lines: String =
        fields.iter().map(|(name, values)| format!("{name}:{}\n", values.join(","))).collect();
    let path = match subject.path_style {
        PathStyle::AsSent => String::from_utf8_lossy(subject.path),
        PathStyle::Normalised => Cow::Owned(encoded_path(&normalised(subject.path))),
    };
    let query = canonical_query(subject.query, &[]);
    let (method, payload) = (subject.method, subject.payload);
    (format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}"), names)
}

/// A path as it is signed, for every service but S3: encoded once more than it is sent.
pub fn encoded_path(path: &[u8]) -> String {
    percent_encode(path, PATH).to_string()
}

/// The pairs of a query but those of some names, each encoded in the one way, in the order of their bytes.
pub fn canonical_query(query: &[u8], without: &[&str]) -> String {
    let encode = |text: &[u8]| {
        let plain: Vec<u8> = percent_decode(text).collect();
        percent_encode(&plain, UNRESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split(|b| *b == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            (encode(&pair[..at]), encode(pair.get(at + 1..).unwrap_or_default()))
        })
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// A path without empty and dot segments; a slash at its end stays. Source: RFC 3986, section 6.
pub fn normalised(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in path.split(|b| *b == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let mut out = vec![b'/'];
    out.extend(kept.join(&b'/'));
    if path.ends_with(b"/") && out.len() > 1 {
        out.push(b'/');
    }
    out
}

/// SHA-256, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What signs for a service in a region on a day (`20231114`).
pub fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> [u8; 32] {
    let mut key =
        keyed(format!("AWS4{secret}").as_bytes(), date.as_bytes()).finalize().into_bytes();
    for part in [region, service, "aws4_request"] {
        key = keyed(&key, part.as_bytes()).finalize().into_bytes();
    }
    key.into()
}

/// The code that a key gives a message.
pub fn keyed(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac
}

/// Length of the date in front of a moment.
const DATE: usize = 8;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// One request of the vectors, as lines.
    struct Read {
        method: String,
        path: String,
        query: String,
        fields: Vec<(String, String)>,
        body: String,
    }

    fn read(text: &str) -> Read {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
        let mut lines = head.split('\n');
        let line = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap();
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines {
            match line.split_once(':') {
                Some((name, value)) if !line.starts_with(' ') => {
                    fields.push((name.to_owned(), value.to_owned()));
                }
                // A line that goes on.
                _ => fields.last_mut().unwrap().1.push_str(line),
            }
        }
        let text = |text: &str| text.to_owned();
        Read {
            method: text(method),
            path: text(path),
            query: text(query),
            fields,
            body: text(body),
        }
    }

    #[test]
    fn the_vectors_of_awss_own_libraries_are_met() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/sigv4/vectors.json")).unwrap();
        let vectors = vectors["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 38);
        for vector in vectors {
            let name = vector["name"].as_str().unwrap();
            let context = &vector["context"];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let credentials = &context["credentials"];
            let keys = Keys {
                id: text(&credentials["access_key_id"]),
                secret: text(&credentials["secret_access_key"]),
                token: credentials["token"].as_str().map(str::to_owned),
            };
            let (region, service) = (text(&context["region"]), text(&context["service"]));
            // 2015-08-30T12:36:00Z, in all of them.
            let signer = Signer {
                keys: &keys,
                region: &region,
                service: &service,
                unix_ms: 1_440_938_160_000,
            };
            let Read { method, path, query, mut fields, body } =
                read(vector["request"].as_str().unwrap());
            fields.push(("X-Amz-Date".into(), signer.date()));
            if let Some(token) = &keys.token
                && context["omit_session_token"] != Value::Bool(true)
            {
                fields.push(("X-Amz-Security-Token".into(), token.clone()));
            }
            let mut payload = digest(b"");
            if context["sign_body"] == Value::Bool(true) {
                payload = digest(body.as_bytes());
                fields.push(("X-Amz-Content-Sha256".into(), payload.clone()));
            }
            let fields: Vec<(&[u8], &[u8])> =
                fields.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
            let normal = context["normalize"] == Value::Bool(true);
            // What is sent has no spaces.
            let sent = path.replace(' ', "%20");
            let subject = Subject {
                method: &method,
                path: if normal { path.as_bytes() } else { sent.as_bytes() },
                query: query.as_bytes(),
                fields: &fields,
                payload: &payload,
                path_style: if normal { PathStyle::Normalised } else { PathStyle::AsSent },
            };
            let want = &vector["header"];
            let (canonical, _) = canonical_request(&subject);
            assert_eq!(canonical, text(&want["canonical_request"]), "{name}");
            assert_eq!(signer.string_to_sign(&canonical), text(&want["string_to_sign"]), "{name}");
            assert_eq!(signer.signature(&canonical), text(&want["signature"]), "{name}");
            let signed = want["signed_request"].as_str().unwrap();
            assert!(signed.contains(&signer.authorization(&subject)), "{name}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let keys =
            Keys { id: "AKID".into(), secret: "hidden".into(), token: Some("hidden".into()) };
        assert_eq!(format!("{keys:?}"), "Keys(AKID)");
    }
}
