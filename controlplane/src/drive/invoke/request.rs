//! What a test call sends, as the request a node would read.

use std::collections::BTreeMap;

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use tidegate_engine::mapping::media::BinaryTypes;
use tidegate_engine::route::path::segment_is;
use tidegate_proto::v1;

use super::TestInvokeMethod;
use super::log::{self, Log};
use crate::app::AppError;
use crate::drive::ExplainError;
use crate::drive::describe::{self, Described};
use crate::model::{HttpMethod, Resource, RestApi};

/// Where test calls are served from. Source: developer guide, `$context.stage` of test calls.
pub(super) const STAGE: &str = "test-invoke-stage";

/// A request, and what the log says of it.
pub(super) struct Asked {
    /// As a node reads it.
    pub(super) described: Described,
    /// Its body.
    pub(super) body: Bytes,
    verb: HttpMethod,
    path: String,
    parameters: Vec<(String, String)>,
    query: String,
    headers: BTreeMap<String, Vec<String>>,
    /// The media types that its API treats as binary.
    pub(super) binary: BinaryTypes,
}

impl Asked {
    /// The request for a resource.
    ///
    /// A method that takes ANY is asked with the verb most callers would use.
    pub(super) fn new(
        api: &RestApi,
        resource: &Resource,
        verb: HttpMethod,
        input: &TestInvokeMethod,
    ) -> Result<Self, AppError> {
        let body = Bytes::from(input.body.clone().unwrap_or_default());
        let verb = match verb {
            HttpMethod::Any if body.is_empty() => HttpMethod::Get,
            HttpMethod::Any => HttpMethod::Post,
            verb => verb,
        };
        let text = input.path_with_query_string.as_deref().unwrap_or_default();
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let path = format!("/{}", path.strip_prefix('/').unwrap_or(path));
        // A path of another resource is no error: the method is asked for, not the path.
        let (path, parameters) = match parameters(&resource.path, &path) {
            Some(parameters) => (path, parameters),
            None => (resource.path.clone(), Vec::new()),
        };
        let headers = headers(input);
        let mut sent = Vec::new();
        for (name, value) in
            headers.iter().flat_map(|(name, values)| values.iter().map(move |v| (name, v)))
        {
            // The address is the test's own, and content is JSON whatever is said of it, as AWS documents.
            let own = ["host", "content-type"].iter().any(|own| name.eq_ignore_ascii_case(own));
            if !own {
                sent.push(v1::Pair { name: name.clone(), value: value.clone() });
            }
        }
        let typed = headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if typed || !body.is_empty() {
            let (name, value) = ("Content-Type".to_owned(), "application/json".to_owned());
            sent.push(v1::Pair { name, value });
        }
        let question = if query.is_empty() { "" } else { "?" };
        let target = format!("{path}{question}{query}");
        let target = utf8_percent_encode(&target, UNWRITABLE);
        let described = describe::read(&v1::HttpRequest {
            method: verb.to_string(),
            url: format!("https://{}.execute-api.localhost/{STAGE}{target}", api.id),
            headers: sent,
            body: body.to_vec(),
        });
        // Verb and address are ours, so that only a header can be wrong.
        let described = described.map_err(|error| match error {
            ExplainError::Header(name) => AppError::InvalidTestHeader { name },
            other => AppError::InvalidTestHeader { name: other.to_string() },
        })?;
        let binary = BinaryTypes::new(api.binary_media_types.as_deref().unwrap_or_default());
        let query = query.to_owned();
        Ok(Self { described, body, verb, path, parameters, query, headers, binary })
    }

    /// Tells of the request.
    pub(super) fn log(&self, log: &mut Log) {
        log.line(format_args!("HTTP Method: {}, Resource Path: {}", self.verb, self.path));
        let parameters = self.parameters.iter().map(|(name, value)| (&**name, &**value));
        log.line(format_args!("Method request path: {}", log::map(parameters)));
        let query = query(&self.query);
        let query = query.iter().map(|(name, value)| (&**name, &**value));
        log.line(format_args!("Method request query string: {}", log::map(query)));
        let headers: Vec<_> =
            self.headers.iter().map(|(name, values)| (name, values.join(","))).collect();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        log.line(format_args!("Method request headers: {}", log::headers(headers)));
        let body = log::body(&self.body, self.binary.holds(b"application/json"));
        log.line(format_args!("Method request body before transformations: {body}"));
    }
}

/// Both kinds of headers in one; names are the same in any case.
fn headers(input: &TestInvokeMethod) -> BTreeMap<String, Vec<String>> {
    let mut headers = input.multi_value_headers.clone();
    for (name, value) in &input.headers {
        if !input.multi_value_headers.keys().any(|known| known.eq_ignore_ascii_case(name)) {
            headers.insert(name.clone(), vec![value.clone()]);
        }
    }
    headers
}

/// The path parameters of a path under a resource, as sent; `None` when it does not fit.
fn parameters(resource: &str, path: &str) -> Option<Vec<(String, String)>> {
    let mut sent = path.split('/').filter(|segment| !segment.is_empty());
    let mut found = Vec::new();
    for part in resource.split('/').filter(|part| !part.is_empty()) {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        if let Some(name) = name.and_then(|name| name.strip_suffix('+')) {
            let rest: Vec<&str> = sent.collect();
            found.push((name.to_owned(), rest.join("/")));
            return (!rest.is_empty()).then_some(found);
        }
        let segment = sent.next()?;
        match name {
            Some(name) => found.push((name.to_owned(), segment.to_owned())),
            None if segment_is(segment.as_bytes(), part.as_bytes()) => {}
            None => return None,
        }
    }
    sent.next().is_none().then_some(found)
}

/// The query's parameters, decoded; of several equal ones the last.
fn query(query: &str) -> BTreeMap<String, String> {
    let decode =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// What no request line can carry, and what would end the address. Everything else is the tester's to encode.
const UNWRITABLE: &AsciiSet = &CONTROLS.add(b' ').add(b'#');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_under_their_resource() {
        for (resource, path, want) in [
            ("/", "/", Some(&[][..])),
            ("/", "/x", None),
            ("/pets", "/pets/", Some(&[])),
            ("/pets", "/%70ets", Some(&[])),
            ("/pets", "/cats", None),
            ("/pets/{id}", "/pets/7%2F8", Some(&[("id", "7%2F8")])),
            ("/pets/{id}", "/pets", None),
            ("/pets/{id}", "/pets/7/8", None),
            ("/{a}/x/{b+}", "/1/x/2/3", Some(&[("a", "1"), ("b", "2/3")])),
            ("/{proxy+}", "/", None),
        ] {
            let found = parameters(resource, path);
            let found: Option<Vec<_>> = found
                .as_ref()
                .map(|pairs| pairs.iter().map(|(name, value)| (&**name, &**value)).collect());
            assert_eq!(found.as_deref(), want, "{resource} {path}");
        }
    }

    #[test]
    fn of_equal_parameters_the_last_is_shown() {
        let shown = query("a=1&b=%20+x&a=2&c");
        let want = [("a", "2"), ("b", "  x"), ("c", "")];
        assert!(shown.iter().map(|(name, value)| (&**name, &**value)).eq(want));
    }
}
