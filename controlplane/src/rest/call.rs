//! One call: its operation, its path and query parameters, its body.

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::members::{Members, names};
use super::{Operation, RestError};
use crate::app::{Paging, PatchOp, PatchOperation};
use crate::model::{StatusCode, WireName};

/// A call whose address is known and decoded.
pub(super) struct Call<'r> {
    pub(super) operation: Operation,
    path: Vec<(&'static str, Cow<'r, str>)>,
    /// Decoded, in the order they were sent.
    pub(super) query: Vec<(String, String)>,
    headers: &'r HeaderMap,
    pub(super) body: &'r Bytes,
}

impl<'r> Call<'r> {
    pub(super) fn new(
        operation: Operation,
        path: &[(&'static str, &'r str)],
        query: &str,
        headers: &'r HeaderMap,
        body: &'r Bytes,
    ) -> Result<Self, RestError> {
        let undecodable =
            |_| RestError::Serialization("The request address is not UTF-8".to_owned());
        let path = path
            .iter()
            .map(|(name, text)| {
                Ok((*name, percent_decode_str(text).decode_utf8().map_err(undecodable)?))
            })
            .collect::<Result<_, RestError>>()?;
        let decode = |text: &str| -> Result<String, RestError> {
            let spaced = text.replace('+', " ");
            Ok(percent_decode_str(&spaced).decode_utf8().map_err(undecodable)?.into_owned())
        };
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name)?, decode(value)?))
            })
            .collect::<Result<_, RestError>>()?;
        Ok(Self { operation, path, query, headers, body })
    }

    /// The status of success.
    pub(super) fn status(&self) -> u16 {
        self.operation.status()
    }

    /// A path parameter; the catalogue says which there are.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
    }

    /// A query parameter's first value.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A query parameter that is one of a set.
    pub(super) fn query_one_of<T: WireName>(&self, name: &str) -> Result<Option<T>, RestError> {
        let Some(text) = self.query(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let known = T::from_name(text);
        known.map(Some).ok_or_else(|| {
            let set = names::<T>();
            RestError::Validation(vec![format!(
                "Value '{text}' at '{name}' failed to satisfy constraint: \
                 Member must satisfy enum value set: [{set}]"
            )])
        })
    }

    /// A query parameter that narrows a list; an empty one does not.
    pub(super) fn filter(&self, name: &str) -> Option<&str> {
        self.query(name).filter(|value| !value.is_empty())
    }

    /// A query parameter that is a flag; anything but `true` is false.
    pub(super) fn query_flag(&self, name: &str) -> bool {
        self.query(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// All values of a query parameter.
    pub(super) fn query_all<'c>(&'c self, name: &'static str) -> impl Iterator<Item = &'c str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The media types the caller takes.
    pub(super) fn accept(&self) -> Option<&str> {
        self.headers.get(http::header::ACCEPT)?.to_str().ok()
    }

    /// The words of `embed`, repeated or separated by commas.
    pub(super) fn embed(&self) -> impl Iterator<Item = &str> {
        self.query_all("embed").flat_map(|value| value.split(',')).map(str::trim)
    }

    /// Which part of a list is asked for.
    pub(super) fn paging(&self) -> Result<Paging, RestError> {
        let limit = match self.query("limit").filter(|text| !text.is_empty()) {
            Some(text) => {
                let parsed = text.parse();
                Some(parsed.map_err(|_| {
                    RestError::Serialization(format!("'{text}' can not be converted to an Integer"))
                })?)
            }
            None => None,
        };
        Ok(Paging { position: self.query("position").map(str::to_owned), limit })
    }

    /// The status code in the path, which has AWS's pattern.
    pub(super) fn status_code(&self) -> Result<StatusCode, RestError> {
        let text = self.path("status_code");
        StatusCode::parse(text).ok_or_else(|| {
            let pattern = StatusCode::PATTERN;
            RestError::Validation(vec![format!(
                "Value '{text}' at 'statusCode' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: {pattern}"
            )])
        })
    }

    /// The members of the body.
    pub(super) fn members(&self) -> Result<Members, RestError> {
        Members::parse(self.operation, self.body)
    }

    /// The steps of an update.
    pub(super) fn patch(&self) -> Result<Vec<PatchOperation>, RestError> {
        let mut members = self.members()?;
        let mut steps = Vec::new();
        for mut step in members.objects("patchOperations")? {
            let op = step.one_of::<PatchOp>("op")?;
            let operation = (step.text("path")?, step.text("value")?, step.text("from")?);
            let absent = op.is_none() && step.is_valid();
            members.absorb(step);
            let (path, value, from) = operation;
            if let Some(op) = op {
                steps.push(PatchOperation { op, path, value, from });
            } else if absent {
                // A step without op asks for nothing AWS knows.
                return Err(RestError::App(crate::app::AppError::PatchReplaceOnly));
            }
        }
        members.finish()?;
        Ok(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_checked_whole() {
        let body =
            Bytes::from(r#"{"patchOperations":[{"op":"add","path":"/a"},{"op":"x"},{"op":"y"}]}"#);
        let headers = HeaderMap::new();
        let call = Call::new(
            Operation::UpdateRestApi,
            &[("restapi_id", "a%2Fb")],
            "embed=a,b&embed=c",
            &headers,
            &body,
        )
        .unwrap();
        assert_eq!(call.path("restapi_id"), "a/b");
        assert_eq!(call.embed().collect::<Vec<_>>(), ["a", "b", "c"]);
        let told = call.patch().unwrap_err().to_string();
        let set = "Member must satisfy enum value set: [add, remove, move, test, replace, copy]";
        assert_eq!(
            told,
            format!(
                "2 validation errors detected: \
                 Value 'x' at 'updateRestApiInput.patchOperations.2.member.op' failed to satisfy constraint: {set}; \
                 Value 'y' at 'updateRestApiInput.patchOperations.3.member.op' failed to satisfy constraint: {set}"
            )
        );
    }
}
