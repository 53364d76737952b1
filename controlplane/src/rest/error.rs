//! Refusals on the wire: the only place where causes become names and statuses.

use crate::app::{AppError, Fault};
use crate::auth::AuthError;

use super::Operation;
use super::reply::Reply;

/// Why a call was refused.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The operation refused.
    #[error(transparent)]
    App(#[from] AppError),
    /// The caller is not let in.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The caller's policy does not allow it; a whole sentence.
    #[error("{0}")]
    AccessDenied(String),
    /// Members are missing or outside their sets; all of them at once.
    #[error("{}", validation(.0))]
    Validation(Vec<String>),
    /// The body or a member is not of its type.
    #[error("{0}")]
    Serialization(String),
    /// No operation has this method and path; AWS's front end takes it for a request to nowhere.
    #[error("Missing Authentication Token")]
    UnknownOperation,
    /// The body is too long.
    #[error("Request size exceeded {0} bytes")]
    TooLarge(u64),
    /// The body did not come in time.
    #[error("The request body was not received in time")]
    TooSlow,
}

impl RestError {
    /// Name and status.
    fn class(&self) -> (&'static str, u16) {
        match self {
            Self::App(error) => match error.fault() {
                Fault::BadRequest => ("BadRequestException", 400),
                Fault::NotFound => ("NotFoundException", 404),
                Fault::Conflict => ("ConflictException", 409),
                Fault::LimitExceeded => ("LimitExceededException", 429),
                Fault::Unavailable => ("ServiceUnavailableException", 503),
                Fault::Internal => ("InternalFailure", 500),
            },
            Self::Auth(error) => (error.name(), error.status()),
            Self::AccessDenied(_) => ("AccessDeniedException", 403),
            Self::Validation(_) => ("ValidationException", 400),
            Self::Serialization(_) => ("SerializationException", 400),
            Self::UnknownOperation => ("MissingAuthenticationTokenException", 403),
            Self::TooLarge(_) => ("RequestEntityTooLargeException", 413),
            Self::TooSlow => ("RequestTimeoutException", 408),
        }
    }

    /// The answer.
    pub(super) fn reply(&self) -> Reply {
        let (name, status) = self.class();
        let mut reply = Reply::json(status, &serde_json::json!({ "message": self.to_string() }));
        reply.headers.push(("x-amzn-errortype", name.to_owned()));
        if matches!(status, 429 | 503) {
            reply.headers.push(("retry-after", "1".to_owned()));
        }
        reply
    }

    /// Tells the log: our faults in full, the caller's for those who look.
    pub(super) fn report(&self, operation: Operation) {
        let operation = operation.name();
        match self {
            Self::App(AppError::Store(cause)) => {
                let mut chain = cause.to_string();
                let mut next = std::error::Error::source(cause);
                while let Some(source) = next {
                    chain.push_str(": ");
                    chain.push_str(&source.to_string());
                    next = source.source();
                }
                tracing::error!(operation, error = chain, "admin operation failed");
            }
            refused => tracing::debug!(operation, %refused, "admin operation refused"),
        }
    }
}

/// AWS's framing of constraint violations. Source: `admin-api` section 3.
fn validation(violations: &[String]) -> String {
    let count = violations.len();
    let errors = if count == 1 { "error" } else { "errors" };
    format!("{count} validation {errors} detected: {}", violations.join("; "))
}
