//! A documentation part: what an author says about one thing of an API.

use serde::{Deserialize, Serialize};

use super::wire::wire_enum;
use super::{DocumentationPartId, HttpMethod, StatusCode, WireName};

/// One part of the documentation, as GetDocumentationPart shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentationPart {
    /// Chosen at creation.
    pub id: DocumentationPartId,
    /// What it is about; unique within the API.
    pub location: DocumentationPartLocation,
    /// A JSON object as text.
    pub properties: String,
}

/// What a part is about. Members that were not given stay absent; [`DocumentationPartLocation::filled`] has what they
/// stand for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentationPartLocation {
    /// The kind of thing.
    #[serde(rename = "type")]
    pub kind: DocumentationPartType,
    /// Absent: `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A verb; absent or `*`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Three digits; absent or `*`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<String>,
    /// Of the parameter, header, authorizer or model (`Pet`, or `Pet.name` for a property).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl DocumentationPartLocation {
    /// The place with nothing but its kind.
    pub fn of(kind: DocumentationPartType) -> Self {
        Self { kind, path: None, method: None, status_code: None, name: None }
    }

    /// Whether the members are those its kind may have, and of their forms.
    pub fn check(&self) -> Result<(), InvalidLocation> {
        let (kind, fields) = (self.kind, self.kind.fields());
        for (field, may, is) in [
            ("path", fields.path, self.path.is_some()),
            ("method", fields.method, self.method.is_some()),
            ("statusCode", fields.status_code, self.status_code.is_some()),
            ("name", fields.name, self.name.is_some()),
        ] {
            if is && !may {
                return Err(InvalidLocation::Field { kind, field });
            }
        }
        if let Some(path) = self.path.as_ref().filter(|path| !path.starts_with('/')) {
            return Err(InvalidLocation::Path { path: path.clone() });
        }
        let verb = |text: &String| text == "*" || HttpMethod::from_name(text).is_some();
        if let Some(method) = self.method.as_ref().filter(|method| !verb(method)) {
            return Err(InvalidLocation::Method { method: method.clone() });
        }
        let status = |text: &String| text == "*" || StatusCode::parse(text).is_some();
        if let Some(code) = self.status_code.as_ref().filter(|code| !status(code)) {
            return Err(InvalidLocation::StatusCode { code: code.clone() });
        }
        Ok(())
    }

    /// The same place with every member its kind has, so that equal places are equal values.
    pub fn filled(&self) -> Self {
        let fill = |has: bool, value: &Option<String>, default: &str| {
            has.then(|| value.clone().unwrap_or_else(|| default.to_owned()))
        };
        let fields = self.kind.fields();
        Self {
            kind: self.kind,
            path: fill(fields.path, &self.path, "/"),
            method: fill(fields.method, &self.method, "*"),
            status_code: fill(fields.status_code, &self.status_code, "*"),
            name: self.name.clone(),
        }
    }
}

/// A location its kind cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each text says it")]
pub enum InvalidLocation {
    #[error("Location field '{field}' is not valid for type '{kind}'")]
    Field { kind: DocumentationPartType, field: &'static str },
    #[error("Location path '{path}' must start with a slash")]
    Path { path: String },
    #[error("Location method '{method}' must be an HTTP method, ANY or *")]
    Method { method: String },
    #[error("Location statusCode '{code}' must be a status code or *")]
    StatusCode { code: String },
}

wire_enum! {
    /// Kinds of things that can be documented.
    DocumentationPartType {
        Api = "API",
        Authorizer = "AUTHORIZER",
        Model = "MODEL",
        Resource = "RESOURCE",
        Method = "METHOD",
        PathParameter = "PATH_PARAMETER",
        QueryParameter = "QUERY_PARAMETER",
        RequestHeader = "REQUEST_HEADER",
        RequestBody = "REQUEST_BODY",
        Response = "RESPONSE",
        ResponseHeader = "RESPONSE_HEADER",
        ResponseBody = "RESPONSE_BODY",
    }
}

/// Which members the location of a kind may have, besides its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each member is the location's of its name")]
pub struct LocationFields {
    pub path: bool,
    pub method: bool,
    pub status_code: bool,
    pub name: bool,
}

impl DocumentationPartType {
    /// Source: API reference, DocumentationPartLocation.
    pub fn fields(self) -> LocationFields {
        let [path, method, status_code, name] = match self {
            Self::Api => [false; 4],
            Self::Authorizer | Self::Model => [false, false, false, true],
            Self::Resource => [true, false, false, false],
            Self::Method | Self::RequestBody => [true, true, false, false],
            Self::PathParameter | Self::QueryParameter | Self::RequestHeader => {
                [true, true, false, true]
            }
            Self::Response | Self::ResponseBody => [true, true, true, false],
            Self::ResponseHeader => [true; 4],
        };
        LocationFields { path, method, status_code, name }
    }
}

wire_enum! {
    /// Whether a part says anything: its properties are not `{}`.
    LocationStatus { Documented = "DOCUMENTED", Undocumented = "UNDOCUMENTED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_equal_once_filled() {
        let root = DocumentationPartLocation::of(DocumentationPartType::Response);
        let spelled = DocumentationPartLocation {
            path: Some("/".to_owned()),
            method: Some("*".to_owned()),
            status_code: Some("*".to_owned()),
            ..root.clone()
        };
        assert_eq!(root.filled(), spelled.filled());
        assert_eq!(spelled.check(), Ok(()));
        let api = DocumentationPartLocation::of(DocumentationPartType::Api);
        assert_eq!(api.filled(), api);
        for (wrong, told) in [
            (
                DocumentationPartLocation { method: Some("GET".to_owned()), ..api },
                "Location field 'method' is not valid for type 'API'",
            ),
            (
                DocumentationPartLocation { path: Some("a".to_owned()), ..root.clone() },
                "Location path 'a' must start with a slash",
            ),
            (
                DocumentationPartLocation { method: Some("get".to_owned()), ..root.clone() },
                "Location method 'get' must be an HTTP method, ANY or *",
            ),
            (
                DocumentationPartLocation { status_code: Some("2XX".to_owned()), ..root },
                "Location statusCode '2XX' must be a status code or *",
            ),
        ] {
            assert_eq!(wrong.check().unwrap_err().to_string(), told);
        }
    }
}
