//! What goes wrong, in AWS's words: errors of a function, which its caller gets as an answer, and errors of a call.
//!
//! Sources: Lambda API Reference, `Invoke`, "Errors"; developer guide, "Troubleshoot invocation issues"; the shapes that AWS's
//! runtime interface emulator answers with.

use bytes::Bytes;
use serde_json::json;

/// An invocation that ended with an error: the answer has status 200, this body, and says so in `X-Amz-Function-Error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// AWS's or the runtime's name of the error, for example `Sandbox.Timedout`.
    pub kind: String,
    /// JSON: `errorType`, `errorMessage`, and what else a runtime says.
    pub body: Bytes,
}

impl FunctionError {
    /// An error that the host found.
    pub fn new(kind: &str, message: &str) -> Self {
        let body = json!({ "errorType": kind, "errorMessage": message }).to_string();
        Self { kind: kind.to_owned(), body: body.into() }
    }

    /// The same about a request.
    pub fn about(request: &str, kind: &str, message: &str) -> Self {
        Self::new(kind, &format!("RequestId: {request} Error: {message}"))
    }

    /// What a runtime reported. Without a body AWS makes one of the name.
    pub fn reported(kind: &str, body: Bytes) -> Self {
        let kind = if kind.is_empty() { "Runtime.Unknown" } else { kind };
        if body.is_empty() {
            return Self {
                kind: kind.to_owned(),
                body: json!({ "errorType": kind }).to_string().into(),
            };
        }
        Self { kind: kind.to_owned(), body }
    }

    /// The value of `X-Amz-Function-Error`: `Handled` only where a runtime says so.
    pub fn header(&self) -> &'static str {
        if self.kind == "Handled" { "Handled" } else { "Unhandled" }
    }
}

/// A call that is refused before any function runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No function of this ARN is declared.
    #[error("Function not found: {0}")]
    NotFound(String),
    /// All of the function's processes are busy.
    #[error("Rate Exceeded.")]
    Busy,
    /// No room for another event that is to be worked off later.
    #[error("Rate Exceeded.")]
    QueueFull,
    /// The event is larger than this type of invocation takes.
    #[error(
        "{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
    )]
    TooLarge {
        /// Bytes that came, or were announced.
        size: u64,
        /// The invocation type.
        kind: &'static str,
        /// Bytes allowed.
        limit: usize,
    },
    /// The event is no JSON.
    #[error("Could not parse request body into json: Could not parse payload into json: {0}")]
    NotJson(String),
    /// The client context is not what AWS's SDKs send.
    #[error("Client context must be a valid Base64-encoded JSON object.")]
    ClientContext,
    /// A parameter has a value that AWS does not know.
    #[error(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}"
    )]
    Invalid {
        /// The parameter.
        name: &'static str,
        /// What was given.
        value: String,
        /// AWS's rule.
        rule: &'static str,
    },
    /// A web page asked, or somebody through one.
    #[error("Requests from web pages are not allowed.")]
    Foreign,
    /// The body ended early.
    #[error("The request body could not be read.")]
    Unreadable,
    /// Nothing of the Lambda API is at this address, or nothing that a host without versions and policies has.
    #[error("This function host has no such operation.")]
    NoOperation,
}

impl CallError {
    /// Status, error type and body of the answer.
    pub fn answer(&self) -> (u16, &'static str, String) {
        let message = self.to_string();
        let (status, kind) = match self {
            Self::NotFound(_) => (404, "ResourceNotFoundException"),
            Self::Busy | Self::QueueFull => (429, "TooManyRequestsException"),
            Self::TooLarge { .. } => (413, "RequestTooLargeException"),
            Self::NotJson(_) | Self::ClientContext | Self::Unreadable => {
                (400, "InvalidRequestContentException")
            }
            Self::Invalid { .. } => (400, "ValidationException"),
            Self::Foreign => (403, "AccessDeniedException"),
            Self::NoOperation => (404, "UnknownOperationException"),
        };
        let body = match self {
            Self::NotFound(_) => json!({ "Type": "User", "Message": message }),
            Self::Busy => json!({
                "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
                "Type": "User",
                "message": message,
            }),
            Self::QueueFull => json!({
                "Reason": "ConcurrentInvocationLimitExceeded",
                "Type": "User",
                "message": message,
            }),
            _ => json!({ "Type": "User", "message": message }),
        };
        (status, kind, body.to_string())
    }
}
